"""PURE: how tests get to containers, and files into them: decided once, and nowhere else."""

from __future__ import annotations

from tasklib.reach.decision import Own, Seen, decide
from tasklib.reach.values import HERE, Disk, Reach, Way

__all__ = ["HERE", "Disk", "Own", "Reach", "Seen", "Way", "decide"]
