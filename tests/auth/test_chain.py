"""Who is let in."""

import pytest

from amq.auth.backend import Backend, Internal
from amq.auth.chain import Chain
from amq.auth.credentials import Credentials, Refusal
from amq.auth.users import User, Users


class Directory(Backend):
    """A backend that knows everybody whose name it was given."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[str] = []

    def authenticate(self, credentials: Credentials) -> User | Refusal:
        self.asked.append(credentials.name)
        if credentials.name in self.names:
            return User(credentials.name)
        return Refusal(f"{credentials.name} is not in the directory")


@pytest.fixture
def users() -> Users:
    users = Users()
    users.add("guest", "guest", ["administrator"])
    users.add("app", "secret")
    users.add("certified", None)
    return users


@pytest.fixture
def chain(users: Users) -> Chain:
    return Chain([Internal(users)], {"guest"})


def reason(answer: User | Refusal) -> str:
    assert isinstance(answer, Refusal)
    return answer.reason


def test_the_right_password_lets_in(chain: Chain, users: Users) -> None:
    assert chain.login(Credentials("app", b"secret"), peer_is_loopback=False) == users.get("app")


def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(chain: Chain) -> None:
    assert reason(chain.login(Credentials("app", b"x"), True)) == "user 'app' - invalid credentials"
    assert reason(chain.login(Credentials("nobody", b"x"), True)) == "user 'nobody' - invalid credentials"


def test_a_refusals_reason_stays_one_printable_line_whatever_the_name(chain: Chain) -> None:
    assert reason(chain.login(Credentials("a\r\nb\udcff", b"x"), True)) == (
        "user 'a\\r\\nb\\udcff' - invalid credentials"
    )


def test_a_blank_password_is_refused_whoever_has_it(chain: Chain) -> None:
    for name in ("app", "certified", "nobody"):
        assert "blank password" in reason(chain.login(Credentials(name, b""), True))


def test_a_user_without_password_logs_in_by_certificate_only(chain: Chain, users: Users) -> None:
    assert chain.login(Credentials("certified", None), False) == users.get("certified")
    assert reason(chain.login(Credentials("certified", b"x"), True)) == "user 'certified' - invalid credentials"


def test_a_certificate_names_a_user_that_must_exist(chain: Chain) -> None:
    assert reason(chain.login(Credentials("nobody", None), True)) == "user 'nobody' - invalid credentials"


def test_guest_comes_from_this_machine_only(chain: Chain, users: Users) -> None:
    assert chain.login(Credentials("guest", b"guest"), peer_is_loopback=True) == users.get("guest")
    assert reason(chain.login(Credentials("guest", b"guest"), peer_is_loopback=False)) == (
        "user 'guest' can only connect via localhost"
    )


def test_backends_are_asked_in_turn_until_one_lets_in(users: Users) -> None:
    first, last = Directory("x"), Directory("y")
    chain = Chain([first, Internal(users), last], ())
    assert chain.login(Credentials("app", b"secret"), True) == users.get("app")
    assert (first.asked, last.asked) == (["app"], [])


def test_the_last_backends_reason_is_the_answer(users: Users) -> None:
    chain = Chain([Internal(users), Directory()], ())
    assert reason(chain.login(Credentials("eve", b"x"), True)) == "eve is not in the directory"


def test_without_a_backend_nobody_is_let_in() -> None:
    assert reason(Chain([], ()).login(Credentials("app", b"x"), True)) == "no backend checked 'app'"
