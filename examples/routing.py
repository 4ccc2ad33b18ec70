"""Routing: a subscriber gets only the messages whose routing key it asked for.

    python routing.py [AMQP_URL]

A direct exchange compares the routing key of a message with the keys of its bindings.
"""

import sys

import pika

EXCHANGE = "example-logs"
LINES = [("info", "started"), ("warning", "disk nearly full"), ("error", "disk full"), ("info", "stopped")]


def listen(channel, *severities):
    """A queue of our own, bound once for each severity."""
    queue = channel.queue_declare("", exclusive=True).method.queue
    for severity in severities:
        channel.queue_bind(queue, EXCHANGE, routing_key=severity)
    return queue


def show(channel, name, queue, count):
    for method, _properties, body in channel.consume(queue, auto_ack=True):
        print(f"{name}: [{method.routing_key}] {body.decode()}")
        count -= 1
        if not count:
            break
    channel.cancel()


def main(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, exchange_type="direct", auto_delete=True)
        on_screen = listen(channel, "info", "warning", "error")
        on_call = listen(channel, "error")
        for severity, text in LINES:
            channel.basic_publish(EXCHANGE, routing_key=severity, body=text.encode())
        show(channel, "screen", on_screen, 4)
        show(channel, "on call", on_call, 1)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "amqp://guest:guest@127.0.0.1:5672/")
