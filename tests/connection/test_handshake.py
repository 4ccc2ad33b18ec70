"""The way in: logins, tuning, vhosts, and who is told what when it goes wrong."""

from typing import Any

import pytest

from amq.auth.users import Users
from amq.connection.lifecycle import REFUSED
from amq.connection.peer import Peer
from amq.vhost.permission import Permission
from tests.conformance.values import shortstr, value
from tests.harness.dialogue import HEADER, LOCAL, Dialogue, enter, frame, method, new_broker

REMOTE = Peer("192.0.2.7", 50000, "192.0.2.1", 5672)
REFUSAL = "Login was refused using authentication mechanism {}. For details see the broker logfile."


def external(common_name: str | None) -> Peer:
    """A client behind TLS, with a certificate of that name."""
    certificate = None if common_name is None else {"subject": ((("commonName", common_name),),)}
    return Peer("127.0.0.1", 50000, "127.0.0.1", 5671, tls=True, certificate=certificate)


def greeted(peer: Peer = LOCAL, **settings: Any) -> Dialogue:
    client = Dialogue(new_broker(**settings), peer)
    client.greet()
    return client


def silently_closed(client: Dialogue) -> None:
    """Nothing is said, nothing more is listened to, and after a while the socket is to be closed."""
    client.hears_nothing()
    client.send(method(0, "connection.close-ok") + b"garbage")
    client.wait(REFUSED - 0.1)
    assert not client.connection.finished
    client.wait(0.2)
    assert client.connection.finished
    client.hears_nothing()


def test_the_whole_way_in_works_however_it_is_cut() -> None:
    steps = [
        HEADER,
        method(0, "connection.start-ok", mechanism="PLAIN", response=b"\0guest\0guest", locale="en_US"),
        method(0, "connection.tune-ok", channel_max=10, frame_max=4096, heartbeat=0)
        + method(0, "connection.open", virtual_host="/")
        + method(1, "channel.open"),
    ]
    client = Dialogue(new_broker())
    client.send_cut(b"".join(steps), range(1, len(b"".join(steps))))
    names = ["connection.start", "connection.tune", "connection.open-ok", "channel.open-ok"]
    assert [heard.name for heard in client.hear_all()] == names


@pytest.mark.parametrize("size", range(1, 8))
def test_a_header_that_is_not_whole_yet_is_waited_for(size: int) -> None:
    client = Dialogue(new_broker())
    client.send(HEADER[:size])
    client.hears_nothing()
    client.send(HEADER[size:])
    client.hears(0, "connection.start", version_major=0, version_minor=9, locales=b"en_US")


@pytest.mark.parametrize(
    "octets", [b"AMQP\x00\x01\x00\x00", b"AMQP\x03\x01\x00\x00", b"GET / HT", b"\x16\x03\x01\x02\x00\x01\x00\x01"]
)
def test_another_protocol_is_answered_with_ours(octets: bytes) -> None:
    client = Dialogue(new_broker())
    client.send(octets + b"more of it")
    client.hears(0, "protocol header")
    client.hears_nothing()
    assert client.connection.finished


def test_a_client_that_says_nothing_is_closed_when_the_handshake_should_be_over() -> None:
    client = Dialogue(new_broker(handshake_timeout=5000))
    client.wait(4.9)
    assert not client.connection.finished
    client.wait(0.2)
    assert client.connection.finished
    client.hears_nothing()


def test_a_handshake_that_stops_half_way_is_closed_too_and_one_that_is_over_is_not() -> None:
    broker = new_broker(handshake_timeout=5000)
    stuck, inside = Dialogue(broker), enter(broker)
    stuck.greet()
    stuck.start_ok()
    stuck.hears(0, "connection.tune")
    broker.advance(6.0)
    assert (stuck.connection.finished, inside.connection.finished) == (True, False)


def amqplain(user: str, password: str) -> bytes:
    fields = {"LOGIN": user, "PASSWORD": password}
    return b"".join([shortstr(name) + value(text) for name, text in fields.items()])


def test_amqplain_and_plain_lead_in() -> None:
    ways: list[dict[str, Any]] = [{}, {"mechanism": "AMQPLAIN", "response": amqplain("guest", "guest")}]
    for options in ways:
        client = enter(**options)
        assert client.connection.session is not None
        assert client.connection.session.user.name == "guest"


def test_external_takes_the_name_from_the_certificate() -> None:
    broker = new_broker(ssl_cert_login_from="common_name", auth_mechanisms=("PLAIN", "EXTERNAL"))
    client = enter(broker, external("guest"), mechanism="EXTERNAL", response=b"")
    assert client.connection.session is not None
    assert client.connection.session.user.name == "guest"


