"""The page of what benchmarks found."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from benchmarks.figures import Figure, page


def test_the_page_has_each_figure_and_charts_of_several(tmp_path: Path) -> None:
    """A table for each benchmark, a chart where there is something to compare, and where it was measured."""
    one = [Figure("a run", "by hand", 6.789)]
    several = [Figure("a stage", "this", 1.5), Figure("a stage", "that <other>", 2.25)]
    page(tmp_path / "figures.md", {"alone": one, "peers": several}, "4 cores")
    text = (tmp_path / "figures.md").read_text(encoding="utf-8")
    assert "Measured on 4 cores." in text
    assert "| a run | by hand | 6.79 |" in text
    assert "| a stage | that <other> | 2.25 |" in text
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["peers.svg"]
    chart = ElementTree.parse(tmp_path / "images" / "peers.svg")
    shown = " ".join(chart.getroot().itertext())
    assert "that <other>" in shown
    assert "2.2" in shown
