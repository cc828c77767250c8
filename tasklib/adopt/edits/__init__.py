"""PURE: a file's text as it is → as it is to be, with a reason for each line that changes."""
