"""Who has an issue, how bad it is, when to expect it, what it is the same as: from Slack and from the tracker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot import days
from tests.conftest import REPO, House
from tests.test_triage import bot_comments, comment

CARDS = "C0SUPPORTDEV"
TODAY = date(2026, 3, 2)  # a Monday


@pytest.fixture
def pair(make_house: Callable[..., House]) -> House:
    """A house with two Support Devs."""

    def change(config: dict[str, Any]) -> None:
        config["projects"][0]["support_devs"].append({"slack": "U0MAYA", "tracker": "maya-dev"})

    house = make_house(change)
    house.github.add_collaborator(REPO, "maya-dev")
    return house


def change(house: House, **values: Any) -> dict[str, str]:
    """Léo changes something on the card."""
    house.press("U0LEO", "change", CARDS)
    return house.submit("U0LEO", **values)


def assignees(house: House) -> list[str]:
    return [one["login"] for one in house.issue()["assignees"]]


# --- days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-12", date(2026, 3, 12)),
        ("2026-03-12, I hope", date(2026, 3, 12)),
        ("thursday", date(2026, 3, 5)),
        ("not before Thursday", date(2026, 3, 5)),
        ("jeudi", date(2026, 3, 5)),
        ("Monday", date(2026, 3, 9)),
        ("tomorrow", date(2026, 3, 3)),
        ("demain", date(2026, 3, 3)),
        ("2026-02-30", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_day_is_read(text: str, day: date | None) -> None:
    """ISO, weekdays in both languages, tomorrow; a weekday is never today."""
    assert days.day_in(text, TODAY) == day


def test_a_promise_is_shown_and_heard_once(house: House) -> None:
    """From the issue; the card has it, the agent hears it, and a doubled poll changes nothing."""
    house.flag()
    comment(house, "/promise thursday")
    house.poll()
    assert "Not before Thursday, March 5, 2026." in house.card()
    heard = [one for one in house.told() if "not before" in one]
    assert len(heard) == 1
    assert "Léo Martin says of acme/shop#1: not before Thursday, 5 March 2026." in heard[0]


def test_a_promise_from_slack_can_be_taken_back(house: House) -> None:
    """By leaving the day empty."""
    house.flag()
    assert change(house, date="2026-03-12") == {}
    assert "Not before Thursday, March 12, 2026." in house.card()
    assert change(house, date=None) == {}
    assert "Not before" not in house.card()
    assert len([one for one in house.told() if "not before" in one]) == 1


def test_tomorrow_is_the_day_after_it_was_said_where_it_was_said(house: House) -> None:
    """On Monday afternoon in California, while it is Tuesday in UTC; also where the comment is read a day later."""
    house.slack.workspace.people["U0LEO"]["tz"] = "America/Los_Angeles"
    house.flag()
    house.clock.advance(datetime(2026, 3, 3, 1, tzinfo=UTC) - house.clock.now())
    comment(house, "/promise tomorrow")
    assert "Not before Tuesday, March 3, 2026." in house.card()
    assert change(house, date="2026-03-04") == {}
    assert change(house, date="2026-03-03") == {}
    house.clock.advance(timedelta(minutes=1))
    house.github.comment(REPO, 1, "leo-dev", "/promise thursday")
    house.clock.advance(timedelta(days=3))
    house.poll()
    assert "That day is not to come." in bot_comments(house)[-1]
    assert "March 12" not in house.card()


def test_days_that_are_over_are_refused(house: House) -> None:
    """In Slack under the field, in the issue by an answer."""
    house.flag()
    assert "That day is not to come." in change(house, date="2026-03-01")["date"]
    comment(house, "/promise 2020-01-01")
    assert "That day is not to come." in bot_comments(house)[-1]
    comment(house, "/promise soon")
    assert "I do not read a day in that." in bot_comments(house)[-1]


def test_a_day_that_is_over_is_reminded_of_once(house: House) -> None:
    """In the Support Dev's own working hours, never before, and not when it shipped."""
    house.flag()
    comment(house, "/promise tomorrow")
    for moment in (datetime(2026, 3, 3, 12, tzinfo=UTC), datetime(2026, 3, 4, 3, tzinfo=UTC)):
        house.clock.advance(moment - house.clock.now())
        house.bot.schedule.tick_reminders()
        house.settle()
        assert not [one for one in house.told("U0LEO") if "You named" in one]
    for _ in range(3):
        house.clock.advance(datetime(2026, 3, 4, 10, tzinfo=UTC) - house.clock.now())
        house.bot.schedule.tick_reminders()
        house.settle()
    [told] = [one for one in house.told("U0LEO") if "You named" in one]
    assert "It has not shipped; agents would like to know more." in told


