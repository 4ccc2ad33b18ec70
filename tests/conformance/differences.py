"""Where amq is meant to differ from a RabbitMQ that the corpus may be run against, and why.

The dialogues say what amq must say: RabbitMQ 3.13.7's behaviour. An entry here names a dialogue that
goes differently on a RabbitMQ: what amq says, what that server says (a part of what the dialogue hears
where it expected something else), and from which version on the server agrees with amq. A server that
agrees although an entry says otherwise fails the dialogue, so that the table stays true.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    """One dialogue that goes differently on RabbitMQ before version ``before`` (None: on every version)."""

    reason: str
    amq: str
    rabbitmq: str
    before: tuple[int, int] | None


DIFFERENCES = {
    "test_an_unknown_exchange_type_is_named": Difference(
        reason="until 3.12 an unknown exchange type ended the connection",
        amq="channel.close 406",
        rabbitmq="connection.close 503 COMMAND_INVALID - unknown exchange type 'carrier-pigeon'",
        before=(3, 13),
    ),
    "test_a_body_longer_than_announced_is_a_frame_error": Difference(
        reason="RabbitMQ counts below zero and then waits for the end of the content for ever",
        amq="connection.close 501",
        rabbitmq="nothing",
        before=None,
    ),
    "test_a_table_with_an_unknown_field_type_cannot_be_decoded": Difference(
        reason="RabbitMQ's decoder crashes and with it the process that would have said why",
        amq="connection.close 501",
        rabbitmq="closed socket",
        before=None,
    ),
}
