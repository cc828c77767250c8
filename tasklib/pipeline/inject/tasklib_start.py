"""Starts pytest and has it wait, imported, until what the tests are run against is there.

``python tasklib_start.py ARGUMENTS`` is ``pytest ARGUMENTS``, begun once the file TASKLIB_GATE is no longer
locked; the file then holds, as one JSON object, the variables that are new in the environment. Nothing of the
project, and no plugin, is loaded before. An empty file is from somebody who needs no tests any more, or died.

Like the plugin beside it this runs in a foreign environment: any pytest from 6 on, any Python from 3.6 on.
"""

import fcntl
import json
import os
import sys

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    if sys.path and sys.path[0] == here:
        del sys.path[0]  # As where pytest's own script is started; PYTHONPATH has the folder once more.
    sys.argv[0] = "pytest"
    import pytest

    with open(os.environ.pop("TASKLIB_GATE")) as gate:
        fcntl.flock(gate, fcntl.LOCK_SH)
        variables = gate.read()
    if not variables:
        sys.exit(1)
    os.environ.update(json.loads(variables))
    sys.exit(pytest.console_main())
