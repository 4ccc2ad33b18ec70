"""Policies: what they may say, which one counts, and that they take effect at once."""

import re
from typing import Any

import pytest

from amq.exchanges.base import Exchange
from amq.queues.classic import ClassicQueue
from amq.vhost import policy, topology
from amq.vhost.policy import Policy, PolicyError
from amq.vhost.settling import settle
from amq.vhost.vhost import Vhost
from tests.queues.build import Taker
from tests.vhost.build import declare, exchange, furnished, publish


@pytest.fixture
def vhost() -> Vhost:
    return furnished()


def rule(name: str = "p", pattern: str = "^q", priority: float = 0, apply_to: str = "all", **definition: Any) -> Policy:
    """A policy; underscores for hyphens in keys."""
    return Policy(
        name, pattern, {key.replace("_", "-"): value for key, value in definition.items()}, priority, apply_to
    )


def operator_rule(**definition: Any) -> Policy:
    return Policy("o", "^q", {key.replace("_", "-"): value for key, value in definition.items()}, operator=True)


def bodies(queue: ClassicQueue) -> list[bytes]:
    taker = Taker(no_ack=True)
    queue.add_consumer(taker)
    queue.dispatch()
    queue.remove_consumer(taker)
    return taker.bodies()


def later(vhost: Vhost, seconds: float) -> None:
    clock = vhost.agenda.clock
    target = clock.now + seconds
    while (due := vhost.agenda.timers.next_deadline()) is not None and due <= target:
        clock.now = max(due, clock.now)
        vhost.agenda.timers.advance(clock.now)
        settle(vhost)
    clock.now = target


# -- which one counts --


def test_the_highest_priority_counts_and_the_next_takes_over_when_it_goes(vhost: Vhost) -> None:
    queue = declare(vhost, b"q")
    vhost.policies.set(rule("low", max_length=5))
    vhost.policies.set(rule("high", priority=1, message_ttl=7))
    assert queue.policy == vhost.policies.get("high")
    assert (queue.options.ttl, queue.options.limits) == (7, None)
    vhost.policies.clear("high")
    assert queue.policy == vhost.policies.get("low")
    assert queue.options.ttl == -1 and queue.options.limits is not None and queue.options.limits.length == 5
    vhost.policies.clear("low")
    assert (queue.policy, queue.options.limits, policy.effective_definition(queue)) == (None, None, {})


def test_a_pattern_is_searched_for_anywhere_in_the_name(vhost: Vhost) -> None:
    inside, outside = declare(vhost, b"my.queue"), declare(vhost, b"other")
    vhost.policies.set(rule(pattern="que", max_length=1))
    assert inside.policy is not None and outside.policy is None


@pytest.mark.parametrize(
    ("apply_to", "queue", "of_exchange"),
    [
        ("all", True, True),
        ("queues", True, False),
        ("classic_queues", True, False),
        ("quorum_queues", False, False),
        ("streams", False, False),
        ("exchanges", False, True),
    ],
)
def test_a_policy_is_about_the_kinds_that_it_names(apply_to: str, queue: bool, of_exchange: bool) -> None:
    vhost = furnished()
    vhost.policies.set(rule(apply_to=apply_to, alternate_exchange="a", max_length=1))
    assert (declare(vhost, b"q1").policy is not None) == queue
    assert (exchange(vhost, b"q2").policy is not None) == of_exchange


def test_the_default_exchange_has_no_policies(vhost: Vhost) -> None:
    vhost.policies.set(rule(pattern=".*", alternate_exchange="a"))
    assert vhost.exchanges[b""].policy is None
    assert vhost.exchanges[b"amq.direct"].policy is not None


def test_things_that_are_declared_later_are_under_the_policy_from_the_beginning(vhost: Vhost) -> None:
    vhost.policies.set(rule(max_length=1))
    queue = declare(vhost, b"q")
    publish(vhost, b"q")
    publish(vhost, b"q")
    assert queue.ready_count() == 1


def test_very_many_queues_get_their_policy_in_turns(vhost: Vhost) -> None:
    queues = [declare(vhost, b"q%d" % number) for number in range(policy.PER_GO * 3)]
    vhost.policies.set(rule(max_length=1))
    # Exchanges come first.
    others = len(vhost.exchanges) - 1
    for goes in range(1, 5):
        reached = min(goes * policy.PER_GO - others, len(queues))
        assert sum(queue.policy is not None for queue in queues) == reached
        later(vhost, 0)
        assert sum(queue.policy is not None for queue in queues) == reached, "each go is a turn of its own"
        assert vhost.applying == (goes < 4)
        later(vhost, policy.PAUSE)
    assert all(queue.options.limits is not None for queue in queues)


