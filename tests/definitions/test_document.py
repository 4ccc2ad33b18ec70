"""RabbitMQ's definitions document, read."""

import json
from typing import Any

import pytest

from amq.auth.passwords import hash_password, verify_password
from amq.auth.users import User
from amq.definitions.document import (
    BindingDefinition,
    Document,
    ExchangeDefinition,
    LimitsDefinition,
    ParameterDefinition,
    PolicyDefinition,
    QueueDefinition,
    VhostDefinition,
)
from amq.definitions.fields import DocumentError
from amq.definitions.parse import parse
from amq.vhost.parameters import GlobalParameter
from amq.vhost.permission import Permission, TopicPermission
from amq.vhost.policy import Policy

HASH = hash_password(b"secret")
SHA256 = "rabbit_password_hashing_sha256"

# As RabbitMQ 3.13 exports it.
EXPORT: dict[str, Any] = {
    "rabbit_version": "3.13.7",
    "rabbitmq_version": "3.13.7",
    "product_name": "RabbitMQ",
    "users": [
        {
            "name": "app",
            "password_hash": HASH,
            "hashing_algorithm": SHA256,
            "tags": ["monitoring"],
            "limits": {"max-channels": 7},
        },
    ],
    "vhosts": [
        {"name": "/"},
        {
            "name": "v",
            "description": "A",
            "tags": ["x"],
            "default_queue_type": "classic",
            "tracing": True,
            "metadata": {"description": "not this one", "protected_from_deletion": False},
        },
    ],
    "permissions": [{"user": "app", "vhost": "v", "configure": "^a", "write": ".*", "read": ""}],
    "topic_permissions": [{"user": "app", "vhost": "v", "exchange": "t", "write": "^w", "read": "^r"}],
    "parameters": [
        {"vhost": "v", "component": "vhost-limits", "name": "limits", "value": {"max-queues": 3}},
        {"vhost": "v", "component": "shovel", "name": "s", "value": {"a": [1]}},
        {
            "vhost": "v",
            "component": "operator_policy",
            "name": "o",
            "value": {"pattern": "^q", "definition": {"max-length": 1}, "priority": 2},
        },
    ],
    "global_parameters": [{"name": "cluster_name", "value": "rabbit@h"}],
    "policies": [{"vhost": "v", "name": "p", "pattern": ".*", "definition": {"max-length": 1}}],
    "exchanges": [
        {
            "name": "x",
            "vhost": "v",
            "type": "topic",
            "durable": True,
            "auto_delete": False,
            "internal": True,
            "arguments": {"alternate-exchange": "y"},
        }
    ],
    "queues": [
        {
            "name": "q",
            "vhost": "v",
            "type": "classic",
            "durable": False,
            "auto_delete": True,
            "arguments": {"x-max-length": 5},
        }
    ],
    "bindings": [
        {
            "source": "x",
            "vhost": "v",
            "destination": "q",
            "destination_type": "queue",
            "routing_key": "a.#",
            "arguments": {},
        }
    ],
}


def refusal(document: Any, vhost: str | None = None) -> str:
    with pytest.raises(DocumentError) as raised:
        parse(document if isinstance(document, str) else json.dumps(document), vhost)
    return str(raised.value)


def test_an_export_is_read_whole() -> None:
    document = parse(json.dumps(EXPORT))
    assert document.users == [User("app", SHA256, HASH, frozenset({"monitoring"}), {"max-channels": 7})]
    assert document.vhosts == [
        VhostDefinition("/", None, None, None, None, None, "vhosts[0]"),
        VhostDefinition("v", "A", ("x",), "classic", True, False, "vhosts[1]"),
    ]
    (permission,) = document.permissions
    assert (permission.user, permission.vhost, permission.permission) == ("app", "v", Permission("^a", ".*", ""))
    (topic,) = document.topic_permissions
    assert (topic.user, topic.vhost, topic.permission) == ("app", "v", TopicPermission("t", "^w", "^r"))
    alternate = {"alternate-exchange": ("S", b"y")}
    assert document.exchanges == [
        ExchangeDefinition("v", b"x", b"topic", True, False, True, alternate, "exchanges[0]"),
    ]
    assert document.queues == [QueueDefinition("v", b"q", False, True, {"x-max-length": ("l", 5)}, "queues[0]")]
    assert document.bindings == [BindingDefinition("v", b"x", "queue", b"q", b"a.#", {}, "bindings[0]")]


