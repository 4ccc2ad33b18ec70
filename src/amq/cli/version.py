"""Which amq this is."""

from importlib import metadata
from importlib.util import find_spec


def version() -> str:
    """The version of the installed package, or `unknown` where the sources run without being installed."""
    try:
        return metadata.version("amq")
    except metadata.PackageNotFoundError:
        return "unknown"


def compiled() -> bool:
    """Whether the hot core was compiled (AMQ_COMPILE=1, see setup.py)."""
    found = find_spec("amq.message")
    return found is not None and not (found.origin or "").endswith(".py")


def full_version() -> str:
    """The version, and whether the hot core was compiled."""
    return version() + (", compiled" if compiled() else "")
