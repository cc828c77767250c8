"""Files that appear whole or not at all, and locks that the kernel frees when their holder dies."""
