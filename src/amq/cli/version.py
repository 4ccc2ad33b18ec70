"""Which amq this is."""

from importlib import metadata


def version() -> str:
    """The version of the installed package, or `unknown` where the sources run without being installed."""
    try:
        return metadata.version("amq")
    except metadata.PackageNotFoundError:
        return "unknown"
