"""What depends on the Python that runs the broker: how many octets are best moved in one piece."""

import sys
from typing import Final

PYPY: Final = sys.implementation.name == "pypy"
# Octets that are read, joined or written at once, roughly. PyPy makes objects of 132 KiB and more outside its nursery,
# in memory that the system has to give it page by page (measured: 60 KB joined in 1 us, 200 KB in 90). CPython does not
# mind, and has fewer pieces to deal with when they are larger.
AT_ONCE: Final = 1 << 16 if PYPY else 1 << 18
