"""What can be typed, declared once: the front ends, their help, the checks of values and the docs read it."""
