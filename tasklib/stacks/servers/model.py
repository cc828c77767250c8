"""What is known of a server: what a URL needs, where its data lies, what it does before it is ready."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Baking", "Login", "Server", "bitnami"]

_BITNAMI = ("bitnami", "bitnamilegacy", "bitnamisecure")


class Login(Struct, frozen=True):
    """Where a user and its password stand: the first of these variables that is set.

    Each may also be given as ``<NAME>_FILE``, the path of a file inside the container. ``default`` is the
    user where no variable names one.
    """

    user: tuple[str, ...] = ()
    password: tuple[str, ...] = ()
    default: str = ""


class Baking(Struct, frozen=True):
    """What a server does once, before its first start is ready, and how that is told from a later start.

    ``data`` are the folders that hold the result, ``data_variable`` the variable that moves them, or
    ``data_option`` the option of the program. ``scripts`` are the folders of what the image runs then,
    ``configuration`` the folders of settings that may decide it. Only where ``programs``, of which one is the
    first word of its command, are known, anything is kept: by ``entrypoint`` the start script whose ways
    these are, ``ready`` is a command that ends with 0 inside once the server takes connections, and
    ``options`` are those of the program that trade durability for speed.

    Not kept is a start with a word that ``moving`` (a pattern) fits whole, or one of the variables
    ``unlike``: it listens elsewhere, its data lies elsewhere, or what it makes is for one server alone.

    ``check`` is the image's own health check, a program that reads the file ``check_file`` in the folder of
    the data, and ``check_options`` are what tells it another one (``{data}``).
    """

    data: tuple[str, ...]
    data_variable: str = ""
    data_option: str = ""
    scripts: tuple[str, ...] = ("/docker-entrypoint-initdb.d",)
    configuration: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    entrypoint: str = "docker-entrypoint.sh"
    ready: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    moving: str = ""
    unlike: tuple[str, ...] = ()
    check: str = ""
    check_file: str = ""
    check_options: tuple[str, ...] = ()


class Server(Struct, frozen=True):
    """One server as one family of images runs it.

    ``kind``: whose protocol it speaks (``postgres``, ``mysql``, ``redis``, …). ``images``: the ends of the
    repositories that hold it (``postgres``, ``bitnami/mysql``); the longest that fits decides. ``ports``:
    container port → scheme of its URL, the one that clients mean first. ``sql``: whether TEST_DATABASE_URL
    may name it.

    Who may log in: ``logins``, the first one whose user is set, else the last. ``user_options`` and
    ``password_options`` of the command line, and ``password_lines``, settings in the files that it names,
    come before the variables. ``argument_variables`` hold more of the command line.

    What else the URL says: ``database``, the variables that name its path, ``default_database`` where none is
    set; ``queries``, an option of the command line → what it adds. Ports with the scheme ``https`` have TLS
    from version ``secure_from`` on (``None``: always), but for the variables ``secure_unless`` (with their
    value).

    ``data``: folders that its data is in. ``in_memory``: whether they are empty in the image and it puts up
    with an empty folder of anyone's: it starts as root and takes it over, or writes below. ``volumes``: what
    the images that are called just ``official`` declare, by the version from which they do. ``baking``: what
    can be kept of its first start; ``None`` where nothing can, or nothing is worth it.
    """

    kind: str
    images: tuple[str, ...]
    ports: tuple[tuple[int, str], ...]
    logins: tuple[Login, ...] = ()
    user_options: tuple[str, ...] = ()
    password_options: tuple[str, ...] = ()
    password_lines: tuple[str, ...] = ()
    argument_variables: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    default_database: str = ""
    queries: tuple[tuple[str, str], ...] = ()
    secure_from: int | None = None
    secure_unless: tuple[tuple[str, str], ...] = ()
    sql: bool = False
    data: tuple[str, ...] = ()
    in_memory: bool = False
    official: tuple[str, ...] = ()
    volumes: tuple[tuple[int, tuple[str, ...]], ...] = ()
    baking: Baking | None = None

    @property
    def port(self) -> int:
        """The port that clients mean."""
        return self.ports[0][0]

    @property
    def scheme(self) -> str:
        """The scheme of that port's URL."""
        return self.ports[0][1]


def bitnami(name: str) -> tuple[str, ...]:
    """What Bitnami calls its image of ``name``, then and now."""
    return tuple(f"{team}/{name}" for team in _BITNAMI)
