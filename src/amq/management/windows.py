"""What a request wants to know of figures: the sample windows, or nothing at all (`disable_stats`)."""

from collections.abc import Mapping
from typing import Final

from amq.management.call import Call
from amq.management.errors import BadRequest
from amq.metrics.ranges import Range, Ranges

NO_STATS: Final = "Stats in management UI are disabled on this node"
# Samples of one window, RabbitMQ's limit.
MOST_SAMPLES: Final = 500


def stats_disabled(call: Call) -> bool:
    """Whether the request wants no figures."""
    return call.query.get("disable_stats") == "true" or call.node.broker.settings.management.disable_stats


def check_stats_enabled(call: Call) -> None:
    """Raise BadRequest for a request without figures, where there is nothing else."""
    if stats_disabled(call):
        raise BadRequest(NO_STATS)


def totals_enabled(call: Call) -> bool:
    """Whether a request without figures wants the lengths of queues all the same."""
    return call.query.get("enable_queue_totals") == "true"


def windows(call: Call, error: str = "bad_request") -> Ranges:
    """The sample windows that the request asks for. Raises BadRequest with that `error`."""
    return Ranges(*[_window(call.query, what, error) for what in ("lengths", "msg_rates", "data_rates", "node_stats")])


def _window(query: Mapping[str, str], what: str, error: str) -> Range | None:
    """One window; as in RabbitMQ, what is no number counts as not said."""
    age, incr = _seconds(query, f"{what}_age"), _seconds(query, f"{what}_incr")
    if age is None or incr is None:
        return None
    if age <= 0 or incr <= 0 or age // incr > MOST_SAMPLES:
        raise BadRequest(f"Invalid range parameters: age {age}, incr {incr}", error)
    return Range(age, incr)


def _seconds(query: Mapping[str, str], name: str) -> int | None:
    try:
        return int(query[name])
    except (KeyError, ValueError):
        return None
