"""The generated pages say what the code says."""

from __future__ import annotations

from amq.config.keys import KEYS
from amq.management.table import ENDPOINTS
from docs import generate_api_reference, generate_cli_reference, generate_reference


def test_the_configuration_page_is_up_to_date() -> None:
    assert generate_reference.PAGE.read_text() == generate_reference.page(), "run docs/generate_reference.py"


def test_the_configuration_page_tells_every_key_once() -> None:
    lines = generate_reference.page().splitlines()
    for key in KEYS:
        assert len([line for line in lines if line.startswith(f"| `{key.name}` |")]) == 1, key.name


def test_the_page_of_the_http_api_is_up_to_date() -> None:
    page = generate_api_reference.page()
    assert generate_api_reference.PAGE.read_text() == page, "run docs/generate_reference.py"


def test_the_page_of_the_http_api_tells_every_endpoint_once() -> None:
    lines = generate_api_reference.page().splitlines()
    for endpoint in ENDPOINTS:
        assert lines.count(f"### {endpoint.method} {endpoint.path}") == 1


def test_the_page_of_the_command_line_is_up_to_date() -> None:
    page = generate_cli_reference.page()
    assert generate_cli_reference.PAGE.read_text() == page, "run docs/generate_reference.py"


def test_the_page_of_the_command_line_tells_every_command_once() -> None:
    lines = generate_cli_reference.page().splitlines()
    names = [name for name, _ in generate_cli_reference.commands()]
    assert {"amq serve", "amq add queue", "amq journal verify", "amq replay-dlq"} <= set(names)
    for name in names:
        assert lines.count(f"### {name}") == 1


def test_one_program_writes_every_page() -> None:
    docs = generate_reference.PAGE.parents[1]
    programs = {path.name for path in docs.glob("generate_*.py")}
    assert {"generate_reference.py", *generate_reference.OTHERS} == programs
