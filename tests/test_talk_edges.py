"""Where the talk and triage meet moves, strangers' issues, public repositories and stale forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.model import News, WriteBack
from bot.store.tables import Effect, EffectState, Ticket, WriteBackRow
from tests.conftest import REPO, House, said
from tests.test_known import attach, mirror
from tests.test_talk import CARDS, ask, join
from tests.test_triage import bot_comments, comment

API = "acme/api"


@pytest.fixture
def two(make_house: Callable[..., House]) -> House:
    """A house with two projects on GitHub."""

    def change(config: dict[str, Any]) -> None:
        config["projects"].append({**config["projects"][0], "key": "api", "name": "API", "repository": API})

    house = make_house(change)
    house.github.add_repo(API)
    return house


@pytest.fixture
def synced(make_house: Callable[..., House]) -> House:
    def change(config: dict[str, Any]) -> None:
        config["projects"][0]["sync"] = True

    return make_house(change)


def bring(house: House, person: str, text: str) -> str:
    """Somebody replies in the thread and sends it to the issue; returns the reply's ts."""
    ts = house.reply(person, text)
    assert house.slack.message_shortcut(person, CARDS, ts, "to_issue").ok
    house.settle()
    return ts


# --- to another project -----------------------------------------------------------------------------------------------


def test_a_correction_that_is_owed_survives_a_carry(two: House) -> None:
    """A customer was told that it is fixed, and it is not: whoever carries the issue on does not undo that debt."""
    two.flag(project="shop")
    two.mend()
    assert two.write_back() == {}
    two.clock.advance(timedelta(minutes=1))
    two.github.reopen_issue(REPO, 1, "leo-dev")
    two.poll()
    comment(two, "/carry api")
    with two.bot.store.read() as session:
        rows = {(row.news.kind, row.state) for row in session.scalars(sa.select(WriteBackRow))}
    assert (News.ROLLED_BACK, WriteBack.DUE) in rows


def test_what_was_told_stays_in_the_thread_after_a_carry(two: House) -> None:
    """The new issue never had those comments: that does not mean that they were deleted."""
    two.flag(project="shop")
    comment(two, "/tell Found it; it belongs to the API.")
    comment(two, "/carry api")
    two.poll()
    two.clock.advance(timedelta(minutes=1))
    two.github.comment(API, 1, "leo-dev", "I look at it.")
    two.poll()
    assert "Found it; it belongs to the API." in two.thread()[0]


def test_a_reply_deleted_after_a_carry_goes_where_it_stands(two: House) -> None:
    """In the issue that was left."""
    two.flag(project="shop")
    ts = bring(two, "U0ANA", "The bank is KBC.")
    comment(two, "/carry api")
    two.slack.reword("U0ANA", CARDS, ts, "")
    two.settle()
    assert not [one for one in bot_comments(two) if "KBC" in one]


def test_a_carry_and_a_closing_at_once_ask_for_nothing(two: House) -> None:
    """Carried and closed as not planned in one go: no reason is owed for the issue that is filed anew."""
    two.flag(project="shop")
    two.clock.advance(timedelta(minutes=1))
    two.github.comment(REPO, 1, "leo-dev", "/carry api")
    two.github.close_issue(REPO, 1, "leo-dev", "not_planned")
    two.poll()
    two.poll()
    assert not [one for one in two.told("U0LEO") if "without a reason" in one]
    with two.bot.store.read() as session:
        assert session.scalar(sa.select(Effect.id).where(Effect.state == EffectState.DEAD)) is None


# --- what others filed ------------------------------------------------------------------------------------------------


def test_the_past_of_an_issue_that_others_filed_is_not_obeyed(synced: House) -> None:
    """What was said before a ticket was attached was not said to us."""
    synced.github.open_issue(REPO, "leo-dev", "VAT is rounded twice on invoices to Denmark", "The VAT line is wrong.")
    synced.clock.advance(timedelta(minutes=1))
    synced.github.comment(REPO, 1, "leo-dev", "/decline We do not sell to Denmark.")
    synced.github.comment(REPO, 1, "leo-dev", "Note to self.")
    synced.clock.advance(timedelta(days=30))
    mirror(synced)
    synced.look_up("U0BEN", "4212")
    attach(synced)
    synced.poll()
    assert synced.issue()["state"] == "open"
    assert synced.thread() == []


def test_the_first_tickets_words_reach_an_issue_that_others_filed(house: House) -> None:
    """Its text is not ours, so they stand with the table."""
    house.github.open_issue(REPO, "leo-dev", "VAT is rounded twice on invoices to Denmark", "The VAT line is wrong.")
    mirror(house)
    house.look_up("U0BEN", "4212")
    attach(house)
    text = "\n".join(one["body"] for one in house.issue()["comments"])
    assert "our shop charges Danish VAT" in text


def test_an_open_issue_on_gitlab_gets_the_link_alone(make_house: Callable[..., House]) -> None:
    """All members read one that is not confidential: customers' words and names stay at home."""
    house = make_house(gitlab=True)
    house.gitlab.open_issue("acme/shop-app", "leo-dev", "Wrong VAT after changing the delivery country", "Danish VAT")
    mirror(house)
    house.look_up("U0BEN", "4212")
    attach(house)
    house.poll()
    found = house.gitlab.issue("acme/shop-app", 1)
    assert found["confidential"] is False
    assert "1 customer waits for this issue." in found["description"]
    assert "Nordlys" not in found["description"]


