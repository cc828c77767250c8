"""Small real projects in git checkouts of their own, and whole commands run in them as a user types them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "EXAMPLE",
    "OFFICIAL",
    "PYTHON",
    "Checkout",
    "Ran",
    "Running",
    "command_environment",
    "compose",
    "write",
]

EXAMPLE = Path(__file__).resolve().parents[2] / "example-project"

OFFICIAL = {
    "PYTHON_IMAGE": "python:3.12-slim",
    "NODE_IMAGE": "node:22-slim",
    "POSTGRES_IMAGE": "postgres:16",
    "REDIS_IMAGE": "redis:7",
    "NGINX_IMAGE": "nginx:1.27",
}
"""What each variable stands for where it is not set."""

PYTHON = "${PYTHON_IMAGE:-python:3.12-slim}"
"""The image of every small service, as a Compose file names it: the official one or what stands in for it."""

PATIENCE = 400
"""Seconds after which a command counts as hanging; no test expects anything of how long one takes."""

_OF_OTHERS = (
    "CI",
    "COMPOSE_",
    "FORCE_COLOR",
    "GITEA_",
    "GITHUB_",
    "GITLAB_",
    "GIT_",
    "INVOKE_",
    "NOX",
    "NO_COLOR",
    "PYTEST_",
    "TASKLIB_",
    "TEST_",
    "VIRTUAL_ENV",
)


def command_environment(state: Path) -> dict[str, str]:
    """What a user's shell would have: this interpreter's programs first, nothing of the run around us."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_OTHERS)}
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "XDG_STATE_HOME": str(state),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "TERM": "dumb",
        # What is baked outlives a test on purpose; those that are about it turn it on.
        "TASKLIB_BAKE": "0",
    }


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write ``files`` (path below ``folder`` → text, whose common indentation goes)."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def compose(**services: str) -> str:
    """A Compose file: each service's name and its lines, which start at its first key."""
    blocks = (
        f"  {name.replace('_', '-')}:\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
        for name, body in services.items()
    )
    return "services:\n" + "".join(blocks)


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def lines(self) -> list[str]:
        """Everything it said, without what Nox adds to every session."""
        return [line for line in self.text.splitlines() if line.strip() and not line.startswith("nox > ")]

    @property
    def told(self) -> list[str]:
        """:attr:`lines` without what differs from run to run: times, where the full log is, and that other
        programs had the processors."""
        lines = (line for line in self.lines if "the machine was busy: " not in line)
        timeless = (re.sub(r"\((\d+m )?\d[\d.]*s(: [^)]*)?\)", "(…)", line) for line in lines)
        return [re.sub(r" Full log: \S+$", "", line) for line in timeless]

    def __str__(self) -> str:
        return f"$ {' '.join(self.argv)}\n{self.out}{self.err}[{self.code}]"


class Running:
    """A command under way, its output in files so that it never waits for us to read."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str], folder: Path) -> None:
        self.argv = tuple(argv)
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("*.out")))
        self._out, self._err = folder / f"{number}.out", folder / f"{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                self.argv, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self._out.read_text(errors="replace") + self._err.read_text(errors="replace")

    def wait(self, timeout: float = PATIENCE) -> Ran:
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"`{' '.join(self.argv)}` hangs:\n{self.text}") from None
        return Ran(
            self.argv, code, self._out.read_text(errors="replace"), self._err.read_text(errors="replace")
        )


@dataclass(frozen=True)
class Checkout:
    """A git checkout with a project in it; commands start in its top folder."""

    root: Path
    branch: str
    env: Mapping[str, str]
    worktrees: list[Checkout] = field(default_factory=list)

    def write(self, files: Mapping[str, str]) -> None:
        write(self.root, files)

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.root,
            env=dict(self.env),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "change")

    def worktree(self, branch: str) -> Checkout:
        """Another checkout of the same repository, on a new branch."""
        root = self.root.with_name(f"{self.root.name}-{branch.replace('/', '-')}")
        self.git("worktree", "add", "-q", "-b", branch, str(root))
        other = Checkout(root, branch, self.env)
        self.worktrees.append(other)
        return other

    def start(self, *argv: str, env: Mapping[str, str] | None = None, cwd: str = "") -> Running:
        merged = {**self.env, **(env or {})}
        return Running(argv, self.root / cwd, merged, self.root.with_name(f"{self.root.name}.output"))

    def run(self, *argv: str, env: Mapping[str, str] | None = None, cwd: str = "") -> Ran:
        """Run a command to its end, with no terminal and nothing to read."""
        return self.start(*argv, env=env, cwd=cwd).wait()

    @contextmanager
    def during(self, *argv: str, env: Mapping[str, str] | None = None) -> Iterator[Running]:
        """A command that is ended when the block ends before it."""
        running = self.start(*argv, env=env)
        try:
            yield running
        finally:
            if not running.ended:
                running.process.terminate()
                running.wait()

    @property
    def is_clean(self) -> bool:
        """Whether git sees nothing that was not committed."""
        return not self.git("status", "--porcelain")


def copy_example(target: Path, mark: str) -> None:
    """Copy example-project as git would check it out; its images carry ``mark``, to be found untagged too."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=EXAMPLE,
        capture_output=True,
        check=True,
    )
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(EXAMPLE / name, path)
    for dockerfile in target.glob("services/*/Dockerfile"):
        with dockerfile.open("a", encoding="utf-8") as file:
            file.write(f"LABEL {mark}\n")
