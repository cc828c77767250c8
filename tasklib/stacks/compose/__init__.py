"""The only caller of ``docker compose`` and of its ``bake``."""
