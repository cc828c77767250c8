"""Removes what a run had when the run died: the run's side, the process of its own, the protocol between."""
