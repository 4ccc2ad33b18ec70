"""Simple: one program puts a message into a queue, another takes it out.

    python simple.py [AMQP_URL]

Without a URL it looks for a broker on this machine, as all programs here do.
"""

import sys

import pika

QUEUE = "example-simple"


def send(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare(QUEUE)
        # The default exchange, whose name is empty, delivers to the queue that the routing key names.
        channel.basic_publish(exchange="", routing_key=QUEUE, body=b"Hello, World!")
        print("sent: Hello, World!")


def receive(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        # Declared by both, so that it does not matter who comes first.
        channel.queue_declare(QUEUE)
        for _method, _properties, body in channel.consume(QUEUE, auto_ack=True):
            print(f"received: {body.decode()}")
            break
        channel.queue_delete(QUEUE)


if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else "amqp://guest:guest@127.0.0.1:5672/"
    send(url)
    receive(url)
