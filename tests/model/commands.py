"""Random commands, all of them from one seed.

A command names what it means loosely (the third outstanding delivery, a queue that may be gone), and the player turns
that into what is there when its turn comes; so a list of commands keeps making sense when some of them are left out.
Few commands are `wild`: they stay as they are, and are mistakes more often than not.
"""

from random import Random
from typing import Any

from amq.wire.tables import Field, Table

Command = tuple[str, int, int, dict[str, Any]]

CLIENTS = 3
CHANNELS = (1, 2)
QUEUES = [b"q%d" % number for number in range(5)]
EXCHANGES = [b"x%d" % number for number in range(4)]
SOURCES = [*EXCHANGES, b"amq.direct", b"amq.fanout", b"amq.topic", b"amq.headers"]
KINDS = [b"direct", b"fanout", b"topic", b"headers", b"x-recent-history", b"x-consistent-hash"]
KEYS = [b"", b"a", b"a.b", b"a.b.c", b"b.c", b"q0", b"q1"]
PREFETCHES = (1, 2, 3, 5)
PATTERNS = [b"a", b"a.b", b"#", b"*", b"a.*", b"*.b", b"a.#", b"#.c", b"a.#.c", b"q0", b"#.b.#", b""]

WEIGHTS = {
    "publish": 36,
    "burst": 7,
    "mixed": 3,
    "declare_queue": 7,
    "look": 1,
    "purge": 1,
    "delete_q": 1,
    "declare_exchange": 3,
    "delete_x": 1,
    "bind_queue": 5,
    "unbind_queue": 2,
    "bind_exchange": 3,
    "unbind_exchange": 1,
    "consume": 8,
    "cancel": 3,
    "get": 6,
    "ack": 14,
    "nack": 12,
    "reject": 6,
    "recover": 1,
    "qos": 3,
    "confirm_select": 2,
    "tx_select": 1,
    "commit": 4,
    "rollback": 2,
    "close": 1,
    "leave": 1.5,
    "sync": 8,
    "crash": 1.5,
    "stop": 0.7,
    "page_out": 5,
    "wait": 9,
}

# What there is before anything else happens.
FIRST = [
    *["declare_queue"] * 6,
    *["declare_exchange"] * 3,
    *["bind_queue"] * 8,
    "bind_exchange",
    "qos",
    *["consume"] * 3,
]


def generate(seed: int, count: int) -> list[Command]:
    """That many commands. Each seed has its own preferences: some things it does often, others never."""
    random = Random(seed)
    queues = QUEUES[: random.randint(1, len(QUEUES))]
    speakers = [(client, channel) for client in range(random.randint(1, CLIENTS)) for channel in CHANNELS]
    speakers = random.sample(speakers, random.randint(1, len(speakers)))
    weights = [weight * random.choice((0, 0.3, 1, 1, 3)) for weight in WEIGHTS.values()]
    modes = random.choices(("confirm_select", "tx_select", "qos"), k=2)
    names = [*FIRST, *modes, *random.choices(list(WEIGHTS), weights, k=count - len(FIRST) - len(modes))]
    lasting = random.choice((0, 0.9))
    found = [command(random, name, *random.choice(speakers), queues, number) for number, name in enumerate(names)]
    for _, _, _, given in found:
        last(random, given, lasting)
    return found


def last(random: Random, given: dict[str, Any], chance: float) -> None:
    """Make what is declared durable, and what is published persistent, with that chance."""
    for key in ("durable", "persistent"):
        if key in given and random.random() < chance:
            given[key] = True
    for message in given.get("messages", ()):
        last(random, message, chance)
    for _, part in given.get("plan", ()):
        last(random, part, chance)


def command(random: Random, name: str, client: int, channel: int, queues: list[bytes], number: int) -> Command:
    wild = random.random() < 0.03
    return (name, client, channel, {"wild": wild, **MAKERS.get(name, nothing)(random, queues, number)})


def nothing(random: Random, queues: list[bytes], number: int) -> dict[str, Any]:
    """A command without arguments."""
    return {}


def sometimes(random: Random, chance: float, value: Any) -> Any:
    return value if random.random() < chance else None


def publish(random: Random, queues: list[bytes], number: int) -> dict[str, Any]:
    direct = random.random() < 0.6
    headers: Table = {}
    if random.random() < 0.25:
        headers = some_headers(random)
    if random.random() < 0.08:
        headers["CC"] = ("A", [("S", random.choice(KEYS + queues)) for _ in range(random.randint(1, 2))])
    blind = tuple(random.choice(KEYS + queues) for _ in range(random.randint(1, 2))) if random.random() < 0.05 else ()
    return {
        "exchange": b"" if direct else random.choice(SOURCES),
        "key": random.choice(queues) if direct else random.choice(KEYS),
        "headers": headers,
        "priority": random.choice((0, 0, 0, 1, 3, 200)),
        "expiration": sometimes(random, 0.15, random.choice((0, 5, 20, 60, 300, 150_000))),
        "persistent": random.random() < 0.5,
        "body": b"%d" % number + b"." * random.choice((0, 0, 3, 30)) if random.random() < 0.97 else b"",
        "blind": blind,
        "mandatory": random.random() < 0.3,
    }


def burst(random: Random, queues: list[bytes], number: int) -> dict[str, Any]:
    """Messages in one chunk, alike but for their bodies, or not."""
    first = publish(random, queues, number) | {"exchange": random.choice((b"", b"", b"amq.fanout", b"amq.topic"))}
    alike = random.random() < 0.8
    rest = [
        first if alike else publish(random, queues, number) | {"exchange": b""} for _ in range(random.randint(1, 6))
    ]
    return {"messages": [one | {"body": b"%d/%d" % (number, index)} for index, one in enumerate([first, *rest])]}


