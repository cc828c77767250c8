"""PURE: what of Compose's and BuildKit's output says why they failed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from tasklib.results import ContainerLog, LogLine
from tasklib.shown.cutting import without_middle
from tasklib.stacks.compose.failures import BuildFailed
from tasklib.stacks.dollars import plain

__all__ = ["BuildOutput", "UpOutput", "last_words", "unset_variables"]

LENGTH = 400
"""Characters of a reason that are shown."""

_KEPT = 60
"""Lines that are remembered; BuildKit repeats at most ten of a failed step."""

_ERROR = re.compile(
    r"\b(error|failed|cannot|denied|unhealthy|exited|invalid|not found|unknown)\b", re.IGNORECASE
)


class UpOutput:
    """The last lines of a command, and the one that says why it failed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def read(self, line: str) -> None:
        if text := line.strip():
            self.lines = [*self.lines[1 - _KEPT :], text]

    def reason(self) -> str:
        """The last line that is an error of Compose or the engine, else the last line."""
        errors = [line for line in self.lines if _ERROR.search(line)]
        return last_words((errors or self.lines or ["it said nothing"])[-1])


class _Step(Struct, frozen=True):
    """A step that failed: ``[api dependencies 3/4] RUN pip install .``, and what it wrote."""

    label: str
    instruction: str
    written: tuple[str, ...]


_STEP = re.compile(r"> \[(?P<label>[^\]]*)\] ?(?P<instruction>.*?):?")
_TIMED = re.compile(r"\d+\.\d+ ")
_EXIT = re.compile(r"exit code: (\d+)")
_PARSE = re.compile(r"^dockerfile parse error(?: on)? line \d+: ")
_PLUMBING = re.compile(
    r"^(?:target [\w.-]+|failed to solve(?: with frontend [\w.]+)?|failed to create LLB definition"
    r"|failed to compute cache key|failed to read dockerfile|rpc error: code = \w+ desc =):? "
)


_SERVICE_CONTEXT = re.compile(r"\bstat (service:[\w.-]+): no such file")
"""How a Compose that does not know such contexts takes one for a folder."""


def _unknown_context(config: Mapping[str, Any], context: str) -> BuildFailed:
    builds = {name: row["build"] for name, row in config["services"].items() if "build" in row}
    using = (n for n, build in builds.items() if context in (build.get("additional_contexts") or {}).values())
    return BuildFailed(
        f"the image of {next(using, 'a service')} does not build: this Compose does not know `{context}`",
        remedy="Install a newer one, or name that service's image: `docker-image://…`.",
    )


class BuildOutput(UpOutput):
    """BuildKit's plain output: it closes with the failed step between two rules, then the cause."""

    def failure(self, config: Mapping[str, Any]) -> BuildFailed:
        """What failed, in which image of ``config`` (isolated), at which line of which Dockerfile."""
        step = self._step()
        cause = self._cause()
        building = [name for name, service in config["services"].items() if "build" in service]
        if unknown := _SERVICE_CONTEXT.search(cause):
            return _unknown_context(config, unknown[1])
        named = next((name for name in building if step and name in step.label.split()), None)
        service = named or (building[0] if len(building) == 1 else None)
        whose = f"the image of {service}" if service else "an image"
        dockerfile = _dockerfile(config["services"][service]["build"]) if service else None
        if dockerfile and not dockerfile.exists():
            return BuildFailed(f"{whose} does not build: there is no such Dockerfile", where=str(dockerfile))
        if step is None or step.instruction.startswith("load "):
            line = re.search(r"\bline (\d+)", cause)
            what = f"{whose} does not build: {_PARSE.sub('', cause) if dockerfile else cause}"
            return BuildFailed(what, where=_where(dockerfile, int(line[1]) if line else None))
        code = _EXIT.search(cause)
        said = step.written[-1] if step.written else ""
        outcome = f" exited with code {code[1]}" if code else ""
        why = said if code else cause
        what = f"{whose} does not build: `{without_middle(step.instruction, 120)}`{outcome}"
        logs = (ContainerLog("build", tuple(LogLine(0.0, text) for text in step.written)),)
        return BuildFailed(
            f"{what}: {without_middle(why, LENGTH)}" if why else what,
            where=_where(dockerfile, _line(dockerfile, step.instruction)),
            logs=logs if len(step.written) > 1 else (),
        )

    def _step(self) -> _Step | None:
        for number in range(len(self.lines) - 1, -1, -1):
            if found := _STEP.fullmatch(self.lines[number]):
                written = []
                for line in self.lines[number + 1 :]:
                    if line.startswith("-----"):
                        break
                    written.append(_TIMED.sub("", line, count=1))
                return _Step(found["label"], found["instruction"], tuple(written))
        return None

    def _cause(self) -> str:
        failed = next((line for line in reversed(self.lines) if "failed to solve" in line), "")
        cause = last_words(failed) if failed else self.reason()
        while (plain := _PLUMBING.sub("", cause)) != cause:
            cause = plain
        return cause


def last_words(line: str) -> str:
    """A line of Compose without its log format, shortened to what a terminal shows."""
    if match := re.search(r'msg="((?:[^"\\]|\\.)*)"', line):
        line = match[1].replace('\\"', '"')
    line = re.sub(r"^(ERROR|Error|error)( response from daemon)?: ", "", line.strip())
    return without_middle(line, LENGTH)


def _dockerfile(build: Mapping[str, Any]) -> Path | None:
    context = Path(plain(build.get("context", ".")))
    # A context may also be the address of a git repository or archive.
    if "dockerfile_inline" in build or not context.is_dir():
        return None
    return context / plain(build.get("dockerfile", "Dockerfile"))


def _where(dockerfile: Path | None, line: int | None) -> str | None:
    if dockerfile is None:
        return None
    return f"{dockerfile}:{line}" if line else str(dockerfile)


def _line(dockerfile: Path | None, instruction: str) -> int | None:
    """The only line that an instruction can start at: BuildKit joins its continuations, so a part decides."""
    try:
        rows = dockerfile.read_text(errors="replace").splitlines() if dockerfile else []
    except OSError:
        return None
    starts = [(number, row.strip().removesuffix("\\").strip()) for number, row in enumerate(rows, start=1)]
    found = [number for number, row in starts if " " in row and instruction.startswith(row)]
    return found[0] if len(found) == 1 else None


_UNSET = re.compile(r"The \\?\"(\w+)\\?\" variable is not set")


def unset_variables(text: str) -> tuple[str, ...]:
    """The variables that rendering warned of: not set, without a default, and so empty."""
    return tuple(dict.fromkeys(_UNSET.findall(text)))
