"""Reminders: what waits for too long is brought up with whoever can act, then with the leads; never at night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import nudges
from bot.store.talk import Nudge
from integrations.sandbox.wire import Fault
from tests.conftest import REPO, Change, House, said
from tests.test_talk import ask, join
from tests.test_triage import comment

CARDS = "C0SUPPORTDEV"
RULES = {
    "triage_after": "1d",
    "answer_after": "4h",
    "write_back_after": "4h",
    "lead_after": "1d",
    "working_hours": "mon-fri 09:00-18:00",
    "timezone": "UTC",
    "holidays": ["2026-03-05"],
}


def march(day: int, hour: int = 9, minute: int = 0) -> datetime:
    """2 March is a Monday; the house begins on it at nine."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def reminding(make_house: Callable[..., House]) -> Callable[..., House]:
    """Builds a house that reminds, everybody by the clocks of UTC unless `zones` says otherwise."""

    def make(zones: dict[str, str] | None = None, change: Change | None = None, **rules: Any) -> House:
        def all_changes(config: dict[str, Any]) -> None:
            config["reminders"] = {name: value for name, value in {**RULES, **rules}.items() if value is not None}

            if change:
                change(config)

        house = make_house(all_changes)
        for person in ("U0ANA", "U0BEN", "U0LEO", "U0MAYA"):
            house.slack.workspace.people[person]["tz"] = (zones or {}).get(person, "UTC")
        return house

    return make


def at(house: House, moment: datetime) -> None:
    """It is that moment, and the clock's work is done."""
    house.clock.advance(moment - house.clock.now())
    house.bot.schedule.tick_reminders()
    house.settle()
    house.clock.advance(datetime.resolution)


def reminders(house: House, person: str) -> list[str]:
    """What this person was reminded of, oldest first."""
    keys = [(one.get("metadata") or {}).get("event_payload", {}).get("key", "") for one in house.slack.dm(person)]
    return [text for text, key in zip(house.told(person), keys, strict=True) if key.startswith("reminder:")]


def pressed_in(house: House, person: str, text: str, action: str) -> None:
    """Press a button of this person's newest reminder that says so."""
    where = house.slack.dm_channel(person)
    there = [one for one in house.slack.messages(where) if text in said(one)]
    assert house.slack.press(person, where, there[-1]["ts"], action).ok
    house.settle()


# --- each thing, each step --------------------------------------------------------------------------------------------


def test_an_issue_that_nobody_took_is_brought_up_once(reminding: Callable[..., House]) -> None:
    """With its Support Dev after one working day, with the lead another one later, and in working hours alone."""
    house = reminding()
    house.flag()
    for moment in (march(2, 17, 59), march(2, 18, 30), march(3, 8, 59)):
        at(house, moment)
        assert reminders(house, "U0LEO") == []
    for hour in (9, 10, 15):
        at(house, march(3, hour))
    [told] = reminders(house, "U0LEO")
    assert "acme/shop#1 was filed 1 day ago, and nobody has taken it yet.\n1 customer waits." in told
    assert reminders(house, "U0MAYA") == []
    for moment in (march(4, 9), march(4, 12), march(9, 12)):
        at(house, moment)
    [lead] = reminders(house, "U0MAYA")
    assert "nobody has taken it yet.\nI have reminded Léo Martin." in lead
    assert len(reminders(house, "U0LEO")) == 1
    pressed_in(house, "U0LEO", "nobody has taken it yet", "acknowledge")
    assert "In hand" in house.card()


def test_what_was_taken_is_not_brought_up(reminding: Callable[..., House]) -> None:
    """Nor, once the Support Dev took it after hearing so, with the lead."""
    house = reminding()
    house.flag()
    at(house, march(3))
    house.press("U0LEO", "acknowledge", CARDS)
    at(house, march(6))
    assert reminders(house, "U0MAYA") == []


