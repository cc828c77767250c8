"""The engine that Docker's SDK speaks to: found, asked, and its answers as typed values."""
