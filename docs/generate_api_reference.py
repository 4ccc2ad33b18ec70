"""Writes the reference page of the HTTP API from the tables of endpoints in the code.

    python docs/generate_api_reference.py

Run it after a change of an endpoint; a test compares the page with the tables.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from amq.management.endpoint import ANYBODY, Endpoint, Schema
from amq.management.openapi import tag
from amq.management.table import ENDPOINTS

PAGE: Final = Path(__file__).parent / "reference" / "http-api.md"

HEAD: Final = """\
# HTTP API

<!-- Written by docs/generate_api_reference.py. Do not edit: change src/amq/management/ and run it again. -->

RabbitMQ's management API, and under `/amq` what amq adds to it. All paths begin below `/api` on the port of the console
(`management.tcp.port`, 15672). `/api/openapi.json` describes the same for programs (OpenAPI 3.1).

**Who asks.** By HTTP basic authentication, or with the cookie of a session that `POST /login` began; requests with a
cookie that change something need the header `X-Requested-With`, too. On the socket `http.sock` in the data folder root
and the user who runs the broker need no password. *Role* is the tag that a user needs: administrator includes all
others, monitoring and policymaker include management. In a vhost the user needs permissions, unless it is an
administrator.

**Paths.** What stands in a path is percent-encoded: the vhost `/` is `%2F`. A GET answers HEAD too, and OPTIONS tells
the methods.

**Lists** that have `page` take `page` (from 1), `page_size` (100, at most 500), `name` and with `use_regex=true` a
regular expression, `sort` (a field, with dots into what is nested) and `sort_reverse=true`. Every answer in JSON takes
`columns`: names of fields, joined by commas.

**Errors** are `{"error": ..., "reason": ...}`: 400 for a request that says something wrong, 401 for who is not signed
in or may not do it, 404 for what is not there, 405 for a method that is not allowed, 406 for who takes no JSON, 408 for
a request that takes too long, 429 (with `Retry-After`) after too many logins that failed, 503 (with `Retry-After`)
while too many large requests arrive, or answers are sent, at once. What stands below comes on top.
"""
# Told once, above.
OF_LISTS: Final = frozenset({"page", "page_size", "name", "use_regex", "sort", "sort_reverse", "columns", "pagination"})


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for section in sorted({tag(endpoint) for endpoint in ENDPOINTS}):
        parts.append(f"\n## {section}\n")
        parts += [entry(endpoint) for endpoint in ENDPOINTS if tag(endpoint) == section]
    return "".join(parts)


def entry(endpoint: Endpoint) -> str:
    """One endpoint."""
    role = "Anybody" if endpoint.role == ANYBODY else f"Role {endpoint.role}"
    lines = [f"\n### {endpoint.method} {endpoint.path}\n", f"{endpoint.summary.rstrip('.')}. {role}.\n"]
    items = [*queries(endpoint), *body(endpoint), *answers(endpoint)]
    return "\n".join([*lines, *items]) + "\n"


def queries(endpoint: Endpoint) -> Iterator[str]:
    """The parameters of its query."""
    names = {parameter.name for parameter in endpoint.query}
    if names & OF_LISTS:
        yield f"- query of lists: {', '.join(f'`{name}`' for name in sorted(names & OF_LISTS))}"
    for parameter in endpoint.query:
        if parameter.name not in OF_LISTS:
            yield f"- query `{parameter.name}` ({kind(parameter.schema)}): {parameter.meaning}"


def body(endpoint: Endpoint) -> Iterator[str]:
    """What its body holds."""
    if endpoint.body is None:
        return
    fields = endpoint.body.get("properties", {})
    if not fields:
        yield f"- body: {kind(endpoint.body)}"
    required = endpoint.body.get("required", ())
    for name, schema in fields.items():
        needed = ", required" if name in required else ""
        meaning = f": {schema['description']}" if "description" in schema else ""
        yield f"- body `{name}` ({kind(schema)}{needed}){meaning}"


def answers(endpoint: Endpoint) -> Iterator[str]:
    """What it answers."""
    for status, meaning in sorted(endpoint.answers.items()):
        yield f"- {status}: {meaning if isinstance(meaning, str) else kind(meaning)}"


def kind(schema: Schema) -> str:
    """A schema in a few words."""
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return " or ".join(kind(each) for each in schema[choice])
    return named(schema)


def named(schema: Mapping[str, Any]) -> str:
    """A schema by its type, with the fields of an object."""
    types = schema.get("type", "anything")
    if isinstance(types, list):
        return " or ".join(map(str, types))
    if types == "array" and "items" in schema:
        return f"list of {kind(schema['items'])}"
    fields = schema.get("properties", {})
    if "page_count" in fields:
        return "a page of that list"
    if types == "object" and fields:
        return f"object with {', '.join(f'`{name}`' for name in fields)}"
    return str(types)


if __name__ == "__main__":
    PAGE.write_text(page())
