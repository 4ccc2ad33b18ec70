"""Who is let in."""

import pytest

from amq.auth.backend import Backend, Internal
from amq.auth.chain import Chain, Login
from amq.auth.credentials import Credentials, LoginPeer, Question, Refusal
from amq.auth.proven import Proven
from amq.auth.users import User, Users
from amq.clock import Clock

LOCAL = LoginPeer(loopback=True)
REMOTE = LoginPeer(loopback=False)


class Directory(Backend):
    """A backend that knows everybody whose name it was given."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[str] = []

    def authenticate(self, credentials: Credentials) -> User | Refusal | Question:
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
    return Chain([internal(users)], {"guest"})


def internal(users: Users) -> Internal:
    return Internal(users, Proven(Clock(0.0, 0.0), 0.0))


def reason(answer: User | Refusal | Login) -> str:
    assert isinstance(answer, Refusal)
    return answer.reason


def test_the_right_password_lets_in(chain: Chain, users: Users) -> None:
    assert chain.begin(Credentials("app", b"secret"), REMOTE) == users.get("app")


def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(chain: Chain) -> None:
    assert reason(chain.begin(Credentials("app", b"x"), LOCAL)) == "user 'app' - invalid credentials"
    assert reason(chain.begin(Credentials("nobody", b"x"), LOCAL)) == "user 'nobody' - invalid credentials"


def test_a_refusals_reason_stays_one_printable_line_whatever_the_name(chain: Chain) -> None:
    assert reason(chain.begin(Credentials("a\r\nb\udcff", b"x"), LOCAL)) == (
        "user 'a\\r\\nb\\udcff' - invalid credentials"
    )


def test_a_blank_password_is_refused_whoever_has_it(chain: Chain) -> None:
    for name in ("app", "certified", "nobody"):
        assert "blank password" in reason(chain.begin(Credentials(name, b""), LOCAL))


def test_a_user_without_password_logs_in_by_certificate_only(chain: Chain, users: Users) -> None:
    assert chain.begin(Credentials("certified", None), REMOTE) == users.get("certified")
    assert reason(chain.begin(Credentials("certified", b"x"), LOCAL)) == "user 'certified' - invalid credentials"


def test_a_certificate_names_a_user_that_must_exist(chain: Chain) -> None:
    assert reason(chain.begin(Credentials("nobody", None), LOCAL)) == "user 'nobody' - invalid credentials"


def test_guest_comes_from_this_machine_only(chain: Chain, users: Users) -> None:
    assert chain.begin(Credentials("guest", b"guest"), LOCAL) == users.get("guest")
    assert reason(chain.begin(Credentials("guest", b"guest"), REMOTE)) == (
        "user 'guest' can only connect via localhost"
    )


def test_backends_are_asked_in_turn_until_one_lets_in(users: Users) -> None:
    first, last = Directory("x"), Directory("y")
    chain = Chain([first, internal(users), last], ())
    assert chain.begin(Credentials("app", b"secret"), LOCAL) == users.get("app")
    assert (first.asked, last.asked) == (["app"], [])


def test_the_last_backends_reason_is_the_answer(users: Users) -> None:
    chain = Chain([internal(users), Directory()], ())
    assert reason(chain.begin(Credentials("eve", b"x"), LOCAL)) == "eve is not in the directory"


def test_without_a_backend_nobody_is_let_in() -> None:
    assert reason(Chain([], ()).begin(Credentials("app", b"x"), LOCAL)) == "no backend checked 'app'"


class Far(Directory):
    """One that has to ask elsewhere."""

    def authenticate(self, credentials: Credentials) -> User | Refusal | Question:
        self.asked.append(credentials.name)
        return Question(b"pw", "", "")

    def conclude(self, credentials: Credentials, question: Question, proven: bool) -> User | Refusal:
        return User(credentials.name) if proven else Refusal("not there")


def test_a_login_that_waits_for_one_backend_goes_on_with_the_next_when_that_says_no(users: Users) -> None:
    far, last = Far(), Directory("app")
    chain = Chain([Directory(), far, last], ())
    login = chain.begin(Credentials("app", b"x"), REMOTE)
    assert isinstance(login, Login)
    assert (far.asked, last.asked) == (["app"], [])
    assert chain.go_on(login, False) == User("app")
    assert last.asked == ["app"]


def test_a_login_that_has_waited_lets_in_unless_the_user_is_for_this_machine_only() -> None:
    chain = Chain([Far()], {"guest"})
    for name, outcome in (("app", User("app")), ("guest", Refusal("user 'guest' can only connect via localhost"))):
        login = chain.begin(Credentials(name, b"x"), REMOTE)
        assert isinstance(login, Login)
        assert chain.go_on(login, True) == outcome
