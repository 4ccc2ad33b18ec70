"""PyPy's garbage collector as a broker needs it.

What is new stands in a nursery. Whatever is still in use when that is full moves out, one by one, and has to be marked
and swept later. The messages of a window of 500 and all that is made of them take a megabyte: of the 4 MiB that are
usual they fill a quarter, of a larger nursery next to nothing (measured with 1 KiB, durable: 1.7 times the messages per
second, p99 5 ms instead of 12). The step is what is marked at once, by default twice the nursery.

PyPy reads these from the environment when it starts, so `amq serve` starts anew, once, in the same process.
"""

import os
import sys
from contextlib import suppress
from typing import Final

from amq.interpreter import PYPY

SETTINGS: Final = {"PYPY_GC_NURSERY": "16M", "PYPY_GC_INCREMENT_STEP": "8M"}


def start_anew() -> None:
    """Run the same command again under PyPy with these settings; returns where that is not needed, or not possible.

    Whoever has set any of them has decided.
    """
    if not PYPY or SETTINGS.keys() & os.environ.keys():
        return
    # Without a path to the interpreter, or the right to run it, the broker is slower, and that is all.
    with suppress(OSError):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **SETTINGS})
