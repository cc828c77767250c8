"""Text from programs becomes text that is safe to show."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.commands import console
from tasklib.commands.boundary import boundary
from tasklib.errors import ConfigError
from tasklib.results import Stage, Target
from tasklib.shown.cleaning import clean, colours_kept, harmless_json, in_actions, neutral, obeys, visible


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x07", "link"),
        ("\x9b31mred", "red"),
        ("10%\r20%\r100%", "100%"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("a\tb", "a   b"),
        ("bell\x07 back\x08 null\x00", "bell back null"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u061cb", "ab"),
        ("fine\U000e0068\U000e0069", "fine"),
        ("\x1b]0;never ended\nnext line", "\nnext line"),
        ("größe ✓ 日本", "größe ✓ 日本"),
    ],
)
def test_clean_drops_what_a_terminal_would_obey(raw: str, expected: str) -> None:
    """Escape sequences and control characters go, what people read stays."""
    assert clean(raw) == expected


@given(st.text())
def test_clean_leaves_no_control_character(text: str) -> None:
    """Only newlines and printable characters come out, and cleaning twice changes nothing."""
    cleaned = clean(text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", cleaned)
    assert clean(cleaned) == cleaned


@given(st.text())
def test_names_are_made_visible(name: str) -> None:
    """A name never holds a control character, and an ordinary one stays as it is."""
    assert visible(name).isprintable()
    assert visible("test_a[ä-100%]") == "test_a[ä-100%]"
    assert str(Target(Stage.UNIT, "a\nb")) == "unit a\\nb"


@given(st.text(alphabet=st.sampled_from("ab\x1b[0;31mK\r\x07\N{ZERO WIDTH NO-BREAK SPACE}")))
def test_nothing_but_colours_is_kept(line: str) -> None:
    """Of all that a terminal would obey; and what follows the line is not coloured by it."""
    kept = colours_kept(line)
    assert clean(re.sub(r"\x1b\[[0-9;:]*m", "", kept)) == re.sub(r"\x1b\[[0-9;:]*m", "", kept)
    assert "\x1b" not in kept or kept.endswith("\x1b[0m")


@given(st.dictionaries(st.text(alphabet="#[:vso"), st.text(alphabet="#[:vso")))
def test_json_says_the_same_and_holds_no_command(value: dict[str, str]) -> None:
    """Programs read what they did before, and the runner finds nothing."""
    text = harmless_json(json.dumps(value))
    assert json.loads(text) == value
    assert not re.search(r"##\w*\[", text)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"GITHUB_ACTIONS": "true"}, True),
        ({"GITEA_ACTIONS": "true"}, True),
        ({"CI": "true"}, False),
        ({}, False),
    ],
)
def test_actions_are_known_by_their_variables(env: dict[str, str], expected: bool) -> None:
    """GitHub's and Gitea's runners set a variable of their own."""
    assert in_actions(env) is expected


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"GITHUB_ACTIONS": "true"}, True),
        ({"TF_BUILD": "True"}, True),
        ({"TEAMCITY_VERSION": "2025.1"}, True),
        ({"CI": "true"}, False),
    ],
)
def test_systems_that_obey_lines_are_known(env: dict[str, str], expected: bool) -> None:
    """Each by the variable that its own documentation names."""
    assert obeys(env) is expected


@pytest.mark.parametrize(
    "line",
    [
        "::error::x",
        "  ::set-output name=a::b",
        "a ##[error]b",
        "##vso[task.setvariable variable=PATH]/tmp",
        "a ##teamcity[testFailed name='x']",
        "####[group]",
    ],
)
def test_no_line_is_a_command(line: str) -> None:
    """Of any CI system, and what people read in it stays."""
    said = neutral(f"one\n{line}\ntwo")
    assert not re.search(r"(?m)^\s*::|##\w*\[", said)
    assert said.replace(" ", "") == f"one\n{line}\ntwo".replace(" ", "")


HOSTILE = "x\n::error::stop\x1b]0;title\x07 ##[command]rm ##vso[task.complete]"


@pytest.mark.parametrize("line", ["-\tpytest \ttests", "+a\r", " \t", "+\t\tmake\r"])
def test_a_patch_keeps_what_it_changes(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A Makefile's tabs and another system's line ends: without them git would not apply it."""
    console.say_patch(line)
    assert capsys.readouterr().out == f"{line}\n"


@pytest.mark.parametrize("variable", ["GITHUB_ACTIONS", "TF_BUILD"])
def test_what_others_wrote_steers_nobody(
    variable: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a terminal nor a CI system; a name makes no line of its own in an error."""
    for name in ("GITHUB_ACTIONS", "GITEA_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "true")
    console.say(HOSTILE)
    console.complain(HOSTILE)
    console.say_log(HOSTILE)
    console.say_patch(HOSTILE)
    shown = "".join(capsys.readouterr())
    with pytest.raises(ConfigError) as raised, boundary():
        raise ConfigError(f"unknown key {HOSTILE}", where=HOSTILE, remedy=HOSTILE)
    assert str(raised.value).count("\n") == 1
    for text in (shown, str(raised.value)):
        assert "\x1b" not in text
        assert not re.search(r"(?m)^\s*::|##\w*\[", text)
