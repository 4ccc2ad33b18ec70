"""Where data are when nobody says where. Light, so that commands that start no broker can ask."""

import os
from pathlib import Path

from amq.server.errors import StartError


def default_data() -> str:
    """`amq` in the user's folder for states (XDG base directories).

    Raises StartError for a user without a home.
    """
    states = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not states.is_absolute():
        try:
            states = Path.home() / ".local/state"
        except RuntimeError:
            raise StartError("no home to keep data in: name a folder with --data, or use --in-memory") from None
    return str(states / "amq")
