"""What a data store does before it is ready, done once: what decides its outcome, and the doing."""
