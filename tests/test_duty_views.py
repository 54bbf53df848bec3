"""What people read about being on duty: within Slack's limits whatever they are called, harmless, exact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.model import Severity, Stage
from bot.slack import views
from bot.slack.views import duty, parts
from bot.texts import Say
from integrations.sandbox.blocks import problems
from tests.test_views import HOSTILE, texts

SAY = Say("en", "Europe/Paris")
AT = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


def an_issue(text: str, *, wanted: bool = False) -> duty.Open:
    issue = views.IssueName(title=text, label=text or "acme/shop#12", url="https://x.example/12")
    age = timedelta(days=3)
    return duty.Open(issue=issue, stage=Stage.FILED, severity=Severity.HIGH, age=age, wanted=wanted, waiting=4)


def everything(say: Say, text: str) -> Iterator[tuple[str, views.Post]]:
    spans = ((AT, AT + timedelta(hours=4)),) * 4
    turn = duty.OnDuty(project=text, person=text, until=AT, then=parts.Person("U0ZOE"), together=spans)
    one, many = date(2026, 3, 9), date(2026, 3, 14)
    shifts = [
        duty.Shifted(project=text, first=one, last=last, before=text, after=text) for last in (one, many) for _ in "ab"
    ]
    notes = [duty.shifted(say, shift) for shift in shifts]
    notes.append(duty.everyone_planned(say, text, one, "09:00", "13:00"))
    yield "nobody else", duty.duty(say, [duty.OnDuty(project=text, person=text)])
    yield "many projects", duty.duty(say, [turn] * 40, notes, "/bug")
    yield "arranged", duty.arranged(say, text, [(shift, index % 2 == 0) for index, shift in enumerate(shifts * 9)])
    left = duty.HandOver(
        project=text,
        until=AT,
        count=400,
        oldest=timedelta(days=90),
        untaken=3,
        wanted=1,
        issues=(an_issue(text, wanted=True), *[an_issue(text)] * 30),
    )
    yield "hand-over", duty.on_duty(say, [left, duty.HandOver(project=text, until=None)] * 12)
    yield "one of mine", duty.yours(say, [an_issue(text)])
    yield "many of mine", duty.yours(say, [an_issue(text)] * 300)
    yield "everyone", duty.everyone(say, text, AT, ["U0LEO", "U0ZOE", text] * 30, left)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_message_is_taken_and_harmless(text: str) -> None:
    """Slack takes it, it has words without blocks, and nobody is called who is not meant."""
    for what, made in everything(SAY, text):
        assert problems(made.blocks) == [], what
        assert not any("<!" in one or "<@" in one for one in texts(made.blocks, "mrkdwn")), what
        assert 0 < parts.units(made.text) <= 3_000, what
        assert "<" not in made.text, what
        assert parts.size(made.blocks) <= 13_200, what


def test_a_hand_over_says_what_there_is() -> None:
    """How much, the oldest, what nobody acknowledged, what waits for an answer."""
    left = duty.HandOver(
        project="Web shop",
        until=None,
        count=2,
        oldest=timedelta(days=3),
        untaken=1,
        wanted=1,
        issues=(an_issue("Voucher", wanted=True),),
    )
    assert duty.on_duty(SAY, [left]).text.splitlines() == [
        "You are on duty for Web shop.",
        "2 issues are open, the oldest for 3 days. 1 is not acknowledged yet. 1 waits for your answer.",
        "○ Voucher Voucher · Filed · High · waits for your answer · 4 customers wait · 3 days",
    ]


def test_nothing_open_is_said_too() -> None:
    """A quiet day is good news."""
    made = duty.on_duty(SAY, [duty.HandOver(project="Web shop", until=None)])
    assert made.text == "You are on duty for Web shop.\nNo issue is open."
