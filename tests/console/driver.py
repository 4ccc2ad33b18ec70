"""Driving the console as a reader does, and watching that it keeps its rules meanwhile."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

ARGUMENTS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Chromium writes this for every answer of 400 and above; which ones there are is for the tests to say.
REFUSED: Final = "Failed to load resource"
WATCH: Final = """
window.breaches = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.breaches.push(`${event.violatedDirective}: ${event.blockedURI}`);
});
"""


class Guard:
    """What a page did that it must not do."""

    def __init__(self, page: Any, base: str) -> None:
        self.faults: list[str] = []
        page.add_init_script(WATCH)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("dialog", self._dialog)
        page.on("console", self._written)
        page.on("request", lambda request: self._requested(request.url, base))

    def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _written(self, message: Any) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(REFUSED):
            self.faults.append(f"console: {message.text}")

    def _requested(self, url: str, base: str) -> None:
        if not url.startswith((base, "blob:" + base)):
            self.faults.append(f"request: {url}")


class Console:
    """One reader's browser."""

    def __init__(self, page: Any, base: str) -> None:
        self.page = page
        self.base = base

    def sign_in(self, user: str, password: str) -> None:
        """Over the form, as people do."""
        self.page.goto(self.base + "/")
        self.page.get_by_label("User name").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("navigation", name="Pages", exact=True).wait_for()

    def open(self, *parts: str, **query: str) -> None:
        """A page by its address, and wait until it is there."""
        fragment = "/".join(quote(part, safe="") for part in parts)
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        self.page.goto(f"{self.base}/#/{fragment}" + (f"?{asked}" if asked else ""))
        self.ready()

    def ready(self) -> None:
        """Wait until the page that was asked for shows something."""
        self.page.locator("main[aria-busy=false]").wait_for()

    def unfold(self, summary: str) -> None:
        """Open what stands behind a summary."""
        self.page.locator("summary", has_text=summary).click()

    def form(self, label: str) -> Any:
        """A form by its label."""
        return self.page.get_by_role("form", name=label, exact=True)

    def said(self, text: str) -> None:
        """Wait until the console says so."""
        self.page.get_by_role("status").filter(has_text=text).first.wait_for()

    def confirm(self, verb: str) -> str:
        """Answer the console's question with yes; returns what it asked."""
        dialog = self.page.get_by_role("dialog")
        asked = str(dialog.inner_text())
        dialog.get_by_role("button", name=verb).click()
        return asked

    def breaches(self) -> list[str]:
        """Breaches of the content security policy since the page was loaded."""
        found: list[str] = self.page.evaluate("window.breaches")
        return found
