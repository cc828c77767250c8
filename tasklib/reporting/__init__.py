"""Sinks of events: the live board, plain lines, JSON lines, logs and report files.

Nothing outside this package prints while a run is active.
"""
