"""Who sends a request: by HTTP basic authentication, or over the socket of the broker's owner."""

import base64
import binascii
from collections.abc import Mapping
from ipaddress import ip_address
from math import ceil
from typing import Final

from amq.auth.credentials import LoginPeer, Refusal, peer_at
from amq.auth.users import User
from amq.management.errors import ApiError
from amq.management.node import Node
from amq.management.roles import MANAGEMENT, REFUSALS, has_role

CHALLENGE: Final = {"www-authenticate": 'Basic realm="RabbitMQ Management"'}


async def authenticate(node: Node, headers: Mapping[str, str], source: str) -> User:
    """The user that the request's headers prove.

    Raises ApiError(401) for anybody else, and for users who may not use the API.
    """
    given = headers.get("authorization")
    if given is None:
        raise ApiError(401, headers=CHALLENGE)
    credentials = basic(given)
    if credentials is None:
        raise ApiError(401, "not_authorized", "Login failed", CHALLENGE)
    return await login(node, *credentials, source)


async def login(node: Node, name: str, password: str, source: str) -> User:
    """The user with that name and password, if it may use the API.

    Raises ApiError(401), or 429 when too many logins from that source have failed.
    """
    user = await node.authenticate(name, password, peer(source))
    if isinstance(user, Refusal):
        if user.retry_after:
            wait = {"retry-after": str(ceil(user.retry_after))}
            raise ApiError(429, "too_many_requests", "Too many logins have failed", wait)
        raise ApiError(401, "not_authorized", "Login failed", CHALLENGE)
    if not has_role(user.tags, MANAGEMENT):
        raise ApiError(401, "not_authorised", REFUSALS[MANAGEMENT], CHALLENGE)
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
