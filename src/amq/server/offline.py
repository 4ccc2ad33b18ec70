"""A journal that no broker uses, read without changing anything, a segment at a time."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Final

from amq.definitions import stored
from amq.definitions.stored import KeepingExchange, NumberedQueue
from amq.journal import change as kinds
from amq.journal.damage import Damage, Gap
from amq.journal.frame import SEGMENT_HEADER
from amq.journal.replay import Corrupt
from amq.journal.salvageable import Part
from amq.journal.segment import segment_number
from amq.journal.survey import Scan, Survey
from amq.server.folder import DataFolder

# What of the definition store is needed to read it: the file and its log.
STORE_FILES: Final = ("", "-wal")
# What messages wait in: queues, and exchanges that delay them.
KEEPING: Final = (f"{kinds.QUEUE}/".encode(), f"{kinds.EXCHANGE}/".encode())
# Names need not be UTF-8.
AS_TEXT: Final = ("utf-8", "backslashreplace")

# A segment that was read, None when nothing in it can be; and its octets.
Visit = Callable[[Part, Scan | None, bytes], None]


def parts_of(journal: Path) -> list[Part]:
    """The segments in a folder, in order. Raises OSError."""
    parts = []
    for path in sorted(journal.iterdir()):
        if segment_number(path.name) is None:
            continue
        part = Part(path.name, path.stat().st_size, _octets(path, SEGMENT_HEADER))
        if part.header is None:
            part.guess(_octets(path))
        parts.append(part)
    return parts


def _octets(path: Path, size: int = -1) -> bytes:
    """The first so many octets of a file, or all. Raises OSError, which names the file also when it can be opened."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def take_survey(journal: Path, visit: Visit | None = None) -> Survey:
    """Read all segments in a folder; `visit` sees each one. Raises OSError."""
    survey = Survey(parts_of(journal))
    for index, part in enumerate(survey.parts):
        octets = _octets(journal / part.name)
        scan = survey.read(index, octets)
        if visit is not None:
            visit(part, scan, octets)
    survey.finish()
    return survey


class QueueNames:
    """Durable queues, and exchanges that keep messages, by the ids that the journal has for them.

    `known` is None when the definition store cannot be read: any id may be that of a queue then.
    """

    def __init__(self, queues: dict[int, tuple[str, str]] | None) -> None:
        # Vhost and name.
        self._queues = queues or {}
        self.known: set[int] | None = None if queues is None else set(queues)

    @classmethod
    def read(cls, definitions: Path) -> "QueueNames":
        """Those in the file of a definition store, of which a copy is opened: SQLite writes when it reads."""
        try:
            with tempfile.TemporaryDirectory(prefix="amq-") as folder:
                copy = Path(folder) / definitions.name
                for suffix in STORE_FILES:
                    source = definitions.with_name(definitions.name + suffix)
                    if not suffix or source.exists():
                        shutil.copyfile(source, copy.with_name(copy.name + suffix))
                return cls(_queues(copy))
        except (OSError, sqlite3.Error, ValueError):
            return cls(None)

    def place(self, queue: int) -> tuple[str, str] | None:
        """Vhost and name of a queue; None when it is not defined."""
        return self._queues.get(queue)

    def describe(self, queue: int) -> str:
        """The queue for people."""
        place = self._queues.get(queue)
        if place is not None:
            return f"{place[1]} in {place[0]}"
        return f"queue {queue}" if self.known is None else f"a deleted queue ({queue})"


def _queues(path: Path) -> dict[int, tuple[str, str]]:
    """Raises sqlite3.Error, and ValueError for entries that make no sense."""
    database = sqlite3.connect(path)
    try:
        rows = database.execute("SELECT key, value FROM entries").fetchall()
    finally:
        database.close()
    found = {}
    for key, value in rows:
        if key.startswith(KEEPING):
            definition = stored.read(key, value)
            if isinstance(definition, NumberedQueue):
                found[definition.queue_id] = (_text(definition.vhost), definition.name.decode(*AS_TEXT))
            elif isinstance(definition, KeepingExchange):
                found[definition.waiting_id] = (_text(definition.vhost), f"exchange {definition.name.decode(*AS_TEXT)}")
    return found


def _text(vhost: str) -> str:
    return vhost.encode("utf-8", "surrogatepass").decode(*AS_TEXT)


# -- in words --


def affected(damage: Damage, names: QueueNames) -> str:
    """What is lost for a damage, in part of a line."""
    if not damage.loses():
        return "nothing is lost"
    frames = "it is not known what it held"
    if damage.first:
        frames = f"frame {damage.first}" if damage.first == damage.last else f"frames {damage.first} to {damage.last}"
    facts = [frames, lost_messages(damage)]
    if damage.carried:
        facts.append(f"perhaps also messages up to {damage.carried}, which were carried on from files that are gone")
    facts.append("acknowledgements may be lost with it, so that messages come again")
    if damage.around:
        facts.append(f"around it: {beginning([names.describe(queue) for queue in damage.around])}")
    return "; ".join(facts)


def refusal(folder: DataFolder, error: Corrupt) -> str:
    """Why a broker does not start with a journal that is damaged, in one line."""
    facts = [f"{folder.journal}/{error}"]
    with suppress(OSError):
        damages = take_survey(folder.journal).damages
        here = [damage for damage in damages if damage.name == error.name]
        if here:
            facts.append(affected(here[0], QueueNames.read(folder.definitions)))
        if len(damages) > 1:
            facts.append(f"{len(damages)} places are damaged")
    return "; ".join([*facts, f"see: amq journal verify {quote(str(folder.path))}"])


def lost_messages(damage: Damage) -> str:
    """Which messages are lost."""
    if not damage.gaps:
        return "no message is lost"
    text = f"lost: {', '.join([_gap(gap) for gap in damage.gaps])}"
    return f"{text}, {damage.settled} of which had been consumed from a queue" if damage.settled else text


def _gap(gap: Gap) -> str:
    low, high = gap
    if low is None or high is None:
        return f"messages up to {high}" if high else f"messages from {low} on" if low else "any messages"
    return f"message {low}" if low == high else f"messages {low} to {high} ({high - low + 1} at most)"


def beginning(names: list[str], shown: int = 5) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
