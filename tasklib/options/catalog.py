"""Every option, and every command with the options that it takes."""

from __future__ import annotations

from typing import Any

from tasklib.options.command import Command
from tasklib.options.option import (
    Option,
    argument,
    choice,
    count,
    number,
    optional,
    required,
    several,
    share,
    switch,
    text,
)

__all__ = ["COMMANDS", "STAGE_OPTIONS", "command"]

# The stages
NAME = several("name", "SERVICE", "only this service")
CHANGED = switch("changed", "only services that differ from the base branch")
BASE = optional("base", "REV", "the branch or commit to compare with instead")
EXPLAIN = switch("explain", "with --changed or --cached: say why each service is selected or not")
CACHED = switch("cached", "skip targets that passed before, if nothing that they depend on has changed")
KEEP = switch("keep", "leave the stacks up afterwards")
KEEP_FAILED = switch("keep-failed", "leave the stacks of failed targets up, for a day at most")
FRESH = switch("fresh", "start the databases of a kept stack, and what depends on them, anew")
WATCH = switch("watch", "when a file is saved, test what it affects, on stacks that stay up; Ctrl-C ends it")
JOBS = number("jobs", "N", "run at most N targets at the same time")
KEYWORD = text("k", "EXPRESSION", "only tests that match EXPRESSION, as with pytest -k")
VERBOSE = switch("verbose", "stream the tests' output")
FORMAT = choice("format", ("auto", "live", "plain", "json"), "how the run is shown", "auto")
REPORT = several("report", "FILE", "write a report to FILE (.xml, .html, .json, .jsonl)")
DURATIONS = number("durations", "N", "show the N slowest tests")
FAIL_SLOW = switch("fail-slow", "fail tests that take longer than the limit of their stage")
SHARD = share("shard", "run only the I-th of N shares of the tests, such as 2/4")

# Stacks
STACK = several("name", "SERVICE", "the stack of this service instead of the full stack")
ONE_STACK = optional("name", "SERVICE", "the stack of this service instead of the full stack")
CONTAINER = several("name", "SERVICE", "only the containers of this Compose service")
ENVIRONMENT = choice("env", ("test", "dev", "prod"), "which environment is meant (default: test)", "test")
TAIL = count("tail", "N", "N lines of each container (default: 100)", 100)
VARIABLES = choice(
    "format", ("shell", "dotenv", "json"), "how variables are written (default: shell)", "shell"
)
FILE = optional("file", "FILE", "any Compose file; no project is needed")
DIFF = switch("diff", "what changes and why, rule by rule")
YES = switch("yes", "do not ask before prod is touched", consents=True)

# Cleaning
FORCE = switch("force", "even while a run uses it", consents=True)
ALL = switch("all", "also the stacks that other branches of this checkout left", consents=True)
REMOVE = switch("yes", "remove it", consents=True)

# CI
FORGE = choice("for", ("github", "gitea", "gitlab"), "whose workflow files", "")
SHARDS = number("shards", "N", "share the tests between N machines")
BESIDE = choice(
    "engine", ("dind", "socket"), "GitLab's jobs have an engine beside them, or use their runner's", ""
)
OVERWRITE = switch("force", "overwrite files that differ", consents=True)
RUNS = required("folder", "FOLDER", "where the files are that `--report FILE.jsonl` wrote on each machine")

# Releases
BUMP = choice("bump", ("major", "minor", "patch", "pre"), "which part of the last version to raise", "")
VERSION = optional("version", "VERSION", "the version itself, like 1.2.0 or 1.2.0-rc.1")
IMAGE_VERSION = optional("version", "VERSION", "like 1.2.0 (default: the one that HEAD is tagged as)")
DRY_RUN = switch("dry-run", "show the plan and stop")
PUSH_TAG = switch("push", "push the branch and the tag, both or neither", consents=True)
RELEASE = switch("yes", "do not ask", consents=True)
PREVIOUS = optional("base", "REV", "the branch, tag or commit to compare with instead")
CHANGED_SINCE = switch("changed", "only services that changed since the version before")
PLATFORM = optional("platform", "LIST", "for these platforms: linux/amd64,linux/arm64")
PUSH = switch("push", "push the images (--no-push: only build)", default=True, consents=True)
LISTING = choice("format", ("plain", "json"), "how the images are listed (default: plain)", "plain")
BUILD_OUTPUT = switch("verbose", "show the builds' output")

