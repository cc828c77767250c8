"""What a run holds: its stacks, each locked, recorded and watched; and the sweep of what dead runs held."""
