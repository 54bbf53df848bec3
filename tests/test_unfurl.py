"""Links to issues and tickets: under the message stands how it is with them, without customers' data."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import House, said

SUPPORT = "C0SUPPORT"
IDENTITY = ("Camille", "Roux", "Papeterie", "TVA", "livraison")


@pytest.fixture
def house(house: House) -> House:
    """The operator named the services' domains in the app's manifest."""
    house.slack.unfurl("127.0.0.1", "github.example")
    return house


def share(house: House, text: str, channel: str = SUPPORT) -> list[dict[str, Any]]:
    """Post a message with links, and read what stands under it then."""
    ts = house.slack.say("U0BEN", channel, text)
    house.bot.listeners.settle()
    return next(one for one in house.slack.messages(channel) if one["ts"] == ts).get("attachments", [])


def test_a_link_to_an_issue_shows_its_stage_and_who_waits(house: House) -> None:
    """And what is next; the number of customers, never their names."""
    house.flag()
    url = house.issue()["html_url"]
    (under,) = share(house, f"Any news of <{url}>?")
    assert under["from_url"] == url
    shown = said(under)
    assert "Filed" in shown
    assert "acme/shop#1" in shown
    assert "VAT is wrong on invoices" in shown
    assert "1 customer waits. Waits for somebody to take it." in shown
    assert not any(word in shown for word in IDENTITY)


def test_a_link_to_a_ticket_shows_the_issue_it_was_carried_to(house: House) -> None:
    """Agents and Support Devs may not open each other's tools; nothing of the customer's shows here either."""
    house.flag()
    house.mend(release="")
    (under,) = share(house, f"{house.zendesk.url}/agent/tickets/4211 is still open")
    shown = said(under)
    assert "Fixed, not shipped yet" in shown
    assert "1 customer waits. Waits for a release that contains" in shown
    assert not any(word in shown for word in IDENTITY)


def test_a_customer_named_in_the_title_is_not_named_here(house: House) -> None:
    """The card is for the Support Dev channel; a link may be shared anywhere."""
    house.flag(title="Camille Roux of Papeterie Nord sees the wrong VAT")
    (under,) = share(house, house.issue()["html_url"])
    assert not any(word in said(under) for word in ("Camille", "Roux", "Papeterie"))
    assert "sees the wrong VAT" in said(under)


def test_an_address_is_known_however_it_was_copied(house: House) -> None:
    """With the place on the page, in other letters, with a slash at the end."""
    house.flag()
    url = house.issue()["html_url"]
    for variant in (f"{url}#issuecomment-7", f"{url}/", url.replace("acme/shop", "Acme/Shop"), f"{url}?a=1&amp;b=2"):
        assert len(share(house, f"<{variant}>")) == 1, variant


def test_unknown_links_stay_as_they_are(house: House) -> None:
    """Other issues, other tickets, pages of other kinds: not a word, and no call."""
    house.flag()
    url = house.issue()["html_url"]
    for text in (f"{house.zendesk.url}/agent/tickets/4212", f"{url}9", house.github.url, "https://docs.example/a"):
        assert share(house, text) == []
    assert house.slack.wire.calls_to("POST", "/api/chat.unfurl") == []


def test_only_the_store_is_asked(house: House) -> None:
    """A link costs the tracker and the helpdesk nothing."""
    house.flag()
    before = len(house.github.wire.calls), len(house.zendesk.wire.calls)
    assert len(share(house, f"{house.issue()['html_url']} {house.zendesk.url}/agent/tickets/4211")) == 2
    assert (len(house.github.wire.calls), len(house.zendesk.wire.calls)) == before


def test_nothing_is_shown_to_other_organisations(house: House) -> None:
    """In a channel that is shared with one, not even the stage."""
    house.flag()
    ts = house.slack.say("U0BEN", SUPPORT, "soon")
    link = {"url": house.issue()["html_url"], "domain": "127.0.0.1"}
    assert house.slack.share("U0BEN", SUPPORT, ts, [link], outside=True).ok
    house.bot.listeners.settle()
    assert house.slack.wire.calls_to("POST", "/api/chat.unfurl") == []


def test_slack_away_is_nobodys_trouble(house: House) -> None:
    """It is tried once; the event is heard all the same."""
    house.flag()
    house.slack.wire.faults.append(Fault("refuse", path="chat.unfurl"))
    assert share(house, house.issue()["html_url"]) == []
    assert len(share(house, house.issue()["html_url"])) == 1