# What is known
STAGES = several("stages", "STAGE", "only this stage")
FAILURES = switch("failures", "only targets that did not pass")
LOGS = optional("logs", "SERVICE", "the lines of this Compose service where a target failed")
LINES = count("lines", "N", "at most N lines (default: 60)", 60)
SHOWN_AS = choice("format", ("plain", "json"), "how the run is shown (default: plain)", "plain")

# The doctor
PATH = argument("path", "PATH", "the folder or file to look at (default: this folder)", ".")
FIX = switch("fix", "repair what edits can repair")
SELECT = several("select", "CODE", "only rules whose code starts with CODE")
IGNORE = several("ignore", "CODE", "leave out rules whose code starts with CODE")
FINDINGS = choice(
    "format", ("text", "json", "github", "sarif"), "how findings are shown (default: text)", "text"
)
RULE = optional("explain", "CODE", "what a rule is about, with a bad and a good example")

# Agents
SKILL = switch("skill", "the SKILL.md instead: a skill that agents load by themselves")

# New projects
PROJECT = required("name", "NAME", "the name of the project and of its folder")
SERVICES = text("services", "LIST", "its services (default: api): api,worker, or with kinds: api,web:node")
KIND = choice(
    "kind", ("python", "node", "command"), "what services are written in (default: python)", "python"
)
SINGLE = switch("single", "one service at the top of the project, without a folder services/")
CI = choice("ci", FORGE.choices, "write workflow files for it, too", "")
SERVICE = required("name", "NAME", "the name of the service and of its folder in services/")
ITS_KIND = choice("kind", KIND.choices, "what it is written in (default: python)", "python")
WRITE = switch("write", "change the files", consents=True)

# Adopting
REPOSITORY = argument("path", "PATH", "the repository to look at (default: this folder)", ".")
KEEP_MAKE = switch("keep-make", "keep the Makefile, even if its targets only call tasklib")
ANSWER = several("answer", "KEY=VALUE", "answer a question that the repository's files do not decide")

STAGE_OPTIONS: tuple[Option[Any], ...] = (
    NAME,
    CHANGED,
    BASE,
    EXPLAIN,
    CACHED,
    KEEP,
    KEEP_FAILED,
    FRESH,
    WATCH,
    JOBS,
    KEYWORD,
    VERBOSE,
    FORMAT,
    REPORT,
    DURATIONS,
    FAIL_SLOW,
    SHARD,
)


def _stages(name: str, doc: str, session: str, *, default: bool = False) -> Command:
    return Command(name, doc, STAGE_OPTIONS, "--name api", session, default, runs_tests=True)


