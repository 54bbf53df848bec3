"""The dashboard in a real browser, by the keyboard alone: signing in, finding an issue, retrying a dead letter, signing
out."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bot.demo import play
from bot.store.tables import EffectState, Person
from integrations.sandbox.wire import Server
from tests.conftest import House
from tests.test_dashboard_mending import failed, letter
from tests.test_demo_page import CHROMIUM
from tests.test_sign_in import guarded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
        yield browser
        browser.close()


def free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


@pytest.fixture
def served(make_house: Callable[..., House]) -> Iterator[tuple[House, str]]:
    """A house with a dead letter, at the very address that its configuration names."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"

    def change(config: dict[str, Any]) -> None:
        guarded(config)
        config["web"]["public_url"] = address

    house = failed(make_house(change))
    server = Server(house.bot.web, port).start()
    yield house, address
    server.stop()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    """A phone's page without JavaScript, that fails its test when the policy refused something."""
    context = chromium.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False, locale="en-GB")
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    wrong: list[str] = []
    ours = lambda message: message.type == "error" and "favicon" not in message.location["url"]  # noqa: E731 (Slack's)
    tab.on("console", lambda message: wrong.append(message.text) if ours(message) else None)
    yield tab
    context.close()
    assert wrong == []


def reach(tab: Any, name: str, most: int = 60) -> None:
    """Press Tab until what has that name is reached; the browser shows where one is."""
    for _ in range(most):
        tab.keyboard.press("Tab")
        here = tab.locator(":focus")
        if here.count() and name in (here.get_attribute("aria-label") or here.inner_text()):
            outline = here.evaluate("one => getComputedStyle(one).outlineStyle")
            assert outline == "solid" or "/openid/" in tab.url, "nobody sees where they are"
            return
    raise AssertionError(f"nothing called {name!r} is reached by the keyboard")


def go(tab: Any, name: str, key: str = "Enter") -> None:
    """Reach what has that name, press it, and wait for the page that comes of it."""
    reach(tab, name)
    with tab.expect_navigation():
        tab.keyboard.press(key)


def test_by_the_keyboard_alone(served: tuple[House, str], tab: Any) -> None:
    """From the first page to Slack and back, to an issue, to the dead letters, and out again."""
    house, address = served
    tab.goto(f"{address}/health")
    go(tab, "Sign in with Slack")
    go(tab, "Maya Lindgren")
    assert tab.url == f"{address}/health"
    assert "1 dead letter waits for a person." in tab.locator("main").inner_text()
    go(tab, "Retry number")
    assert letter(house).state is not EffectState.DEAD
    assert "No dead letters" in tab.locator("main").inner_text()
    tab.keyboard.press("Tab")
    tab.goto(f"{address}/")
    reach(tab, "Skip to the content")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"
    go(tab, "VAT is wrong on invoices")
    assert "Flagged" in tab.locator("main").inner_text()
    go(tab, "Sign out")
    assert tab.url == f"{address}/sign-in"
    tab.goto(f"{address}/causes")
    assert tab.get_by_role("link", name="Sign in with Slack").count() == 1


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_stands_beside_the_page(served: tuple[House, str], chromium: Any, width: int) -> None:
    """No page scrolls sideways, whatever the words in it; each is drawn without a fault."""
    house, address = served
    house.flag("U0BEN", "4212", title="W" * 120)
    with house.bot.store.write() as session:  # an address for a name: a table has less room beside the title
        session.execute(sa.update(Person).values(name="W" * (60 if width < 720 else 25)))
    context = chromium.new_context(viewport={"width": width, "height": 740})
    tab = context.new_page()
    tab.goto(f"{address}/")
    tab.get_by_role("link", name="Sign in with Slack").click()
    tab.get_by_role("button", name="Maya Lindgren").click()
    tab.wait_for_url(f"{address}/")
    pages = ["/", "/write-backs", "/causes", "/times", "/health", "/?page=x"]
    pages.append(str(tab.get_by_role("link", name="WWWW").get_attribute("href")))
    for path in pages:
        tab.goto(f"{address}{path}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
        assert tab.evaluate("document.styleSheets.length") == 1, path
    context.close()


def test_the_demo_leads_to_it(chromium: Any) -> None:
    """Open on one's own machine: a link on the demo's page."""
    with play() as (sandbox, _):
        tab = chromium.new_page()
        tab.goto(sandbox.page_url)
        with tab.expect_popup() as opened:
            tab.get_by_role("link", name="Dashboard").click()
        assert "The queue is empty" in opened.value.locator("main").inner_text()
        opened.value.close()
        tab.close()
