"""Builds the stand-ins: a base from the host's distribution mirror, and one image for each kind on it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from dev.apt import main_source
from dev.commands import query, run_logged, step, stop_all
from dev.errors import CommandFailed, NoEngine
from dev.facts import Host
from dev.images import BASE, IMAGES, recipe
from dev.plan import LATER_SUITE
from dev.probe import apt_sources
from dev.state import log_file, state_dir

__all__ = ["LABEL", "Base", "base_of", "bootstrap_command", "build", "labels", "recipes"]

LABEL = "tasklib-dev.recipe"
"""Carried by every stand-in: what it was built from."""

FOLDER = Path(__file__).parent / "images"
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_BUNDLE_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE")
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Base:
    """What the base image is made from: the suites to try in this order, their mirror, its `keyring`."""

    suites: tuple[str, ...]
    components: tuple[str, ...]
    uri: str
    keyring: str


def base_of(host: Host) -> Base | None:
    """The base for this host; None where it is not Debian or Ubuntu or has no usable apt source.

    On Debian the later suite comes first, for its newer servers; on a keyring too old to verify it, apt
    refuses and the host's own suite is taken, which brings Python 3.11, PostgreSQL 15 and Redis 7.0 on Debian
    12 (node is the same, it does not come from the suite).
    """
    if not host.packaged or not host.codename:
        return None
    source = main_source(apt_sources(), host.codename)
    if source is None:
        return None
    if host.distribution == "ubuntu":
        return Base((host.codename,), ("main", "universe"), source.uris[0], source.keyring)
    suites = (LATER_SUITE, host.codename) if 0 < host.version < 13 else (host.codename,)
    return Base(suites, ("main",), source.uris[0], source.keyring)


def recipes(base: Base | None) -> dict[str, str]:
    """What each kind, and the base (as "base"), would be built from now."""
    bundle = hashlib.sha256(BUNDLE.read_bytes()).hexdigest() if BUNDLE.is_file() else ""
    command = bootstrap_command(base, " ".join(base.suites), Path(), bundle=bool(bundle)) if base else []
    root = recipe(FOLDER / "base", *command, bundle)
    found = {"base": root}
    for image in IMAGES:
        found[image.kind] = recipe(FOLDER / image.kind, root)
    return found


def build(
    kinds: tuple[str, ...], base: Base, recipes: Mapping[str, str], present: Mapping[str, str], python: str
) -> None:
    """Build the stand-ins of `kinds`, after the base if that is not `present` with its current recipe.

    `python` is the image that the node stand-in fetches its wheel with; when it is itself among `kinds`, node
    is built after it, the others side by side.
    """
    if present.get(BASE) != recipes["base"]:
        _build_base(base, recipes["base"])
    with step(f"building stand-ins for {', '.join(kinds)}"), ThreadPoolExecutor(max_workers=4) as pool:
        building: dict[str, Future[None]] = {}
        try:
            for kind in sorted(kinds, key=lambda kind: kind == "node"):
                before = building.get("python") if kind == "node" else None
                building[kind] = pool.submit(_build, kind, recipes[kind], python, before)
            finished, _ = wait(building.values(), return_when=FIRST_EXCEPTION)
            for future in finished:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise


def _build(kind: str, recipe: str, python: str, before: Future[None] | None) -> None:
    if before is not None:
        before.result()
    image = next(image for image in IMAGES if image.kind == kind)
    log = log_file(f"image-{kind}")
    log.unlink(missing_ok=True)
    previous = query(["docker", "image", "inspect", "--format", "{{.Id}}", image.standin])
    arguments = [
        f"BASE={BASE}",
        f"PYTHON_IMAGE={python}",
        *(name for name in _PROXIES if os.environ.get(name)),
    ]
    run_logged(
        [
            "docker", "build", "--label", f"{LABEL}={recipe}", "--tag", image.standin,
            *(word for each in arguments for word in ("--build-arg", each)),
            str(FOLDER / kind),
        ],
        log,
    )  # fmt: skip
    _forget(previous.out, image.standin)


def _build_base(base: Base, recipe: str) -> None:
    log = log_file("image-base")
    log.unlink(missing_ok=True)
    archive = state_dir() / f"base-{os.getpid()}.tar"
    previous = query(["docker", "image", "inspect", "--format", "{{.Id}}", BASE])
    try:
        _bootstrap(base, archive, log)
        changes = [f"LABEL {LABEL}={recipe}", 'CMD ["/bin/bash"]']
        if BUNDLE.is_file():
            changes += [f"ENV {name}={BUNDLE}" for name in _BUNDLE_VARIABLES]
        options = [word for change in changes for word in ("--change", change)]
        with step("importing it"):
            run_logged(["docker", "import", *options, str(archive), BASE], log)
    finally:
        archive.unlink(missing_ok=True)
    _forget(previous.out, BASE)


def _bootstrap(base: Base, archive: Path, log: Path) -> None:
    for suite in base.suites:
        try:
            with step(f"building the stand-ins' base from {suite}"):
                run_logged(bootstrap_command(base, suite, archive, bundle=BUNDLE.is_file()), log)
        except CommandFailed as error:
            archive.unlink(missing_ok=True)
            if suite == base.suites[-1]:
                raise NoEngine(f"No stand-in images: {error}") from error
        else:
            return


def bootstrap_command(base: Base, suite: str, archive: Path, *, bundle: bool) -> list[str]:
    """The mmdebstrap command that writes a small system of `suite` to `archive`; with `bundle` it trusts the
    certificate authorities that this host trusts."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--include=apt,ca-certificates",
        f"--components={','.join(base.components)}",
        *([f"--keyring={base.keyring}"] if base.keyring else []),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        *([f"--customize-hook=copy-in {BUNDLE} {BUNDLE.parent}"] if bundle else []),
        suite,
        str(archive),
        base.uri,
    ]


def _forget(image_id: str, name: str) -> None:
    """Remove the image that `name` named before, unless something still uses it."""
    now = query(["docker", "image", "inspect", "--format", "{{.Id}}", name])
    if image_id and now.ok and now.out != image_id:
        query(["docker", "image", "rm", image_id])


def labels(names: Iterable[str]) -> dict[str, str]:
    """Of `names` those that are local images, each with the recipe it carries ("" without one)."""
    wanted = tuple(names)
    template = '{{json .RepoTags}}\t{{with .Config}}{{index .Labels "' + LABEL + '"}}{{end}}'
    answer = query(["docker", "image", "inspect", "--format", template, *wanted])
    found: dict[str, str] = {}
    for line in answer.out.splitlines():
        tags, _, label = line.partition("\t")
        for name in wanted:
            if f'"{name}"' in tags:
                found[name] = label
    return found
