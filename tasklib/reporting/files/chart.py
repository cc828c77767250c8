"""The timeline of a run as SVG, drawn by pygal; its colors are variables of the page it is set in."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

import pygal
from pygal.style import Style

from tasklib.reporting.files.record import RunRecord, TargetRecord
from tasklib.reporting.files.timeline import critical_path
from tasklib.reporting.folds.spans import Activity, Span
from tasklib.reporting.words.text import one_line, seconds
from tasklib.results import Outcome
from tasklib.shown.cutting import shorten

__all__ = ["legend", "ticks", "timeline_svg"]

# For its maps pygal adds an importer of the old protocol, over which stumbles who walks them (pytest does).
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]

ROW = 30
"""Height of a target's row, in units of the drawing."""


def timeline_svg(record: RunRecord, *, name: str, width: int, label_limit: int) -> str:
    """Targets by time as an SVG element of ``width`` units, its critical path outlined.

    ``name`` tells several drawings of one page apart, ``label_limit`` is what a target's name may take.
    """
    rows = [target for target in record.targets if target.spans]
    if not rows:
        return ""
    critical = set(critical_path(record))
    bars = [_segments(target, record.started, critical) for target in rows]
    length = max(0.1, record.finished - record.started)
    chart = pygal.HorizontalStackedBar(
        style=_style(max(map(len, bars))),
        width=width,
        height=ROW * len(rows) + 60,
        show_legend=False,
        js=[],
        margin=2,
        spacing=6,
        truncate_label=label_limit,
        disable_xml_declaration=True,
        value_formatter=lambda value: f"{value:g}s",
        range=(0, length),
        y_labels=ticks(length, max(4, width // 100)),
    )
    # A page with two drawings needs two prefixes for their style sheets, the same ones every time.
    chart.uuid = f"timeline-{name}"
    # pygal counts rows from the bottom.
    chart.x_labels = [shorten(one_line(str(target.target)), label_limit) for target in reversed(rows)]
    for index in range(max(map(len, bars))):
        values = [row[index] if index < len(row) else None for row in reversed(bars)]
        chart.add(str(index), values)
    chart.add_xml_filter(_adapt)
    svg: str = chart.render(is_unicode=True)
    return svg


def _segments(target: TargetRecord, started: float, critical: set[Span]) -> list[Mapping[str, Any]]:
    """What a target did, end to end: pygal stacks the bars of a row, gaps included."""
    found: list[Mapping[str, Any]] = []
    at = started
    for span in target.spans:
        if span.start > at:
            found.append({"value": span.start - at, "style": "fill: none; stroke: none"})
        found.append(
            {
                "value": max(0.0, span.end - max(at, span.start)),
                "style": _look(target, span, marked=span in critical),
                "label": _label(target, span, marked=span in critical),
            }
        )
        at = max(at, span.end)
    return found


def _look(target: TargetRecord, span: Span, *, marked: bool) -> str:
    bad = target.result.outcome not in (Outcome.PASSED, Outcome.SKIPPED)
    # What went wrong shows on the last thing before the clean-up.
    last = [found for found in target.spans if found.activity not in (Activity.CLEAN, Activity.WAIT)][-1:]
    color = "failed" if bad and [span] == last else span.activity
    outline = "stroke: var(--critical); stroke-width: 2.5" if marked else "stroke: none"
    return f"fill: var(--{color}); {outline}"


def _label(target: TargetRecord, span: Span, *, marked: bool) -> str:
    words = f"{target.target}: {span.activity} {seconds(span.seconds)}"
    notes = "; ".join(one_line(note, 80) for note in span.notes[-3:])
    return one_line(f"{words}{' (critical path)' if marked else ''}{f' - {notes}' if notes else ''}", 400)


def _adapt(root: Element) -> Element:
    """Browsers show ``title`` when pointed at; pygal's own descriptions are for a script that is not here."""
    for parent in root.iter():
        style = parent.get("style") if parent.get("class") == "bar" else None
        for child in list(parent):
            if style and str(child.tag).endswith("rect"):
                # On the bar itself, where pygal's style sheet cannot win over it.
                child.set("style", style)
            if str(child.tag).endswith("script"):
                parent.remove(child)
            if not str(child.tag).endswith("desc"):
                continue
            if child.get("class") == "label":
                child.tag = str(child.tag).replace("desc", "title")
                child.attrib.clear()
            else:
                parent.remove(child)
    root.set("role", "img")
    root.set("aria-label", "Timeline of the run; the same values are in the tables below")
    return root


def _style(colors: int) -> Style:
    return Style(
        background="transparent",
        plot_background="transparent",
        foreground="var(--ink)",
        foreground_strong="var(--ink)",
        foreground_subtle="var(--line)",
        guide_stroke_color="var(--line)",
        major_guide_stroke_color="var(--line)",
        guide_stroke_dasharray="2,3",
        major_guide_stroke_dasharray="2,3",
        opacity="1",
        opacity_hover=".85",
        transition="0s",
        font_family="inherit",
        label_font_size=12,
        major_label_font_size=12,
        # Never seen, as each bar has its own; pygal wants as many as there are series.
        colors=("#888888",) * colors,
    )


def ticks(length: float, count: int) -> list[float]:
    """At most ``count`` + 1 round values from 0 to ``length``."""
    rough = length / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough * 0.999)
    return [round(index * step, 6) for index in range(int(length / step) + 1)]


def legend(record: RunRecord) -> Sequence[Activity]:
    """The activities that the drawing shows."""
    used = {span.activity for target in record.targets for span in target.spans}
    return [activity for activity in Activity if activity in used]
