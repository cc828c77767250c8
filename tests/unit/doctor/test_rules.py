"""Every rule: its bad example is found, its repair is a good one, its good example is left alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tasklib.doctor.examination import examine, repaired
from tasklib.doctor.page import sections
from tasklib.doctor.rules import RULES
from tasklib.release.workflows.files import Facts, Forge, workflows

EXAMPLE = re.compile(r"(?P<kind>Bad|Good), `(?P<path>[^`]+)`:\n\n```\w+\n(?P<text>.*?)```", re.DOTALL)


def example(code: str, kind: str) -> tuple[str, str] | None:
    found = [m for m in EXAMPLE.finditer(sections()[code]) if m["kind"] == kind]
    return (found[0]["path"], found[0]["text"]) if found else None


def write(root: Path, code: str, kind: str) -> bool:
    """A project of two services with the example in it; whether there is one."""
    given = example(code, kind)
    if given is None:
        return False
    for service in ("api", "web"):
        folder = root / "services" / service
        tests = ("tests/unit/test_it.py", "tests/integration/test_it.py")
        for name in ("pyproject.toml", *([] if code in ("TL503", "TL504") and service == "api" else tests)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
    if code == "TL504":
        (root / "services/api/tests").mkdir()
        (root / "services/api/tests/test_it.py").touch()
    path = root / given[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(given[1])
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / ".gitignore").write_text(".env\n")
    return True


def codes(root: Path) -> set[str]:
    return {finding.code for finding in examine(root, RULES.values())}


def test_every_rule_has_a_section_and_every_section_a_rule() -> None:
    """In the words of the rule itself."""
    page = sections()
    assert set(page) == set(RULES)
    wrong = [
        code
        for code, rule in RULES.items()
        if not page[code].startswith(f"{code}: {rule.title}\n")
        or f"{rule.why} {rule.fix}" not in page[code]
        or ("repaired by `--fix`" in page[code]) != rule.fixable
    ]
    assert wrong == []


@pytest.mark.parametrize("code", sorted(RULES))
def test_the_bad_example_is_found(code: str, tmp_path: Path) -> None:
    """And the good one is not."""
    assert write(tmp_path / "bad", code, "Bad")
    assert code in codes(tmp_path / "bad")
    if write(tmp_path / "good", code, "Good"):
        assert code not in codes(tmp_path / "good")


@pytest.mark.parametrize("code", sorted(code for code, rule in RULES.items() if rule.fixable))
def test_the_repair_is_good(code: str, tmp_path: Path) -> None:
    """What is repaired is not found again, and still is a Compose file."""
    write(tmp_path, code, "Bad")
    rules = [RULES[code]]
    (repair,) = repaired(tmp_path, rules)
    repair.path.write_text(repair.text)
    assert examine(tmp_path, rules) == ()
    assert "services" in yaml.safe_load(repair.text)


def test_a_matrix_of_all_services_whose_rows_are_told_what_changed(tmp_path: Path) -> None:
    """As on Gitea, where a matrix is made before any job has run: rows without a change pass at once."""
    write(tmp_path, "TL604", "Bad")
    assert "TL604" in codes(tmp_path)
    (tmp_path / ".github/workflows/ci.yml").unlink()
    for name, text in workflows(Facts(("api", "web")), Forge.GITEA).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert "TL604" not in codes(tmp_path)
