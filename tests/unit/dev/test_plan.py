"""From facts about the host and the engine to steps, or to a message with its remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.errors import NoEngine
from dev.facts import Engine, Host, Reach
from dev.plan import Install, Start, describe, engine_steps, packages_for_venv

BOOKWORM = Host("debian", "bookworm", 12, root=True, systemd=False)
TRIXIE = Host("debian", "trixie", 13, root=True, systemd=False)
NOBLE = Host("ubuntu", "noble", 24, root=True, systemd=True)
FEDORA = Host("fedora", "", 42, root=True, systemd=True)
READY = Engine("unix:///var/run/docker.sock", Reach.ANSWERS, client=True, compose=True, version="20.10.24")
STOPPED = Engine("unix:///var/run/docker.sock", Reach.SILENT, client=True, daemon=True, compose=True)
CLIENT_ONLY = Engine("unix:///var/run/docker.sock", Reach.SILENT, client=True)

hosts = st.builds(
    Host,
    distribution=st.sampled_from(["debian", "ubuntu", "fedora", ""]),
    codename=st.sampled_from(["bookworm", "trixie", "noble", ""]),
    version=st.sampled_from([0, 12, 13, 24]),
    root=st.booleans(),
    systemd=st.booleans(),
)
engines = st.builds(
    Engine,
    endpoint=st.sampled_from(["", "unix:///var/run/docker.sock", "tcp://engine:2375", "ssh://engine"]),
    reach=st.sampled_from(Reach),
    reason=st.sampled_from(["", "client version 1.99 is too new\nsecond line"]),
    client=st.booleans(),
    daemon=st.booleans(),
    upstream=st.booleans(),
    compose=st.booleans(),
)


def as_user(host: Host) -> Host:
    return replace(host, root=False)


def test_a_usable_engine_needs_nothing() -> None:
    """An engine that answers and has Compose v2 is used as it is, wherever it runs."""
    assert engine_steps(FEDORA, replace(READY, endpoint="ssh://elsewhere")) == ()


def test_an_installed_engine_is_started() -> None:
    """An installed daemon is only started, in the way that PID 1 asks for."""
    assert engine_steps(BOOKWORM, STOPPED) == (Start(systemd=False),)
    assert engine_steps(NOBLE, STOPPED) == (Start(systemd=True),)


def test_debian_12_takes_engine_and_compose_from_the_later_suite() -> None:
    """What Debian 12 has of its own is too old: engine, client and Compose v2 come from the next release, in
    one transaction."""
    packages = ("docker.io/trixie", "iptables", "docker-compose/trixie", "docker-buildx/trixie")
    assert engine_steps(BOOKWORM, CLIENT_ONLY) == (Install(packages, "trixie"), Start(systemd=False))
    install = engine_steps(BOOKWORM, Engine())[0]
    assert install == Install(
        (*packages[:1], "docker-cli/trixie", *packages[1:]),
        "trixie",
    )


def test_debian_13_has_the_client_apart() -> None:
    """From Debian 13 on the client is a package of its own, and Compose v2 is in the release."""
    install = engine_steps(TRIXIE, Engine())[0]
    assert install == Install(("docker.io", "iptables", "docker-cli", "docker-compose", "docker-buildx"))


def test_debian_testing_counts_as_newer_than_13() -> None:
    """A Debian without a version number (testing) is not sent to the suite made for Debian 12."""
    install = engine_steps(replace(TRIXIE, codename="forky", version=0), Engine())[0]
    assert isinstance(install, Install)
    assert install.suite is None


def test_ubuntu_names_compose_v2_apart() -> None:
    """Ubuntu's docker-compose is the first one; the second has a package of its own."""
    install = engine_steps(NOBLE, CLIENT_ONLY)[0]
    assert install == Install(("docker.io", "iptables", "docker-compose-v2", "docker-buildx"))


def test_only_compose_is_missing() -> None:
    """With an answering engine only Compose is installed, and nothing is started."""
    engine = replace(READY, compose=False)
    assert engine_steps(BOOKWORM, engine) == (
        Install(("docker-compose/trixie", "docker-buildx/trixie"), "trixie"),
    )


def test_dockers_own_packages_get_their_own_plugins() -> None:
    """docker-ce conflicts with the distribution's packages, so its own plugin packages are asked for."""
    engine = replace(READY, compose=False, upstream=True)
    assert engine_steps(BOOKWORM, engine) == (Install(("docker-compose-plugin", "docker-buildx-plugin")),)


@pytest.mark.parametrize(
    ("host", "engine", "said"),
    [
        (BOOKWORM, replace(CLIENT_ONLY, endpoint="tcp://engine:2375"), "tcp://engine:2375"),
        (as_user(BOOKWORM), CLIENT_ONLY, "Run as root: python3 dev setup --provide-engine"),
        (as_user(NOBLE), STOPPED, "sudo systemctl start docker"),
        (as_user(BOOKWORM), STOPPED, "sudo dockerd"),
        (as_user(BOOKWORM), replace(STOPPED, reach=Reach.DENIED), 'usermod -aG docker "$USER"'),
        (FEDORA, CLIENT_ONLY, "https://docs.docker.com/engine/install/"),
        (FEDORA, replace(READY, compose=False), "https://docs.docker.com/compose/install/"),
        (BOOKWORM, replace(STOPPED, reach=Reach.INCOMPATIBLE, reason="API version"), "DOCKER_API_VERSION"),
    ],
)
def test_what_cannot_be_provided_says_what_to_do(host: Host, engine: Engine, said: str) -> None:
    """Where nothing can be done the message names the remedy, in two lines, with exit code 3."""
    with pytest.raises(NoEngine) as caught:
        engine_steps(host, engine)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2
    assert caught.value.code == 3


@given(hosts, engines)
def test_no_facts_leave_the_plan_without_an_answer(host: Host, engine: Engine) -> None:
    """Every combination of facts ends in a short message or in steps that root on Debian or Ubuntu can carry
    out."""
    try:
        steps = engine_steps(host, engine)
    except NoEngine as error:
        steps, message = (), str(error)
    else:
        message = ""
    if message:
        assert len(message.splitlines()) == 2
        return
    assert (steps == ()) == engine.usable
    for step in steps:
        assert host.root
        assert isinstance(step, Start) or host.packaged
    if engine.endpoint.startswith(("tcp:", "ssh:")) and engine.reach is not Reach.ANSWERS:
        assert steps == ()


def test_the_question_names_every_step() -> None:
    """What the user is asked for names the packages, where they come from, and the start."""
    text = describe(engine_steps(BOOKWORM, CLIENT_ONLY), BOOKWORM)
    assert text == (
        "install docker.io, iptables, docker-compose, docker-buildx from Debian trixie "
        "and start the Docker Engine"
    )


def test_ensurepip_comes_from_the_distribution_only_for_its_own_python() -> None:
    """python3.X-venv helps the distribution's Python, as root; any other Python is left alone."""
    assert packages_for_venv(BOOKWORM, (3, 11), distribution_python=True) == ("python3.11-venv",)
    assert packages_for_venv(BOOKWORM, (3, 12), distribution_python=False) == ()
    assert packages_for_venv(as_user(BOOKWORM), (3, 11), distribution_python=True) == ()
    assert packages_for_venv(FEDORA, (3, 13), distribution_python=True) == ()
