"""``python -m benchmarks.stress --worktrees 8 --rounds 10``: runs side by side, killed at random moments.

Every worktree starts its tests again and again; most runs are ended somewhere by a signal to the process or
to its whole group, some together with their reaper, as a lost machine would do it. Every test run writes its
folder into its databases and looks whether anybody else's is there. Afterwards each worktree has to pass once
more, and nothing may be left: no container, network, volume, process, lock or record. Exit code 1 otherwise.

``--users 2``: clones instead, all on one branch and each with a state folder of its own, as two users of one
engine have them. They start at the same moment in every round, nobody is ended, and all have to pass.
"""
