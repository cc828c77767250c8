"""Runs a workflow's `run:` steps as a runner would: job after job, each in a fresh clone."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Runner"]

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


class _Values(dict[str, Any]):
    """A mapping whose keys read as attributes; what is missing is null, as in workflows."""

    def __getattr__(self, name: str) -> Any:
        return _wrapped(self.get(name))


class _Rows(list[Any]):
    def __getitem__(self, index: Any) -> Any:
        return _wrapped(super().__getitem__(index)) if index < len(self) else _NULL


class _Null:
    """Null, and whatever is asked of it."""

    def __getattr__(self, name: str) -> _Null:
        return self

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return ""


_NULL = _Null()


def _wrapped(value: Any) -> Any:
    if value is None:
        return _NULL
    return _Values(value) if isinstance(value, dict) else _Rows(value) if isinstance(value, list) else value


class Runner:
    """One run of a workflow file of ``source`` (a repository) at ``commit``.

    ``github`` and ``secrets`` are contexts of expressions, ``env`` the machine's environment. ``output`` is
    all that the steps wrote, ``ran`` the jobs that ran with their matrix rows.
    """

    def __init__(
        self,
        source: Path,
        commit: str,
        folder: Path,
        env: Mapping[str, str],
        github: Mapping[str, Any],
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self._source, self._commit, self._folder, self._env = source, commit, folder, dict(env)
        self._contexts = {"github": _Values(github), "secrets": _Values(secrets or {})}
        self._results: dict[str, str] = {}
        self._outputs: dict[str, dict[str, str]] = {}
        self.output = ""
        self.ran: list[tuple[str, str | None]] = []

    def run(self, workflow: Path) -> bool:
        """Whether no job failed."""
        data = yaml.safe_load(workflow.read_text())
        for name, job in data["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            before = [self._results[need] for need in needs]
            context: dict[str, Any] = {
                **self._contexts,
                "needs": _Values(
                    {n: {"outputs": self._outputs.get(n), "result": self._results[n]} for n in needs}
                ),
            }
            condition = str(job.get("if", "success()"))
            # Unless a condition asks how the jobs before ended, these have to have passed.
            wanted = "()" in condition or all(result == "success" for result in before)
            succeeded = all(result == "success" for result in before)
            context["success"] = lambda succeeded=succeeded: succeeded
            wanted = wanted and bool(self._value(condition, context))
            self._results[name] = "skipped"
            if wanted:
                rows = list(self._rows(job, context))
                done = [self._job(name, job, row, data.get("env", {}), context) for row in rows]
                self._results[name] = "success" if all(done) else "failure"
        return "failure" not in self._results.values()

    def _rows(self, job: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[dict[str, str]]:
        matrix = job.get("strategy", {}).get("matrix", {"include": [{}]})
        if isinstance(matrix, str):
            matrix = self._value(matrix, context)
        if "include" in matrix:
            yield from matrix["include"]
        else:
            yield from ({"service": service} for service in matrix["service"])

    def _job(
        self, name: str, job: Mapping[str, Any], row: Mapping[str, str], env: Mapping[str, str], context: Any
    ) -> bool:
        number = len(self.ran)
        self.ran.append((name, row.get("service")))
        clone, output = self._folder / f"job{number}", self._folder / f"output{number}"
        subprocess.run(["git", "clone", "-q", str(self._source), str(clone)], check=True)
        subprocess.run(["git", "checkout", "-q", "--detach", self._commit], cwd=clone, check=True)
        context = {**context, "matrix": _Values(row)}
        common = {**self._env, "GITHUB_OUTPUT": str(output), "GITHUB_WORKSPACE": str(clone)}
        for variable, value in {**env, **job.get("env", {})}.items():
            common[variable] = self._text(value, context)
        for step in job["steps"]:
            if "run" not in step:
                continue
            own = {key: self._text(value, context) for key, value in step.get("env", {}).items()}
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=clone,
                env={**common, **own},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            self.output += f"[{name} {row.get('service', '')}] $ {step['run']}\n{done.stdout}"
            if done.returncode:
                return False
        lines = output.read_text().splitlines() if output.exists() else []
        steps = _Values({"select": {"outputs": dict(line.split("=", 1) for line in lines)}})
        wanted = job.get("outputs", {}).items()
        self._outputs[name] = {k: self._text(v, {**context, "steps": steps}) for k, v in wanted}
        return True

    def _text(self, text: object, context: Mapping[str, Any]) -> str:
        return _EXPRESSION.sub(lambda found: str(self._value(found[1], context)), str(text))

    def _value(self, text: str, context: Mapping[str, Any]) -> Any:
        whole = _EXPRESSION.fullmatch(text.strip())
        code = (whole[1] if whole else text).strip()
        code = code.replace("||", " or ").replace("&&", " and ").replace("!= null", "is not null")
        code = re.sub(r"!(?!=)", " not ", code)
        functions = {
            "fromJSON": lambda value: _wrapped(json.loads(value)),
            "always": lambda: True,
            "cancelled": lambda: False,
        }
        return eval(code, {"__builtins__": {}}, {**context, **functions, "null": _NULL})
