"""The only user of the Docker SDK; what the engine answers, as typed values."""
