"""Runs the steps of workflows and pipelines as a runner would: job after job, each in a fresh clone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

__all__ = ["GitLabRunner", "Runner"]

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
    all that the steps wrote, ``ran`` the jobs that ran with their matrix rows. There is no
    ``strategy``: Gitea's runner has nothing in it that tells jobs apart.
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
            ((name, values),) = matrix.items()
            yield from ({name: str(value)} for value in values)

    def _job(
        self, name: str, job: Mapping[str, Any], row: Mapping[str, str], env: Mapping[str, str], context: Any
    ) -> bool:
        number = len(self.ran)
        self.ran.append((name, next(iter(row.values()), None) if "path" not in row else row["service"]))
        clone, output = self._folder / f"job{number}", self._folder / f"output{number}"
        subprocess.run(["git", "clone", "-q", str(self._source), str(clone)], check=True)
        subprocess.run(["git", "checkout", "-q", "--detach", self._commit], cwd=clone, check=True)
        temp = self._folder / f"temp{number}"
        temp.mkdir()
        context = {
            **context,
            "matrix": _Values(row),
            "runner": _Values({"temp": str(temp), "os": "Linux"}),
        }
        common = {**self._env, "GITHUB_OUTPUT": str(output), "GITHUB_WORKSPACE": str(clone)}
        common |= {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1"}
        for variable, value in {**env, **job.get("env", {})}.items():
            common[variable] = self._text(value, context)
        passed = True
        for step in job["steps"]:
            if not passed and step.get("if") != "always()":
                continue
            if "run" not in step:
                self._action(step, clone, context)
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
            self.output += f"[{name} {' '.join(row.values())}] $ {step['run']}\n{done.stdout}"
            passed = passed and done.returncode == 0
        if not passed:
            return False
        lines = output.read_text().splitlines() if output.exists() else []
        outputs = {"outputs": dict(line.split("=", 1) for line in lines)}
        steps = _Values({step["id"]: outputs for step in job["steps"] if "id" in step})
        wanted = job.get("outputs", {}).items()
        self._outputs[name] = {k: self._text(v, {**context, "steps": steps}) for k, v in wanted}
        return True

    def _action(self, step: Mapping[str, Any], clone: Path, context: Mapping[str, Any]) -> None:
        """Artifacts are handed from job to job; what other actions do is there already."""
        if "-artifact@" not in step["uses"]:
            return
        said = {key: self._text(value, context) for key, value in step.get("with", {}).items()}
        kept = self._folder / "artifacts"
        if "/upload-artifact@" in step["uses"]:
            for line in said["path"].split():
                path = clone / line
                to = kept / said["name"] / ("" if path.is_dir() else line)
                copy = shutil.copytree if path.is_dir() else shutil.copy2
                to.parent.mkdir(parents=True, exist_ok=True)
                copy(path, to)
        elif "/download-artifact@" in step["uses"]:
            for found in kept.glob(said.get("name") or said.get("pattern") or "*"):
                named = "" if "name" in said else found.name
                shutil.copytree(found, clone / said["path"] / named, dirs_exist_ok=True)

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


class GitLabRunner:
    """One pipeline of ``source`` at ``commit``, on machines that have what ``before_script`` installs.

    ``variables`` are GitLab's own. ``output`` is all that the scripts wrote, ``results`` how each job ended.
    """

    def __init__(
        self, source: Path, commit: str, folder: Path, env: Mapping[str, str], variables: Mapping[str, str]
    ) -> None:
        self._source, self._commit, self._folder = source, commit, folder
        self._env = {**env, **variables}
        self.output = ""
        self.results: dict[str, bool] = {}

    def run(self, pipeline: Path) -> bool:
        """Whether no job failed."""
        data = yaml.safe_load(pipeline.read_text())
        for stage in (".pre", *data["stages"]):
            for name, job in data.items():
                if isinstance(job, dict) and job.get("stage") == stage and self._wanted(job):
                    self._jobs(name, job)
        return all(self.results.values())

    def _wanted(self, job: Mapping[str, Any]) -> bool:
        """The rules there are: with a tag or without, and always."""
        (rule,) = job["rules"]
        if (rule["if"] == "$CI_COMMIT_TAG") != ("CI_COMMIT_TAG" in self._env):
            return False
        needs = [need["job"] if isinstance(need, dict) else need for need in job.get("needs", [])]
        return rule.get("when") == "always" or all(self.results[need] for need in needs)

    def _jobs(self, name: str, job: Mapping[str, Any]) -> None:
        total = job.get("parallel", 1)
        done = [self._job(name, job, number + 1, total) for number in range(total)]
        self.results[name] = all(done)

    def _job(self, name: str, job: Mapping[str, Any], number: int, total: int) -> bool:
        clone, kept = self._folder / f"{name}-{number}", self._folder / "artifacts"
        subprocess.run(["git", "clone", "-q", str(self._source), str(clone)], check=True)
        subprocess.run(["git", "checkout", "-q", "--detach", self._commit], cwd=clone, check=True)
        if kept.exists():
            shutil.copytree(kept, clone, dirs_exist_ok=True)
        own = {"CI_PROJECT_DIR": str(clone), "CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": str(total)}
        # /tmp is a machine's own there.
        lines = [line.replace("/tmp/", f"{self._folder}/tmp{name}{number}-") for line in job["script"]]
        code, said = self._script(lines, clone, {**job.get("variables", {}), **own})
        _, afterwards = self._script(job.get("after_script", []), clone, {**job.get("variables", {}), **own})
        self.output += f"[{name} {number}/{total}]\n{said}{afterwards}"
        for path in job.get("artifacts", {}).get("paths", []):
            if (clone / path).exists():
                shutil.copytree(clone / path, kept / path, dirs_exist_ok=True)
        return code == 0

    def _script(self, lines: Sequence[str], clone: Path, variables: Mapping[str, str]) -> tuple[int, str]:
        """Its exit code, and all that it wrote."""
        done = subprocess.run(
            ["sh", "-e", "-c", "\n".join(lines)],
            cwd=clone,
            env={**self._env, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout
