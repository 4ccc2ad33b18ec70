"""What is wrong with a configuration, said in one line."""


class ConfigError(ValueError):
    """A configuration that cannot be used.

    The text is one line: `ORIGIN: what is wrong, what is allowed`, with an origin such as `FILE:LINE:COLUMN: KEY`,
    `environment AMQ_HEARTBEAT` or `--listen VALUE`.
    """

    def __init__(self, origin: str, problem: str, allowed: str = "") -> None:
        text = f"{origin}: {problem}, allowed: {allowed}" if allowed else f"{origin}: {problem}"
        super().__init__(" ".join(text.split()))
        self.origin = origin
