"""What a file inside a container holds is found in the stack's definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasklib.stacks.contents import dockerfiles, mounted_texts, text_in, with_included


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "pw.txt").write_text("from a file")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/redis.conf").write_text("requirepass x")
    return {
        "services": {
            "db": {
                "secrets": [{"source": "pw"}, {"source": "pw", "target": "other"}, "env"],
                "configs": [{"source": "text", "target": "/etc/text"}],
                "volumes": [{"type": "bind", "source": str(tmp_path / "conf"), "target": "/conf"}],
            }
        },
        "secrets": {"pw": {"file": str(tmp_path / "pw.txt")}, "env": {"environment": "PW"}},
        "configs": {"text": {"content": "a$$b"}},
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/run/secrets/pw", "from a file"),
        ("/run/secrets/other", "from a file"),
        ("/run/secrets/env", "from a variable"),
        ("/etc/text", "a$b"),
        ("/conf/redis.conf", "requirepass x"),
        ("/conf", None),
        ("/conf/missing", None),
        ("/configuration", None),
        ("/run/secrets/unknown", None),
        ("relative", None),
    ],
)
def test_secrets_configs_and_mounted_files_are_read(
    config: dict[str, Any], path: str, text: str | None
) -> None:
    """From wherever the definition says they come; anything else is not known."""
    assert text_in(config, "db", path, {"PW": "from a variable"}) == text
    assert text_in(config, "another", path, {}) is None


def test_mounted_settings_are_read_and_nothing_else(tmp_path: Path) -> None:
    """Mounted files and those right in mounted folders, by their kind; what is not there is passed over."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/site.conf").write_text("server web;")
    (tmp_path / "conf.d/page.html").write_text("<p>")
    (tmp_path / "nginx.conf").write_text("http {}")
    names = ("conf.d", "nginx.conf", "missing.conf")
    mounts = [{"type": "bind", "source": str(tmp_path / name), "target": f"/etc/{name}"} for name in names]
    rendered = {"services": {"proxy": {"volumes": mounts}}}
    assert mounted_texts(rendered) == ("server web;", "http {}")


def test_included_and_extended_files_are_found_however_deep(tmp_path: Path) -> None:
    """Relative to the file that names them; a circle ends, and what is not there is passed over."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "compose.yml").write_text("include: [parts/kafka.yml, missing.yml]\n")
    (tmp_path / "parts/kafka.yml").write_text('services: {k: {extends: {file: "base.yaml", service: k}}}\n')
    (tmp_path / "parts/base.yaml").write_text("include:\n  - ../compose.yml\n")
    found = with_included([tmp_path / "compose.yml"])
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "compose.yml",
        "parts/kafka.yml",
        "parts/base.yaml",
    ]


def test_paths_are_read_as_they_are_meant(tmp_path: Path) -> None:
    """Rendering doubles each dollar, also in the folder that a checkout lies in."""
    folder = tmp_path / "a$b"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM base\n")
    (folder / "app.conf").write_text("listen 80;")
    (folder / "token").write_text("hush")
    shown = str(folder).replace("$", "$$")
    mount = {"type": "bind", "source": f"{shown}/app.conf", "target": "/app.conf"}
    api = {"build": {"context": shown}, "volumes": [mount], "secrets": ["token"]}
    rendered = {"services": {"api": api}, "secrets": {"token": {"file": f"{shown}/token"}}}
    assert dockerfiles(rendered) == {"api": "FROM base\n"}
    assert mounted_texts(rendered) == ("listen 80;",)
    assert text_in(rendered, "api", "/run/secrets/token") == "hush"
    assert text_in(rendered, "api", "/app.conf") == "listen 80;"
