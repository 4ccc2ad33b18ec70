"""Puts together what is served over HTTP, and serves it. Imported late: it needs what the extra brings."""

import os
import pwd
import time
from pathlib import Path

import trio

from amq.config.settings import Settings
from amq.management.app import application
from amq.management.figures import figures_of
from amq.management.node import ListenerFact, Node
from amq.metrics.facts import Process
from amq.metrics.sampler import Sampler
from amq.server import memory
from amq.server.http import HttpServer
from amq.server.listener import Door
from amq.server.logs import Log
from amq.server.management import Surroundings, Web


async def serve(web: Web, surroundings: Surroundings) -> None:
    """Serve the doors of `web` until it is stopping, or until cancelled."""
    node = new_node(web, surroundings)
    timeout = web.settings.ssl_handshake_timeout / 1000
    async with trio.open_nursery() as services:
        services.start_soon(node.sampler.run)
        async with trio.open_nursery() as servers:
            doors = web.api if web.owner is None else [*web.api, web.owner]
            if doors:
                servers.start_soon(HttpServer(application(node, owner()), doors, timeout).run, web.stopping)
            if web.figures:
                servers.start_soon(HttpServer(figures_of(node), web.figures, timeout).run, web.stopping)
        services.cancel_scope.cancel()


def new_node(web: Web, surroundings: Surroundings) -> Node:
    """What the API knows of this process."""
    settings = web.settings
    broker = surroundings.broker
    started = time.time()
    process = Process(
        broker,
        started,
        memory.resident,
        surroundings.thresholds.memory_limit,
        surroundings.thresholds.disk_free_limit,
        folder=_folder(settings),
        journal=surroundings.journal,
    )
    sampler = Sampler(broker, settings.collect_statistics_interval / 1000, process.measure)
    return Node(
        broker=broker,
        name=settings.node_name,
        flush=surroundings.flush,
        started=started,
        sampler=sampler,
        facts=lambda: sampler.facts or process.measure(0, 0),
        listeners=lambda: facts_of(web, surroundings),
        journal=surroundings.journal,
        log=Log(),
        reload=web.reload,
        thresholds=surroundings.thresholds,
        stopping=web.stopping,
    )


def owner() -> str:
    """The name of the user who runs this process."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def facts_of(web: Web, surroundings: Surroundings) -> list[ListenerFact]:
    """Every socket that listens."""
    kinds = (("amqp", "amqp/ssl", surroundings.doors), ("http", "https", web.api))
    found = [_fact(plain, tls, door) for plain, tls, doors in kinds for door in doors]
    return found + [_fact("http/prometheus", "https/prometheus", door) for door in web.figures]


def _fact(plain: str, tls: str, door: Door) -> ListenerFact:
    return ListenerFact(plain if door.tls is None else tls, door.host, door.port)


def _folder(settings: Settings) -> str:
    return str(Path(settings.data).absolute() if settings.data is not None else Path.cwd())