@pytest.mark.parametrize("name", [None, "stranger"])
def test_external_refuses_without_a_certificate_of_a_user(name: str | None) -> None:
    client = greeted(external(name), ssl_cert_login_from="common_name", auth_mechanisms=("EXTERNAL",))
    client.start_ok(mechanism="EXTERNAL", response=b"")
    client.hears_close(403, REFUSAL.format("EXTERNAL"), by=(0, 0))


def test_external_is_not_offered_without_tls() -> None:
    client = Dialogue(new_broker(auth_mechanisms=("PLAIN", "EXTERNAL")))
    assert client.greet()["mechanisms"] == b"PLAIN"
    client.start_ok(mechanism="EXTERNAL", response=b"")
    silently_closed(client)


def test_a_mechanism_may_ask_again() -> None:
    client = greeted(auth_mechanisms=("RABBIT-CR-DEMO",))
    client.start_ok(mechanism="RABBIT-CR-DEMO", response=b"guest")
    client.hears(0, "connection.secure", challenge=b"Please tell me your password")
    client.say(0, "connection.secure-ok", response=b"My password is guest")
    client.tune_ok()
    client.say(0, "connection.open", virtual_host="/")
    client.hears(0, "connection.open-ok")


def test_a_refusal_after_a_challenge_is_never_told() -> None:
    client = greeted(auth_mechanisms=("RABBIT-CR-DEMO",))
    client.start_ok(mechanism="RABBIT-CR-DEMO", response=b"guest")
    client.hears(0, "connection.secure")
    client.say(0, "connection.secure-ok", response=b"My password is wrong")
    silently_closed(client)


WRONG = [("guest", "wrong"), ("nobody", "guest"), ("guest", ""), ("", "")]


@pytest.mark.parametrize(("user", "password"), WRONG)
def test_a_refused_login_is_told_to_a_client_that_understands(user: str, password: str) -> None:
    client = greeted()
    client.start_ok(user, password)
    client.hears_close(403, REFUSAL.format("PLAIN"), by=(0, 0))
    assert not client.connection.finished
    client.say(0, "connection.close-ok")
    assert client.connection.finished
    client.hears_nothing()


def test_a_client_that_does_not_answer_its_refusal_is_closed() -> None:
    client = greeted()
    client.start_ok("guest", "wrong")
    client.hears(0, "connection.close")
    client.wait(REFUSED)
    assert client.connection.finished


@pytest.mark.parametrize(("user", "password"), WRONG)
def test_a_refused_login_is_not_told_to_a_client_that_does_not_understand(user: str, password: str) -> None:
    client = greeted()
    client.start_ok(user, password, capabilities=())
    silently_closed(client)


def test_a_loopback_user_may_not_come_from_elsewhere() -> None:
    client = greeted(REMOTE)
    client.start_ok()
    client.hears_close(403, REFUSAL.format("PLAIN"))
    broker = new_broker(loopback_users=frozenset())
    assert enter(broker, REMOTE).connection.session is not None


def test_while_logins_are_switched_off_nobody_comes_in() -> None:
    client = greeted()
    client.broker.accepting_logins = False
    client.start_ok()
    client.hears_close(403, REFUSAL.format("PLAIN"))


@pytest.mark.parametrize(
    ("mechanism", "response"), [("PLAIN", b"guest"), ("AMQPLAIN", b"\x05"), ("NONSENSE", b""), ("PLAIN", b"")]
)
def test_a_malformed_login_is_met_with_silence(mechanism: str, response: bytes) -> None:
    client = greeted()
    client.start_ok(mechanism=mechanism, response=response)
    silently_closed(client)


@pytest.mark.parametrize(
    "octets",
    [
        method(0, "connection.open", virtual_host="/"),
        method(0, "connection.tune-ok"),
        method(0, "connection.close"),
        method(1, "channel.open"),
        frame(8, 0, b"x"),
        frame(2, 0, bytes(14)),
        frame(1, 0, b"\0\x0a\0\x0b\0"),
        frame(1, 0, b""),
        frame(9, 0, b""),
        b"\x01\0\0\0\0\x20\x01",
    ],
)
def test_nobody_is_told_what_he_did_wrong_before_he_has_logged_in(octets: bytes) -> None:
    client = greeted()
    client.send(octets)
    silently_closed(client)


def tuning(**settings: Any) -> Dialogue:
    client = greeted(**settings)
    client.start_ok()
    return client


LOWER = "negotiated {} = {} is lower than the minimum allowed value ({})"
HIGHER = "negotiated {} = {} is higher than the maximum allowed value ({})"


@pytest.mark.parametrize(
    ("agreed", "text"),
    [
        ({"frame_max": 4095}, LOWER.format("frame_max", 4095, 4096)),
        ({"frame_max": 131073}, HIGHER.format("frame_max", 131073, 131072)),
        ({"frame_max": 0}, HIGHER.format("frame_max", "0 (no limit)", 131072)),
        ({"channel_max": 2048}, HIGHER.format("channel_max", 2048, 2047)),
        ({"channel_max": 0}, HIGHER.format("channel_max", "0 (no limit)", 2047)),
    ],
)
def test_what_is_agreed_on_stays_within_what_the_broker_offers(agreed: dict[str, int], text: str) -> None:
    client = tuning()
    client.tune_ok(**agreed)
    client.hears_close(530, text, by=(10, 31))
    client.say(0, "connection.close-ok")
    assert client.connection.finished


