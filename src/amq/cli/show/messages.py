"""Messages for people and for programs: from the HTTP API, or as they were consumed."""

import base64
import json
import sys
from collections.abc import Callable
from typing import Any, Final

import click

from amq.cli.amqp import Delivered
from amq.cli.show.text import cell, harmless, harmless_lines
from amq.management.properties_json import properties_json

TEXT: Final = "text"
JSON: Final = "json"
BODY: Final = "body"

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
FORMAT: Final[Decorator] = click.option(
    "-f",
    "--format",
    "shape",
    type=click.Choice([TEXT, JSON, BODY]),
    default=TEXT,
    help="text (the default), json (a line for each message) or body (bodies alone, as they are)",
)


def described(delivered: Delivered) -> dict[str, Any]:
    """A consumed message as the HTTP API describes those that were got."""
    payload, encoding = payload_of(delivered.body)
    return {
        "payload_bytes": len(delivered.body),
        "redelivered": delivered.redelivered,
        "exchange": delivered.exchange.decode("utf-8", "replace"),
        "routing_key": delivered.routing_key.decode("utf-8", "replace"),
        "properties": properties_json(delivered.header),
        "payload": payload,
        "payload_encoding": encoding,
    }


def payload_of(body: bytes) -> tuple[str, str]:
    """A body as JSON can hold it, and how."""
    try:
        return body.decode(), "string"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def body_of(message: dict[str, Any]) -> bytes:
    """The octets of a body that was described."""
    payload = str(message["payload"])
    return base64.b64decode(payload) if message["payload_encoding"] == "base64" else payload.encode()


def show_message(message: dict[str, Any], shape: str) -> None:
    """One message on stdout, at once: somebody may follow."""
    if shape == JSON:
        print(json.dumps(message), flush=True)
    elif shape == BODY:
        _show_body(message)
    else:
        print("\n".join(_lines(message)), flush=True)


def _show_body(message: dict[str, Any]) -> None:
    body = body_of(message)
    if sys.stdout.isatty():
        print(_readable(body), flush=True)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(body + b"\n")
    sys.stdout.buffer.flush()


def _readable(body: bytes) -> str:
    return harmless_lines(body.decode("utf-8", "backslashreplace"))


def _lines(message: dict[str, Any]) -> list[str]:
    head = [f"{size} octets" if (size := message["payload_bytes"]) != 1 else "1 octet"]
    if message.get("redelivered"):
        head.append("redelivered")
    if "position" in message:
        head.insert(0, f"position {message['position']}")
    exchange, key = harmless(message["exchange"]), harmless(message["routing_key"])
    lines = [f"--- exchange '{exchange}', routing key '{key}', {', '.join(head)}"]
    properties = message["properties"] or {}
    for name, value in properties.items():
        if name == "headers":
            lines += [f"    header {harmless(each)}: {harmless(cell(inner))}" for each, inner in value.items()]
        else:
            lines.append(f"    {name}: {harmless(cell(value))}")
    body = body_of(message)
    if body:
        lines.append(_readable(body))
    if len(body) < message["payload_bytes"]:
        lines.append(f"    ... {message['payload_bytes'] - len(body)} octets more")
    return lines
