"""Whose the names on the engine are: who this checkout is, and which id it has claimed."""
