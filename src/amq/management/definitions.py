"""Definitions: /api/definitions, everything or what is in one vhost, out and in."""

import logging
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import trio

from amq.definitions.apply import applying
from amq.definitions.check import checking
from amq.definitions.document import Document
from amq.definitions.fields import DocumentError
from amq.definitions.parse import parsing
from amq.management.answers import JSON, Answer, octets, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, Endpoint, Parameter
from amq.management.entity_schemas import TABLE as OBJECT
from amq.management.entity_schemas import TEXT, array_of, record
from amq.management.errors import BadRequest, NotFound
from amq.management.exporting import pieces
from amq.management.form import fields
from amq.management.slicing import in_slices
from amq.management.turns import Turns
from amq.vhost.vhost import Vhost

LOGGER: Final = logging.getLogger(__name__)

NOT_JSON: Final = "failed_to_parse_json"
NO_VHOST: Final = "vhost_not_found"
# How many warnings there were; what they are is in the log.
WARNINGS: Final = "amq-warnings"
# Of so many warnings each one is logged.
LOGGED: Final = 50
# Pieces that are joined into one part of the body.
PER_PART: Final = 100


# -- out --


async def export(call: Call) -> Answer:
    """GET /definitions."""
    return await _exported(call, pieces(call.node.broker))


async def export_vhost(call: Call) -> Answer:
    """GET /definitions/{vhost}."""
    vhost = _vhost(call)
    if vhost is None:
        raise BadRequest(NO_VHOST)
    return await _exported(call, pieces(call.node.broker, vhost))


async def _exported(call: Call, found: Iterator[bytes]) -> Answer:
    parts: list[bytes] = []
    gathered: list[bytes] = []
    async for piece in Turns().each(found):
        gathered.append(piece)
        if len(gathered) == PER_PART:
            parts.append(b"".join(gathered))
            gathered = []
    parts.append(b"".join(gathered))
    name = "".join(
        sign for sign in call.query.get("download", "") if sign.isascii() and (sign.isalnum() or sign in "._-")
    )
    return octets(parts, JSON, {"content-disposition": f"attachment; filename={name}"} if name else None)


# -- in --


async def take(call: Call) -> Answer:
    """POST /definitions."""
    return await _taken(call, None)


async def take_vhost(call: Call) -> Answer:
    """POST /definitions/{vhost}."""
    vhost = _vhost(call)
    if vhost is None:
        raise NotFound(NO_VHOST, "not_found")
    return await _taken(call, vhost.name)


async def _taken(call: Call, vhost: str | None) -> Answer:
    text, redirect = _sent(call)
    warnings = await _import(call, text, vhost)
    headers = {WARNINGS: str(len(warnings))} if warnings else {}
    if redirect is not None:
        return Answer(303, headers={**headers, "location": redirect})
    return Answer(204, headers=headers)


async def _import(call: Call, text: str, vhost: str | None) -> list[str]:
    """Apply a document; returns the warnings, which are in the log, too. Raises BadRequest."""
    document = await _read(call, text, vhost)
    try:
        # Whoever asked for it may go away in the middle: half an import is nobody's wish.
        with trio.CancelScope(shield=True):
            warnings = await in_slices(call.node, applying(document, call.node.broker))
            await call.node.safe()
    except DocumentError as error:
        raise BadRequest(str(error)) from None
    place = "" if vhost is None else f" into vhost '{vhost}'"
    LOGGER.info("definitions imported%s by user '%s'", place, call.user.name)
    for warning in warnings[:LOGGED]:
        LOGGER.warning("definitions import: %s", warning)
    if len(warnings) > LOGGED:
        LOGGER.warning("definitions import: %d more warnings like these", len(warnings) - LOGGED)
    return warnings


async def check(call: Call) -> Answer:
    """POST /amq/definitions/check: what an import of the body would come to. Nothing is changed."""
    vhost = call.query.get("vhost")
    if vhost is not None and vhost not in call.node.broker.vhosts:
        raise NotFound(NO_VHOST, "not_found")
    text, _ = _sent(call)
    document = await _read(call, text, vhost)
    try:
        checked = await in_slices(call.node, checking(document, call.node.broker))
    except DocumentError as error:
        raise BadRequest(str(error)) from None
    return ok({"warnings": checked.warnings, "found": _counts(document), "new": _counts(checked, NEW)})


