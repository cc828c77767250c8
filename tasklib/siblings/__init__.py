"""Other checkouts of the same repository, and what they have that a new worktree lacks."""
