"""Makes the pictures in docs/images from real runs of example-project.

``python docs/pictures.py [run] [failure] [page]`` with the dev extra installed and an engine that
runs; ``page`` needs Chromium as well. Without names: all. Each run is of a copy of example-project on a
branch of its own, in a pseudo-terminal; what its screen showed becomes an SVG.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pyte
from moving import Recording, Row
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BRANCH = "feature/gift-cards"
WIDTH = 100
HEIGHT = 60
LIMIT = 900.0
"""Seconds for one run: the first builds every image."""

BREAK = (
    "services/worker/orders_worker/ledger.py",
    "SET stock = stock - %s",
    "SET stock = stock - 1 - 0 * %s",
)
"""What is changed for the picture of a failure: unit tests cannot see it, tests with a database do."""

THEME = TerminalTheme(
    (22, 25, 29),
    (208, 213, 219),
    [
        (59, 66, 74), (240, 113, 103), (124, 200, 120), (226, 184, 92),
        (97, 160, 236), (196, 140, 232), (94, 196, 205), (208, 213, 219),
    ],
    [
        (122, 131, 141), (255, 139, 130), (150, 222, 145), (245, 208, 125),
        (130, 184, 250), (216, 168, 246), (124, 218, 226), (240, 243, 246),
    ],
)  # fmt: skip


class Screen(pyte.HistoryScreen):
    """A terminal that also knows dim text, which pyte leaves out: shown in gray."""

    def select_graphic_rendition(self, *attributes: int, **rest: Any) -> None:
        dim = 2 in attributes and not any(30 <= number <= 37 for number in attributes)
        super().select_graphic_rendition(
            *(90 if number == 2 and dim else number for number in attributes), **rest
        )


def rows(screen: Screen) -> list[Row]:
    """Everything that is or was on the screen, as characters with their styles."""
    past = [[row[column] for column in range(screen.columns)] for row in screen.history.top]
    now = [[screen.buffer[line][column] for column in range(screen.columns)] for line in range(screen.lines)]
    found = [[(char.data, style_of(char)) for char in line] for line in (*past, *now)]
    while found and not "".join(data for data, _ in found[-1]).strip():
        found.pop()
    return found


def style_of(char: Any) -> Style:
    """The Rich style of one of pyte's characters."""
    name = str(char.fg)
    name = {"brown": "yellow", "brightbrown": "bright_yellow"}.get(name, name.replace("bright", "bright_"))
    color = None if name == "default" else f"#{name}" if re.fullmatch(r"[0-9a-f]{6}", name) else name
    return Style(color=color, bold=bool(char.bold), italic=bool(char.italics))


def plain(found: Sequence[Row]) -> list[str]:
    return ["".join(data for data, _ in row).rstrip() for row in found]


def run(command: Sequence[str], folder: Path, watch: Callable[[list[Row]], None] | None = None) -> list[Row]:
    """Run ``command`` on a pseudo-terminal, hand its screen to ``watch`` as it changes, return the last."""
    screen = Screen(WIDTH, HEIGHT, history=1000)
    stream = pyte.Stream(screen)
    env = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
    env |= {"TERM": "xterm-256color", "COLORTERM": "", "LC_ALL": "C.UTF-8"}
    child = pexpect.spawn(
        command[0], list(command[1:]), cwd=str(folder), env=env, dimensions=(HEIGHT, WIDTH), encoding="utf-8"
    )
    end = time.monotonic() + LIMIT
    try:
        while time.monotonic() < end:
            try:
                stream.feed(child.read_nonblocking(65536, timeout=0.2))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                return rows(screen)
            if watch:
                watch(rows(screen))
        raise SystemExit(f"{' '.join(command)}: not done after {LIMIT:g} s")
    finally:
        child.close(force=True)


def save(name: str, found: Sequence[Row], title: str) -> None:
    """Write docs/images/<name>.svg."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(
            record=True, width=WIDTH, file=nowhere, color_system="truecolor", legacy_windows=False
        )
        for row in found:
            text = Text(no_wrap=True, end="\n")
            for data, style in row:
                text.append(data, style)
            text.rstrip()
            console.print(text, highlight=False)
        svg = console.export_svg(title=title, theme=THEME, unique_id=name)
    # The fonts that Rich names are fetched from the network: readers have monospaced ones.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    svg = "".join(f"{line.rstrip()}\n" for line in svg.splitlines() if line.strip())
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")
    sys.stdout.write(f"docs/images/{name}.svg: {len(found)} lines\n")


@contextmanager
def checkout() -> Iterator[Path]:
    """A copy of example-project with a history, on a branch; what its runs left is cleaned up."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "shop"
        left_out = shutil.ignore_patterns(".venv", "node_modules", "__pycache__", ".pytest_cache", ".nox")
        shutil.copytree(ROOT / "example-project", copy, ignore=left_out)
        git = ("git", "-c", "user.name=tasklib", "-c", "user.email=tasklib@example.invalid")
        for arguments in (("init", "-q", "-b", BRANCH), ("add", "-A"), ("commit", "-q", "-m", "Start")):
            subprocess.run([*git, *arguments], cwd=copy, check=True)
        try:
            yield copy
        finally:
            subprocess.run([tasklib(), "clean", "--force"], cwd=copy, check=False, capture_output=True)


def tasklib() -> str:
    """The console command that stands beside this Python."""
    return str(Path(sys.executable).with_name("tasklib"))


def make_run(copy: Path) -> None:
    """A whole run as it moves."""
    # The first run also makes the environments; a picture is of any other.
    run([tasklib(), "test"], copy)
    recording = Recording()
    run([tasklib(), "test"], copy, recording.see)
    (IMAGES / "run.svg").write_text(recording.svg("tasklib test", WIDTH, THEME), encoding="utf-8")
    sys.stdout.write(f"docs/images/run.svg: {len(recording.frames)} frames, {recording.seconds:.0f} s\n")


def make_failure(copy: Path) -> None:
    """A test that fails against a real database, with what the containers wrote."""
    file, before, after = BREAK
    path = copy / file
    text = path.read_text(encoding="utf-8")
    if before not in text:
        raise SystemExit(f"{file} has changed: there is no {before!r} to break")
    path.write_text(text.replace(before, after), encoding="utf-8")
    try:
        save("failure", run([tasklib(), "test.service", "--name", "worker"], copy), "tasklib test.service")
    finally:
        path.write_text(text, encoding="utf-8")


def make_page(copy: Path) -> None:
    """The report page in a browser, light and dark."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("page: Chromium is missing (Debian: apt install chromium)")
    if not (copy / "run.html").exists():
        run([tasklib(), "test", "--report", "run.html"], copy)
    for name, extra in (
        ("report", ()),
        ("report-dark", ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")),
    ):
        IMAGES.mkdir(exist_ok=True)
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--hide-scrollbars", "--window-size=1000,900", f"--user-data-dir={copy.parent / 'browser'}",
            f"--screenshot={IMAGES / f'{name}.png'}", *extra, (copy / "run.html").as_uri(),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        sys.stdout.write(f"docs/images/{name}.png\n")


PICTURES = {"run": make_run, "failure": make_failure, "page": make_page}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="*", choices=[*PICTURES, []], help="which pictures; default: all")
    names = parser.parse_args().name or list(PICTURES)
    with checkout() as copy:
        for name in PICTURES:
            if name in names:
                PICTURES[name](copy)


if __name__ == "__main__":
    main()