async def _read(call: Call, text: str, vhost: str | None) -> Document:
    try:
        return await in_slices(call.node, parsing(text, vhost))
    except DocumentError as error:
        raise BadRequest(str(error) if error.path else f"{NOT_JSON}: {error}") from None


def _sent(call: Call) -> tuple[str, str | None]:
    """The document that was sent, and where a browser is to go afterwards. Raises BadRequest."""
    body = call.body
    redirect = None
    form = fields(body, call.headers.get("content-type", ""))
    if form is not None:
        body = form.get("file", b"?")
        redirect = _redirect(form)
    if not body.strip():
        return "{}", redirect
    try:
        return body.decode("utf-8-sig"), redirect
    except UnicodeDecodeError as error:
        raise BadRequest(f"{NOT_JSON}: not UTF-8 at octet {error.start}") from None


def _redirect(form: dict[str, bytes]) -> str | None:
    """A place on this server that a form names."""
    wanted = form.get("redirect", b"").decode("ascii", "ignore")
    place = urlsplit(wanted)
    return wanted if wanted.isprintable() and place.path and not (place.scheme or place.netloc) else None


def _vhost(call: Call) -> Vhost | None:
    return call.node.broker.vhosts.get(call.path["vhost"])


def _counts(document: Document, sections: tuple[str, ...] = ()) -> dict[str, int]:
    return {name: len(getattr(document, name)) for name in sections or COUNTED}


COUNTED: Final = (
    "users",
    "vhosts",
    "permissions",
    "topic_permissions",
    "global_parameters",
    "policies",
    "operator_policies",
    "limits",
    "parameters",
    "exchanges",
    "queues",
    "bindings",
)
# Of these a check leaves those that are not there yet.
NEW: Final = ("exchanges", "queues")
DOCUMENT: Final = record(
    "", **{section: array_of(OBJECT) for section in COUNTED if section not in ("operator_policies", "limits")}
)
CHECKED: Final = record("warnings found new", warnings=array_of(TEXT), found=OBJECT, new=OBJECT)
_VHOST: Final = "/definitions/{vhost}"
_DOWNLOAD: Final = (Parameter("download", "have a browser save it under this name"),)
_TAKEN: Final[dict[int, Any]] = {
    204: f"imported; the header {WARNINGS} says how many warnings are in the log",
    303: "imported, from a form that names a place to go on to",
    400: "nothing has changed: something in the document cannot be",
}


def _whole(path: str, summary: str) -> tuple[Endpoint, ...]:
    """The endpoints of the document of everything."""
    return (
        Endpoint("GET", path, ADMINISTRATOR, export, summary, {200: DOCUMENT}, query=_DOWNLOAD),
        Endpoint(
            "POST",
            path,
            ADMINISTRATOR,
            take,
            "Import definitions: the whole document, or nothing of it",
            _TAKEN,
            body=DOCUMENT,
            large=True,
        ),
    )


TABLE: Final = (
    *_whole("/definitions", "Everything that is defined, as RabbitMQ exports it"),
    *_whole("/all-configuration", "The same under its old name"),
    Endpoint(
        "GET",
        _VHOST,
        ADMINISTRATOR,
        export_vhost,
        "What is defined in a vhost",
        {200: DOCUMENT, 400: "there is no such vhost"},
        query=_DOWNLOAD,
        vhost=False,
    ),
    Endpoint(
        "POST",
        _VHOST,
        ADMINISTRATOR,
        take_vhost,
        "Import definitions into a vhost",
        {**_TAKEN, 404: "there is no such vhost"},
        body=DOCUMENT,
        vhost=False,
        large=True,
    ),
    Endpoint(
        "POST",
        "/amq/definitions/check",
        ADMINISTRATOR,
        check,
        "What an import would come to, without importing anything",
        {200: CHECKED, 400: "something in the document cannot be", 404: "there is no such vhost"},
        body=DOCUMENT,
        query=(Parameter("vhost", "the vhost that it would be imported into; without it, the document says where"),),
        large=True,
    ),
)
