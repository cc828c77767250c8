"""What benchmarks found, and the page that shows it."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Figure", "machine", "page"]


@dataclass(frozen=True)
class Figure:
    """``against`` took ``ratio`` times as long as ``what`` of tasklib did, side by side in one run."""

    what: str
    against: str
    ratio: float


def machine() -> str:
    """Where and when it was measured, in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    engine = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True, check=False
    ).stdout.strip()
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {system}, Engine {engine or 'unknown'},"
        f" Python {platform.python_version()}, {datetime.date.today():%B %Y}"
    )


def page(path: Path, found: Mapping[str, Sequence[Figure]], where: str) -> None:
    """Write what each benchmark ``found`` to ``path``, in Markdown, with charts in ``images`` beside it."""
    lines = [
        "# Figures",
        "",
        "`python -m benchmarks --page docs/why/figures.md` in a clone measures it all, both sides in turn,",
        "and writes this page; `python -m benchmarks NAME` measures what has that heading.",
        f"A figure is how many times as long the other side took. Measured on {where}.",
    ]
    for name, figures in found.items():
        lines += ["", f"## `{name}`", "", *_table(figures)]
        if len(figures) > 1:
            lines += ["", f"![{name}, as a chart](images/{name}.svg)"]
            _chart(path.parent / "images" / f"{name}.svg", figures)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _table(figures: Sequence[Figure]) -> Iterator[str]:
    yield "| tasklib | against | times as long |"
    yield "| --- | --- | --- |"
    for figure in figures:
        yield f"| {figure.what} | {figure.against} | {figure.ratio:.2f} |"


def _chart(path: Path, figures: Sequence[Figure]) -> None:
    import pygal
    from pygal.style import Style

    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground="#57606a",
        foreground_strong="#57606a",
        foreground_subtle="#57606a",
        colors=("#3f72d8",),
        font_family="ui-sans-serif, system-ui, sans-serif",
    )
    chart = pygal.HorizontalBar(
        style=style, width=760, height=70 + 44 * len(figures), show_legend=False, js=[], print_values=True,
        value_formatter=lambda ratio: f"{ratio:.1f}", disable_xml_declaration=True, range=(0, None),
    )  # fmt: skip
    shown = list(reversed(figures))
    same = len({figure.what for figure in figures}) == 1
    chart.x_labels = [figure.against if same else figure.what for figure in shown]
    chart.add("", [figure.ratio for figure in shown])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(chart.render(is_unicode=True), encoding="utf-8")
