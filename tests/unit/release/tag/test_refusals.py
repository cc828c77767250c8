"""Whoever refuses a release is heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.release.tag.refusals import own_words, refused_references

PROTECTED = """\
remote: Resolving deltas: 100% (1/1), done.
remote: error: GH006: Protected branch update failed for refs/heads/main.
remote:
remote: - Changes must be made through a pull request.
To github.com:shop/shop.git
error: failed to push some refs to 'github.com:shop/shop.git'
"""
PRE_COMMIT = """\
[INFO] Initializing environment for https://github.com/pre-commit/pre-commit-hooks.
trim trailing whitespace.................................................Passed
mypy.....................................................................Failed
- hook id: mypy
- exit code: 1

shop/api.py:3: error: Missing return statement  [return]
Found 1 error in 1 file

shellcheck...........................................(no files to check)Skipped
no secrets...............................................................Failed
- hook id: no-secrets
- duration: 0.1s
[INFO] Restored changes from /home/ada/.cache/pre-commit/patch1700.
"""
LEFTHOOK = """\
╭───────────────────────────────╮
│ lefthook v1.6.1  hook: pre-push │
╰───────────────────────────────╯
┃  mypy

app.py:3: error: Incompatible return value type

exit status 1
  ─────────────────────────────
summary: (done in 0.42 seconds)
🥊  mypy
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            PROTECTED,
            "GH006: Protected branch update failed for refs/heads/main; "
            "- Changes must be made through a pull request",
            id="a protected branch",
        ),
        pytest.param(
            PRE_COMMIT,
            "mypy failed: shop/api.py:3: error: Missing return statement  [return]; no secrets failed",
            id="pre-commit",
        ),
        pytest.param(
            "running the tests\n2 failed\nerror: failed to push some refs to 'origin'\n",
            "2 failed",
            id="a hook",
        ),
        pytest.param("┌──┐\nnot today\n└──┘\n", "not today", id="a hook without an error"),
        pytest.param(LEFTHOOK, "app.py:3: error: Incompatible return value type", id="lefthook"),
        pytest.param(
            "input: Release 1.1.0\n✖ subject may not be empty\n✖ type may not be empty\nGet help: x.org\n",
            "✖ subject may not be empty; ✖ type may not be empty",
            id="commitlint",
        ),
        pytest.param(
            "remote: Gitea: Tag v1 is protected\nremote: error: hook declined to update refs/tags/v1\n",
            "Gitea: Tag v1 is protected",
            id="a protected tag",
        ),
        pytest.param(
            "git@x.org: Permission denied (publickey).\nfatal: Could not read from remote repository.\n",
            "git@x.org: Permission denied (publickey)",
            id="ssh",
        ),
        pytest.param(
            "fatal: Could not read from remote repository.\n",
            "Could not read from remote repository",
            id="no words of ssh",
        ),
        pytest.param(
            "fatal: unable to auto-detect email address\nhint: x",
            "unable to auto-detect email address",
            id="git itself",
        ),
        pytest.param("", "", id="nothing"),
    ],
)
def test_words(text: str, words: str) -> None:
    """The remote's, a hook's or git's, without what git says around them."""
    assert own_words(text) == words


@given(st.text(), st.text())
def test_any_text(text: str, porcelain: str) -> None:
    """Whatever they write, there are words in one line or none."""
    assert len(own_words(text).splitlines()) <= 1
    refused_references(porcelain)
