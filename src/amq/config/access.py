"""What can be set about who comes in and how much everybody may have: parts of Settings."""

from typing import Final

import attrs

from amq.config.fields import about, free, one_of, some_of, whole

BACKENDS: Final = ("internal", "rabbit_auth_backend_internal")
VALIDATORS: Final = (
    "rabbit_credential_validator_accept_everything",
    "rabbit_credential_validator_min_password_length",
    "rabbit_credential_validator_password_regexp",
)
QUEUE_TYPES: Final = ("classic", "quorum", "stream")
MAX_COUNT: Final = 4_294_967_295
NO_LIMIT: Final = "infinity for no limit"


@attrs.frozen(kw_only=True)
class LoginSettings:
    """How logins are checked, and how often one source may fail."""

    backends: tuple[str, ...] = some_of(
        ("internal",),
        BACKENDS,
        "Who is asked about users, in order. No backends exist but the broker's own.",
    )
    attempts_burst: int = whole(
        100, 0, 1_000_000, "logins", "How many logins from one address may fail in a short time; 0 is no limit."
    )
    attempts_per_minute: int = whole(
        60,
        1,
        1_000_000,
        "logins",
        "How many more may fail in every minute. Whoever has used up both is refused without a look at the password.",
    )
    cache_ttl: int = whole(
        60_000,
        0,
        86_400_000,
        "milliseconds",
        "How long a password that was verified need not be verified again (argon2id only); 0 verifies always.",
    )
    validation_backend: str = one_of(VALIDATORS[0], VALIDATORS, "Which passwords may be set.")
    min_length: int = whole(
        8, 0, 65_535, "characters", "With rabbit_credential_validator_min_password_length: the shortest password."
    )
    regexp: str = attrs.field(
        default=".*",
        metadata=about(
            "a regular expression", "With rabbit_credential_validator_password_regexp: what a password must match."
        ),
    )
    anonymous_user: str | None = free(
        "guest",
        "name of a user, or none",
        "Whom clients that log in by ANONYMOUS are taken for, if auth_mechanisms has it; none refuses them.",
    )
    anonymous_pass: str = attrs.field(
        default="guest", repr=False, metadata=about("text", "The password of anonymous_login_user.")
    )


@attrs.frozen(kw_only=True)
class LimitSettings:
    """How much of everything there may be in the whole broker; None is no limit."""

    connections: int | None = whole(None, 0, MAX_COUNT, "connections", "Most open connections.", besides=NO_LIMIT)
    channels: int | None = whole(
        None, 0, MAX_COUNT, "channels", "Most open channels, over all connections.", besides=NO_LIMIT
    )
    vhosts: int | None = whole(None, 0, MAX_COUNT, "vhosts", "Most vhosts.", besides=NO_LIMIT)
    queues: int | None = whole(None, 0, MAX_COUNT, "queues", "Most queues, over all vhosts.", besides=NO_LIMIT)
    exchanges: int | None = whole(
        None,
        0,
        MAX_COUNT,
        "exchanges",
        "Most exchanges, over all vhosts, counting the seven that every vhost comes with.",
        besides=NO_LIMIT,
    )
    default_queue_type: str | None = free(
        None,
        ", ".join(QUEUE_TYPES),
        "Type of queues that are declared without x-queue-type in vhosts that have no default of their own; without it "
        "they are classic, and their arguments stay as they are.",
    )

    @default_queue_type.validator
    def _check_type(self, _attribute: "attrs.Attribute[str | None]", value: str | None) -> None:
        if value is not None and value not in QUEUE_TYPES:
            raise ValueError(f"{value!r} is not known")
