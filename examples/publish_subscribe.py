"""Publish/subscribe: every subscriber gets a copy of every message.

    python publish_subscribe.py [AMQP_URL]

A fanout exchange copies each message to all queues that are bound to it. Each subscriber has a queue of its own,
named by the broker and gone with the connection (exclusive).
"""

import sys

import pika

EXCHANGE = "example-news"


class Subscriber:
    def __init__(self, name, url):
        self.name = name
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        self.channel.exchange_declare(EXCHANGE, exchange_type="fanout", auto_delete=True)
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(self.queue, EXCHANGE)

    def read(self, count):
        for _method, _properties, body in self.channel.consume(self.queue, auto_ack=True):
            print(f"{self.name} reads: {body.decode()}")
            count -= 1
            if not count:
                break
        self.connection.close()


def publish(url, news):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, exchange_type="fanout", auto_delete=True)
        for text in news:
            channel.basic_publish(EXCHANGE, routing_key="", body=text.encode())


def main(url):
    # Who subscribes later misses what was published before.
    subscribers = [Subscriber("Ann", url), Subscriber("Ben", url)]
    publish(url, ["rain", "sun"])
    for subscriber in subscribers:
        subscriber.read(2)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "amqp://guest:guest@127.0.0.1:5672/")
