"""Policies: rules for queues by their names, set from outside while the application runs.

    python policies.py [HTTP_URL]

Mails may wait for a day, and ten of them at most here; what is over goes to a queue of its own. Before anything is set
the program shows what the policy would take hold of (only amq has that; all else runs against RabbitMQ as well).
"""

import sys

import httpx

VHOST = "example-policies"
MAILS = "mail.out"
OVER = "mail.over"
POLICY = {
    "pattern": r"^mail\.out",
    "apply-to": "queues",
    "priority": 10,
    "definition": {
        "message-ttl": 86_400_000,
        "max-length": 10,
        "dead-letter-exchange": "",
        "dead-letter-routing-key": OVER,
    },
}


def publish(api, count):
    for number in range(count):
        message = {"properties": {}, "routing_key": MAILS, "payload": f"mail {number}", "payload_encoding": "string"}
        api.post(f"exchanges/{VHOST}/amq.default/publish", json=message).raise_for_status()


def lengths(api):
    parameters = {"columns": "name,messages,policy", "sort": "name"}
    for queue in api.get(f"queues/{VHOST}", params=parameters).json():
        # RabbitMQ knows the number a few seconds later.
        print(f"{queue['name']}: {queue.get('messages', '?')} messages, policy {queue.get('policy') or 'none'}")


def main(url):
    with httpx.Client(base_url=f"{url}/api/") as api:
        api.put(f"vhosts/{VHOST}").raise_for_status()
        for name in (MAILS, OVER):
            api.put(f"queues/{VHOST}/{name}", json={"durable": True}).raise_for_status()
        publish(api, 12)
        preview = api.post(f"amq/policies/{VHOST}/preview", json=POLICY)
        if preview.is_success:
            print("would be the policy of:", ", ".join(queue["name"] for queue in preview.json()["queues"]))
        api.put(f"policies/{VHOST}/mails", json=POLICY).raise_for_status()
        lengths(api)
        api.delete(f"vhosts/{VHOST}").raise_for_status()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://guest:guest@127.0.0.1:15672")
