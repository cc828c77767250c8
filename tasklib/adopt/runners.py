"""PURE: which program runs tests, however it is started."""

from __future__ import annotations

import posixpath
import re

__all__ = ["runner_of"]


def runner_of(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What runs the tests that a command runs ("" where it runs none), and what that is given."""
    program = posixpath.basename(words[0])
    rest = words[1:]
    match program:
        case "pytest" | "py.test":
            return "pytest", rest
        case "coverage" if rest[:1] == ("run",):
            if at := next((at for at, word in enumerate(rest) if word in ("-m", "--module")), 0):
                return runner_of(("python", "-m", *rest[at + 1 :]))
            if "test" in rest and "manage.py" in " ".join(rest):
                return "django", rest[rest.index("test") + 1 :]
        case _ if re.fullmatch(r"python[\d.]*", program):
            if rest[:2] == ("-m", "pytest"):
                return "pytest", rest[2:]
            if rest[:2] == ("-m", "unittest"):
                return "unittest", rest[2:]
            if rest[:1] == ("-m",) and rest[1:3] in (("manage", "test"), ("django", "test")):
                return "django", rest[3:]
            if rest[:2] == ("-m", "coverage"):
                return runner_of(rest[1:])
            if rest and posixpath.basename(rest[0]) == "manage.py" and rest[1:2] in (("test",), ("pytest",)):
                return "django", rest[2:]
        case "manage.py" if rest[:1] == ("test",):
            return "django", rest[1:]
        case "django-admin" if rest[:1] == ("test",):
            return "django", rest[1:]
        case "protractor" | "testcafe" | "wdio" | "nightwatch":
            return program, rest
        case "jest" | "vitest" | "playwright" | "mocha" | "ava" | "tap" | "cypress":
            wanted = {"playwright": "test", "cypress": "run"}.get(program)
            return (program if wanted in (None, *rest[:1]) else ""), rest
        case "node" if "--test" in rest or any(posixpath.basename(word) == "jest" for word in rest):
            return ("node" if "--test" in rest else "jest"), rest
        case "go" if rest[:1] == ("test",):
            return "go", rest[1:]
        case "cargo" if rest[:1] in (("test",), ("nextest",)):
            return "cargo", rest[1:]
        case "mvn" | "mvnw" | "gradle" | "gradlew" if {"test", "verify", "check"} & set(rest):
            return program, rest
        case "dotnet" | "mix" | "deno" | "bun" if rest[:1] == ("test",):
            return program, rest[1:]
        case "rspec" | "phpunit" | "ctest" | "trial" | "nose2":
            return program, rest
        case "rails" | "rake" if rest[:1] in (("test",), ("spec",)):
            return program, rest[1:]
    return "", ()
