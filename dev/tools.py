"""What only the tests use: a browser, shells, an ssh server, and an image registry.

The registry is taken out of the distribution's package without installing it: the package would also start a
service on a fixed port.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from dev.commands import run_logged, step
from dev.consent import Consent
from dev.environment import Environment
from dev.errors import CommandFailed, DevError
from dev.facts import Host
from dev.packages import install
from dev.plan import Install
from dev.state import log_file

__all__ = ["ensure_browser", "ensure_registry", "ensure_shells", "ensure_sshd"]

_PROGRAM = "docker-registry"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SHELLS = ("fish", "zsh")


def ensure_browser(host: Host, consent: Consent) -> None:
    """Install Debian's Chromium where there is no browser of the kind. (Ubuntu's package is a snap.)"""
    if not any(map(shutil.which, _BROWSERS)):
        permitted = host.distribution == "debian"
        _install_or_say(("chromium",), "the tests of pages are skipped", host, consent, permitted=permitted)


def ensure_shells(host: Host, consent: Consent) -> None:
    """Install the shells that completion is tested in."""
    if missing := tuple(shell for shell in _SHELLS if not shutil.which(shell)):
        _install_or_say(missing, "the tests of their completion are skipped", host, consent)


def ensure_sshd(host: Host, consent: Consent) -> None:
    """Install the server that engines are reached through by ssh; not where it would be started as well."""
    if not shutil.which("/usr/sbin/sshd"):
        without = "the tests of engines over ssh are skipped"
        _install_or_say(("openssh-server",), without, host, consent, permitted=not host.systemd)


def _install_or_say(
    packages: tuple[str, ...], without: str, host: Host, consent: Consent, *, permitted: bool = True
) -> None:
    """Install ``packages`` where that is permitted; else one line says what is done ``without`` them."""
    why = f"no {', no '.join(packages)}: {without}"
    if consent.given and host.root and host.packaged and permitted:
        try:
            install(Install(packages), host)
        except DevError as error:
            why = f"{why} ({error})"
        else:
            return
    print(f"dev: {why}", file=sys.stderr, flush=True)


def ensure_registry(environment: Environment, host: Host) -> None:
    """Put `docker-registry` into `.venv/bin` where the host has none and its package can be had.

    Without it the tests that push images are skipped, which one line says.
    """
    target = environment.bin / _PROGRAM
    if target.exists() or shutil.which(_PROGRAM):
        return
    if not host.packaged:
        _missing("install it to run the tests that push images")
        return
    log = log_file("registry")
    log.unlink(missing_ok=True)
    try:
        with step(f"fetching {_PROGRAM} for the tests"), tempfile.TemporaryDirectory() as folder:
            run_logged(["env", "--chdir", folder, "apt-get", "--quiet", "download", _PROGRAM], log)
            (package,) = Path(folder).glob("*.deb")
            run_logged(["dpkg-deb", "--extract", str(package), f"{folder}/files"], log)
            # Another process may run the tests already: it sees the whole program or none.
            shutil.copy2(f"{folder}/files/usr/bin/{_PROGRAM}", f"{target}.new")
            Path(f"{target}.new").replace(target)
    except (CommandFailed, OSError, ValueError):
        _missing(f"its package could not be had, see {log}; the tests that push images are skipped")


def _missing(why: str) -> None:
    print(f"dev: no {_PROGRAM}: {why}", file=sys.stderr, flush=True)
