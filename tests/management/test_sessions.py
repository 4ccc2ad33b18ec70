"""Sessions of the console, and signing in and out."""

import httpx
import pytest
from starlette.types import ASGIApp

from amq.auth.users import Users
from amq.broker import Broker
from amq.management.sessions import MOST, MOST_OF_A_USER, Sessions, set_cookie, token_in
from tests.management.conftest import client_of

MD5 = "rabbit_password_hashing_md5"
SCRIPT = {"x-requested-with": "XMLHttpRequest"}
GUEST = {"username": "guest", "password": "guest"}


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0


@pytest.fixture
def users() -> Users:
    users = Users()
    for name in ("anna", "ben"):
        users.add(name, "secret", ["management"], MD5)
    return users


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def sessions(users: Users, hands: Hands) -> Sessions:
    return Sessions(users, 60.0, lambda: hands.now)


def begin(sessions: Sessions, users: Users, name: str = "anna") -> str:
    user = users.get(name)
    assert user is not None
    return sessions.begin(user)


def test_a_cookie_stands_for_its_user_until_it_is_signed_out(sessions: Sessions, users: Users) -> None:
    token = begin(sessions, users)
    assert sessions.user(token) == users.get("anna")
    sessions.end(token)
    assert sessions.user(token) is None
    sessions.end(token)


def test_cookies_differ_and_others_stand_for_nobody(sessions: Sessions, users: Users) -> None:
    tokens = {begin(sessions, users) for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 43
    for other in ("", "x", "\udcff", tokens.pop()[:-1]):
        assert sessions.user(other) is None


def test_a_session_ends_with_its_time(sessions: Sessions, users: Users, hands: Hands) -> None:
    token = begin(sessions, users)
    hands.now += 59.9
    assert sessions.user(token) is not None
    hands.now += 0.1
    assert sessions.user(token) is None
    assert len(sessions) == 0


def test_another_password_ends_the_sessions(sessions: Sessions, users: Users) -> None:
    token = begin(sessions, users)
    users.set_password("anna", "another", MD5)
    assert sessions.user(token) is None


def test_a_deleted_user_is_signed_in_no_more_and_neither_is_one_of_the_same_name(
    sessions: Sessions, users: Users
) -> None:
    token = begin(sessions, users)
    users.delete("anna")
    users.add("anna", "secret", ["administrator"], MD5)
    assert sessions.user(token) is None


def test_tags_are_those_that_the_user_has_now(sessions: Sessions, users: Users) -> None:
    token = begin(sessions, users)
    users.set_tags("anna", [])
    user = sessions.user(token)
    assert user is not None and user.tags == ()


def test_a_user_has_so_many_sessions_and_the_oldest_goes(sessions: Sessions, users: Users) -> None:
    first = begin(sessions, users, "ben")
    tokens = [begin(sessions, users) for _ in range(MOST_OF_A_USER + 1)]
    assert sessions.user(tokens[0]) is None
    assert all(sessions.user(token) for token in tokens[1:])
    assert sessions.user(first) is not None


def test_there_are_so_many_sessions_and_the_oldest_goes(users: Users, hands: Hands) -> None:
    sessions = Sessions(users, 60.0, lambda: hands.now)
    for number in range(MOST // MOST_OF_A_USER + 1):
        users.add(f"user{number}", "secret", ["management"], MD5)
    first = begin(sessions, users, "user0")
    for number in range(MOST // MOST_OF_A_USER + 1):
        for _ in range(MOST_OF_A_USER - 1):
            begin(sessions, users, f"user{number}")
    assert len(sessions) == MOST
    assert sessions.user(first) is None


def test_sessions_that_are_over_make_room(sessions: Sessions, users: Users, hands: Hands) -> None:
    begin(sessions, users)
    hands.now += 61
    begin(sessions, users, "ben")
    assert len(sessions) == 1


@pytest.mark.parametrize(
    "header, token",
    [
        ("amq_session=abc", "abc"),
        ("other=1; amq_session=abc; more=2", "abc"),
        ("amq_session=", ""),
        ("other=1", None),
        ("", None),
        (None, None),
        ("amq_session", None),
        ("\x00=\x00; ;;", None),
    ],
)
def test_the_cookie_is_found_among_others(header: str | None, token: str | None) -> None:
    assert token_in(header) == token


def test_scripts_cannot_read_the_cookie_and_other_sites_cannot_send_it() -> None:
    assert set_cookie("abc", "", False, 60) == "amq_session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"
    assert set_cookie("abc", "/broker", True, 60).endswith(
        "Path=/broker; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
    )


# -- over HTTP --


@pytest.fixture
async def browser(app: ASGIApp) -> httpx.AsyncClient:
    """A browser that is not signed in."""
    return client_of(app, None)


async def test_whoever_signs_in_needs_no_password_until_signing_out(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/login", json=GUEST, headers=SCRIPT)
    assert (answer.status_code, answer.json()) == (200, {"name": "guest", "tags": ["administrator"]})
    cookie = answer.headers["set-cookie"]
    assert "Max-Age=28800; HttpOnly; SameSite=Strict" in cookie
    assert (await browser.get("/whoami")).status_code == 200
    assert (await browser.delete("/login", headers=SCRIPT)).status_code == 204
    assert (await browser.get("/whoami", headers={"cookie": cookie.partition(";")[0]})).status_code == 401


async def test_a_form_signs_in_too(browser: httpx.AsyncClient) -> None:
    assert (await browser.post("/login", data=GUEST, headers=SCRIPT)).status_code == 200


async def test_a_cookie_alone_changes_nothing(browser: httpx.AsyncClient, broker: Broker) -> None:
    await browser.post("/login", json=GUEST, headers=SCRIPT)
    assert (await browser.put("/vhosts/new")).status_code == 401
    assert (await browser.delete("/login")).status_code == 401
    assert "new" not in broker.vhosts
    assert (await browser.put("/vhosts/new", headers=SCRIPT)).status_code == 201


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"username": "guest"}', b'{"username": "guest", "password": 5}', b"[]", b"\xff", b'"x"']
)
async def test_signing_in_needs_a_name_and_a_password(browser: httpx.AsyncClient, body: bytes) -> None:
    assert (await browser.post("/login", content=body, headers=SCRIPT)).status_code == 400


async def test_signing_in_needs_the_header_that_pages_elsewhere_cannot_send(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/login", json=GUEST)
    assert (answer.status_code, "set-cookie" in answer.headers) == (400, False)


async def test_a_wrong_password_is_refused_without_the_browsers_own_question(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/login", json={**GUEST, "password": "wrong"}, headers=SCRIPT)
    assert answer.status_code == 401
    assert answer.json() == {"error": "not_authorized", "reason": "Login failed"}
    assert "www-authenticate" not in answer.headers
    assert "www-authenticate" not in (await browser.get("/whoami", headers=SCRIPT)).headers


async def test_a_user_who_lost_the_last_tag_is_let_in_no_more(browser: httpx.AsyncClient, broker: Broker) -> None:
    broker.users.add("anna", "secret", ["management"], MD5)
    await browser.post("/login", json={"username": "anna", "password": "secret"}, headers=SCRIPT)
    assert (await browser.get("/whoami")).status_code == 200
    broker.users.set_tags("anna", [])
    assert (await browser.get("/whoami")).json()["reason"] == "Not management user"