# -- arguments, policies and operator policies --


def test_of_numbers_the_least_counts_wherever_it_comes_from(vhost: Vhost) -> None:
    queue = declare(vhost, b"q", message_ttl=500, max_length=3)
    vhost.policies.set(rule(message_ttl=1000, max_length=2, expires=9000))
    vhost.operator_policies.set(operator_rule(message_ttl=100, max_length=10, max_length_bytes=4))
    limits = queue.options.limits
    assert limits is not None
    assert (queue.options.ttl, limits.length, limits.size, queue.options.expires) == (100, 2, 4, 9000)
    assert policy.effective_definition(queue) == {
        "message-ttl": 100,
        "max-length": 2,
        "max-length-bytes": 4,
        "expires": 9000,
    }


def test_arguments_beat_policies_and_operators_beat_users_in_what_is_no_number(vhost: Vhost) -> None:
    queue = declare(vhost, b"q", dead_letter_exchange=b"mine", max_length=1)
    vhost.policies.set(rule(dead_letter_exchange="theirs", dead_letter_routing_key="k", overflow="reject-publish"))
    vhost.operator_policies.set(operator_rule(overflow="reject-publish-dlx"))
    assert (queue.dead_letter_exchange, queue.dead_letter_routing_key) == (b"mine", b"k")
    assert queue.limits is not None and queue.limits.overflow == 2
    declared = declare(vhost, b"q2", overflow=b"drop-head", max_length=1)
    assert declared.limits is not None and declared.limits.overflow == 0


# -- taking effect --


def test_a_lower_limit_drops_heads_at_once(vhost: Vhost) -> None:
    queue = declare(vhost, b"q")
    for number in range(5):
        publish(vhost, b"q", {"n": ("I", number)})
    vhost.policies.set(rule(max_length=2))
    assert queue.ready_count() == 2


def test_a_limit_in_octets_knows_what_came_before_it(vhost: Vhost) -> None:
    queue = declare(vhost, b"q")
    for _ in range(5):
        publish(vhost, b"q")
    each = queue.size // 5
    assert each > 0
    vhost.policies.set(rule(max_length_bytes=2 * each))
    assert (queue.ready_count(), queue.size) == (2, 2 * each)


def test_what_a_policy_drops_goes_to_the_dead_letter_exchange_that_it_names(vhost: Vhost) -> None:
    declare(vhost, b"q")
    dead = declare(vhost, b"dead")
    publish(vhost, b"q")
    vhost.policies.set(rule(max_length=0, dead_letter_exchange="", dead_letter_routing_key="dead"))
    settle(vhost)
    assert dead.ready_count() == 1


def test_a_time_to_live_is_that_of_messages_that_come_later(vhost: Vhost) -> None:
    queue = declare(vhost, b"q")
    vhost.policies.set(rule(message_ttl=1000))
    publish(vhost, b"q")
    vhost.policies.clear("p")
    publish(vhost, b"q")
    later(vhost, 2)
    assert queue.ready_count() == 1


def test_a_queue_that_nobody_uses_goes_once_a_policy_says_so(vhost: Vhost) -> None:
    declare(vhost, b"q")
    later(vhost, 100)
    vhost.policies.set(rule(expires=1000))
    later(vhost, 0.9)
    assert b"q" in vhost.queues
    later(vhost, 0.2)
    assert b"q" not in vhost.queues


def test_a_queue_stays_when_the_policy_goes_in_time(vhost: Vhost) -> None:
    declare(vhost, b"q")
    vhost.policies.set(rule(expires=1000))
    later(vhost, 0.5)
    vhost.policies.set(rule(expires=5000))
    later(vhost, 3)
    assert b"q" in vhost.queues
    vhost.policies.clear("p")
    later(vhost, 100)
    assert b"q" in vhost.queues


def test_an_alternate_exchange_comes_and_goes_with_its_policy(vhost: Vhost) -> None:
    source: Exchange = exchange(vhost, b"q.x")
    other = exchange(vhost, b"other", b"fanout")
    queue = declare(vhost, b"lost")
    topology.bind(vhost, other, queue, b"", {})
    vhost.policies.set(rule(alternate_exchange="other"))
    publish(vhost, b"k", exchange=b"q.x")
    vhost.policies.clear("p")
    publish(vhost, b"k", exchange=b"q.x")
    assert (source.alternate, queue.ready_count()) == (None, 1)
    vhost.policies.set(rule(alternate_exchange="other"))
    with_own = exchange(vhost, b"q.y", alternate_exchange=("S", b"own"))
    assert with_own.alternate == b"own"


