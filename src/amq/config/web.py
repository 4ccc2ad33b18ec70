"""Settings of what is served over HTTP: the management API with its console, and figures for Prometheus.

`management_tls` and `prometheus_tls` of Settings say how their TLS listeners present themselves.
"""

from typing import Any, Final

import attrs

from amq.config.fields import about, free, whole

ADDRESS: Final = "an address or a name (127.0.0.1 if not given)"


def port(default: int, meaning: str) -> Any:
    """A field for a port; None is the default one."""

    def check(_instance: object, _attribute: "attrs.Attribute[Any]", value: int | None) -> None:
        if value is not None and not 0 <= value <= 65535:
            raise ValueError(f"port {value} is out of range")

    return attrs.field(default=None, validator=check, metadata=about(f"0 to 65535 ({default} if not given)", meaning))


def path(default: str, meaning: str) -> Any:
    """A field for the beginning of paths: empty, or segments that each begin with a slash."""

    def check(_instance: object, _attribute: "attrs.Attribute[Any]", value: str) -> None:
        if value and (not value.startswith("/") or value.endswith("/") or "//" in value or "%" in value):
            raise ValueError(f"'{value}' is not the beginning of a path")

    allowed = "a path such as /broker, without a slash at its end"
    return attrs.field(default=default, validator=check, metadata=about(allowed, meaning))


@attrs.frozen(kw_only=True)
class ManagementSettings:
    """The HTTP API and the console. With a certificate and no `tcp_*`, only TLS is served, as in RabbitMQ."""

    enabled: bool = free(True, "true or false", "Whether the HTTP API and the console are served.")
    tcp_port: int | None = port(15672, "Port of the HTTP API; 0 lets the system choose.")
    tcp_ip: str | None = free(None, ADDRESS, "Where it listens; `::` is every interface.")
    ssl_port: int | None = port(15671, "Port of the HTTP API over TLS.")
    ssl_ip: str | None = free(None, ADDRESS, "Where that listens; `::` is every interface.")
    unix_socket: str | None = free(
        None,
        "path of a socket, or none",
        "A socket of this machine on which root and the broker's own user need no password. Without it, http.sock in "
        "the data folder; the word none makes none.",
    )
    path_prefix: str = path("", "What the paths of the API and the console begin with.")
    login_session_timeout: int = whole(480, 1, 525_600, "minutes", "How long a sign-in to the console is good for.")
    max_http_body_size: int = whole(10_000_000, 1, 1 << 30, "bytes", "Longest body of a request.")
    disable_stats: bool = free(
        False, "true or false", "Leave rates and figures out of what is listed, as `disable_stats` in a query does."
    )
    cors_allow_origins: tuple[str, ...] = free(
        (), "origins such as https://example.com, or *", "Web pages of which origins may use the API."
    )
    cors_max_age: int = whole(1800, 0, 86_400, "seconds", "How long browsers may remember that.")
    hsts_policy: str | None = free(None, "text", "Strict-Transport-Security in answers; none without it.")
    csp_policy: str | None = free(
        None, "text", "Content-Security-Policy in answers. Without it, one that lets the console do what it must."
    )


@attrs.frozen(kw_only=True)
class PrometheusSettings:
    """The figures for Prometheus. With a certificate and no `tcp_*`, only TLS is served, as in RabbitMQ."""

    enabled: bool = free(True, "true or false", "Whether figures for Prometheus are served.")
    tcp_port: int | None = port(15692, "Port of the figures; 0 lets the system choose.")
    tcp_ip: str | None = free(None, ADDRESS, "Where they are served; `::` is every interface.")
    ssl_port: int | None = port(15691, "Port of the figures over TLS.")
    ssl_ip: str | None = free(None, ADDRESS, "Where that listens; `::` is every interface.")
    path: str = path("/metrics", "Path of the figures.")
    authentication_enabled: bool = free(
        False, "true or false", "Whether the figures are only for users with the tag monitoring or administrator."
    )
    return_per_object_metrics: bool = free(
        False, "true or false", "Whether /metrics has a series for each queue, connection and channel."
    )
