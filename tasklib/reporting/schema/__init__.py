"""The schema of the JSON that a run writes, and its page: made from the types and their docstrings."""
