"""Testing a program that uses pika.

`amq_broker` comes with amq's pytest plugin: a fresh vhost for every test on a broker inside the test process.
"""

import pika
import pytest


class Shop:
    """The program under test: places orders, and tries a second time when the connection is lost."""

    def __init__(self, url):
        self.parameters = pika.URLParameters(url)
        self.connect()

    def connect(self):
        self.connection = pika.BlockingConnection(self.parameters)
        self.channel = self.connection.channel()
        self.channel.queue_declare("orders", durable=True)
        self.channel.confirm_delivery()

    def order(self, article):
        try:
            self.publish(article)
        except pika.exceptions.AMQPConnectionError:
            self.connect()
            self.publish(article)

    def publish(self, article):
        persistent = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)
        self.channel.basic_publish("", "orders", article.encode(), persistent)

    def next_order(self):
        _, _, body = self.channel.basic_get("orders", auto_ack=True)
        return body and body.decode()


@pytest.fixture
def shop(amq_broker):
    shop = Shop(amq_broker.url)
    yield shop
    if shop.connection.is_open:
        shop.connection.close()


def test_an_order_arrives(shop):
    shop.order("lamp")
    assert shop.next_order() == "lamp"


def test_every_test_starts_with_an_empty_vhost(shop):
    assert shop.next_order() is None


def test_a_lost_connection_costs_no_order(shop, amq_broker):
    amq_broker.drop_connections()
    shop.order("chair")
    assert shop.next_order() == "chair"


def test_orders_survive_a_restart_of_the_broker(shop, amq_broker):
    shop.order("table")
    amq_broker.restart()
    shop.order("bed")
    assert [shop.next_order(), shop.next_order()] == ["table", "bed"]


def test_the_shop_cannot_open_while_logins_are_refused(amq_broker):
    amq_broker.refuse_logins()
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        Shop(amq_broker.url)