def test_a_question_is_brought_up_with_the_agents_who_were_asked(reminding: Callable[..., House]) -> None:
    """Four hours of work later; then with the lead, in one message however many agents there are; not once answered."""
    house = reminding()
    house.flag()
    join(house)
    house.press("U0LEO", "acknowledge", CARDS)
    ask(house)
    at(house, march(2, 12, 59))
    assert reminders(house, "U0ANA") == []
    at(house, march(2, 13, 5))
    at(house, march(2, 16))
    for agent in ("U0ANA", "U0BEN"):
        [told] = reminders(house, agent)
        assert "Léo Martin asked about acme/shop#1 4 hours ago, and nobody has answered yet:" in told
        assert "Which country is the invoice for?" in told
    at(house, march(3, 13, 10))
    [lead] = reminders(house, "U0MAYA")
    assert "I have reminded Ana Moreau and Ben Okafor." in lead
    pressed_in(house, "U0ANA", "asked about", "answer")
    assert house.submit(text="It is for Belgium.") == {}
    assert reminders(house, "U0LEO") == []


def test_an_answer_ends_it(reminding: Callable[..., House]) -> None:
    """Whoever gave it, nobody hears of the question any more."""
    house = reminding()
    house.flag()
    house.press("U0LEO", "acknowledge", CARDS)
    ask(house)
    at(house, march(2, 13, 5))
    house.press("U0ANA", "answer")
    assert house.submit(text="It is for Belgium.") == {}
    at(house, march(4))
    assert reminders(house, "U0MAYA") == []


def test_several_customers_of_one_issue_are_one_message(reminding: Callable[..., House]) -> None:
    """With the buttons for each; who was written to meanwhile is left out; then the lead hears of the rest."""
    house = reminding()
    house.flag()
    for number in ("4212", "4213"):
        house.look_up("U0ANA", number)
        [issue] = house.slack.suggest(house.slack.views("U0ANA")[-1]["id"], "similar", "VAT")
        assert house.submit("U0ANA", similar=issue["value"]) == {}
    house.mend()
    assert house.write_back() == {}
    at(house, march(2, 13, 30))
    [told] = reminders(house, "U0ANA")
    assert "You have known this for 4 hours; 2 customers have not heard it yet." in told
    newest = house.slack.dm("U0ANA")[-1]
    assert str(newest["blocks"]).count("'action_id': 'write_back'") == 2
    assert str(newest["blocks"]).count("'action_id': 'mark_written'") == 2
    house.press("U0ANA", "mark_written")
    at(house, march(3, 14))
    [lead] = reminders(house, "U0MAYA")
    assert "1 customer has not heard the news yet, which is 1 day old.\nI have reminded Ana Moreau." in lead
    house.press("U0MAYA", "mark_written")
    at(house, march(9))
    assert len(reminders(house, "U0MAYA")) == 1
    [_, again] = reminders(house, "U0ANA")
    assert "You have known this for 1 day; 1 customer has not heard it yet." in again


def heard_at(house: House, moments: list[datetime]) -> list[datetime]:
    """At which of these moments Ana was reminded."""
    found = []
    for moment in moments:
        before = len(reminders(house, "U0ANA"))
        at(house, moment)
        found += [moment] * (len(reminders(house, "U0ANA")) - before)
    return found


def each_hour(first: int, last: int) -> list[datetime]:
    """The tenth minute of hours of these days of March, by day and at night."""
    hours = (3, 9, 10, 13, 14, 15, 16, 17, 18, 22)
    return [march(day, hour, 10) for day in range(first, last + 1) for hour in hours]


def test_a_write_back_comes_again_ever_more_rarely(reminding: Callable[..., House]) -> None:
    """After 4, 8, 16, 32 and 64 hours of work, by day alone; the lead hears once; then it is written, and nothing
    comes any more."""
    house = reminding()
    house.flag()
    house.mend()
    moments = [moment for moment in each_hour(2, 13) if moment > house.clock.now()]
    assert heard_at(house, moments) == [
        march(2, 13, 10),
        march(2, 17, 10),
        march(3, 16, 10),
        march(6, 14, 10),  # Thursday is a holiday
        march(12, 10, 10),
    ]
    assert len(reminders(house, "U0MAYA")) == 1
    with house.bot.store.read() as session:
        assert len(session.scalars(sa.select(Nudge)).all()) == 5 + 1 + 1  # the last one: until when nothing is to come
        assert nudges.owed(session, house.clock.now(), house.clock.now(), questions=True) == []
    house.press("U0ANA", "mark_written")
    assert heard_at(house, [march(day, 12) for day in (16, 20, 27)]) == []


