"""What becomes of a message that dies in a queue, and the story that it tells."""

from dataclasses import replace

from amq.wire.tables import Field, Table
from tests.model.records import Queue, Sent


def letter(sent: Sent, queue: Queue, reason: str, time: int) -> Sent:
    """The message as it is published to the dead-letter exchange."""
    headers = dict(sent.headers)
    told = told_by(headers)
    same = [entry for entry in told if entry["queue"][1] == queue.name and entry["reason"][1] == reason.encode()]
    if same:
        latest = {**same[0], "count": ("l", same[0]["count"][1] + 1)}
    else:
        latest = {
            "count": ("l", 1),
            "reason": ("S", reason.encode()),
            "queue": ("S", queue.name),
            "time": ("T", time),
            "exchange": ("S", sent.exchange),
            "routing-keys": ("A", [("S", key) for key in [sent.key, *sent.copies]]),
        }
        if sent.expiration is not None:
            latest["original-expiration"] = ("S", b"%d" % sent.expiration)
    entries: list[Field] = [("F", entry) for entry in [latest, *(entry for entry in told if entry not in same)]]
    headers["x-death"] = ("A", entries)
    for which in ("first", "last"):
        if which == "last" or "x-first-death-reason" not in headers:
            headers[f"x-{which}-death-reason"] = ("S", reason.encode())
            headers[f"x-{which}-death-queue"] = ("S", queue.name)
            headers[f"x-{which}-death-exchange"] = ("S", sent.exchange)
    assert queue.dead_letter_exchange is not None
    dead = replace(sent, exchange=queue.dead_letter_exchange, headers=headers, expiration=None)
    if queue.dead_letter_key is not None:
        headers.pop("CC", None)
        dead = replace(dead, key=queue.dead_letter_key, copies=(), blind=())
    return dead


def told_by(headers: Table) -> list[Table]:
    """The entries of x-death, the latest first."""
    return [table for _, table in headers.get("x-death", ("A", []))[1]]


def goes_round(target: bytes, reason: str, dead: Sent) -> bool:
    """Whether a dead message has been in that queue before without anybody having rejected it since."""
    if reason == "rejected":
        return False
    for entry in told_by(dead.headers):
        if entry["reason"][1] == b"rejected":
            return False
        if entry["queue"][1] == target:
            return True
    return False
