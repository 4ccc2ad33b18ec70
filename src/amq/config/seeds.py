"""What new vhosts come with, and where definitions are imported from: parts of Settings.

`default_limits.vhosts.ID.*`, `default_policies.operator.ID.*` and `default_users.NAME.*` of RabbitMQ. ID is any word;
policies and users are called by it.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from amq.config.fields import about, free, one_of, whole

ANY: Final = ".*"
MAX_COUNT: Final = 4_294_967_295
LOCAL: Final = "local_filesystem"
HTTPS: Final = "https"
BACKENDS: Final = (LOCAL, HTTPS, "rabbit_definitions_import_local_filesystem", "rabbit_definitions_import_https")
HASHES: Final = ("sha256", "sha", "sha224", "sha384", "sha512")


def pattern(default: str, meaning: str) -> Any:
    """A field for a regular expression."""
    return free(default, "a regular expression", meaning)


def count(unit: str, meaning: str, least: int = 0) -> Any:
    """A field for a number that need not be given."""
    return whole(None, least, MAX_COUNT, unit, meaning, besides="not given for none")


@attrs.frozen(kw_only=True)
class DefaultLimits:
    """Limits of new vhosts."""

    name: str
    pattern: str = pattern(ANY, "Names of new vhosts that get these limits.")
    max_connections: int | None = count("connections", "Most connections to each of them.")
    max_queues: int | None = count("queues", "Most queues in each of them.")

    def limits(self) -> dict[str, int]:
        """By RabbitMQ's names."""
        given = {"max-connections": self.max_connections, "max-queues": self.max_queues}
        return {key: value for key, value in given.items() if value is not None}


@attrs.frozen(kw_only=True)
class DefaultPolicy:
    """An operator policy of new vhosts."""

    name: str
    vhost_pattern: str = pattern(ANY, "Names of new vhosts that get this operator policy.")
    queue_pattern: str = pattern(ANY, "Names of queues that it is about.")
    apply_to: str = free(
        "all", "queues, classic_queues, quorum_queues, streams, exchanges or all", "What it is about beside the name."
    )
    expires: int | None = count("milliseconds", "`expires`: how long a queue may be unused.", 1)
    message_ttl: int | None = count("milliseconds", "`message-ttl`: how long a message may wait.")
    max_length: int | None = count("messages", "`max-length`: most messages of a queue.")
    max_length_bytes: int | None = count("bytes", "`max-length-bytes`: most octets of bodies of a queue.")
    max_in_memory_length: int | None = count("messages", "`max-in-memory-length`, which has no effect here.")
    max_in_memory_bytes: int | None = count("bytes", "`max-in-memory-bytes`, which has no effect here.")
    delivery_limit: int | None = count("deliveries", "`delivery-limit`: how often a message may come back.")
    ha_mode: str | None = free(None, "exactly, all or nodes", "`ha-mode`, which has no effect on a single node.")
    ha_params: int | None = count("replicas", "`ha-params`, for `ha-mode` exactly.", 1)
    ha_sync_mode: str | None = free(None, "automatic or manual", "`ha-sync-mode`.")

    @property
    def definition(self) -> Mapping[str, Any]:
        """By RabbitMQ's names."""
        aside = ("name", "vhost_pattern", "queue_pattern", "apply_to")
        given = attrs.asdict(self)
        return {key.replace("_", "-"): value for key, value in given.items() if key not in aside and value is not None}

    def __attrs_post_init__(self) -> None:
        if not self.definition:
            raise ValueError(f"default_policies.operator.{self.name} says nothing about queues")


@attrs.frozen(kw_only=True)
class DefaultUser:
    """A user that is made with a new vhost, with permissions there."""

    name: str
    vhost_pattern: str = pattern(ANY, "Names of new vhosts with which this user is made, and gets permissions there.")
    password: str | None = attrs.field(
        default=None,
        repr=False,
        metadata=about("text", "The user's password; without one it cannot log in by password."),
    )
    tags: tuple[str, ...] = free((), "words with commas between them", "The user's tags.")
    configure: str = pattern(ANY, "What the user may configure there.")
    write: str = pattern(ANY, "What the user may write there.")
    read: str = pattern(ANY, "What the user may read there.")


@attrs.frozen(kw_only=True)
class ImportSettings:
    """Where definitions come from at the start, beside `load_definitions`."""

    backend: str = attrs.field(
        default="",
        metadata=about(", ".join(BACKENDS), "Where definitions are imported from; not given: from what else is named."),
    )
    url: str | None = attrs.field(
        default=None, metadata=about("an address that begins with https:// or http://", "Where they are fetched.")
    )
    cacertfile: str | None = free(
        None,
        "path of a file",
        "The authorities that the server's certificate is checked with; the system's if none.",
    )
    verify: str = one_of("verify_peer", ("verify_peer", "verify_none"), "Whether its certificate is checked.")
    skip_if_unchanged: bool = free(
        False, "true or false", "Leave out the import when the same definitions were imported at an earlier start."
    )
    hashing: str = one_of("sha256", HASHES, "How is told whether they are the same.")

    @backend.validator
    def _check_backend(self, _attribute: "attrs.Attribute[str]", value: str) -> None:
        if value and value not in BACKENDS:
            raise ValueError(f"{value!r} is not known")

    @url.validator
    def _check_url(self, _attribute: "attrs.Attribute[str | None]", value: str | None) -> None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError(f"'{value}' is no such address")
