"""How results are put into words, and which glyphs stand for them."""
