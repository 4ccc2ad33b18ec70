"""The HTTP API as an ASGI application: from a request to a Call, and from what a handler answers to a response."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final
from urllib.parse import parse_qsl

import attrs
import trio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from amq.auth.users import User
from amq.errors import Fault
from amq.management import headers, openapi
from amq.management.answers import EVENT_STREAM, JSON
from amq.management.authentication import authenticate
from amq.management.bodies import SMALL, USUAL, Bodies
from amq.management.call import Call
from amq.management.columns import Columns
from amq.management.endpoint import ADMINISTRATOR, ANYBODY, POLICYMAKER, Endpoint
from amq.management.errors import ApiError, BadRequest, MethodNotAllowed, NotAuthorised, NotFound, from_fault
from amq.management.node import Node
from amq.management.node_json import own_version
from amq.management.responses import Parts, refusal, response
from amq.management.roles import REFUSALS, has_role
from amq.management.routing import Place, Routes, parameters
from amq.management.table import ENDPOINTS

LOGGER: Final = logging.getLogger(__name__)

NOBODY: Final = User("")
# What the owner of the broker's process is: everything, without a password.
OWNER_TAGS: Final = frozenset({ADMINISTRATOR})
MOST_PARAMETERS: Final = 100
# Answers from so many octets on are large, and at most so many of them are sent at once.
LARGE: Final = 1 << 20
MOST_LARGE: Final = 8


class Api:
    """Answers everything below /api. `owner` is the name of who owns the broker's process."""

    def __init__(self, node: Node, owner: str) -> None:
        self._node = node
        self._owner = User(owner, tags=OWNER_TAGS)
        self._settings = node.broker.settings.management
        description = openapi.endpoint(ENDPOINTS, own_version(), self._settings.path_prefix)
        self._routes = Routes((*ENDPOINTS, description))
        self._bodies = Bodies(self._settings.max_http_body_size)
        self._large = trio.CapacityLimiter(MOST_LARGE)

    async def respond(self, request: Request, path: str) -> ASGIApp:
        """The response to a request for this path (percent-encoded) below /api."""
        meant = "an unknown path"
        try:
            place, values = self._find(path)
            meant = place.path
            return self._bounded(await self._answer(request, place, values))
        except ApiError as error:
            return refusal(error)
        except Fault as fault:
            return refusal(from_fault(fault))
        except ClientDisconnect:
            raise
        except Exception:
            # A defect of ours must not take anything else along. (The path itself may hold a password.)
            LOGGER.exception("answering %s %s failed", request.method, meant)
            return refusal(ApiError(500, "internal_server_error", "the broker's log says more"))

    async def _answer(self, request: Request, place: Place, values: list[str]) -> Response:
        if request.method == "OPTIONS":
            return Response(headers={"allow": place.allowed()})
        endpoint = place.endpoint(request.method)
        if endpoint is None:
            raise MethodNotAllowed(place.allowed())
        if headers.is_forged(self._settings, request.method, request.headers):
            raise NotAuthorised("a page of another origin may not do this")
        call = await self._call(request, endpoint, values)
        check(endpoint, call)
        check_acceptable(request)
        most = SMALL if call.user is NOBODY else self._bodies.most if endpoint.large else USUAL
        async with self._bodies.of(request, most) as call.body:
            answer = await endpoint.handle(call)
        if answer.events is not None and not call.local:
            answer = attrs.evolve(answer, events=while_allowed(call, endpoint, answer.events))
        return response(answer, Columns(call.query if endpoint.method == "GET" else {}), self._node.stopping)

    def _find(self, path: str) -> tuple[Place, list[str]]:
        found = self._routes.find(path)
        if found is None:
            raise NotFound()
        return found

    async def _call(self, request: Request, endpoint: Endpoint, values: list[str]) -> Call:
        local = bool(request.scope.get("state", {}).get("local"))
        source = request.client.host if request.client else ""
        user = NOBODY
        if local:
            user = self._owner
        elif endpoint.role != ANYBODY:
            user = await authenticate(self._node, request.method, request.headers, source)
        return Call(
            node=self._node,
            user=user,
            local=local,
            source=source,
            secure=request.url.scheme == "https",
            method=request.method,
            path=parameters(endpoint, values),
            query=query(request.scope["query_string"]),
            headers=request.headers,
            body=b"",
        )

    def _bounded(self, answer: Response) -> ASGIApp:
        if isinstance(answer, Parts) and answer.size >= LARGE:
            return Large(answer, self._large)
        return answer


class Large:
    """The response with a large body, which is kept in memory until it was taken. There are only so many at once."""

    def __init__(self, answer: Response, limiter: trio.CapacityLimiter) -> None:
        self._answer = answer
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        try:
            self._limiter.acquire_on_behalf_of_nowait(self)
        except trio.WouldBlock:
            busy = ApiError(503, "busy", "too many large answers are being sent: ask for pages", {"retry-after": "10"})
            await refusal(busy)(scope, receive, send)
            return
        try:
            await self._answer(scope, receive, send)
        finally:
            self._limiter.release_on_behalf_of(self)


def check(endpoint: Endpoint, call: Call) -> None:
    """Whether the user may do this, and there is the vhost to do it in.

    Raises NotAuthorised or NotFound.
    """
    if not has_role(call.user.tags, endpoint.role):
        raise NotAuthorised(REFUSALS[endpoint.role])
    if not endpoint.vhost or "vhost" not in call.path:
        return
    vhost = call.node.broker.vhosts.get(call.path["vhost"])
    if vhost is None:
        raise NotFound() if endpoint.method in ("GET", "DELETE") else NotFound("vhost_not_found", "not_found")
    if not call.may_see(vhost):
        inside = "User not authorised to access virtual host"
        raise NotAuthorised(REFUSALS[POLICYMAKER] if endpoint.role == POLICYMAKER else inside)


async def while_allowed(
    call: Call, endpoint: Endpoint, events: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """The events until a user is deleted, gets another password, or loses its role or its vhost: none from then on."""
    users = call.node.broker.users
    async with aclosing(events) as told:
        async for event in told:
            user = users.get(call.user.name)
            if user is None or user.password_hash != call.user.password_hash:
                return
            call.user = user
            try:
                check(endpoint, call)
            except ApiError:
                return
            yield event


def check_acceptable(request: Request) -> None:
    """Raise ApiError(406) when the client takes no JSON."""
    accept = request.headers.get("accept")
    if accept is None or request.method not in ("GET", "HEAD"):
        return
    ranges = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    if ranges and not ranges & {"*/*", "application/*", JSON, EVENT_STREAM, ""}:
        raise ApiError(406)


def query(octets: bytes) -> dict[str, str]:
    """The parameters of a query; of one that is given twice, the first counts. Raises BadRequest for too many."""
    try:
        pairs = parse_qsl(
            octets.decode("latin-1"), keep_blank_values=True, errors="replace", max_num_fields=MOST_PARAMETERS
        )
    except ValueError:
        raise BadRequest(f"a query has at most {MOST_PARAMETERS} parameters") from None
    return dict(reversed(pairs))