def test_policies_and_parameters_are_sorted_by_what_they_are() -> None:
    document = parse(json.dumps(EXPORT))
    assert document.global_parameters == [GlobalParameter("cluster_name", "rabbit@h")]
    assert document.policies == [PolicyDefinition("v", Policy("p", ".*", {"max-length": 1}), "policies[0]")]
    assert document.limits == [LimitsDefinition("v", {"max-queues": 3}, "parameters[0]")]
    assert document.parameters == [ParameterDefinition("v", "shovel", "s", {"a": [1]}, "parameters[1]")]
    operator = Policy("o", "^q", {"max-length": 1}, 2, operator=True)
    assert document.operator_policies == [PolicyDefinition("v", operator, "parameters[2]")]


def test_what_says_which_cluster_it_comes_from_is_left_out() -> None:
    own = [{"name": name, "value": "x"} for name in ("internal_cluster_id", "imported_definition_hash_value")]
    assert parse(json.dumps({"global_parameters": own})).global_parameters == []


def test_objects_may_be_lists_of_pairs_as_rabbitmqctl_exports_some_of_them() -> None:
    value = {"pattern": "", "definition": [["expires", 5], ["max-length", 1]]}
    document = parse(
        json.dumps(
            {
                "users": [{"name": "u", "limits": [["max-channels", 2]]}],
                "parameters": [
                    {"vhost": "v", "component": "operator_policy", "name": "o", "value": value},
                    {"vhost": "v", "component": "vhost-limits", "name": "limits", "value": [["max-queues", 2]]},
                ],
            }
        )
    )
    assert document.operator_policies[0].policy.definition == {"expires": 5, "max-length": 1}
    assert document.users[0].limits == {"max-channels": 2}
    assert document.limits[0].limits == {"max-queues": 2}


def test_an_empty_document_defines_nothing() -> None:
    document = parse("{}")
    assert document == Document()


def test_json_values_become_fields_as_rabbitmq_reads_them() -> None:
    arguments = {
        "i": -1,
        "s": "ü",
        "b": True,
        "f": 1.5,
        "n": None,
        "l": [1, "x", [False]],
        "o": {"k": 2},
    }
    queue = {"name": "q", "vhost": "/", "arguments": arguments}
    assert parse(json.dumps({"queues": [queue]})).queues[0].arguments == {
        "i": ("l", -1),
        "s": ("S", "ü".encode()),
        "b": ("t", True),
        "f": ("d", 1.5),
        "n": ("V", None),
        "l": ("A", [("l", 1), ("S", b"x"), ("A", [("t", False)])]),
        "o": ("F", {"k": ("l", 2)}),
    }


def test_fields_that_are_left_out_have_rabbitmqs_defaults() -> None:
    document = parse(
        json.dumps(
            {
                "exchanges": [{"name": "x", "vhost": "/", "type": "direct"}],
                "queues": [{"name": "q", "vhost": "/", "arguments": []}],
                "bindings": [{"source": "x", "vhost": "/", "destination": "q", "destination_type": "queue"}],
            }
        )
    )
    assert document.exchanges[0] == ExchangeDefinition("/", b"x", b"direct", True, False, False, {}, "exchanges[0]")
    assert document.queues[0] == QueueDefinition("/", b"q", True, False, {}, "queues[0]")
    assert document.bindings[0].routing_key == b""


def test_a_queue_of_another_type_says_so_in_its_arguments() -> None:
    document = parse(json.dumps({"queues": [{"name": "q", "vhost": "/", "type": "quorum"}]}))
    assert document.queues[0].arguments == {"x-queue-type": ("S", b"quorum")}


def test_the_export_of_one_vhost_belongs_where_it_is_imported() -> None:
    text = json.dumps({"queues": [{"name": "q"}, {"name": "r", "vhost": "elsewhere"}]})
    assert [queue.vhost for queue in parse(text, vhost="v").queues] == ["v", "v"]
    assert refusal(text) == "queues[0].vhost: is missing"


def test_of_a_document_for_one_vhost_what_belongs_to_none_is_not_read() -> None:
    document = parse(json.dumps(EXPORT), vhost="w")
    assert (document.users, document.vhosts, document.permissions, document.global_parameters) == ([], [], [], [])
    assert {policy.vhost for policy in document.policies} == {"w"}


def test_tags_are_a_list_or_in_old_exports_one_text() -> None:
    users = [{"name": "a", "tags": "administrator, x ,"}, {"name": "b", "tags": []}, {"name": "c", "tags": ["y"]}]
    document = parse(json.dumps({"users": users}))
    assert [user.tags for user in document.users] == [("administrator", "x"), (), ("y",)]