def test_a_message_that_came_back_too_often_is_a_dead_letter_with_its_count(vhost: Vhost) -> None:
    queue = declare(vhost, b"q", dead_letter_exchange=b"", dead_letter_routing_key=b"dead")
    dead = declare(vhost, b"dead")
    vhost.policies.set(rule(delivery_limit=2))
    publish(vhost, b"q")
    counts = []
    for _ in range(3):
        found = queue.get()
        assert found is not None
        position, message, _ = found
        counts.append(message.properties.headers().get("x-delivery-count"))
        queue.requeue([(position, message)])
        settle(vhost)
    assert counts == [None, ("l", 1), ("l", 2)]
    assert (queue.ready_count(), queue.size, dead.ready_count()) == (0, 0, 1)
    found = dead.get()
    assert found is not None
    assert found[1].properties.headers()["x-first-death-reason"] == ("S", b"delivery_limit")


# -- what may be said --


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        ({}, "no policy provided"),
        ({"foo": 1, "bar": "x"}, '[{<<"bar">>,<<"x">>},{<<"foo">>,1}] are not recognised policy settings'),
        ({"max-length": -1}, "-1 is not a valid maximum length"),
        ({"max-length": "x"}, '<<"x">> is not a valid maximum length'),
        ({"max-length": True}, "true is not a valid maximum length"),
        ({"message-ttl": 1.5}, "1.5 is not a valid message TTL"),
        ({"expires": 0}, "0 is not a valid queue expiry"),
        ({"expires": 0, "max-length": -1}, "0 is not a valid queue expiry"),
        ({"overflow": "x"}, '<<"x">> is not a valid overflow value'),
        ({"dead-letter-exchange": 1}, "1 is not a valid dead letter exchange name"),
        ({"ha-mode": "x"}, '<<"x">> is not a valid ha-mode value'),
        ({"ha-mode": "exactly"}, 'ha-mode="exactly" takes an integer, none given'),
        ({"ha-mode": "exactly", "ha-params": 0}, 'ha-mode="exactly" takes an integer, 0 given'),
        ({"ha-mode": "nodes", "ha-params": [1]}, 'ha-mode="nodes" takes a list of strings, [1] was not a string'),
        ({"ha-mode": "all", "ha-params": 1}, 'ha-mode="all" does not take parameters'),
        (
            {"ha-sync-mode": "automatic"},
            "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown",
        ),
        (
            {"ha-mode": "all", "ha-promote-on-failure": "x"},
            'ha-promote-on-failure must be "always" or "when-synced", got <<"x">>',
        ),
    ],
)
def test_what_a_definition_may_not_say_is_told_in_rabbitmqs_words(definition: dict[str, Any], text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy("p", "a", definition)
    assert str(caught.value) == text


def test_priority_and_apply_to_are_checked() -> None:
    with pytest.raises(PolicyError, match='priority should be a number, actually was <<"x">>'):
        Policy("p", "a", {"max-length": 1}, priority="x")
    with pytest.raises(PolicyError, match="apply-to 'x' unrecognised; should be one of: 'queues'"):
        Policy("p", "a", {"max-length": 1}, apply_to="x")


def test_a_pattern_that_is_none_is_refused_with_the_position() -> None:
    text = 'pattern should be regular expression but is invalid: {"missing )",2}'
    with pytest.raises(PolicyError, match=re.escape(text)):
        Policy("p", "a(", {"max-length": 1})
    with pytest.raises(PolicyError, match="pattern should be a binary but was 1"):
        Policy("p", 1, {"max-length": 1})


def test_operators_have_fewer_keys() -> None:
    with pytest.raises(PolicyError, match="are not recognised policy settings"):
        operator_rule(dead_letter_exchange="x")
    assert operator_rule(max_length=1).operator


def test_mirroring_is_kept_and_warned_about_once(vhost: Vhost) -> None:
    queue = declare(vhost, b"q")
    vhost.policies.set(rule(ha_mode="all"))
    vhost.policies.set(rule("again", ha_mode="exactly", ha_params=2))
    assert [text for _, text in vhost.agenda.log] == [
        "policy 'p' in vhost '/' asks for mirrored queues: it is kept, but has no effect on a single node"
    ]
    assert policy.effective_definition(queue) == {"ha-mode": "exactly", "ha-params": 2}


# -- looking before leaping --


def test_a_preview_tells_what_would_match_and_what_would_win_and_changes_nothing(vhost: Vhost) -> None:
    one, two = declare(vhost, b"q1"), declare(vhost, b"q2")
    vhost.policies.set(rule("two", "^q2", 5, max_length=1))
    matching, winning = policy.preview(vhost, rule(max_length=9))
    assert (matching, winning) == ([one, two], [one])
    assert one.policy is None
    assert policy.preview(vhost, rule("two", max_length=9)) == ([one, two], [one, two])
