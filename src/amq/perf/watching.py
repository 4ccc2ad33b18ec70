"""Which view a run gets: the live one on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec

from amq.perf.lines import Lines
from amq.perf.watcher import Watcher


@contextmanager
def watching(say: Callable[[str], None], quiet: bool = False, plain: bool = False) -> Iterator[Watcher]:
    """A watcher that writes to stdout; `say` gets the lines where they are plain.

    It is live when stdout is a terminal that rich (an extra) can draw on, unless `quiet` or `plain`; a terminal is
    given back as it was at the end.
    """
    if quiet or plain or not sys.stdout.isatty() or find_spec("rich") is None:
        yield Lines(say, quiet)
        return
    console = import_module("rich.console").Console(highlight=False)
    if console.is_dumb_terminal:
        yield Lines(say)
        return
    view = import_module("amq.perf.live").LiveView(console)
    try:
        yield view
    finally:
        view.close()
