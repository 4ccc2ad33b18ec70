"""What a request wants to know of figures: the sample windows, or nothing at all (`disable_stats`)."""

from amq.management.call import Call
from amq.management.errors import BadRequest
from amq.metrics.ranges import Ranges, ranges_of

NO_STATS = "Stats in management UI are disabled on this node"


def stats_disabled(call: Call) -> bool:
    """Whether the request wants no figures."""
    return call.query.get("disable_stats") == "true"


def check_stats_enabled(call: Call) -> None:
    """Raise BadRequest for a request without figures, where there is nothing else."""
    if stats_disabled(call):
        raise BadRequest(NO_STATS)


def totals_enabled(call: Call) -> bool:
    """Whether a request without figures wants the lengths of queues all the same."""
    return call.query.get("enable_queue_totals") == "true"


def windows(call: Call, error: str = "bad_request") -> Ranges:
    """The sample windows that the request asks for. Raises BadRequest with that `error`."""
    try:
        return ranges_of(call.query)
    except ValueError as problem:
        raise BadRequest(f"Invalid range parameters: {problem}", error) from None
