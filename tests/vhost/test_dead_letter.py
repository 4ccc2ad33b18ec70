"""Where dead messages go and what they tell."""

import pytest

from amq.vhost import topology
from amq.vhost.settling import settle
from amq.vhost.vhost import Vhost
from amq.wire.tables import Field, Table
from tests.vhost.build import WALL, deaths, declare, exchange, furnished, publish, reject, take


@pytest.fixture
def vhost() -> Vhost:
    return furnished()


def keys_of(death: dict[str, object]) -> list[bytes]:
    keys = death["routing-keys"]
    assert isinstance(keys, list)
    return [value for _, value in keys]


def test_a_death_is_told_field_by_field(vhost: Vhost) -> None:
    declare(vhost, b"dead")
    queue = declare(vhost, b"q", dead_letter_exchange=b"", dead_letter_routing_key=b"dead")
    publish(vhost, b"q", ttl=5000)
    reject(vhost, queue)
    message = take(vhost.queues[b"dead"])
    assert deaths(message) == [
        {
            "original-expiration": b"5000",
            "count": 1,
            "reason": b"rejected",
            "queue": b"q",
            "time": WALL,
            "exchange": b"",
            "routing-keys": [("S", b"q")],
        }
    ]
    assert next(iter(deaths(message)[0])) == "original-expiration"
    assert message.properties.expiration is None
    assert (message.exchange(), message.routing_key()) == (b"", b"dead")


def test_the_first_death_is_remembered_beside_the_last(vhost: Vhost) -> None:
    declare(vhost, b"end")
    second = declare(vhost, b"second", dead_letter_exchange=b"", dead_letter_routing_key=b"end")
    first = declare(vhost, b"first", dead_letter_exchange=b"", dead_letter_routing_key=b"second")
    publish(vhost, b"first")
    reject(vhost, first)
    reject(vhost, second)
    message = take(vhost.queues[b"end"])
    headers = message.properties.headers()
    assert [death["queue"] for death in deaths(message)] == [b"second", b"first"]
    assert headers["x-first-death-queue"] == ("S", b"first")
    assert headers["x-last-death-queue"] == ("S", b"second")


def test_the_same_death_is_counted_and_moves_to_the_front(vhost: Vhost) -> None:
    retry = declare(vhost, b"retry", dead_letter_exchange=b"", dead_letter_routing_key=b"work")
    work = declare(vhost, b"work", dead_letter_exchange=b"", dead_letter_routing_key=b"retry")
    publish(vhost, b"work")
    reject(vhost, work)
    reject(vhost, retry)
    vhost.agenda.clock.now += 10
    reject(vhost, work)
    told = deaths(take(retry))
    assert [(death["queue"], death["count"], death["time"]) for death in told] == [
        (b"work", 2, WALL),
        (b"retry", 1, WALL),
    ]


def test_copies_die_under_all_their_keys(vhost: Vhost) -> None:
    for name in (b"dead", b"cc", b"bcc"):
        declare(vhost, name)
        topology.bind(vhost, vhost.exchanges[b"amq.direct"], vhost.queues[name], name, {})
    queue = declare(vhost, b"q", dead_letter_exchange=b"amq.direct")
    publish(vhost, b"q", CC=[b"cc"], BCC=[b"bcc"])
    for name in (b"cc", b"bcc"):
        take(vhost.queues[name])
    reject(vhost, queue)
    assert vhost.queues[b"cc"].ready_count() == 1
    assert vhost.queues[b"bcc"].ready_count() == 1
    # Nobody is told of BCC.
    assert keys_of(deaths(take(vhost.queues[b"bcc"]))[0]) == [b"q", b"cc"]


def test_blind_copies_are_remembered_through_the_second_death(vhost: Vhost) -> None:
    bcc = declare(vhost, b"bcc")
    exchange(vhost, b"first")
    exchange(vhost, b"second")
    second = declare(vhost, b"two", dead_letter_exchange=b"second")
    topology.bind(vhost, vhost.exchanges[b"first"], second, b"q", {})
    topology.bind(vhost, vhost.exchanges[b"second"], bcc, b"bcc", {})
    queue = declare(vhost, b"q", dead_letter_exchange=b"first")
    publish(vhost, b"q", BCC=[b"bcc"])
    take(bcc)
    reject(vhost, queue)
    reject(vhost, second)
    assert bcc.ready_count() == 1


def test_after_a_dead_letter_routing_key_copies_are_sent_no_more(vhost: Vhost) -> None:
    cc = declare(vhost, b"cc")
    second = declare(vhost, b"second", dead_letter_exchange=b"")
    first = declare(vhost, b"first", dead_letter_exchange=b"", dead_letter_routing_key=b"second")
    publish(vhost, b"first", CC=[b"cc"])
    take(cc)
    reject(vhost, first)
    assert cc.ready_count() == 0
    reject(vhost, second)
    assert cc.ready_count() == 0
    message = take(second)
    assert keys_of(deaths(message)[0]) == [b"second"]
    assert "CC" not in message.properties.headers()


