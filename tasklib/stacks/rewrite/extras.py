"""What else two stacks could share: the host's namespaces, and the names of configs and secrets."""

from __future__ import annotations

from tasklib.stacks.rewrite.draft import Draft

__all__ = ["judge_namespaces", "own_files"]


def judge_namespaces(draft: Draft) -> None:
    """Processes, memory and names of the host are seen, and can be changed, by every instance."""
    for name, service in draft.services():
        for key, what in (("pid", "processes"), ("ipc", "shared memory"), ("uts", "host name")):
            if service.get(key) == "host":
                draft.problem(
                    ("services", name, key),
                    f"shares the {what} of the host",
                    f"take it out of the test stack: `{key}: !reset null` in an override file",
                )


def own_files(draft: Draft) -> None:
    """Configs and secrets keep their content and get a name of the stack's own."""
    for section in ("configs", "secrets"):
        for key, part in draft.section(section).items():
            path = (section, key)
            if part.get("external"):
                draft.problem(
                    path,
                    f"{part.get('name') or key} is kept by a swarm, outside this stack",
                    "give the test stack a file or an environment variable instead",
                )
            else:
                draft.put((*path, "name"), draft.name(key), section, f"{section} of this stack alone")
