"""What a text in the language of `rabbitmq.conf` says; `conf_grammar` reads it."""

import attrs


@attrs.frozen
class Entry:
    """One setting. `words` are the key's parts with their escapes undone; line and column (from 1) are the value's."""

    words: tuple[str, ...]
    value: str
    line: int
    column: int

    @property
    def key(self) -> str:
        """The key as it is written."""
        return ".".join(word.replace(".", "\\.") for word in self.words)


@attrs.frozen
class Include:
    """`include PATTERN`: files to read at this point; line and column (from 1) are the pattern's."""

    pattern: str
    line: int
    column: int


class ConfError(ValueError):
    """The text is not in this language; `message` says what is allowed there. Line and column count from 1."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.line = line
        self.column = column
        self.message = message
