"""Two transcripts of a scenario side by side: what differs, and what of that is wanted."""

from collections.abc import Iterator
from typing import Any

import attrs

from tests.conformance_http.answers import differences
from tests.conformance_http.wanted import WANTED, Wanted

Transcript = list[dict[str, Any]]


def found(theirs: Transcript, ours: Transcript) -> Iterator[str]:
    """Every difference, a line each, the request in front."""
    for one, other in zip(theirs, ours, strict=False):
        if one["ask"] != other["ask"]:
            yield f"RabbitMQ was asked {one['ask']}, amq {other['ask']}: record the scenario again"
            return
        for line in differences({**one, "ask": ""}, {**other, "ask": ""}):
            yield f"{one['ask']}: {line}"
    if len(theirs) != len(ours):
        yield f"RabbitMQ was asked {len(theirs)} times, amq {len(ours)}: record the scenario again"


@attrs.define
class Comparison:
    """What came of a scenario: differences that nobody wants, wanted ones, and wanted ones that are not there."""

    unexpected: list[str] = attrs.field(factory=list)
    wanted: dict[Wanted, list[str]] = attrs.field(factory=dict)
    stale: list[Wanted] = attrs.field(factory=list)


def compared(name: str, theirs: Transcript, ours: Transcript) -> Comparison:
    """Judge the differences of a scenario."""
    comparison = Comparison()
    rules = [rule for rule in WANTED if name in rule.scenarios]
    for line in found(theirs, ours):
        rule = next((rule for rule in rules if rule.about(line)), None)
        if rule is None:
            comparison.unexpected.append(line)
        else:
            comparison.wanted.setdefault(rule, []).append(line)
    comparison.stale = [rule for rule in rules if rule not in comparison.wanted]
    return comparison
