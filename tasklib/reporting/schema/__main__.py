"""``python -m tasklib.reporting.schema > docs/json-events.md``: the page; and the schemas beside this."""

from __future__ import annotations

import sys

from tasklib.reporting.schema.documents import as_text, files
from tasklib.reporting.schema.page import page

if __name__ == "__main__":
    for path, schema in files().items():
        path.write_text(as_text(schema), encoding="utf-8")
    sys.stdout.write(page())
