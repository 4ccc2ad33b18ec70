"""The keys of the configuration: what each is called, how its value is read, which setting it belongs to.

The reference page is generated from KEYS; what is allowed and what it means stands with the settings' fields.
"""

from collections.abc import Callable
from typing import Any, Final

import attrs

from amq.config import values
from amq.config.access import LimitSettings, LoginSettings
from amq.config.log import LogSettings
from amq.config.seeds import DefaultLimits, DefaultPolicy, DefaultUser, ImportSettings
from amq.config.settings import DefaultPermissions, DiskFreeLimit, MemoryWatermark, Settings, TcpSettings, TlsSettings
from amq.config.web import ManagementSettings, PrometheusSettings

# Settings that are made of several keys, and their classes.
PARTS: Final[dict[str, type]] = {
    "tls": TlsSettings,
    "default_permissions": DefaultPermissions,
    "memory_high_watermark": MemoryWatermark,
    "disk_free_limit": DiskFreeLimit,
    "imports": ImportSettings,
    "logins": LoginSettings,
    "limits": LimitSettings,
    "log": LogSettings,
    "tcp": TcpSettings,
    "management": ManagementSettings,
    "management_tls": TlsSettings,
    "prometheus": PrometheusSettings,
    "prometheus_tls": TlsSettings,
}

# Settings that there may be several of, each made of several keys and called by the word in the place of their `$`.
GROUPS: Final[dict[str, type]] = {
    "default_limits": DefaultLimits,
    "default_policies": DefaultPolicy,
    "default_users": DefaultUser,
}


@attrs.frozen
class Key:
    """One key. A word that begins with `$` in `name` stands for any word; such a key may be given many times.

    `field` is the setting, or `setting.part`; `parse` reads the text and raises ValueError.
    """

    name: str
    field: str
    parse: Callable[[str], Any] = values.text
    # Whether the value is the path of something that must be readable.
    path: bool = False

    @property
    def many(self) -> bool:
        """Whether it may be given many times, with different words."""
        return "$" in self.name

    @property
    def allowed(self) -> str:
        """What is allowed, for errors and the reference."""
        if self.parse is values.none:
            return "none"
        return str(self._described()["allowed"])

    @property
    def help(self) -> str:
        """What it means."""
        return str(self._described()["help"])

    @property
    def default(self) -> Any:
        """The setting's default."""
        return self._attribute().default

    def word(self, words: tuple[str, ...]) -> str | None:
        """The word in the place of `$`, or "" when there is none; None when this key is not meant."""
        own = self.name.split(".")
        if len(own) != len(words):
            return None
        free = ""
        for expected, found in zip(own, words, strict=True):
            if expected.startswith("$"):
                free = found
            elif expected != found:
                return None
        return free

    def without_free_words(self, words: tuple[str, ...]) -> tuple[str, str]:
        """This key's name and those words as a key, both without the words in the place of a `$`."""
        own = self.name.split(".")
        if len(own) != len(words):
            return self.name, ".".join(words)
        fixed = [(mine, theirs) for mine, theirs in zip(own, words, strict=True) if not mine.startswith("$")]
        return ".".join(mine for mine, _ in fixed), ".".join(theirs for _, theirs in fixed)

    def read(self, text: str) -> Any:
        """The value that the text spells, checked for its range.

        Raises ValueError.
        """
        value = self.parse(text)
        attribute = self._attribute()
        if attribute.validator is not None:
            grouped = self.field.partition(".")[0] in GROUPS
            attribute.validator(None, attribute, (value,) if self.many and not grouped else value)
        return value

    def _attribute(self) -> "attrs.Attribute[Any]":
        owner, _, part = self.field.partition(".")
        if part:
            return attrs.fields_dict({**PARTS, **GROUPS}[owner])[part]
        return attrs.fields_dict(Settings)[owner]

    def _described(self) -> Any:
        own = self._attribute().metadata
        return own or attrs.fields_dict(Settings)[self.field.partition(".")[0]].metadata


def _tls_keys(prefix: str, owner: str) -> tuple[Key, ...]:
    return (
        Key(f"{prefix}.cacertfile", f"{owner}.cacertfile", path=True),
        Key(f"{prefix}.certfile", f"{owner}.certfile", path=True),
        Key(f"{prefix}.keyfile", f"{owner}.keyfile", path=True),
        Key(f"{prefix}.password", f"{owner}.password"),
        Key(f"{prefix}.verify", f"{owner}.verify"),
        Key(f"{prefix}.fail_if_no_peer_cert", f"{owner}.fail_if_no_peer_cert", values.flag),
        Key(f"{prefix}.depth", f"{owner}.depth", values.whole),
        Key(f"{prefix}.versions.$version", f"{owner}.versions"),
        Key(f"{prefix}.ciphers.$cipher", f"{owner}.ciphers"),
        Key(f"{prefix}.honor_cipher_order", f"{owner}.honor_cipher_order", values.flag),
    )


