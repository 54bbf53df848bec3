"""`/bug link`, `unlink`, `digest` and `help`: answered to whoever asks, at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conftest import REPO, House

SUPPORT = "C0SUPPORT"


def ask(house: House, text: str, person: str = "U0ANA") -> str:
    """What `/bug …` answers in the time that Slack gives; nothing that the bot promised was done before."""
    assert house.slack.command(person, text, SUPPORT).ok
    return house.whispered(person)


def table(house: House, number: int = 1) -> str:
    """The customers' table in the issue."""
    return next(one["body"] for one in house.issue(number)["comments"] if "customers:" in one["body"])


# --- link


def test_link_attaches_a_ticket_to_a_known_issue(house: House) -> None:
    """One line instead of the modal; the customer is in the table and on the card, and nobody is told twice."""
    house.flag("U0ANA", "4211")
    answer = ask(house, f"link 4212 {REPO}#1", "U0BEN")
    assert f"VAT is wrong on invoices\nTicket 4212 waits on {REPO}#1 now." in answer
    house.settle()
    assert "2 customers wait" in house.card()
    assert "4212" in table(house)
    assert house.told("U0BEN") == []
    assert [note for note in house.notes("4212") if f"Carried to {REPO}#1" in note]


def test_link_takes_a_number_alone_and_addresses(house: House) -> None:
    """However people name things: what means one issue is enough."""
    house.flag("U0ANA", "4211")
    assert "waits on" in ask(house, "link 4212 #1")
    ticket = house.bot.bridge.helpdesks["zendesk"].ticket("4213").url
    assert "Ticket 4213 waits on" in ask(house, f"link {ticket} {house.issue()['html_url']}")


def test_link_to_what_shipped_owes_the_news(house: House) -> None:
    """Somebody who asks late hears that it is fixed: their agent has the write-back."""
    house.flag("U0ANA", "4211")
    house.mend()
    answer = ask(house, "link 4212 #1", "U0BEN")
    assert "It is settled: what the customer should hear comes to you as a write-back." in answer
    house.settle()
    assert "Fixed in v2.5.0" in house.told("U0BEN")[-1]


def test_link_again_changes_nothing(house: House) -> None:
    """A colleague follows; oneself reads that it is there."""
    house.flag("U0ANA", "4211")
    assert "already; nothing changed." in ask(house, "link 4211 #1")
    answer = ask(house, "link 4211 #1", "U0BEN")
    assert "Ana Moreau carried ticket 4211" in answer
    assert "You follow: you hear the news, Ana Moreau writes back." in answer
    house.settle()
    assert house.told("U0BEN") == []


def test_a_second_issue_for_a_ticket_is_said(house: House) -> None:
    """Naming the issue is the choice; the answer shows how to take it off the other."""
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="The export stops")
    answer = ask(house, "link 4211 #2")
    assert f"It waits on {REPO}#1 too. /bug unlink 4211 {REPO}#1 takes it off there." in answer


def test_link_says_what_it_does_not_know(house: House) -> None:
    """Each sentence names the next step."""
    house.flag("U0ANA", "4211")
    assert "No issue #99 is known here." in ask(house, "link 4212 #99")
    assert "Name the ticket and the issue: /bug link 4211 acme/shop#12" in ask(house, "link 4212")
    assert "Name the ticket and the issue" in ask(house, "link")
    assert "Only members of the support team can flag" in ask(house, "link 4212 #1", "U0GUEST")
    house.settle()
    assert "1 customer waits" in house.card()


def test_a_title_may_begin_with_such_a_word(house: House) -> None:
    """Then it is a title, and the modal opens."""
    house.look_up(text="link in the footer is broken")
    assert house.submit(ticket="4211") == {}
    assert house.submit() == {}
    assert house.issue()["title"] == "link in the footer is broken"


# --- unlink


def test_unlink_takes_a_ticket_off(house: House) -> None:
    """The agent's own: off the card and the table, and the answer says what is left as it was."""
    house.flag("U0ANA", "4211")
    ask(house, "link 4212 #1", "U0BEN")
    answer = ask(house, "unlink 4211")
    assert f"Ticket 4211 is off {REPO}#1." in answer
    assert "It waits on no issue now. /bug 4211 flags it again." in answer
    assert "The issue was filed from this ticket, and its text is left as it is: change it there." in answer
    house.settle()
    assert "1 customer waits" in house.card()
    assert "4211" not in table(house)
    assert "4212" in table(house)
    assert "4211" not in ask(house, "mine")
    house.mend()
    assert not [said for said in house.told("U0ANA") if "Fixed in" in said]
    assert "Fixed in v2.5.0" in house.told("U0BEN")[-1]


