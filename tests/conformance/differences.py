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
    **{
        f"test_an_unknown_delivery_mode_passes_as_transient[{mode}]": Difference(
            reason="since message containers (3.13) only mode 2 means anything",
            amq="the message as it was",
            rabbitmq=f"channel.close 406 PRECONDITION_FAILED - invalid message: {{delivery_mode_unknown,{mode}}}",
            before=(3, 13),
        )
        for mode in (0, 3, 255)
    },
    **{
        f"test_tuning_outside_the_limits_of_the_server_is_refused[tuning{case}-{text}]": Difference(
            reason="RabbitMQ has the text ready and drops the socket after 3 s without sending it",
            amq="connection.close 530",
            rabbitmq="closed socket",
            before=None,
        )
        for case, text in enumerate(
            (
                "frame_max = 4095 is lower than the minimum allowed value (4096)",
                "frame_max = 131073 is higher than the maximum allowed value (131072)",
                "frame_max = 0 (no limit) is higher than the maximum allowed value (131072)",
                "channel_max = 2048 is higher than the maximum allowed value (2047)",
                "channel_max = 0 (no limit) is higher than the maximum allowed value (2047)",
            )
        )
    },
    "test_the_0_8_header_is_answered_with_ours": Difference(
        reason="AMQP 0-8 has other methods, no living client speaks it, and RabbitMQ 4.0 dropped it",
        amq="its own protocol header",
        rabbitmq="b'\\x01\\x00\\x00",
        before=(4, 0),
    ),
    "test_the_last_death_has_headers_of_its_own": Difference(
        reason="the x-last-death headers came with 3.13",
        amq="x-last-death-reason, -queue and -exchange",
        rabbitmq="'x-first-death-reason': 'rejected'}",
        before=(3, 13),
    ),
    "test_a_remembered_expiration_stands_first_in_the_table": Difference(
        reason="message containers (3.13) write the x-death table in another order",
        amq="original-expiration first",
        rabbitmq="count, reason, queue, time, exchange, routing-keys, original-expiration",
        before=(3, 13),
    ),
    **{
        f"test_a_queue_type_that_is_still_to_come_is_not_implemented[{kind}]": Difference(
            reason="amq has classic queues only so far and says so instead of pretending",
            amq="connection.close 540",
            rabbitmq="nothing",
            before=None,
        )
        for kind in ("quorum", "stream")
    },
    **{
        name: Difference(
            reason="RabbitMQ's process crashes on a method that it does not know",
            amq="connection.close",
            rabbitmq="closed socket",
            before=None,
        )
        for name in (
            "test_an_unknown_method_of_a_known_class_ends_the_connection",
            "test_an_unknown_class_ends_the_connection",
        )
    },
}
