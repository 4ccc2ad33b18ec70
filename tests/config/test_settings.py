"""Defaults and ranges of the settings."""

import attrs
import pytest

from amq.config.settings import DiskFreeLimit, Listener, MemoryWatermark, Settings, TlsSettings
from amq.config.web import ManagementSettings


def test_without_configuration_the_broker_keeps_to_loopback() -> None:
    assert Settings().listeners == (Listener("127.0.0.1", 5672, tls=False),)


def test_defaults_are_those_of_rabbitmq() -> None:
    settings = Settings()
    assert (settings.heartbeat, settings.frame_max, settings.channel_max) == (60, 131_072, 2047)
    assert (settings.max_message_size, settings.consumer_timeout) == (134_217_728, 1_800_000)
    assert (settings.handshake_timeout, settings.ssl_handshake_timeout) == (10_000, 5000)
    assert (settings.default_user, settings.default_pass, settings.default_vhost) == ("guest", "guest", "/")
    assert settings.default_user_tags == {"administrator"}
    assert settings.loopback_users == {"guest"}
    assert settings.auth_mechanisms == ("PLAIN", "AMQPLAIN")
    assert settings.disk_free_limit == DiskFreeLimit(absolute=50_000_000)
    assert settings.memory_high_watermark_paging_ratio == 0.5
    assert (settings.product_name, settings.product_version) == ("RabbitMQ", "3.13.7")


def test_settings_do_not_change() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Settings().heartbeat = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("heartbeat", -1),
        ("heartbeat", 65_536),
        ("heartbeat", True),
        ("heartbeat", "60"),
        ("heartbeat", None),
        ("frame_max", 4095),
        ("channel_max", 65_536),
        ("max_message_size", 0),
        ("max_message_size", 536_870_913),
        ("consumer_timeout", 0),
        ("log_level", "loud"),
        ("auth_mechanisms", ("PLAIN", "MAGIC")),
        ("ssl_cert_login_from", "issuer"),
        ("default_user", ""),
        ("default_pass", ""),
        ("default_vhost", ""),
        ("data", ""),
        ("memory_high_watermark_paging_ratio", 1.1),
        ("body_memory_limit", 0),
        ("journal_segment_bytes", (1 << 20) - 1),
        ("journal_segment_bytes", (1 << 30) + 1),
        ("journal_stall_seconds", 0),
    ],
)
def test_a_value_out_of_range_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError):
        Settings(**{field: value})  # type: ignore[arg-type]


def test_zero_is_no_limit_for_frames_and_none_for_the_consumer_timeout() -> None:
    settings = Settings(frame_max=0, consumer_timeout=None)
    assert settings.frame_max == 0
    assert settings.consumer_timeout is None


def test_a_tls_listener_needs_a_certificate_and_a_key() -> None:
    listeners = (Listener("", 5671, tls=True),)
    for tls in (None, TlsSettings(), TlsSettings(certfile="cert.pem")):
        with pytest.raises(ValueError, match=r"needs ssl_options\.certfile and ssl_options\.keyfile"):
            Settings(listeners=listeners, tls=tls)
    assert Settings(listeners=listeners, tls=TlsSettings(certfile="cert.pem", keyfile="key.pem")).tls is not None


def test_the_memory_limit_is_a_share_unless_it_is_absolute() -> None:
    assert MemoryWatermark(0.4).limit(1000) == 400
    assert MemoryWatermark(0.4, absolute=700).limit(1000) == 700
    assert MemoryWatermark(0.4, absolute=0).limit(1000) == 0


def test_a_share_of_memory_is_between_0_and_1() -> None:
    for share in (-0.1, 1.1):
        with pytest.raises(ValueError):
            MemoryWatermark(share)
    with pytest.raises(ValueError):
        MemoryWatermark(absolute=-1)


def test_the_disk_limit_is_absolute_unless_it_is_a_multiple_of_a_memory_that_is_known() -> None:
    assert DiskFreeLimit(absolute=700).limit(1000) == 700
    assert DiskFreeLimit(absolute=700, relative=1.5).limit(1000) == 1500
    assert DiskFreeLimit(absolute=700, relative=1.5).limit(None) == 700
    assert DiskFreeLimit(absolute=700, relative=0.0).limit(1000) == 0


def test_a_limit_on_free_space_is_not_negative() -> None:
    with pytest.raises(ValueError):
        DiskFreeLimit(absolute=-1)
    with pytest.raises(ValueError):
        DiskFreeLimit(relative=-0.1)


@pytest.mark.parametrize(
    ("watermark", "total", "budget"),
    [
        (MemoryWatermark(0.4), 1000, 200),
        (MemoryWatermark(0.4), 100_000, 5000),
        (MemoryWatermark(0.4), None, 5000),
        (MemoryWatermark(absolute=600), None, 300),
        (MemoryWatermark(absolute=600), 100_000, 300),
    ],
)
def test_bodies_in_memory_are_bounded_by_a_share_of_the_watermark_and_absolutely(
    watermark: MemoryWatermark, total: int | None, budget: int
) -> None:
    settings = Settings(memory_high_watermark=watermark, body_memory_limit=5000)
    assert settings.body_budget(total) == budget


def test_a_broker_in_a_program_keeps_nothing_unless_it_is_told_where() -> None:
    assert Settings().data is None


def test_a_listener_shows_itself_as_host_and_port() -> None:
    assert str(Listener("127.0.0.1", 5672)) == "127.0.0.1:5672"
    assert str(Listener("::1", 5672)) == "[::1]:5672"
    assert str(Listener("", 5672)) == "*:5672"


def test_a_port_is_a_16_bit_number() -> None:
    assert Listener("", 0).port == 0
    with pytest.raises(ValueError):
        Listener("", 65_536)


def test_passwords_are_not_shown() -> None:
    assert "hunter2" not in repr(Settings(default_pass="hunter2", tls=TlsSettings(password="hunter2")))


def test_http_over_tls_needs_a_certificate_and_a_key() -> None:
    tls = TlsSettings(certfile="cert.pem", keyfile="key.pem")
    assert Settings(management_tls=tls, prometheus_tls=tls).management_tls is tls
    with pytest.raises(ValueError, match=r"needs management\.ssl\.certfile and management\.ssl\.keyfile"):
        Settings(management_tls=TlsSettings(certfile="cert.pem"))
    with pytest.raises(ValueError, match=r"needs prometheus\.ssl\.certfile and prometheus\.ssl\.keyfile"):
        Settings(prometheus_tls=TlsSettings(keyfile="key.pem"))


@pytest.mark.parametrize("prefix", ["broker", "/broker/", "//broker", "/a%20b"])
def test_what_is_not_the_beginning_of_a_path_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="not the beginning of a path"):
        ManagementSettings(path_prefix=prefix)
