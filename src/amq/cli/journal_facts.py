"""What `amq journal` finds, as plain data: printed as JSON as it is, and as text by `amq.cli.journal`."""

from datetime import UTC, datetime
from struct import error as StructError
from typing import Any, Final

from amq.journal import frame, record
from amq.journal.damage import Damage
from amq.journal.frame import Frame
from amq.journal.record import RecordError, Run
from amq.journal.replay import records
from amq.journal.salvageable import Part
from amq.journal.survey import Scan, Survey
from amq.server.offline import QueueNames, affected
from amq.wire import properties as props
from amq.wire.tables import Field

Facts = dict[str, Any]
# Lists of LSNs are shown up to so many ranges.
SHOWN: Final = 20


def of_survey(survey: Survey, names: QueueNames) -> Facts:
    """All of it: what there is, what is alive, what is damaged."""
    segments = survey.census.segments
    return {
        "status": "damaged" if survey.damages else "ok",
        "segments": len(survey.parts),
        "frames": survey.frames,
        "messages": sum([runs.messages for runs in segments]),
        "octets": sum([part.size for part in survey.parts]),
        "stopped_in_good_order": survey.clean,
        "torn_end": None if survey.torn is None else {"file": survey.torn[0], "offset": survey.torn[1]},
        "queue_names_known": names.known is not None,
        "queues": of_queues(survey, names),
        "damages": [of_damage(damage, names) for damage in survey.damages],
    }


def of_queues(survey: Survey, names: QueueNames) -> list[Facts]:
    """What is alive in each queue, by vhost and name."""
    rows = []
    for queue, pile in survey.census.count(names.known).items():
        vhost, name = names.place(queue) or (None, None)
        rows.append(
            {
                "id": queue,
                "vhost": vhost,
                "name": name,
                "messages": pile.messages,
                "octets": pile.octets,
                "oldest": moment(pile.oldest),
            }
        )
    return sorted(rows, key=lambda row: (row["vhost"] or "", row["name"] or "", row["id"]))


def of_damage(damage: Damage, names: QueueNames) -> Facts:
    """One damage."""
    return {
        "file": damage.name,
        "offset": damage.offset,
        "end": damage.end,
        "problem": damage.problem,
        "frames": [damage.first, damage.last] if damage.first else None,
        "lost_messages": [list(gap) for gap in damage.gaps],
        "consumed_at_least": damage.settled,
        "carried_messages_up_to": damage.carried or None,
        "messages_kept": damage.kept,
        "loses": damage.loses(),
        "queues_around": [names.describe(queue) for queue in damage.around],
        "affected": affected(damage, names),
    }


def of_segment(part: Part, scan: Scan | None) -> Facts:
    """One segment; how much of it is alive is known when all were read."""
    return {
        "number": part.number,
        "file": part.name,
        "size": part.size,
        "used": scan.used if scan is not None else 0,
        "frames": len(scan.frames) if scan is not None else 0,
        "alive": 0,
        "dead": 0,
        "octets": 0,
    }


# -- frames --


def of_frame(octets: bytes, found: Frame, good: list[int] | None, names: QueueNames) -> Facts:
    """One frame with its records."""
    kept = None if good is None else set(good)
    return {
        "offset": found.start,
        "sequence": found.sequence,
        "synced": found.synced,
        "kind": "MARK" if found.flags & frame.MARK else "records",
        "octets": found.records_end - found.records_at,
        "records": [
            of_record(octets, pos, kind, names)
            if kept is None or pos in kept
            else {"offset": pos, "kind": "damaged or not used"}
            for pos, kind in records(octets, found)
        ],
    }


def of_record(octets: bytes, pos: int, kind: int, names: QueueNames) -> Facts:
    """One record, which is as it was written."""
    facts: Facts = {"offset": pos}
    if kind == record.RUN:
        run = record.read_run(octets, pos)
        address, _, _ = record.content(octets, pos, run)
        return facts | {
            "kind": "RUN",
            "lsns": [run.lsn, run.lsn + run.count - 1],
            "body_size": run.body_size,
            "queues": [names.describe(queue) for queue in run.queues],
            "published": moment(run.time),
            **_address(address),
        }
    if kind == record.SETTLED:
        queue, lsns = record.read_settled(octets, pos)
        return facts | {"kind": "SETTLED", "queue": names.describe(queue), "count": len(lsns), "lsns": ranges(lsns)}
    return facts | {"kind": "CLEAN"}


def ranges(lsns: record.Lsns) -> list[list[int]]:
    """Numbers as ranges of a first and a last one, the first ones of many."""
    if isinstance(lsns, range):
        return [[lsns.start, lsns.stop - 1]]
    found: list[list[int]] = []
    for lsn in lsns:
        if found and found[-1][1] + 1 == lsn:
            found[-1][1] = lsn
        elif len(found) == SHOWN:
            break
        else:
            found.append([lsn, lsn])
    return found


# -- one message --


def of_message(octets: bytes, pos: int, run: Run, lsn: int, survey: Survey, names: QueueNames) -> Facts:
    """A message of the RUN at an offset."""
    address, header, blind = record.content(octets, pos, run)
    settled = survey.census.settled
    return {
        "lsn": lsn,
        "offset": pos,
        "published": moment(run.time),
        "expires": None if run.expires == record.NEVER else moment(run.expires),
        **_address(address),
        "bcc": [text(key) for key in record.read_blind(blind) or []],
        "properties": of_properties(header),
        "body_size": run.body_size,
        "queues": [
            {"queue": names.describe(queue), "settled": queue in settled and settled[queue].has(lsn)}
            for queue in run.queues
        ],
    }


def of_properties(header: bytes) -> Facts:
    """The properties that the broker itself looks at, those that are there; and the header as it is."""
    facts: Facts = {"header": header.hex()}
    try:
        found = props.read(header)
        headers = found.headers()
    except ValueError as error:
        return facts | {"problem": str(error)}
    facts["delivery_mode"] = 2 if found.persistent else 1
    if found.priority:
        facts["priority"] = found.priority
    for name in ("expiration", "reply_to", "user_id", "correlation_id", "message_id"):
        value = getattr(found, name)
        if value is not None:
            facts[name] = text(value)
    if found.timestamp is not None:
        facts["timestamp"] = found.timestamp
    if headers:
        facts["headers"] = {key: _plain(value) for key, value in headers.items()}
    return facts


def find_run(octets: bytes, scan: Scan, lsn: int) -> tuple[int, Run] | None:
    """Offset and RUN of a message in a segment, of several the last one."""
    latest = None
    for found, good in scan.frames:
        for pos, kind in records(octets, found):
            if kind != record.RUN or (good is not None and pos not in good):
                continue
            try:
                run = record.read_run(octets, pos)
            except (RecordError, StructError):
                continue
            if run.lsn <= lsn < run.lsn + run.count:
                latest = (pos, run)
    return latest


def _address(address: bytes) -> Facts:
    size = address[0]
    return {"exchange": text(address[1 : 1 + size]), "routing_key": text(address[2 + size :])}


def _plain(field: Field) -> Any:
    """A field of a table, as JSON has it."""
    _, value = field
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return text(value) if isinstance(value, bytes) else value


def text(octets: bytes) -> str:
    """Octets that are text, mostly."""
    return octets.decode("utf-8", "backslashreplace")


def moment(ms: int) -> str | None:
    """A time in ms since 1970 as ISO 8601 has it; None for 0."""
    if not ms:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
