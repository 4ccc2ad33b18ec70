"""Administration over HTTP: a vhost, a user, permissions and a queue for an application, made by a program.

    python administer.py [HTTP_URL]

All requests say how things ought to be, so the program can run again and again: what is there already stays.
"""

import secrets
import sys

import httpx

VHOST = "example-shop"
USER = "example-shop-web"
EXCHANGE = "shop.orders"
QUEUE = "shop.orders.new"


def make(api):
    api.put(f"vhosts/{VHOST}", json={"description": "orders and mails"})
    # The password is for the application. The broker keeps nothing but a hash of it.
    password = secrets.token_urlsafe()
    api.put(f"users/{USER}", json={"password": password, "tags": ""})
    api.put(f"permissions/{VHOST}/{USER}", json={"configure": "^$", "write": r"^shop\.", "read": r"^shop\."})
    api.put(f"vhost-limits/{VHOST}/max-connections", json={"value": 50})
    api.put(f"exchanges/{VHOST}/{EXCHANGE}", json={"type": "topic", "durable": True})
    api.put(f"queues/{VHOST}/{QUEUE}", json={"durable": True, "arguments": {"x-max-length": 10_000}})
    api.post(f"bindings/{VHOST}/e/{EXCHANGE}/q/{QUEUE}", json={"routing_key": "order.#"})


def try_out(api):
    message = {"properties": {}, "routing_key": "order.eu", "payload": "{}", "payload_encoding": "string"}
    answer = api.post(f"exchanges/{VHOST}/{EXCHANGE}/publish", json=message)
    print("routed:", answer.json()["routed"])
    [queue] = api.get(f"queues/{VHOST}", params={"columns": "name,arguments"}).json()
    print(f"{queue['name']}: at most {queue['arguments']['x-max-length']} messages")
    refused = api.delete(f"queues/{VHOST}/{QUEUE}", params={"if-empty": "true"})
    print("deleted if empty:", refused.status_code, refused.json()["reason"])


def clean_up(api):
    api.delete(f"users/{USER}")
    # With all that is in it.
    api.delete(f"vhosts/{VHOST}")


def refuse_failures(response):
    """Stop at what may not be done, and at what went wrong at the broker; other answers are for who asked."""
    if response.status_code == 401 or response.status_code >= 500:
        response.read()
        raise SystemExit(f"{response.request.url.path}: {response.status_code} {response.text}")


def main(url):
    with httpx.Client(base_url=f"{url}/api/", event_hooks={"response": [refuse_failures]}) as api:
        print("signed in as", api.get("whoami").json()["name"])
        make(api)
        try_out(api)
        clean_up(api)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://guest:guest@127.0.0.1:15672")
