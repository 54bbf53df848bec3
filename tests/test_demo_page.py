"""The demo's page: it answers only itself, shows what happens, does what a person does; and the loop in a browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bot.demo import play
from bot.gallery import LANGUAGES, gallery, samples
from integrations.sandbox.panes import next_tag
from integrations.sandbox.world import Sandbox

OWN = {"X-Passerelle-Demo": "1"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(limits=False).start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def page(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=sandbox.page_url, timeout=25, trust_env=False) as client:
        yield client


def state(page: httpx2.Client, since: str = "") -> Any:
    return page.get("state", params={"since": since}).json()


def tracker(page: httpx2.Client, key: str = "github") -> Any:
    return next(one for one in state(page)["trackers"] if one["key"] == key)


def act(page: httpx2.Client, pane: str, action: str, **more: Any) -> Any:
    return page.post("act", json={"pane": pane, "action": action, **more}, headers=OWN).json()


def test_serves_the_page_and_nothing_beside_it(page: httpx2.Client) -> None:
    """Its own files come with a policy that lets nothing foreign in; other names are not found."""
    whole = page.get("")
    assert whole.status_code == 200
    assert "Passerelle" in whole.text
    assert "default-src 'self'" in whole.headers["content-security-policy"]
    for name in ("page.css", "page.js", "blocks.js", "mark.svg"):
        assert page.get(name).status_code == 200
    for name in ("wire.py", "..%2Fpage.py", "%2e%2e/wire.py", "page", "nothing.js"):
        assert page.get(name).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example", **OWN},
        {"Host": "127.0.0.1.evil.example", **OWN},
        {"Origin": "https://evil.example", **OWN},
        {"Origin": "null", **OWN},
        {},
    ],
)
def test_another_site_cannot_act_here(sandbox: Sandbox, page: httpx2.Client, headers: dict[str, str]) -> None:
    """A foreign Host, a foreign Origin or a plain form's POST is refused, and nothing is done."""
    before = len(sandbox.slack.messages("C0SUPPORT"))
    deed = {"pane": "chat", "action": "say", "user": "U0ANA", "channel": "C0SUPPORT", "text": "hello"}
    assert page.post("act", json=deed, headers=headers).status_code == 403
    assert len(sandbox.slack.messages("C0SUPPORT")) == before


def test_another_site_cannot_read_here(page: httpx2.Client) -> None:
    """A name that was bound to the loopback address gets no state."""
    assert page.get("state", headers={"Host": "evil.example"}).status_code == 403


def test_tells_a_change_at_once(sandbox: Sandbox, page: httpx2.Client) -> None:
    """Who waits on the state gets the new one when a customer writes, long before the 20 s are over."""
    since = state(page)["version"]
    writer = threading.Timer(0.3, sandbox.zendesk.customer_writes, ("4211", "Toujours pareil."))
    writer.start()
    told = page.get("state", params={"since": since}, timeout=5).json()
    [ticket] = [one for one in told["helpdesk"]["tickets"] if one["number"] == "4211"]
    assert ticket["messages"][-1]["text"] == "Toujours pareil."
    writer.join()


def test_starts_with_the_story(page: httpx2.Client) -> None:
    """Tickets from 4211 on, from French and English customers, none answered; one release, and one deployment."""
    told = state(page)
    tickets = told["helpdesk"]["tickets"]
    assert [one["number"] for one in tickets][:2] == ["4211", "4212"]
    assert {one["language"] for one in tickets} == {"fr", "en"}
    assert not any(one["answered"] for one in tickets)
    github, gitlab = told["trackers"]
    assert [one["tag"] for one in github["releases"]] == ["v2.4.0"]
    assert [one["back"] for one in gitlab["deployments"]] == [False]
    assert github["issues"] == gitlab["issues"] == []


