"""The documentation's site, as `nox -s docs` builds it, and in a real browser."""

from __future__ import annotations

import functools
import json
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ..reporting.test_page import BROWSER

ROOT = Path(__file__).resolve().parents[3]

QUESTIONS = {
    "install": "start/",
    "makefile": "start/makefile/",
    "testcontainers": "start/testcontainers/",
    "github actions": "start/forges/",
    "exit code": "reference/",
    "port already in use": "isolation/",
    "kill": "why/cleanup/",
    "coding agent": "agents/",
    "environment variables": "reference/",
    "tests in a container": "configuration/",
}
"""What a newcomer types, and the page that has to come first."""

PROBE = """
<!doctype html><iframe src="/" style="width: 1200px; height: 900px"></iframe>
<script>
const pause = (time) => new Promise((done) => setTimeout(done, time));
const all = (root) => [...root.querySelectorAll("*")]
  .flatMap((one) => one.shadowRoot ? [one, ...all(one.shadowRoot)] : [one]);
const until = async (look) => {
  for (let left = 100; left > 0; left--) { const found = look(); if (found) return found; await pause(50); }
};
const results = (page) => all(page)
  .filter((one) => one.tagName == "A" && one.href.includes("?h=")).map((one) => one.href);
addEventListener("load", async () => {
  const frame = document.querySelector("iframe"), page = frame.contentDocument;
  const key = new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true});
  const found = {};
  const box = () => all(page).find((one) => one.tagName == "INPUT" && one.getBoundingClientRect().width);
  const open = () => box() || void frame.contentWindow.dispatchEvent(key);
  for (const question of QUESTIONS) {
    const input = await until(open);
    if (!input) break;
    const type = (text) => {
      input.value = text;
      input.dispatchEvent(new Event("input", {bubbles: true}));
    };
    // A busy page shows the results of the question before with the words of this one.
    type("");
    await until(() => results(page).length == 0);
    type(question);
    const asked = "?h=" + encodeURIComponent(question).replaceAll("%20", "+");
    found[question] = await until(() => results(page).find((href) => href.includes(asked))) || "";
  }
  fetch("/found", {method: "POST", body: JSON.stringify(found)});
});
</script>
"""


class Page(HTMLParser):
    """What a page links to and shows, and the places in it that can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.targets.add(value)
            if name in ("id", "name") and value:
                self.places.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from the files of this checkout, where a warning is an error."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("zensical.toml", "ARCHITECTURE.md"):
        shutil.copy2(ROOT / name, folder)
    (folder / "tasklib").symlink_to(ROOT / "tasklib")
    program = Path(sys.executable).with_name("zensical")
    built = subprocess.run(
        [program, "build", "--clean", "--strict"], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert built.returncode == 0, built.stdout + built.stderr
    site = folder / "site"
    assert (site / "index.html").is_file()
    return site


@dataclass
class Served:
    """Where a browser finds the site, and what the page that asks its search found."""

    address: str
    found: queue.Queue[dict[str, str]]


@pytest.fixture
def served(site: Path) -> Iterator[Served]:
    """The site on a server of files, as any other."""
    (site / "probe.html").write_text(
        PROBE.replace("QUESTIONS", json.dumps(list(QUESTIONS))), encoding="utf-8"
    )
    found: queue.Queue[dict[str, str]] = queue.Queue()

    class Handler(SimpleHTTPRequestHandler):
        def do_POST(self) -> None:
            found.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}", found)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_no_link_and_no_picture_leads_nowhere(site: Path) -> None:
    """Pages, places in them, pictures, styles and scripts: all are there."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    missing = set()
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc or (not parts.path and not parts.fragment):
                continue
            found = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            found = found / "index.html" if found.is_dir() else found
            lost = not found.is_file()
            if parts.fragment and found in pages:
                lost = lost or unquote(parts.fragment) not in pages[found].places
            if lost:
                missing.add((str(path.relative_to(site)), target))
    assert not missing


def test_every_page_can_be_reached(site: Path) -> None:
    """What is written is in the navigation, and what is in the navigation is written."""
    written = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    first = Page((site / "index.html").read_text(encoding="utf-8"))
    linked = {urlsplit(target).path.removeprefix("./").strip("/") for target in first.targets}
    named = {"" if str(page) == "index" else str(page).removesuffix("/index") for page in written}
    assert named <= linked | {"", "."}


def test_no_page_asks_another_host(site: Path) -> None:
    """It can be read without a network, and nobody learns who reads it."""
    for path in site.rglob("*.html"):
        for line in path.read_text(encoding="utf-8").split("<"):
            if line.startswith(("script", "link", "img", "iframe")):
                assert 'src="http' not in line, (path, line)
                assert not (line.startswith("link") and 'rel="stylesheet"' in line and "http" in line), line


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_the_search_finds_what_newcomers_ask(served: Served, tmp_path: Path) -> None:
    """In the browser alone, with the right page first."""
    assert BROWSER
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        f"--user-data-dir={tmp_path / 'browser'}", f"{served.address}/probe.html",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            links = served.found.get(timeout=60)
        finally:
            browser.terminate()
    found = {question: urlsplit(link).path.lstrip("/") for question, link in links.items()}
    assert found == QUESTIONS
