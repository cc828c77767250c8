"""PURE: which variables code reads, what files of variables set, and which fixed addresses tests name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasklib.adopt.evidence import Address, Place, Value, Variable
from tasklib.adopt.names import PORT_OF
from tasklib.pipeline.suites.addresses import fixed_addresses

__all__ = ["read_addresses", "read_dotenv", "read_variables"]

_TEXT = r"""["'](?P<name>[A-Z][A-Z0-9_]+)["']"""
_READS = (
    # os.environ["X"], os.environ.get("X", "default"), os.getenv("X") or "default", decouple's
    # config("X", default="…")
    re.compile(
        rf"""(?:environ(?:\.get|\.setdefault)?\s*[\[(]|getenv\(|\b(?:config|env)(?:\.\w+)?\()\s*{_TEXT}"""
        r"""(?:\s*,\s*(?:default\s*=\s*)?["']?(?P<default>[^"'),\]]*))?"""
        r"""(?:\s*\)\s*or\s+["'](?P<otherwise>[^"']*))?"""
    ),
    # process.env.X || "default", process.env["X"] ?? 'default'
    re.compile(
        r"""process\.env(?:\.(?P<name>[A-Z][A-Z0-9_]+)|\[["'](?P<indexed>[A-Z][A-Z0-9_]+)["']\])"""
        r"""(?:\s*(?:\|\||\?\?)\s*["'`]?(?P<default>[^"'`;,)\s]+))?"""
    ),
    # os.Getenv("X"), System.getenv("X"), ENV["X"], ENV.fetch("X", "default"), std::env::var("X")
    re.compile(
        rf"""(?:Getenv|LookupEnv|getenv|GetEnvironmentVariable|env::var|ENV(?:\.fetch)?)\s*[(\[]\s*{_TEXT}"""
        r"""(?:\s*[,)\]]\s*(?:\|\||\?\?)?\s*["']?(?P<default>[^"'),\]\s]*))?"""
    ),
)
_ENV_VAR = re.compile(rf"\bget\(\s*{_TEXT}")
"""As the library env-var is asked."""
_FIELD = re.compile(r"\s+(?P<name>[A-Za-z]\w*)\s*:\s*[^=#\n]+?(?:=\s*(?P<default>[^#\n]+?))?\s*(?:#.*)?")
_PREFIX = re.compile(r"""env_prefix\s*=\s*["'](\w*)["']""")
_CLASS = re.compile(r"class\s+(?P<name>\w+)\((?P<bases>.*)\)\s*:")
_WITHOUT_PORT = re.compile(
    r"(?P<scheme>[a-z]\w*(?:\+\w+)?)://(?:[^\s@/\"']*@)?(?P<host>localhost|127\.0\.0\.1)(?![\w.:-])"
)
_HOST_ALONE = re.compile(r"[\"'](?:localhost|127\.0\.0\.1)[\"']")
_PORT_ALONE = re.compile(r"(?i)\bport[\"']?\s*[:=]\s*[\"']?(?P<port>\d{4,5})\b")
_ASSIGNED = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>.*)")


def read_variables(file: str, text: str) -> Iterator[Variable]:
    """The variables of the environment that a source file reads, with their defaults."""
    if not any(word in text for word in ("env", "Env", "ENV", "config(", "BaseSettings")):
        return
    library = "env-var" in text
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in _READS:
            for found in pattern.finditer(line):
                groups = found.groupdict()
                name = groups.get("name") or groups.get("indexed") or ""
                default = groups.get("default") or groups.get("otherwise") or ""
                yield Variable(Place(file, number), name, default.strip())
            for found in _ENV_VAR.finditer(line) if library else ():
                yield Variable(Place(file, number), found["name"], "")
    if "BaseSettings" in text:
        yield from _fields(file, text)


def read_dotenv(file: str, text: str) -> Iterator[Value]:
    """What a file of variables sets."""
    for number, line in enumerate(text.splitlines(), 1):
        if (found := _ASSIGNED.fullmatch(line)) and not line.lstrip().startswith("#"):
            value = found["value"].split(" #")[0].strip().strip("\"'")
            yield Value(Place(file, number), found["name"], value)


def read_addresses(file: str, text: str) -> Iterator[Address]:
    """Fixed addresses of this machine, but for those that are only what a variable falls back to."""
    whole = [*fixed_addresses(text)]
    for address in whole:
        yield Address(Place(file, address.line), address.text, address.port)
    apart = bool(_HOST_ALONE.search(text))
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"environ|getenv|process\.env|Getenv", line) or line.lstrip().startswith(
            ("#", "//", "*")
        ):
            continue
        port = _PORT_ALONE.search(line) if apart and not _HOST_ALONE.search(line) else None
        if port and not any(
            one.port == int(port["port"]) and number - 3 < one.line <= number for one in whole
        ):
            yield Address(Place(file, number), f"port {port['port']} of localhost", int(port["port"]))
        for found in _WITHOUT_PORT.finditer(line):
            scheme = found["scheme"].split("+")[0]
            if scheme in PORT_OF and not scheme.startswith("http"):
                yield Address(Place(file, number), f"{scheme}://{found['host']}", PORT_OF[scheme])


def _fields(file: str, text: str) -> Iterator[Variable]:
    """The fields of pydantic's settings: each is a variable of its name in capitals."""
    prefix = found[1].upper() if (found := _PREFIX.search(text)) else ""
    inside = False
    known = {"BaseSettings"}
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if begun := _CLASS.match(line):
            bases = re.findall(r"\w+", begun["bases"])
            inside = any(base in known or base.endswith("Settings") for base in bases)
            known |= {begun["name"]} if inside else set()
        elif line and not line[0].isspace() and not line.startswith("#"):
            inside = False
        elif inside and (field := _FIELD.fullmatch(line)) and len(line) - len(line.lstrip()) <= 4:
            default = (field["default"] or "").strip()
            if default == "(" and number < len(lines):
                default = lines[number].strip()
            plain = default.strip("\"'") if re.fullmatch(r"[\"'].*[\"']|\d+", default) else ""
            yield Variable(Place(file, number), f"{prefix}{field['name'].upper()}", plain)
