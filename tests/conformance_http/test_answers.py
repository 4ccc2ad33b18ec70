"""amq's HTTP API answers what a real RabbitMQ's management plugin has answered to the same requests."""

from collections.abc import Iterator

import pytest

from tests.conformance_http import recording
from tests.conformance_http.against_rabbitmq import AMQ_LAG, OFTEN
from tests.conformance_http.comparing import compared
from tests.conformance_http.play import Target
from tests.conformance_http.scenarios import SCENARIOS
from tests.conformance_http.wanted import WANTED
from tests.harness.process import BrokerProcess


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A broker process with its HTTP API."""
    folder = tmp_path_factory.mktemp("amq")
    broker = BrokerProcess(folder, data=folder / "data", management=True, environment=OFTEN)
    broker.start()
    try:
        yield Target(broker.http_port, broker.port, AMQ_LAG)
        assert broker.stop() == 0
    finally:
        broker.kill()
    assert "Traceback" not in broker.output()


@pytest.mark.parametrize("name", SCENARIOS)
def test_answers_are_those_of_rabbitmq_but_for_what_is_wanted(target: Target, name: str) -> None:
    comparison = compared(name, recording.read(name), recording.play(name, target))
    assert comparison.unexpected == []
    assert [rule.reason for rule in comparison.stale] == []


def test_every_wanted_difference_names_scenarios() -> None:
    assert {name for rule in WANTED for name in rule.scenarios} <= set(SCENARIOS)


def test_nothing_else_is_recorded() -> None:
    assert {path.stem for path in recording.FOLDER.glob("*.json")} == set(SCENARIOS)
