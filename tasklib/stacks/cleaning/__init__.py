"""All of ``clean``: what a checkout owns, and what no living checkout owns."""
