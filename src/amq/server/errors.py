"""Why a broker could not start."""


class StartError(Exception):
    """The broker cannot start with these settings on this machine; the text is one line for the operator."""
