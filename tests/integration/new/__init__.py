"""New projects as a user makes them, and what is in them typed."""
