"""What new vhosts come with by configuration."""

import attrs
import pytest

from amq.auth.passwords import verify_password
from amq.broker import Broker
from amq.config.access import LimitSettings
from amq.config.seeds import DefaultLimits, DefaultPolicy, DefaultUser
from amq.config.settings import Settings
from amq.definitions.seeding import SeedingError, add_defaults, new_vhost
from amq.vhost.permission import Permission
from amq.vhost.policy import Policy

SEEDS = Settings(
    default_limits=(
        DefaultLimits(name="1", pattern="^device", max_queues=10),
        DefaultLimits(name="2", max_queues=100, max_connections=5),
    ),
    default_policies=(
        DefaultPolicy(name="short", vhost_pattern="^device", queue_pattern="^q", max_length=3, message_ttl=60_000),
        DefaultPolicy(name="all", expires=1000, apply_to="queues"),
    ),
    default_users=(
        DefaultUser(name="dev", vhost_pattern="^device", password="dev-secret", tags=("management",), write="^q"),
        DefaultUser(name="nobody", vhost_pattern="^nowhere"),
    ),
)


def broker_with(settings: Settings) -> Broker:
    return Broker(settings, 0.0, 0.0, defaults=False)


def test_a_new_vhost_gets_the_first_limits_that_are_for_it() -> None:
    broker = broker_with(SEEDS)
    assert new_vhost(broker, "device-1").limits == {"max-queues": 10}
    assert new_vhost(broker, "else").limits == {"max-queues": 100, "max-connections": 5}


def test_a_new_vhost_gets_every_operator_policy_that_is_for_it() -> None:
    broker = broker_with(SEEDS)
    everywhere = Policy("all", ".*", {"expires": 1000}, 0, "queues", operator=True)
    short = Policy("short", "^q", {"message-ttl": 60_000, "max-length": 3}, 0, "all", operator=True)
    assert new_vhost(broker, "device-1").operator_policies.all() == [short, everywhere]
    assert new_vhost(broker, "else").operator_policies.all() == [everywhere]


def test_a_new_vhost_brings_its_users_along() -> None:
    broker = broker_with(SEEDS)
    vhost = new_vhost(broker, "device-1")
    user = broker.users.get("dev")
    assert user is not None
    assert (user.tags, verify_password(b"dev-secret", user.password_hash, user.hashing_algorithm)) == (
        ("management",),
        True,
    )
    assert vhost.permissions.all() == {"dev": Permission(".*", "^q", ".*")}
    assert "nobody" not in broker.users


def test_a_user_that_is_there_stays_as_it_is_but_may_enter() -> None:
    broker = broker_with(SEEDS)
    new_vhost(broker, "device-1")
    broker.users.set_tags("dev", ["monitoring"])
    assert new_vhost(broker, "device-2").permissions.may_enter("dev")
    user = broker.users.get("dev")
    assert user is not None
    assert user.tags == ("monitoring",)


def test_the_default_vhost_is_a_new_one_too() -> None:
    broker = broker_with(SEEDS)
    add_defaults(broker)
    assert broker.vhosts["/"].limits == {"max-queues": 100, "max-connections": 5}


def test_there_may_be_no_more_vhosts_than_configured() -> None:
    broker = broker_with(attrs.evolve(SEEDS, limits=LimitSettings(vhosts=1)))
    new_vhost(broker, "a")
    with pytest.raises(SeedingError, match="cannot create vhost 'b': vhost limit of 1 is reached"):
        new_vhost(broker, "b")
    assert list(broker.vhosts) == ["a"]
