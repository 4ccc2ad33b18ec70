"""Who is asking, and signing in and out: /whoami, /login, /auth."""

from typing import Any, Final
from urllib.parse import parse_qsl

from amq.auth.users import User
from amq.management import authentication
from amq.management.answers import NOTHING, Answer, ok
from amq.management.call import Call
from amq.management.endpoint import ANYBODY, MANAGEMENT, TEXT, Endpoint, Schema
from amq.management.errors import BadRequest, NotAuthorised
from amq.management.sessions import set_cookie, token_in

IDENTITY: Final[Schema] = {
    "type": "object",
    "properties": {"name": TEXT, "tags": {"type": "array", "items": TEXT}},
    "required": ["name", "tags"],
}
CREDENTIALS: Final[Schema] = {
    "type": "object",
    "properties": {"username": TEXT, "password": TEXT},
    "required": ["username", "password"],
}
OAUTH: Final[Schema] = {"type": "object", "properties": {"oauth_enabled": {"const": False}}}
FORM: Final = "application/x-www-form-urlencoded"


def identity(user: User) -> dict[str, Any]:
    """A user as it is told to itself."""
    return {"name": user.name, "tags": list(user.tags)}


async def whoami(call: Call) -> Answer:
    """Name and tags of who asks."""
    return ok(identity(call.user))


async def sign_in(call: Call) -> Answer:
    """Begin a session, whose cookie serves in place of name and password.

    Raises ApiError(401), BadRequest for something else than a name and a password.
    """
    if authentication.ASKED_BY_SCRIPT not in call.headers:
        # Else a page elsewhere could sign somebody in under another name.
        raise BadRequest("signing in needs the header X-Requested-With")
    form = call.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
    given: dict[str, Any] = dict(parse_qsl(call.body.decode("utf-8", "replace"))) if form else call.json()
    name, password = given.get("username"), given.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        raise BadRequest("username and password must be text")
    user = await authentication.login(call.node, name, password, call.source, challenge=False)
    settings = call.node.broker.settings.management
    cookie = set_cookie(
        call.node.sessions.begin(user), settings.path_prefix, call.secure, settings.login_session_timeout * 60
    )
    return Answer(200, identity(user), headers={"set-cookie": cookie})


async def sign_out(call: Call) -> Answer:
    """End the session whose cookie came along, if there is one."""
    if authentication.ASKED_BY_SCRIPT not in call.headers:
        raise NotAuthorised("signing out needs the header X-Requested-With")
    token = token_in(call.headers.get("cookie"))
    if token is not None:
        call.node.sessions.end(token)
    path = call.node.broker.settings.management.path_prefix
    return Answer(204, NOTHING, headers={"set-cookie": set_cookie("", path, call.secure, 0)})


async def auth(_call: Call) -> Answer:
    """How one signs in: by name and password, never elsewhere."""
    return ok({"oauth_enabled": False})


TABLE: Final = (
    Endpoint("GET", "/whoami", MANAGEMENT, whoami, "The user who asks", {200: IDENTITY}),
    Endpoint(
        "POST",
        "/login",
        ANYBODY,
        sign_in,
        "Sign in: the cookie of a session that serves in place of name and password",
        {200: IDENTITY, 429: "Too many logins from this source have failed; `Retry-After` says how long to wait."},
        body=CREDENTIALS,
    ),
    Endpoint("DELETE", "/login", ANYBODY, sign_out, "Sign out: end the session", {204: "Signed out"}),
    Endpoint("GET", "/auth", ANYBODY, auth, "How one signs in", {200: OAUTH}),
)
