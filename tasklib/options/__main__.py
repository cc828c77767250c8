"""``python -m tasklib.options > docs/commands.md``: the page, from what is declared."""

from __future__ import annotations

import sys

from tasklib.options.help import page

if __name__ == "__main__":
    sys.stdout.write(page())
