"""RPC: a request goes through a queue, and its answer comes straight back to who asked.

    python rpc.py [AMQP_URL]

The client consumes from `amq.rabbitmq.reply-to`. That is no queue: the broker writes a name into the reply-to of the
client's requests that leads to its channel alone (direct reply-to).
"""

import sys
import threading

import pika

QUEUE = "example-rpc"
REPLIES = "amq.rabbitmq.reply-to"


def serve(url, ready):
    """Squares numbers until it is asked to stop."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare(QUEUE)
        ready.set()
        for method, properties, body in channel.consume(QUEUE):
            answer = "stopped" if body == b"stop" else str(int(body) ** 2)
            reply = pika.BasicProperties(correlation_id=properties.correlation_id)
            channel.basic_publish("", properties.reply_to, answer.encode(), reply)
            channel.basic_ack(method.delivery_tag)
            if body == b"stop":
                break
        channel.queue_delete(QUEUE)


class Client:
    def __init__(self, connection):
        self.connection = connection
        self.channel = connection.channel()
        # First the consumer, then requests; both on the same channel.
        self.channel.basic_consume(REPLIES, self.on_answer, auto_ack=True)
        self.answers = {}
        self.count = 0

    def on_answer(self, _channel, _method, properties, body):
        self.answers[properties.correlation_id] = body.decode()

    def call(self, request):
        self.count += 1
        number = str(self.count)
        properties = pika.BasicProperties(reply_to=REPLIES, correlation_id=number)
        self.channel.basic_publish("", QUEUE, request.encode(), properties)
        while number not in self.answers:
            self.connection.process_data_events(time_limit=1)
        return self.answers.pop(number)


def main(url):
    ready = threading.Event()
    server = threading.Thread(target=serve, args=(url, ready))
    server.start()
    ready.wait()
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        client = Client(connection)
        for request in ("3", "12", "stop"):
            print(f"{request} -> {client.call(request)}")
    server.join()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "amqp://guest:guest@127.0.0.1:5672/")
