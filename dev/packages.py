"""Installs packages with apt-get, from the host's own sources and one later suite where it is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dev.apt import has_suite, main_source, pin_text, security_source, suite_text
from dev.commands import run_logged, step
from dev.errors import CommandFailed, DevError
from dev.facts import Host
from dev.plan import Install
from dev.probe import apt_sources
from dev.state import log_file

__all__ = ["install"]

_LOCK = "--option=DPkg::Lock::Timeout=300"
_OPTIONS = (
    "--yes",
    "--quiet",
    "--no-install-recommends",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
    _LOCK,
)


def install(wanted: Install, host: Host) -> None:
    """Install `wanted`. When it fails, a suite that was added for it is taken away again."""
    names = ", ".join(name.partition("/")[0] for name in wanted.packages)
    with step(f"installing {names}"), _suite(wanted.suite, host) as added:
        if not added:
            # The lists are mostly recent enough, and reading them again takes longer than the installation.
            with suppress(CommandFailed):
                _apt_get("install", *_OPTIONS, *wanted.packages)
                return
        # One unreachable source, perhaps a third party's, is no reason to give up: the installation decides.
        with suppress(CommandFailed):
            _apt_get("update", "--quiet", _LOCK)
        _apt_get("install", *_OPTIONS, *wanted.packages)


def _apt_get(*arguments: str) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    run_logged(["apt-get", *arguments], log_file("apt"), env=env, finish="install" in arguments)


@contextmanager
def _suite(suite: str | None, host: Host) -> Iterator[bool]:
    """Make packages of `suite` available by name; yields whether it had to be added.

    What was written stays only when the body succeeds.
    """
    sources = apt_sources()
    if suite is None or has_suite(sources, suite):
        yield False
        return
    main = main_source(sources, host.codename)
    if main is None:
        raise DevError(
            f"No apt source for {host.name} {host.codename} over http(s) was found under /etc/apt.\n"
            f"Add one (or one for {suite}), or install Docker's Compose plugin yourself."
        )
    text = suite_text(main, suite)
    if security := security_source(sources, host.codename):
        text += "\n" + suite_text(security, f"{suite}-security")
    # The pin comes first: without it the later suite would replace the host's packages.
    written = {
        Path(f"/etc/apt/preferences.d/tasklib-dev-{suite}.pref"): pin_text(suite),
        Path(f"/etc/apt/sources.list.d/tasklib-dev-{suite}.sources"): text,
    }
    try:
        for path, text in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)
        yield True
    except BaseException:
        for path in reversed(written):
            path.unlink(missing_ok=True)
        raise
