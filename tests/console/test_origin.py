"""How the console's files are served, and that a browser needs nothing else."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from amq.management.static import TYPES
from amq.management.static import Console as Files
from tests.console.driver import Console
from tests.console.pages import PAGES

MARKUP = r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.srcdoc"
FOLDER = Path(__file__).parents[2] / "src" / "amq" / "management" / "console"


@pytest.fixture
async def files() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(Files()), base_url="http://console")


async def test_the_page_is_asked_for_anew_and_its_parts_are_kept_for_ever(files: httpx.AsyncClient) -> None:
    page = await files.get("/")
    assert page.headers["cache-control"] == "no-cache"
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len([part for part in parts if part.endswith(".js")]) == len(list(FOLDER.rglob("*.js"))) + 1
    for part in parts:
        answer = await files.get("/" + part)
        assert answer.status_code == 200, part
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-security-policy"] == page.headers["content-security-policy"]


async def test_what_has_not_changed_is_not_sent_again(files: httpx.AsyncClient) -> None:
    page = await files.get("/")
    again = await files.get("/", headers={"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await files.get("/", headers={"if-none-match": '"other"'})
    assert other.status_code == 200


async def test_files_are_packed_for_who_takes_that(files: httpx.AsyncClient) -> None:
    plain = await files.get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    async with files.stream("GET", "/", headers={"accept-encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in packed.headers["vary"]
        raw = b"".join([part async for part in packed.aiter_raw()])
    assert gzip.decompress(raw) == plain.content


ELSEWHERE = ["/static.py", "/assets/js/main.js", "/../static.py", "/js/main.js", "/etc/passwd", "/%2e%2e/app.py"]


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_nothing_else_is_served(files: httpx.AsyncClient, path: str) -> None:
    answer = await files.get(path)
    assert answer.status_code == 404
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_files_can_be_read_only(files: httpx.AsyncClient) -> None:
    assert (await files.head("/")).status_code == 200
    answer = await files.post("/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_the_console_works_below_a_prefix() -> None:
    app = Starlette(routes=[Mount("/broker", Files())])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        page = await client.get("/broker/")
        script = re.findall(r'src="([^"]+)"', page.text)[0]
        assert (await client.get("/broker/" + script)).headers["content-type"] == TYPES[".js"]


def test_no_file_names_another_origin_or_turns_text_into_markup() -> None:
    for file in FOLDER.rglob("*.*"):
        text = file.read_text()
        elsewhere = [url for url in re.findall(r"https?://[^\s\"'`)]+", text) if url != "http://www.w3.org/2000/svg"]
        assert not elsewhere, file
        assert not re.search(
            r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.srcdoc", text
        ), file


def test_everything_comes_from_the_broker(open_console: Callable[..., Console], furnished: None) -> None:
    console = open_console()
    hosts: set[str] = set()
    console.page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    for _, parts, query in PAGES:
        console.open(*parts, **query)
    assert hosts == {urlsplit(console.base).netloc}
