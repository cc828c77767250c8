"""What a file inside a container holds is found in the stack's definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasklib.stacks.contents import text_in


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
