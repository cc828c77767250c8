"""The report page in a real browser."""

from __future__ import annotations

import functools
import html
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.events import Event
from tasklib.reporting.files.html import run_html
from tasklib.reporting.files.record import record
from tasklib.reporting.folds.run import RunState, advance

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")

MEASURE = """
<script>
addEventListener("load", () => {
  const frame = document.querySelector("iframe");
  const page = frame.contentDocument;
  const box = (selector) => page.querySelector(selector).getBoundingClientRect();
  const style = (selector, name) => getComputedStyle(page.querySelector(selector))[name];
  document.title = JSON.stringify({
    overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    wide: style(".wide", "display"), narrow: style(".narrow", "display"),
    bars: page.querySelectorAll(".wide .bar rect").length,
    outlined: [...page.querySelectorAll(".wide .bar rect")]
      .filter(bar => getComputedStyle(bar).strokeWidth == "2.5px").length,
    paper: style("body", "backgroundColor"), ink: style("body", "color"),
    bar: getComputedStyle([...page.querySelectorAll(".wide .bar rect")]
      .filter(bar => getComputedStyle(bar).fill != "none")[0]).fill,
    loaded: frame.contentWindow.performance.getEntriesByType("resource").length,
  });
});
</script>
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, recordings: dict[str, Callable[..., list[Event]]]) -> Path:
    """The page of a run of twenty services and several hundred tests."""
    run = functools.reduce(advance, recordings["large"](), RunState())
    path = tmp_path_factory.mktemp("page") / "run.html"
    path.write_text(run_html(record(run), limits={}, base="/home/ana/shop"), encoding="utf-8")
    return path


def browse(tmp_path: Path, *arguments: str) -> str:
    """What Chromium prints; it has no network."""
    assert BROWSER
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--hide-scrollbars", "--allow-file-access-from-files", "--proxy-server=127.0.0.1:9",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=4000", *arguments,
    ]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return found.stdout


def measure(tmp_path: Path, page: Path, width: int, *arguments: str) -> dict[str, object]:
    """Lay the page out at ``width`` in a frame and measure it."""
    frame = page.with_name(f"frame-{width}.html")
    frame.write_text(f'<!doctype html><iframe src="run.html" width="{width}" height="900"></iframe>{MEASURE}')
    text = browse(tmp_path, "--dump-dom", *arguments, frame.as_uri())
    title = text[text.index("<title>") + 7 : text.index("</title>")]
    found: dict[str, object] = json.loads(html.unescape(title))
    return found


def test_the_page_fits_a_phone(tmp_path: Path, page: Path) -> None:
    """At a phone's width nothing sticks out, and the narrow drawing of the timeline is shown."""
    found = measure(tmp_path, page, 360)
    assert found["overflow"] == 0
    assert (found["wide"], found["narrow"]) == ("none", "block")


def test_the_page_fits_a_desk(tmp_path: Path, page: Path) -> None:
    """On a wide screen the wide drawing shows every target's bars, the critical path outlined."""
    found = measure(tmp_path, page, 1200)
    assert found["overflow"] == 0
    assert (found["wide"], found["narrow"]) == ("block", "none")
    assert int(str(found["bars"])) >= 40 + 19 * 3
    assert 5 <= int(str(found["outlined"])) <= 60
    assert found["loaded"] == 0


def test_the_page_follows_light_and_dark(tmp_path: Path, page: Path) -> None:
    """Paper, ink and bars take other colors where the reader prefers dark."""
    light = measure(tmp_path, page, 1000)
    dark = measure(tmp_path, page, 1001, "--force-dark-mode", "--blink-settings=preferredColorScheme=0")
    for name in ("paper", "ink", "bar"):
        assert light[name] != dark[name]


def test_a_picture_of_the_page_is_not_empty(tmp_path: Path, page: Path) -> None:
    """The page renders to a picture of its size."""
    picture = tmp_path / "page.png"
    browse(tmp_path, "--window-size=1000,1400", f"--screenshot={picture}", page.as_uri())
    assert picture.stat().st_size > 50_000