# --- who has it -------------------------------------------------------------------------------------------------------


def test_acknowledging_takes_it(pair: House) -> None:
    """The card names who has it, the tracker too."""
    pair.flag()
    pair.press("U0MAYA", "acknowledge", CARDS)
    assert "Assigned to Maya" in pair.card()
    assert assignees(pair) == ["maya-dev"]


def test_handing_over_tells_the_other(pair: House) -> None:
    """And nobody else."""
    pair.flag()
    assert change(pair, support_dev="U0MAYA") == {}
    assert "handed acme/shop#1 to you" in pair.told("U0MAYA")[-1]
    assert assignees(pair) == ["maya-dev"]
    assert not [one for one in pair.told("U0LEO") if "handed" in one]


def test_assigning_in_the_tracker_is_the_same(pair: House) -> None:
    """Whoever is assigned there has it here."""
    pair.flag()
    pair.github.edit_issue(REPO, 1, "leo-dev", {"assignees": ["maya-dev"]})
    pair.poll()
    assert "Assigned to Maya" in pair.card()
    assert assignees(pair) == ["maya-dev"]


# --- how bad, and where -----------------------------------------------------------------------------------------------


def test_severity_from_both_sides(house: House) -> None:
    """The card shows it."""
    house.flag()
    assert change(house, severity="critical") == {}
    assert "Critical" in house.card()
    comment(house, "/severity low")
    assert "Low" in house.card()
    comment(house, "/severity terrible")
    assert "Write critical, high, normal or low after it." in bot_comments(house)[-1]


def test_the_same_as_another(house: House) -> None:
    """The tracker closes it as a duplicate, its customers wait on the other, and its agent hears so once."""
    house.flag()
    house.flag("U0BEN", "4212", title="VAT is rounded twice")
    house.press("U0LEO", "change", CARDS)
    view = house.slack.views("U0LEO")[-1]
    [first] = [one for one in house.slack.suggest(view["id"], "similar", "VAT wrong") if "#1" in one["text"]["text"]]
    assert house.submit("U0LEO", similar=first["value"]) == {}
    house.poll()
    assert (house.issue(2)["state"], house.issue(2)["state_reason"]) == ("closed", "duplicate")
    assert "2 customers wait" in str(house.cards()[0])
    assert len([one for one in house.told("U0BEN") if "followed in acme/shop#1 now" in one]) == 1


def test_an_issue_is_not_the_same_as_itself(house: House) -> None:
    """It says so, and changes nothing."""
    house.flag()
    house.flag("U0BEN", "4212", title="VAT is rounded twice")
    house.press("U0LEO", "change", CARDS)
    view = house.slack.views("U0LEO")[-1]
    [own] = [one for one in house.slack.suggest(view["id"], "similar", "rounded") if "#2" in one["text"]["text"]]
    assert house.submit("U0LEO", similar=own["value"], severity="high") == {
        "date": "It is this very issue. Choose another one."
    }
    assert "Normal" in house.card()


def test_carrying_by_a_comment(make_house: Callable[..., House]) -> None:
    """To another project, on another tracker; a project that is not there is answered."""
    house = make_house(gitlab=True)
    house.flag()
    comment(house, "/carry nowhere")
    assert "There is no project nowhere here. Write one of: app." in bot_comments(house)[-1]
    comment(house, "/carry app")
    house.poll()
    assert house.issue()["state"] == "closed"
    assert "acme/shop-app#" in house.card()