def test_two_who_attach_the_same_ticket_share_it(house: House) -> None:
    """The second follows; the form was opened before the first attached."""
    house.github.open_issue(REPO, "leo-dev", "Wrong VAT after changing the delivery country", "Danish VAT cart invoice")
    mirror(house)
    for person in ("U0ANA", "U0BEN"):
        house.look_up(person, "4212")
    for person in ("U0ANA", "U0BEN"):
        attach(house, person)
    assert "Attached" in house.modal("U0BEN")
    assert "1 customer waits" in house.card()
    assert "You follow it and hear the news" in house.told("U0BEN")[-1]


# --- who reads it -----------------------------------------------------------------------------------------------------


def test_nothing_goes_by_itself_to_what_was_made_public(synced: House) -> None:
    """The project is synced, and since the last look everybody can read its repository."""
    synced.flag()
    synced.poll()
    synced.github.set_visibility(REPO, private=False)
    synced.reply("U0ANA", "The customer pays 900 EUR a month and wrote: my invoices are wrong since May.")
    assert bot_comments(synced) == []


def test_names_of_a_ticket_that_was_taken_off_stay_out(house: House) -> None:
    """Whoever was ever on the issue is not named in public."""
    house.github.set_visibility(REPO, private=False)
    house.flag()
    join(house)
    ts = bring(house, "U0ANA", "Camille Roux wrote again.")
    assert house.slack.command("U0ANA", "unlink 4211", "C0SUPPORT").ok
    house.settle()
    house.slack.reword("U0ANA", CARDS, ts, "Camille Roux wrote again, and again.")
    house.settle()
    assert "wrote again, and again." in bot_comments(house)[-1]
    assert "Camille" not in bot_comments(house)[-1]


def test_colleagues_are_not_named_in_public(house: House) -> None:
    """Neither who says it, nor who is mentioned."""
    house.github.set_visibility(REPO, private=False)
    house.flag()
    bring(house, "U0ANA", "<@U0BEN> has the same.")
    assert "has the same." in bot_comments(house)[-1]
    assert "Ben" not in bot_comments(house)[-1]


def test_an_answer_names_no_customer_in_the_channel(house: House) -> None:
    """The thread stands in a channel; the issue has it as the project's policy lets it."""
    house.flag()
    ask(house, "Is Camille Roux in Belgium?")
    house.press("U0ANA", "answer")
    assert house.submit(text="Camille Roux is in Belgium.") == {}
    assert "is in Belgium." in house.thread()[-1]
    assert "Camille" not in "\n".join([*house.thread(), house.card()])


def test_a_link_shows_no_question(house: House) -> None:
    """What a Support Dev asks may name a customer: it stays out of other channels."""
    house.slack.unfurl("127.0.0.1", "github.example")
    house.flag()
    house.press("U0LEO", "acknowledge", CARDS)
    ask(house, "Does Camille Roux sell to Belgium?")
    ts = house.slack.say("U0BEN", "C0SUPPORT", house.issue()["html_url"])
    house.bot.listeners.settle()
    [under] = next(one for one in house.slack.messages("C0SUPPORT") if one["ts"] == ts)["attachments"]
    assert "Belgium" not in said(under)


# --- what was meant ---------------------------------------------------------------------------------------------------


def test_two_commands_in_one_comment_are_both_heard(house: House) -> None:
    """Each is a question of its own."""
    house.flag()
    comment(house, "/ask Which country?\n/ask Which browser?")
    assert [one for one in house.told() if "Which browser?" in one]
    assert [one for one in house.told() if "Which country?" in one]


def test_a_form_changes_only_what_was_touched(house: House) -> None:
    """A day that was named while the form stood open is not taken back by it."""
    house.flag()
    house.press("U0LEO", "change", CARDS)
    comment(house, "/promise 2026-03-20")
    assert house.submit("U0LEO", severity="high") == {}
    assert "Not before" in house.card()
    assert "High" in house.card()


@pytest.mark.parametrize("words", ["Thursday 24 December", "Mar 12", "mon 16 march"])
def test_a_day_that_could_be_another_is_asked_for_again(house: House, words: str) -> None:
    """Better no day than a wrong one."""
    house.flag()
    comment(house, f"/promise {words}")
    assert "I do not read a day in that." in bot_comments(house)[-1]
    assert "Not before" not in house.card()


def test_each_change_of_a_day_is_heard(house: House) -> None:
    """Back to the first one, too, and that there is none any more."""
    house.flag()
    for day in ("2026-03-12", "2026-03-20", "2026-03-12", "none"):
        comment(house, f"/promise {day}")
    heard = [one for one in house.told() if "not before" in one or "names no day" in one]
    assert len(heard) == 4
    assert "12 March" in heard[2]
    assert "Léo Martin names no day for acme/shop#1 any more." in heard[3]


def test_whoever_was_handed_an_issue_keeps_it(make_house: Callable[..., House]) -> None:
    """Though the tracker cannot assign them."""

    def change(config: dict[str, Any]) -> None:
        config["projects"][0]["support_devs"].append({"slack": "U0MAYA", "tracker": "maya-elsewhere"})

    house = make_house(change)
    house.flag()
    house.press("U0LEO", "change", CARDS)
    assert house.submit("U0LEO", support_dev="U0MAYA") == {}
    comment(house, "hm", by="somebody")
    assert "Assigned to Maya" in house.card()


def test_a_customer_of_a_duplicate_is_forgotten_in_time(house: House) -> None:
    """A ticket on two issues, of which one is the other's duplicate: once all is done, nothing is kept for ever."""
    house.flag()
    house.flag("U0ANA", "4211", title="The wrong country", again=["again"])
    house.github.close_as_duplicate(REPO, 2, "leo-dev", f"{REPO}#1")
    house.poll()
    house.poll()
    house.mend(1)
    assert house.write_back() == {}
    house.clock.advance(timedelta(days=400))
    house.bot.schedule.tick_forget()
    with house.bot.store.read() as session:
        assert session.scalars(sa.select(Ticket)).one().customer_name == ""
