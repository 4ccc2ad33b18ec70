"""Why a broker could not start."""


class StartError(Exception):
    """The broker cannot start with these settings on this machine; the text is one line for the operator."""


class SettingError(StartError):
    """One of the settings cannot be used; what it says begins with the key.

    `field` is that of Settings, with a dot before a part of it (`tls.ciphers`), and `value` the wrong one when it has
    several. `problem` is the text without the key.
    """

    def __init__(self, field: str, key: str, problem: str, value: str | None = None) -> None:
        super().__init__(f"{key}: {problem}")
        self.field = field
        self.problem = problem
        self.value = value
