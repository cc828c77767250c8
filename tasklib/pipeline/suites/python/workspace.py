"""The uv workspace that a folder belongs to."""

from __future__ import annotations

from pathlib import Path

from tasklib.pipeline.suites.python.manifest import Manifest, read_manifest

__all__ = ["members", "workspace_of"]


def workspace_of(folder: Path) -> Manifest | None:
    """The root of the workspace that ``folder`` is a member of, or that it is itself."""
    for place in (folder, *folder.parents):
        manifest = read_manifest(place)
        if manifest.workspace is not None and (place == folder or folder in members(manifest)):
            return manifest
        if (place / ".git").exists():
            return None
    return None


def members(root: Manifest) -> tuple[Path, ...]:
    """The folders of the workspace's members, without the root's own."""
    said = root.workspace or {}

    def matched(key: str) -> set[Path]:
        patterns = [pattern for pattern in said.get(key) or () if isinstance(pattern, str)]
        relative = [pattern for pattern in patterns if pattern and not Path(pattern).is_absolute()]
        return {path for pattern in relative for path in root.folder.glob(pattern.removeprefix("./"))}

    found = matched("members") - matched("exclude") - {root.folder}
    return tuple(sorted(path for path in found if (path / "pyproject.toml").is_file()))
