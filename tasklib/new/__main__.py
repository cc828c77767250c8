"""``python -m tasklib.new < .tasklib-new.yml``: the files of such a project as JSON, by path.

Later versions ask this one by it what it made: what is read and written here stays as it is.
"""

from __future__ import annotations

import json
import sys

from tasklib.new.answers import ANSWERS, read_answers
from tasklib.new.rendering import rendered

if __name__ == "__main__":
    answers = read_answers(sys.stdin.buffer.read(), ANSWERS)
    sys.stdout.write(json.dumps(rendered(answers)))
