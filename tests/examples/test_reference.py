"""The generated pages say what the code says."""

from __future__ import annotations

from amq.config.keys import KEYS
from amq.management.table import ENDPOINTS
from docs import generate_api_reference, generate_reference


def test_the_configuration_page_is_up_to_date() -> None:
    assert generate_reference.PAGE.read_text() == generate_reference.page(), "run docs/generate_reference.py"


def test_the_configuration_page_tells_every_key_once() -> None:
    lines = generate_reference.page().splitlines()
    for key in KEYS:
        assert len([line for line in lines if line.startswith(f"| `{key.name}` |")]) == 1, key.name


def test_the_page_of_the_http_api_is_up_to_date() -> None:
    page = generate_api_reference.page()
    assert generate_api_reference.PAGE.read_text() == page, "run docs/generate_api_reference.py"


def test_the_page_of_the_http_api_tells_every_endpoint_once() -> None:
    lines = generate_api_reference.page().splitlines()
    for endpoint in ENDPOINTS:
        assert lines.count(f"### {endpoint.method} {endpoint.path}") == 1
