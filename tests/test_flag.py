"""Flagging: an agent carries a customer's ticket to an issue. Read this page to know what Passerelle is for.

Ana is an agent, Ben her colleague, Léo the Support Dev. Ticket 4211 is Camille's: the wrong VAT in her shop.
"""

from __future__ import annotations

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House, said


def test_the_modal_opens_at_once_and_then_shows_what_the_helpdesk_knows(house: House) -> None:
    """Nobody waits for the helpdesk: the modal is there first, and fills by itself."""
    house.zendesk.wire.faults.append(Fault("late", path="/tickets/4211", seconds=0.3))
    assert house.slack.command("U0ANA", "4211", "C0SUPPORT").ok
    assert "Looking up ticket 4211 in Zendesk…" in said(house.slack.views("U0ANA")[-1])

    modal = house.modal()
    for fact in (
        "Le total garde l’ancien taux de TVA",
        "Camille Roux",
        "Papeterie Nord · Pro",
        "Writes in French · waiting for 2 days",
        "Depuis lundi, quand je change l’adresse de livraison",
        "Attachments: panier-belgique.png",
        "Tags: facturation",
        "Will be left out: 1 phone number and the customer’s name, once.",
    ):
        assert fact in modal


def test_a_title_and_two_clicks_make_the_issue(house: House) -> None:
    """The Support Dev gets an issue that says what goes wrong, in the agent's and the customer's words."""
    house.look_up()
    assert (
        house.submit(title="VAT stays French for Belgian buyers", summary="Only when the address changes last.") == {}
    )

    issue = house.issue()
    assert issue["title"] == "VAT stays French for Belgian buyers"
    assert issue["user"]["login"] == "passerelle-bot"
    assert [label["name"] for label in issue["labels"]] == ["from-support"]
    assert [person["login"] for person in issue["assignees"]] == ["leo-dev"]
    assert issue["body"].startswith("Only when the address changes last.")
    assert "> Depuis lundi, quand je change l’adresse de livraison" in issue["body"]
    assert f"[Zendesk 4211]({house.zendesk.url}/agent/tickets/4211)" in issue["body"]
    assert "Flagged by Ana Moreau" in issue["body"]


def test_a_table_in_the_issue_names_who_waits(house: House) -> None:
    """The customers stand in a comment of the bot's own, so the issue's text stays the Support Dev's to edit."""
    house.flag(text="4212")
    (table,) = house.issue()["comments"]
    assert "**1 customer waits for this issue.**" in table["body"]
    assert "| Nordlys Garn | Business | English | 2026-02-28 (2 days) | Ana Moreau |" in table["body"]


def test_one_card_stands_for_the_issue_through_its_life(house: House) -> None:
    """The Support Dev channel is not flooded: the card is edited where it stands."""
    house.flag()
    assert "Filed · acme/shop#1 · Bug · Normal" in house.card()
    assert "From Ana Moreau. 1 customer waits, for 2 days." in house.card()

    house.mend(release="")
    assert "Fixed, not shipped yet" in house.card()
    house.github.publish_release(REPO, "v2.5.0")
    house.poll()
    assert "Shipped" in house.card()
    house.write_back()
    assert "Nobody waits any more." in house.card()
    assert len(house.slack.messages("C0SUPPORTDEV")) == 1


def test_the_ticket_says_where_it_went_and_the_customer_sees_nothing_of_it(house: House) -> None:
    """A note for the agents, with the issue's link; a tag for the helpdesk's own views."""
    house.flag()
    (note,) = house.notes()
    assert "Carried to acme/shop#1 by Ana Moreau: VAT is wrong on invoices" in note
    assert house.issue()["html_url"] in note
    assert "passerelle" in house.zendesk.ticket("4211")["tags"]
    assert house.replies() == []


def test_the_agent_hears_where_the_ticket_went(house: House) -> None:
    """One direct message, in a moment; the next one comes when it has shipped."""
    house.flag()
    (told,) = house.told()
    assert "Filed as acme/shop#1 for ticket 4211." in told
    assert "I will tell you when it ships." in told


def test_what_follows_the_number_is_the_title(house: House) -> None:
    """`/bug 4211 VAT is wrong` leaves nothing to type."""
    house.look_up(text="4211 VAT is wrong in Belgium")
    assert house.submit() == {}
    assert house.issue()["title"] == "VAT is wrong in Belgium"


def test_a_ticket_goes_by_its_address_too(house: House) -> None:
    """What one copies from the browser names the ticket as well as its number does."""
    house.flag(text=f"{house.zendesk.url}/agent/tickets/4211")
    assert len(house.notes("4211")) == 1


