"""The built frontend behind its real web server; the api behind it is a stub."""

from __future__ import annotations

import re
from urllib.parse import urljoin


def test_the_page_is_served(frontend):
    """The address itself is the page."""
    response = frontend.get("/")

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<title>Orders</title>" in response.text


def test_everything_the_page_names_is_served(frontend):
    """Each stylesheet and script, with the type a browser insists on."""
    page = frontend.get("/").text
    types = {
        path: frontend.get("/" + path).headers["Content-Type"]
        for path in re.findall(r'(?:src|href)="([^"]+)"', page)
    }

    assert set(types) == {"style.css", "js/main.js"}
    assert types["style.css"].startswith("text/css")
    assert "javascript" in types["js/main.js"]


def test_every_module_a_module_imports_is_served(frontend):
    """The compiled modules find each other: no import leads nowhere."""
    seen: set[str] = set()
    to_read = {"/js/main.js"}
    while to_read:
        path = to_read.pop()
        seen.add(path)
        source = frontend.get(path).raise_for_status().text
        to_read |= {urljoin(path, name) for name in re.findall(r'from "(\./[^"]+)"', source)} - seen

    assert seen == {"/js/main.js", "/js/api.js", "/js/render.js", "/js/format.js"}


def test_the_api_is_reached_under_its_prefix(frontend):
    """What the api serves at its root, the frontend serves under /api."""
    (product,) = frontend.get("/api/products").json()

    assert product["name"] == "Stub tea"


def test_a_request_reaches_the_api_as_it_was_made(frontend):
    """Method, path, query and host pass through; only the prefix is gone."""
    response = frontend.post("/api/orders/a%2Fb?wait=5", json={})

    assert response.status_code == 202
    assert response.json() == {
        "method": "POST",
        "uri": "/orders/a%2Fb?wait=5",
        "host": frontend.base_url.netloc.decode(),
    }


def test_nothing_else_is_answered(frontend):
    """What is not there is not found, and does not reach the api."""
    assert frontend.get("/orders").status_code == 404