def test_without_its_exchange_a_dead_message_is_gone(vhost: Vhost) -> None:
    queue = declare(vhost, b"q", dead_letter_exchange=b"missing")
    publish(vhost, b"q")
    reject(vhost, queue)
    assert queue.ready_count() == 0


def test_a_message_that_expires_does_not_come_back_to_its_own_queue(vhost: Vhost) -> None:
    queue = declare(vhost, b"q", dead_letter_exchange=b"", message_ttl=0)
    publish(vhost, b"q")
    assert queue.ready_count() == 0
    assert not vhost.agenda.dead


def test_a_rejected_message_may_come_back_to_its_own_queue(vhost: Vhost) -> None:
    queue = declare(vhost, b"q", dead_letter_exchange=b"")
    publish(vhost, b"q")
    reject(vhost, queue)
    assert [death["count"] for death in deaths(take(queue))] == [1]


def test_a_rejection_on_the_way_round_breaks_the_cycle(vhost: Vhost) -> None:
    timer = declare(vhost, b"timer", dead_letter_exchange=b"", dead_letter_routing_key=b"work", message_ttl=10)
    work = declare(vhost, b"work", dead_letter_exchange=b"", dead_letter_routing_key=b"timer")
    publish(vhost, b"work")
    for count in (1, 2):
        reject(vhost, work)
        vhost.agenda.clock.now += 1
        vhost.agenda.timers.advance(vhost.agenda.clock.now)
        settle(vhost)
        assert timer.ready_count() == 0
        assert work.ready_count() == 1, count


def test_only_the_queue_that_was_met_before_is_left_out_of_a_cycle(vhost: Vhost) -> None:
    exchange(vhost, b"all", b"fanout")
    queue = declare(vhost, b"q", dead_letter_exchange=b"all", message_ttl=0)
    other = declare(vhost, b"other")
    for destination in (queue, other):
        topology.bind(vhost, vhost.exchanges[b"all"], destination, b"", {})
    publish(vhost, b"q")
    assert queue.ready_count() == 0
    assert other.ready_count() == 1


@pytest.mark.parametrize(
    "story",
    [
        ("S", b"nonsense"),
        ("A", [("S", b"nonsense")]),
        ("A", [("F", {})]),
        ("A", [("F", {"queue": ("I", 1), "reason": ("I", 2)})]),
        ("A", [("F", {"queue": ("S", b"q"), "reason": ("S", b"rejected"), "count": ("S", b"many")})]),
    ],
)
def test_a_story_that_a_client_made_up_does_no_harm(vhost: Vhost, story: Field) -> None:
    declare(vhost, b"dead")
    queue = declare(vhost, b"q", dead_letter_exchange=b"", dead_letter_routing_key=b"dead")
    headers: Table = {"x-death": story}
    publish(vhost, b"q", headers)
    reject(vhost, queue)
    latest = deaths_of_tables(take(vhost.queues[b"dead"]).properties.headers())[0]
    assert latest["reason"] == ("S", b"rejected")
    assert latest["count"] == ("l", 1)


def deaths_of_tables(headers: Table) -> list[Table]:
    return [value for kind, value in headers["x-death"][1] if kind == "F"]


def test_counts_that_a_client_made_up_are_kept_within_what_the_field_holds(vhost: Vhost) -> None:
    declare(vhost, b"dead")
    queue = declare(vhost, b"q", dead_letter_exchange=b"", dead_letter_routing_key=b"dead")
    least: Table = {"queue": ("S", b"q"), "reason": ("S", b"expired"), "count": ("l", -(1 << 63))}
    most: Table = {"queue": ("S", b"q"), "reason": ("S", b"rejected"), "count": ("T", (1 << 64) - 1)}
    publish(vhost, b"q", headers={"x-death": ("A", [("F", entry) for entry in (least, least, most, most)])})
    reject(vhost, queue)
    told = deaths(take(vhost.queues[b"dead"]))
    assert [(death["reason"], death["count"]) for death in told] == [
        (b"rejected", (1 << 63) - 1),
        (b"expired", -(1 << 63)),
    ]


def test_a_count_that_a_client_made_up_goes_on(vhost: Vhost) -> None:
    declare(vhost, b"dead")
    queue = declare(vhost, b"q", dead_letter_exchange=b"", dead_letter_routing_key=b"dead")
    entry: Table = {"queue": ("S", b"q"), "reason": ("S", b"rejected"), "count": ("l", 41)}
    publish(vhost, b"q", {"x-death": ("A", [("F", entry)])})
    reject(vhost, queue)
    assert deaths(take(vhost.queues[b"dead"]))[0]["count"] == 42


def test_what_a_remembering_exchange_passes_on_goes_under_all_its_keys(vhost: Vhost) -> None:
    remembering = exchange(vhost, b"memory", b"x-recent-history")
    declare(vhost, b"cc")
    topology.bind(vhost, vhost.exchanges[b"amq.direct"], vhost.queues[b"cc"], b"cc", {})
    publish(vhost, b"other", exchange=b"memory", CC=[b"cc"])
    topology.bind(vhost, remembering, vhost.exchanges[b"amq.direct"], b"", {})
    settle(vhost)
    assert vhost.queues[b"cc"].ready_count() == 1
