"""A stack for tests that no run of ours starts: a process of its own holds it while they run."""
