"""Which endpoint a path means. Segments are compared as they were sent and decoded afterwards, so `%2F` is a name."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from amq.management.endpoint import Endpoint

# Methods in the order in which RabbitMQ lists them.
METHODS: Final = ("HEAD", "GET", "PUT", "POST", "DELETE", "OPTIONS")


class Place:
    """What can be asked for under one path: its endpoints by method."""

    __slots__ = ("endpoints", "literals", "parameter")

    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.literals: dict[str, Place] = {}
        self.parameter: Place | None = None

    @property
    def path(self) -> str:
        """The path with its parameters in braces."""
        return next(iter(self.endpoints.values())).path

    def allowed(self) -> str:
        """The methods for an `Allow` header."""
        offered = {*self.endpoints, "OPTIONS"}
        if "GET" in offered:
            offered.add("HEAD")
        return ", ".join(method for method in METHODS if method in offered)

    def endpoint(self, method: str) -> Endpoint | None:
        """The endpoint for a method; HEAD is GET without the body."""
        return self.endpoints.get("GET" if method == "HEAD" else method)


class Routes:
    """A tree of all paths. A literal segment goes before a parameter."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._root = Place()
        for endpoint in endpoints:
            self._add(endpoint)

    def _add(self, endpoint: Endpoint) -> None:
        place = self._root
        for segment in endpoint.path.strip("/").split("/"):
            if segment.startswith("{"):
                place.parameter = place.parameter or Place()
                place = place.parameter
            else:
                place = place.literals.setdefault(segment, Place())
        if endpoint.method in place.endpoints:
            raise ValueError(f"{endpoint.method} {endpoint.path} is there twice")
        place.endpoints[endpoint.method] = endpoint

    def find(self, path: str) -> tuple[Place, list[str]] | None:
        """What a path (percent-encoded, after the prefix) means, with its parameters decoded; None for nothing.

        One slash at the end does not count.
        """
        segments = path.removeprefix("/").split("/")
        if segments[-1] == "" and len(segments) > 1:
            segments.pop()
        return _descend(self._root, segments, 0)


def parameters(endpoint: Endpoint, values: list[str]) -> dict[str, str]:
    """The parameters of an endpoint's path by name."""
    names = [segment[1:-1] for segment in endpoint.path.split("/") if segment.startswith("{")]
    return dict(zip(names, values, strict=True))


def _descend(place: Place, segments: list[str], depth: int) -> tuple[Place, list[str]] | None:
    if depth == len(segments):
        return (place, []) if place.endpoints else None
    segment = segments[depth]
    literal = place.literals.get(segment)
    if literal is not None:
        found = _descend(literal, segments, depth + 1)
        if found is not None:
            return found
    if place.parameter is None:
        return None
    found = _descend(place.parameter, segments, depth + 1)
    if found is not None:
        # What is no UTF-8 stays in as surrogates: names are octets.
        found[1].insert(0, unquote(segment, errors="surrogateescape"))
    return found
