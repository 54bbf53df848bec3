"""The talk between Support Dev and support: questions, answers, ways around, and what is said on both sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import REPO, House
from tests.test_triage import bot_comments, comment

CARDS = "C0SUPPORTDEV"


@pytest.fixture
def synced(make_house: Callable[..., House]) -> House:
    """A house whose project shows on each side what is said on the other."""

    def change(config: dict[str, Any]) -> None:
        config["projects"][0]["sync"] = True

    return make_house(change)


def ask(house: House, question: str = "Which country is the invoice for?", why: str = "VAT differs.") -> None:
    """Léo asks from the card."""
    house.press("U0LEO", "ask", CARDS)
    assert house.submit("U0LEO", question=question, reason=why) == {}


def join(house: House) -> None:
    """Ben's ticket is attached to Ana's issue."""
    house.look_up("U0BEN", "4212")
    view = house.slack.views("U0BEN")[-1]
    [issue] = house.slack.suggest(view["id"], "similar", "VAT")
    assert house.submit("U0BEN", similar=issue["value"]) == {}


# --- questions --------------------------------------------------------------------------------------------------------


def test_a_question_reaches_the_agent_with_its_reason(house: House) -> None:
    """In their own messages, in the thread and in the issue; the card says what it waits for."""
    house.flag()
    house.press("U0LEO", "acknowledge", CARDS)
    ask(house)
    told = house.told()[-1]
    assert "A question for the customer: VAT is wrong on invoices" in told
    assert "Léo Martin asks. Answer if you know it, or ask your customer first:" in told
    assert "Which country is the invoice for?" in told
    assert "VAT differs." in told
    assert "Camille Roux" in told
    assert "Léo Martin asks:" in house.thread()[-1]
    assert "Which country is the invoice for?" in bot_comments(house)[-1]
    assert "Waits for an answer: Which country is the invoice for?" in house.card()


def test_the_answer_goes_to_issue_and_thread(house: House) -> None:
    """With the agent's name; who asked is called, and nobody is asked any more."""
    house.flag()
    house.press("U0LEO", "acknowledge", CARDS)
    ask(house)
    house.press("U0ANA", "answer")
    assert "Which country is the invoice for?" in house.modal()
    assert house.submit(text="It is for Belgium.") == {}
    assert "Ana Moreau answers from Slack:" in bot_comments(house)[-1]
    assert "> It is for Belgium." in bot_comments(house)[-1]
    assert "U0LEO" in house.thread()[-1]
    assert "It is for Belgium." in house.thread()[-1]
    assert "Waits for a fix." in house.card()
    assert "The question is answered." in house.told()[-1]
    assert "'answer'" not in str(house.slack.dm("U0ANA")[-1]["blocks"])


def test_a_question_is_answered_once(house: House) -> None:
    """Ben's page was open when Ana answered: nothing of his is lost in silence."""
    house.flag()
    join(house)
    ask(house)
    house.press("U0BEN", "answer")
    house.press("U0ANA", "answer")
    assert house.submit(text="Belgium.") == {}
    assert house.submit("U0BEN", text="Denmark.") == {
        "text": "This question is answered or settled already. Nothing was sent."
    }
    assert len([one for one in bot_comments(house) if "answers" in one]) == 1


def test_a_question_in_the_issue_reaches_support_too(house: House) -> None:
    """By a comment command; it is asked once, however often the comment is read."""
    house.flag()
    comment(house, "/ask Which country is it?")
    house.poll()
    assert [one for one in house.told() if "Which country is it?" in one] == [house.told()[-1]]
    assert len(house.thread()) == 1
    assert bot_comments(house) == []


def test_asking_a_customer_counts_as_writing_back(house: House) -> None:
    """Who does not know it writes to the customer; the question stays open for the answer."""
    house.flag()
    ask(house)
    assert house.write_back(reply="Bonjour Camille, pour quel pays ?") == {}
    assert house.replies() == ["Bonjour Camille, pour quel pays ?"]
    assert "'answer'" in str(house.slack.dm("U0ANA")[-1]["blocks"])
    house.mend()
    assert "Fixed in v2.5.0" in house.told()[-1]


def test_the_end_makes_a_question_pointless(house: House) -> None:
    """Nobody is asked any more once it ships."""
    house.flag()
    ask(house)
    house.mend()
    question, end = house.told()[-2:]
    assert "Taken over by newer news." in question
    assert "Fixed in v2.5.0" in end


# --- ways around ------------------------------------------------------------------------------------------------------


def test_a_way_around_goes_out_at_once(house: House) -> None:
    """Customers hear it before the fix, and hear the fix all the same."""
    house.flag()
    house.press("U0LEO", "workaround", CARDS)
    assert house.submit("U0LEO", text="Export the invoice as CSV.") == {}
    told = house.told()[-1]
    assert "A way around it: VAT is wrong on invoices" in told
    assert "Export the invoice as CSV." in told
    assert house.write_back(reply="Vous pouvez exporter en CSV.") == {}
    assert "1 customer waits" in house.card()
    house.mend()
    assert "Fixed in v2.5.0" in house.told()[-1]
    assert house.write_back(reply="C'est réparé.") == {}
    assert house.replies() == ["Vous pouvez exporter en CSV.", "C'est réparé."]
    assert "Nobody waits any more." in house.card()


