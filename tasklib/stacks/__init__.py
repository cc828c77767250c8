"""Everything Docker: from a rendered Compose config to a ready stack, and back to nothing."""
