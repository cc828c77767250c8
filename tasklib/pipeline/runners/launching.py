"""How the command of a suite is started: on this machine, or in a container beside its stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tasklib import process
from tasklib.stacks.compose.source import Call
from tasklib.stacks.inside import Inside

__all__ = ["INJECT", "Here", "InContainer", "Launcher"]

INJECT = Path(__file__).parent.parent / "inject"
"""The folder that is put on PYTHONPATH: it holds the injected plugins and nothing else."""


class Launcher(Protocol):
    """Starts commands in one place."""

    def shared(self) -> AbstractContextManager[Path]:
        """A folder in which a command may write for us, as long as the block lasts."""
        ...

    def call(self, argv: Sequence[str], env: Mapping[str, str], shared: Path) -> Call:
        """What starts ``argv`` with ``env``; paths below ``shared`` in them are the command's, too."""
        ...

    def by_itself(self) -> tuple[str, ...]:
        """The command that an empty one stands for."""
        ...

    def named(self, path: Path, word: str) -> str:
        """What the command is to call ``path`` in the checkout, which ``word`` leads to on this machine."""
        ...


class Here(Struct, frozen=True):
    """Starts commands on this machine, in ``folder``."""

    folder: Path

    @contextmanager
    def shared(self) -> Iterator[Path]:
        with process.scratch_folder() as folder:
            yield folder

    def call(self, argv: Sequence[str], env: Mapping[str, str], shared: Path) -> Call:
        return Call(tuple(argv), self.folder, env)

    def by_itself(self) -> tuple[str, ...]:
        return ()

    def named(self, path: Path, word: str) -> str:
        return word


class InContainer(Struct, frozen=True):
    """Starts commands in containers of ``inside``, where our paths are those of what is mounted there.

    ``scratch`` lasts as long as the containers: the engine reads nothing out of one whose mounts are gone.
    """

    inside: Inside
    scratch: Path

    @contextmanager
    def shared(self) -> Iterator[Path]:
        folder = self.scratch / "shared"
        folder.mkdir(exist_ok=True)
        yield folder

    def call(self, argv: Sequence[str], env: Mapping[str, str], shared: Path) -> Call:
        mounts = {shared: ("/tasklib/run", True), INJECT: ("/tasklib/inject", False)}

        def there(text: str) -> str:
            for path, (target, _) in mounts.items():
                text = text.replace(str(path), target)
            return text

        # Whoever the container runs as has to write there; the folder around it is the user's alone.
        shared.chmod(0o777)
        for path in shared.iterdir():
            path.chmod(0o666)
        given = {name: there(value) for name, value in env.items()}
        return self.inside.call([there(word) for word in argv], given, mounts)

    def by_itself(self) -> tuple[str, ...]:
        return self.inside.own_command

    def named(self, path: Path, word: str) -> str:
        return self.inside.named(path, word)
