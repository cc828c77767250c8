"""Commands that never end."""

from __future__ import annotations

import pytest

from tasklib.pipeline.suites.watchers import watcher, watcher_in, without_watching


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("mocha --watch tests", "mocha --watch"),
        ("cross-env NODE_ENV=test mocha -w", "mocha -w"),
        ("tsc && nodemon --exec 'mocha tests'", "nodemon"),
        ("npx -y c8 mocha --watch", "mocha --watch"),
        ("tsx watch --test a.ts", "tsx watch"),
        ("cargo watch -x test", "cargo watch"),
        ("dotnet watch test", "dotnet watch"),
        ("uv run python -m pytest_watcher .", "pytest_watcher"),
        ("/usr/bin/deno test --watch", "deno --watch"),
        ("sh -c 'mocha --watch'", "mocha --watch"),
        ("jest --watchAll=true", "jest --watchAll=true"),
        ("npx -p nodemon nodemon a.js", "nodemon"),
        ("uv run --python 3.12 ptw", "ptw"),
        ("mocha 2>&1 | tee log && nodemon a.js", "nodemon"),
        ("uv run --with watchfiles pytest", ""),
        ("npx -p nodemon mocha", ""),
        ("nodemon a.js & wait-on tcp:3000 && mocha; kill %1", ""),
        ("tsc --watch &\nmocha", ""),
        ("mocha --grep 'a && nodemon b'", ""),
        ("jest --watchAll=false", ""),
        ("ng test --watch false", ""),
        ("jest -w 4", ""),
        ("mocha --watch-files src", ""),
        ("node --test 'tests/watch/**'", ""),
        ('echo "unfinished', ""),
        ("", ""),
    ],
)
def test_what_waits_for_changes_is_known(script: str, found: str) -> None:
    """However it is started, and nothing else: an option that is off, a value, a folder, the background."""
    assert watcher_in(script) == found


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (["npm", "test"], "jest --watch"),
        (["npm", "t"], "jest --watch"),
        (["sh", "-c", "npm ci && npm run -s test:e2e"], "nodemon"),
        (["yarn", "test:e2e"], "nodemon"),
        (["pnpm", "run", "all"], "nodemon"),
        (["npm", "exec", "test"], ""),
        (["test", "-f", "a"], ""),
        (["npm", "run", "once"], ""),
        (["npm", "run", "round"], ""),
    ],
)
def test_a_script_of_the_package_is_looked_into(command: list[str], found: str) -> None:
    """What a package manager is told to run may be what waits."""
    scripts = {
        "test": "jest --watch",
        "test:e2e": "nodemon -x mocha",
        "all": "npm run once && yarn test:e2e",
        "once": "jest",
        "round": "npm run round",
    }
    assert watcher(command, scripts) == found


def test_its_options_are_left_out() -> None:
    """All that is said besides stays."""
    assert without_watching(["ava", "-w", "--watch", "a.js", "--watch=true"]) == ["ava", "a.js"]
    assert without_watching(["jest", "-w", "4", "--watch", "false"]) == [
        "jest",
        "-w",
        "4",
        "--watch",
        "false",
    ]
