"""What the API consists of: one Endpoint for every method of every path.

Routing, roles, the OpenAPI document, the reference page and the test of who may do what are all made from these.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs

from amq.management.answers import Answer
from amq.management.call import Call
from amq.management.roles import ADMINISTRATOR, ANYBODY, MANAGEMENT, MONITORING, POLICYMAKER

__all__ = [
    "ADMINISTRATOR",
    "ANYBODY",
    "MANAGEMENT",
    "MONITORING",
    "POLICYMAKER",
    "TEXT",
    "Endpoint",
    "Handler",
    "Parameter",
    "Schema",
]

Handler = Callable[[Call], Awaitable[Answer]]
# JSON Schema (2020-12) as OpenAPI 3.1 uses it.
Schema = Mapping[str, Any]

TEXT: Final[Schema] = {"type": "string"}


@attrs.frozen
class Parameter:
    """One parameter of the query: its name, what it means, and its JSON schema (text unless told)."""

    name: str
    meaning: str
    schema: Schema = TEXT


@attrs.frozen
class Endpoint:
    """One method of one path below /api.

    `path` has parameters in braces, each one segment: `/queues/{vhost}/{name}`. `answers` are the documented status
    codes, each with the JSON schema of its body or with a text that says what it means; errors that every endpoint
    may answer with (`amq.management.openapi`) need not be repeated. A GET answers HEAD too.

    With `vhost`, a `{vhost}` of the path must exist (404), and the user must have permissions in it. Administrators
    and monitoring users may read in every vhost, and administrators may do everywhere what needs the role of
    policymaker or administrator (401 for others). `large`: a body may be as long as the settings allow, not just as
    long as usual (`amq.management.bodies`).
    """

    method: str
    path: str
    role: str
    handle: Handler
    summary: str
    answers: Mapping[int, Schema | str]
    body: Schema | None = None
    query: tuple[Parameter, ...] = ()
    vhost: bool = True
    large: bool = False
