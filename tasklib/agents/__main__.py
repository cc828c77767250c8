"""``python -m tasklib.agents > tasklib/agents/SKILL.md``: the skill, from what is declared."""

from __future__ import annotations

import sys

from tasklib.agents.pages import written_skill

if __name__ == "__main__":
    sys.stdout.write(written_skill())
