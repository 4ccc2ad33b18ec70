"""How far something is, for who waits at a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

Advance = Callable[[int], None]


@contextmanager
def progress(what: str, total: int | None, *, quiet: bool) -> Iterator[Advance]:
    """A bar on stderr for the block, if stderr is a terminal; what it gives is told how much was done in all."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done: None
        return
    module = import_module("rich.progress")
    console = import_module("rich.console").Console(stderr=True)
    columns = (
        module.TextColumn("{task.description}"),
        module.BarColumn(),
        module.MofNCompleteColumn(),
        module.TimeRemainingColumn(),
    )
    with module.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
