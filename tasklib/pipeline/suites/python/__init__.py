"""The environments that Python tests run in: what a folder says of them, and which tool makes them."""
