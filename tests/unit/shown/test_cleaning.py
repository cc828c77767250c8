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
from tasklib.shown.cleaning import clean, colours_kept, harmless_json, in_actions, visible


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


@given(st.dictionaries(st.text(alphabet="#[:a"), st.text(alphabet="#[:a")))
def test_json_says_the_same_and_holds_no_command(value: dict[str, str]) -> None:
    """Programs read what they did before, and the runner finds nothing."""
    text = harmless_json(json.dumps(value))
    assert json.loads(text) == value
    assert "##[" not in text


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


HOSTILE = "x\n::error::stop\x1b]0;title\x07 ##[command]rm"


def test_what_others_wrote_steers_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a terminal nor the runner of a job of Actions; a name makes no line of its own in an error."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    console.say(HOSTILE)
    console.complain(HOSTILE)
    console.say_log(HOSTILE)
    shown = "".join(capsys.readouterr())
    with pytest.raises(ConfigError) as raised, boundary():
        raise ConfigError(f"unknown key {HOSTILE}", where=HOSTILE, remedy=HOSTILE)
    assert str(raised.value).count("\n") == 1
    for text in (shown, str(raised.value)):
        assert "\x1b" not in text
        assert not re.search(r"(?m)^\s*::|##\[", text)
