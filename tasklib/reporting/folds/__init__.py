"""Events folded into values that can be drawn or written."""
