"""The HTTP API as a client sees it: requests, answers, and what to tell the operator when something is refused."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

import attrs
import httpx

from amq.cli import exits
from amq.cli.ask.target import Target, Tls
from amq.cli.exits import CommandError

SECONDS: Final = 60.0


class Refused(CommandError):
    """The broker answered, and not what was hoped for."""

    def __init__(self, status: int, code: int, error: str, reason: str) -> None:
        super().__init__(status, reason)
        self.code = code
        self.error = error


@attrs.frozen
class Event:
    """One event of a stream."""

    name: str
    data: Any


def path(*segments: str) -> str:
    """A path below /api; names in it may hold anything."""
    return "/".join([_escaped(segment) for segment in segments])


def _escaped(segment: str) -> str:
    # A segment of dots alone would be resolved away as one of a file's path.
    return (
        segment.replace(".", "%2E") if segment.strip(".") == "" else quote(segment, safe="", errors="surrogateescape")
    )


class Broker:
    """A broker that is asked over HTTP. Every method raises CommandError.

    `seconds` is how long an answer may take. Connections are opened when they are needed.
    """

    def __init__(self, target: Target, tls: Tls, seconds: float = SECONDS) -> None:
        self.target = target
        self.tls = tls
        self.seconds = seconds
        self._client: httpx.Client | None = None

    def get(self, where: str, **query: str | int) -> Any:
        """The JSON at a path."""
        return self._json(self.send("GET", where, query=query))

    def put(self, where: str, body: Mapping[str, Any] | None = None) -> int:
        """Make or change something; 201 or 204."""
        return self.send("PUT", where, body or {}).status_code

    def post(self, where: str, body: Any = None, **query: str | int) -> Any:
        """Do something; what it answers as JSON, None if nothing."""
        return self._json(self.send("POST", where, body, query))

    def delete(self, where: str, query: Mapping[str, str] | None = None, reason: str | None = None) -> None:
        """Delete something; `reason` is told to who is concerned."""
        headers = None if reason is None else {"x-reason": quote(" ".join(reason.split()), safe=" !#$&'()*+,/:;=?@[]~")}
        self.send("DELETE", where, query=query, headers=headers)

    def send(
        self,
        method: str,
        where: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request, and its answer if that is a good one."""
        with self._explained():
            answer = self._open().request(
                method, f"/api/{where}", json=body, params=dict(query or {}) or None, headers=dict(headers or {})
            )
        self._check(answer)
        return answer

    @contextmanager
    def stream(self, where: str, **query: str | int) -> Iterator[Iterator[Event]]:
        """The events of a stream, until it is left or the broker ends it."""
        with self._explained():
            asked = self._open().stream(
                "GET",
                f"/api/{where}",
                params=dict(query) or None,
                headers={"accept": "text/event-stream"},
                timeout=httpx.Timeout(self.seconds, read=None),
            )
            with asked as answer:
                if answer.is_error:
                    answer.read()
                self._check(answer)
                yield events(answer.iter_lines())

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()

    def _open(self) -> httpx.Client:
        if self._client is None:
            target = self.target
            verify = self.tls.context() if target.base.startswith("https:") else False
            transport = httpx.HTTPTransport(uds=None if target.socket is None else str(target.socket), verify=verify)
            auth = None if target.user is None else httpx.BasicAuth(target.user.encode(), target.password.encode())
            self._client = httpx.Client(
                base_url=target.base, transport=transport, auth=auth, timeout=self.seconds, trust_env=False
            )
        return self._client

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Failures of the connection, as the operator may understand them."""
        try:
            yield
        except httpx.ConnectError as error:
            raise CommandError(exits.UNAVAILABLE, self._unreachable(error)) from None
        except httpx.TimeoutException:
            problem = f"no answer from {self.target.shown} in {self.seconds:g} s"
            raise CommandError(exits.UNAVAILABLE, problem) from None
        except httpx.TransportError as error:
            problem = f"the connection to {self.target.shown} broke: {error}".rstrip(": ")
            raise CommandError(exits.UNAVAILABLE, problem) from None
        except UnicodeEncodeError:
            raise CommandError(exits.DATA, "what was given is no UTF-8") from None
        except httpx.InvalidURL as error:
            raise CommandError(exits.USAGE, f"{self.target.shown}: {error}") from None

    def _unreachable(self, error: httpx.ConnectError) -> str:
        place = self.target.socket
        if place is None:
            return f"no broker answers at {self.target.shown}: {_cause(error)}; is it running, with its HTTP API?"
        if isinstance(_root(error), PermissionError):
            return f"{place}: only the owner of the broker and root may use it; as somebody else, give --url"
        if not place.exists():
            return f"no broker runs on {place.parent}, or none with its HTTP API: there is no {place.name} in it"
        return f"no broker answers at {place}: {_cause(error)}; is it running?"

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        error, reason = _told(answer)
        code = answer.status_code
        if code == 401:
            status, text = exits.NOT_ALLOWED, f"{self._who()} may not: {reason}"
        elif code == 403:
            status, text = exits.NOT_ALLOWED, f"forbidden: {reason}"
        elif code >= 500:
            status, text = exits.SOFTWARE, f"the broker failed ({code}): {reason}"
        elif code == 404:
            status, text = exits.DATA, f"{reason}: {answer.request.url.raw_path.decode()}"
        else:
            status, text = exits.DATA, reason
        raise Refused(status, code, error, ": ".join([" ".join(line.split()) for line in text.splitlines() if line]))

    def _who(self) -> str:
        target = self.target
        if target.socket is not None:
            return f"this user of the machine, at {target.shown},"
        return f"'{target.user}' at {target.shown}" if target.user else f"who gives no name at {target.shown}"

    def _json(self, answer: httpx.Response) -> Any:
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            problem = f"{self.target.shown} does not answer as the HTTP API of a broker does"
            raise CommandError(exits.UNAVAILABLE, problem) from None


def _told(answer: httpx.Response) -> tuple[str, str]:
    try:
        told = answer.json()
        # Health checks that fail have a status instead of an error.
        error, reason = told.get("error", ""), told["reason"]
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", f"{answer.status_code} {answer.reason_phrase}".strip()
    if not isinstance(reason, str):
        reason = json.dumps(reason)
    # It is made safe for pages, which these lines are not.
    for safe, plain in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        reason = reason.replace(safe, plain)
    return str(error), reason if reason else str(error)


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _cause(error: httpx.ConnectError) -> str:
    root = _root(error)
    if isinstance(root, socket.gaierror):
        return "the host is not known"
    if isinstance(root, OSError) and root.strerror:
        return root.strerror
    return str(root) or type(root).__name__


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Events out of the lines of a text/event-stream; comments and what holds no data is left out."""
    name, data = "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Event(name, _decoded("\n".join(data)))
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
