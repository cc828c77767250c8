"""Which command tests a target, and in which environment. Reads the disk, starts nothing."""
