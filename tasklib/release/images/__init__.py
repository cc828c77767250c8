"""Every service's image, built and pushed."""
