"""The files that a store can read while it initialises: a digest of them, and what they must not say."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tasklib.stacks.baking.unfit import Unfit

__all__ = ["digest_of", "refuse_texts"]

_MOST = 256 << 20
"""Bytes of files that are read for each start; more would take longer than what it saves."""

_NETWORK = rb"https?://|\b(?:curl|wget|nc|ncat|ssh|scp|rsync|git|aws|gsutil|apt|apt-get|apk|pip)\b"
_PORT_LINE = re.compile(rb"(?im)^\s*(?:port\s*=|skip[-_]networking)")
_ONE_SERVER = re.compile(rb"(?im)^\s*(?:server[-_]id|log[-_]bin|gtid|wsrep)")


def digest_of(files: Sequence[tuple[str, str]]) -> str:
    """A digest of content, modes and owners of ``files``, (path on this machine, path inside) each.

    Raises :class:`Unfit` for what is no plain file or folder, cannot be read or is too much.
    """
    digest, size = hashlib.sha256(), 0
    for path, inside in sorted(files, key=lambda file: file[1]):
        for entry, name in _walk(Path(path)):
            facts = _facts(entry)
            size += facts.st_size
            if size > _MOST:
                raise Unfit(f"{path} is large")
            what = f"{inside}\0{name}\0{facts.st_mode:o}\0{facts.st_uid}\0{facts.st_gid}\0{facts.st_size}\0"
            digest.update(what.encode("utf-8", "surrogateescape"))
            if stat.S_ISREG(facts.st_mode):
                digest.update(_read(entry))
    return digest.hexdigest()


def refuse_texts(
    files: Sequence[tuple[str, str]], scripts: Sequence[str], data: Iterable[str], others: Iterable[str]
) -> None:
    """Raise :class:`Unfit` where a file names a folder of ``data``, which is another one while baking.

    Shell scripts below ``scripts`` (folders inside) must not ask the network, nor ``others``: there is none.
    """
    asked = _NETWORK + b"".join(rb"|(?<![\w-])" + re.escape(name.encode()) + rb"(?![\w-])" for name in others)
    network = re.compile(asked)
    for path, inside in files:
        for entry, name in _walk(Path(path)):
            if not stat.S_ISREG(_facts(entry).st_mode):
                continue
            text = _read(entry)
            if any(folder.encode() in text for folder in data):
                raise Unfit(f"{entry} names the folder of the data")
            target = f"{inside}/{name}" if name else inside
            if any(target.startswith(f"{folder}/") for folder in scripts):
                if target.endswith(".sh") and (found := network.search(text)):
                    raise Unfit(f"{entry} may ask the network (`{found[0].decode()}`)")
            elif _PORT_LINE.search(text):
                raise Unfit(f"{entry} sets a port")
            elif _ONE_SERVER.search(text):
                raise Unfit(f"{entry} is for one server alone")


def _walk(root: Path) -> Iterator[tuple[Path, str]]:
    """Everything at and below ``root``, by its path below it. Links are followed by nobody."""
    yield root, ""
    if not root.is_dir():
        return
    try:
        for folder, folders, names in os.walk(root, onerror=_refuse):
            folders.sort()
            for name in sorted([*folders, *names]):
                path = Path(folder) / name
                yield path, path.relative_to(root).as_posix()
    except OSError as error:
        raise Unfit(f"{error.filename} cannot be read") from error


def _refuse(error: OSError) -> None:
    raise error


def _facts(path: Path) -> os.stat_result:
    try:
        facts = path.lstat()
    except OSError as error:
        raise Unfit(f"{path} cannot be read") from error
    if not (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)):
        raise Unfit(f"{path} is neither a file nor a folder")
    return facts


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unfit(f"{path} cannot be read") from error
