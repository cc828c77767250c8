"""Sinks that write a line an event: plain, JSON, annotations, the log."""
