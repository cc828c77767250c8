"""PURE: the host's apt sources, read in both formats, and the suite derived from them."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

__all__ = [
    "Source",
    "has_suite",
    "main_source",
    "parse_deb822",
    "parse_one_line",
    "pin_text",
    "security_source",
    "suite_text",
]

_ALIASES = {"oldstable", "stable", "testing", "unstable", "sid"}
_FALSE = {"no", "false", "without", "off", "disable", "0"}


@dataclass(frozen=True)
class Source:
    """One enabled entry for binary packages. `signed_by` is a keyring's path, an armoured key, or ""."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""

    @property
    def keyring(self) -> str:
        """The keyring's path, or "" when there is none or the key itself stands in the source."""
        return self.signed_by if self.signed_by.startswith("/") and "\n" not in self.signed_by else ""


def parse_deb822(text: str) -> tuple[Source, ...]:
    """The entries of a `.sources` file; what is disabled or only for source packages is left out."""
    sources = []
    for fields in _stanzas(text):
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in _FALSE:
            continue
        sources.append(
            Source(
                uris=tuple(fields.get("uris", "").split()),
                suites=tuple(fields.get("suites", "").split()),
                components=tuple(fields.get("components", "").split()),
                signed_by=fields.get("signed-by", ""),
            )
        )
    return tuple(sources)


def _stanzas(text: str) -> Iterable[dict[str, str]]:
    fields: dict[str, str] = {}
    name = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            if name:
                fields[name] += "\n" + line.rstrip()
        elif ":" in line:
            key, _, value = line.partition(":")
            name = key.strip().lower()
            fields[name] = value.strip()


def parse_one_line(text: str) -> tuple[Source, ...]:
    """The `deb` lines of a `.list` file."""
    sources = []
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        kind, _, rest = line.replace("\t", " ").partition(" ")
        if kind != "deb":
            continue
        options: dict[str, str] = {}
        rest = rest.strip()
        if rest.startswith("["):
            inside, _, rest = rest[1:].partition("]")
            options = dict(option.split("=", 1) for option in inside.split() if "=" in option)
        words = rest.split()
        if len(words) < 2:
            continue
        keyring = options.get("signed-by", "").partition(",")[0]
        sources.append(Source((words[0],), (words[1],), tuple(words[2:]), keyring))
    return tuple(sources)


def main_source(
    sources: Iterable[Source], codename: str, *, aliases: Set[str] = frozenset(_ALIASES)
) -> Source | None:
    """The entry that holds the distribution itself: the suite `codename` (or an alias such as `stable`), its
    `main` component, over a URI that a container can use too. None when there is none."""
    candidates = [
        Source(uris, source.suites, source.components, source.signed_by)
        for source in sources
        if "main" in source.components
        and (uris := tuple(uri for uri in source.uris if uri.startswith(("http://", "https://"))))
    ]
    for names in ({codename}, aliases):
        for candidate in candidates:
            if not names.isdisjoint(candidate.suites):
                return candidate
    return None


def security_source(sources: Iterable[Source], codename: str) -> Source | None:
    """The entry that holds the security updates of the distribution's suite `codename`, over http(s)."""
    return main_source(sources, f"{codename}-security", aliases={f"{alias}-security" for alias in _ALIASES})


def has_suite(sources: Iterable[Source], suite: str) -> bool:
    """Whether packages of `suite` are available already."""
    return any(suite in source.suites and "main" in source.components for source in sources)


def suite_text(source: Source, suite: str) -> str:
    """A `.sources` file for `suite` from where `source` comes from."""
    lines = ["# Written by tasklib's dev tool.", "Types: deb", f"URIs: {' '.join(source.uris)}"]
    lines += [f"Suites: {suite}", "Components: main"]
    if source.signed_by:
        lines.append(f"Signed-By: {source.signed_by}")
    return "\n".join(lines) + "\n"


def pin_text(suite: str) -> str:
    """A preferences file that takes nothing from `suite` unless asked for by name, and then its security
    updates too."""
    pins = (
        f"Package: *\nPin: release n={name}\nPin-Priority: 100\n" for name in (suite, f"{suite}-security")
    )
    return "# Written by tasklib's dev tool.\n" + "\n".join(pins)
