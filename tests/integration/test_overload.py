"""A failure for want of memory says so, and not only an exit code that nobody knows."""

from __future__ import annotations

from .conftest import NewProject
from .projects import PYTHON, compose

HUNGRY = """
    from http.server import BaseHTTPRequestHandler, HTTPServer
    import os

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/eat" and os.fork() == 0:
                bytearray(300 << 20)
            os.wait() if self.path == "/eat" else None
            self.send_response(500 if self.path == "/eat" else 200)
            self.end_headers()

    HTTPServer(("", 8000), Handler).serve_forever()
"""

LIMITED = f"""
    image: {PYTHON}
    mem_limit: 40m
    memswap_limit: 40m
    ports: ["8000"]
"""

EATS = """
    import os, urllib.request

    def test_eats():
        urllib.request.urlopen(os.environ["TEST_API_URL"] + "/eat")
"""


def test_a_container_that_starves_at_its_start(project: NewProject) -> None:
    """In the line that says why the stack is not ready."""
    command = "    command: python -c 'bytearray(300 << 20)'\n"
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(api=LIMITED + command),
            "services/api/tests/integration/test_api.py": "def test_api(): ...\n",
        }
    )
    ran = shop.run("tasklib", "test.service")
    assert ran.code == 4, ran
    assert "api was ended by the kernel" in ran.text
    assert "no memory was left, by its own limit or on the machine" in ran.text


def test_a_process_that_starves_while_tests_run(project: NewProject) -> None:
    """In one line, which names the service."""
    mounted = '    command: python -u /server.py\n    volumes: ["./server.py:/server.py:ro"]\n'
    shop = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(api=LIMITED + mounted),
            "services/api/deploy/test/server.py": HUNGRY,
            "services/api/tests/integration/test_api.py": EATS,
        }
    )
    ran = shop.run("tasklib", "test.service")
    assert ran.code == 1, ran
    assert ran.text.count("the kernel ended a process of api: no memory was left") == 1
    assert "meanwhile the kernel" not in ran.text
