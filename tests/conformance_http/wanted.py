"""Where amq's HTTP API is meant to answer something else than the RabbitMQ that it is compared with, and why.

The recorded answers are those of RabbitMQ 3.10.8, Debian's; what amq must answer is 3.13's.
"""

import re
from typing import Final

import attrs


@attrs.frozen
class Wanted:
    """Differences whose lines `pattern` is found in, in these scenarios. One that is not there any more is reported."""

    reason: str
    pattern: str
    scenarios: frozenset[str] = attrs.field(converter=lambda names: frozenset(names.split()))

    def about(self, line: str) -> bool:
        """Whether a difference is meant."""
        return re.search(self.pattern, line) is not None


IN_A_LIST: Final = r": body(\.items)?\[\d+\]\."

WANTED: Final[tuple[Wanted, ...]] = (
    # -- what 3.13 answers, and 3.10 did not yet --
    Wanted(
        "3.12 has replaced the figures of the queue's storage by its version",
        r"\.(backing_queue_status: RabbitMQ|storage_version: amq) alone",
        "a_queue_at_rest queue_lists others_queues busy_clients policies",
    ),
    Wanted(
        "3.13 leaves out of lists what is null, unless columns are asked for",
        IN_A_LIST + r"(\w+_tag|\w*policy|recoverable_slaves|head_message_timestamp): RabbitMQ alone has it: None",
        "a_queue_at_rest others_queues busy_clients",
    ),
    Wanted(
        "3.13 leaves out of lists what only those read who look at one queue",
        IN_A_LIST + "garbage_collection: RabbitMQ alone",
        "a_queue_at_rest others_queues busy_clients",
    ),
    Wanted(
        "3.13 says that a queue runs even when no figures are wanted",
        "state: RabbitMQ says 'live', amq 'running'",
        "queue_declarations a_queue_at_rest",
    ),
    Wanted(
        "3.13 tells when consumers are given up",
        r"consumer_timeout: amq alone has it",
        "others_queues busy_clients",
    ),
    Wanted(
        "3.13 shows where messages come from and go to only with figures",
        r"disable_stats=true: body\.(incoming|outgoing): RabbitMQ alone",
        "exchange_declarations",
    ),
    Wanted(
        "3.13 says what was not found",
        r"/(none|nowhere)(/x|/a)?/(publish|get) .*: (body\.|status:)",
        "publishing getting",
    ),
    Wanted(
        "3.13 says which kind of access was refused",
        "ACCESS_REFUSED - access to .* amq .*ACCESS_REFUSED - (read|write) access",
        "with_some_permissions",
    ),
    Wanted(
        "3.13 has these fields",
        r"\.(default_queue_type|is_op_policy_updating_enabled|being_drained|protocol): amq alone",
        "overview nodes",
    ),
    Wanted(
        "3.13 exports what describes a vhost, and knows of further places where a policy may apply",
        r"/definitions: body\.vhosts\[0\]\.(description|tags|metadata)|apply-to 'everything' unrecognised",
        "definitions policies",
    ),
    Wanted(
        "amq's documents say which version of RabbitMQ they are for",
        "rabbit_version: RabbitMQ says",
        "definitions",
    ),
    Wanted(
        "3.13 tells less of how to sign in, as there is less to it",
        r"GET /auth: body\.(enable_uaa|uaa_\w+|oauth_enabled)",
        "health",
    ),
    # -- where RabbitMQ fails --
    Wanted(
        "a request that RabbitMQ crashes on is refused",
        ": status: RabbitMQ says 500, amq 40",
        "queue_declarations bindings others_queues publishing getting closing_connections without_permissions policies "
        "nodes",
    ),
    Wanted(
        "a request that RabbitMQ crashes on is refused with a reason",
        ": (body: RabbitMQ says None, amq {'error'|headers.content-type: amq alone)",
        "queue_declarations bindings others_queues publishing getting closing_connections policies nodes users",
    ),
    Wanted(
        "users may look at their own connections, on which RabbitMQ 3.10 crashes",
        "GET /connections/username/conf-leaver as conf-leaver",
        "closing_a_user_s_connections",
    ),
    Wanted(
        "a routing key is text; RabbitMQ makes keys of numbers, and of nothing, that no client can ever use",
        '"routing_key": (5|null)',
        "bindings publishing",
    ),
    Wanted(
        "a name of more than 255 octets fits into no frame",
        "/exchanges/conf-exchanges/x{256} ",
        "exchange_declarations",
    ),
    Wanted("an exchange type is text", r'"type": 5\}', "exchange_declarations"),
    Wanted("an object without fields is an object", r"RabbitMQ says \[\], amq {}", "queue_lists busy_clients"),
    Wanted("nobody can log in with a hash of an unknown kind", "rot13.*: status: ", "users"),
    Wanted(
        "what a pattern's mistake is comes from another library, and as text",
        r"\(.*: body\.reason",
        "permissions",
    ),
    Wanted(
        "columns reach into every object",
        r"\?columns=object_totals\.exchanges: body\.object_totals",
        "overview",
    ),
    # -- where amq goes its own way --
    Wanted("new passwords are hashed with argon2id", "amq 'argon2id'", "users limits"),
    Wanted(
        "who may not come in at all is told what it takes, as HTTP wants it",
        "conf-untagged: headers.www-authenticate: amq alone",
        "without_permissions",
    ),
    Wanted(
        "attempts to log in are always told by their source; RabbitMQ does so when it is configured",
        r"/auth/attempts/<node>/source: body: RabbitMQ has 0 items",
        "odds_and_ends",
    ),
    Wanted("a term is told in one line, however long names are", "no_such_vhost", "odds_and_ends"),
    Wanted("mistakes in documents are told with their place", "failed_to_parse_json", "definitions"),
    Wanted("no Erlang process reduces anything here", r"reductions_details\.(avg|avg_rate|samples)", "busy_clients"),
    Wanted("amq says what it is, too", "amq_version: amq alone", "overview"),
    Wanted("no plugin brings pages along", "/extensions: body", "overview"),
    Wanted("a file of settings is named when there is one", "config_files: RabbitMQ has", "nodes"),
    Wanted(
        "who declared an exchange is not kept",
        "user_who_performed_action: RabbitMQ says 'guest', amq 'rmq-internal'",
        "exchange_declarations busy_clients policies",
    ),
    Wanted(
        "what is published in a transaction counts when it comes, not at the commit",
        r"(channels: body\[2\]|\(3\): body|/exchanges/conf-clients: body\[0\])\.message_stats",
        "busy_clients",
    ),
)
