"""The only user of :mod:`subprocess`: argument lists, own process groups, deadlines.

Children never read the terminal and never share its process group, so that Ctrl-C reaches tasklib alone
and tasklib decides in which order things end.
"""

from __future__ import annotations

from tasklib.process.cancel import Cancel
from tasklib.process.children import CHILDREN, Children
from tasklib.process.completed import CommandError, Completed, TimedOut
from tasklib.process.running import CHILD_OF, REAPER_OF, Companion, accompany, detach, run, stream
from tasklib.process.scratch import SCRATCH, scratch_folder, sweep_scratch

__all__ = [
    "CHILDREN",
    "CHILD_OF",
    "REAPER_OF",
    "SCRATCH",
    "Cancel",
    "Children",
    "CommandError",
    "Companion",
    "Completed",
    "TimedOut",
    "accompany",
    "detach",
    "run",
    "scratch_folder",
    "stream",
    "sweep_scratch",
]
