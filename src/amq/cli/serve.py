"""`amq serve`: the broker in the foreground."""

import logging
import os
import socket
import sys
from collections.abc import Sequence
from typing import Final

import attrs
import click

from amq.cli.banner import banner
from amq.cli.folder import default_data
from amq.config.load import ConfigError, load
from amq.config.log import LOG_LEVELS
from amq.config.origins import Origins
from amq.config.settings import Settings
from amq.server import logs, main
from amq.server.errors import SettingError, StartError
from amq.server.server import Server

LOGGER: Final = logging.getLogger(__name__)

# A configuration, a command line or a machine that the broker cannot start with.
CANNOT_START: Final = 2


@click.command(
    "serve",
    short_help="run the broker in the foreground",
    help="Run the broker in the foreground. SIGTERM or SIGINT stops it in good order, a second one at once.",
)
@click.option(
    "--config",
    metavar="FILE",
    help="a file in the format of rabbitmq.conf (with conf.d/*.conf beside it), or a folder of such files",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    multiple=True,
    help="accept clients here and not where the configuration says (127.0.0.1:5672); may be given several times",
)
@click.option(
    "--data",
    metavar="DIR",
    help="the folder where durable definitions and persistent messages are kept ($AMQ_DATA, or amq in "
    "$XDG_STATE_HOME or in ~/.local/state)",
)
@click.option("--in-memory", is_flag=True, help="keep nothing: all is gone when the broker stops")
@click.option("--log-level", metavar="LEVEL", help=f"one of {', '.join(LOG_LEVELS)} (info)")
def command(config: str | None, listen: Sequence[str], data: str | None, in_memory: bool, log_level: str | None) -> int:
    """Serve until stopped; returns the exit status."""
    if in_memory and data is not None:
        raise click.UsageError("argument --in-memory: not allowed with argument --data")
    origins = Origins()

    def read() -> tuple[Settings, list[str]]:
        """The settings as they are said now, and warnings. Raises ConfigError."""
        said = Origins()
        settings, warnings = load(
            config,
            os.environ,
            listen=listen,
            data=data,
            in_memory=in_memory,
            log_level=log_level,
            origins=said,
        )
        origins.replace(said)
        if said.of("data") is None:
            settings = attrs.evolve(settings, data=default_data())
        if said.of("node_name") is None:
            settings = attrs.evolve(settings, node_name=default_node_name())
        return settings, warnings

    try:
        settings, warnings = read()
        logs.configure(settings)
        for warning in warnings:
            LOGGER.warning(warning)
        return main.run(settings, announce, read)
    except SettingError as error:
        return _refuse(_placed(error, origins))
    except (ConfigError, StartError) as error:
        return _refuse(str(error))


def default_node_name() -> str:
    """How a node is called that nobody has named: `amq@` and the machine's name."""
    return f"amq@{socket.gethostname().partition('.')[0] or 'localhost'}"


def _placed(error: SettingError, origins: Origins) -> str:
    """What is wrong, with the place where it is said instead of the bare key."""
    origin = origins.of(error.field, error.value)
    return str(error) if origin is None else f"{origin}: {error.problem}"


def _refuse(problem: str) -> int:
    print(f"amq: {problem}", file=sys.stderr)
    return CANNOT_START


def announce(server: Server) -> None:
    """Tell the operator on stdout that clients can connect, and how."""
    print(banner(server), flush=True)
