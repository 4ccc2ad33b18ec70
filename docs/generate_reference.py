"""Writes the reference page of the configuration from the table of keys in the code, and all other generated pages.

    python docs/generate_reference.py

Run it after a change of keys, settings, endpoints or commands; a test compares the pages with the code.
"""

import runpy
from pathlib import Path
from typing import Any, Final

from amq.config import values
from amq.config.keys import KEYS, Key

PAGE: Final = Path(__file__).parent / "reference" / "configuration.md"
# The other pages. Each can be run by itself.
OTHERS: Final = ("generate_api_reference.py", "generate_cli_reference.py")

# By the beginning of a key; the first that fits is taken.
SECTIONS: Final = {
    "listeners": "Listeners",
    "ssl": "TLS",
    "auth": "Logins",
    "credential_validator": "Logins",
    "anonymous": "Logins",
    "connection_max": "Limits",
    "channel_max_per_node": "Limits",
    "vhost_max": "Limits",
    "cluster_queue_limit": "Limits",
    "cluster_exchange_limit": "Limits",
    "default_queue_type": "Limits",
    "default_limits": "What new vhosts come with",
    "default_policies": "What new vhosts come with",
    "default_users": "What new vhosts come with",
    "runtime_parameters": "Limits",
    "default": "The first user and vhost",
    "loopback_users": "Logins",
    "password": "Logins",
    "vm_memory": "Memory",
    "total_memory": "Memory",
    "body_memory": "Memory",
    "data": "Data on disk",
    "disk_free_limit": "Data on disk",
    "journal": "Data on disk",
    "log": "Log",
    "product": "What the broker says of itself",
    "cluster_name": "What the broker says of itself",
    "load_definitions": "Definitions",
    "definitions": "Definitions",
    "management": "HTTP API and console",
    "prometheus": "Figures for Prometheus",
    "": "Connections and messages",
}

HEAD: Final = """\
# Configuration

<!-- Written by docs/generate_reference.py. Do not edit: change src/amq/config/ and run it again. -->

Every key that amq reads. Names, values and defaults are RabbitMQ's where RabbitMQ has the key. How to give them (file,
environment, command line) is told in [how to configure it](../how-to/configure.md).

A word that begins with `$` stands for a word of your choice, and such a key may be given many times. The variable of a
key is `AMQ_` and the key in capitals, with `__` for each dot: `AMQ_HEARTBEAT`, `AMQ_LISTENERS__TCP__1`. *Field* is the
field of `amq.config.settings.Settings`, which is how `amq.embed` takes it: `running(heartbeat=5)`.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for section in dict.fromkeys(section_of(key) for key in KEYS):
        parts.append(f"\n## {section}\n\n| key | field | default | allowed | what it means |\n|---|---|---|---|---|\n")
        parts += [row(key) for key in KEYS if section_of(key) == section]
    return "".join(parts)


def section_of(key: Key) -> str:
    """The section that a key stands in."""
    return next(section for start, section in SECTIONS.items() if key.name.startswith(start))


def row(key: Key) -> str:
    """One key of the table."""
    cells = [f"`{key.name}`", f"`{key.field}`", default(key), key.allowed, key.help]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def default(key: Key) -> str:
    """The default as one would write it into the file; empty when there is none."""
    value: Any = key.default
    if key.parse is values.none:
        return ""
    if key.field == "listeners":
        value = [str(listener) for listener in value if listener.tls == (key.parse is values.tls_listener)]
    if value is None:
        return "false" if key.parse is values.time_or_false else ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (list, tuple, frozenset)):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page())
    for other in OTHERS:
        runpy.run_path(str(Path(__file__).with_name(other)), run_name="__main__")
