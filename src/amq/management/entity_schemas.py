"""JSON schemas of what the endpoints for exchanges, queues, bindings, connections and what is in them take and give."""

from typing import Any, Final

from amq.management.endpoint import Parameter, Schema

TEXT: Final[Schema] = {"type": "string"}
WHOLE: Final[Schema] = {"type": "integer"}
TRUTH: Final[Schema] = {"type": "boolean"}
# Arguments, headers, definitions: any object.
TABLE: Final[Schema] = {"type": "object"}
# RabbitMQ takes "true" for true.
FLAG: Final[Schema] = {"enum": [True, False, "true", "false"]}


def record(required: str, **properties: Schema) -> Schema:
    """An object that has at least these fields; further ones may be there."""
    return {"type": "object", "required": required.split(), "properties": properties}


def array_of(item: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": item}


def page_of(item: Schema) -> Schema:
    """A list, or with `page` a page of it."""
    page = record("items page page_count page_size item_count filtered_count total_count", items=array_of(item))
    return {"oneOf": [array_of(item), page]}


_QUEUE_FIELDS: Final[dict[str, Any]] = {
    "name": TEXT,
    "vhost": TEXT,
    "durable": TRUTH,
    "auto_delete": TRUTH,
    "exclusive": TRUTH,
    "arguments": TABLE,
    "type": TEXT,
    "state": TEXT,
    "node": TEXT,
    "consumers": WHOLE,
    "messages": WHOLE,
    "messages_ready": WHOLE,
    "messages_unacknowledged": WHOLE,
}
# Not everything is there when `columns` picks from it.
QUEUE: Final = record("", **_QUEUE_FIELDS)
EXCHANGE: Final = record(
    "", name=TEXT, vhost=TEXT, type=TEXT, durable=TRUTH, auto_delete=TRUTH, internal=TRUTH, arguments=TABLE
)
BINDING: Final = record(
    "",
    source=TEXT,
    vhost=TEXT,
    destination=TEXT,
    destination_type={"enum": ["queue", "exchange"]},
    routing_key=TEXT,
    arguments=TABLE,
    properties_key=TEXT,
)
CONNECTION: Final = record(
    "", name=TEXT, vhost=TEXT, user=TEXT, node=TEXT, state=TEXT, channels=WHOLE, client_properties=TABLE
)
CHANNEL: Final = record(
    "", name=TEXT, vhost=TEXT, user=TEXT, node=TEXT, number=WHOLE, consumer_count=WHOLE, prefetch_count=WHOLE
)
CONSUMER: Final = record("", consumer_tag=TEXT, queue=TABLE, channel_details=TABLE, ack_required=TRUTH)

DECLARED_QUEUE: Final = record(
    "", durable=FLAG, auto_delete=FLAG, passive=FLAG, arguments=TABLE, node={"type": "string"}
)
DECLARED_EXCHANGE: Final = record(
    "", type=TEXT, durable=FLAG, auto_delete=FLAG, internal=FLAG, passive=FLAG, arguments=TABLE
)
DECLARED_BINDING: Final = record("", routing_key=TEXT, arguments=TABLE)
PUBLICATION: Final = record(
    "properties routing_key payload payload_encoding",
    properties=TABLE,
    routing_key=TEXT,
    payload=TEXT,
    payload_encoding={"enum": ["string", "base64"]},
)
ROUTED: Final = record("routed", routed=TRUTH)
GETTING: Final = record(
    "count ackmode encoding",
    count={"type": "integer", "minimum": 0},
    ackmode={"enum": ["ack_requeue_true", "ack_requeue_false", "reject_requeue_true", "reject_requeue_false"]},
    encoding={"enum": ["auto", "base64"]},
    truncate={"type": "integer", "minimum": 0},
)
MESSAGE: Final = record(
    "payload payload_bytes payload_encoding properties redelivered exchange routing_key message_count",
    payload=TEXT,
    payload_bytes=WHOLE,
    payload_encoding={"enum": ["string", "base64"]},
    redelivered=TRUTH,
    exchange=TEXT,
    routing_key=TEXT,
    message_count=WHOLE,
)
ACTION: Final = record("action", action={"enum": ["sync", "cancel_sync"]})

_POSITIVE: Final[Schema] = {"type": "integer", "minimum": 1}
PAGE_QUERY: Final = (
    Parameter("page", "the page to show, from 1; without it everything is shown", _POSITIVE),
    Parameter("page_size", "items of a page, 100 unless told", {"type": "integer", "minimum": 1, "maximum": 500}),
    Parameter("name", "what names must contain to be on a page"),
    Parameter("use_regex", "`true`: `name` is a regular expression"),
)
SORT_QUERY: Final = (
    Parameter("sort", "the field to sort by, such as `message_stats.publish`"),
    Parameter("sort_reverse", "`true`: the other way round"),
    Parameter("columns", "the fields to show, separated by commas"),
)
STATS_QUERY: Final = (
    Parameter("disable_stats", "`true`: without figures"),
    *(
        Parameter(f"{figures}_{word}", f"samples of {what}: {meaning}, in s", _POSITIVE)
        for figures, what in (("lengths", "queue lengths"), ("msg_rates", "message rates"), ("data_rates", "octets"))
        for word, meaning in (("age", "how far back"), ("incr", "how far apart"))
    ),
)
TOTALS_QUERY: Final = Parameter("enable_queue_totals", "`true`: with lengths all the same")
LIST_QUERY: Final = (*PAGE_QUERY, *SORT_QUERY, *STATS_QUERY)
