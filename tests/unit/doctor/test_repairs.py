"""Repairs keep what they do not mend: over files as people write them, with comments anywhere."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasklib.doctor.examination import chosen, examine, repaired
from tasklib.errors import UsageError

from ...examples import examples

NAMES = ("api", "db", "web-1")
comments = st.sampled_from(["", "", "  # why", " # ${NOT} 'closed"])
ports = st.lists(
    st.sampled_from(['"8000:8000"', "'5432'", "127.0.0.1:9000:9000/tcp", '"${P:-1}:80"']), max_size=3
)


@st.composite
def services(draw: st.DrawFn, name: str) -> list[str]:
    """The lines of one service; every part may be missing, in flow or block style, commented or not."""
    lines = [f"{name}:{draw(comments)}"]
    image = draw(st.sampled_from(["postgres:16", "redis:7", "shop/api:1"]))
    lines.append(f"  image: {image}{draw(comments)}")
    if draw(st.sampled_from([True, False])):
        lines += [f"  restart: {draw(st.sampled_from(['always', 'unless-stopped', 'no']))}{draw(comments)}"]
    if draw(st.sampled_from([True, False])):
        lines += ["  # a comment of its own", f"  container_name: shop-{name}{draw(comments)}"]
    if published := draw(ports):
        if draw(st.sampled_from([True, False])):
            lines += [f"  ports: [{', '.join(published)}]{draw(comments)}"]
        else:
            lines += ["  ports:", *(f"    - {port}{draw(comments)}" for port in published)]
    others = [other for other in NAMES if other < name]
    if others and draw(st.sampled_from([True, False])):
        if draw(st.sampled_from([True, False])):
            lines += [f"  depends_on: [{', '.join(others)}]"]
        else:
            lines += ["  depends_on:", *(f"  - {other}{draw(comments)}" for other in others)]
    if draw(st.sampled_from([True, False])):
        every = draw(st.sampled_from(["1s", "5s", "30s", "1m30s"]))
        lines += ["  healthcheck:", "    test: [CMD, 'true']", f"    interval: {every}{draw(comments)}"]
    if draw(st.sampled_from([True, False])):
        lines += ["  volumes:", "  - data:/var/lib/postgresql/data", "", "  - ./x:/y:ro  # mine"]
    return lines


@st.composite
def files(draw: st.DrawFn) -> str:
    heads: list[list[str]] = [[], ["name: shop  # fixed"], ["# head", "", "x-any: &x {a: 1}"]]
    lines = [*draw(st.sampled_from(heads)), "services:"]
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1)):
        lines += [f"  {line}" if line else "" for line in draw(services(name))]
    lines += ["volumes:", "  data: {}  # the data"]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(lines) + end


def comments_of(text: str) -> list[str]:
    return re.findall(r"(?<=[ ])#[^\r\n]*|^#[^\r\n]*", text, re.MULTILINE)


@examples(0.6)
@given(text=files(), environment=st.sampled_from(["dev", "test", "prod"]))
def test_a_repair_mends_what_was_found_and_nothing_else(text: str, environment: str) -> None:
    """The result parses; a comment is lost only with the key it stands at; a second run changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        path = root / "deploy" / environment / "docker-compose.yml"
        path.parent.mkdir(parents=True)
        path.write_bytes(text.encode())
        rules = chosen([], [])
        repairs = repaired(root, rules)
        if not repairs:
            return
        (repair,) = repairs
        path.write_bytes(repair.text.encode())
        left = examine(root, rules)
        mended = {(finding.code, finding.message) for finding in repair.mended}
        assert not mended & {(finding.code, finding.message) for finding in left}
        assert repaired(root, rules) == ()
        lost = [comment for comment in comments_of(text) if comment not in comments_of(repair.text)]
        removed = [line for line in text.splitlines() if line not in repair.text.splitlines()]
        assert all(any(comment in line for line in removed) for comment in lost)
        assert without_mended(yaml.safe_load(repair.text)) == without_mended(yaml.safe_load(text))


def without_mended(config: dict[str, Any]) -> dict[str, Any]:
    """What no rule mends has to mean the same."""
    config.pop("name", None)
    for service in config["services"].values():
        for key in ("restart", "container_name", "ports", "depends_on", "logging"):
            service.pop(key, None)
        check = service.pop("healthcheck", {})
        service["test"] = check.get("test") if check.get("test") == ["CMD", "true"] else None
        for volume in service.get("volumes", []):
            target = volume["target"] if isinstance(volume, dict) else volume.split(":")[1]
            service["volumes"] = [v for v in service["volumes"] if v != volume] + [target]
        service["volumes"] = sorted(map(str, service.get("volumes", [])))
    return config


def test_a_finding_is_ignored_where_the_file_says_so(tmp_path: Path) -> None:
    """On the line, or alone above it; of that rule, or of all."""
    path = tmp_path / "compose.test.yml"
    path.write_text(
        "services:\n"
        "  api:\n"
        "    image: shop/api:1\n"
        "    restart: always  # tasklib: ignore[TL301] it crashes once\n"
        "    # tasklib: ignore\n"
        "    container_name: api\n"
        "  web:\n"
        "    image: shop/web:1\n"
        "    restart: always  # tasklib: ignore[TL101]\n"
    )
    assert [(finding.code, finding.line) for finding in examine(tmp_path, chosen([], []))] == [("TL301", 9)]


def test_rules_are_chosen_by_the_beginning_of_their_codes() -> None:
    """A beginning that none has is refused."""
    assert {rule.code[:3] for rule in chosen(["TL1", "tl2"], ["TL101"])} == {"TL1", "TL2"}
    assert "TL101" not in {rule.code for rule in chosen([], ["TL101"])}
    with pytest.raises(UsageError, match="--select TL9"):
        chosen(["TL9"], [])