def test_a_better_way_around_takes_the_place_of_the_first(house: House) -> None:
    """What was not written yet need not be."""
    house.flag()
    comment(house, "/workaround Use another browser.")
    comment(house, "/workaround Export the invoice as CSV.")
    first, second = house.told()[-2:]
    assert "Taken over by newer news." in first
    assert "Export the invoice as CSV." in second
    join(house)
    assert "Export the invoice as CSV." in house.told("U0BEN")[-1]
    assert not [one for one in house.told("U0BEN") if "another browser" in one]


def test_a_way_around_outlives_a_fix_that_falls_back(house: House) -> None:
    """The issue was closed and is open again: what helps meanwhile still holds."""
    house.flag()
    house.mend(release="")
    comment(house, "/workaround Export the invoice as CSV.")
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    assert "Export the invoice as CSV." in house.told()[-1]
    assert "On hold" not in house.told()[-1]


# --- both sides -------------------------------------------------------------------------------------------------------


def test_what_is_meant_for_support_reaches_the_thread(house: House) -> None:
    """Developers' talk stays where it is."""
    house.flag()
    comment(house, "The rounding is wrong in line 12.")
    comment(house, "/tell I have found it, tomorrow it is mended.")
    [there] = house.thread()
    assert "Léo Martin in the issue:" in there
    assert "I have found it, tomorrow it is mended." in there


def test_edits_and_deletions_in_the_issue_follow(house: House) -> None:
    """What the thread shows is what the issue says."""
    house.flag()
    written = comment(house, "/tell Tomorrow.")
    house.clock.advance(timedelta(minutes=1))
    house.github.edit_comment(REPO, written, "leo-dev", "/tell The day after tomorrow.")
    house.poll()
    [there] = house.thread()
    assert "The day after tomorrow." in there
    house.clock.advance(timedelta(minutes=1))
    house.github.delete_comment(REPO, written, "leo-dev")
    house.poll()
    assert house.thread() == []


def test_a_reply_stays_in_the_thread_unless_somebody_says_so(house: House) -> None:
    """Who replies is asked, alone and once; by the button it goes to the issue with their name."""
    house.flag()
    house.reply("U0ANA", "It is the same for <@U0BEN>'s customer.")
    assert bot_comments(house) == []
    assert "Only this thread sees your reply." in house.whispered()
    shown = house.slack.ephemerals("U0ANA")[-1]
    assert house.slack.press("U0ANA", CARDS, shown["ts"], "to_issue").ok
    assert "It is on its way to the issue." in house.modal()
    house.settle()
    [there] = bot_comments(house)
    assert "Ana Moreau from Slack:" in there
    assert "It is the same for" in there
    house.reply("U0ANA", "And one more.")
    assert len(house.slack.ephemerals("U0ANA")) == 1


def test_edits_and_deletions_in_the_thread_follow(house: House) -> None:
    """Once it is in the issue, what is edited or deleted here is so there."""
    house.flag()
    ts = house.reply("U0ANA", "Belgium.")
    assert house.slack.message_shortcut("U0ANA", CARDS, ts, "to_issue").ok
    house.settle()
    house.slack.reword("U0ANA", CARDS, ts, "Luxembourg.")
    house.settle()
    assert "> Luxembourg." in bot_comments(house)[-1]
    house.slack.reword("U0ANA", CARDS, ts, "")
    house.settle()
    assert bot_comments(house) == []


def test_nothing_is_brought_over_twice(house: House) -> None:
    """The button, the menu and an impatient hand."""
    house.flag()
    ts = house.reply("U0ANA", "Belgium.")
    shown = house.slack.ephemerals("U0ANA")[-1]
    for _ in range(2):
        house.slack.press("U0ANA", CARDS, shown["ts"], "to_issue")
        house.slack.message_shortcut("U0LEO", CARDS, ts, "to_issue")
    house.settle()
    assert len(bot_comments(house)) == 1


def test_a_synced_project_shows_all_on_both_sides(synced: House) -> None:
    """Without loops: what came from one side does not go back."""
    synced.flag()
    synced.reply("U0ANA", "It is for Belgium.")
    comment(synced, "Thanks, that helps.")
    synced.poll()
    assert "> It is for Belgium." in bot_comments(synced)[-1]
    assert len(bot_comments(synced)) == 1
    said_there = synced.thread()
    assert len(said_there) == 2
    assert "Thanks, that helps." in said_there[1]
    assert not synced.slack.ephemerals("U0ANA")


def test_a_public_issue_gets_nothing_by_itself(synced: House) -> None:
    """Even a synced project asks first where everybody can read, and says so."""
    synced.github.set_visibility(REPO, private=False)
    synced.flag()
    synced.reply("U0ANA", "Camille Roux wrote again.")
    assert bot_comments(synced) == []
    assert "Everybody can read the issue" in synced.whispered()
    shown = synced.slack.ephemerals("U0ANA")[-1]
    synced.slack.press("U0ANA", CARDS, shown["ts"], "to_issue")
    synced.settle()
    [there] = bot_comments(synced)
    assert "Camille" not in there
    assert "Ana" not in there


def test_a_guest_sends_nothing(synced: House) -> None:
    """What guests say in the thread stays there."""
    synced.flag()
    synced.reply("U0GUEST", "Let me in.")
    assert bot_comments(synced) == []
