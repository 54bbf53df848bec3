"""The Support Dev on duty: whose turn it is, taking over, being away, new issues, the hand-over, the user group."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings, strategies as st

from bot.app import Passerelle
from bot.slack.edges import as_typed
from bot.store.tables import Effect, EffectState
from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House

GROUP = "S0ONDUTY"
MONDAY = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
"""The first hand-over after the house's start, to Zoé; the clocks that count are in Lisbon, which has UTC in March."""

DUTY = {"timezone": "Europe/Lisbon", "starts": "2026-03-02", "group": GROUP, "everyone": ["thu 14:00-18:00"]}


@pytest.fixture
def build(make_house: Callable[..., House]) -> Callable[..., House]:
    def made(rotation: str = "weekly", locked: bool = False, **duty: Any) -> House:
        """Léo and Zoé take turns; Léo has the first."""

        def change(config: dict[str, Any]) -> None:
            devs = [{"slack": "U0LEO", "tracker": "leo-dev"}, {"slack": "U0ZOE", "tracker": "zoe-dev"}]
            config["projects"][0] |= {"support_devs": devs, "rotation": rotation, "duty": {**DUTY, **duty}}

        house = make_house(change)
        house.slack.add_person("U0ZOE", "Zoé", "Zoé Blanc", "zoe@acme.example")
        house.slack.add_usergroup(GROUP, "onduty", ["U0MAYA"], locked=locked)
        house.github.set_permission(REPO, "zoe-dev", "push")
        return house

    return made


@pytest.fixture
def duty(build: Callable[..., House]) -> House:
    return build()


def tick(house: House, at: datetime | None = None) -> None:
    """The scheduler looks, at that moment or now, and the bot does what follows."""
    if at is not None:
        house.clock.advance(at - house.clock.now())
    house.bot.schedule.tick_duty()
    house.settle()


def ask(house: House, text: str = "", person: str = "U0LEO") -> str:
    """Type `/bug duty …`, and read the answer."""
    assert house.slack.command(person, f"duty {text}".strip(), "C0SUPPORT").ok
    house.settle()
    return house.whispered(person)


def assignees(house: House, number: int = 1) -> list[str]:
    return [one["login"] for one in house.issue(number)["assignees"]]


# --- asking


def test_everybody_in_support_sees_who_is_on_duty(duty: House) -> None:
    """Until when, who follows, and the next half-days; an agent is not offered what only Support Devs can do."""
    ask(duty, person="U0ANA")
    said = ask(duty, person="U0ANA")  # the names are known the second time
    assert "Léo Martin is on duty for Web shop until" in said
    assert "then Zoé Blanc." in said
    assert "Everyone on Support for Web shop from 5 Mar 2026, 15:00 to 5 Mar 2026, 19:00." in said
    assert "duty off" not in said
    assert "/bug duty off 2026-12-24 to 2026-12-28" in ask(duty)


def test_a_guest_sees_nothing(duty: House) -> None:
    """Who works here is nobody else's business."""
    assert "Only members of the support team" in ask(duty, person="U0GUEST")


def test_only_the_store_is_asked(duty: House) -> None:
    """Once people are known, the answer needs no call."""
    ask(duty)
    ask(duty)
    before = len(duty.slack.wire.calls)
    ask(duty)
    assert len(duty.slack.wire.calls) == before


def test_without_a_rotation_it_is_the_first_support_dev(house: House) -> None:
    """As it always was: nothing is announced, and nobody is told."""
    assert "U0LEO is on duty for Web shop." in ask(house, person="U0ANA").replace("Léo Martin", "U0LEO")
    house.flag()
    tick(house)
    assert assignees(house) == ["leo-dev"]
    assert house.told("U0LEO") == []


# --- arranging


