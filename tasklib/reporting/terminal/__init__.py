"""The live board of a terminal, and the summary at the end."""