def test_after_an_outage_the_latest_alone_comes(reminding: Callable[..., House]) -> None:
    """Nobody ran from the first hour on, for nine days; what comes after that comes in its turn."""
    house = reminding()
    house.flag()
    house.mend()
    assert heard_at(house, [march(10, 9, 30), march(10, 9, 40), march(10, 17)]) == [march(10, 9, 30)]
    assert heard_at(house, each_hour(11, 12)) == [march(12, 10, 10)]


def test_what_slack_did_not_take_does_not_come_twice(reminding: Callable[..., House]) -> None:
    """Slack is away while the second one comes due: once it is there again, Ana reads that one, not the first as
    well."""
    house = reminding()
    house.flag()
    house.mend()
    house.slack.wire.faults.append(Fault("refuse", "POST", "chat.postMessage", 503, times=None))
    assert heard_at(house, [march(2, 13, 10), march(2, 17, 10)]) == []
    house.slack.wire.faults.clear()
    for minute in (30, 40, 50):
        at(house, march(2, 17, minute))
    assert len(reminders(house, "U0ANA")) == 1
    assert heard_at(house, each_hour(3, 3)) == [march(3, 16, 10)]


def test_who_put_a_write_back_off_hears_it_once_in_the_morning(reminding: Callable[..., House]) -> None:
    """What came due meanwhile is not lost, and not heard beside it."""
    house = reminding()
    house.flag()
    house.mend()
    at(house, march(2, 13, 10))
    pressed_in(house, "U0ANA", "You have known this", "snooze")
    moments = [moment for moment in each_hour(2, 6) if moment > house.clock.now()]
    assert heard_at(house, moments) == [march(3, 9, 10), march(3, 16, 10), march(6, 14, 10)]


def test_a_reply_in_doubt_is_brought_up_as_such(reminding: Callable[..., House]) -> None:
    """Beside a customer whom nobody wrote to: what is asked of the agent, with its own buttons; then the lead hears
    which is which, and the agent again."""
    house = reminding()
    house.flag()
    house.look_up("U0ANA", "4212")
    [issue] = house.slack.suggest(house.slack.views("U0ANA")[-1]["id"], "similar", "VAT")
    assert house.submit("U0ANA", similar=issue["value"]) == {}
    house.mend()
    house.zendesk.wire.faults.append(Fault("refuse", "PUT", r"/tickets/421\d\.json", status=502))
    house.write_back()
    house.pass_time(minutes=5)
    at(house, march(2, 13, 30))
    [told] = reminders(house, "U0ANA")
    assert "You have known this for 4 hours; 1 customer has not heard it yet." in told
    assert "It has been unclear for 4 hours whether the reply to 1 customer went out." in told
    assert "Look at the ticket. If the reply is there, mark it written; if not, write back again." in told
    assert told.count("It is there") == told.count("Write back again") == told.count("Already written") == 1
    at(house, march(3, 14))
    [lead] = reminders(house, "U0MAYA")
    assert "It has been unclear for 1 day whether the reply to 1 customer went out." in lead
    house.press("U0ANA", "mark_written")  # the first one, that nobody wrote to
    at(house, march(3, 17))
    again = reminders(house, "U0ANA")[-1]
    assert "It has been unclear for 1 day" in again
    assert "heard it yet" not in again


def test_a_day_that_is_over_goes_to_the_lead_too(reminding: Callable[..., House]) -> None:
    """Where the configuration speaks of reminders; a new day begins anew."""
    house = reminding()
    house.flag()
    comment(house, "/promise tomorrow")
    at(house, march(3, 12))
    assert reminders(house, "U0LEO") == []
    at(house, march(4, 9))
    [told] = reminders(house, "U0LEO")
    assert "You named Tuesday, 3 March 2026 for acme/shop#1. It has not shipped" in told
    at(house, march(4, 15))
    at(house, march(6, 9))
    [lead] = reminders(house, "U0MAYA")
    assert "Tuesday, 3 March 2026 was named for acme/shop#1 by Léo Martin. It has not shipped." in lead
    comment(house, "/promise 2026-03-10")
    at(house, march(11, 10))
    assert len(reminders(house, "U0LEO")) == 2