def mixed(random: Random, queues: list[bytes], number: int) -> dict[str, Any]:
    """Several commands in one chunk, none of which changes the topology."""
    plan: list[tuple[str, dict[str, Any]]] = []
    for _ in range(random.randint(2, 6)):
        name = random.choice(("publish", "publish", "publish", "ack", "ack", "nack", "reject", "get"))
        given = MAKERS[name](random, queues, number)
        if name == "publish":
            given["exchange"] = b""
        plan.append((name, given))
    return {"plan": plan}


def declare_queue(random: Random, queues: list[bytes], number: int) -> dict[str, Any]:
    dies = random.random() < 0.75
    return {
        "name": random.choice(queues),
        "durable": random.random() < 0.5,
        "exclusive": random.random() < 0.08,
        "auto_delete": random.random() < 0.1,
        "expires": sometimes(random, 0.06, random.choice((50, 400, 130_000))),
        "ttl": sometimes(random, 0.2, random.choice((0, 10, 40, 250, 100_000))),
        "length": sometimes(random, 0.3, random.choice((0, 1, 2, 5))),
        "octets": sometimes(random, 0.12, random.choice((0, 5, 40))),
        "overflow": sometimes(
            random, 0.5, random.choice((b"drop-head", b"reject-publish", b"reject-publish-dlx", b"reject-publish-dlx"))
        ),
        "dead_letter_exchange": random.choice([b"", b"", b"", b"", b"amq.fanout", *SOURCES]) if dies else None,
        "dead_letter_key": sometimes(random, 0.8, random.choice([*queues, *queues, b"a.b"])) if dies else None,
        "max_priority": sometimes(random, 0.2, random.choice((1, 3, 255))),
        "single_active": random.random() < 0.15,
    }


def declare_exchange(random: Random, queues: list[bytes], number: int) -> dict[str, Any]:
    return {
        "name": random.choice(EXCHANGES),
        "kind": random.choice(KINDS),
        "durable": random.random() < 0.5,
        "auto_delete": random.random() < 0.2,
        "internal": random.random() < 0.1,
        "alternate": sometimes(random, 0.3, random.choice([*SOURCES, b"missing"])),
        "memory": random.randint(1, 3),
    }


def some_headers(random: Random) -> Table:
    values: list[Field] = [("S", b"1"), ("I", 1), ("l", 1), ("t", True), ("V", None)]
    return {name: random.choice(values) for name in ("h", "i", "x-h") if random.random() < 0.6}


def bond(random: Random, queues: list[bytes], number: int) -> dict[str, Any]:
    arguments = some_headers(random) if random.random() < 0.4 else {}
    if random.random() < 0.3:
        arguments["x-match"] = ("S", random.choice((b"all", b"any", b"all-with-x", b"any-with-x")))
    return {
        "source": random.choice(SOURCES),
        "queue": random.choice(queues),
        "exchange": random.choice(SOURCES),
        "key": random.choice(PATTERNS),
        "arguments": arguments,
        "number": random.randrange(100),
    }


MAKERS: dict[str, Any] = {
    "publish": publish,
    "burst": burst,
    "mixed": mixed,
    "declare_queue": declare_queue,
    "declare_exchange": declare_exchange,
    "bind_queue": bond,
    "unbind_queue": bond,
    "bind_exchange": bond,
    "unbind_exchange": bond,
    "look": lambda random, queues, number: {"queue": random.choice(queues)},
    "purge": lambda random, queues, number: {"queue": random.choice(queues)},
    "delete_q": lambda random, queues, number: {
        "queue": random.choice(queues),
        "if_unused": random.random() < 0.3,
        "if_empty": random.random() < 0.3,
    },
    "delete_x": lambda random, queues, number: {
        "exchange": random.choice([*EXCHANGES, *EXCHANGES, b"amq.direct"]),
        "if_unused": random.random() < 0.4,
    },
    "consume": lambda random, queues, number: {
        "queue": random.choice(queues),
        "tag": b"t%d" % random.randrange(4),
        "no_ack": random.random() < 0.2,
        "exclusive": random.random() < 0.05,
        "priority": random.choice((0, 0, 0, 0, 1, -1)),
    },
    "cancel": lambda random, queues, number: {"tag": b"t%d" % random.randrange(4)},
    "get": lambda random, queues, number: {"queue": random.choice(queues), "no_ack": random.random() < 0.4},
    "ack": lambda random, queues, number: {"number": random.randrange(8), "multiple": random.random() < 0.3},
    "nack": lambda random, queues, number: {
        "number": random.randrange(8),
        "multiple": random.random() < 0.3,
        "requeue": random.random() < 0.5,
    },
    "reject": lambda random, queues, number: {"number": random.randrange(8), "requeue": random.random() < 0.5},
    "qos": lambda random, queues, number: {
        "count": random.choice((0, 1, *PREFETCHES)),
        "for_channel": random.random() < 0.35,
    },
    "leave": lambda random, queues, number: {"how": random.choice(("close", "offend", "lose"))},
    "sync": lambda random, queues, number: {"half": random.random() < 0.5},
    "crash": lambda random, queues, number: {"ms": random.choice((0, 1, 50, 500)), "landed": random.random() < 0.5},
    "stop": lambda random, queues, number: {"ms": random.choice((0, 1, 50, 500))},
    "page_out": lambda random, queues, number: {
        "queue": random.choice(queues),
        "all": random.random() < 0.5,
        "keep": random.choice((0, 0, 1, 3)),
        "most": random.choice((1, 100)),
    },
    "wait": lambda random, queues, number: {"ms": random.choice((1, 5, 15, 50, 50, 120, 120, 500, 500, 65_000))},
}
