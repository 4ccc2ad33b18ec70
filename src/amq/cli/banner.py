"""What the broker says about itself when it has started."""

import os
import platform
from pathlib import Path
from typing import Final

from amq.cli.version import version
from amq.server.listener import Door
from amq.server.server import Server

# Of long lists the banner shows the beginning.
SHOWN: Final = 5


def banner(server: Server) -> str:
    """Addresses, user, data, version: one fact per line."""
    settings = server.settings
    addresses = [door.address() + (" (TLS)" if door.tls is not None else "") for door in server.doors]
    users = [
        user.name + (", from this machine only" if user.name in settings.loopback_users else "")
        for user in server.broker.users
    ]
    facts = [
        ("address", ", ".join(addresses) or "none"),
        *web_facts(server),
        ("user", beginning(users)),
        ("vhost", beginning(list(server.broker.vhosts))),
        ("data", place(settings.data)),
        ("process", f"{os.getpid()}, {platform.python_implementation()} {platform.python_version()}"),
    ]
    lines = [f"amq {version()} accepts AMQP 0-9-1 clients. Ctrl-C stops it.", ""]
    lines += [f"  {name:9}{value}" for name, value in facts]
    return "\n".join([*lines, ""])


def web_facts(server: Server) -> list[tuple[str, str]]:
    """Where the HTTP API and the figures for Prometheus are found, as far as they are served."""
    settings, web = server.settings, server.web
    if web is None:
        return []
    prefix, path = settings.management.path_prefix, settings.prometheus.path
    facts = [("api", [_url(door, prefix) for door in web.api]), ("metrics", [_url(door, path) for door in web.figures])]
    return [(name, ", ".join(urls)) for name, urls in facts if urls]


def _url(door: Door, path: str) -> str:
    return f"http{'s' * (door.tls is not None)}://{door.address()}{path}"


def place(data: str | None) -> str:
    """Where data are kept, if they are."""
    return "in memory: gone when the broker stops" if data is None else str(Path(data).absolute())


def beginning(names: list[str]) -> str:
    """The first names of a list, and whether there are more."""
    return "; ".join(names[:SHOWN]) + ("; ..." if len(names) > SHOWN else "")