def test_a_password_in_the_clear_is_hashed() -> None:
    (user,) = parse(json.dumps({"users": [{"name": "a", "password": "pw", "tags": []}]})).users
    assert verify_password(b"pw", user.password_hash, user.hashing_algorithm)


def test_old_exports_have_md5_hashes() -> None:
    md5 = "rabbit_password_hashing_md5"
    users = [{"name": "a", "password_hash": hash_password(b"pw", md5), "tags": ""}]
    assert parse(json.dumps({"rabbit_version": "3.5.7", "users": users})).users[0].hashing_algorithm == md5
    assert "octets" in refusal({"rabbit_version": "3.6.0", "users": users})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("[]", "must be an object, not a list"),
        ('{"users": {}}', "users: must be a list, not an object"),
        ('{"users": [1]}', "users[0]: must be an object, not a number"),
        ('{"users": [{"name": ""}]}', "users[0].name: must not be empty"),
        ('{"users": [{"name": 5}]}', "users[0].name: must be text, not a number"),
        ('{"users": [{"name": "a", "tags": 5}]}', "users[0].tags: must be a list of texts"),
        (
            '{"users": [{"name": "a"}, {"name": "b", "password_hash": "!"}]}',
            "users[1].password_hash: user 'b': the password hash is not base64",
        ),
        ('{"vhosts": [{}]}', "vhosts[0].name: is missing"),
        (
            '{"permissions": [{"user": "a", "vhost": "/", "configure": "(", "write": "", "read": ""}]}',
            "permissions[0].configure: '(' is not a usable regular expression: missing ) at position 1",
        ),
        ('{"exchanges": [{"name": "x", "vhost": "/"}]}', "exchanges[0].type: is missing"),
        ('{"vhosts": [{"name": "v", "tags": "a"}]}', "vhosts[0].tags: must be a list of texts"),
        (
            '{"users": [{"name": "a", "limits": {"max-channels": "x"}}]}',
            'users[0].limits: max-channels should be a number, actually was <<"x">>',
        ),
        (
            '{"parameters": [{"vhost": "/", "component": "vhost-limits", "name": "limits", "value": {"max": 1}}]}',
            'parameters[0].value: Unrecognised terms [{<<"max">>,1}] in limits',
        ),
        ('{"parameters": [{"vhost": "/", "component": "x", "name": "n"}]}', "parameters[0].value: is missing"),
        ('{"policies": [{"vhost": "/", "name": "p", "pattern": ""}]}', "policies[0].definition: is missing"),
        (
            '{"policies": [{"vhost": "/", "name": "p", "pattern": "", "definition": 5}]}',
            "policies[0].definition: must be an object",
        ),
        (
            '{"policies": [{"vhost": "/", "name": "p", "pattern": "", "definition": {"a": 1}}]}',
            'policies[0]: [{<<"a">>,1}] are not recognised policy settings',
        ),
        (
            '{"exchanges": [{"name": "x", "vhost": "/", "type": "direct", "durable": 1}]}',
            "exchanges[0].durable: must be true or false, not a number",
        ),
        (
            '{"queues": [{"name": "q", "vhost": "/", "arguments": {"a": [9223372036854775808]}}]}',
            "queues[0].arguments.a[0]: does not fit into 64 bits",
        ),
        (
            '{"queues": [{"name": "q", "vhost": "/", "arguments": 5}]}',
            "queues[0].arguments: must be an object, not a number",
        ),
        (
            '{"bindings": [{"source": "x", "vhost": "/", "destination": "q", "destination_type": "stream"}]}',
            "bindings[0].destination_type: 'stream' is not known, allowed: queue, exchange",
        ),
    ],
)
def test_errors_name_the_place_in_the_document(document: str, message: str) -> None:
    assert refusal(document) == message


def test_a_text_that_is_not_json_is_refused_with_line_and_column() -> None:
    # What follows are the words of Python's parser, which differ.
    assert refusal('{"users":\n [}').startswith("not JSON at line 2, column 3: ")


def test_a_name_is_at_most_255_octets_long() -> None:
    assert parse(json.dumps({"queues": [{"name": "q" * 255, "vhost": "/"}]})).queues[0].name == b"q" * 255
    assert refusal({"queues": [{"name": "ü" * 128, "vhost": "/"}]}) == (
        "queues[0].name: has 256 octets, 255 are allowed"
    )


def test_a_document_nested_too_deeply_is_refused() -> None:
    assert refusal("[" * 100_000) == "nested too deeply"