KEYS: Final = (
    Key("listeners.tcp", "listeners", values.none),
    Key("listeners.tcp.$name", "listeners", values.listener),
    Key("listeners.ssl", "listeners", values.none),
    Key("listeners.ssl.$name", "listeners", values.tls_listener),
    Key("tcp_listen_options.backlog", "tcp.backlog", values.whole),
    Key("tcp_listen_options.nodelay", "tcp.nodelay", values.flag),
    Key("tcp_listen_options.keepalive", "tcp.keepalive", values.flag),
    Key("tcp_listen_options.sndbuf", "tcp.sndbuf", values.size),
    Key("tcp_listen_options.recbuf", "tcp.recbuf", values.size),
    Key("heartbeat", "heartbeat", values.whole),
    Key("frame_max", "frame_max", values.size),
    Key("channel_max", "channel_max", values.whole),
    Key("max_message_size", "max_message_size", values.size),
    Key("consumer_timeout", "consumer_timeout", values.time_or_false),
    Key("consumer_max_per_channel", "consumer_max_per_channel", values.count_or_infinity),
    Key("handshake_timeout", "handshake_timeout", values.time_or_infinity),
    Key("ssl_handshake_timeout", "ssl_handshake_timeout", values.whole),
    Key("default_user", "default_user"),
    Key("default_pass", "default_pass"),
    Key("default_vhost", "default_vhost"),
    Key("default_user_tags.$tag", "default_user_tags", values.flag),
    Key("default_permissions.configure", "default_permissions.configure", values.pattern),
    Key("default_permissions.write", "default_permissions.write", values.pattern),
    Key("default_permissions.read", "default_permissions.read", values.pattern),
    Key("loopback_users", "loopback_users", values.none),
    Key("loopback_users.$user", "loopback_users", values.flag),
    Key("password_hashing_module", "password_hashing_module"),
    Key("auth_backends.$number", "logins.backends"),
    Key("auth_backends.$number.authn", "logins.backends"),
    Key("auth_backends.$number.authz", "logins.backends"),
    Key("auth_attempts.burst", "logins.attempts_burst", values.whole),
    Key("auth_attempts.per_minute", "logins.attempts_per_minute", values.whole),
    Key("auth_cache.cache_ttl", "logins.cache_ttl", values.whole),
    Key("credential_validator.validation_backend", "logins.validation_backend"),
    Key("credential_validator.min_length", "logins.min_length", values.whole),
    Key("credential_validator.regexp", "logins.regexp", values.pattern),
    Key("anonymous_login_user", "logins.anonymous_user", values.name_or_none),
    Key("anonymous_login_pass", "logins.anonymous_pass"),
    Key("connection_max", "limits.connections", values.count_or_none),
    Key("channel_max_per_node", "limits.channels", values.count_or_none),
    Key("vhost_max", "limits.vhosts", values.count_or_none),
    Key("cluster_queue_limit", "limits.queues", values.count_or_none),
    Key("cluster_exchange_limit", "limits.exchanges", values.count_or_none),
    Key("default_queue_type", "limits.default_queue_type"),
    Key("vm_memory_high_watermark.relative", "memory_high_watermark.relative", values.share),
    Key("vm_memory_high_watermark.absolute", "memory_high_watermark.absolute", values.memory),
    Key("vm_memory_high_watermark_paging_ratio", "memory_high_watermark_paging_ratio", values.share),
    Key("body_memory_limit", "body_memory_limit", values.memory),
    Key("total_memory_available_override_value", "total_memory_available_override_value", values.memory),
    Key("data", "data", values.folder),
    Key("disk_free_limit.relative", "disk_free_limit.relative", values.share),
    Key("disk_free_limit.absolute", "disk_free_limit.absolute", values.memory),
    Key("journal.segment_bytes", "journal_segment_bytes", values.memory),
    Key("journal.stall_seconds", "journal_stall_seconds", values.whole),
    Key("collect_statistics_interval", "collect_statistics_interval", values.whole),
    Key("log.level", "log_level"),
    Key("log.default.level", "log_level"),
    Key("log.console", "log.console", values.flag),
    Key("log.console.level", "log.console_level"),
    Key("log.console.formatter", "log.console_format"),
    Key("log.dir", "log.folder"),
    Key("log.file", "log.file", values.name_or_false),
    Key("log.file.level", "log.file_level"),
    Key("log.file.formatter", "log.file_format"),
    Key("log.file.rotation.date", "log.rotation_date"),
    Key("log.file.rotation.size", "log.rotation_size", values.memory),
    Key("log.file.rotation.count", "log.rotation_count", values.whole),
    Key("log.connection.level", "log.connection_level"),
    Key("log.channel.level", "log.channel_level"),
    Key("log.queue.level", "log.queue_level"),
    *_tls_keys("ssl_options", "tls"),
    Key("ssl_cert_login_from", "ssl_cert_login_from", values.certificate_name),
    Key("ssl_cert_login_san_type", "ssl_cert_login_san_type"),
    Key("ssl_cert_login_san_index", "ssl_cert_login_san_index", values.whole),
    Key("auth_mechanisms.$name", "auth_mechanisms"),
    Key("product.name", "product_name"),
    Key("product.version", "product_version"),
    Key("load_definitions", "load_definitions", path=True),
    Key("definitions.local.path", "load_definitions", path=True),
    Key("definitions.import_backend", "imports.backend"),
    Key("definitions.https.url", "imports.url"),
    Key("definitions.tls.cacertfile", "imports.cacertfile", path=True),
    Key("definitions.tls.verify", "imports.verify"),
    Key("definitions.skip_if_unchanged", "imports.skip_if_unchanged", values.flag),
    Key("definitions.hashing.algorithm", "imports.hashing"),
    Key("default_limits.vhosts.$id.pattern", "default_limits.pattern", values.pattern),
    Key("default_limits.vhosts.$id.max_connections", "default_limits.max_connections", values.count_or_none),
    Key("default_limits.vhosts.$id.max_queues", "default_limits.max_queues", values.count_or_none),
    Key("default_policies.operator.$id.vhost_pattern", "default_policies.vhost_pattern", values.pattern),
    Key("default_policies.operator.$id.queue_pattern", "default_policies.queue_pattern", values.pattern),
    Key("default_policies.operator.$id.apply_to", "default_policies.apply_to"),
    Key("default_policies.operator.$id.expires", "default_policies.expires", values.duration),
    Key("default_policies.operator.$id.message_ttl", "default_policies.message_ttl", values.duration),
    Key("default_policies.operator.$id.max_length", "default_policies.max_length", values.whole),
    Key("default_policies.operator.$id.max_length_bytes", "default_policies.max_length_bytes", values.memory),
    Key(
        "default_policies.operator.$id.max_in_memory_length",
        "default_policies.max_in_memory_length",
        values.whole,
    ),
    Key(
        "default_policies.operator.$id.max_in_memory_bytes",
        "default_policies.max_in_memory_bytes",
        values.memory,
    ),
    Key("default_policies.operator.$id.delivery_limit", "default_policies.delivery_limit", values.whole),
    Key("default_policies.operator.$id.classic_queues.ha_mode", "default_policies.ha_mode"),
    Key("default_policies.operator.$id.classic_queues.ha_params", "default_policies.ha_params", values.whole),
    Key("default_policies.operator.$id.classic_queues.ha_sync_mode", "default_policies.ha_sync_mode"),
    Key("default_users.$name.vhost_pattern", "default_users.vhost_pattern", values.pattern),
    Key("default_users.$name.password", "default_users.password"),
    Key("default_users.$name.tags", "default_users.tags", values.words),
    Key("default_users.$name.configure", "default_users.configure", values.pattern),
    Key("default_users.$name.write", "default_users.write", values.pattern),
    Key("default_users.$name.read", "default_users.read", values.pattern),
    Key("runtime_parameters.limits.$component", "parameter_limits", values.whole),
    Key("node_name", "node_name"),
    Key("cluster_name", "cluster_name"),
    Key("management.enabled", "management.enabled", values.flag),
    Key("management.tcp.port", "management.tcp_port", values.whole),
    Key("management.tcp.ip", "management.tcp_ip", values.address),
    Key("management.ssl.port", "management.ssl_port", values.whole),
    Key("management.ssl.ip", "management.ssl_ip", values.address),
    *_tls_keys("management.ssl", "management_tls"),
    Key("management.unix_socket", "management.unix_socket"),
    Key("management.path_prefix", "management.path_prefix", values.path),
    Key("management.login_session_timeout", "management.login_session_timeout", values.whole),
    Key("management.max_http_body_size", "management.max_http_body_size", values.size),
    Key("management.disable_stats", "management.disable_stats", values.flag),
    Key("management.load_definitions", "load_definitions", path=True),
    Key("management.cors.allow_origins.$name", "management.cors_allow_origins"),
    Key("management.cors.max_age", "management.cors_max_age", values.whole),
    Key("management.hsts.policy", "management.hsts_policy"),
    Key("management.csp.policy", "management.csp_policy"),
    Key("prometheus.enabled", "prometheus.enabled", values.flag),
    Key("prometheus.tcp.port", "prometheus.tcp_port", values.whole),
    Key("prometheus.tcp.ip", "prometheus.tcp_ip", values.address),
    Key("prometheus.ssl.port", "prometheus.ssl_port", values.whole),
    Key("prometheus.ssl.ip", "prometheus.ssl_ip", values.address),
    *_tls_keys("prometheus.ssl", "prometheus_tls"),
    Key("prometheus.path", "prometheus.path", values.path),
    Key("prometheus.authentication.enabled", "prometheus.authentication_enabled", values.flag),
    Key("prometheus.return_per_object_metrics", "prometheus.return_per_object_metrics", values.flag),
)


def find(words: tuple[str, ...]) -> tuple[Key, str] | None:
    """The key of these words and the word in the place of its `$`, or None."""
    for key in KEYS:
        word = key.word(words)
        if word is not None:
            return key, word
    return None
