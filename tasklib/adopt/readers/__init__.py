"""PURE: the text of one kind of file → evidence, with the line of everything in it."""
