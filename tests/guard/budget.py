"""What a message may cost: measures it, and keeps the table `budget.json`.

    python -m tests.guard.budget            # measure, and renew the table for this version of Python
    make budget                             # the same
    python -m tests.guard.budget --json     # measure only

Figures are per message and the same in every run: the difference between N turns of a load and 2N of them, so that
what is done once does not count. `opcodes` and `calls` are those of `src/amq` (tests/harness/counting.py). `octets` is
memory per message that waits in a queue. The tests measure in a process of its own, too: pytest rewrites the
assertions of what it loads, which costs instructions. Tables differ between versions of Python; on one that has none,
the calls of the newest that has one count.
"""

import argparse
import gc
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Final

from tests.harness.counting import Count, counted
from tests.harness.load import SCENARIOS, Running, Scenario

ROOT: Final = Path(__file__).parents[2]
TABLE: Final = Path(__file__).with_name("budget.json")
VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
RENEW: Final = "make budget"
# Parts of its budget that a message may cost more.
SLACK: Final = 0.02
SLACK_OCTETS: Final = 0.05
# The same where a budget was not measured but taken over from what changed in another version of Python.
SLACK_ESTIMATED: Final = 0.1
ESTIMATED: Final = "estimated"
MESSAGES: Final = 200
WARM: Final = 3
WAITING: Final = 10_000
# What waits: ready (the consumer has one and acknowledges nothing), handed out, ready in a durable queue.
KINDS: Final = {
    "ready": Scenario(prefetch=1, ack=1),
    "unacknowledged": Scenario(ack=1),
    "ready-durable": Scenario(prefetch=1, ack=1, persistent=True),
}

Costs = dict[str, dict[str, float]]


def cost(scenario: Scenario, *files: str) -> Count:
    """What a message costs in a scenario."""
    running = Running(scenario)
    turns = max(MESSAGES // running.published, 2)

    def turn(times: int) -> None:
        for acks in running.acknowledgements(times):
            running.turn(acks)

    turn(WARM)
    once = counted(lambda: turn(turns), *files)
    twice = counted(lambda: turn(2 * turns), *files)
    return (twice - once) / (turns * running.published)


def octets(scenario: Scenario) -> float:
    """What a message that waits takes in memory; nobody acknowledges."""
    running = Running(scenario)

    def publish(messages: int) -> int:
        for _ in range(messages // scenario.chunk):
            running.turn(b"")
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        few = publish(WAITING)
        many = publish(WAITING)
    finally:
        tracemalloc.stop()
    return (many - few) / WAITING


def measured() -> Costs:
    """The table for this version of Python."""
    counts = {name: cost(scenario) for name, scenario in SCENARIOS.items()}
    costs = {name: {"opcodes": count.opcodes, "calls": count.calls} for name, count in counts.items()}
    return costs | {name: {"octets": octets(scenario)} for name, scenario in KINDS.items()}


def measured_apart() -> Costs:
    """The same, found out by a process of its own. Raises CalledProcessError."""
    command = [sys.executable, "-m", "tests.guard.budget", "--json"]
    found: Costs = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return found


def table() -> dict[str, Costs]:
    """The budgets of all versions of Python."""
    found: dict[str, Costs] = json.loads(TABLE.read_text())
    return found


def budget(version: str = VERSION) -> Costs:
    """The budgets of a version of Python; calls alone where there are none."""
    costs = table()
    if version in costs:
        return costs[version]
    newest = max(costs, key=lambda version: [int(part) for part in version.split(".")])
    return {name: {"calls": each["calls"]} for name, each in costs[newest].items() if "calls" in each}


def overrun(name: str, found: dict[str, float], allowed: dict[str, float]) -> list[str]:
    """In which respects a message is dearer than it may be."""
    faults = []
    for unit, most in allowed.items():
        if unit == ESTIMATED:
            continue
        slack = SLACK_OCTETS if unit == "octets" else SLACK_ESTIMATED if ESTIMATED in allowed else SLACK
        more = found[unit] - most
        if more > most * slack:
            faults.append(
                f"{name}: {found[unit]:.2f} {unit} per message, {more:.2f} ({more / most:.1%}) more than {most:.2f}. "
                f"If that is wanted: {RENEW}"
            )
    return faults


def renew(found: Costs) -> None:
    """Put what was measured into the table and say what has changed.

    What has changed by more than the slack is taken to have changed alike in other versions, until they are measured.
    """
    costs = table()
    before = costs.get(VERSION, {})
    costs[VERSION] = {name: {unit: round(value, 2) for unit, value in each.items()} for name, each in found.items()}
    for name, each in costs[VERSION].items():
        for unit, value in each.items():
            was = before.get(name, {}).get(unit, 0.0)
            print(f"{name:<16}{unit:<8}{was:>10.2f} -> {value:.2f}")  # noqa: T201
            # A difference from what was only estimated is no change.
            if was and ESTIMATED not in before[name] and abs(value - was) > was * SLACK:
                for other in costs.keys() - {VERSION}:
                    estimate(costs[other][name], unit, was, value)
    TABLE.write_text(json.dumps(dict(sorted(costs.items())), indent=1) + "\n")


def estimate(budgets: dict[str, float], unit: str, was: float, value: float) -> None:
    """Change the budget of another version as this one's has: by as many calls, by the same part of the rest."""
    there = budgets[unit]
    budgets[unit] = round(there + value - was if unit == "calls" else there * value / was, 2)
    budgets[ESTIMATED] = 1


def main() -> None:
    """Measure, and renew the table unless only figures are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    found = measured()
    if parser.parse_args().json:
        print(json.dumps(found))  # noqa: T201
    else:
        renew(found)


if __name__ == "__main__":
    main()
