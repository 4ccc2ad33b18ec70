"""Pictures of every page, for people to look at: light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.console.driver import Console
from tests.console.pages import PAGES

DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
USUAL = ("overview", "queues", "exchange", "messages")


def shoot(console: Console, folder: Path, kind: str, names: tuple[str, ...] = ()) -> None:
    for name, parts, query in PAGES:
        if names and name not in names:
            continue
        console.open(*parts, **query)
        if name == "exchange":
            form = console.form("Try a routing key")
            form.get_by_label("Routing key").fill("order.paid.eu")
            form.get_by_role("button", name="Try", exact=True).click()
            console.page.get_by_text("reaches 3 queues").wait_for()
        file = folder / f"{name}-{kind}.png"
        console.page.screenshot(path=file, full_page=True)
        assert file.stat().st_size > 5_000


def test_pictures_of_the_main_pages(
    open_console: Callable[..., Console], furnished: None, api: httpx.Client, artefacts: Path
) -> None:
    shoot(open_console(**DESK, color_scheme="light"), artefacts, "light", USUAL)
    shoot(open_console(**PHONE, color_scheme="dark"), artefacts, "phone-dark", USUAL)


@pytest.mark.campaign
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desk", "phone"])
def test_pictures_of_all_pages(
    open_console: Callable[..., Console], furnished: None, artefacts: Path, scheme: str, device: str
) -> None:
    options = {"desk": DESK, "phone": PHONE}[device]
    shoot(open_console(**options, color_scheme=scheme), artefacts, f"{device}-{scheme}")
