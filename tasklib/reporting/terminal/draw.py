"""The board as lines of a terminal: pure, so that tests need none.

Rich is imported with this module, which only the live board imports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.spinner import Spinner
from rich.text import Text

from tasklib.reporting.folds.run import RunState, TargetState
from tasklib.reporting.words.failures import short_id
from tasklib.reporting.words.glyphs import STYLES, TITLES, Glyphs, glyphs
from tasklib.reporting.words.text import one_line, plural, seconds
from tasklib.reporting.words.wording import counts, total
from tasklib.results import Outcome, Phase, Stage

__all__ = ["MAX_WIDTH", "render"]

MAX_WIDTH = 100
"""Longer lines are hard to read, and wrap once a wide terminal is made narrower."""

MAX_WORKERS = 4
"""Parallel tests of one target that get a line each."""


_DOING = {Phase.BUILD: "building", Phase.START: "starting", Phase.TEST: "testing", Phase.CLEAN: "cleaning"}


class _Detail(Struct, frozen=True):
    """How much to show: each step of :data:`_STEPS` takes less height than the one before."""

    tests: int = MAX_WORKERS
    fold_stages: bool = False
    fold_targets: bool = False
    only_active: bool = False


_STEPS = (
    _Detail(),
    _Detail(tests=1),
    _Detail(tests=1, fold_stages=True),
    _Detail(tests=1, fold_stages=True, fold_targets=True),
    _Detail(tests=0, fold_stages=True, fold_targets=True),
    _Detail(tests=0, only_active=True),
)


def render(run: RunState, now: float, width: int, height: int, *, ascii: bool = False) -> list[Text]:
    """At most ``height`` lines of at most ``width`` columns that show the board at the time ``now``.

    Where there are more targets than lines, parallel tests, then finished and pending stages, then finished
    and pending targets are folded into one line each; then only what works right now is left; what still
    does not fit is counted.
    """
    width = max(1, min(width, MAX_WIDTH))
    height = max(1, height)
    found: list[Text] = []
    for detail in _STEPS:
        found = list(_View(run, now, width, glyphs(ascii=ascii), detail).lines())
        if len(found) <= height:
            break
    if len(found) > height:
        rest = len(found) - height + 1
        marks = glyphs(ascii=ascii)
        more = Text(f"  {marks.ellipsis} {plural(rest, 'more line')}", style="dim")
        # The last line is the run's own: it stays.
        found = [*found[: height - 2], more, found[-1]] if height > 1 else [found[-1]]
    for line in found:
        line.truncate(width, overflow="crop" if ascii else "ellipsis")
    return found


class _View(Struct, frozen=True):
    run: RunState
    now: float
    width: int
    marks: Glyphs
    detail: _Detail

    def lines(self) -> Iterator[Text]:
        if self.detail.only_active:
            names = self._name_width()
            yield from (self._target(state, names) for state in self.run.targets.values() if state.active)
            yield self._run()
            return
        for stage in Stage:
            if states := self.run.stage(stage):
                yield from self._stage(stage, states)
        yield self._run()

    def _stage(self, stage: Stage, states: Sequence[TargetState]) -> Iterator[Text]:
        title = TITLES[stage]
        settled = not any(state.active or state.result is None for state in states)
        pending = not any(state.started is not None or state.result for state in states)
        if self.detail.fold_stages and (settled or pending):
            yield self._folded(title, states)
            return
        yield Text(title, style="bold")
        names = self._name_width()
        rest: list[TargetState] = []
        for state in states:
            good = (Outcome.PASSED, Outcome.SKIPPED)
            ended_well = not state.active and state.result is not None and state.result.outcome in good
            if self.detail.fold_targets and (ended_well or state.started is None) and len(states) > 1:
                rest.append(state)
                continue
            yield self._target(state, names)
            yield from self._tests(state)
        if rest:
            ended = sum(state.result is not None for state in rest)
            parts = [
                f"{ended:,} done" if ended else "",
                f"{len(rest) - ended:,} pending" if len(rest) > ended else "",
            ]
            words = f" {self.marks.dot} ".join(part for part in parts if part)
            yield Text(f"  {self.marks.ellipsis} {words}", style="dim")

    def _folded(self, title: str, states: Sequence[TargetState]) -> Text:
        results = [state.result for state in states if state.result]
        number = plural(len(states), "target")
        if len(results) < len(states):
            return Text.assemble((f"{self.marks.pending} ", "dim"), title, (f"  {number} pending", "dim"))
        outcomes = {result.outcome for result in results}
        worst = next(
            (
                outcome
                for outcome in (Outcome.ERROR, Outcome.FAILED, Outcome.INTERRUPTED, Outcome.PASSED)
                if outcome in outcomes
            ),
            Outcome.SKIPPED,
        )
        told = counts(total(result.counts for result in results)) or "no tests"
        mark = (f"{self.marks.outcome(worst)} ", STYLES[worst])
        return Text.assemble(mark, title, (f"  {number}: {told}", "dim"))

    def _target(self, state: TargetState, names: int) -> Text:
        name = set_cell_size(self._name(state), names)
        if state.result is not None:
            return self._ended(state, name)
        if state.started is None:
            return Text.assemble("  ", (f"{self.marks.pending} {name}  pending", "dim"))
        if state.phase is Phase.TEST and state.counts.total:
            return self._running(state, name)
        took = f"  {seconds(state.seconds(self.now))}"
        doing = _DOING[state.phase] if state.phase else "waiting"
        if state.phase is Phase.TEST:
            doing = "collecting tests"
        mark = self._spin() if state.phase else self.marks.waiting
        line = Text.assemble("  ", (f"{mark} ", "cyan"), name, "  ", (doing, "cyan"))
        progress = one_line(state.progress)
        if progress == doing:
            progress = ""
        if not state.phase and not progress:
            progress = self._waits_for(state)
        if progress:
            room = self.width - line.cell_len - cell_len(took) - 2
            line.append(f"  {_cut(progress, room, self.marks)}" if room > 3 else "", style="dim")
        return line.append(took)

    def _waits_for(self, state: TargetState) -> str:
        """What lets this target go on, as far as the board tells: earlier stages, else its turn."""
        stages = list(Stage)
        before = stages[: stages.index(state.target.stage)]
        open_stages = [
            stage for stage in before if any(other.result is None for other in self.run.stage(stage))
        ]
        done = {Phase.BUILD: "images are built", Phase.START: "stack is ready"}
        ready = done.get(state.last_phase) if state.last_phase else None
        turn = f"for {open_stages[-1]} tests" if open_stages else "for its turn"
        return f"{turn}, {ready}" if ready else turn

    def _running(self, state: TargetState, name: str) -> Text:
        value = state.counts
        done = min(value.done, value.total)
        bad = value.failed + value.errors
        color = "red" if bad else "green"
        percent = f"{done * 100 // value.total:3d}%"
        tail = f"  {percent}  {done:,}/{value.total:,}  {seconds(state.seconds(self.now))}"
        failed = f"  {bad:,} failed" if bad else ""
        line = Text.assemble("  ", (f"{self.marks.running} ", color), name)
        size = min(20, self.width - line.cell_len - len(tail) - len(failed) - 2)
        if size >= 5:
            full = done * size // value.total
            line.append("  ").append(self.marks.full * full, style=color)
            line.append(self.marks.empty * (size - full), style="dim")
        return line.append(tail).append(failed, style="bold red")

    def _ended(self, state: TargetState, name: str) -> Text:
        line = self._outcome(state, name)
        return line.append("  cleaning", style="cyan") if state.phase is Phase.CLEAN else line

    def _outcome(self, state: TargetState, name: str) -> Text:
        result = state.result
        assert result is not None
        style = STYLES[result.outcome]
        line = Text.assemble("  ", (f"{self.marks.outcome(result.outcome)} ", style), name, "  ")
        took = seconds(result.seconds)
        value = result.counts
        match result.outcome:
            case Outcome.SKIPPED:
                reason = one_line(result.reason)
                return line.append(f"skipped: {reason}" if reason else "skipped", style="dim")
            case Outcome.PASSED:
                told = f"{value.done:,}/{max(value.total, value.done):,}  {took}" if value.done else took
                line.append(told)
                notes = counts(value).split(", ")[1:] if value.passed else []
                return line.append(f"  {', '.join(notes)}" if notes else "", style="dim")
            case Outcome.ERROR:
                line.append(f"{one_line(result.reason) or 'error'}", style=style)
                return line.append(f"  {took}")
            case Outcome.FAILED | Outcome.INTERRUPTED:
                told = counts(value, outcome=result.outcome) or str(result.outcome)
                return line.append(told, style=style).append(f"  {took}")

    def _tests(self, state: TargetState) -> Iterator[Text]:
        running = sorted(state.current.values(), key=lambda test: test.since)
        if state.phase is not Phase.TEST or not self.detail.tests:
            return
        shown = running[: self.detail.tests]
        for test in shown:
            more = len(running) - len(shown) if test is shown[-1] else 0
            age = self.now - test.since
            tail = (f"  {seconds(age)}" if age >= 1 else "") + (f"  (+{more})" if more else "")
            room = self.width - 6 - len(tail)
            yield Text(
                f"    {self.marks.arrow} {_cut(short_id(test.id), room, self.marks)}{tail}", style="dim"
            )

    def _run(self) -> Text:
        states = list(self.run.targets.values())
        ended = sum(state.result is not None for state in states)
        value = total(state.counts for state in states)
        bad = value.failed + value.errors
        took = seconds(max(0.0, self.now - (self.run.started or self.now)))
        line = Text(style="dim").append(f"{took} {self.marks.dot} {ended}/{plural(len(states), 'target')}")
        if value.total:
            line.append(f" {self.marks.dot} {value.done:,}/{plural(value.total, 'test')}")
        if bad:
            line.append(f" {self.marks.dot} ").append(f"{bad:,} failed", style="bold red not dim")
        where = " ".join(part for part in (self.run.project, self.run.instance) if part)
        return line.append(f" {self.marks.dot} {one_line(where)}" if where else "")

    def _spin(self) -> str:
        return str(_spinner(self.marks.spinner).render(self.now))

    def _name(self, state: TargetState) -> str:
        """The service; without its stage's title above, the stage too, where a narrow screen cuts first."""
        service = state.target.service
        return one_line(f"{service} {state.target.stage}" if self.detail.only_active else service)

    def _name_width(self) -> int:
        longest = max(cell_len(self._name(state)) for state in self.run.targets.values())
        return max(1, min(longest, max(8, self.width // 3)))


@cache
def _spinner(name: str) -> Spinner:
    # A spinner counts from its first frame: one for all lets every line turn together.
    return Spinner(name)


def _cut(text: str, room: int, marks: Glyphs) -> str:
    """``text`` cut to ``room`` columns, the cut marked."""
    if cell_len(text) <= room:
        return text
    return set_cell_size(text, max(0, room - 1)).rstrip() + marks.ellipsis if room > 0 else ""