COMMANDS = (
    _stages(
        "test.all",
        "Unit, service and integration tests, stopping at the first failed stage.",
        "test",
        default=True,
    ),
    _stages("test.unit", "Unit tests, without a Docker engine.", "unit"),
    _stages("test.service", "Each service against its own stack.", "service"),
    _stages("test.integration", "The full stack and its tests.", "integration"),
    Command(
        "test.last",
        "Show the last run of this checkout again, without running anything.",
        (FAILURES, NAME, LOGS, LINES, SHOWN_AS),
        "--failures",
    ),
    Command(
        "test.proof",
        "Check that the stages passed on exactly this tree: exit code 0, or 1 with what is missing.",
        (STAGES,),
        "--stages unit",
    ),
    Command(
        "infra.up",
        "Bring up the full stack, or `--name api`, and keep it.",
        (STACK, FRESH, ENVIRONMENT, YES),
        "--name api",
        "infra-up",
    ),
    Command(
        "infra.down",
        "Take down every stack of this instance, or `--name api`.",
        (STACK, ENVIRONMENT, YES),
        "--name api",
        "infra-down",
    ),
    Command(
        "infra.status", "Show which stacks of this checkout are up, and their addresses.", (ENVIRONMENT,)
    ),
    Command(
        "infra.logs",
        "The last lines of the containers of this checkout.",
        (CONTAINER, ENVIRONMENT, TAIL),
        "--name api --tail 20",
    ),
    Command(
        "infra.env",
        'Variables for plain Compose and tests: eval "$(tasklib infra.env)".',
        (VARIABLES, ONE_STACK, ENVIRONMENT),
        "--format dotenv",
    ),
    Command(
        "infra.config",
        "The isolated config that would run, as JSON.",
        (FILE, ONE_STACK, DIFF, ENVIRONMENT),
        "--diff",
    ),
    Command("infra.id", "The instance id, one word."),
    Command(
        "clean.instance",
        "Remove what this instance owns: containers, networks, volumes, images. Nothing else.",
        (FORCE, ALL),
        "--all",
        "clean",
        default=True,
    ),
    Command(
        "clean.stale", "Show what checkouts that are gone left on the engine; `--yes` removes it.", (REMOVE,)
    ),
    Command(
        "ci.matrix",
        "The services as JSON for a dynamic matrix.",
        (CHANGED, BASE, EXPLAIN),
        "--changed --base HEAD~1",
    ),
    Command(
        "ci.merge",
        "Put the shares of several machines together: one run, its reports, its exit code.",
        (RUNS, REPORT, FORMAT),
        "shards --report run.json --report junit.xml",
    ),
    Command(
        "ci.workflow",
        "Write workflow files: tests of every change, images of every version tag.",
        (FORGE, SHARDS, BESIDE, OVERWRITE),
        "--for github",
    ),
    Command(
        "release.tag",
        "Tag a version: shows what it would do, asks, and does all of it or nothing.",
        (BUMP, VERSION, DRY_RUN, PUSH_TAG, RELEASE),
        "--bump minor --dry-run",
        "release-tag",
    ),
    Command(
        "release.images",
        "Build and push every service's image; `latest` follows the highest stable version.",
        (
            IMAGE_VERSION,
            NAME,
            CHANGED_SINCE,
            PREVIOUS,
            EXPLAIN,
            PLATFORM,
            PUSH,
            LISTING,
            BUILD_OUTPUT,
        ),
        "--version 1.2.0 --no-push",
    ),
    Command(
        "doctor",
        "Find what keeps this project's tests from being isolated or fast, say why, and repair it.",
        (PATH, FIX, SELECT, IGNORE, FINDINGS, RULE),
        "--fix",
    ),
    Command(
        "agents",
        "Print the section for AGENTS.md that tells coding agents how this project is tested.",
        (SKILL,),
        "--skill",
    ),
    Command(
        "new.project",
        "Make a folder NAME with a project that passes all stages as it is.",
        (PROJECT, SERVICES, KIND, SINGLE, CI),
        "shop --services api,worker --ci github",
    ),
    Command(
        "new.service",
        "Add a service NAME, which passes all stages as it is, to a project made by new.project.",
        (SERVICE, ITS_KIND),
        "billing --kind node",
    ),
    Command(
        "new.update",
        "Show what later templates change in a project made by new.project; `--write` does it.",
        (WRITE,),
        "--write",
    ),
    Command(
        "new.adopt",
        "Show as a diff how this repository's Makefile, scripts and CI would use tasklib; `--write` does it.",
        (REPOSITORY, WRITE, KEEP_MAKE, ANSWER),
        "--write",
    ),
)


def command(name: str) -> Command:
    """The command called ``name``, as Invoke's users type it, or Nox's."""
    return next(found for found in COMMANDS if name in (found.name, found.session))
