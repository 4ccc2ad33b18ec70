"""The API's description (OpenAPI 3.1), made from the table of endpoints.

What every endpoint has in common is said here once: parameters of lists, who is refused, and how errors look.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from amq.management.answers import EVENT_STREAM, JSON, Answer, encode, octets
from amq.management.call import Call
from amq.management.endpoint import ANYBODY, TEXT, Endpoint, Parameter, Schema

VERSION: Final = "3.1.0"
JSON_ERROR: Final = {"$ref": "#/components/schemas/Error"}
ERROR: Final[Schema] = {
    "type": "object",
    "properties": {"error": TEXT, "reason": {"type": ["string", "array"]}},
    "required": ["error", "reason"],
}
_PARAMETER: Final = re.compile(r"\{(\w+)\}")

COLUMNS: Final = Parameter("columns", "Names of fields, with dots into what is nested, joined by commas: only these.")
# What a page has besides its items.
PAGED: Final = frozenset({"page_count"})
# In the schema of an answer: the same endpoint may answer a stream of events.
EVENTS: Final = "x-events"
# What any request may be answered.
REFUSALS: Final[Mapping[int, str]] = {
    400: "The request is not understood; `reason` says what is wrong",
    401: "Not signed in, or the user may not do this",
    406: "The client takes no JSON",
    408: "The request took too long to arrive",
    429: "Too many logins from this source have failed; `Retry-After` says how long to wait",
    503: "Too many large requests arrive, or answers are sent, at once; `Retry-After` says how long to wait",
}


def document(endpoints: Iterable[Endpoint], version: str, prefix: str) -> dict[str, Any]:
    """The description of these endpoints; `prefix` is what stands before /api."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation(endpoint)
    return {
        "openapi": VERSION,
        "info": {
            "title": "amq",
            "version": version,
            "description": "RabbitMQ's management API, and what amq adds to it under /amq.",
        },
        "servers": [{"url": f"{prefix}/api"}],
        "security": [{"basic": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "responses": {f"{status}": answer(status, meaning) for status, meaning in REFUSALS.items()},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "amq_session",
                    "description": "As POST /login gives it. Requests that change something need X-Requested-With too.",
                },
            },
        },
    }


def operation(endpoint: Endpoint) -> dict[str, Any]:
    """One endpoint."""
    found = answers(endpoint)
    if COLUMNS.name in {parameter.name for parameter in queries(endpoint)} and isinstance(found[200], Mapping):
        found[200] = with_columns(found[200])
    described: dict[str, Any] = {
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [tag(endpoint)],
        "x-role": endpoint.role,
        "parameters": [
            *map(path_parameter, _PARAMETER.findall(endpoint.path)),
            *map(query_parameter, queries(endpoint)),
        ],
        "responses": {str(status): _answer(status, meaning) for status, meaning in sorted(found.items())},
    }
    if endpoint.role == ANYBODY:
        described["security"] = []
    if endpoint.body is not None:
        described["requestBody"] = {"content": {JSON: {"schema": endpoint.body}}}
    return described


def operation_id(endpoint: Endpoint) -> str:
    """A name for programs that are made from the description: `get_queues_by_vhost_queue`."""
    words = [word for word in re.split(r"[/{}-]+", endpoint.path) if word]
    return "_".join([endpoint.method.lower(), *words]).replace(".", "_")


def tag(endpoint: Endpoint) -> str:
    """What the endpoint is about: the first word of its path, below /amq the second."""
    words = endpoint.path.strip("/").split("/")
    return words[1] if words[0] == "amq" and len(words) > 1 else words[0]


def queries(endpoint: Endpoint) -> tuple[Parameter, ...]:
    """All parameters of the query: whatever is JSON can be cut down to columns."""
    own = {parameter.name for parameter in endpoint.query}
    good = endpoint.answers.get(200, "")
    picks = endpoint.method == "GET" and isinstance(good, Mapping) and COLUMNS.name not in own
    return (*endpoint.query, COLUMNS) if picks else endpoint.query


def answers(endpoint: Endpoint) -> dict[int, Schema | str]:
    """All status codes with their schemas or meanings, those included that every endpoint has."""
    found: dict[int, Schema | str] = {**REFUSALS, **endpoint.answers}
    if endpoint.vhost and "{vhost}" in endpoint.path:
        found.setdefault(404, "There is no such vhost")
    if endpoint.role == ANYBODY and 401 not in endpoint.answers and endpoint.method == "GET":
        del found[401]
    return found


def path_parameter(name: str) -> dict[str, Any]:
    """A parameter of the path: any text, percent-encoded."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def query_parameter(parameter: Parameter) -> dict[str, Any]:
    """A parameter of the query."""
    return {"name": parameter.name, "in": "query", "description": parameter.meaning, "schema": parameter.schema}


def _answer(status: int, meaning: Schema | str) -> dict[str, Any]:
    common = REFUSALS.get(status) == meaning
    return {"$ref": f"#/components/responses/{status}"} if common else answer(status, meaning)


def answer(status: int, meaning: Schema | str) -> dict[str, Any]:
    """One status code. An error's body may be empty, and the type of what is no JSON is told by its schema."""
    if isinstance(meaning, str):
        described: dict[str, Any] = {"description": meaning}
        if status >= 400 and status != 406:
            described["content"] = {JSON: {"schema": JSON_ERROR}}
        return described
    media_type = meaning.get("contentMediaType", JSON)
    content: dict[str, Any] = {media_type: {"schema": meaning}}
    if meaning.get(EVENTS):
        content[EVENT_STREAM] = {}
    return {"description": meaning.get("description", "What was asked for"), "content": content}


def with_columns(schema: Any) -> Any:
    """The schema of an answer of which only columns may have been asked for: no field of an item must be there."""
    if isinstance(schema, list):
        return [with_columns(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: with_columns(value) for key, value in schema.items()}
    if not PAGED & kept.get("properties", {}).keys():
        kept.pop("required", None)
    return kept


def endpoint(endpoints: Sequence[Endpoint], version: str, prefix: str) -> Endpoint:
    """The endpoint that serves the description of all others, and of itself."""

    async def describe(_call: Call) -> Answer:
        return octets([described], JSON)

    meaning = {200: {"type": "object"}}
    itself = Endpoint("GET", "/openapi.json", ANYBODY, describe, "This description (OpenAPI 3.1)", meaning)
    described = encode(document((*endpoints, itself), version, prefix))
    return itself