def test_what_is_left_out_is_not_reminded_of(reminding: Callable[..., House]) -> None:
    """An option that is not there reminds nobody."""
    house = reminding(triage_after=None, answer_after=None, write_back_after=None)
    house.flag()
    at(house, march(9))
    ask(house)
    at(house, march(11))
    house.mend()
    at(house, march(13, 12))
    assert reminders(house, "U0LEO") == reminders(house, "U0ANA") == reminders(house, "U0MAYA") == []


def test_reopened_begins_anew(reminding: Callable[..., House]) -> None:
    """What ships again is owed again, and brought up again."""
    house = reminding()
    house.flag()
    house.mend()
    at(house, march(2, 14))
    assert len(reminders(house, "U0ANA")) == 1
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    at(house, march(3, 14))
    assert len(reminders(house, "U0ANA")) == 1
    house.mend(release="v2.6.0")
    at(house, march(4, 9))
    at(house, march(4, 16))
    assert len(reminders(house, "U0ANA")) == 2


# --- when -------------------------------------------------------------------------------------------------------------


def test_days_off_and_holidays_do_not_count(reminding: Callable[..., House]) -> None:
    """Filed on Wednesday at noon: Thursday is a holiday, so it is due on Friday at noon; the lead hears on Monday."""
    house = reminding()
    house.clock.advance(march(4, 12) - house.clock.now())
    house.flag()
    for moment in (march(5, 12), march(6, 11, 59)):
        at(house, moment)
        assert reminders(house, "U0LEO") == []
    at(house, march(6, 12))
    assert len(reminders(house, "U0LEO")) == 1
    for moment in (march(7, 13), march(8, 13), march(9, 11, 59)):
        at(house, moment)
        assert reminders(house, "U0MAYA") == []
    at(house, march(9, 12))
    assert len(reminders(house, "U0MAYA")) == 1


def test_each_reads_it_in_their_own_hours(reminding: Callable[..., House]) -> None:
    """Due at nine in London: Léo in Tokyo hears when his next day begins there, Maya in New York when hers does."""
    house = reminding({"U0LEO": "Asia/Tokyo", "U0MAYA": "America/New_York"}, lead_after="1h")
    house.flag()
    at(house, march(3, 9))  # 18:00 in Tokyo
    at(house, march(3, 23, 59))
    assert reminders(house, "U0LEO") == []
    at(house, march(4, 0))
    assert len(reminders(house, "U0LEO")) == 1
    at(house, march(4, 13, 59))
    assert reminders(house, "U0MAYA") == []
    at(house, march(4, 14))
    assert len(reminders(house, "U0MAYA")) == 1


def test_what_was_done_before_it_is_performed_is_not_posted(reminding: Callable[..., House]) -> None:
    """Promised, then taken: nobody hears it, now or later."""
    house = reminding()
    house.flag()
    house.clock.advance(march(3) - house.clock.now())
    house.bot.schedule.tick_reminders()
    house.slack.press("U0LEO", CARDS, house.cards()[-1]["ts"], "acknowledge")
    house.settle()
    at(house, march(6))
    assert reminders(house, "U0LEO") == reminders(house, "U0MAYA") == []


# --- who --------------------------------------------------------------------------------------------------------------


def test_many_things_for_a_lead_are_one_message(reminding: Callable[..., House]) -> None:
    """And many for one person, too: nobody is flooded at nine."""
    house = reminding()
    for number in range(4211, 4217):
        house.flag(text=str(number), title=f"Thing {number}")
    at(house, march(3))
    [told] = reminders(house, "U0LEO")
    assert "6 things wait for you" in told
    assert str(house.slack.dm("U0LEO")[-1]["blocks"]).count("'action_id': 'acknowledge'") == 6
    at(house, march(4))
    [lead] = reminders(house, "U0MAYA")
    assert "6 things wait" in lead


