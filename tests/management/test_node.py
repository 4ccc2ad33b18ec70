"""What handlers work with: the node, and a request as a Call."""

import time

import pytest
import trio

from amq.broker import Broker
from amq.config.settings import Settings
from amq.connection.entities import declare_queue
from amq.errors import ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED, ChannelFault
from amq.journal.batch import Batch
from amq.management.call import Call
from amq.management.errors import BadRequest, NotFound, from_fault
from amq.management.node import Node
from amq.queues.base import Queue
from amq.vhost.permission import Permission
from tests.management.conftest import new_node


def kept() -> Broker:
    """A broker whose definitions a disk is to keep; nothing is on it yet."""
    return Broker(Settings(), time.monotonic(), time.time(), Batch(keeps=True), b"secret")


async def test_what_was_defined_is_waited_for_until_it_is_on_disk(autojump_clock: trio.testing.MockClock) -> None:
    broker = kept()
    node = new_node(broker)
    done: list[int] = []

    async def define(name: str, number: int) -> None:
        node.work(lambda: broker.add_vhost(name))
        await node.safe()
        done.append(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(define, "first", 1)
        await trio.sleep(1)
        first = broker.journal.take()
        nursery.start_soon(define, "second", 2)
        await trio.sleep(1)
        assert done == []
        broker.durable(first.ticket)
        await trio.sleep(1)
        assert done == [1]
        broker.durable(broker.journal.take().ticket)
    assert done == [1, 2]


async def test_without_a_disk_nothing_is_waited_for(node: Node) -> None:
    node.work(lambda: node.broker.add_vhost("new"))
    await node.safe()


async def test_when_all_is_on_disk_nothing_is_waited_for() -> None:
    broker = kept()
    broker.durable(broker.journal.take().ticket)
    await new_node(broker).safe()


async def test_work_is_settled_and_sent_even_if_it_fails(broker: Broker) -> None:
    node = new_node(broker)
    flushed = []
    node.flush = lambda: flushed.append(True)
    broker.clock.now = 0.0

    def fail() -> None:
        assert broker.clock.now > 0.0
        raise ChannelFault(NOT_FOUND, "no queue 'q'")

    with pytest.raises(ChannelFault):
        node.work(fail)
    assert flushed == [True]
    assert node.work(lambda: 5) == 5


# -- calls --


def call(node: Node, body: bytes = b"", user: str = "guest", local: bool = False, **path: str) -> Call:
    found = node.broker.users.get(user)
    assert found is not None
    return Call(
        node=node,
        user=found,
        local=local,
        source="127.0.0.1",
        secure=False,
        method="PUT",
        path=path,
        query={},
        headers={},
        body=body,
    )


@pytest.mark.parametrize(
    "body, value", [(b"", {}), (b" \n", {}), (b"null", {}), (b'{"a": [1, null]}', {"a": [1, None]})]
)
def test_a_body_is_an_object(node: Node, body: bytes, value: object) -> None:
    assert call(node, body).json() == value


@pytest.mark.parametrize(
    "body", [b"[]", b"5", b"{", b"\xff", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 100_000, b"\x00"]
)
def test_what_is_no_object_is_no_body(node: Node, body: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        call(node, body).json()
    assert refused.value.body() == {"error": "bad_request", "reason": "not_json"}


def test_a_body_that_was_encoded_twice_is_told_so(node: Node) -> None:
    with pytest.raises(BadRequest, match="doubly-JSON-encoded"):
        call(node, b'"{}"').json()


def test_a_vhost_that_is_not_there_is_not_found(node: Node) -> None:
    assert call(node, vhost="/").vhost is node.broker.vhosts["/"]
    with pytest.raises(NotFound):
        _ = call(node, vhost="nowhere").vhost


def test_vhosts_are_seen_by_administrators_and_by_who_has_permissions(node: Node) -> None:
    broker = node.broker
    broker.users.add("anna", "secret", ["monitoring"])
    other = broker.add_vhost("other")
    assert [vhost.name for vhost in call(node).vhosts()] == ["/", "other"]
    assert call(node, user="anna").vhosts() == []
    other.permissions.set("anna", Permission("", "", ""))
    assert call(node, user="anna").vhosts() == [other]


def declare(asked: Call, name: str) -> Queue:
    channel = asked.channel(asked.node.broker.vhosts["/"])
    return declare_queue(channel, name.encode(), True, False, False, {})


def test_the_core_is_reached_with_the_users_permissions(node: Node) -> None:
    node.broker.users.add("anna", "secret", ["management"])
    node.broker.vhosts["/"].permissions.set("anna", Permission("^a", "", ""))
    assert declare(call(node, user="anna"), "allowed").name == b"allowed"
    with pytest.raises(ChannelFault) as fault:
        declare(call(node, user="anna"), "forbidden")
    assert fault.value.code == ACCESS_REFUSED


def test_the_owner_of_the_process_has_every_permission(node: Node) -> None:
    node.broker.users.add("anna", "secret", ["administrator"])
    assert declare(call(node, user="anna", local=True), "anything").name == b"anything"


@pytest.mark.parametrize(
    "code, status, error",
    [
        (NOT_FOUND, 404, "not_found"),
        (ACCESS_REFUSED, 401, "not_authorised"),
        (PRECONDITION_FAILED, 400, "bad_request"),
    ],
)
def test_faults_of_amqp_become_answers(code: int, status: int, error: str) -> None:
    answer = from_fault(ChannelFault(code, "because"))
    assert (answer.status, answer.error) == (status, error)
