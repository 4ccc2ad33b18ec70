"""Topics: a subscriber gets the messages whose routing key matches a pattern.

    python topics.py [AMQP_URL]

A routing key is words with dots between them. In the pattern of a binding `*` stands for one word, `#` for any number
of words, none included.
"""

import sys

import pika

EXCHANGE = "example-readings"
READINGS = [("cellar.north.temperature", "11"), ("cellar.south.humidity", "80"), ("roof.temperature", "38")]
PATTERNS = ["cellar.#", "#.temperature", "*.temperature", "#"]


def main(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, exchange_type="topic", auto_delete=True)
        queues = {}
        for pattern in PATTERNS:
            queues[pattern] = channel.queue_declare("", exclusive=True).method.queue
            channel.queue_bind(queues[pattern], EXCHANGE, routing_key=pattern)
        for place, value in READINGS:
            channel.basic_publish(EXCHANGE, routing_key=place, body=value.encode())
        for pattern, queue in queues.items():
            print(f"{pattern}: {', '.join(received(channel, queue))}")


def received(channel, queue):
    """What waits in a queue. What was published on this channel before has arrived by now: a channel keeps order."""
    while True:
        method, _properties, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return
        yield f"{method.routing_key}={body.decode()}"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "amqp://guest:guest@127.0.0.1:5672/")