def test_taking_over_for_the_rest_of_the_turn(duty: House) -> None:
    """Today's turn by default. Zoé hears it by the hand-over, Léo that it is hers, and new issues are hers."""
    said = ask(duty, "me", "U0ZOE")
    assert "is on duty for Web shop instead of" in said
    assert "Monday, March 2, 2026 to Sunday, March 8, 2026" in said
    (told,) = duty.told("U0ZOE")
    assert "You are on duty for Web shop" in told
    (heard,) = duty.told("U0LEO")
    assert "Zoé Blanc changed who is on duty." in heard
    duty.flag()
    assert assignees(duty) == ["zoe-dev"]
    assert "Assigned to Zoé Blanc." in duty.card()


def test_naming_somebody_for_given_days(duty: House) -> None:
    """As Slack marks people; a lead may, and who is named hears so at once."""
    said = ask(duty, "@Zoé from 2026-03-04 to 2026-03-05 shop", "U0MAYA")
    assert "Wednesday, March 4, 2026 to Thursday, March 5, 2026" in said
    assert "You are on duty for Web shop: from Wednesday, March 4" in duty.told("U0ZOE")[-1]
    assert "Zoé Blanc is on duty for Web shop instead of Léo Martin" in duty.told("U0LEO")[-1]
    tick(duty, datetime(2026, 3, 4, 8, 59, tzinfo=UTC))
    assert len(duty.told("U0ZOE")) == 1
    tick(duty, datetime(2026, 3, 4, 9, 0, tzinfo=UTC))
    assert "You are on duty for Web shop until" in duty.told("U0ZOE")[-1]
    tick(duty, datetime(2026, 3, 6, 9, 0, tzinfo=UTC))
    assert "You are on duty for Web shop until" in duty.told("U0LEO")[-1]


def test_being_away_hands_it_to_the_next(duty: House) -> None:
    """Christmas, when it would have been Léo's turn."""
    said = ask(duty, "off 2026-03-05 to 2026-03-10")
    assert "Zoé Blanc is on duty for Web shop instead of Léo Martin" in said.replace("U0ZOE", "Zoé Blanc")
    assert "Thursday, March 5, 2026 to Sunday, March 8, 2026" in said
    assert "Thursday, March 5, 2026 to Sunday, March 8, 2026" in duty.told("U0ZOE")[-1]
    assert duty.told("U0LEO") == []
    assert "Nobody’s turn changes by it." in ask(duty, "off 2026-03-10")


def test_undo_takes_back_what_was_arranged_last(duty: House) -> None:
    """One thing at a time, one's own alone, and those whom it concerns hear it."""
    ask(duty, "off 2026-03-05")
    assert "nothing that is still to come" in ask(duty, "undo", "U0ZOE")
    assert "Thursday, 5 March 2026" in ask(duty, "undo")
    assert "Léo Martin is on duty for Web shop instead of Zoé Blanc" in duty.told("U0ZOE")[-1]
    assert "nothing that is still to come" in ask(duty, "undo")


@pytest.mark.parametrize(
    ("person", "text", "words"),
    [
        ("U0ANA", "@Zoé", "Only Support Devs and leads plan who is on duty"),
        ("U0ANA", "off 2026-03-05", "You are not one of the Support Devs here"),
        ("U0LEO", "@Ana", "Only a Support Dev of the project can have its duty"),
        ("U0LEO", "@Nobody", "I know no Support Dev @Nobody"),
        ("U0LEO", "off 2026-03-05 to 2026-03-04", "That ends before it begins."),
        ("U0LEO", "off 2026-02-05 to 2026-02-06", "That is over already."),
        ("U0LEO", "off 2026-02-30", "There is no day 2026-02-30."),
        ("U0LEO", "off next week maybe", "I did not understand that."),
        ("U0LEO", "off 2026-03-05 app", "There is no project app. These are there: shop."),
        ("U0LEO", "off 2026-03-05 to 2028-03-05", "That is more than a year."),
        ("U0LEO", "everyone 2026-03-05 18:00-14:00", "Write the hours as in 14:00-18:00."),
        ("U0LEO", "everyone soon", "I did not understand that."),
    ],
)
def test_what_cannot_be_arranged_is_answered(duty: House, person: str, text: str, words: str) -> None:
    """With the next step in it; nothing changes."""
    assert words in ask(duty, text, person)
    assert "Léo Martin is on duty" in ask(duty, "", "U0LEO")


