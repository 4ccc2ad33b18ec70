"""A node as RabbitMQ's API describes it, as far as that does not depend on who asks and when."""

import os
import platform
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from amq.config.settings import Settings
from amq.exchanges.registry import TYPES
from amq.management.node import ListenerFact, Node

EXCHANGE_TYPES: Final = {
    "direct": "AMQP direct exchange, as per the AMQP specification",
    "fanout": "AMQP fanout exchange, as per the AMQP specification",
    "headers": "AMQP headers exchange, as per the AMQP specification",
    "topic": "AMQP topic exchange, as per the AMQP specification",
    "x-consistent-hash": "Consistent Hashing Exchange",
    "x-delayed-message": "Delayed Message Exchange.",
    "x-random": "Random exchange",
    "x-recent-history": "Recent History Exchange.",
}
MECHANISMS: Final = {
    "PLAIN": "SASL PLAIN authentication mechanism",
    "AMQPLAIN": "QPid AMQPLAIN mechanism",
    "EXTERNAL": "SASL EXTERNAL authentication mechanism",
    "ANONYMOUS": "SASL ANONYMOUS authentication mechanism",
    "RABBIT-CR-DEMO": "RabbitMQ Demo challenge-response authentication mechanism",
}
# RabbitMQ's plug-ins whose work is done here, by the exchange type that they bring.
EXCHANGE_PLUGINS: Final = {
    "x-consistent-hash": "rabbitmq_consistent_hash_exchange",
    "x-delayed-message": "rabbitmq_delayed_message_exchange",
    "x-random": "rabbitmq_random_exchange",
    "x-recent-history": "rabbitmq_recent_history_exchange",
}
LIBRARIES: Final = ("attrs", "hypercorn", "prometheus-client", "pyparsing", "starlette", "trio")
WEB_PROTOCOLS: Final = {"http": "RabbitMQ Management", "http/prometheus": "RabbitMQ Prometheus"}


def exchange_types() -> list[dict[str, Any]]:
    """Every type that an exchange can have."""
    names = sorted(name.decode() for name in TYPES)
    return [{"name": name, "description": EXCHANGE_TYPES.get(name, "A plug-in's"), "enabled": True} for name in names]


def auth_mechanisms(settings: Settings) -> list[dict[str, Any]]:
    """Every SASL mechanism there is, and whether it is offered."""
    return [
        {"name": name, "description": description, "enabled": name in settings.auth_mechanisms}
        for name, description in MECHANISMS.items()
    ]


def log_files(settings: Settings) -> list[str]:
    """Where the log goes."""
    files = ["<stderr>"] if settings.log.console else []
    if settings.log.file is not None:
        folder = Path(settings.log.folder) if settings.log.folder is not None else Path(settings.data or ".") / "log"
        files.append(str(folder / settings.log.file))
    return files


def listeners(node: Node) -> list[dict[str, Any]]:
    """Every socket that listens."""
    facts = sorted(node.listeners(), key=lambda fact: (fact.protocol, fact.port))
    return [_listener(node, fact) for fact in facts]


def _listener(node: Node, fact: ListenerFact) -> dict[str, Any]:
    tcp = node.broker.settings.tcp
    options: dict[str, Any] = {
        "backlog": tcp.backlog,
        "nodelay": tcp.nodelay,
        "linger": [True, 0],
        "exit_on_close": False,
    }
    if fact.protocol not in ("amqp", "amqp/ssl"):
        options = {"ip": fact.ip, "port": fact.port, "protocol": fact.protocol}
    return {
        "node": node.name,
        "protocol": fact.protocol,
        "ip_address": fact.ip or "::",
        "port": fact.port,
        "socket_opts": options,
    }


def contexts(node: Node, prefix: str) -> list[dict[str, Any]]:
    """What is served over HTTP, and where; the path of the API and the console begins with `prefix`."""
    found = []
    for fact in node.listeners():
        protocol = fact.protocol.replace("https", "http", 1)
        if protocol not in WEB_PROTOCOLS:
            continue
        path = (prefix or "/") if protocol == "http" else "/"
        context: dict[str, Any] = {
            "description": WEB_PROTOCOLS[protocol],
            "path": path,
            "cowboy_opts": "[]",
            "ip": fact.ip or "::",
            "port": str(fact.port),
        }
        if protocol != "http":
            context["protocol"] = fact.protocol
        if fact.protocol != protocol:
            context["ssl"] = True
        found.append(context)
    return sorted(found, key=lambda context: (context["description"], context["port"]))


def enabled_plugins(protocols: Iterable[str]) -> list[str]:
    """RabbitMQ's names for what is built in, where protocols are listened for."""
    names = {plugin for name, plugin in EXCHANGE_PLUGINS.items() if name.encode() in TYPES}
    for protocol in protocols:
        if protocol in ("http", "https"):
            names |= {"rabbitmq_management", "rabbitmq_management_agent", "rabbitmq_web_dispatch"}
        elif protocol in ("http/prometheus", "https/prometheus"):
            names |= {"rabbitmq_prometheus", "rabbitmq_web_dispatch"}
    return sorted(names)


def applications(settings: Settings) -> list[dict[str, str]]:
    """What the process is made of, with versions; tools look for `rabbit` here to learn which RabbitMQ this is like."""
    version = settings.product_version
    ours = [
        {"name": "amq", "description": "AMQP 0-9-1 broker in Python", "version": own_version()},
        {"name": "rabbit", "description": settings.product_name, "version": version},
        {"name": "rabbitmq_management", "description": "RabbitMQ Management Console", "version": version},
    ]
    return sorted(ours + library_versions(), key=lambda application: application["name"])


@cache
def library_versions() -> list[dict[str, str]]:
    """The libraries that are installed, which does not change while the process runs."""
    found = [{"name": "python", "description": platform.python_implementation(), "version": python_version()}]
    for name in LIBRARIES:
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        found.append({"name": name, "description": about["Summary"] or "", "version": about["Version"]})
    return found


@cache
def own_version() -> str:
    """The version of amq."""
    try:
        return metadata.version("amq")
    except metadata.PackageNotFoundError:
        return "unknown"


def python_version() -> str:
    """What stands where RabbitMQ tells the version of Erlang."""
    return platform.python_version()


def python_full_version() -> str:
    """The same with all that matters of the platform."""
    bits = 64 if sys.maxsize > 1 << 32 else 32
    return (
        f"{platform.python_implementation()} {python_version()} [{platform.system()} {platform.machine()}] "
        f"[{bits}-bit] [smp:{os.cpu_count()}]"
    )
