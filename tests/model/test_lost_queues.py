"""What a transaction published goes, at its commit, to the queues that bear the names by then."""

import pytest

from amq.wire import spec
from tests.model import frames
from tests.model.real import Real
from tests.model.records import Queue, Sent

SENT = Sent(b"", b"q", {}, 0, None, False, b"m")


@pytest.fixture
def real() -> Real:
    """A broker with two clients, the first of which has published to `q` in a transaction; then `q` was deleted."""
    real = Real(2, set())
    declare = frames.declare_queue(1, Queue(b"q"), {})
    real.send(1, frames.encode("open", 1, {}) + declare, None)
    real.send(0, frames.encode("open", 1, {}) + frames.encode("tx_select", 1, {}), None)
    real.send(0, frames.publish(1, b"", SENT, True), None)
    real.send(1, frames.method(1, spec.QUEUE_DELETE, 0, b"q", False, False, False), None)
    real.heard()
    return real


def test_a_mandatory_message_whose_queue_has_been_deleted_is_returned_at_the_commit(real: Real) -> None:
    real.send(0, frames.encode("commit", 1, {}), None)
    assert [item[0] for _, _, item in real.heard()] == ["return", "commit-ok"]


def test_a_queue_that_has_taken_the_name_gets_the_message_at_the_commit(real: Real) -> None:
    real.send(1, frames.declare_queue(1, Queue(b"q"), {}), None)
    real.send(0, frames.encode("commit", 1, {}), None)
    assert real.vhost.queues[b"q"].ready_count() == 1