def test_a_title_that_begins_with_duty_is_a_title(duty: House) -> None:
    """Customs duty is something that shops have."""
    assert duty.slack.command("U0ANA", "duty is added twice for Norway", "C0SUPPORT").ok
    assert "Flag a ticket" in str(duty.slack.views("U0ANA")[-1]["title"])


# --- the hand-over


def test_a_turn_is_handed_over_once(duty: House) -> None:
    """However many workers look: the new one hears what is open, and nobody else is disturbed."""
    duty.flag()
    tick(duty)
    before = len(duty.slack.messages("C0SUPPORTDEV"))
    others = [Passerelle(duty.bot.settings, duty.clock) for _ in range(2)]
    tick(duty, MONDAY - timedelta(seconds=1))
    assert duty.told("U0ZOE") == []
    duty.clock.advance(timedelta(seconds=1))
    for bot in (*others, duty.bot, *others):
        bot.schedule.tick_duty()
    duty.settle()
    for bot in others:
        bot.close()
    (told,) = duty.told("U0ZOE")
    assert "You are on duty for Web shop until" in told
    assert "1 issue is open, for 7 days. 1 is not acknowledged yet." in told.replace("1 week", "7 days")
    assert "VAT is wrong on invoices" in told
    assert len(duty.slack.messages("C0SUPPORTDEV")) == before
    tick(duty, MONDAY + timedelta(hours=5))
    assert len(duty.told("U0ZOE")) == 1


def test_what_waits_for_an_answer_stands_first(duty: House) -> None:
    """Closed without a reason: somebody has to say why."""
    duty.flag()
    duty.flag("U0BEN", "4212", title="The wrong country")
    duty.github.close_issue(REPO, 2, "leo-dev", "not_planned")
    duty.poll()
    tick(duty, MONDAY)
    told = next(one for one in duty.told("U0ZOE") if "You are on duty" in one)
    assert "1 waits for your answer." in told
    assert told.rindex("The wrong country") < told.rindex("VAT is wrong on invoices")


def test_the_user_group_holds_whoever_is_on_duty(duty: House) -> None:
    """From turn to turn, for a swap, and for a half-day with everyone."""
    tick(duty)
    assert duty.slack.usergroup(GROUP) == ["U0LEO"]
    ask(duty, "@Zoé 2026-03-02")
    assert duty.slack.usergroup(GROUP) == ["U0ZOE"]
    tick(duty, datetime(2026, 3, 3, 9, 0, tzinfo=UTC))
    assert duty.slack.usergroup(GROUP) == ["U0LEO"]
    tick(duty, datetime(2026, 3, 5, 14, 0, tzinfo=UTC))
    assert set(duty.slack.usergroup(GROUP)) == {"U0LEO", "U0ZOE"}
    tick(duty, datetime(2026, 3, 5, 18, 0, tzinfo=UTC))
    assert duty.slack.usergroup(GROUP) == ["U0LEO"]
    tick(duty, MONDAY)
    assert duty.slack.usergroup(GROUP) == ["U0ZOE"]


def test_a_group_that_may_not_be_changed_is_no_dead_letter(build: Callable[..., House]) -> None:
    """It is noted for `passerelle check`, and gone once Slack allows it."""
    house = build(locked=True)
    tick(house)
    assert house.slack.usergroup(GROUP) == ["U0MAYA"]
    assert noted(house) == [(EffectState.DONE, "permission_denied")]
    house.slack.workspace.locked_groups.clear()
    tick(house, datetime(2026, 3, 3, 9, 0, tzinfo=UTC))
    assert house.slack.usergroup(GROUP) == ["U0LEO"]
    assert noted(house) == [(EffectState.DONE, "")]


def noted(house: House) -> list[tuple[EffectState, str]]:
    with house.bot.store.read() as session:
        rows = session.scalars(sa.select(Effect).where(Effect.kind == "group"))
        return [(row.state, row.error.rpartition(": ")[2]) for row in rows]