def test_own_tickets_stand_instead_of_the_story(tmp_path: Path) -> None:
    """`tickets` replaces the story's; a wrong line is named."""
    good = {"subject": "Ärger", "body": "Es geht nicht.", "customer": {"name": "Uwe", "email": "uwe@x.example"}}
    file = tmp_path / "tickets.jsonl"
    file.write_text(json.dumps(good), encoding="utf-8")
    assert [one["subject"] for one in Sandbox(tickets=file).zendesk.tickets()] == ["Ärger"]
    file.write_text(json.dumps(good) + "\n{}", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        Sandbox(tickets=file)
    file.write_text("\n")
    with pytest.raises(ValueError, match="there is none in it"):
        Sandbox(tickets=file)


def test_a_line_separator_in_a_ticket_ends_no_line_of_the_file(tmp_path: Path) -> None:
    """What was pasted from a word processor holds U+2028, which JSON lets stand in a text as it is."""
    odd = {"subject": "a\u2028b", "body": "c\x85d", "customer": {"name": "Uwe", "email": "uwe@x.example"}}
    file = tmp_path / "tickets.jsonl"
    file.write_text(json.dumps(odd, ensure_ascii=False), encoding="utf-8")
    assert [one["subject"] for one in Sandbox(tickets=file).zendesk.tickets()] == ["a\u2028b"]


def test_what_a_person_says_arrives_as_the_chat_sends_it(sandbox: Sandbox, page: httpx2.Client) -> None:
    """The three escapes are made, and a first name after @ is a mention."""
    assert act(page, "chat", "say", user="U0ANA", channel="C0SUPPORT", text="@Ben <b> & so on")["ok"]
    assert sandbox.slack.messages("C0SUPPORT")[-1]["text"] == "<@U0BEN> &lt;b&gt; &amp; so on"


def test_a_merged_fix_waits_for_its_release(sandbox: Sandbox, page: httpx2.Client) -> None:
    """Merging closes the issue and counts as waiting until a release contains it."""
    number = sandbox.github.open_issue("acme/shop", "passerelle-bot", "Total is wrong")
    assert act(page, "github", "fix", number=number)["ok"]
    told = tracker(page)
    assert (told["issues"][0]["reason"], told["merged"], told["waiting"]) == ("completed", 1, 1)
    assert act(page, "github", "release", tag=told["next"])["ok"]
    told = tracker(page)
    assert (told["releases"][0]["tag"], told["waiting"], told["next"]) == ("v2.4.1", 0, "v2.4.2")


def test_a_fix_on_gitlab_waits_for_its_deployment(sandbox: Sandbox, page: httpx2.Client) -> None:
    """Merging closes the issue and counts as waiting until production runs it, and again once it is rolled back."""
    number = sandbox.gitlab.open_issue("acme/shop-app", "passerelle-bot", "Total is wrong", confidential=True)
    assert act(page, "gitlab", "fix", number=number)["ok"]
    told = tracker(page, "gitlab")
    [issue] = told["issues"]
    assert (issue["confidential"], issue["reason"], told["merged"], told["waiting"]) == (True, "closed", 1, 1)
    assert "closed this with merge request !1" in [one["event"] for one in issue["events"]]
    assert act(page, "gitlab", "deploy")["ok"]
    told = tracker(page, "gitlab")
    assert (told["waiting"], len(told["deployments"]), told["back"]) == (0, 2, told["deployments"][1]["sha"])
    assert act(page, "gitlab", "roll_back")["ok"]
    told = tracker(page, "gitlab")
    assert (told["waiting"], told["back"]) == (1, "")
    assert [one["back"] for one in told["deployments"]] == [True, False, False]
    assert act(page, "gitlab", "deploy")["ok"]
    assert tracker(page, "gitlab")["waiting"] == 0


def test_closed_on_gitlab_with_and_without_its_label(sandbox: Sandbox, page: httpx2.Client) -> None:
    """A label says that it is not planned, and goes when it is opened again; closing alone says nothing."""
    number = sandbox.gitlab.open_issue("acme/shop-app", "passerelle-bot", "Total is wrong")
    ends = []
    for action in ("not_planned", "reopen", "close"):
        assert act(page, "gitlab", action, number=number)["ok"]
        [issue] = tracker(page, "gitlab")["issues"]
        ends.append((issue["open"], issue["reason"], issue["labels"]))
    assert ends == [(False, "not_planned", ["not planned"]), (True, None, []), (False, "closed", [])]


@pytest.mark.parametrize(
    ("pane", "action", "more"),
    [
        ("github", "fix", {"number": 99}),
        ("gitlab", "fix", {"number": 99}),
        ("gitlab", "roll_back", {}),
        ("gitlab", "release", {"tag": "v2.4.1"}),
        ("github", "release", {"tag": "v2.4.0"}),
        ("github", "release", {"tag": "../x"}),
        ("chat", "press", {"user": "U0ANA", "channel": "C0SUPPORT", "ts": "1.0", "action_id": "x"}),
        ("chat", "submit", {"view_id": "V9"}),
        ("chat", "say", {"user": "U0ANA", "channel": "C0SUPPORT", "text": "/nope"}),
        ("chat", "say", {"user": "U0ANA"}),
        ("helpdesk", "customer", {"number": "1", "text": "x"}),
        ("helpdesk", "fly", {}),
    ],
)
def test_what_cannot_be_done_is_told(page: httpx2.Client, pane: str, action: str, more: dict[str, Any]) -> None:
    """Each gets one sentence instead of a failure of the page."""
    answer = act(page, pane, action, **more)
    assert answer["ok"] is False
    assert answer["error"].endswith(".")


@pytest.mark.parametrize(
    ("tag", "after"), [("v2.4.0", "v2.4.1"), ("2026.11.9", "2026.11.10"), ("autumn", "v1.0.0"), ("", "v1.0.0")]
)
def test_proposes_the_next_release(tag: str, after: str) -> None:
    """The last number is raised by one."""
    assert next_tag(tag) == after


# --- in a browser -----------------------------------------------------------------------------------------------------

CHROMIUM = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
REPLY = "Bonjour Camille, c’est corrigé : le total suit maintenant le pays de livraison."


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
        yield browser
        browser.close()


@pytest.fixture
def demo() -> Iterator[Sandbox]:
    """What `passerelle demo` starts: the sandbox with the real bot at work in it."""
    with play() as (sandbox, _):
        yield sandbox


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    """A page that fails its test when a script of it fails, or the policy refused something."""
    tab = chromium.new_page(viewport={"width": 1280, "height": 720})
    tab.set_default_timeout(20_000)
    wrong: list[str] = []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield tab
    tab.close()
    assert wrong == []


@pytest.mark.browser
def test_plays_the_loop(demo: Sandbox, tab: Any) -> None:
    """Flagged, filed, fixed, released, told and written back: each seen on the page, with the real bot behind it."""
    tab.goto(demo.page_url)
    tab.get_by_label("Message", exact=True).fill("/bug 4211")
    tab.keyboard.press("Enter")
    modal = tab.get_by_role("dialog")
    modal.get_by_text("Camille Roux").first.wait_for()
    modal.get_by_label("Title").fill("The total keeps the old VAT rate")
    modal.get_by_role("button", name="File it").click()
    modal.wait_for(state="detached")

    tab.locator(".tracker .entry", has_text="The total keeps the old VAT rate").click()
    assert "<!--" not in tab.locator("#tracker-body").inner_text()
    tab.get_by_role("tab", name="support-dev").click()
    card = tab.locator(".message", has_text="The total keeps the old VAT rate")
    card.wait_for()
    tab.get_by_role("button", name="Open and merge a fix").click()
    card.get_by_text("Fixed, not shipped yet").wait_for()
    assert not [one for one in demo.slack.dm("U0ANA") if "v2.4.1" in one["text"]]
    tab.get_by_role("button", name="Publish release").click()

    tab.get_by_role("tab", name="Passerelle").click()
    told = tab.locator(".message", has_text="v2.4.1")
    told.get_by_role("button", name="Write back").click()
    modal.get_by_label("Your reply").fill(REPLY)
    modal.get_by_role("button", name="Send").click()
    told.get_by_text("Written").wait_for()
    tab.locator(".helpdesk .entry").first.click()
    tab.locator(".turn.from-agent", has_text=REPLY).wait_for()
    assert [one["body"] for one in demo.zendesk.replies("4211")] == [REPLY]
    tab.locator("#guide", has_text="The customer has heard").wait_for()


VAT = "VAT keeps the old country’s rate when the address changes"
EXPORT = "The CSV export stops after 1,000 rows"
DAY = {
    "question": "Does it happen with a new basket too?",
    "answer": "Yes, Camille tried a new basket this morning.",
    "heard": "Yes, [customer] tried a new basket this morning.",
    "around": "Set the delivery address first, then fill the basket.",
    "why not": "Larger exports are what the report tool is for; it has no such limit.",
}


class Day:
    """Three people's hands on the page."""

    def __init__(self, tab: Any) -> None:
        self.tab = tab
        self.modal = tab.get_by_role("dialog")

    def be(self, person: str, conversation: str) -> None:
        self.tab.get_by_role("radio", name=person).click()
        self.tab.locator(f'#channels [data-key="channel/{conversation}"]').click()

    def types(self, text: str) -> None:
        self.tab.get_by_label("Message", exact=True).fill(text)
        self.tab.keyboard.press("Enter")

    def told(self, *words: str) -> Any:
        """The message with all of these words."""
        found = self.tab.locator(".message")
        for word in words:
            found = found.filter(has_text=word)
        found.wait_for()
        return found

    def fills(self, button: str, **fields: str) -> None:
        """Fills the open modal, and submits it."""
        for label, text in fields.items():
            self.modal.get_by_label(label.replace("_", " ")).fill(text)
        self.modal.get_by_role("button", name=button, exact=True).click()
        self.modal.wait_for(state="detached")


def the_morning(day: Day) -> None:
    """Ana files, Ben attaches his customer by one click, and files another of his own."""
    day.types("/bug 4211")
    day.modal.get_by_text("Camille Roux").first.wait_for()
    day.fills("File it", Title=VAT)
    day.tab.locator(".tracker .entry", has_text=VAT).wait_for()
    day.be("Ben", "# support")
    day.types("/bug 4212")
    day.modal.get_by_text("Jonas Lindqvist").first.wait_for()
    day.modal.locator(".b-section", has_text=VAT).get_by_role("button", name="Attach").click()
    day.modal.get_by_text("Attached.").wait_for()
    day.tab.keyboard.press("Escape")
    day.modal.wait_for(state="detached")
    day.types("/bug 4213")
    day.modal.get_by_text("Priya Nair").first.wait_for()
    day.fills("File it", Title=EXPORT)
    day.tab.locator(".tracker .entry", has_text=EXPORT).wait_for()


def the_talk(day: Day) -> None:
    """Léo takes the first issue, asks, hears Ana's answer in its thread, and tells a way around it."""
    day.be("Léo", "# support-dev")
    card = day.told(VAT, "2 customers wait")
    card.get_by_role("button", name="Acknowledge").click()
    day.told(VAT, "In hand").get_by_role("button", name="Ask…").click()
    day.fills("Ask", Question=DAY["question"])
    day.be("Ana", "Passerelle")
    day.told("A question for the customer").get_by_role("button", name="Answer").click()
    day.fills("Send", Answer=DAY["answer"])
    day.be("Léo", "# support-dev")
    thread = day.tab.locator(".thread", has_text=DAY["heard"])
    thread.wait_for()
    card = day.tab.locator(".messages > .message", has=day.tab.locator(".thread", has_text=DAY["heard"]))
    card.get_by_role("button", name="Way around it…").first.click()
    day.fills("Tell them", **{"A way around it": DAY["around"]})
    day.be("Ben", "Passerelle")
    day.told("A way around it", DAY["around"], "Jonas Lindqvist")


def the_afternoon(day: Day) -> None:
    """Léo declines Ben's issue with a reason, and ships the fix of the first."""
    day.be("Léo", "# support-dev")
    day.told(EXPORT).get_by_role("button", name="Decline").click()
    day.fills("Decline", Reason=DAY["why not"])
    day.told(EXPORT, "Declined", DAY["why not"])
    day.tab.locator(".tracker .entry", has_text=VAT).click()
    day.tab.get_by_role("button", name="Open and merge a fix").click()
    day.told(VAT, "Fixed, not shipped yet")
    day.tab.get_by_role("button", name="Publish release").click()
    for person, customer in (("Ana", "Camille Roux"), ("Ben", "Jonas Lindqvist")):
        day.be(person, "Passerelle")
        told = day.told("Fixed in v2.4.1", customer)
        told.get_by_role("button", name="Write back").click()
        day.fills("Send", Your_reply=f"{customer}: {REPLY}")
        told.get_by_text("Written").wait_for()
    declined = day.told("Declined", DAY["why not"], "Priya Nair")
    declined.get_by_role("button", name="Skip").click()
    day.fills("Skip", Why_no_answer_is_needed="Priya has the report tool since yesterday.")
    declined.get_by_text("Skipped: Priya has").wait_for()


@pytest.mark.browser
def test_plays_a_whole_day_of_three_people(demo: Sandbox, tab: Any) -> None:
    """A likely duplicate attached by one click, the talk both ways, a way around, a decline, a fix; both write back,
    nobody hears what is not theirs, and the guide has followed."""
    day = Day(tab)
    tab.goto(demo.page_url)
    the_morning(day)
    the_talk(day)
    the_afternoon(day)
    tab.locator("#guide", has_text="The customer has heard").wait_for()
    assert [len(demo.zendesk.replies(ticket)) for ticket in ("4211", "4212", "4213")] == [1, 1, 0]
    assert len(demo.github.issues("acme/shop")) == 2
    comments = "\n".join(one["body"] for one in demo.github.issue("acme/shop", 1)["comments"])
    assert "tried a new basket this morning." in comments
    assert "Camille" not in comments
    heard = {id: json.dumps(demo.slack.dm(id), ensure_ascii=False) for id in ("U0ANA", "U0BEN", "U0LEO")}
    assert DAY["why not"] not in heard["U0ANA"]
    assert "Jonas Lindqvist" not in heard["U0ANA"]
    assert "Fixed in v2.4.1" not in heard["U0LEO"]


@pytest.mark.browser
def test_plays_the_loop_on_gitlab_with_the_keyboard(demo: Sandbox, tab: Any) -> None:
    """Another project is one choice in the modal; its issue, the fix, the deployment and the roll-back are reached by
    keys, and a roll-back takes the word back."""
    tab.goto(demo.page_url)
    tab.get_by_label("Message", exact=True).fill("/bug 4217")
    tab.keyboard.press("Enter")
    modal = tab.get_by_role("dialog")
    modal.get_by_label("Title").fill("The app says card refused")
    assert modal.get_by_label("Project").evaluate("select => select.selectedOptions[0].text") == "Web shop"
    modal.get_by_label("Project").select_option(label="Shop app")
    modal.get_by_label("Title").press("Enter")
    modal.wait_for(state="detached")
    tab.get_by_role("tab", name="GitLab has news").wait_for()
    tab.get_by_role("tab", name="GitHub").press("ArrowRight")
    tab.locator(".tracker .entry", has_text="Confidential").press("Enter")
    tab.locator("#tracker-body", has_text="1 customer waits for this issue.").wait_for()
    tab.get_by_role("button", name="Open and merge a fix").press("Enter")
    tab.get_by_role("tab", name="support-dev").click()
    tab.locator(".message", has_text="Fixed, not shipped yet").wait_for()
    assert not [one for one in demo.slack.dm("U0ANA") if "production" in one["text"]]
    tab.locator("#guide button").press("Enter")
    assert tab.evaluate("document.activeElement.id") == "deploy"
    tab.keyboard.press("Enter")
    tab.get_by_role("tab", name="Passerelle").click()
    told = tab.locator(".message", has_text="Live on production")
    told.get_by_role("button", name="Write back").wait_for()
    told.get_by_role("link", name="acme/shop-app#1").press("Enter")
    assert tab.locator("#tracker-body h3", has_text="The app says card refused").is_visible()
    tab.get_by_role("button", name="Roll back").press("Enter")
    told.get_by_text("On hold").wait_for()


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen(sandbox: Sandbox, page: httpx2.Client, tab: Any, width: int) -> None:
    """On a phone too, each button of the tracker's pane can be seen and pressed."""
    number = sandbox.gitlab.open_issue("acme/shop-app", "passerelle-bot", "Total is wrong")
    assert act(page, "gitlab", "fix", number=number)["ok"]
    tab.set_viewport_size({"width": width, "height": 760})
    tab.goto(sandbox.page_url)
    if width < 1080:
        tab.get_by_role("tab", name="Tracker").click()
    for name in ("GitHub", "GitLab"):
        tab.get_by_role("tab", name=name).click()
        pane = tab.locator("#tracker").bounding_box()
        for button in tab.locator(".release-box:visible button").all():
            box = button.bounding_box()
            assert pane["x"] <= box["x"]
            assert box["x"] + box["width"] <= pane["x"] + pane["width"]


@pytest.mark.browser
def test_hands_over_on_the_page(demo: Sandbox, tab: Any) -> None:
    """Everybody of the workspace can be chosen; who was chosen hears of the customer."""
    day = Day(tab)
    tab.goto(demo.page_url)
    day.types("/bug 4211")
    day.modal.get_by_text("Camille Roux").first.wait_for()
    day.fills("File it", Title=VAT)
    tab.locator(".tracker .entry", has_text=VAT).click()
    tab.get_by_role("button", name="Open and merge a fix").click()
    tab.get_by_role("button", name="Publish release").click()
    tab.get_by_role("tab", name="Passerelle").click()
    tab.get_by_role("button", name="Hand over").click()
    who = day.modal.get_by_label("Who writes back")
    who.wait_for()
    assert who.locator("option").all_inner_texts()[1:] == ["Ana Moreau", "Ben Okafor", "Léo Martin", "Maya Lindgren"]
    who.select_option(label="Ben Okafor")
    day.fills("Hand over")
    day.be("Ben", "Passerelle")
    day.told("4211 is yours now")


@pytest.mark.browser
def test_heads_of_messages_break_between_words(sandbox: Sandbox, page: httpx2.Client, tab: Any) -> None:
    """On a phone too: no name, mark or time of day is cut in two."""
    act(page, "chat", "say", user="U0BEN", channel="C0SUPPORT", text="Hello")
    tab.set_viewport_size({"width": 360, "height": 760})
    tab.goto(sandbox.page_url)
    head = tab.locator(".message-head").last
    head.wait_for()
    head.evaluate(
        """head => head.querySelector("strong").insertAdjacentHTML(
            "afterend", '<span class="app-tag">APP</span><span class="soft">(edited)</span><span>Passerelle</span>')"""
    )
    whole = "all => all.every((one) => one.getClientRects().length === 1 && one.scrollHeight < 26)"
    assert head.locator(":scope > *").evaluate_all(whole)
    assert head.evaluate("head => head.scrollWidth <= head.clientWidth")


@pytest.mark.browser
def test_works_with_the_keyboard_alone(demo: Sandbox, tab: Any) -> None:
    """A modal takes the focus, keeps it, says what is missing, closes on Esc and gives the focus back."""
    tab.goto(demo.page_url)
    tab.locator("#guide button").press("Enter")
    tab.keyboard.press("Enter")
    title = tab.get_by_role("dialog").get_by_label("Title")
    title.wait_for()
    assert title.evaluate("element => element === document.activeElement")
    for _ in range(12):
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.querySelector('[role=dialog]').contains(document.activeElement)")
    title.press("Enter")
    tab.locator(".error").wait_for()
    assert title.get_attribute("aria-invalid") == "true"
    assert tab.evaluate("document.activeElement.dataset.action") == "title"
    tab.keyboard.press("Escape")
    tab.get_by_role("dialog").wait_for(state="detached")
    assert tab.evaluate("document.activeElement.id") == "composer-text"
    tab.get_by_role("radio", name="Ana").press("ArrowRight")
    assert tab.get_by_role("radio", name="Ben").get_attribute("aria-checked") == "true"


@pytest.mark.browser
def test_what_people_write_stays_text(sandbox: Sandbox, page: httpx2.Client, tab: Any) -> None:
    """Markup in a ticket, an issue and a message is shown, never made; no link runs a script."""
    evil = '<img src=x onerror="window.evil=1"><script>window.evil=1</script>'
    links = "[click](javascript:alert(1)) <javascript:alert(1)|click> ![x](https://evil.example/pixel.png)"
    sandbox.zendesk.customer_writes("4211", evil)
    body = f"{evil}\n\n{links}\n\n<!-- hidden words -->"
    number = sandbox.github.open_issue("acme/shop", "leo-dev", evil, body)
    sandbox.gitlab.open_issue("acme/shop-app", "leo-dev", evil, body)
    act(page, "chat", "say", user="U0BEN", channel="C0SUPPORT", text=f"{evil} {links}")
    tab.goto(sandbox.page_url)
    tab.locator(".helpdesk .entry").first.click()
    tab.locator(".tracker .entry", has_text=f"#{number}").click()
    for pane in ("messages", "helpdesk-body"):
        tab.locator(f"#{pane}", has_text=evil).wait_for()
        assert tab.locator(f"#{pane} :is(img, script, a[href^=javascript])").count() == 0
    for name in ("GitHub", "GitLab"):
        tab.get_by_role("tab", name=name).click()
        if name == "GitLab":
            tab.locator(".tracker .entry").click()
        tab.locator("#tracker-body", has_text=evil).wait_for()
        assert tab.locator("#tracker-body :is(img, script, a[href^=javascript])").count() == 0
        assert "hidden words" not in tab.locator("#tracker-body").inner_text()
    assert tab.evaluate("window.evil") is None


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_gallery_shows_every_sample(tab: Any, width: int) -> None:
    """In both languages and with each content, on a phone too: each sample is drawn whole, of known blocks only, and
    nothing of it is markup or wider than the screen."""
    sandbox = Sandbox(limits=False, gallery=gallery).start()
    try:
        tab.set_viewport_size({"width": width, "height": 760})
        for language, contents in product(LANGUAGES, ("ordinary", "longest", "hostile")):
            tab.goto(f"{sandbox.page_url}gallery?language={language}&contents={contents}")
            tab.locator("body[data-ready]").wait_for()
            expected = [one for one in samples(language) if one.contents == contents]
            assert tab.locator(".sample").count() == len(expected)
            assert tab.locator(".b-unknown, .sample :is(img, script, .loud, a[href*='evil.example'])").count() == 0
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert tab.locator(".sample .card > *").evaluate_all("all => all.every((one) => one.textContent.trim())")
    finally:
        sandbox.stop()
