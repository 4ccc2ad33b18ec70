"""Dead letters: see what is in a dead-letter queue, and send back what is worth another try.

    python replay.py [AMQP_URL [HTTP_URL]]

A worker rejects what it can do nothing with. Once the reason is gone, orders go back to the queue that they died in;
what nobody can ever read stays. First a dry run tells what would become of each. RabbitMQ has no such request.
"""

import sys

import httpx
import pika

QUEUE = "example-orders"
DEAD = "example-orders.dead"
LETTERS = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}


def let_some_die(channel):
    channel.queue_declare(DEAD)
    channel.queue_declare(QUEUE, arguments=LETTERS)
    for body in (b'{"order": 1}', b"????", b'{"order": 2}'):
        channel.basic_publish("", QUEUE, body, pika.BasicProperties(content_type="application/json"))
    # The worker's database is away: it can do nothing with any of them.
    for _ in range(3):
        method, _, _ = channel.basic_get(QUEUE)
        channel.basic_reject(method.delivery_tag, requeue=False)


def replay(api, **how):
    answer = api.post(f"amq/queues/%2F/{DEAD}/replay", json={"selector": "body.json.order IS NOT NULL", **how})
    answer.raise_for_status()
    return answer.json()


def main(amqp_url, http_url):
    with (
        pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection,
        httpx.Client(base_url=f"{http_url}/api/") as api,
    ):
        channel = connection.channel()
        let_some_die(channel)
        for letter in api.get(f"amq/queues/%2F/{DEAD}/messages").json()["messages"]:
            [death] = letter["properties"]["headers"]["x-death"]
            print(f"dead: {letter['payload']} ({death['reason']} in {death['queue']})")
        plan = replay(api, dry_run=True)
        print(f"would go back: {plan['moved']}")
        print(f"went back: {replay(api, history='strip')['moved']}")
        for name in (QUEUE, DEAD):
            print(f"{name}: {channel.queue_declare(name, passive=True).method.message_count}")
            channel.queue_delete(name)


if __name__ == "__main__":
    main(
        sys.argv[1] if len(sys.argv) > 1 else "amqp://guest:guest@127.0.0.1:5672/",
        sys.argv[2] if len(sys.argv) > 2 else "http://guest:guest@127.0.0.1:15672",
    )
