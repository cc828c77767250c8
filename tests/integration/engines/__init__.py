"""Engines that are not simply on this machine."""
