"""What people may be shown: secrets are hidden, and text that others wrote cannot steer a terminal."""
