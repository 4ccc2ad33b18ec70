"""The console in Debian's Chromium, in front of a broker process.

`page` is signed in as `guest` and fails its test on anything that a console must not do: an error in a script, a dialog
of the browser, a breach of the content security policy, a request to another origin.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.console.driver import ARGUMENTS, Console, Guard
from tests.console.pages import furnish
from tests.harness.process import BrokerProcess

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = "axe-core@4.10.3"
DESK = {"width": 1280, "height": 800}
PATIENCE = 15_000  # ms
ARTEFACTS = Path(__file__).parents[2] / "test-artefacts" / "console"


@pytest.fixture(scope="session")
def broker_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    folder = tmp_path_factory.mktemp("console")
    process = BrokerProcess(folder, data=folder / "data", management=True)
    process.start()
    yield process
    process.kill()
    assert "Traceback" not in process.output(), process.output()[-4000:]


@pytest.fixture(scope="session")
def api(broker_process: BrokerProcess) -> Iterator[httpx.Client]:
    """The API as `guest`, to prepare and to check with."""
    with httpx.Client(base_url=f"http://127.0.0.1:{broker_process.http_port}/api", auth=("guest", "guest")) as client:
        yield client


# For each file anew: while Playwright runs, nothing else in the process can use asyncio.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed. On Debian: sudo apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def cookies(broker_process: BrokerProcess) -> list[dict[str, Any]]:
    """Of a session of `guest`, as a browser keeps them."""
    answer = httpx.post(
        f"http://127.0.0.1:{broker_process.http_port}/api/login",
        json={"username": "guest", "password": "guest"},
        headers={"x-requested-with": "XMLHttpRequest"},
    )
    return [
        {"name": name, "value": value, "domain": "127.0.0.1", "path": "/"} for name, value in answer.cookies.items()
    ]


@pytest.fixture(scope="module")
def profile(browser: Any, cookies: list[dict[str, Any]]) -> Iterator[Any]:
    """A browser profile that many tests share, so that the console's files are loaded once."""
    context = browser.new_context(viewport=DESK)
    context.set_default_timeout(PATIENCE)
    context.add_cookies(cookies)
    yield context
    context.close()


@pytest.fixture
def console(broker_process: BrokerProcess, profile: Any) -> Iterator[Console]:
    """A browser where the administrator `guest` is signed in, on a desk; the test opens the first page."""
    base = f"http://127.0.0.1:{broker_process.http_port}"
    page = profile.new_page()
    guard = Guard(page, base)
    yield Console(page, base)
    page.evaluate("localStorage.clear()")
    page.close()
    assert not guard.faults, guard.faults


@pytest.fixture
def open_console(
    broker_process: BrokerProcess, browser: Any, cookies: list[dict[str, Any]]
) -> Iterator[Callable[..., Console]]:
    """Opens consoles, each in a profile of its own with `options`, signed in as `user` (None: nobody).

    With `watched=False` the test is about what a console must not do, and looks at it itself.
    """
    opened: list[tuple[Any, Guard, bool]] = []

    def open_console(
        user: str | None = "guest", password: str = "guest", watched: bool = True, **options: Any
    ) -> Console:
        base = f"http://127.0.0.1:{broker_process.http_port}"
        context = browser.new_context(**{"viewport": DESK, **options})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        opened.append((context, Guard(page, base), watched))
        console = Console(page, base)
        if user == "guest":
            context.add_cookies(cookies)
        elif user is not None:
            console.sign_in(user, password)
        return console

    yield open_console
    for context, guard, watched in opened:
        context.close()
        assert not (watched and guard.faults), guard.faults


@pytest.fixture
def artefacts() -> Path:
    """Where screenshots go, for people to look at."""
    folder = Path(os.environ.get("AMQ_TEST_ARTEFACTS", ARTEFACTS))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def furnished(api: httpx.Client, broker_process: BrokerProcess) -> Iterator[None]:
    """A vhost `shop` with something of everything."""
    connection = furnish(api, broker_process.url)
    yield
    connection.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, a checker of accessibility; installed once into the user's cache, not into the tree."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, which brings axe-core")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "amq-tests" / AXE.replace("@", "-")
    source = cache / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(cache), AXE]
        try:
            subprocess.run(command, cwd=cache, capture_output=True, text=True, timeout=120, check=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as failure:
            pytest.skip(f"axe-core cannot be installed, no registry? {failure}")
    return source.read_text()
