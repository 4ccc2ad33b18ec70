"""Why a broker could not start, or cannot go on."""

from collections.abc import Iterator
from pathlib import Path


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


class StorageFailed(Exception):
    """The disk has failed under a running broker, which must end: what it would confirm from now on may be lost.

    `doing` is what it could not do with the file, as a verb: `write`, `sync`. The text is one line for the operator.
    """

    def __init__(self, doing: str, path: str | Path, error: Exception) -> None:
        reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        super().__init__(f"the disk failed: cannot {doing} {path}: {reason}")
        self.doing = doing
        self.path = path
        self.error = error


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """The errors of a group, which nurseries may have wrapped several times."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error


def storage_failures(error: BaseException) -> tuple[list[StorageFailed], BaseException | None]:
    """The failures of the disk in an error or a group of them, and what else is in it.

    (Not `except*`: PyPy 3.11 fails over it in a task.)
    """
    if isinstance(error, StorageFailed):
        return [error], None
    if not isinstance(error, BaseExceptionGroup):
        return [], error
    failed, rest = error.split(StorageFailed)
    found = [] if failed is None else [leaf for leaf in leaves(failed) if isinstance(leaf, StorageFailed)]
    return found, rest
