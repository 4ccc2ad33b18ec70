"""What a policy may say: its keys, what their values may be, and RabbitMQ's words for what they may not be."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from amq.queues.arguments import MAX_MS

Validator = Callable[[Any], str | None]


def _whole(least: int, problem: str) -> Validator:
    """Whole numbers from `least` on; `problem` follows the value in the error."""

    def check(value: Any) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and value >= least
        return None if good else f"{term(value)} {problem}"

    return check


def _time(least: int, problem: str) -> Validator:
    """Times in ms from `least` on, at most ten years."""

    def check(value: Any) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_MS
        return None if good else f"{term(value)} {problem}"

    return check


def _text(problem: str) -> Validator:
    def check(value: Any) -> str | None:
        return None if isinstance(value, str) else f"{term(value)} {problem}"

    return check


def _choice(allowed: tuple[Any, ...], problem: str) -> Validator:
    def check(value: Any) -> str | None:
        good = not isinstance(value, bool) and value in allowed
        return None if good else f"{term(value)} {problem}"

    return check


def _anything(_value: Any) -> str | None:
    return None


LOCATORS: Final = ("client-local", "balanced", "min-masters", "random", "least-leaders")

# In the order in which RabbitMQ looks at them: of several mistakes the first one is told.
KEYS: Final[dict[str, Validator]] = {
    "alternate-exchange": _text("is not a valid alternate exchange name"),
    "consumer-timeout": _whole(0, "is not a valid consumer timeout"),
    "dead-letter-exchange": _text("is not a valid dead letter exchange name"),
    "dead-letter-routing-key": _text("is not a valid dead letter routing key"),
    "dead-letter-strategy": _choice(("at-most-once", "at-least-once"), "is not a valid dead letter strategy"),
    "delivery-limit": _whole(0, "is not a valid delivery limit"),
    "expires": _time(1, "is not a valid queue expiry"),
    "initial-cluster-size": _anything,
    "max-age": _anything,
    "max-in-memory-bytes": _whole(0, "is not a valid maximum memory in bytes"),
    "max-in-memory-length": _whole(0, "is not a valid maximum memory in bytes"),
    "max-length": _whole(0, "is not a valid maximum length"),
    "max-length-bytes": _whole(0, "is not a valid maximum length in bytes"),
    "message-ttl": _time(0, "is not a valid message TTL"),
    "overflow": _choice(("drop-head", "reject-publish", "reject-publish-dlx"), "is not a valid overflow value"),
    "queue-leader-locator": _choice(LOCATORS, "is not a valid queue leader locator value"),
    "queue-master-locator": _choice(("client-local", "min-masters", "random"), "invalid queue-master-locator value"),
    "queue-mode": _choice(("default", "lazy"), "is not a valid queue-mode value"),
    "queue-version": _choice((1, 2), "is not a valid queue-version value"),
    "stream-filter-size-bytes": _whole(16, "is not a valid filter size. Valid range is 16-255"),
    "stream-max-segment-size-bytes": _whole(0, "is not a valid segment size"),
    "target-group-size": _anything,
    # Of RabbitMQ's federation plug-in: what it exports can be imported, and exported again.
    "federation-upstream": _anything,
    "federation-upstream-set": _anything,
    "federation-upstream-pattern": _anything,
}
MIRRORING: Final = (
    "ha-mode",
    "ha-params",
    "ha-sync-mode",
    "ha-sync-batch-size",
    "ha-promote-on-shutdown",
    "ha-promote-on-failure",
)
# Where both a policy and an operator policy have one of these, the lesser counts.
LESSER: Final = (
    "expires",
    "message-ttl",
    "max-length",
    "max-length-bytes",
    "max-in-memory-length",
    "max-in-memory-bytes",
    "delivery-limit",
)
OPERATOR_KEYS: Final = frozenset(LESSER) | {"overflow", "queue-version", *MIRRORING}


def problem_in(definition: Mapping[str, Any], operator: bool) -> str | None:
    """What is wrong with a definition, in RabbitMQ's words, or None."""
    if not definition:
        return "no policy provided"
    unknown = [
        (key, value)
        for key, value in sorted(definition.items())
        if not (key in KEYS or key in MIRRORING) or (operator and key not in OPERATOR_KEYS)
    ]
    if unknown:
        shown = ",".join(f"{{{term(key)},{term(value)}}}" for key, value in unknown)
        return f"[{shown}] are not recognised policy settings"
    problem = mirroring_problem(definition)
    for key, check in KEYS.items():
        if problem is None and key in definition:
            problem = check(definition[key])
    return problem


def mirroring_problem(definition: Mapping[str, Any]) -> str | None:
    """What is wrong with the keys of mirroring, or None."""
    mode = definition.get("ha-mode")
    if mode is None:
        if any(key in definition for key in MIRRORING):
            return "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown"
        return None
    return _mode_problem(mode, definition) or _synchronisation_problem(definition)


def _mode_problem(mode: Any, definition: Mapping[str, Any]) -> str | None:
    given = definition.get("ha-params")
    if mode == "all":
        return None if given is None else 'ha-mode="all" does not take parameters'
    if mode == "exactly":
        if isinstance(given, int) and not isinstance(given, bool) and given > 0:
            return None
        return f'ha-mode="exactly" takes an integer, {"none" if given is None else term(given)} given'
    if mode != "nodes":
        return f"{term(mode)} is not a valid ha-mode value"
    if not isinstance(given, list):
        return f'ha-mode="nodes" takes a list, {"none" if given is None else term(given)} given'
    if not given:
        return 'ha-mode="nodes" list must be non-empty'
    wrong = [item for item in given if not isinstance(item, str)]
    if wrong:
        return f'ha-mode="nodes" takes a list of strings, {term(wrong)} was not a string'
    return None


def _synchronisation_problem(definition: Mapping[str, Any]) -> str | None:
    mode = definition.get("ha-sync-mode", "manual")
    if mode not in ("manual", "automatic"):
        return f'ha-sync-mode must be "manual" or "automatic", got {term(mode)}'
    size = definition.get("ha-sync-batch-size", 1)
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        return f"ha-sync-batch-size takes an integer greater than 0, {term(size)} given"
    for key in ("ha-promote-on-shutdown", "ha-promote-on-failure"):
        value = definition.get(key, "always")
        if value not in ("always", "when-synced"):
            return f'{key} must be "always" or "when-synced", got {term(value)}'
    return None


def term(value: Any) -> str:
    """A JSON value as Erlang prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'<<"{escaped}">>'
    if isinstance(value, list):
        return "[" + ",".join(term(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = ",".join(f"{term(key)} => {term(item)}" for key, item in value.items())
        return "#{" + pairs + "}"
    return str(value)
