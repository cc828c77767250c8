# Kept to syntax that any Python 3 parses, so that an old one reaches the message below.
import os
import sys


def _too_old() -> int:
    sys.stderr.write(
        "dev: Python 3.11 or newer is needed; this is {} ({}).\n"
        "Install one (Debian, Ubuntu: apt-get install python3.11 python3.11-venv; elsewhere: "
        "uv python install 3.12) and run: python3.11 dev {}\n".format(
            ".".join(str(part) for part in sys.version_info[:3]), sys.executable, " ".join(sys.argv[1:])
        )
    )
    return 2


def _start() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - the point of this file
        return _too_old()
    if os.name != "posix":
        sys.stderr.write("dev: Linux or another POSIX system is needed (on Windows: inside WSL 2).\n")
        return 2
    # `python3 dev` puts this folder first on the path, where its modules could hide others of the same name.
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    sys.path[0] = os.path.dirname(here)  # noqa: PTH120
    from dev.cli import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(_start())
