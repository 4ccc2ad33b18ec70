"""Keys of logins and limits, as rabbitmq.conf spells them."""

from pathlib import Path

import pytest

from amq.config.access import LimitSettings, LoginSettings
from amq.config.load import ConfigError, load
from amq.config.settings import Settings


def settings(folder: Path, *lines: str) -> Settings:
    """What a file of these lines comes to, without warnings."""
    path = folder / "rabbitmq.conf"
    path.write_text("\n".join(lines))
    found, warnings = load(path, {})
    assert warnings == []
    return found


def test_logins_are_set_by_rabbitmqs_keys_and_our_own(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        "auth_backends.1 = internal",
        "auth_attempts.burst = 5",
        "auth_attempts.per_minute = 10",
        "auth_cache.cache_ttl = 15000",
        "credential_validator.validation_backend = rabbit_credential_validator_min_password_length",
        "credential_validator.min_length = 12",
        "credential_validator.regexp = ^[a-z]",
        "anonymous_login_user = app",
        "anonymous_login_pass = secret",
        "password_hashing_module = argon2id",
        "auth_mechanisms.1 = ANONYMOUS",
    )
    assert found.logins == LoginSettings(
        attempts_burst=5,
        attempts_per_minute=10,
        cache_ttl=15000,
        validation_backend="rabbit_credential_validator_min_password_length",
        min_length=12,
        regexp="^[a-z]",
        anonymous_user="app",
        anonymous_pass="secret",
    )
    assert (found.password_hashing_module, found.auth_mechanisms) == ("argon2id", ("ANONYMOUS",))
    assert "secret" not in repr(found)
    assert settings(tmp_path, "anonymous_login_user = none").logins.anonymous_user is None


def test_limits_are_set_by_rabbitmqs_keys(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        "connection_max = 1",
        "channel_max_per_node = 2",
        "vhost_max = 3",
        "cluster_queue_limit = 4",
        "cluster_exchange_limit = 5",
        "default_queue_type = classic",
    )
    assert found.limits == LimitSettings(
        connections=1, channels=2, vhosts=3, queues=4, exchanges=5, default_queue_type="classic"
    )
    assert settings(tmp_path, "connection_max = infinity").limits == LimitSettings()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("auth_backends.1 = ldap", "'ldap' is not known, allowed: internal, rabbit_auth_backend_internal"),
        ("auth_backends.1.authn = rabbit_auth_backend_http", "'rabbit_auth_backend_http' is not known"),
        ("credential_validator.validation_backend = strict", "'strict' is not known"),
        ("credential_validator.regexp = (", "missing ) at position 1"),
        ("auth_attempts.burst = -1", "-1 is out of range"),
        ("auth_attempts.per_minute = 0", "0 is out of range"),
        ("connection_max = many", "'many' is not a whole number"),
        ("default_queue_type = mirrored", "'mirrored' is not known, allowed: classic, quorum, stream"),
        ("password_hashing_module = bcrypt", "'bcrypt' is not known"),
    ],
)
def test_what_is_not_allowed_is_told_with_what_is(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        settings(tmp_path, line)
    assert problem in str(raised.value)
    assert f": {line.partition(' ')[0]}: " in str(raised.value)
