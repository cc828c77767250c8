"""PURE: the command by which a language's own tool tests a package, where nothing says one."""

from __future__ import annotations

from collections.abc import Sequence

from tasklib.adopt.evidence import Evidence
from tasklib.adopt.shell import joined

__all__ = ["usual_command"]

_USUAL = {
    "rust": ("cargo", "test"),
    "dotnet": ("dotnet", "test"),
    "elixir": ("mix", "test"),
    "php": ("vendor/bin/phpunit",),
}


def usual_command(language: str, folder: str, tops: Sequence[str], evidence: Evidence) -> tuple[str, ...]:
    """How the tests below ``tops`` of the package in ``folder`` are run; empty where nobody can say it."""
    files = evidence.files
    if language == "go":
        below = dict.fromkeys("./..." if "." in top else f"./{top}/..." for top in tops)
        return ("go", "test", *(("./...",) if "./..." in below else below))
    if language == "java":
        gradle = {joined(folder, name) for name in ("build.gradle", "build.gradle.kts")} & files
        name, wrapper = ("gradle", "gradlew") if gradle else ("mvn", "mvnw")
        return (f"./{wrapper}" if joined(folder, wrapper) in files else name, "test")
    if language == "ruby":
        specs = any(file.startswith(f"{joined(folder, 'spec')}/") for file in files)
        return ("bundle", "exec", *(("rspec",) if specs else ("rake", "test")))
    return _USUAL.get(language, ())
