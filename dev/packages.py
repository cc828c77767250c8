"""Installs packages with apt-get, from the host's own sources and one later suite where it is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dev.apt import has_suite, main_source, pin_text, suite_text
from dev.commands import run_logged, step
from dev.errors import CommandFailed, DevError
from dev.facts import Host
from dev.plan import Install
from dev.probe import apt_sources
from dev.state import log_file

__all__ = ["install"]

_OPTIONS = (
    "--yes",
    "--quiet",
    "--no-install-recommends",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
    "--option=DPkg::Lock::Timeout=300",
)


def install(wanted: Install, host: Host) -> None:
    """Install `wanted`. When it fails, a suite that was added for it is taken away again."""
    log = log_file("apt")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    names = ", ".join(name.partition("/")[0] for name in wanted.packages)
    with step(f"installing {names}"), _suite(wanted.suite, host):
        # One unreachable source, perhaps a third party's, is no reason to give up: the installation decides.
        with suppress(CommandFailed):
            run_logged(["apt-get", "update", "--quiet", _OPTIONS[-1]], log, env=env)
        run_logged(["apt-get", "install", *_OPTIONS, *wanted.packages], log, env=env, finish=True)


@contextmanager
def _suite(suite: str | None, host: Host) -> Iterator[None]:
    """Make packages of `suite` available by name; what was written stays only when the body succeeds."""
    sources = apt_sources()
    if suite is None or has_suite(sources, suite):
        yield
        return
    main = main_source(sources, host.codename)
    if main is None:
        raise DevError(
            f"No apt source for {host.name} {host.codename} over http(s) was found under /etc/apt.\n"
            f"Add one (or one for {suite}), or install Docker's Compose plugin yourself."
        )
    # The pin comes first: without it the later suite would replace the host's packages.
    written = {
        Path(f"/etc/apt/preferences.d/tasklib-dev-{suite}.pref"): pin_text(suite),
        Path(f"/etc/apt/sources.list.d/tasklib-dev-{suite}.sources"): suite_text(main, suite),
    }
    try:
        for path, text in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)
        yield
    except BaseException:
        for path in reversed(written):
            path.unlink(missing_ok=True)
        raise
