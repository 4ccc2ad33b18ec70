"""`amq serve`: the broker in the foreground."""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Any, Final

import attrs

from amq.cli.banner import banner
from amq.config.load import ConfigError, load
from amq.config.origins import Origins
from amq.config.settings import LOG_LEVELS
from amq.server import logs, main
from amq.server.errors import SettingError, StartError
from amq.server.server import Server

LOGGER: Final = logging.getLogger(__name__)

# A configuration, a command line or a machine that the broker cannot start with.
CANNOT_START: Final = 2


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Enter the command into the parser of `amq`."""
    parser = commands.add_parser(
        "serve",
        help="run the broker in the foreground",
        description="Run the broker in the foreground. SIGTERM or SIGINT stops it in good order, a second one at once.",
    )
    parser.add_argument("--config", metavar="FILE", help="a file in the format of rabbitmq.conf")
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        action="append",
        default=[],
        help="accept clients here and not where the configuration says (127.0.0.1:5672); may be given several times",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--data",
        metavar="DIR",
        help="the folder where durable definitions and persistent messages are kept ($AMQ_DATA, or amq in "
        "$XDG_STATE_HOME or in ~/.local/state)",
    )
    place.add_argument("--in-memory", action="store_true", help="keep nothing: all is gone when the broker stops")
    parser.add_argument("--log-level", metavar="LEVEL", help=f"one of {', '.join(LOG_LEVELS)} (info)")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped; returns the exit status."""
    origins = Origins()
    try:
        settings, warnings = load(
            options.config,
            os.environ,
            listen=options.listen,
            data=options.data,
            in_memory=options.in_memory,
            log_level=options.log_level,
            origins=origins,
        )
        if origins.of("data") is None:
            settings = attrs.evolve(settings, data=default_data())
        logs.configure(settings.log_level)
        for warning in warnings:
            LOGGER.warning(warning)
        return main.run(settings, announce)
    except SettingError as error:
        return _refuse(_placed(error, origins))
    except (ConfigError, StartError) as error:
        return _refuse(str(error))


def default_data() -> str:
    """Where data are when nobody says where: `amq` in the user's folder for states (XDG base directories).

    Raises StartError for a user without a home.
    """
    states = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not states.is_absolute():
        try:
            states = Path.home() / ".local/state"
        except RuntimeError:
            raise StartError("no home to keep data in: name a folder with --data, or use --in-memory") from None
    return str(states / "amq")


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
