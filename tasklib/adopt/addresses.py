"""PURE: which variables hold the address of something in a stack, and the templates that fill them in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, urlsplit

from msgspec import Struct, field

from tasklib.adopt.evidence import Evidence, Place
from tasklib.adopt.mattering import matters, read
from tasklib.adopt.names import (
    HERE,
    HOST,
    KINDS,
    LIBPQ,
    LOGIN,
    MAIL,
    PAIRED_PORT,
    PAIRS,
    PLAIN,
    PORT,
    PORT_OF,
    URL,
)
from tasklib.adopt.reaching import is_for_tests
from tasklib.adopt.stack import Stack, plain
from tasklib.adopt.today import Given, Today
from tasklib.adopt.usages import Usage
from tasklib.stacks.endpoints import variable_part

__all__ = ["Addresses", "Doubt", "Given", "addresses"]


class Doubt(Struct, frozen=True):
    """A variable that may mean several services."""

    variable: str
    places: tuple[Place, ...]
    choices: tuple[str, ...]


class Addresses(Struct):
    """``endpoints`` and ``env`` by variable, ``ports`` that the tests need of each service."""

    endpoints: dict[str, Given] = field(default_factory=dict)
    env: dict[str, Given] = field(default_factory=dict)
    ports: dict[tuple[str, int], Place] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    lost: dict[str, Place] = field(default_factory=dict)
    """Variables that are set to an address of this machine behind which nothing of the stack is."""
    missing: dict[str, Given] = field(default_factory=dict)
    """Databases that tests use and that the stack does not make."""


def addresses(usage: Usage, stack: Stack, evidence: Evidence, answers: Mapping[str, str]) -> Addresses:
    """What the tests of ``usage``, on this machine, have to be told of ``stack``."""
    return _Reading(usage, stack, evidence, answers).all()


class _Reading(Struct):
    usage: Usage
    stack: Stack
    evidence: Evidence
    answers: Mapping[str, str]
    found: Addresses = field(default_factory=Addresses)

    def all(self) -> Addresses:
        values = dict(Today(self.usage, self.stack, self.evidence).values())
        for name, given in values.items():
            if not self._automatic(name):
                self._one(name, given, values)
        self._ports_of_hosts(values)
        self._logins(values)
        for name, value in self.usage.env.items():
            known = name in self.found.endpoints or name in self.found.env
            if known or not matters(name, value, self.usage.folder, self.evidence) or self._of_nobody(name):
                continue
            if re.search(r"\b(localhost|127\.0\.0\.1)\b", value):
                self.found.lost[name] = self.usage.place
            else:
                self.found.env[name] = Given(value, "set for the tests", (self.usage.place,))
        return self.found

    def _automatic(self, name: str) -> bool:
        """Whether the tests get it from tasklib without being told."""
        services = [f"TEST_{variable_part(service)}" for service in self.stack.up]
        own = {f"{start}_{part}" for start in services for part in ("URL", "HOST", "PORT")}
        sql = [name for name in self.stack.up if (server := self.stack.server(name)) and server.sql]
        return name in own or (name == "TEST_DATABASE_URL" and len(sql) == 1)

    # -- what it means in the stack -------------------------------------------------------------------------

    def _one(self, name: str, given: Given, values: Mapping[str, Given]) -> None:
        value = given.value.strip()
        listed = re.split(r"[,;\s]+", value)
        if urls := [url for part in listed if (url := URL.fullmatch(part))]:
            self._urls(name, value, urls, given)
        elif pairs := PAIRS.search(value):
            port = PAIRED_PORT.search(value)
            if where := self._where(name, pairs["host"], port["port"] if port else ""):
                service = f"{where[0]}{self._unless_first(where)}"
                filled = value.replace(pairs[0], f"{pairs['key']}{{{service}.host}}")
                if port:
                    filled = filled.replace(port[0], f"{port['key']}{{{service}.port}}")
                self._point(name, filled, where, given)
        elif address := PLAIN.fullmatch(value):
            if where := self._where(name, address["host"], address["port"]):
                self._point(name, f"{{{where[0]}:{where[1]}}}{address['rest'] or ''}", where, given)
        elif (host := HOST.fullmatch(name)) and self._is_host(value):
            sibling = values.get(self._sibling(name, host["prefix"], values))
            if where := self._where(host["prefix"] or name, value, sibling.value if sibling else ""):
                self._point(name, f"{{{where[0]}{self._unless_first(where)}.host}}", where, given)
        elif (port := PORT.fullmatch(name)) and value.isdigit():
            where = self.stack.behind(value)
            hosts = [
                n for n in self.found.endpoints if (h := HOST.fullmatch(n)) and h["prefix"] == port["prefix"]
            ]
            if where and (
                hosts or plain(port["prefix"]) == plain(where[0]) or self._is_of_kind(name, where[0])
            ):
                self._point(name, f"{{{where[0]}{self._unless_first(where)}.port}}", where, given)

    def _is_of_kind(self, name: str, service: str) -> bool:
        """Whether a variable is called for what the service is: ``PGPORT`` for one of Postgres."""
        server = self.stack.server(service)
        return server is not None and any(
            re.match(pattern, name) and server.kind in kinds for pattern, kinds in KINDS
        )

    def _of_nobody(self, name: str) -> bool:
        """Whether it is libpq's and nothing else of that is: no server is meant."""
        return (
            bool(LIBPQ.fullmatch(name))
            and "PGHOST" not in self.found.endpoints
            and not read(name, self.evidence)
        )

    def _urls(self, name: str, value: str, urls: Sequence[re.Match[str]], given: Given) -> None:
        """One URL, or a list of them of which some mean services of the stack."""
        template = value
        first: tuple[str, int] | None = None
        for url in urls:
            if filled := self._url(name, url):
                template = template.replace(url[0], filled[0], 1)
                first = first or filled[1]
                self.found.ports.setdefault(filled[1], given.places[0])
        if first:
            self._point(name, template, first, given)

    def _url(self, name: str, url: re.Match[str]) -> tuple[str, tuple[str, int]] | None:
        port = url["port"] or str(PORT_OF.get(re.split(r"[+]", url["scheme"])[0], ""))
        where = self._where(name, url["host"], port, url["scheme"])
        if where is None:
            return None
        login, rest = url["login"], url["rest"] or ""
        known = self.stack.login(where[0])
        server = self.stack.server(where[0])
        if known and server and server.sql and (self.usage.containers or "$" in f"{login}{rest}"):
            # CI's own database has logins of its own; the one that will be up is the Compose file's.
            login = quote(known.user, safe="") + (
                f":{quote(known.password, safe='')}" if known.password else ""
            )
            query = urlsplit(f"x://h{rest}").query
            rest = f"/{quote(known.database, safe='')}" + (f"?{query}" if query else "")
        start = f"{url['scheme']}://{login + '@' if login else ''}"
        return f"{start}{{{where[0]}:{where[1]}}}{rest}", where

    def _point(self, name: str, template: str, where: tuple[str, int], given: Given) -> None:
        service = self.stack.services[where[0]]
        self.found.endpoints[name] = Given(
            template, f"{where[0]} of the stack", (*given.places, service.place)
        )
        self.found.ports.setdefault(where, given.places[0])

    def _unless_first(self, where: tuple[str, int]) -> str:
        return "" if self.stack.port(where[0]) == where[1] else f":{where[1]}"

    def _is_host(self, value: str) -> bool:
        return (
            value in HERE or value in self.stack.services or value in {c.name for c in self.usage.containers}
        )

    def _where(self, name: str, host: str, port: str, scheme: str = "") -> tuple[str, int] | None:
        """The service and container port that an address means; ``None`` for what is not in the stack."""
        up = self.stack.up
        if host in up:
            own = int(port) if port.isdigit() and port != "0" else self.stack.port(host)
            default = self.stack.port(host)
            return (host, own if scheme or own != default else default) if own else None
        if not self._is_host(host):
            return None
        if port and (behind := self.stack.behind(port)):
            return behind
        if answered := self.answers.get(f"endpoints.{name}"):
            return self._answered(answered)
        candidates = self._meant(name, scheme)
        if len(candidates) > 1:
            self.found.doubts.append(Doubt(name, (self.usage.place,), tuple(candidates)))
            return None
        for service in candidates:
            if found := self._mail_port(service, name) or self.stack.port(service):
                return service, found
        return None

    def _answered(self, text: str) -> tuple[str, int] | None:
        service, _, port = text.partition(":")
        usual = self.stack.port(service) if service in self.stack.services else None
        found = int(port) if port.isdigit() else usual
        return (service, found) if found else None

    def _meant(self, name: str, scheme: str) -> list[str]:
        """The services that a variable of this name may mean."""
        family = re.split(r"[+]", scheme)[0].replace("postgresql", "postgres")
        kinds: Iterable[str] = ()
        if family and family not in ("http", "https"):
            kinds = (family, *(("mysql", "mariadb") if family == "mysql" else ()))
            return self.stack.of_kind(kinds)
        for pattern, known in KINDS:
            if re.search(pattern, name) and (found := self.stack.of_kind(known)):
                return found
        if re.search(r"SMTP|MAIL", name):
            return [n for n in sorted(self.stack.up) if MAIL.search(self.stack.services[n].image + n)][:1]
        wanted = plain(re.sub(r"_?(HOST(NAME)?|SERVER|URL|URI|ADDR(ESS)?|BASE_URL)$", "", name))
        return [n for n in sorted(self.stack.up) if wanted and plain(n) == wanted]

    def _mail_port(self, service: str, name: str) -> int | None:
        targets = [target for _, target in self.stack.services[service].ports]
        return 1025 if MAIL.search(service + self.stack.services[service].image) and 1025 in targets else None

    def _sibling(self, name: str, prefix: str, values: Mapping[str, Given]) -> str:
        instead = re.sub(r"(HOST(NAME)?|SERVER|ADDR(ESS)?|ENDPOINT_HOST)$", "PORT", name)
        for candidate in (instead, f"{prefix}_PORT", f"{prefix}PORT"):
            if candidate in values:
                return candidate
        return ""

    def _ports_of_hosts(self, values: Mapping[str, Given]) -> None:
        """The port beside each host: where code reads it, and libpq's, which reads it unseen."""
        known = {variable.name for variable in self.evidence.variables}
        for name, given in [*self.found.endpoints.items()]:
            host = HOST.fullmatch(name)
            if not host or not given.value.endswith(".host}"):
                continue
            names = [*values, *known, "PGPORT", *self._listed(name)]
            port = self._sibling(name, host["prefix"], dict.fromkeys(names, given))
            if port and port not in self.found.endpoints and (host["prefix"] or port != "PGPORT"):
                template = given.value.replace(".host}", ".port}")
                self.found.endpoints[port] = Given(template, f"beside {name}", given.places)

    def _listed(self, host: str) -> set[str]:
        """What files of variables list, where code reads ``host`` by ways that are not seen here."""
        return set() if read(host, self.evidence) else {value.name for value in self.evidence.values}

    def _logins(self, values: Mapping[str, Given]) -> None:
        """The user, password and database beside each host, where they are not what code takes anyway."""
        asked = {variable.name: variable for variable in reversed(self.evidence.variables)}
        prefixes = {
            host["prefix"]: given.value[1:].partition(".")[0].partition(":")[0]
            for name, given in self.found.endpoints.items()
            if (host := HOST.fullmatch(name)) and given.value.startswith("{")
        }
        names = dict.fromkeys([*values, *asked, *self.usage.env])
        for endpoint in [name for name in self.found.endpoints if HOST.fullmatch(name)]:
            names |= dict.fromkeys(sorted(self._listed(endpoint)))
        if "PG" in prefixes:
            names |= dict.fromkeys(
                ("PGUSER", "PGPASSWORD", "PGDATABASE") if "PGUSER" in names else ("PGUSER", "PGPASSWORD")
            )
        for name in names:
            login = LOGIN.fullmatch(name)
            if login is None or login["prefix"] not in prefixes or name in self.found.endpoints:
                continue
            service = prefixes[login["prefix"]]
            known = self.stack.login(service)
            if known is None:
                continue
            what, server = login["what"], self.stack.server(service)
            if not re.match("USER|PASS", what) and not (server and server.sql):
                continue
            right = (
                known.password
                if what.startswith("PASS")
                else known.user
                if what.startswith("USER")
                else known.database
            )
            own = asked[name].default if name in asked else ""
            given = values.get(name)
            file = given.places[0].file.rpartition("/")[2] if given else ""
            loaded = given is not None and (file == ".env" or is_for_tests(file)) and given.value == right
            if given and right and is_for_tests(file) and not loaded and not re.match("USER|PASS", what):
                self.found.missing[name] = given  # Tests have a database of their own.
                continue
            if name == "PGDATABASE" and name not in self.usage.env and name not in values:
                continue
            if right and own != right and not loaded:
                places = (*(given.places if given else ()), self.stack.services[service].place)
                self.found.env[name] = Given(right, f"as {service} has it", places)
