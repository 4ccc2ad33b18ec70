"""The HTTP API as an ASGI application: from a request to a Call, and from an Answer or an error to a response."""

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from amq.auth.users import User
from amq.errors import Fault
from amq.management.answers import JSON, NOTHING, Answer, encode
from amq.management.authentication import authenticate
from amq.management.call import Call
from amq.management.columns import Columns
from amq.management.endpoint import ADMINISTRATOR, ANYBODY, POLICYMAKER, Endpoint
from amq.management.errors import ApiError, MethodNotAllowed, NotAuthorised, NotFound, from_fault
from amq.management.node import Node
from amq.management.roles import REFUSALS, has_role
from amq.management.routing import Place, Routes, parameters
from amq.management.static import Console
from amq.management.table import ENDPOINTS

LOGGER: Final = logging.getLogger(__name__)

API: Final = "/api"
NOBODY: Final = User("")
# What the owner of the broker's process is: everything, without a password.
OWNER_TAGS: Final = frozenset({ADMINISTRATOR})
MAX_BODY: Final = 10_000_000  # octets


class Api:
    """Answers everything below /api. `owner` is the name of who owns the broker's process."""

    def __init__(self, node: Node, owner: str = "owner", max_body: int = MAX_BODY) -> None:
        self._node = node
        self._owner = User(owner, tags=OWNER_TAGS)
        self._max_body = max_body
        self._routes = Routes(ENDPOINTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            answer, columns = await self._answer(request)
            return _response(answer, columns)
        except ApiError as error:
            return _error(error)
        except Fault as fault:
            return _error(from_fault(fault))
        except ClientDisconnect:
            raise
        except Exception:
            # A defect of ours must not take anything else along.
            LOGGER.exception("answering %s %s failed", request.method, request.url.path)
            return _error(ApiError(500, "internal_server_error", "the broker's log says more"))

    async def _answer(self, request: Request) -> tuple[Answer, Columns]:
        place, values = self._find(request)
        if request.method == "OPTIONS":
            return Answer(200, headers={"allow": place.allowed()}), Columns({})
        endpoint = place.endpoint(request.method)
        if endpoint is None:
            raise MethodNotAllowed(place.allowed())
        local = bool(request.scope.get("state", {}).get("local"))
        source = request.client.host if request.client else ""
        user = NOBODY
        if local:
            user = self._owner
        elif endpoint.role != ANYBODY:
            user = await authenticate(self._node, request.headers, source)
        call = Call(
            node=self._node,
            user=user,
            local=local,
            source=source,
            method=request.method,
            path=parameters(endpoint, values),
            query=query(request.scope["query_string"]),
            headers=request.headers,
            body=b"",
        )
        check(endpoint, call)
        call.body = await self._body(request)
        return await endpoint.handle(call), Columns(call.query if endpoint.method == "GET" else {})

    def _find(self, request: Request) -> tuple[Place, list[str]]:
        raw = request.scope.get("raw_path") or request.scope["path"].encode()
        path = raw.decode("ascii", "replace").partition("?")[0]
        found = self._routes.find(path[path.index(API) + len(API) :])
        if found is None:
            raise NotFound()
        return found

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_body:
                raise ApiError(413, "payload_too_large", f"a request body has at most {self._max_body} octets")
        return bytes(body)


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
    if not call.has_role(ADMINISTRATOR) and not call.may_enter(vhost):
        refusal = (
            REFUSALS[POLICYMAKER] if endpoint.role == POLICYMAKER else "User not authorised to access virtual host"
        )
        raise NotAuthorised(refusal)


def query(octets: bytes) -> dict[str, str]:
    """The parameters of a query; of one that is given twice, the first counts."""
    pairs = parse_qsl(octets.decode("latin-1"), keep_blank_values=True, errors="replace", max_num_fields=100)
    return dict(reversed(pairs))


def _response(answer: Answer, columns: Columns) -> Response:
    headers = dict(answer.headers)
    if answer.events is not None:
        return StreamingResponse(answer.events, answer.status, headers, answer.media_type)
    if answer.parts is not None:
        return Parts(answer, headers)
    if answer.value is NOTHING:
        return Response(status_code=answer.status, headers=headers)
    headers.setdefault("cache-control", "no-cache")
    return Response(encode(columns.pick_any(answer.value)), answer.status, headers, JSON)


def _error(error: ApiError) -> Response:
    body = error.body()
    headers = dict(error.headers)
    return Response(b"" if body is None else encode(body), error.status, headers, None if body is None else JSON)


class Parts(Response):
    """A body in several parts: nobody has to join them."""

    def __init__(self, answer: Answer, headers: Mapping[str, str]) -> None:
        assert answer.parts is not None
        self._parts = answer.parts
        length = str(sum(len(part) for part in answer.parts))
        super().__init__(None, answer.status, {"cache-control": "no-cache", **headers}, answer.media_type)
        self.headers["content-length"] = length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def application(node: Node, owner: str = "owner") -> ASGIApp:
    """All that is served on the management port."""
    app = Starlette()
    app.mount(API, Api(node, owner))
    app.mount("/", Console())
    return app
