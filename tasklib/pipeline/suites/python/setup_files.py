"""PURE but for reading: the extras that setup.py and setup.cfg list. No line of them is run."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Mapping
from pathlib import Path

__all__ = ["setup_extras"]


def setup_extras(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """The extras in ``folder`` by name, as far as they can be read without running anything."""
    return {**_of_cfg(folder / "setup.cfg"), **_of_script(folder / "setup.py")}


def _of_cfg(path: Path) -> Mapping[str, tuple[str, ...]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        listed = parser.items("options.extras_require")
    except (OSError, ValueError, configparser.Error):
        return {}
    return {name: tuple(line.strip() for line in text.splitlines() if line.strip()) for name, text in listed}


def _of_script(path: Path) -> Mapping[str, tuple[str, ...]]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return {}
    names = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "extras_require":
            return _entries(_behind(node.value, names), names)
    return {}


def _entries(node: ast.expr, names: Mapping[str, ast.expr]) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(node, ast.Dict):
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            try:
                listed = ast.literal_eval(_behind(value, names))
            except ValueError:
                listed = ()  # Put together by code: only its name is known.
            items = [listed] if isinstance(listed, str) else listed
            found[key.value] = tuple(item for item in items if isinstance(item, str))
    return found


def _behind(node: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr:
    return names.get(node.id, node) if isinstance(node, ast.Name) else node
