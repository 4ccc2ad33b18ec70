"""Keys for what new vhosts come with, and for definitions at the start."""

from pathlib import Path

import pytest

from amq.config import values
from amq.config.load import ConfigError, load
from amq.config.seeds import DefaultLimits, DefaultUser, ImportSettings
from amq.config.settings import Settings


def settings(folder: Path, text: str) -> Settings:
    path = folder / "amq.conf"
    path.write_text(text)
    found, warnings = load(path, {})
    assert warnings == []
    return found


def test_limits_of_new_vhosts_are_in_the_order_of_their_words(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
        default_limits.vhosts.10.pattern = .*
        default_limits.vhosts.10.max_connections = 100
        default_limits.vhosts.2.pattern = ^device
        default_limits.vhosts.2.max_queues = infinity
        default_limits.vhosts.2.max_connections = 5
        """,
    )
    assert found.default_limits == (
        DefaultLimits(name="2", pattern="^device", max_connections=5),
        DefaultLimits(name="10", pattern=".*", max_connections=100),
    )
    assert [limits.limits() for limits in found.default_limits] == [{"max-connections": 5}, {"max-connections": 100}]


def test_policies_of_new_vhosts_say_it_by_rabbitmqs_names(tmp_path: Path) -> None:
    (policy,) = settings(
        tmp_path,
        """
        default_policies.operator.short-lived.vhost_pattern = ^device
        default_policies.operator.short-lived.queue_pattern = ^q
        default_policies.operator.short-lived.apply_to = queues
        default_policies.operator.short-lived.expires = 1h30m
        default_policies.operator.short-lived.message_ttl = 250
        default_policies.operator.short-lived.max_length_bytes = 1MiB
        default_policies.operator.short-lived.delivery_limit = 3
        default_policies.operator.short-lived.classic_queues.ha_mode = exactly
        default_policies.operator.short-lived.classic_queues.ha_params = 2
        """,
    ).default_policies
    assert (policy.name, policy.vhost_pattern, policy.queue_pattern, policy.apply_to) == (
        "short-lived",
        "^device",
        "^q",
        "queues",
    )
    assert policy.definition == {
        "expires": 5_400_000,
        "message-ttl": 250,
        "max-length-bytes": 1_048_576,
        "delivery-limit": 3,
        "ha-mode": "exactly",
        "ha-params": 2,
    }


def test_users_of_new_vhosts(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
        default_users.qa.vhost_pattern = ^qa
        default_users.qa.password = 'p # w'
        default_users.qa.tags = management, policymaker
        default_users.qa.read = ^q
        """,
    )
    assert found.default_users == (
        DefaultUser(name="qa", vhost_pattern="^qa", password="p # w", tags=("management", "policymaker"), read="^q"),
    )
    assert "p # w" not in repr(found)


def test_where_definitions_come_from(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        f"""
        definitions.import_backend = https
        definitions.https.url = https://definitions.example/all.json
        definitions.tls.cacertfile = {tmp_path / "amq.conf"}
        definitions.tls.verify = verify_none
        definitions.skip_if_unchanged = true
        definitions.hashing.algorithm = sha512
        definitions.local.path = {tmp_path}
        """,
    )
    assert found.load_definitions == str(tmp_path)
    assert found.imports == ImportSettings(
        backend="https",
        url="https://definitions.example/all.json",
        cacertfile=str(tmp_path / "amq.conf"),
        verify="verify_none",
        skip_if_unchanged=True,
        hashing="sha512",
    )


def test_how_many_parameters_there_may_be(tmp_path: Path) -> None:
    found = settings(
        tmp_path, "runtime_parameters.limits.shovel = 10\nruntime_parameters.limits.federation-upstream = -1"
    )
    assert found.parameter_limits == {"shovel": 10, "federation-upstream": -1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("default_limits.vhosts.1.pattern = (", "regular expression"),
        ("default_limits.vhosts.1.max_queues = many", "'many' is not a whole number"),
        ("default_limits.vhosts.1.max_queues = -1", "-1 is out of range"),
        ("default_policies.operator.p.expires = 0", "0 is out of range"),
        ("default_policies.operator.p.expires = 5x", "'5x' is not a time"),
        ("default_policies.operator.p.vhost_pattern = x", "default_policies.operator.p says nothing about queues"),
        ("definitions.https.url = ftp://x", "'ftp://x' is no such address"),
        ("definitions.import_backend = tape", "'tape' is not known, allowed: local_filesystem, https"),
        ("definitions.hashing.algorithm = crc", "'crc' is not known"),
        ("runtime_parameters.limits.x = y", "'y' is not a whole number"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("0", 0), ("250", 250), ("1s", 1000), ("1w2d", 777_600_000), ("1m30s5ms", 90_005)]
)
def test_times_have_units(text: str, milliseconds: int) -> None:
    assert values.duration(text) == milliseconds
