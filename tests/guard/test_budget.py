"""No message becomes dearer unnoticed: instructions, calls and memory per message, held to `budget.json`."""

import platform
import re
from pathlib import Path

import attrs
import pytest

from amq.message import Message
from amq.wire.properties import Properties
from tests.guard import budget
from tests.harness.load import SCENARIOS, Running, Scenario

COMPARE = Path(__file__).parents[2] / "benchmarks" / "compare.py"

pytestmark = pytest.mark.skipif(
    platform.python_implementation() != "CPython", reason="CPython alone tells what its interpreter does"
)


@pytest.fixture(scope="module")
def found() -> budget.Costs:
    return budget.measured_apart()


@pytest.mark.parametrize("name", [*SCENARIOS, *budget.KINDS])
def test_a_message_takes_no_more_instructions_and_calls_and_memory_than_its_budget(
    name: str, found: budget.Costs
) -> None:
    allowed = budget.budget()
    if name not in allowed:
        pytest.skip(f"no table for Python {budget.VERSION}")
    faults = budget.overrun(name, found[name], allowed[name])
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=str)
def test_what_is_measured_goes_all_the_way(scenario: Scenario) -> None:
    running = Running(scenario)
    for acks in running.acknowledgements(4):
        running.turn(acks)
    assert running.deliveries() == 4 * running.delivered
    assert running.left() == 0
    assert not running.broker.awaiting, "everything is confirmed"


def test_every_scenario_of_the_comparison_has_a_budget() -> None:
    text = COMPARE.read_text()
    scenarios = text[text.index("SCENARIOS = {") : text.index("\n}\n")]
    names = set(re.findall(r'^    "([\w-]+)":', scenarios, re.MULTILINE))
    assert names
    assert names <= set(SCENARIOS)
    for version in budget.table():
        assert set(SCENARIOS) | set(budget.KINDS) == set(budget.table()[version])


# -- the guard itself --


def test_one_more_call_per_message_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    make = Message.__init__

    def dearer(message: Message, address: bytes, header: bytes, body: bytes, properties: Properties) -> None:
        make(message, address, header, body, properties)

    scenario = SCENARIOS["transient"]
    before = budget.cost(scenario, __file__)
    monkeypatch.setattr(Message, "__init__", dearer)
    after = budget.cost(scenario, __file__)
    assert after.calls - before.calls == pytest.approx(1)
    assert after.opcodes - before.opcodes > 4
    faults = budget.overrun("transient", attrs.asdict(after), attrs.asdict(before))
    assert len(faults) == 2, "instructions and calls"
    assert all(fault.startswith("transient: ") and fault.endswith("make budget") for fault in faults)


def test_what_a_message_holds_on_to_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []
    make = Message.__init__

    def dearer(message: Message, address: bytes, header: bytes, body: bytes, properties: Properties) -> None:
        kept.append(bytes(16) + body)
        make(message, address, header, body, properties)

    scenario = budget.KINDS["ready"]
    before = budget.octets(scenario)
    monkeypatch.setattr(Message, "__init__", dearer)
    after = budget.octets(scenario)
    assert budget.overrun("ready", {"octets": after}, {"octets": before})


def test_the_same_load_costs_the_same_again() -> None:
    assert budget.cost(SCENARIOS["durable"]) == budget.cost(SCENARIOS["durable"])


def test_cheaper_and_a_little_dearer_is_fine() -> None:
    allowed = {"opcodes": 100.0, "calls": 10.0}
    assert budget.overrun("x", {"opcodes": 50.0, "calls": 1.0}, allowed) == []
    assert budget.overrun("x", {"opcodes": 101.9, "calls": 10.0}, allowed) == []
    assert budget.overrun("x", {"opcodes": 103.0, "calls": 10.0}, allowed) == [
        "x: 103.00 opcodes per message, 3.00 (3.0%) more than 100.00. If that is wanted: make budget"
    ]


def test_a_budget_that_was_only_estimated_is_a_little_wider() -> None:
    allowed = {"opcodes": 100.0, "calls": 10.0}
    budget.estimate(allowed, "opcodes", 50.0, 40.0)
    budget.estimate(allowed, "calls", 5.0, 4.0)
    assert (allowed["opcodes"], allowed["calls"]) == (80.0, 9.0)
    assert budget.overrun("x", {"opcodes": 87.0, "calls": 9.8}, allowed) == []
    assert len(budget.overrun("x", {"opcodes": 89.0, "calls": 10.0}, allowed)) == 2


def test_a_python_without_a_table_is_held_to_the_calls_of_the_newest_that_has_one() -> None:
    newest = budget.table()[max(budget.table(), key=lambda version: int(version.split(".")[1]))]
    allowed = budget.budget("3.99")
    assert set(allowed) == set(SCENARIOS)
    assert all(allowed[name] == {"calls": newest[name]["calls"]} for name in allowed)
