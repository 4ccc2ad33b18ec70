"""Whether the console can be used by keyboard alone, with a screen reader, by people who see little, on a phone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.console.driver import Console
from tests.console.pages import PAGES, Page

MAIN = ("overview", "queues", "messages", "exchange", "policies", "user")
CHECKED = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def faults(page: Any, axe: str) -> str:
    """What axe-core finds, in words, a line each."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(axe)
    found = page.evaluate(f"axe.run(document, {json.dumps(CHECKED)}).then((result) => result.violations)")
    return "\n".join(
        f"{one['id']}: {node['html'][:160]} {[check['message'] for check in node['any'] + node['all'] + node['none']]}"
        for one in found
        for node in one["nodes"]
    )


def faults_of_pages(console: Console, axe: str, pages: Sequence[Page]) -> str:
    """What axe-core finds on pages of which everything is unfolded."""
    found = ""
    for name, parts, query in pages:
        console.open(*parts, **query)
        console.page.evaluate("document.querySelectorAll('main details').forEach((details) => (details.open = true))")
        some = faults(console.page, axe)
        found += f"\n== {name}\n{some}" if some else ""
    return found


def test_axe_finds_no_fault_on_the_main_pages(console: Console, furnished: None, axe: str) -> None:
    found = faults_of_pages(console, axe, [page for page in PAGES if page[0] in MAIN])
    assert not found, found


@pytest.mark.campaign
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_on_any_page(
    open_console: Callable[..., Console], furnished: None, axe: str, scheme: str
) -> None:
    found = faults_of_pages(open_console(color_scheme=scheme), axe, PAGES)
    assert not found, found


def test_axe_finds_no_fault_on_the_way_in_in_dialogs_and_on_a_phone(
    open_console: Callable[..., Console], furnished: None, axe: str
) -> None:
    outside = open_console(None)
    outside.page.goto(outside.base)
    outside.page.get_by_role("heading", name="Sign in").wait_for()
    found = faults(outside.page, axe)
    console = open_console(viewport={"width": 390, "height": 844})
    console.open("queues", "shop", "orders.all")
    console.page.get_by_role("button", name="Purge").click()
    console.page.get_by_role("dialog").wait_for()
    found += faults(console.page, axe)
    console.page.keyboard.press("Escape")
    console.page.get_by_role("button", name="Menu").click()
    console.page.get_by_role("navigation", name="Pages", exact=True).wait_for()
    found += faults(console.page, axe)
    console.open("exchanges", "shop", "orders")
    console.form("Try a routing key").get_by_label("Routing key").fill("order.paid.eu")
    console.page.keyboard.press("Enter")
    console.page.get_by_text("reaches 3 queues").wait_for()
    found += faults(console.page, axe)
    assert not found, found


def reached(page: Any, most: int = 300) -> list[str]:
    """What the tab key reaches, until it comes back to where it has been; on its way round it leaves the page once."""
    names: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
              const node = document.activeElement;
              if (node === document.body) return "";
              if (node.dataset.reached) return null;
              node.dataset.reached = "yes";
              return `${node.localName} ${node.ariaLabel ?? node.textContent.slice(0, 40)}`;
            }"""
        )
        if name is None:
            break
        names.append(str(name))
    return names


@pytest.mark.parametrize("page", [PAGES[0], PAGES[1], PAGES[3], PAGES[7]], ids=lambda page: page[0])
def test_the_tab_key_reaches_everything_that_can_be_used(console: Console, furnished: None, page: Page) -> None:
    console.open(*page[1], **page[2])
    console.page.get_by_role("button", name="Pause").click()
    reached(console.page)
    missed = console.page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
          .filter((node) => !node.dataset.reached && !node.disabled && node.checkVisibility())
          .map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert missed == []


def test_a_queue_is_declared_and_deleted_without_a_mouse(console: Console) -> None:
    page = console.page
    console.open("queues")
    page.locator("summary", has_text="Add a queue").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("by-keyboard")
    page.keyboard.press("Enter")
    console.said("Queue by-keyboard is there.")
    console.open("queues", "/", "by-keyboard")
    page.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    # Cancel has the focus: a second Enter by mistake destroys nothing.
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    console.said("Queue by-keyboard is gone.")


def test_a_page_that_was_gone_to_is_announced_by_its_heading(console: Console, furnished: None) -> None:
    page = console.page
    console.open("overview")
    page.get_by_role("link", name="Exchanges", exact=True).click()
    page.get_by_role("heading", name="Exchanges", level=1).wait_for()
    assert page.evaluate("document.activeElement.localName") == "h1"
    assert page.title().startswith("Exchanges")
    console.ready()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_no_page_is_wider_than_a_phone(open_console: Callable[..., Console], furnished: None) -> None:
    console = open_console(viewport={"width": 360, "height": 740})
    widths = {}
    for name, parts, query in PAGES:
        console.open(*parts, **query)
        widths[name] = console.page.evaluate("document.documentElement.scrollWidth")
    assert {name: width for name, width in widths.items() if width > 360} == {}


def test_with_forced_colours_and_without_motion_nothing_breaks(
    open_console: Callable[..., Console], furnished: None
) -> None:
    console = open_console(forced_colors="active", reduced_motion="reduce")
    console.open("exchanges", "shop", "orders")
    assert console.page.locator("svg .chip").count() == 9
