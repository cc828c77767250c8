"""Event streams like those of real runs, made without running anything: the same ones every time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from msgspec.structs import replace

from tasklib.events import (
    Event,
    Notice,
    Output,
    PhaseFinished,
    PhaseStarted,
    Progress,
    RunFinished,
    RunStarted,
    TargetFinished,
    TargetStarted,
    TestFinished,
    TestsCollected,
    TestStarted,
)
from tasklib.results import (
    ContainerLog,
    Counts,
    LogLine,
    Outcome,
    Phase,
    RunResult,
    Stage,
    Target,
    TargetResult,
    TestOutcome,
    TestResult,
)

T0 = 1_790_000_000.0
ROOT = "/home/ana/shop"
LOG = "/home/ana/.local/state/tasklib/runs/shop-feature-auth.log"

UNIT, SERVICE, INTEGRATION = Stage

DETAIL = """\
self = <tests.unit.test_orders.TestOrders object at 0x7f1>

    def test_total_of_an_order(self):
        order = Order(items=[Item("tea", 3, 250), Item("cup", 1, 900)])
>       assert order.total() == 1650
E       assert 1560 == 1650
E        +  where 1560 = total()
E        +    where total = Order(items=[Item('tea', 3, 250), Item('cup', 1, 900)]).total

tests/unit/test_orders.py:41: AssertionError"""

FAILURE = TestResult(
    id="tests/unit/test_orders.py::TestOrders::test_total_of_an_order",
    outcome=TestOutcome.FAILED,
    call=0.021,
    file="tests/unit/test_orders.py",
    line=41,
    message="assert 1560 == 1650",
    detail=DETAIL,
    output="rounding 1560.0\nrounding 90.0\n",
)

STACK_FAILURE = TestResult(
    id="tests/integration/test_jobs.py::test_order_is_paid[eur]",
    outcome=TestOutcome.FAILED,
    setup=0.12,
    call=1.4,
    teardown=0.01,
    file="tests/integration/test_jobs.py",
    line=58,
    message="AssertionError: order 17 is 'open' after 1.0 s",
    detail="""\
    def test_order_is_paid(api, currency):
        order = api.order(currency=currency)
>       wait_for(lambda: api.state(order) == "paid", 1.0)
E       AssertionError: order 17 is 'open' after 1.0 s

tests/integration/test_jobs.py:58: AssertionError""",
    output="POST /orders -> 201\nGET /orders/17 -> 200\n",
)

STACK_LOGS = (
    ContainerLog(
        "worker",
        (
            LogLine(T0 + 1, "worker ready"),
            LogLine(T0 + 5.2, "job 17 order.pay"),
            LogLine(T0 + 5.3, "job 17 failed: KeyError: 'eur'"),
        ),
    ),
    ContainerLog("api", (LogLine(T0 + 5.2, '"POST /orders HTTP/1.1" 201'),)),
    ContainerLog("database", ()),
)


@dataclass
class Recording:
    """Collects a run's targets at times of a simulated clock, in seconds after its start."""

    targets: Sequence[Target]
    project: str = "shop"
    instance: str = "feature-auth"
    events: list[Event] = field(default_factory=list)
    results: dict[Target, TargetResult] = field(default_factory=dict)

    def notice(self, at: float, text: str, *, warning: bool = False) -> None:
        self.events.append(Notice(text, "warning" if warning else "info", at=T0 + at))

    def target(
        self,
        target: Target,
        begin: float,
        tests: Sequence[TestResult],
        *,
        build: float = 0.0,
        start: float = 0.0,
        wait_until: float = 0.0,
        clean: float = 0.0,
        workers: int = 1,
        outcome: Outcome | None = None,
        reason: str = "",
        logs: tuple[ContainerLog, ...] = (),
        collected: int | None = None,
        exit_code: int = 0,
    ) -> float:
        """Add a whole target that begins at ``begin``; returns when it ends."""
        emit = self.events.append
        now = T0 + begin
        emit(TargetStarted(target, at=now))
        spent: dict[Phase, float] = {}

        def phase(name: Phase, length: float, texts: Iterable[str]) -> None:
            nonlocal now
            if not length:
                return
            spent[name] = length
            emit(PhaseStarted(target, name, at=now))
            shown = list(texts)
            for index, text in enumerate(shown):
                emit(Progress(target, text, at=now + length * index / len(shown)))
                emit(Output(target, f"{name}: {text}", at=now + length * index / len(shown)))
            now += length
            emit(PhaseFinished(target, name, at=now))

        phase(Phase.BUILD, build, ("[api 2/5] RUN apt-get install", "[api 4/5] COPY . .", "exporting layers"))
        phase(Phase.START, start, ("database: starting", "waiting for api: health starting"))
        now = max(now, T0 + wait_until)
        if tests or not reason:
            emit(PhaseStarted(target, Phase.TEST, at=now))
            emit(TestsCollected(target, len(tests) if collected is None else collected, at=now))
            began = now
            clocks = [now] * workers
            for index, test in enumerate(tests):
                lane = index % workers
                worker = f"gw{lane}" if workers > 1 else ""
                emit(TestStarted(target, test.id, worker, at=clocks[lane]))
                clocks[lane] += test.seconds
                emit(TestFinished(target, test, worker, at=clocks[lane]))
            now = max(clocks)
            spent[Phase.TEST] = now - began
            emit(PhaseFinished(target, Phase.TEST, at=now))
        phase(Phase.CLEAN, clean, ("removing containers",))
        counts = Counts(
            total=len(tests) if collected is None else collected,
            **{
                word: sum(test.outcome is kind for test in tests)
                for word, kind in (
                    ("passed", TestOutcome.PASSED),
                    ("failed", TestOutcome.FAILED),
                    ("errors", TestOutcome.ERROR),
                    ("skipped", TestOutcome.SKIPPED),
                    ("xfailed", TestOutcome.XFAILED),
                    ("xpassed", TestOutcome.XPASSED),
                    ("rerun", TestOutcome.RERUN),
                )
            },
        )
        if outcome is None:
            outcome = Outcome.FAILED if counts.failed or counts.errors else Outcome.PASSED
        failures = tuple(t for t in tests if t.outcome in (TestOutcome.FAILED, TestOutcome.ERROR))
        self.results[target] = TargetResult(
            target,
            outcome,
            reason,
            counts,
            failures,
            tuple(sorted(tests, key=lambda test: -test.seconds)[:10]),
            now - T0 - begin,
            MappingProxyType(spent),
            logs,
            "" if target.stage is INTEGRATION else f"invoke test.{target.stage} --name {target.service}",
            exit_code,
        )
        if target.stage is INTEGRATION:
            self.results[target] = replace(self.results[target], rerun="invoke test.integration")
        emit(TargetFinished(self.results[target], at=now))
        return now - T0

    def skip(self, target: Target, at: float, reason: str) -> None:
        self.results[target] = TargetResult(target, Outcome.SKIPPED, reason)
        self.events.append(TargetFinished(self.results[target], at=T0 + at))

    def finish(self, *, interrupted: bool = False) -> list[Event]:
        """All events in the order of their times."""
        end = max(event.at for event in self.events)
        results = tuple(self.results[target] for target in self.targets if target in self.results)
        folders = tuple(
            ROOT if target.stage is INTEGRATION else f"{ROOT}/services/{target.service}"
            for target in self.targets
        )
        started = RunStarted(self.project, self.instance, tuple(self.targets), folders, at=T0)
        result = RunResult(results, end - T0, interrupted, LOG)
        return [started, *sorted(self.events, key=lambda event: event.at), RunFinished(result, at=end)]


