"""After the write-back: the customer's next word is shown, and "still broken" opens the issue again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.store.tables import History, Issue, WriteBackRow
from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House, said

REPLY = "Bonjour Camille, c’est réparé. Bonne journée, Ana"
STILL = "Bonjour Ana, la TVA est toujours fausse sur la facture 88. Camille Roux"


@pytest.fixture
def written(house: House) -> House:
    """Ana has written to Camille that it is out."""
    house.flag()
    house.mend()
    house.pass_time(minutes=3)
    assert house.write_back(reply=REPLY) == {}
    house.pass_time(minutes=3)
    return house


def answer(house: House, text: str, ticket: str = "4211") -> None:
    """The customer writes, and the bot hears of it at its next look."""
    house.zendesk.customer_writes(ticket, text)
    house.pass_time(minutes=2)


def history(house: House) -> list[str]:
    with house.bot.store.read() as session:
        return list(session.scalars(sa.select(History.what)))


def test_the_customers_next_word_is_shown_without_a_webhook(written: House) -> None:
    """Ana reads it in Slack, with the two things it may mean, each word once."""
    before = len(written.told())
    answer(written, "Merci, ça marche !")
    assert len(written.told()) == before + 1
    told = written.told()[-1]
    assert "Camille Roux answered on ticket 4211, after you wrote that it is out" in told
    assert "Merci, ça marche !" in told
    written.zendesk.set_status("4211", "pending")
    written.pass_time(minutes=2)
    assert len(written.told()) == before + 1


def test_it_works_is_said_once(written: House) -> None:
    """The history has it; a second press is answered."""
    answer(written, "Merci, ça marche !")
    shown = written.slack.dm("U0ANA")[-1]
    written.press("U0ANA", "works")
    assert "works" in history(written)
    assert "✓ It works for them." in written.told()[-1]
    assert written.slack.press("U0ANA", written.slack.dm_channel("U0ANA"), shown["ts"], "still_broken").ok


def test_what_was_said_before_the_reply_is_no_answer_to_it(house: House) -> None:
    """Only what comes after the write-back counts."""
    house.flag()
    house.zendesk.customer_writes("4211", "Des nouvelles ?")
    house.mend()
    house.pass_time(minutes=3)
    assert house.write_back(reply=REPLY) == {}
    house.pass_time(minutes=5)
    assert not any("answered on" in one for one in house.told())


def test_still_broken_opens_the_issue_again_with_the_customers_words(written: House) -> None:
    """The tracker has it open, the words without the customer's name, and Léo hears it."""
    answer(written, STILL)
    written.press("U0ANA", "still_broken")
    page = written.slack.views("U0ANA")[-1]
    (field,) = [block for block in page["blocks"] if block["type"] == "input"]
    assert field["element"]["initial_value"] == STILL
    assert written.submit(text=STILL) == {}
    issue = written.issue()
    assert issue["state"] == "open"
    comments = [one["body"] for one in written.issue()["comments"]]
    (told,) = [text for text in comments if "Still broken for a customer" in text]
    assert "la TVA est toujours fausse" in told
    assert "Camille" not in told
    assert "still broken for a customer, Ana Moreau says" in written.told("U0LEO")[-1]
    assert "still_broken" in history(written)
    with written.bot.store.read() as session:
        assert session.scalars(sa.select(Issue)).one().stage == "acknowledged"


def test_whoever_was_told_is_not_told_again_and_whoever_was_not_waits(make_house: Callable[..., House]) -> None:
    """Ben's customer was not written to yet: that is held. Nobody is asked to correct what may well be true."""
    house = make_house()
    house.flag()
    attach(house, "U0BEN", "4212")
    house.mend()
    house.pass_time(minutes=3)
    assert house.write_back(reply=REPLY) == {}
    answer(house, STILL)
    house.press("U0ANA", "still_broken")
    assert house.submit(text=STILL) == {}
    assert "On hold: the news no longer holds." in "\n".join(house.told("U0BEN"))
    assert not any("should hear what has changed" in one for one in house.told())
    house.pass_time(minutes=1)
    house.mend(release="v2.6.0")
    assert "Fixed in v2.6.0" in house.told("U0BEN")[-1]
    assert "Fixed in v2.6.0" in house.told("U0ANA")[-1]


