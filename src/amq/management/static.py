"""The web console: the files in the folder `console`, and the rules that a browser has to keep with them.

Everything under `assets-<digest>/` may be kept for ever, since other contents get another address; the page itself is
asked for anew each time. The policy lets scripts, styles, images and requests of this origin alone through, and makes
the browser refuse whatever would turn text into markup.
"""

import gzip
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PAGE: Final = "index.html"
# Where the page names the scripts that it is made of.
MODULES: Final = b"<!-- modules -->"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class File:
    """One file of the console, ready to be sent."""

    __slots__ = ("content", "etag", "packed", "type")

    def __init__(self, name: str, content: bytes) -> None:
        self.content = content
        self.packed = gzip.compress(content, mtime=0)
        self.type = TYPES[name[name.rindex(".") :]]
        self.etag = f'"{sha256(content).hexdigest()[:20]}"'


class Console:
    """Serves the console, as an ASGI application. All of it is in memory: some 150 KB."""

    def __init__(self, folder: Traversable | None = None) -> None:
        contents = dict(_walk(folder or files("amq.management").joinpath("console"), ""))
        digest = sha256()
        for name in sorted(contents):
            digest.update(name.encode() + b"\0" + contents[name] + b"\0")
        self.assets = f"assets-{digest.hexdigest()[:12]}/"
        # All at once: else the browser finds out about them one import after the other.
        modules = [f'<link rel="modulepreload" href="assets/{name}">' for name in contents if name.endswith(".js")]
        page = contents[PAGE].replace(MODULES, "\n".join(sorted(modules)).encode())
        contents[PAGE] = page.replace(b'"assets/', f'"{self.assets}'.encode())
        self.files = {name: File(name, content) for name, content in contents.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        request = Request(scope, receive)
        await self.respond(request)(scope, receive, send)

    def respond(self, request: Request) -> Response:
        """The file that the path names."""
        if request.method not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"allow": "GET, HEAD", **HEADERS})
        root = request.scope.get("root_path", "")
        path = request.scope["path"].removeprefix(root).lstrip("/")
        lasting = path.startswith(self.assets)
        file = self.files.get(path.removeprefix(self.assets) if lasting else PAGE if path in ("", PAGE) else "")
        if file is None:
            return Response("There is nothing here.\n", 404, HEADERS, "text/plain")
        headers = {
            **HEADERS,
            "etag": file.etag,
            "cache-control": "public, max-age=31536000, immutable" if lasting else "no-cache",
        }
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(file.content, 200, headers, file.type)
        return Response(file.packed, 200, {**headers, "content-encoding": "gzip"}, file.type)


def _walk(folder: Traversable, before: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        name = before + entry.name
        if entry.is_dir():
            found += _walk(entry, name + "/")
        elif any(name.endswith(suffix) for suffix in TYPES):
            found.append((name, entry.read_bytes()))
    return found