def some_tests(count: int, *, seconds: float = 0.01, folder: str = "tests/unit") -> list[TestResult]:
    """``count`` passing tests whose lengths differ in a fixed pattern around ``seconds``."""
    names = ("orders", "prices", "stock", "customers", "payments")
    return [
        TestResult(
            f"{folder}/test_{names[index % 5]}.py::test_{names[index * 7 // 5 % 5]}_case_{index}",
            TestOutcome.PASSED,
            setup=seconds * 0.1,
            call=seconds * (0.3 + (index * 37 % 100) / 70),
            teardown=seconds * 0.05,
            file=f"{folder}/test_{names[index % 5]}.py",
            line=10 + index,
        )
        for index in range(count)
    ]


def plan(*services: str) -> tuple[Target, ...]:
    """Three stages: each service's unit and service tests, then the project's integration tests."""
    return (
        *(Target(stage, service) for stage in (UNIT, SERVICE) for service in services),
        Target(INTEGRATION, "shop"),
    )


def passing(services: Sequence[str] = ("api", "worker", "frontend"), tests: int = 40) -> list[Event]:
    """Every target passes; the stacks are built and started while the unit tests run."""
    targets = plan(*services)
    recording = Recording(targets)
    recording.notice(0.01, "instance feature-auth")
    unit_end = 0.0
    clock = [0.1, 0.1]
    for index, service in enumerate(services):
        lane = index % 2
        size = tests + index * 7
        found = some_tests(size)
        if index == 1:
            found[0] = replace(found[0], outcome=TestOutcome.SKIPPED)
        clock[lane] = recording.target(Target(UNIT, service), clock[lane], found)
        unit_end = max(unit_end, clock[lane])
    clock = [0.2, 0.3]
    service_end = 0.0
    for index, service in enumerate(services):
        lane = index % 2
        found = some_tests(max(3, tests // 4), seconds=0.06, folder="tests/integration")
        clock[lane] = recording.target(
            Target(SERVICE, service),
            clock[lane],
            found,
            build=0.4 + 0.2 * index,
            start=1.1,
            wait_until=unit_end,
            clean=0.3,
            workers=1 + 3 * (index == 0),
        )
        service_end = max(service_end, clock[lane])
    recording.target(
        targets[-1],
        0.5,
        some_tests(max(3, tests // 5), seconds=0.2, folder="tests/integration"),
        build=1.5,
        start=2.2,
        wait_until=service_end,
        clean=0.5,
    )
    return recording.finish()


def failing_unit() -> list[Event]:
    """One unit test fails: the stages after it are skipped."""
    targets = plan("api", "worker")
    recording = Recording(targets)
    tests = some_tests(30)
    tests[11] = FAILURE
    recording.target(targets[0], 0.1, tests)
    end = recording.target(targets[1], 0.1, some_tests(12))
    for target in targets[2:]:
        recording.skip(target, end, "the unit stage failed")
    return recording.finish()


def failing_service() -> list[Event]:
    """A test against a stack fails, another stack does not come up; integration is skipped."""
    targets = plan("api", "worker")
    recording = Recording(targets)
    end = max(recording.target(target, 0.1, some_tests(30)) for target in targets[:2])
    tests = [*some_tests(3, seconds=0.5, folder="tests/integration"), STACK_FAILURE]
    end = recording.target(targets[2], end, tests, build=1.0, start=1.5, clean=0.4, logs=STACK_LOGS)
    recording.target(
        targets[3],
        0.8,
        (),
        build=0.7,
        start=2.0,
        clean=0.2,
        outcome=Outcome.ERROR,
        reason="container database exited with code 1 before it was ready",
        logs=(ContainerLog("database", (LogLine(T0 + 2, "FATAL: no such user"),)),),
        exit_code=4,
    )
    recording.skip(targets[4], end, "the service stage failed")
    return recording.finish()


def interrupted() -> list[Event]:
    """Ctrl-C in the middle of the service stage."""
    targets = plan("api", "worker")
    recording = Recording(targets)
    end = max(recording.target(target, 0.1, some_tests(30)) for target in targets[:2])
    recording.target(
        targets[2],
        end,
        some_tests(4, seconds=0.4),
        start=1.0,
        clean=0.3,
        outcome=Outcome.INTERRUPTED,
        collected=20,
    )
    recording.notice(end + 2, "stopping: service api, its stack is removed", warning=True)
    for target in targets[3:]:
        recording.skip(target, end + 3, "interrupted")
    return recording.finish(interrupted=True)


def large(services: int = 20, tests: int = 24, *, lanes: int = 4) -> list[Event]:
    """Twenty services and several hundred tests: most pass, some are slow, two fail, one cannot start."""
    names = [
        "accounts", "api", "billing", "catalog", "checkout", "customers", "emails", "frontend", "gateway",
        "inventory", "invoices", "ledger", "notifications", "orders", "payments", "prices", "reports",
        "search", "shipping-and-returns", "worker",
    ]  # fmt: skip
    names = [names[index] if index < len(names) else f"service-{index}" for index in range(services)]
    targets = plan(*names)
    recording = Recording(targets, instance="feature-checkout-rewrite")
    recording.notice(0.02, "instance feature-checkout is taken by /home/ana/shop-2: using feature-chec-a81x")
    clocks = [0.1] * lanes
    for index, name in enumerate(names):
        lane = min(range(lanes), key=lambda number: clocks[number])
        found = some_tests(tests + index * 5 % 17, seconds=0.02 + index % 4 * 0.01)
        if index == 11:
            found[7] = replace(found[7], call=1.84)
        if index == 4:
            found[3] = replace(found[3], outcome=TestOutcome.SKIPPED, message="needs a printer")
        clocks[lane] = recording.target(Target(UNIT, name), clocks[lane], found)
    unit_end = max(clocks)
    clocks = [0.4 + lane * 0.3 for lane in range(lanes)]
    for index, name in enumerate(names):
        lane = min(range(lanes), key=lambda number: clocks[number])
        seconds = 0.08 + index % 5 * 0.03
        found = some_tests(tests // 3 + index % 4, seconds=seconds, folder="tests/integration")
        logs: tuple[ContainerLog, ...] = ()
        if index == 3:
            found[2] = replace(found[2], call=5.6)
        if index in (6, 13):
            began = max(unit_end, clocks[lane] + 2)
            found[4] = replace(STACK_FAILURE, id=STACK_FAILURE.id.replace("eur", name))
            logs = tuple(
                ContainerLog(log.service, tuple(replace(line, at=T0 + began + 1) for line in log.lines))
                for log in STACK_LOGS
            )
        if index == 16:
            clocks[lane] = recording.target(
                Target(SERVICE, name),
                clocks[lane],
                (),
                build=0.9,
                start=4.0,
                clean=0.3,
                outcome=Outcome.ERROR,
                reason="container search-index did not become healthy within 4 s: connection refused\n"
                "its last health check printed: curl: (7) Failed to connect to localhost port 9200",
                logs=(ContainerLog("search-index", (LogLine(T0 + 9, "max virtual memory areas too low"),)),),
                exit_code=4,
            )
            continue
        clocks[lane] = recording.target(
            Target(SERVICE, name),
            clocks[lane],
            found,
            build=0.5 + index % 3 * 0.4,
            start=0.9 + index % 4 * 0.3,
            wait_until=unit_end,
            clean=0.3,
            workers=1 + index % 3,
            logs=logs,
        )
    recording.skip(targets[-1], max(clocks), "the service stage failed")
    return recording.finish()