def test_what_was_owed_is_said_and_kept(house: House) -> None:
    """A write-back that was due is skipped for a reason that stands in the message; the agent hears by whom."""
    house.flag("U0ANA", "4211")
    house.mend()
    answer = ask(house, "unlink 4211", "U0LEO")
    assert "The write-back that was open for it is not owed any more" in answer
    assert "I tell Ana Moreau." in answer
    house.settle()
    assert "Taken off the issue." in house.told()[-2]
    told = house.told()[-1]
    assert f"Léo Martin took ticket 4211 off {REPO}#1." in told
    assert "If the customer waits for a fix still, /bug 4211 flags it again." in told
    assert "Nobody waits any more." in house.card()


def test_a_reply_in_doubt_comes_first(house: House) -> None:
    """While nobody knows whether the customer has an answer, the ticket stays."""
    house.flag("U0ANA", "4211")
    house.mend()
    house.press("U0ANA", "write_back")
    house.slack.submit(house.slack.views("U0ANA")[-1]["id"], {"reply": "Hello, it is mended."})
    assert "A reply to this customer is on its way. Try again in a moment." in ask(house, "unlink 4211")
    house.settle()
    assert "This customer was written to about it before." in ask(house, "unlink 4211")


def test_only_who_has_to_do_with_it_takes_it_off(house: House) -> None:
    """Another agent reads whom to ask; a guest learns nothing of it."""
    house.flag("U0ANA", "4211")
    assert "Ask one of them: Ana Moreau, Léo Martin, Maya Lindgren." in ask(house, "unlink 4211", "U0BEN")
    guest = ask(house, "unlink 4211", "U0GUEST")
    assert "Ana" not in guest
    assert REPO not in guest
    assert "is off" in ask(house, "unlink 4211", "U0MAYA")


def test_of_several_issues_one_is_named(house: House) -> None:
    """The question lists them as they are typed."""
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="The export stops")
    ask(house, "link 4211 #2")
    answer = ask(house, "unlink 4211")
    assert f"Ticket 4211 is on several issues: {REPO}#1, {REPO}#2. Say which: /bug unlink 4211 {REPO}#1" in answer
    answer = ask(house, "unlink 4211 #2")
    assert f"is off {REPO}#2." in answer
    assert f"It still waits on {REPO}#1." in answer


def test_a_ticket_can_come_back(house: House) -> None:
    """What it was excused from is owed again, by whoever brings it back."""
    house.flag("U0ANA", "4211")
    house.mend()
    ask(house, "unlink 4211")
    house.settle()
    assert "waits on" in ask(house, "link 4211 #1", "U0BEN")
    house.settle()
    assert "Fixed in v2.5.0" in house.told("U0BEN")[-1]
    assert house.write_back("U0BEN", "Hello, it is mended.") == {}
    assert house.replies() == ["Hello, it is mended."]


def test_a_duplicate_brings_back_who_was_taken_off(house: House) -> None:
    """Two issues turn out to be one: the ticket waits on it after all, once."""
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="The export stops")
    ask(house, "link 4211 #2")
    ask(house, "unlink 4211 #2")
    house.settle()
    house.github.close_as_duplicate(REPO, 1, "leo-dev", f"{REPO}#2")
    house.poll()
    house.poll()
    assert "2 customers wait" in house.card()
    house.mend(2)
    assert "Camille Roux" in house.told("U0ANA")[-1]


# --- digest, help


def test_a_digest_that_is_none_names_those_there_are(make_house: Callable[..., House]) -> None:
    """A name that is almost right is no title of a ticket."""

    def change(config: dict[str, Any]) -> None:
        at = {"channel": "C0SUPPORT", "cron": "0 9 * * *", "timezone": "UTC"}
        config["digests"] = [{"name": "morning", **at}]

    assert "There is no digest causes here. There is: morning" in ask(make_house(change), "digest causes")


def test_digest_as_it_would_be_now(house: House) -> None:
    """For oneself, at any hour."""
    assert "Nothing waits today" in ask(house, "digest")
    house.flag("U0ANA", "4211")
    house.mend()
    house.flag("U0BEN", "4212", title="The export stops")
    answer = ask(house, "digest", "U0LEO")
    assert "New: 1" in answer
    assert "The export stops" in answer
    assert "Ana Moreau: 1" in answer
    assert "Ask your lead to add you." in ask(house, "digest", "U0GUEST")


def test_help_shows_what_this_person_can_do(house: House) -> None:
    """An agent flags, a Support Dev decides, a lead does both, a guest reads one sentence."""
    agent, dev, lead = ask(house, "help"), ask(house, "help", "U0LEO"), ask(house, "help", "U0MAYA")
    assert "/bug link 4211 acme/shop#12 attaches a ticket" in agent
    assert "/bug unlink 4211 takes a ticket of yours off its issue" in agent
    assert "Support Dev of" not in agent
    assert "You are a Support Dev of Web shop" in dev
    assert "takes a ticket off its issue, in your projects" in dev
    assert "You are a lead" in lead
    guest = ask(house, "help", "U0GUEST")
    assert "Ask your lead to add you" in guest
    assert "unlink" not in guest
