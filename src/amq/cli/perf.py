"""`amq perf`: load for any AMQP 0-9-1 broker, in the manner of RabbitMQ's PerfTest."""

import json
import signal
import ssl
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TextIO, cast

import click
import trio

from amq.cli import exits, perf_options
from amq.cli.ask.target import Tls
from amq.cli.exits import CommandError
from amq.cli.perftest import PerfTestCommand
from amq.cli.show.text import harmless
from amq.management.errors import BadRequest
from amq.perf.lines import Lines
from amq.perf.link import Failure
from amq.perf.load import Load, LoadError
from amq.perf.page import page
from amq.perf.result import Result
from amq.perf.run import run
from amq.perf.watcher import Watcher

# What a broker's reply code means for the exit status; others are the broker's failure to do it.
STATUSES: Final = {403: exits.NOT_ALLOWED, 404: exits.DATA, 405: exits.DATA, 406: exits.DATA, 402: exits.DATA}
STDOUT: Final = "-"


@click.command(
    "perf",
    cls=PerfTestCommand,
    short_help="put a load on any AMQP 0-9-1 broker and measure it",
    help="Put a load on a broker, ours or any other that speaks AMQP 0-9-1, and show rates and latencies. Options are "
    "those of RabbitMQ's PerfTest; its names of two letters (-vr, -qa, -ad true) are understood, too. Without options "
    "one connection publishes and one consumes as fast as it goes until Ctrl-C.",
)
@perf_options.BROKER
@perf_options.SHAPE
@perf_options.PUBLISHING
@perf_options.CONSUMING
@perf_options.RUN
def command(
    cacert: str | None,
    cert: str | None,
    key: str | None,
    insecure: bool,
    json_file: str | None,
    html_file: str | None,
    plain: bool,
    quiet: bool,
    **asked: Any,
) -> int:
    """Run it; returns the exit status."""
    try:
        load = perf_options.load_of(asked)
        context = Tls(cacert, cert, key, insecure).context()
        for file in (json_file, html_file):
            _check(file)
        result = _run(load, _watcher(plain, quiet, json_file == STDOUT), context)
    except LoadError as error:
        raise CommandError(exits.USAGE, str(error)) from None
    except BadRequest as error:
        raise CommandError(exits.USAGE, str(error.reason)) from None
    except Failure as failure:
        raise CommandError(STATUSES.get(failure.code, exits.UNAVAILABLE), str(failure)) from None
    _write(json_file, f"{json.dumps(result.document(), indent=1)}\n")
    if html_file is not None:
        _write(html_file, page([result]))
    if result.errors:
        raise CommandError(exits.UNAVAILABLE, result.errors[0])
    return exits.OK


def _watcher(plain: bool, quiet: bool, stdout_taken: bool) -> Watcher:
    """A live view on a terminal, if there is what draws it; else lines."""
    stream = sys.stderr if stdout_taken else sys.stdout
    if stream.isatty() and not plain and not quiet:
        try:
            console = import_module("rich.console").Console(file=stream)
            return cast("Watcher", import_module("amq.perf.live").LiveView(console))
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] != "rich":
                raise
    return Lines(lambda line: _say(stream, line), quiet)


def _say(stream: TextIO, line: str) -> None:
    print(harmless(line), file=stream, flush=True)


def _run(load: Load, watcher: Watcher, context: ssl.SSLContext) -> Result:
    """Until its end or until somebody stops it, which is a good end.

    Raises Failure; KeyboardInterrupt when it is stopped a second time; BrokenPipeError when nobody reads the lines,
    CommandError when they cannot be written.
    """
    try:
        return trio.run(_run_until_stopped, load, watcher, context)
    except BaseExceptionGroup as group:
        for kind in (KeyboardInterrupt, BrokenPipeError):
            if group.subgroup(kind) is not None:
                raise kind from None
        # What goes wrong with a broker is a Failure: this is the output.
        if (full := group.subgroup(OSError)) is not None:
            raise CommandError(exits.CANNOT_WRITE, _first(full)) from None
        raise
    finally:
        watcher.close()


def _first(group: BaseExceptionGroup[OSError]) -> str:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return f"cannot write: {found.strerror if isinstance(found, OSError) else found}"


async def _run_until_stopped(load: Load, watcher: Watcher, context: ssl.SSLContext) -> Result:
    stop = trio.Event()
    failure: Failure | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_listen, stop)
        try:
            result = await run(load, watcher, context, stop)
        except Failure as error:
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return result


async def _listen(stop: trio.Event) -> None:
    """The first signal ends the run; what a second one does is not ours any more."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            stop.set()
            return


def _check(file: str | None) -> None:
    """Before the run, not after it: a file that cannot be written."""
    if file is not None and file != STDOUT:
        try:
            Path(file).open("a").close()
        except OSError as error:
            raise CommandError(exits.CANNOT_WRITE, f"{file}: {error.strerror or error}") from None


def _write(file: str | None, text: str) -> None:
    if file == STDOUT:
        sys.stdout.write(text)
    elif file is not None:
        try:
            Path(file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(exits.CANNOT_WRITE, f"{file}: {error.strerror or error}") from None
