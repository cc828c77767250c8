"""apt's sources in both formats, and the suite derived from them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dev.apt import (
    Source,
    has_suite,
    main_source,
    parse_deb822,
    parse_one_line,
    pin_text,
    security_source,
    suite_text,
)

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEB822 = f"""\
# A comment before the first entry
Types: deb
# and one inside it
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: {KEYRING}

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb-src
URIs: http://mirror.example/debian
Suites: bookworm
Components: main

Types: deb
Enabled: no
URIs: http://other.example/debian
Suites: trixie
Components: main
"""
ONE_LINE = f"""\
# deb http://commented.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by={KEYRING}] http://mirror.example/debian bookworm main contrib # trailing
deb\thttp://mirror.example/debian-security bookworm-security main
deb cdrom:[Debian]/ bookworm main
deb ./ local/
"""
MAIN = Source(
    ("http://mirror.example/debian",), ("bookworm", "bookworm-updates"), ("main", "contrib"), KEYRING
)


def test_deb822_entries() -> None:
    """Comments, disabled entries and source packages are left out; the other fields are kept."""
    sources = parse_deb822(DEB822)
    assert sources[0] == MAIN
    assert [source.suites for source in sources] == [("bookworm", "bookworm-updates"), ("bookworm-security",)]


def test_deb822_keeps_a_key_written_into_the_entry() -> None:
    """An armoured key of several lines survives into the derived suite, and is not taken for a keyring's
    path."""
    key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----"
    text = f"Types: deb\nURIs: https://m.example/debian\nSuites: bookworm\nComponents: main\n{key}\n"
    source = parse_deb822(text)[0]
    assert source.keyring == ""
    again = parse_deb822(suite_text(source, "trixie"))[0]
    assert again.signed_by.split() == source.signed_by.split()


def test_one_line_entries() -> None:
    """Options in brackets, tabs and trailing comments are read as apt reads them."""
    sources = parse_one_line(ONE_LINE)
    assert sources[0] == Source(
        ("http://mirror.example/debian",), ("bookworm",), ("main", "contrib"), KEYRING
    )
    assert sources[1].suites == ("bookworm-security",)


def test_the_main_source_is_the_release_itself() -> None:
    """The release's own suite is found behind its security suite, in either format."""
    for sources in (tuple(reversed(parse_deb822(DEB822))), tuple(reversed(parse_one_line(ONE_LINE)))):
        found = main_source(sources, "bookworm")
        assert found is not None
        assert found.uris == ("http://mirror.example/debian",)
        assert found.keyring == KEYRING


def test_the_main_source_may_go_by_an_alias() -> None:
    """A host that follows `stable` has no entry named after its release."""
    source = Source(("https://m.example/debian",), ("stable",), ("main",))
    assert main_source([source], "bookworm") == source


def test_the_main_source_can_be_reached_from_elsewhere() -> None:
    """A mirror on a disc or in a file of this host is of no use to a container."""
    local = Source(("cdrom:[Debian]/", "file:/srv/mirror"), ("bookworm",), ("main",))
    assert main_source([local], "bookworm") is None


def test_the_derived_suite_comes_from_the_same_mirror() -> None:
    """The later suite names the host's own mirror and keyring, and only `main`."""
    assert parse_deb822(suite_text(MAIN, "trixie")) == (Source(MAIN.uris, ("trixie",), ("main",), KEYRING),)


def test_a_suite_that_is_there_is_not_added_again() -> None:
    """An enabled entry counts, a disabled one does not."""
    assert has_suite(parse_deb822(DEB822), "bookworm")
    assert not has_suite(parse_deb822(DEB822), "trixie")


def test_the_pin_keeps_the_suite_out_of_ordinary_upgrades() -> None:
    """Priority 100 is below every ordinary source: only packages asked for by name come from the suite."""
    pinned = ["Package: *", "Pin: release n=trixie", "Pin-Priority: 100"]
    security = ["", "Package: *", "Pin: release n=trixie-security", "Pin-Priority: 100"]
    assert pin_text("trixie").splitlines()[1:] == pinned + security


def test_security_updates_come_from_where_the_hosts_own_come_from() -> None:
    """Another host than the distribution's in many places; none where the host has none either."""
    found = security_source(parse_deb822(DEB822), "bookworm")
    assert found == Source(("http://mirror.example/debian-security",), ("bookworm-security",), ("main",), "")
    both = suite_text(MAIN, "trixie") + "\n" + suite_text(found, "trixie-security")
    assert [(source.uris, source.suites) for source in parse_deb822(both)] == [
        (MAIN.uris, ("trixie",)),
        (found.uris, ("trixie-security",)),
    ]
    assert security_source([MAIN], "bookworm") is None


@given(st.text(alphabet="debtyps:- \t\n[]=#/.http'", max_size=200))
def test_hostile_files_are_data(text: str) -> None:
    """Whatever stands in a sources file, reading it does not fail."""
    parse_deb822(text)
    parse_one_line(text)
