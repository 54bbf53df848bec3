"""What a digest counts: what came, came back and left, and for how long customers wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.model import Stage
from bot.slack.views.digest import Narrowed, narrowed_to
from bot.store.tables import Escalation, History, Issue
from bot.texts import Say
from tests.conftest import REPO
from tests.test_digest import CHANNEL, Make, add, configured, digest, morning, section


def test_an_issue_that_came_back_is_news(make_house: Make) -> None:
    """It counts beside what is new, and says why: opened again, or rolled back."""
    house = make_house(configured({"channel": CHANNEL}))
    for number, stage, what in ((1, Stage.ACKNOWLEDGED, "reopened"), (2, Stage.FIXED, "taken_back")):
        issue = add(house, number, stage=stage)
        with house.bot.store.write() as session:
            session.add(History(issue_id=issue, at=house.clock.now() - timedelta(hours=2), what=what))
    morning(house)
    text = digest(house)
    assert "Since Sunday, 9:00 AM, 0 issues came, 2 came back, and 0 left the list." in text
    back = section(text, "New: 0 · 2 came back")
    assert "shop#1 Bug 1 · opened again" in back
    assert "shop#2 Bug 2 · no longer live" in back


def test_what_was_opened_again_before_a_digest_and_heard_of_after_it_is_in_the_next(make_house: Make) -> None:
    """No webhook came: the tracker dates it before the digest that could not know of it."""
    house = make_house(configured({"channel": CHANNEL}))
    house.flag()
    house.mend()
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.clock.advance(timedelta(minutes=2))
    morning(house)
    house.poll()
    house.clock.advance(timedelta(days=1))
    morning(house)
    assert "1 came back" in digest(house)


@pytest.mark.parametrize(("days", "words"), [(1, ""), (5, "promised for"), (-1, "overdue: promised for")])
def test_a_promise_that_was_kept_is_not_overdue(make_house: Make, days: int, words: str) -> None:
    """It shipped by that day, and was opened again after it: nobody named a day for that. A day that is to come holds,
    and what shipped too late stays late."""
    house = make_house(configured({"channel": CHANNEL}))
    house.flag()
    with house.bot.store.write() as session:
        session.execute(sa.update(Issue).values(promised_on=house.clock.now().date() + timedelta(days=days)))
    house.mend()
    house.clock.advance(timedelta(days=3))
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    morning(house)
    text = digest(house)
    assert "1 open issue" in text
    assert words in text
    assert ("promised for" in text) == bool(words)
    assert ("overdue" in text) == ("overdue" in words)


def test_what_goes_to_another_project_is_new_there_alone(make_house: Make) -> None:
    """It was flagged two days before: who looks at all projects knows it."""
    app = {"name": "app", "channel": CHANNEL, "projects": ["app"]}
    house = make_house(configured({"channel": CHANNEL}, app), gitlab=True)
    house.flag(project="shop")
    house.clock.advance(timedelta(days=2))
    morning(house)
    house.clock.advance(timedelta(hours=1))
    house.press("U0LEO", "carry", "C0SUPPORTDEV")
    house.submit("U0LEO", project="app")
    house.clock.advance(timedelta(hours=23))
    morning(house)
    assert "Nothing came and nothing left since" in digest(house)
    morning(house, "app")
    assert "New: 1" in digest(house)


def test_no_project_is_left_out_silently() -> None:
    """Of many, five are named, and the rest is counted."""
    names = tuple(f"Shop {letter}" for letter in "abcdefg")
    [[line]] = narrowed_to(Say(), Narrowed(projects=names))
    assert line == "Only: Shop a · Shop b · Shop c · Shop d · Shop e · 2 others"


def test_what_came_and_went_again_came(make_house: Make) -> None:
    """Flagged and mended between two digests: one issue came, and one left the list."""
    house = make_house(configured({"channel": CHANNEL}))
    now = house.clock.now()
    add(house, 1)
    add(house, 2, stage=Stage.SHIPPED, stage_since=now - timedelta(hours=1), created_at=now - timedelta(hours=3))
    morning(house)
    assert "Since Sunday, 9:00 AM, 1 issue came and 1 left the list." in digest(house)
    assert "New:" not in digest(house)


def test_a_customer_who_is_owed_two_answers_is_one_customer(make_house: Make) -> None:
    """A question and a workaround wait for the same person to be written to."""
    house = make_house(configured({"channel": CHANNEL}))
    house.flag()
    house.press("U0LEO", "ask", "C0SUPPORTDEV")
    house.submit("U0LEO", question="Which country?")
    house.press("U0LEO", "workaround", "C0SUPPORTDEV")
    house.submit("U0LEO", text="Choose Germany")
    morning(house)
    assert "Ana Moreau: 1, " in section(digest(house), "To write back to: 1 customer")


def test_who_waits_longest_is_so_on_whichever_issue_they_are(make_house: Make) -> None:
    """Their first issue was closed as the same as a new one: they wait since they were flagged."""
    house = make_house(configured({"channel": CHANNEL}))
    now = house.clock.now()
    for number in range(1, 4):
        add(house, number, created_at=now - timedelta(days=20 + number))
    add(house, 4, created_at=now - timedelta(days=2))
    with house.bot.store.write() as session:
        theirs = sa.select(Issue.id).where(Issue.number == 4).scalar_subquery()
        old = sa.update(Escalation).where(Escalation.issue_id == theirs)
        session.execute(old.values(flagged_at=now - timedelta(days=60)))
    morning(house)
    assert "shop#4 Bug 4 · 1 customer · 2 months · " in section(digest(house), "Waiting longest").splitlines()[1]
