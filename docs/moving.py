"""A recording of a terminal as an SVG that moves: every line once, shown while it stood there."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from xml.sax.saxutils import escape

from rich.style import Style
from rich.terminal_theme import TerminalTheme

Row = list[tuple[str, Style]]

CELL = (8.4, 19.0)
"""Width and height of a character."""

MARGIN = 18.0
HEADER = 34.0

SHORTEST = 0.15
"""Seconds between two frames."""

REST = 4.0
"""Seconds that the last frame stays before it begins again."""


@dataclass
class Recording:
    """What stood on a screen, and for how long."""

    frames: list[tuple[float, list[Row]]] = field(default_factory=list)
    began: float = 0.0

    @property
    def seconds(self) -> float:
        return self.frames[-1][0] + REST if self.frames else 0.0

    def see(self, rows: list[Row]) -> None:
        """The screen has changed."""
        now = time.monotonic()
        self.began = self.began or now
        at = now - self.began
        if self.frames and at - self.frames[-1][0] < SHORTEST:
            at = self.frames.pop()[0]
        self.frames.append((at, rows))

    def svg(self, title: str, width: int, theme: TerminalTheme) -> str:
        """The picture, ``width`` characters wide, for ever from the beginning."""
        height = max(len(rows) for _, rows in self.frames)
        size = (2 * MARGIN + width * CELL[0], HEADER + MARGIN + height * CELL[1])
        ground, text = (color.hex for color in (theme.background_color, theme.foreground_color))
        lines = [line for number in range(height) for line in self._line(number, theme)]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]:g} {size[1]:g}" role="img">',
                f"<title>{escape(title)}</title>",
                f'<rect width="100%" height="100%" rx="8" fill="{ground}"/>',
                *(
                    f'<circle cx="{MARGIN + 18 * n:g}" cy="18" r="6" fill="{color}"/>'
                    for n, color in enumerate(("#ff5f57", "#febc2e", "#28c840"))
                ),
                f'<g fill="{text}" font-size="14"',
                ' font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace">',
                f'<text x="{size[0] / 2:g}" y="22" text-anchor="middle">{escape(title)}</text>',
                *lines,
                "</g>",
                "</svg>",
                "",
            ]
        )

    def _line(self, number: int, theme: TerminalTheme) -> list[str]:
        """Every text that the line ever had, each hidden but for its times."""
        found: dict[str, list[tuple[float, float]]] = {}
        ends = [at for at, _ in self.frames[1:]] + [self.seconds]
        for (at, rows), end in zip(self.frames, ends, strict=True):
            spans = _spans(rows[number], number, theme) if number < len(rows) else ""
            times = found.setdefault(spans, [])
            if times and times[-1][1] == at:
                times[-1] = (times[-1][0], end)
            else:
                times.append((at, end))
        return [f"<text>{self._shown(times)}{spans}</text>" for spans, times in found.items() if spans]

    def _shown(self, times: Sequence[tuple[float, float]]) -> str:
        if times == [(0.0, self.seconds)]:
            return ""
        values, keys = ["hidden"], [0.0]
        for begin, end in times:
            for at, value in ((begin, "visible"), (end, "hidden")):
                if at == keys[-1]:
                    values[-1] = value
                elif at < self.seconds:
                    values.append(value)
                    keys.append(at)
        moments = ";".join(f"{key / self.seconds:.4f}" for key in keys)
        return (
            f'<animate attributeName="visibility" calcMode="discrete" values="{";".join(values)}"'
            f' keyTimes="{moments}" dur="{self.seconds:.2f}s" repeatCount="indefinite"/>'
        )


def _spans(row: Row, number: int, theme: TerminalTheme) -> str:
    """Runs of one style, each at its column, so that no font can shift them."""
    y = HEADER + (number + 1) * CELL[1] - 5
    column = 0
    found = []
    for style, group in groupby(row, key=lambda cell: cell[1]):
        text = "".join(data for data, _ in group)
        # Word by word where there are gaps: viewers differ in whether they keep more than one space.
        for part in re.finditer(r"\S+(?: \S+)*", text):
            x = MARGIN + (column + part.start()) * CELL[0]
            length = f' textLength="{len(part[0]) * CELL[0]:g}"' if len(part[0]) > 1 else ""
            found.append(f'<tspan x="{x:g}" y="{y:g}"{length}{_fill(style, theme)}>{escape(part[0])}</tspan>')
        column += len(text)
    return "".join(found)


def _fill(style: Style, theme: TerminalTheme) -> str:
    color = f' fill="{style.color.get_truecolor(theme).hex}"' if style.color else ""
    return f'{color} font-weight="bold"' if style.bold else color