def test_kind_and_severity_are_the_agents_to_say(house: House) -> None:
    """A bug is the usual; support's own tools can be improved too."""
    house.look_up()
    house.submit(title="Let us see the VAT rules", kind="tooling", severity="low")
    assert "Support tooling · Low" in house.card()
    assert "| Kind | Support tooling |" in house.issue()["body"]


def test_a_message_carries_its_ticket_its_words_and_its_thread(house: House) -> None:
    """Colleagues often find a bug in the chat: the message shortcut brings along what they said."""
    text = f"<@U0ANA> look at <{house.zendesk.url}/agent/tickets/4212|4212> &amp; its VAT"
    ts = house.slack.say("U0BEN", "C0SUPPORT", text)
    house.slack.say("U0ANA", "C0SUPPORT", "It only happens in the last step.", thread_ts=ts)
    assert house.slack.message_shortcut("U0ANA", "C0SUPPORT", ts, "flag_message").ok
    assert "Wrong VAT after changing the delivery country" in house.modal()

    assert house.submit(title="VAT is wrong") == {}
    body = house.issue()["body"]
    assert "look at 4212 &amp; its VAT" in body
    assert "Ana Moreau: It only happens in the last step." in body
    assert f"/archives/C0SUPPORT/p{ts.replace('.', '')}" in body
    assert len(house.notes("4212")) == 1


def test_a_message_without_a_ticket_asks_for_one(house: House) -> None:
    """The message's words are kept while the ticket is looked up."""
    ts = house.slack.say("U0BEN", "C0SUPPORT", "Invoices show the wrong VAT again.")
    house.slack.message_shortcut("U0ANA", "C0SUPPORT", ts, "flag_message")
    assert house.submit(ticket="4211") == {}
    assert house.submit(title="VAT is wrong") == {}
    assert "Invoices show the wrong VAT again." in house.issue()["body"]


def test_the_global_shortcut_asks_for_the_ticket(house: House) -> None:
    """From anywhere in Slack: the ticket first, then the same form."""
    assert house.slack.shortcut("U0ANA", "flag").ok
    assert house.submit(ticket="#4211") == {}
    assert "Camille Roux" in house.modal()
    assert house.submit(title="VAT is wrong") == {}
    assert house.issue()["title"] == "VAT is wrong"


def test_a_colleague_who_flags_the_same_ticket_follows_it(house: House) -> None:
    """One ticket is carried once: Ben hears the news too, Ana still writes back, and both know of each other."""
    house.flag("U0ANA")
    modal = house.look_up("U0BEN")
    assert "Already carried to acme/shop#1 by Ana Moreau. Submitting makes you follow it." in modal
    assert house.submit("U0BEN") == {}

    assert "Ana Moreau already carried ticket 4211 to acme/shop#1." in house.told("U0BEN")[-1]
    assert "Ben Okafor flagged ticket 4211 too and follows acme/shop#1. You still write back." in house.told()[-1]
    assert len(house.github.issues(REPO)) == 1

    house.mend()
    assert "Ana Moreau writes back; you follow." in house.told("U0BEN")[-1]
    assert "write_back" not in str(house.slack.dm("U0BEN")[-1]["blocks"])


def test_a_second_issue_for_the_same_ticket_is_a_choice(house: House) -> None:
    """A customer may well have two problems; the box says so, nothing else does."""
    house.flag("U0ANA")
    house.look_up("U0BEN")
    assert house.submit("U0BEN", again=["again"]) == {"title": "Say in one line what goes wrong."}
    assert house.submit("U0BEN", again=["again"], title="The cart forgets the address") == {}
    assert [issue["title"] for issue in house.github.issues(REPO)] == [
        "The cart forgets the address",
        "VAT is wrong on invoices",
    ]


def test_a_ticket_whose_issue_is_settled_says_so(house: House) -> None:
    """Still broken after the release, or not the same: the agent sees what was, and may file anew or attach."""
    house.flag()
    house.mend()
    modal = house.look_up()
    assert "This ticket was carried to acme/shop#1, shipped in v2.5.0. Filing makes a new issue." in modal
    assert house.issue()["html_url"] in str(house.slack.views("U0ANA")[-1]["blocks"])
    assert house.submit(title="VAT is wrong again") == {}
    assert "Submitting makes you follow it." in house.look_up("U0BEN")
    assert "shipped in v2.5.0" not in house.modal("U0BEN")


def test_a_ticket_whose_issue_was_declined_says_so(house: House) -> None:
    """Asking again is the agent's right; not knowing of the answer would be ours to blame."""
    house.flag()
    house.github.comment(REPO, 1, "leo-dev", "/decline Not before May.")
    house.poll()
    assert "This ticket was carried to acme/shop#1, which was declined. Filing makes a new issue." in house.look_up()