def test_of_somebody_who_left_the_lead_hears_instead(reminding: Callable[..., House]) -> None:
    """At once, with the buttons, and once."""
    house = reminding()
    house.flag()
    house.mend()
    house.slack.workspace.people["U0ANA"]["deleted"] = True
    at(house, march(2, 13, 30))
    at(house, march(2, 13, 32))
    at(house, march(5))
    at(house, march(9))
    [lead] = reminders(house, "U0MAYA")
    assert "1 customer has not heard the news yet, which is 5 hours old.\nI cannot reach Ana Moreau in Slack." in lead
    house.press("U0MAYA", "mark_written")
    house.slack.workspace.people["U0ANA"]["deleted"] = False
    assert reminders(house, "U0ANA") == []


def test_whoever_is_on_duty_hears_of_what_nobody_took(reminding: Callable[..., House]) -> None:
    """Not the one whose turn is over, unless the issue is theirs by name."""

    def rotate(config: dict[str, Any]) -> None:
        devs = [{"slack": "U0LEO", "tracker": "leo-dev"}, {"slack": "U0BEN", "tracker": "ben-dev"}]
        config["projects"][0] |= {"rotation": "daily", "support_devs": devs}

    house = reminding(change=rotate)
    house.flag()
    at(house, march(3, 10))
    assert (len(reminders(house, "U0LEO")), len(reminders(house, "U0BEN"))) == (0, 1)


# --- later ------------------------------------------------------------------------------------------------------------


def test_later_means_the_next_working_day(reminding: Callable[..., House]) -> None:
    """The message says when; it comes again then, if it still waits; the lead hears all the same."""
    house = reminding({"U0LEO": "Europe/Paris"})
    house.flag()
    at(house, march(3))
    pressed_in(house, "U0LEO", "nobody has taken it yet", "snooze")
    [told] = reminders(house, "U0LEO")
    assert "I remind you again: 4 Mar 2026, 09:00" in told
    assert "Remind me later" not in told
    at(house, march(3, 16))
    assert len(reminders(house, "U0LEO")) == 1
    at(house, march(4, 8))
    assert len(reminders(house, "U0LEO")) == 2
    at(house, march(4, 9))
    assert len(reminders(house, "U0MAYA")) == 1
    at(house, march(6, 12))
    assert len(reminders(house, "U0LEO")) == 2


def test_a_lead_who_wants_it_later_hears_it_later(reminding: Callable[..., House]) -> None:
    """Their own snooze holds back what they hear, and nobody else's."""
    house = reminding()
    house.flag()
    at(house, march(3))
    house.press("U0MAYA", "snooze", CARDS)
    at(house, march(3, 17))
    at(house, march(4, 9))
    assert len(reminders(house, "U0MAYA")) == 1
    pressed_in(house, "U0MAYA", "I have reminded", "snooze")
    at(house, march(4, 17))
    assert len(reminders(house, "U0MAYA")) == 1
    at(house, march(6, 9))  # Thursday is a holiday
    assert len(reminders(house, "U0MAYA")) == 2


def test_the_card_can_be_put_off_before_anything_is_due(reminding: Callable[..., House]) -> None:
    """Whoever presses reads alone until when, and the lead is not kept from hearing it."""
    house = reminding()
    house.flag()
    house.clock.advance(march(2, 17) - house.clock.now())
    house.press("U0LEO", "snooze", CARDS)
    assert "I remind you of acme/shop#1 again: 3 Mar 2026, 09:00" in house.whispered("U0LEO")
    at(house, march(3))
    house.press("U0LEO", "snooze", CARDS)
    assert len(reminders(house, "U0LEO")) == 1
    at(house, march(4))
    assert (len(reminders(house, "U0LEO")), len(reminders(house, "U0MAYA"))) == (2, 1)


def test_without_reminders_the_card_has_no_such_button(house: House) -> None:
    """A feature is on if and only if its section exists."""
    house.flag()
    assert "Remind me later" not in house.card()
