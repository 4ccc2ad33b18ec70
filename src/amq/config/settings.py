"""What can be set, as values: frozen, checked, with RabbitMQ's defaults.

Knows units, ranges and defaults; knows nothing of files, of the environment or of how a value is spelled
(`amq.config.keys` does).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from amq.config.access import LimitSettings, LoginSettings
from amq.config.fields import about, filled, free, one_of, share, some_of, whole
from amq.config.log import LOG_LEVELS, LogSettings
from amq.config.seeds import DefaultLimits, DefaultPolicy, DefaultUser, ImportSettings
from amq.config.web import ManagementSettings, PrometheusSettings

MECHANISMS: Final = ("PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS", "RABBIT-CR-DEMO")
CERTIFICATE_NAMES: Final = ("distinguished_name", "common_name", "subject_alternative_name")
SAN_TYPES: Final = ("dns", "ip", "email", "uri", "other_name")
VERIFY: Final = ("verify_none", "verify_peer")
TLS_VERSIONS: Final = ("tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1")
AUTOMATIC: Final = "automatic"
HASHING_ALGORITHMS: Final = (
    AUTOMATIC,
    "argon2id",
    "rabbit_password_hashing_sha256",
    "rabbit_password_hashing_sha512",
    "rabbit_password_hashing_md5",
)

# "No timeout" still needs a number to compare with: 24.8 days in milliseconds.
NO_TIMEOUT: Final = 2_147_483_647
MAX_COUNT: Final = 4_294_967_295


@attrs.frozen
class Listener:
    """A place to accept connections: `host` is an address or a name, or empty for every interface (IPv4 and IPv6).

    `port` is 0 to 65535; 0 lets the system choose a free one. Raises ValueError for another port.
    """

    host: str
    port: int = attrs.field()
    tls: bool = False

    @port.validator
    def _check_port(self, _attribute: "attrs.Attribute[int]", value: int) -> None:
        if not 0 <= value <= 65535:
            raise ValueError(f"port {value} is out of range")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host or "*"
        return f"{host}:{self.port}"


@attrs.frozen(kw_only=True)
class TcpSettings:
    """Options of sockets for AMQP."""

    backlog: int = whole(4096, 1, 65_535, "connections", "How many may wait to be accepted.")
    nodelay: bool = free(True, "true or false", "Send small packets at once.")
    keepalive: bool = free(False, "true or false", "Have the system look whether clients are still there.")
    sndbuf: int | None = whole(None, 1, 1 << 30, "bytes", "Send buffer.", besides="none: the system's choice")
    recbuf: int | None = whole(None, 1, 1 << 30, "bytes", "Receive buffer.", besides="none: the system's choice")


@attrs.frozen
class DefaultPermissions:
    """Regular expressions for what the default user may do in the default vhost; the empty one allows nothing."""

    configure: str = ".*"
    write: str = ".*"
    read: str = ".*"


@attrs.frozen
class MemoryWatermark:
    """How much memory the broker may use before publishers are blocked.

    `absolute` (bytes) wins over `relative` (a share of the machine's memory, 0 to 1). 0 blocks publishers for good.
    Raises ValueError for a share or a number of bytes out of range.
    """

    relative: float = attrs.field(default=0.4)
    absolute: int | None = attrs.field(default=None)

    @relative.validator
    def _check_relative(self, _attribute: "attrs.Attribute[float]", value: float) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"{value} is out of range")

    @absolute.validator
    def _check_absolute(self, _attribute: "attrs.Attribute[int | None]", value: int | None) -> None:
        if value is not None and value < 0:
            raise ValueError(f"{value} is out of range")

    def limit(self, total: int) -> int:
        """The limit in bytes on a machine with `total` bytes of memory."""
        if self.absolute is not None:
            return self.absolute
        return int(total * self.relative)


@attrs.frozen
class DiskFreeLimit:
    """How much of the disk stays free: under it publishers are blocked.

    `relative` (a multiple of the machine's memory) wins over `absolute` (bytes). 0 never blocks for lack of space.
    Raises ValueError for numbers under 0.
    """

    absolute: int = attrs.field(default=50_000_000)
    relative: float | None = attrs.field(default=None)

    @absolute.validator
    @relative.validator
    def _check(self, _attribute: "attrs.Attribute[float | None]", value: float | None) -> None:
        if value is not None and value < 0:
            raise ValueError(f"{value} is out of range")

    def limit(self, total: int | None) -> int:
        """The limit in bytes on a machine with `total` bytes of memory; the absolute one where that is not known."""
        if self.relative is None or total is None:
            return self.absolute
        return int(total * self.relative)


@attrs.frozen(kw_only=True)
class TlsSettings:
    """How TLS listeners present themselves and what they ask of clients. Files are PEM."""

    cacertfile: str | None = free(
        None, "path of a file", "Certificates of the authorities that client certificates are checked with."
    )
    certfile: str | None = free(None, "path of a file", "The server's certificate, followed by those of its chain.")
    keyfile: str | None = free(None, "path of a file", "The server's private key.")
    password: str | None = attrs.field(default=None, repr=False, metadata=about("text", "Password of the private key."))
    verify: str = one_of("verify_none", VERIFY, "Whether client certificates are asked for and checked.")
    fail_if_no_peer_cert: bool = free(
        False, "true or false", "With verify_peer: refuse clients that present no certificate."
    )
    depth: int = whole(10, 0, 255, "certificates", "Longest chain of intermediate certificates.")
    versions: tuple[str, ...] = some_of(("tlsv1.3", "tlsv1.2"), TLS_VERSIONS, "Protocol versions.")
    ciphers: tuple[str, ...] = free(
        (), "OpenSSL names of cipher suites", "Cipher suites in order; none given: the system's."
    )
    honor_cipher_order: bool = free(
        True, "true or false", "The server's order of cipher suites counts, not the client's."
    )


@attrs.frozen(kw_only=True)
class Settings:
    """Everything that can be set. `Settings()` is the zero-config broker: loopback only, guest/guest, vhost `/`.

    Raises ValueError for a value that is out of range, and for a TLS listener without certificate and key.
    """

    listeners: tuple[Listener, ...] = free(
        (Listener("127.0.0.1", 5672),),
        "PORT, ADDRESS:PORT or [IPv6]:PORT",
        "Where connections are accepted. Without any configured listener the broker keeps to loopback; "
        "a bare port or the address [::] listens on every interface, IPv4 and IPv6, as in RabbitMQ; "
        "0.0.0.0 is IPv4 only.",
    )
    tcp: TcpSettings = attrs.field(default=TcpSettings(), metadata=about("see tcp_listen_options", "Sockets for AMQP."))
    heartbeat: int = whole(60, 0, 65535, "seconds", "Heartbeat interval proposed to clients; 0 proposes none.")
    frame_max: int = whole(
        131_072, 4096, 2_147_483_647, "bytes", "Largest frame proposed to clients; 0 is no limit.", besides=0
    )
    channel_max: int = whole(2047, 0, 65535, "channels", "Most channels of one connection; 0 is no limit.")
    max_message_size: int = whole(134_217_728, 1, 536_870_912, "bytes", "Largest body of a message.")
    consumer_timeout: int | None = whole(
        1_800_000,
        1,
        MAX_COUNT,
        "milliseconds",
        "How long a delivery may stay unacknowledged before its channel is closed.",
        besides="false for no limit",
    )
    consumer_max_per_channel: int = whole(
        0, 0, MAX_COUNT, "consumers", "Most consumers of one channel; 0 and infinity are no limit."
    )
    handshake_timeout: int = whole(
        10_000, 1, NO_TIMEOUT, "milliseconds", "Time for the AMQP handshake; infinity stands for the highest number."
    )
    ssl_handshake_timeout: int = whole(5000, 1, NO_TIMEOUT, "milliseconds", "Time for the TLS handshake.")
    default_user: str = filled("guest", "The user made at the first start.")
    default_pass: str = filled("guest", "Its password.", secret=True)
    default_vhost: str = filled("/", "The vhost made at the first start.")
    default_user_tags: frozenset[str] = free(
        frozenset({"administrator"}),
        "true or false for each tag",
        "Tags of the default user; giving any replaces administrator.",
    )
    default_permissions: DefaultPermissions = attrs.field(
        default=DefaultPermissions(),
        metadata=about("a regular expression", "What the default user may do in the default vhost."),
    )
    loopback_users: frozenset[str] = free(
        frozenset({"guest"}),
        "none, or true or false for each user",
        "Users who may connect from this machine only; naming any replaces guest.",
    )
    password_hashing_module: str = one_of(
        AUTOMATIC,
        HASHING_ALGORITHMS,
        "How passwords set from now on are hashed. automatic: by argon2id when argon2-cffi is installed and "
        "definitions are kept, else by rabbit_password_hashing_sha256; RabbitMQ cannot import hashes by argon2id.",
    )
    logins: LoginSettings = attrs.field(
        default=LoginSettings(), metadata=about("see auth_backends", "How logins are checked.")
    )
    limits: LimitSettings = attrs.field(
        default=LimitSettings(), metadata=about("see connection_max", "How much of everything there may be.")
    )
    memory_high_watermark: MemoryWatermark = attrs.field(
        default=MemoryWatermark(),
        metadata=about(
            "relative: 0.0 to 1.0; absolute: bytes, or a number with a unit such as 1GB (decimal) or 2048MiB (binary)",
            "Memory in use beyond which publishers are blocked.",
        ),
    )
    memory_high_watermark_paging_ratio: float = share(
        0.5, "Share of vm_memory_high_watermark from which on bodies of messages are on disk alone."
    )
    body_memory_limit: int = whole(
        512 << 20,
        1,
        1 << 40,
        "bytes, or a number with a unit such as 1GB (decimal) or 512MiB (binary)",
        "Most memory for bodies of messages, whatever vm_memory_high_watermark_paging_ratio says; the others are on "
        "disk alone until they come near the head of their queue.",
    )
    total_memory_available_override_value: int | None = free(
        None,
        "bytes, or a number with a unit such as 4GB (decimal) or 4GiB (binary)",
        "Memory of the machine, when what the system says is not to be used.",
    )
    data: str | None = attrs.field(
        default=None,
        metadata=about(
            "path of a folder, or none",
            "Where definitions and messages are kept; none keeps nothing. Without it `amq serve` takes "
            "$XDG_STATE_HOME/amq or ~/.local/state/amq, and a broker that is embedded in a program keeps nothing.",
        ),
    )
    disk_free_limit: DiskFreeLimit = attrs.field(
        default=DiskFreeLimit(),
        metadata=about(
            "relative: 0.0 or more; absolute: bytes, or a number with a unit such as 1GB (decimal) or 2048MiB (binary)",
            "Free space on the disk under which publishers are blocked; relative is a multiple of the machine's memory "
            "and counts if both are given.",
        ),
    )
    journal_segment_bytes: int = whole(
        64 << 20,
        1 << 20,
        1 << 30,
        "bytes, or a number with a unit such as 64MB (decimal) or 64MiB (binary)",
        "Size of the journal's files.",
    )
    journal_stall_seconds: int = whole(
        10, 1, 3600, "seconds", "How long the disk may take for one batch before the broker reports it."
    )
    collect_statistics_interval: int = whole(
        5000, 100, 3_600_000, "milliseconds", "How often the counts are looked at that rates and charts are made from."
    )
    log_level: str = one_of("info", LOG_LEVELS, "Least important messages that are logged.")
    log: LogSettings = attrs.field(default=LogSettings(), metadata=about("see log", "Where the log goes."))
    tls: TlsSettings | None = attrs.field(
        default=None, metadata=about("see ssl_options", "TLS; needed for TLS listeners.")
    )
    ssl_cert_login_from: str = one_of(
        "distinguished_name", CERTIFICATE_NAMES, "What of a client's certificate is the user name (EXTERNAL)."
    )
    ssl_cert_login_san_type: str = one_of("dns", SAN_TYPES, "Which subject alternative names count.")
    ssl_cert_login_san_index: int = whole(0, 0, 255, "", "Which of them, counted from 0.")
    auth_mechanisms: tuple[str, ...] = some_of(
        ("PLAIN", "AMQPLAIN"), MECHANISMS, "SASL mechanisms in order; EXTERNAL is offered on TLS connections only."
    )
    product_name: str = free(
        "RabbitMQ", "text", "`product` in the server-properties, by which clients decide (decision 0001)."
    )
    product_version: str = free(
        "3.13.7", "text", "`version` in the server-properties, by which clients decide (decision 0001)."
    )
    load_definitions: str | None = free(
        None,
        "path of a file, or of a folder",
        "Definitions (JSON) to import at the start; of a folder every file, by name.",
    )
    imports: ImportSettings = attrs.field(
        default=ImportSettings(), metadata=about("see definitions.import_backend", "Where else definitions come from.")
    )
    default_limits: tuple[DefaultLimits, ...] = free(
        (), "see default_limits", "Limits of new vhosts; of several that are for one the first by its word counts."
    )
    default_policies: tuple[DefaultPolicy, ...] = free((), "see default_policies", "Operator policies of new vhosts.")
    default_users: tuple[DefaultUser, ...] = free((), "see default_users", "Users that are made with new vhosts.")
    parameter_limits: Mapping[str, int] = attrs.field(
        default=MappingProxyType({}),
        metadata=about(
            "a whole number", "Most runtime parameters of a component, over all vhosts; a negative number is no limit."
        ),
    )
    node_name: str = filled("amq@localhost", "What this node is called; `amq serve` takes amq@ and the machine's name.")
    cluster_name: str = free("amq@localhost", "text", "`cluster_name` in the server-properties.")

    management: ManagementSettings = attrs.field(
        default=ManagementSettings(), metadata=about("see management", "The HTTP API and the console.")
    )
    management_tls: TlsSettings | None = attrs.field(
        default=None, metadata=about("see ssl_options", "TLS for the HTTP API, which makes it listen on that port.")
    )
    prometheus: PrometheusSettings = attrs.field(
        default=PrometheusSettings(), metadata=about("see prometheus", "Figures for Prometheus.")
    )
    prometheus_tls: TlsSettings | None = attrs.field(
        default=None, metadata=about("see ssl_options", "TLS for the figures, which makes them listen on that port.")
    )

    @data.validator
    def _check_data(self, _attribute: "attrs.Attribute[str | None]", value: str | None) -> None:
        if value == "":
            raise ValueError("must not be empty")

    def body_budget(self, total: int | None) -> int:
        """Most bytes of bodies in memory on a machine with `total` bytes of it, None where that is not known."""
        watermark = self.memory_high_watermark
        if total is None and watermark.absolute is None:
            return self.body_memory_limit
        return min(int(watermark.limit(total or 0) * self.memory_high_watermark_paging_ratio), self.body_memory_limit)

    def __attrs_post_init__(self) -> None:
        if any(listener.tls for listener in self.listeners) and not _can_present_itself(self.tls):
            raise ValueError("a TLS listener needs ssl_options.certfile and ssl_options.keyfile")
        for key, tls in (("management.ssl", self.management_tls), ("prometheus.ssl", self.prometheus_tls)):
            if tls is not None and not _can_present_itself(tls):
                raise ValueError(f"a TLS listener needs {key}.certfile and {key}.keyfile")


def _can_present_itself(tls: TlsSettings | None) -> bool:
    return tls is not None and tls.certfile is not None and tls.keyfile is not None
