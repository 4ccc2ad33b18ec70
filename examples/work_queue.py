"""Work queue: tasks are shared out among workers, and none is lost when a worker fails.

    python work_queue.py [AMQP_URL]

A worker acknowledges a task when it is done, and has one task at a time (prefetch). A careless worker breaks down over
its first task: it goes away without acknowledging, and the broker gives the task to another one.
"""

import queue
import sys
import threading

import pika

QUEUE = "example-tasks"
TASKS = [f"task {number}" for number in range(1, 7)]


def publish_tasks(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True)
        # With confirms, basic_publish returns once the broker has taken the message.
        channel.confirm_delivery()
        persistent = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)
        for task in TASKS:
            channel.basic_publish("", QUEUE, task.encode(), persistent)
    print(f"published {len(TASKS)} tasks")


def careless_worker(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        for _method, _properties, body in channel.consume(QUEUE):
            print(f"careless worker breaks down over {body.decode()}")
            return


def steady_worker(url, name, results, stop):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        for method, _properties, body in channel.consume(QUEUE, inactivity_timeout=0.05):
            if method is not None:
                again = " (again)" if method.redelivered else ""
                results.put(f"{name} worker did {body.decode()}{again}")
                channel.basic_ack(method.delivery_tag)
            elif stop.is_set():
                return


def main(url):
    publish_tasks(url)
    careless_worker(url)
    results = queue.Queue()
    stop = threading.Event()
    workers = [threading.Thread(target=steady_worker, args=(url, name, results, stop)) for name in ("first", "second")]
    for worker in workers:
        worker.start()
    for _task in TASKS:
        print(results.get())
    stop.set()
    for worker in workers:
        worker.join()
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        connection.channel().queue_delete(QUEUE)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "amqp://guest:guest@127.0.0.1:5672/")
