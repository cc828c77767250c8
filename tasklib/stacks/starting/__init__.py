"""From created containers to a ready stack: order, health, ports."""
