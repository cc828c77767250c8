"""The orders worker: prices queued orders and takes them from stock, or rejects them."""