def test_slack_being_away_delays_the_group(duty: House) -> None:
    """What Slack did not answer is tried again."""
    duty.slack.wire.faults.append(Fault("refuse", path="usergroups.users.update", status=503))
    tick(duty)
    tick(duty, duty.clock.now() + timedelta(minutes=2))
    assert duty.slack.usergroup(GROUP) == ["U0LEO"]


# --- everyone on support


def test_a_half_day_for_everyone_is_announced_when_it_begins(duty: House) -> None:
    """Once, in the channel, with those it calls and what is open; not when it is over."""
    duty.flag()
    tick(duty, datetime(2026, 3, 5, 13, 59, tzinfo=UTC))
    before = len(duty.slack.messages("C0SUPPORTDEV"))
    for minute in (0, 1, 30):
        tick(duty, datetime(2026, 3, 5, 14, minute, tzinfo=UTC))
    assert len(duty.slack.messages("C0SUPPORTDEV")) == before + 1
    said = duty.card()
    assert "Everyone on Support for Web shop until" in said
    assert "U0LEO" in said
    assert "U0ZOE" in said
    assert "VAT is wrong on invoices" in said
    tick(duty, datetime(2026, 3, 12, 18, 0, tzinfo=UTC))
    assert len(duty.slack.messages("C0SUPPORTDEV")) == before + 1


def test_a_half_day_is_planned_like_a_turn(duty: House) -> None:
    """For one date, from Slack; and taken back."""
    said = ask(duty, "everyone 2026-03-03 09:00-13:00", "U0MAYA")
    assert "Everyone is on Support for Web shop from 09:00 to 13:00: Tuesday, March 3, 2026." in said
    tick(duty, datetime(2026, 3, 3, 9, 0, tzinfo=UTC))
    assert "Everyone on Support for Web shop until" in duty.card()
    ask(duty, "everyone 2026-03-04 09:00-13:00", "U0MAYA")
    ask(duty, "undo", "U0MAYA")
    before = len(duty.slack.messages("C0SUPPORTDEV"))
    tick(duty, datetime(2026, 3, 4, 9, 0, tzinfo=UTC))
    assert len(duty.slack.messages("C0SUPPORTDEV")) == before


# --- new issues


def test_new_issues_are_told_in_one_message(duty: House) -> None:
    """Three within minutes: one message that grows, one notification."""
    for index, ticket in enumerate(("4211", "4212", "4213")):
        duty.flag("U0ANA", ticket, title=f"Trouble {index}")
    (told,) = duty.told("U0LEO")
    assert "3 new issues are yours: you are on duty." in told
    assert all(f"Trouble {index}" in told for index in range(3))
    duty.clock.advance(timedelta(minutes=11))
    duty.flag("U0ANA", "4214", title="Trouble 3")
    assert "A new issue is yours: you are on duty." in duty.told("U0LEO")[-1]
    assert len(duty.told("U0LEO")) == 2
    assert duty.told("U0ZOE") == []


def test_what_one_flags_oneself_is_no_news(duty: House) -> None:
    """Léo knows it."""
    duty.flag("U0LEO", "4211")
    assert not any("you are on duty" in one for one in duty.told("U0LEO"))


# --- what Slack marks in a command

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="<>|", exclude_categories=("Cs", "Cc")), max_size=20)


@settings(max_examples=100)
@given(WORDS)
def test_what_was_typed_comes_back(word: str) -> None:
    """Marked or not, it reads as it was typed."""
    escaped = word.replace("&", "&amp;")
    assert as_typed(f"<https://acme.example/1?a={'b'}> {escaped}") == f"https://acme.example/1?a=b {word}"
    assert as_typed("<@U0LEO|leo> <#C0SUPPORT|support> <mailto:a@b.example|a@b.example>") == "@leo #support a@b.example"
    assert as_typed("4211 a &lt; b") == "4211 a < b"
