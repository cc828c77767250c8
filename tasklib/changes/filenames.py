"""PURE: what a file is read by, as its name tells, where nothing else does."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["is_harmless", "is_setup", "may_be_of_images"]

_IMAGES = re.compile(r"Dockerfile.*|\.dockerignore|(docker-)?compose.*\.ya?ml|\.env.*")
"""Decides over every service where it lies in the project's folder or above, unless its users are known."""

_SETUP = re.compile(
    r"pyproject\.toml|noxfile\.py|tasks\.py|setup\.(py|cfg)|package\.json|(requirements|constraints).*\.(txt|in)"
    r"|conftest\.py|\.?pytest\.(ini|toml)|tox\.(ini|toml)|\.coveragerc|uv\.toml|Pipfile|environment\.ya?ml"
    r"|\.(python|node|tool|go|ruby)-versions?|\.nvmrc|rust-toolchain(\.toml)?|\.?mise\.toml"
    r"|\.npmrc|\.yarnrc(\.yml)?|pnpm-workspace\.yaml|\.pnpmfile\.c?js|(ts|js)config.*\.json|bunfig\.toml"
    r"|(turbo|nx|lerna)\.json|(babel|vite|vitest|jest|playwright)\.(config|workspace)\..+|\.babelrc.*"
    r"|go\.(work|mod|sum|work\.sum)|Cargo\.toml|.+\.lock|.+-lock\.(json|ya?ml)|npm-shrinkwrap\.json|bun\.lockb"
    r"|(poetry|pdm|hatch|pixi|mypy|ruff)\.(toml|ini)|(site|user)customize\.py|pylock(\..+)?\.toml"
    r"|\.[\w-]+rc(\..+)?|[\w.-]+\.(config|conf|setup|shared|base|preset)\.[cm]?[jt]s|deno\.jsonc?"
    r"|packages\.lock\.json|gradle\.lockfile|Package\.(swift|resolved)|build\.sbt|rebar\.config|stack\.yaml"
    r"|(WORKSPACE|MODULE)(\.bazel)?|pants\.toml"
    r"|pom\.xml|(.+\.)?(gradle|gradle\.kts|properties)|libs\.versions\.toml|.+\.(props|targets)|global\.json"
    r"|nuget\.config|Gemfile|\.rspec|composer\.json|phpunit\.xml.*|mix\.exs|CMakeLists\.txt|buf(\..+)?\.yaml"
)
"""What tools read from a folder for all that lies below it, whoever else is made from it."""

_COMMANDS = re.compile(r"(GNU)?[Mm]akefile|\.?[Jj]ustfile|[Tt]askfile(\.dist)?\.ya?ml")
"""The same, but for a project in a folder further below: how commands are called there says nothing of it."""

_HARMLESS = re.compile(
    r"(.*/)?(docs?/.*|[^/]+\.(md|rst|adoc)|(LICEN[CS]E|NOTICE|AUTHORS|CODEOWNERS|COPYING)[^/]*"
    r"|\.git(ignore|attributes|keep|-blame-ignore-revs)|\.mailmap|\.editorconfig)"
    r"|\.(vscode|idea)/.*|\.(github|gitea)/(ISSUE_TEMPLATE/.*|FUNDING\.yml|dependabot\.yml|CODEOWNERS)",
    re.DOTALL,
)
"""What nothing is made from unless a service's folder, image or stack holds it."""


def is_harmless(name: str) -> bool:
    """Whether nothing is made from the file ``name`` (from the project's root), if nobody says otherwise."""
    return _HARMLESS.fullmatch(name) is not None


def is_setup(path: Path, root: Path) -> bool:
    """Whether tools read it for all of the project at ``root`` that lies below its folder."""
    commands = path.is_relative_to(root) and _COMMANDS.fullmatch(path.name)
    return bool(commands or _SETUP.fullmatch(path.name))


def may_be_of_images(path: Path, root: Path) -> bool:
    """Whether images or stacks of the project at ``root`` may be made from it: it lies there or above."""
    return root.is_relative_to(path.parent) and _IMAGES.fullmatch(path.name) is not None
