"""Command lines for a real RabbitMQ and for amq, and how their answers are made comparable.

Recorded from the real one by `python -m tests.cli.record_rabbitmqctl`, which says how.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

import pika

from tests.harness.leftovers import closed_afterwards

VHOST = "ctl"
TOOLS = ("rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-plugins")

# Each line is a command, `diagnostics ...` one of rabbitmq-diagnostics; `! NAME` is something that happens in between.
SCRIPT = r"""
version --bogus
bogus_command_that_is_none
list_quues
add_user
add_user a b c
set_permissions -p ctl ctl-ann .*
ping extra
list_queues --foo
list_queues nme
list_queues name bogus nme
list_exchanges bogus
list_connections bogus
list_bindings bogus
list_channels bogus
list_consumers bogus
list_vhosts bogus
set_policy -p ctl pol ^a {"max-length":3} --priority high
help bogus
ping
-q ping
-s ping
ping --formatter json
await_startup
add_vhost ctl
add_vhost ctl
add_vhost ctl2 --description 'two words' --tags a,b
list_vhosts
list_vhosts name description tracing
list_vhosts -q name
list_vhosts -s name
list_vhosts name --no-table-headers
list_vhosts name --formatter json
list_vhosts --formatter csv
set_vhost_tags ctl2 x y
list_vhosts name tags -q
set_vhost_tags ctl-none x
delete_vhost ctl2
delete_vhost ctl2
add_user ctl-ann secret
add_user ctl-ann secret
add_user ctl-nobody
list_users
set_user_tags ctl-ann administrator monitoring
list_users --formatter json
set_user_tags ctl-ann
set_user_tags ctl-nobody x
set_user_tags ctl-ann management
list_users --formatter csv
change_password ctl-ann new
change_password ctl-nobody new
authenticate_user ctl-ann new
authenticate_user ctl-ann wrong
set_permissions -p ctl ctl-ann .* ^a ''
set_permissions -p ctl-none ctl-ann .* ^a ''
set_permissions -p ctl ctl-nobody .* ^a ''
list_permissions -p ctl
list_permissions -p ctl-none
list_permissions -p ctl --formatter json
list_user_permissions ctl-ann
list_user_permissions ctl-nobody
list_user_permissions ctl-ann --formatter json
set_topic_permissions -p ctl ctl-ann amq.topic ^a ^b
set_topic_permissions -p ctl ctl-nobody amq.topic ^a ^b
list_topic_permissions -p ctl
list_topic_permissions -p ctl-none
list_topic_permissions -p ctl --formatter json
list_user_topic_permissions ctl-ann
list_user_topic_permissions ctl-nobody
clear_topic_permissions -p ctl ctl-ann amq.topic
clear_topic_permissions -p ctl ctl-ann
clear_topic_permissions -p ctl ctl-nobody
list_topic_permissions -p ctl
clear_permissions -p ctl ctl-ann
clear_permissions -p ctl ctl-ann
clear_permissions -p ctl ctl-nobody
clear_permissions -p ctl-none ctl-ann
list_permissions -p ctl
list_permissions -p ctl --formatter json
set_user_limits ctl-ann '{"max-connections": 5, "max-channels": 7}'
list_user_limits --user ctl-ann
list_user_limits --user ctl-ann --formatter json
list_user_limits --user ctl-nobody
list_user_limits --global
set_user_limits ctl-ann nojson
set_user_limits ctl-nobody '{"max-connections": 5}'
clear_user_limits ctl-ann max-connections
list_user_limits --user ctl-ann
clear_user_limits ctl-ann all
clear_user_limits ctl-nobody all
list_user_limits --user ctl-ann
set_vhost_limits -p ctl '{"max-connections": 256, "max-queues": 10}'
list_vhost_limits -p ctl
list_vhost_limits --global
list_vhost_limits -p ctl-none
set_vhost_limits -p ctl-none '{"max-connections": 256}'
set_vhost_limits -p ctl '{"max-foo": 256}'
clear_vhost_limits -p ctl
clear_vhost_limits -p ctl
clear_vhost_limits -p ctl-none
list_vhost_limits -p ctl
list_vhost_limits -p ctl --formatter json
set_policy -p ctl pol ^q '{"max-length-bytes": 10000}' --priority 3 --apply-to queues
set_policy -p ctl pol2 '^b.*' '{"expires":10000, "message-ttl":6}'
set_policy -p ctl pol3 ( '{"max-length": 10}'
set_policy -p ctl pol3 ^a x
set_policy -p ctl pol3 ^a '{"nosuch": 10}'
set_policy -p ctl pol3 ^a '{"max-length": "x"}'
set_policy -p ctl pol3 ^a '{}'
set_policy -p ctl pol3 ^a '{"max-length": 3}' --apply-to bogus
set_policy -p ctl-none pol ^a '{"max-length": 3}'
list_policies -p ctl
list_policies -p ctl --formatter json
list_policies -p ctl-none
clear_policy -p ctl pol2
clear_policy -p ctl pol2
clear_policy -p ctl-none pol2
set_operator_policy -p ctl op ^z '{"max-length": 5}' --priority 3 --apply-to queues
set_operator_policy -p ctl op2 ^z '{"alternate-exchange": "x"}'
list_operator_policies -p ctl
list_operator_policies -p ctl --formatter json
clear_operator_policy -p ctl op
clear_operator_policy -p ctl op
list_operator_policies -p ctl
set_parameter -p ctl nosuch name '{"a":1}'
set_parameter -p ctl vhost-limits limits '{"max-queues": 50}'
list_parameters -p ctl
list_parameters -p ctl --formatter json
list_parameters -p ctl-none
clear_parameter -p ctl vhost-limits limits
clear_parameter -p ctl nosuch name
list_parameters -p ctl
set_global_parameter ctl-number 5
set_global_parameter ctl-object '{"O=client,CN=guest":"/"}'
set_global_parameter ctl-bad {
list_global_parameters
list_global_parameters --formatter json
clear_global_parameter ctl-number
clear_global_parameter ctl-object
clear_global_parameter ctl-number
trace_on -p ctl
list_vhosts name tracing
trace_off -p ctl
set_permissions -p ctl guest .* .* .*
! connect
list_queues -p ctl
list_queues -p ctl name durable auto_delete arguments policy exclusive type state
list_queues -p ctl name messages messages_ready messages_unacknowledged consumers message_bytes_ready
-q list_queues -p ctl name,messages durable
-s list_queues -p ctl name messages
list_queues -p ctl name arguments messages exclusive policy --formatter json
list_queues -p ctl name arguments messages --formatter csv
list_queues -p ctl name messages --formatter erlang
list_queues -p ctl --offline
list_queues -p ctl --local
list_queues -p ctl-none
list_queues -p ctl-none --formatter json
list_queues -p ctl-none --formatter csv
list_queues -t 5 -p ctl
list_exchanges -p ctl
list_exchanges -p ctl name type durable auto_delete internal arguments policy
list_exchanges -p ctl name type durable arguments --formatter json
list_exchanges -p ctl-none
list_bindings -p ctl
list_bindings -p ctl --formatter json
list_bindings -p ctl source_name routing_key arguments
list_bindings -p ctl-none
list_connections user vhost state channels protocol auth_mechanism ssl frame_max channel_max timeout
list_connections user vhost protocol --formatter json
list_channels user vhost number consumer_count messages_unacknowledged prefetch_count confirm transactional
list_channels number confirm vhost --formatter json
list_consumers -p ctl queue_name consumer_tag ack_required prefetch_count active arguments
list_consumers -p ctl arguments queue_name consumer_tag --formatter json
list_consumers -p ctl-none
purge_queue -p ctl q
purge_queue -p ctl nosuch
delete_queue -p ctl q2 --if-unused
delete_queue -p ctl q3 --if-empty
delete_queue -p ctl q3
delete_queue -p ctl nosuch
delete_queue -p ctl-none q
close_connection bogus reason
close_connection bogus
close_connection <NODE.1.2.3> reason
close_all_user_connections ctl-ann reason
close_all_connections
close_all_connections -p ctl 'the reason'
! disconnected
close_all_connections -p ctl again
export_definitions
export_definitions /ctl-none/definitions.json
import_definitions /ctl-none.json
enable_feature_flag nosuch
enable_feature_flag quorum_queue
set_cluster_name ctl-cluster
await_online_nodes 1
set_log_level bogus
set_log_level info
delete_user ctl-ann
delete_user ctl-ann
delete_vhost ctl
autocomplete list_q
diagnostics check_running
diagnostics check_running -q
diagnostics check_running --formatter json
diagnostics is_running
diagnostics is_running --formatter json
diagnostics is_booting
diagnostics check_local_alarms
diagnostics check_alarms
diagnostics alarms
diagnostics alarms --formatter json
diagnostics check_port_listener abc
diagnostics check_port_listener 1
diagnostics check_protocol_listener amqp
diagnostics check_protocol_listener ctl
diagnostics check_certificate_expiration
diagnostics ping
diagnostics list_quues
plugins enable ctl_none
plugins is_enabled rabbitmq_management
plugins is_enabled ctl_none
plugins disable
"""

# Lists of things that others may have too; only rows with ours count.
SHARED = re.compile(
    r"list_(vhosts|users|connections|channels|global_parameters)|list_\w+_limits --global|plugins is_enabled ctl_none"
)
HEADINGS = ("Listing", "name\t", "user\t", "vhost\t", "number\t", '"name"', '"user"')


@dataclass
class Heard:
    """What a command said."""

    status: int
    out: str
    err: str


Run = Callable[[list[str]], Heard]


def connect(port: int) -> pika.BlockingConnection:
    """The connection in the middle of the script: declares something, publishes and consumes."""
    parameters = pika.ConnectionParameters("127.0.0.1", port, VHOST, heartbeat=0)
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.exchange_declare("x", "topic", durable=True)
    channel.exchange_declare("x2", "fanout", durable=True, arguments={"alternate-exchange": "x"})
    arguments = {"x-max-length": 10, "x-dead-letter-exchange": "x", "x-message-ttl": 600_000}
    channel.queue_declare("q", durable=True, arguments=arguments)
    channel.queue_declare("q2", auto_delete=True)
    channel.queue_declare("q3", durable=True)
    channel.queue_declare("own", exclusive=True)
    channel.queue_bind("q", "x", "a.#", {"k": "v", "n": 1})
    channel.exchange_bind("x2", "x", "c")
    channel.confirm_delivery()
    for queue, count in (("q", 3), ("q3", 2)):
        for _ in range(count):
            channel.basic_publish("", queue, b"hello")
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("q2", lambda *_: None, consumer_tag="tag2")
    channel.basic_consume("q", lambda *_: None, consumer_tag="tag", arguments={"x-priority": 3})
    connection.channel()
    return connection


def end_of(connection: pika.BlockingConnection) -> str:
    """What a connection is told when it is closed."""
    try:
        connection.sleep(20)
    except pika.exceptions.ConnectionClosedByBroker as closed:
        return f"{closed.reply_code} {closed.reply_text}"
    return "still open"


def arguments_of(line: str, node: str) -> tuple[str, list[str]]:
    """Tool and arguments of a line."""
    words = shlex.split(line.replace("NODE", node))
    for tool in TOOLS[1:]:
        if words[0] == tool.removeprefix("rabbitmq-"):
            return tool, words[1:]
    return TOOLS[0], words


def play(run: Run, port: int, node: str, pause: Callable[[], None]) -> list[tuple[str, Heard]]:
    """The whole script; `pause` waits until statistics have been gathered."""
    heard: list[tuple[str, Heard]] = []
    with closed_afterwards() as opened:
        for line in SCRIPT.strip().splitlines():
            if line == "! connect":
                opened.append(connect(port))
                pause()
            elif line == "! disconnected":
                heard.append((line, Heard(0, end_of(opened[0]), "")))
                pause()
            else:
                tool, arguments = arguments_of(line, node)
                said = run([tool, *arguments])
                heard.append((line, Heard(said.status, normal(said.out, node, line), normal(said.err, node, line))))
    return heard


def normal(text: str, node: str, line: str) -> str:
    """Without what differs from one node to another, and without an order where there is none."""
    text = text.replace(node, "NODE")
    text = re.sub(r"\x1b\[\d*m", "", text)
    text = re.sub(r"<NODE\.\d+\.\d+\.\d+>|#PID<[\d.]+>", "PID", text)
    text = re.sub(r"following (ports|protocols): .*", r"following \1: ...", text)
    text = re.sub(r"Enabled plugins and dependencies: .*", "Enabled plugins and dependencies: ...", text)
    if "Available commands:" in text:
        text = text.partition("Available commands:")[0]
    lines = [each.rstrip().removeprefix(",") for each in text.splitlines()]
    if SHARED.search(line):
        lines = [each for each in lines if "ctl" in each or each in {"[", "]"} or each.startswith(HEADINGS)]
    if "--formatter erlang" in line:
        lines = [each.strip("[], ") for each in lines]
    if re.search(r"\blist_", line):
        lines.sort()
    return "\n".join(lines).strip("\n")