def attach(house: House, person: str, ticket: str) -> None:
    """Another ticket joins the only issue there is."""
    house.look_up(person, ticket)
    view = house.slack.views(person)[-1]
    chosen = house.slack.suggest(view["id"], "similar", "")[0]
    assert house.submit(person, similar=chosen["value"]) == {}


def test_a_lost_answer_of_the_tracker_opens_and_tells_once(written: House) -> None:
    """The line drops after the work was done: one comment, open once."""
    answer(written, STILL)
    written.press("U0ANA", "still_broken")
    written.github.wire.faults.append(Fault("drop_after", method="POST", path="/repos/acme/shop/issues/1/comments"))
    assert written.submit(text=STILL) == {}
    for _ in range(6):
        written.pass_time(minutes=2)
    comments = [one["body"] for one in written.issue()["comments"]]
    assert sum("Still broken for a customer" in text for text in comments) == 1
    assert written.issue()["state"] == "open"


@pytest.mark.parametrize("why", ["locked", "old"])
def test_what_cannot_be_opened_again_is_a_new_issue(written: House, why: str) -> None:
    """Locked, or closed for two months: nobody would look there."""
    if why == "locked":
        written.github.lock_issue(REPO, 1, "leo-dev")
    else:
        written.pass_time(days=61)
    answer(written, STILL)
    written.press("U0ANA", "still_broken")
    assert written.submit(text=STILL) == {}
    new = written.issue(3)
    assert (new["title"], new["state"]) == ("VAT is wrong on invoices", "open")
    assert "Still broken after acme/shop#" in new["body"]
    assert "Camille" not in new["body"]
    assert written.issue(1)["state"] == "closed"
    assert "It cannot be opened again, so there is a new issue" in written.told("U0LEO")[-1]


def test_a_public_repository_never_gets_the_words(make_house: Callable[..., House]) -> None:
    """It is opened again, and says no more than that."""
    house = make_house()
    house.github.set_visibility(REPO, private=False)
    house.flag()
    house.mend()
    house.pass_time(minutes=3)
    assert house.write_back(reply=REPLY) == {}
    house.pass_time(minutes=3)
    answer(house, STILL)
    house.press("U0ANA", "still_broken")
    assert house.submit(text=STILL) == {}
    everything = str(house.issue()) + str(house.issue()["comments"])
    assert house.issue()["state"] == "open"
    assert "toujours fausse" not in everything


def test_silence_is_silence(written: House) -> None:
    """After two weeks nobody waits for a word; it is never taken for a good one, and a late word is still heard."""
    written.pass_time(days=15)
    written.bot.schedule.tick_silence()
    with written.bot.store.read() as session:
        assert session.scalars(sa.select(WriteBackRow.confirmation)).one() == "silent"
    assert "works" not in history(written)
    answer(written, STILL)
    assert "answered on ticket 4211" in written.told()[-1]


# --- before the reply goes out ----------------------------------------------------------------------------------------


@pytest.fixture
def shipped(house: House) -> House:
    house.flag()
    house.mend()
    house.pass_time(minutes=3)
    return house


def test_the_page_shows_what_was_said_since(shipped: House) -> None:
    """The agent reads it before they write."""
    shipped.zendesk.customer_writes("4211", "Et le panier ?")
    shipped.press("U0ANA", "write_back")
    assert "Et le panier ?" in said(shipped.slack.views("U0ANA")[-1])


