"""What `amq journal` finds, for people."""

import json
import sys
from pathlib import Path
from typing import Any

from amq.cli.journal_facts import Facts


def print_survey(journal: Path, facts: Facts) -> None:
    """What there is, what is alive, what is damaged."""
    print(f"{journal}: {facts['status'].upper()}")
    print(
        f"  {_count(facts['segments'], 'segment')}, {_count(facts['frames'], 'frame')}, "
        f"{_count(facts['messages'], 'message')}, {_count(facts['octets'], 'octet')}"
    )
    if facts["torn_end"] is not None:
        print(
            f"  {facts['torn_end']['file']}: offset {facts['torn_end']['offset']}: the end is torn, "
            "as after a crash: nothing that was confirmed is lost"
        )
    _print_queues(facts)
    for damage in facts["damages"]:
        _print_damage(journal, damage)


def _print_damage(journal: Path, damage: Facts) -> None:
    print(f"\n{journal}/{damage['file']}: offset {damage['offset']}: {damage['problem']}")
    if damage["end"] > damage["offset"]:
        print(f"  octets {damage['offset']} to {damage['end'] - 1}")
    for fact in damage["affected"].split("; "):
        print(f"  {fact}")
    if damage["messages_kept"]:
        print(f"  {_count(damage['messages_kept'], 'message')} in it can be read all the same")


def _print_queues(facts: Facts) -> None:
    if not facts["queue_names_known"]:
        print("  definitions.db cannot be read: queues have no names here, and deleted ones are counted")
    rows = [
        (
            row["name"] if row["name"] is not None else f"queue {row['id']}",
            row["vhost"] or "",
            row["messages"],
            row["octets"],
            row["oldest"],
        )
        for row in facts["queues"]
    ]
    if rows:
        print_table(("queue", "vhost", "messages", "octets", "oldest"), rows)
    else:
        print("  no messages wait in it")


def print_frame(facts: Facts) -> None:
    """A frame and its records."""
    kind = "MARK" if facts["kind"] == "MARK" else _count(len(facts["records"]), "record")
    print(
        f"{facts['offset']:10}  frame {facts['sequence']}: {kind}, {_count(facts['octets'], 'octet')}, "
        f"all up to {facts['synced']} are safe"
    )
    for record in facts["records"]:
        print(f"{record['offset']:10}    {record['kind']}{_record_text(record)}")


def _record_text(record: Facts) -> str:
    if record["kind"] == "RUN":
        first, last = record["lsns"]
        return (
            f" {_span(first, last)}, bodies of {_count(record['body_size'], 'octet')}, "
            f"published {record['published']} to {record['exchange']!r} with {record['routing_key']!r}, "
            f"for {', '.join(record['queues']) or 'no queue'}"
        )
    if record["kind"] == "SETTLED":
        spans = ", ".join([_span(*span) for span in record["lsns"]])
        return f" {_count(record['count'], 'message')} of {record['queue']}: {spans}"
    return ""


def _span(first: int, last: int) -> str:
    return f"{first} to {last}" if first < last else str(first)


def print_json(facts: Facts) -> None:
    """The same for programs."""
    json.dump(facts, sys.stdout, indent=2)
    print()


def print_table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Numbers to the right, the rest to the left."""
    cells = [[str(cell if cell is not None else "") for cell in row] for row in [columns, *rows]]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    numbers = [all(isinstance(row[index], int) for row in rows) for index in range(len(columns))]
    for row in cells:
        padded = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, numbers, strict=True)
        ]
        print(f"  {'  '.join(padded)}".rstrip())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
