"""Who sends a request: by HTTP basic authentication, or by the cookie of a session."""

import base64
import binascii
from collections.abc import Mapping
from ipaddress import ip_address
from math import ceil
from typing import Final

from amq.auth.credentials import LoginPeer, Refusal, peer_at
from amq.auth.users import User
from amq.broker import WARNING
from amq.management.errors import ApiError
from amq.management.headers import SAFE_METHODS
from amq.management.node import Node
from amq.management.roles import MANAGEMENT, REFUSALS, has_role
from amq.management.sessions import token_in

# Browsers let scripts send this header to their own origin only.
ASKED_BY_SCRIPT: Final = "x-requested-with"
CHALLENGE: Final = {"www-authenticate": 'Basic realm="RabbitMQ Management"'}


async def authenticate(node: Node, method: str, headers: Mapping[str, str], source: str) -> User:
    """The user that the request's headers prove: by name and password, or by the cookie of a session.

    Raises ApiError(401) for anybody else, and for users who may not use the API.
    """
    try:
        given = headers.get("authorization")
        if given is None:
            return signed_in(node, method, headers)
        credentials = basic(given)
        if credentials is None:
            raise ApiError(401, "not_authorized", "Login failed", CHALLENGE)
        return await login(node, *credentials, source)
    except ApiError as error:
        if ASKED_BY_SCRIPT in headers and "www-authenticate" in error.headers:
            # The browser would ask for a password by itself, before the script hears anything.
            raise ApiError(error.status, error.error, error.reason) from None
        raise


def signed_in(node: Node, method: str, headers: Mapping[str, str]) -> User:
    """The user whose session's cookie this is.

    A page of another site can make a browser send the cookie, but not with the header that scripts of this one add.
    Raises ApiError(401).
    """
    token = token_in(headers.get("cookie"))
    if token is None or (method not in SAFE_METHODS and ASKED_BY_SCRIPT not in headers):
        raise ApiError(401, headers=CHALLENGE)
    user = node.sessions.user(token)
    if user is None:
        raise ApiError(401, headers=CHALLENGE)
    return admitted(user)


async def login(node: Node, name: str, password: str, source: str, challenge: bool = True) -> User:
    """The user with that name and password, if it may use the API.

    Raises ApiError(401), with a challenge if that is wanted, or 429 when too many logins from that source have failed.
    """
    user = await node.authenticate(name, password, peer(source))
    if isinstance(user, Refusal):
        if not user.retry_after or node.broker.logins.attempts.first_refusal(peer(source).address):
            node.broker.note(WARNING, f"HTTP access denied: {user.reason}")
            node.flush()
        if user.retry_after:
            wait = {"retry-after": str(ceil(user.retry_after))}
            raise ApiError(429, "too_many_requests", "Too many logins have failed", wait)
        raise ApiError(401, "not_authorized", "Login failed", CHALLENGE if challenge else None)
    return admitted(user, challenge)


def admitted(user: User, challenge: bool = True) -> User:
    """The user, if it may use the API. Raises ApiError(401)."""
    if not has_role(user.tags, MANAGEMENT):
        raise ApiError(401, "not_authorised", REFUSALS[MANAGEMENT], CHALLENGE if challenge else None)
    return user


def basic(header: str) -> tuple[str, str] | None:
    """Name and password of an `Authorization: Basic` header, or None for any other."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    name, colon, password = decoded.decode("utf-8", "surrogateescape").partition(":")
    return (name, password) if colon else None


def peer(source: str) -> LoginPeer:
    """The other end of a request, from its address; what is none may be anywhere."""
    try:
        ip_address(source.partition("%")[0])
    except ValueError:
        return LoginPeer(loopback=False, address=source, protocol="http")
    return peer_at(source, "http")