def test_a_broker_without_limits_takes_every_number() -> None:
    client = tuning(frame_max=0, channel_max=0)
    client.hears(0, "connection.tune", frame_max=0, channel_max=0)
    client.say(0, "connection.tune-ok", frame_max=0, channel_max=0, heartbeat=0)
    client.say(0, "connection.open", virtual_host="/")
    client.hears(0, "connection.open-ok")
    client.open(65535)
    client.declare(65535, "q")
    client.publish(65535, "q", bytes(300_000))
    client.say(65535, "basic.get", queue="q")
    assert len(client.hears(65535, "basic.get-ok").body) == 300_000
    assert max(client.sizes) > 300_000


def test_frames_are_as_large_as_agreed_on_both_sides() -> None:
    client = enter(frame_max=4096, channels=[1])
    client.send(method(1, "channel.flow", active=True) + frame(8, 0, b""))
    client.hears(1, "channel.flow-ok", active=True)
    client.send(b"\x03\0\x01" + (4105).to_bytes(4, "big"))
    client.hears_close(501, "type 3, all octets = <<>>: {frame_too_large,4105,4088}", by=(0, 0))


@pytest.mark.parametrize("early", [b"", HEADER])
def test_before_tuning_a_frame_may_have_8192_octets(early: bytes) -> None:
    client = greeted()
    client.send(b"\x01\0\0" + (8193).to_bytes(4, "big"))
    silently_closed(client)
    client = greeted()
    client.send(b"\x01\0\0" + (8192).to_bytes(4, "big"))
    client.start_ok()
    assert not client.connection.deaf


def opening() -> Dialogue:
    client = tuning()
    client.tune_ok()
    return client


def test_a_vhost_that_is_missing_is_not_found() -> None:
    client = opening()
    client.say(0, "connection.open", virtual_host="/missing")
    client.hears_close(530, "vhost /missing not found", by=(10, 40))


def test_a_vhost_without_any_permission_for_the_user_is_refused() -> None:
    client = opening()
    client.broker.add_vhost("private")
    client.say(0, "connection.open", virtual_host="private")
    client.hears_close(530, "access to vhost 'private' refused for user 'guest'", by=(10, 40))
    client.broker.vhosts["private"].permissions.set("guest", Permission("", "", ""))
    assert enter(client.broker, vhost="private").connection.vhost_name() == "private"


def test_after_tuning_faults_are_told() -> None:
    client = opening()
    client.say(0, "connection.start-ok")
    client.hears_close(504, "unexpected method in connection state opening", by=(10, 11))
    client.say(0, "connection.close")
    client.hears(0, "connection.close-ok")
    assert client.connection.finished


def test_methods_of_the_handshake_do_not_come_again() -> None:
    for name in ("connection.start-ok", "connection.secure-ok", "connection.tune-ok", "connection.open"):
        client = enter()
        client.say(0, name)
        client.hears_close(504, "unexpected method in connection state running")


def test_a_user_that_is_replaced_stays_who_he_was_for_his_connection() -> None:
    client = enter(channels=[1])
    client.broker.users.set_password("guest", "changed")
    client.declare(1, "q")
    other = greeted()
    other.broker.users.set_password("guest", "changed")
    other.start_ok("guest", "guest")
    other.hears(0, "connection.close", reply_code=403)
    assert isinstance(other.broker.users, Users)


def test_the_log_tells_what_the_client_is_not_told() -> None:
    client = greeted()
    client.start_ok("guest", "wrong", capabilities=())
    assert "PLAIN login refused" in client.broker.log[-1][1]
    assert "user 'guest' - invalid credentials" in client.broker.log[-1][1]


@pytest.mark.parametrize(
    ("properties", "shown"),
    [({"connection_name": "a\nname"}, f"{LOCAL} - a name"), ({"connection_name": 5}, str(LOCAL)), ({}, str(LOCAL))],
)
def test_the_log_calls_a_connection_what_its_client_calls_it(properties: dict[str, Any], shown: str) -> None:
    client = Dialogue(new_broker())
    client.greet()
    client.say(0, "connection.start-ok", client_properties=properties, mechanism="PLAIN", response="\0guest\0guest")
    client.tune_ok()
    client.say(0, "connection.open", virtual_host="/")
    client.say(0, "connection.close", reply_code=200)
    texts = [text for _, text in client.broker.log]
    assert f"connection {shown}: user 'guest' authenticated and granted access to vhost '/'" in texts
    assert f"closing AMQP connection {shown}, vhost: '/', user: 'guest'" in texts
