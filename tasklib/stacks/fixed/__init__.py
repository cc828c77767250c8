"""The stacks of dev and prod, which run as their files are written."""
