"""What the broker says about itself when it has started."""

import os
import platform

from amq.cli.version import version
from amq.server.server import Server


def banner(server: Server) -> str:
    """Addresses, user, data, version: one fact per line."""
    settings = server.settings
    addresses = [door.address() + (" (TLS)" if door.tls is not None else "") for door in server.doors]
    user = settings.default_user
    if user in settings.loopback_users:
        user += ", from this machine only"
    facts = [
        ("address", ", ".join(addresses) or "none"),
        ("user", user),
        ("vhost", settings.default_vhost),
        ("data", "in memory: gone when the broker stops"),
        ("process", f"{os.getpid()}, {platform.python_implementation()} {platform.python_version()}"),
    ]
    lines = [f"amq {version()} accepts AMQP 0-9-1 clients. Ctrl-C stops it.", ""]
    lines += [f"  {name:9}{value}" for name, value in facts]
    return "\n".join([*lines, ""])
