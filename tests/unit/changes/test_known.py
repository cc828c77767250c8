"""Which targets are known to pass: what they depend on is what it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tasklib.changes.choices import Choice, Selection
from tasklib.changes.known import changes_since, known_passes, proof
from tasklib.results import Stage, Target
from tasklib.state.passes import Pass

API, WEB = Target(Stage.UNIT, "api"), Target(Stage.UNIT, "web")
FULL = Target(Stage.INTEGRATION, "shop")


def passed(target: Target, tree: str = "then", rest: str = "same", at: float = 1.0) -> Pass:
    return Pass(target.stage.value, target.service, tree, rest, at)


def touching(*names: str) -> Callable[[Sequence[Path]], Selection]:
    choices = tuple(Choice(name, name in names, ()) for name in ("api", "web"))
    return lambda files: Selection(choices, Choice("shop", bool(names), ()))


def known(
    *passes: Pass, touched: tuple[str, ...] = (), files: Sequence[Path] | None = (Path("/x"),)
) -> set[Target]:
    return set(known_passes([API, WEB, FULL], passes, "now", "same", lambda tree: files, touching(*touched)))


def test_what_a_change_does_not_touch_is_known() -> None:
    """A change of web leaves api's pass as it was, and takes web's and that of the full stack."""
    all_of_it = [passed(target) for target in (API, WEB, FULL)]
    assert known(*all_of_it) == {API, WEB, FULL}
    assert known(*all_of_it, touched=("web",)) == {API}


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param({"files": None}, id="an earlier tree that is not known any more"),
        pytest.param({"touched": ("api", "web")}, id="a change that touches all"),
    ],
)
def test_what_is_unknown_has_changed(lost: dict[str, object]) -> None:
    """Nothing is known then, unless the tree is the very same."""
    assert known(passed(API), **lost) == set()  # type: ignore[arg-type]
    assert known(passed(API, tree="now"), **lost) == {API}  # type: ignore[arg-type]


def test_other_surroundings_are_another_content() -> None:
    """An ignored file in use, a variable, a version: the same tree does not help."""
    assert known(passed(API, tree="now", rest="other")) == set()


def test_the_newest_pass_is_told() -> None:
    """It says how long ago it was."""
    passes = [passed(API, at=9.0), passed(API, at=1.0)]
    found = known_passes([API], passes, "now", "same", lambda tree: (), touching())
    assert found[API].at == 9.0


def test_a_proof_takes_the_exact_content_alone() -> None:
    """Untouched is not enough: nobody tested this very tree."""
    proven = proof([API, WEB], [passed(API, tree="now"), passed(WEB)], "now", "same")
    assert {target: known is not None for target, known in proven.items()} == {API: True, WEB: False}


def since(
    known: Pass, *, files: Sequence[Path] | None = (Path("/x"),), rest: Sequence[str] | None = ("A is set",)
) -> tuple[str, ...]:
    reasons = Selection(
        (Choice("api", True, ("x changed",)), Choice("web", False, ("nothing changed",))),
        Choice("shop", True, ("api changed",)),
    )
    return changes_since(
        known, ("now", "same"), lambda digest: rest, lambda tree: files, lambda files: reasons
    )


def test_what_is_another_one_is_said() -> None:
    """Files of the target itself, and what is beside them; the full stack is made of every service."""
    assert since(passed(API)) == ("x changed",)
    assert since(passed(FULL)) == ("x changed", "api changed")
    assert since(passed(API, tree="now", rest="other")) == ("A is set",)
    assert since(passed(API, rest="other")) == ("x changed", "A is set")
    assert since(passed(API), files=None) == ("what changed since is not known any more",)
    assert since(passed(API, tree="now", rest="other"), rest=None) == (
        "what is beside the files of git is not what it was",
    )
