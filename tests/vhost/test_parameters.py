"""Runtime parameters and limits."""

import re
from typing import Any

import pytest

from amq.broker import Broker
from amq.config.settings import Settings
from amq.vhost import parameters
from amq.vhost.parameters import LARGEST_VALUE, Parameter, ParameterError
from amq.vhost.vhost import Vhost


@pytest.fixture
def broker() -> Broker:
    return Broker(Settings(), 0.0, 0.0)


@pytest.fixture
def vhost(broker: Broker) -> Vhost:
    return broker.vhosts["/"]


def test_limits_are_a_parameter_among_others(vhost: Vhost) -> None:
    parameters.keep(vhost, "shovel", "b", 1)
    parameters.keep(vhost, "shovel", "a", {"x": None})
    parameters.set_limit(vhost, "max-queues", 5)
    assert list(parameters.parameters(vhost)) == [
        Parameter("shovel", "a", {"x": None}),
        Parameter("shovel", "b", 1),
        Parameter("vhost-limits", "limits", {"max-queues": 5}),
    ]


def test_one_limit_is_set_and_cleared_without_the_other(vhost: Vhost) -> None:
    parameters.set_limit(vhost, "max-queues", 5)
    parameters.set_limit(vhost, "max-connections", -1)
    assert vhost.limits == {"max-queues": 5, "max-connections": -1}
    parameters.clear_limit(vhost, "max-queues")
    parameters.clear_limit(vhost, "max-queues")
    assert vhost.limits == {"max-connections": -1}


def test_limits_are_cleared_as_the_parameter_that_they_are(vhost: Vhost) -> None:
    parameters.set_limit(vhost, "max-queues", 5)
    assert parameters.clear(vhost, "vhost-limits", "limits")
    assert not parameters.clear(vhost, "vhost-limits", "limits")
    assert vhost.limits == {}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"max-queues": "5"}, 'max-queues should be a number, actually was <<"5">>'),
        ({"max-queues": 1.5}, "max-queues should be a number, actually was 1.5"),
        ({"max-queues": True}, "max-queues should be a number, actually was true"),
        ({"max-queues": None}, "max-queues should be a number, actually was null"),
        ({"foo": 1, "max-queues": 1}, 'Unrecognised terms [{<<"foo">>,1}] in limits'),
        ({"foo": {"a": 1}}, 'Unrecognised terms [{<<"foo">>,#{<<"a">> => 1}}] in limits'),
        (["x"], 'Unrecognised terms [<<"x">>] in limits'),
        (5, "limits not a list 5"),
        ("x", 'limits not a list <<"x">>'),
        (None, "limits not a list null"),
    ],
)
def test_limits_that_cannot_be_are_refused_in_rabbitmqs_words(vhost: Vhost, value: Any, problem: str) -> None:
    with pytest.raises(ParameterError) as raised:
        parameters.check_limits("limits", value)
    assert str(raised.value) == f"Validation failed\n\n{problem}\n"
    assert raised.value.problems == (problem,)


def test_every_mistake_in_limits_is_named(vhost: Vhost) -> None:
    with pytest.raises(ParameterError) as raised:
        parameters.check_limits("limits", {"max-queues": "x", "b": 1, "a": 2})
    assert raised.value.problems == (
        'Unrecognised terms [{<<"a">>,2},{<<"b">>,1}] in limits',
        'max-queues should be a number, actually was <<"x">>',
    )


def test_no_limits_may_be_an_empty_list_as_rabbitmq_exports_them() -> None:
    assert parameters.check_limits("limits", []) == {}
    assert parameters.check_limits("limits", {}) == {}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"max-channels": "x"}, 'max-channels should be a number, actually was <<"x">>'),
        ({"max-queues": 1}, 'Unrecognised terms [{<<"max-queues">>,1}] in user-limits'),
        ([1], "user-limits not a list [1]"),
    ],
)
def test_a_users_limits_that_cannot_be_are_refused(value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        parameters.check_user_limits(value)


def test_a_parameter_that_is_there_is_replaced(vhost: Vhost) -> None:
    parameters.keep(vhost, "shovel", "s", 1)
    parameters.keep(vhost, "shovel", "s", True)
    assert vhost.parameters["shovel", "s"] is True
    assert parameters.clear(vhost, "shovel", "s")
    assert not parameters.clear(vhost, "shovel", "s")


def test_global_parameters_hold_any_value(broker: Broker) -> None:
    found: dict[str, object] = {}
    for value in (None, [], {}, {"a": [1.5]}, "x", False):
        parameters.set_global(broker.journal, found, "g", value)
        assert found == {"g": value}
    assert parameters.clear_global(broker.journal, found, "g")
    assert not parameters.clear_global(broker.journal, found, "g")


def test_a_value_is_not_larger_than_anybody_needs(broker: Broker, vhost: Vhost) -> None:
    large = "x" * LARGEST_VALUE
    with pytest.raises(ParameterError, match="octets, 1000000 are allowed"):
        parameters.keep(vhost, "shovel", "s", large)
    with pytest.raises(ParameterError, match="octets, 1000000 are allowed"):
        parameters.set_global(broker.journal, broker.global_parameters, "g", large)
    assert vhost.parameters == {}
