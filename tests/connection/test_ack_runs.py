"""Acknowledgements of one delivery each, many in one chunk: what is done in one go comes to what each of them says."""

import pytest

from tests.connection.build import consuming, ready
from tests.harness.dialogue import Dialogue, method


def ack(tag: int, multiple: bool = False, channel: int = 1) -> bytes:
    """A frame of basic.ack."""
    return method(channel, "basic.ack", delivery_tag=tag, multiple=multiple)


def left(client: Dialogue) -> set[int]:
    """The tags of channel 1 that are outstanding."""
    return set(client.connection.channels[1].ledger.unacked)


def test_each_acknowledgement_of_a_run_counts() -> None:
    client = consuming(prefetch=5, bodies=8)
    assert ready(client) == 3
    client.send(b"".join([ack(tag) for tag in (1, 3, 2, 5)]))
    assert left(client) == {4, 6, 7, 8}
    assert client.broker.vhosts["/"].queues[b"q"].unacked == 4


@pytest.mark.parametrize("cut", range(1, 42, 4))
def test_a_run_may_come_in_pieces(cut: int) -> None:
    client = consuming(bodies=4)
    client.send_cut(ack(1) + ack(2) + ack(4), [cut])
    assert left(client) == {3}


def test_a_run_ends_at_one_for_several_deliveries() -> None:
    client = consuming(bodies=6)
    client.send(ack(1) + ack(2) + ack(4, multiple=True) + ack(6))
    assert left(client) == {5}


def test_what_comes_between_is_heard_in_its_order() -> None:
    client = consuming(bodies=4)
    client.hear_all()
    client.send(ack(1) + ack(2) + method(1, "basic.recover", requeue=True) + ack(5) + ack(6))
    client.hears(1, "basic.recover-ok")
    assert left(client) == set()


def test_an_acknowledgement_of_nothing_closes_the_channel_after_those_before_it() -> None:
    client = consuming(bodies=4)
    client.hear_all()
    client.send(ack(1) + ack(2) + ack(9) + ack(3))
    client.hears_channel_close(1, 406, "unknown delivery tag 9", (60, 80))
    # Two were settled; the other two are back.
    assert ready(client) == 2


def test_the_same_tag_twice_in_a_run_is_a_mistake() -> None:
    client = consuming(bodies=2)
    client.hear_all()
    client.send(ack(1) + ack(2) + ack(2))
    client.hears_channel_close(1, 406, "unknown delivery tag 2", (60, 80))


def test_a_frame_in_a_run_that_does_not_end_as_it_must_ends_the_connection() -> None:
    client = consuming(bodies=3)
    client.hear_all()
    client.send(ack(1) + ack(2)[:-1] + b"\x00" + ack(3))
    assert client.connection.closing
    # The one before it was settled.
    assert ready(client) == 2


def test_in_a_transaction_a_run_counts_at_commit() -> None:
    client = consuming(bodies=3)
    client.say(1, "tx.select")
    client.hear_all()
    client.send(ack(1) + ack(2) + ack(3))
    assert client.broker.vhosts["/"].queues[b"q"].unacked == 3
    client.say(1, "tx.commit")
    assert client.broker.vhosts["/"].queues[b"q"].unacked == 0


def test_runs_of_several_channels_stay_apart() -> None:
    client = consuming(bodies=3)
    client.hear_all()
    client.send(ack(1) + ack(2, channel=2) + ack(3))
    client.hears_channel_close(2, 406, "unknown delivery tag 2", (60, 80))
    assert left(client) == {2}
