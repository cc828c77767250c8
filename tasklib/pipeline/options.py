"""What a run's command line narrows or changes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from tasklib.options.caller import TASKLIB, Caller
from tasklib.pipeline.shards import Shard, Share
from tasklib.pipeline.suites.suite import OtherPython, SuiteOptions
from tasklib.results import Target

__all__ = ["Options"]


class Options(Struct, frozen=True):
    """What the command line narrows or changes.

    ``names`` are services (none: all), ``keep`` leaves stacks up, ``keep_failed`` those of
    targets that do not pass, ``fresh`` gives kept ones new stores, ``jobs`` caps targets at once, ``keyword``
    is pytest's ``-k``, ``extra`` goes to the test runner as it is, ``fail_slow`` makes a test above its
    stage's limit a failure, ``caller`` spells what the user types to repeat a target. ``passed`` are targets
    that are known to pass, with when they did (seconds since the epoch): they are not run. ``python`` is what
    Python tests run on instead of the project's own. ``shard`` is this machine among several, ``parts`` the
    targets that it runs, each whole or in part, ``split`` a digest of what decided that.
    """

    names: tuple[str, ...] = ()
    keep: bool = False
    keep_failed: bool = False
    fresh: bool = False
    jobs: int | None = None
    keyword: str = ""
    extra: tuple[str, ...] = ()
    verbose: bool = False
    fail_slow: bool = False
    caller: Caller = TASKLIB
    passed: Mapping[Target, float] = field(default_factory=lambda: MappingProxyType({}))
    python: OtherPython | None = None
    shard: Shard | None = None
    split: str = ""
    parts: Mapping[Target, Share] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def of_suites(self) -> SuiteOptions:
        """What of it every suite is told."""
        return SuiteOptions(
            self.keyword, self.extra, verbose=self.verbose, python=self.python, parts=self.parts
        )
