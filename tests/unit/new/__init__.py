"""New projects, without an engine."""