def test_a_reply_waits_where_the_customer_was_answered_meanwhile(shipped: House) -> None:
    """A colleague answered while Ana wrote: nothing goes out, she reads what was said, with her words kept."""
    shipped.press("U0ANA", "write_back")
    shipped.modal()
    shipped.clock.advance(timedelta(minutes=2))
    shipped.zendesk.agent_writes("4211", "ben@acme.example", "Bonjour, c’est fait.")
    assert shipped.submit(reply=REPLY) == {}
    assert shipped.replies() == ["Bonjour, c’est fait."]
    told = shipped.told()[-1]
    assert "this was said there since you opened the page" in told
    assert "Bonjour, c’est fait." in told
    assert REPLY in told
    shipped.press("U0ANA", "unmark")
    shipped.press("U0ANA", "write_back")
    assert shipped.submit(reply=REPLY) == {}
    assert shipped.replies() == ["Bonjour, c’est fait.", REPLY]


def test_a_reply_never_goes_to_spam(shipped: House) -> None:
    """Nobody is to be answered there."""
    shipped.press("U0ANA", "write_back")
    shipped.modal()
    shipped.zendesk.suspend("4211")
    assert shipped.submit(reply=REPLY) == {}
    assert shipped.replies() == []
    assert "marked as spam" in shipped.told()[-1]


def test_two_tickets_of_one_customer_that_were_merged_get_one_reply(make_house: Callable[..., House]) -> None:
    """Both wait on the same issue, and go into one: one write-back is left, and the other agent follows."""
    house = make_house()
    house.flag()
    attach(house, "U0BEN", "4212")
    house.mend()
    house.pass_time(minutes=3)
    house.zendesk.merge("4212", "4211", "ben@acme.example")
    house.pass_time(minutes=3)
    assert "Merged into another ticket, which is answered." in "\n".join(house.told("U0BEN"))
    assert house.write_back(reply=REPLY) == {}
    assert (house.replies("4211")[-1], house.replies("4212")) == (REPLY, [])


def test_an_answer_about_something_else_can_be_un_marked(shipped: House) -> None:
    """What the bot noticed was no word about the fix: it is due again, and the same answer is not taken twice."""
    shipped.zendesk.agent_writes("4211", "ana@acme.example", "Votre adresse est changée.")
    shipped.pass_time(minutes=2)
    assert "✓ Written, as I saw in the helpdesk." in shipped.told()[-1]
    shipped.press("U0ANA", "unmark")
    shipped.pass_time(minutes=5)
    assert "Write back" in shipped.told()[-1]
    assert shipped.write_back(reply=REPLY) == {}
    assert shipped.replies()[-1] == REPLY


# --- words for customers ----------------------------------------------------------------------------------------------


def test_whoever_mends_is_asked_for_words_and_agents_read_them(house: House) -> None:
    """Once, when it is fixed; what Léo says stands in Ana's message and beside her blank page."""
    house.flag()
    house.mend(release="")
    asked = [one for one in house.told("U0LEO") if "What was mended, in words for customers?" in one]
    assert len(asked) == 1
    house.press("U0LEO", "note_to_customer")
    assert house.submit("U0LEO", text="Invoices show the right VAT again.") == {}
    house.github.publish_release(REPO, "v2.5.0")
    house.poll()
    assert "What was mended: Invoices show the right VAT again." in house.told()[-1]
    house.press("U0ANA", "write_back")
    assert "Invoices show the right VAT again." in house.modal()
    assert len([one for one in house.told("U0LEO") if "What was mended, in words for customers?" in one]) == 1


def test_words_for_customers_can_be_said_in_the_issue(house: House) -> None:
    """By a Support Dev alone; what comes after the news was told stands in the message that told it."""
    house.flag()
    house.mend()
    assert "What was mended: " not in house.told()[-1]
    house.github.comment(REPO, 1, "somebody", "/note-to-customer Nonsense.")
    house.github.comment(REPO, 1, "leo-dev", "/note-to-customer Invoices show the right VAT again.")
    house.poll()
    assert "What was mended: Invoices show the right VAT again." in house.told()[-1]
