"""The Support Dev's morning: their queue, what changed, and whose answer they wait for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from bot.model import Severity, Stage
from bot.store.tables import History
from tests.conftest import House, said
from tests.test_digest import Make, add, buttons, configured, morning, plain


def queued(make_house: Make, **more: Any) -> House:
    return make_house(configured({"name": "queue", "about": "queue", **more}))


def test_the_queue_is_in_the_order_that_helps(make_house: Make) -> None:
    """Customers times severity times age; and the Home tab has the same order."""
    house = queued(make_house)
    now = house.clock.now()
    add(house, 1, 1, severity=Severity.LOW, created_at=now - timedelta(days=30))
    add(house, 2, 2, severity=Severity.NORMAL, created_at=now - timedelta(days=10))
    add(house, 3, 1, severity=Severity.CRITICAL, created_at=now - timedelta(days=10))
    add(house, 4, 3, severity=Severity.HIGH, created_at=now - timedelta(days=1), stage=Stage.ACKNOWLEDGED)
    morning(house, "queue")
    [told] = house.slack.dm("U0LEO")
    text = plain(told)
    assert text.startswith("Your queue: 4 issues\n7 customers wait. Nothing changed since Sunday, 09:00.")
    order = [number for _, number in sorted((text.index(f"shop#{number} "), number) for number in range(1, 5))]
    assert order == [3, 2, 1, 4]  # 80, 40, 30 and 12 customer-days
    assert [one["action_id"] for one in buttons(told)].count("acknowledge") == 3
    house.slack.open_home("U0LEO")
    house.bot.listeners.settle()
    tab = house.slack.workspace.homes["U0LEO"]
    house.slack.press_in_view(tab.data["id"], "home_queue")
    house.bot.listeners.settle()
    home = said(house.slack.workspace.homes["U0LEO"].shown())
    assert sorted(order, key=lambda number: home.index(f"shop#{number} ")) == order


def test_the_morning_says_what_changed_and_whose_answer_is_awaited(make_house: Make) -> None:
    """New, answered, opened again and due today; and who was asked what nobody answered."""
    house = queued(make_house)
    house.flag("U0ANA", "4211")
    morning(house, "queue")
    house.clock.advance(timedelta(hours=3))
    house.press("U0LEO", "ask", "C0SUPPORTDEV")
    house.submit("U0LEO", question="Which country?")
    now = house.clock.now()
    add(house, 51, created_at=now)
    add(house, 52, stage=Stage.ACKNOWLEDGED, promised_on=date(2026, 3, 3))
    house.clock.advance(timedelta(hours=21))
    morning(house, "queue")
    text = house.told("U0LEO")[-1]
    assert "1 new" in text
    assert "promised for today" in text
    assert "Waiting for an answer: 1" in text
    assert "from Ana Moreau, for 1 day" in text
    house.clock.advance(timedelta(minutes=1))
    house.press("U0ANA", "answer")
    house.submit("U0ANA", text="Belgium")
    house.clock.advance(timedelta(days=1))
    morning(house, "queue")
    text = house.told("U0LEO")[-1]
    assert "1 question answered" in text
    assert "answered by Ana Moreau" in text
    assert "Waiting for an answer" not in text


def test_an_answer_is_awaited_since_the_first_question_that_has_none(make_house: Make) -> None:
    """Another question about the same issue is no reason to wait anew."""
    house = queued(make_house)
    house.bot.schedule.tick_polls()
    house.flag("U0ANA", "4211")
    for question in ("Which country?", "Which browser?"):
        house.press("U0LEO", "ask", "C0SUPPORTDEV")
        house.submit("U0LEO", question=question)
        house.clock.advance(timedelta(days=2))
    morning(house, "queue")
    assert "from Ana Moreau, for 4 days" in house.told("U0LEO")[-1]


def test_acknowledging_in_the_morning_acknowledges(make_house: Make) -> None:
    """The button in the message does what the card's does."""
    house = queued(make_house)
    house.flag("U0ANA", "4211")
    morning(house, "queue")
    house.press("U0LEO", "acknowledge")
    assert "In hand" in house.card()


def test_an_empty_queue_is_said_when_it_became_empty_and_not_again(make_house: Make) -> None:
    """One warm line, then silence until something happens."""
    house = queued(make_house)
    morning(house, "queue")
    house.clock.advance(timedelta(days=1))
    morning(house, "queue")
    assert len(house.slack.dm("U0LEO")) == 1
    assert "Your queue is empty: no customer waits for you." in house.told("U0LEO")[0]
    add(house, 1, stage=Stage.SHIPPED, stage_since=house.clock.now() + timedelta(hours=1))
    house.clock.advance(timedelta(days=1))
    morning(house, "queue")
    text = house.told("U0LEO")[-1]
    assert "Your queue is empty: no customer waits for you. Since Monday, 09:00: 1 shipped." in text


def test_an_empty_queue_of_a_channel_is_nobodys_own(make_house: Make) -> None:
    """Who reads it there is not told that nobody waits for them."""
    house = queued(make_house, channel="C0SUPPORT")
    morning(house, "queue")
    [told] = [one for one in house.slack.messages("C0SUPPORT") if one.get("bot_id")]
    assert plain(told) == "No customer waits for an issue. The queue is empty."


def test_a_queue_of_some_issues_says_so(make_house: Make) -> None:
    """Nobody waits for a critical issue; somebody does for another, and no line says otherwise."""
    house = queued(make_house, severities=["critical"])
    add(house, 1)
    morning(house, "queue")
    assert "Only: Critical" in plain(house.slack.dm("U0LEO")[0])
    add(house, 2, severity=Severity.CRITICAL)
    house.clock.advance(timedelta(days=1))
    morning(house, "queue")
    told = plain(house.slack.dm("U0LEO")[-1])
    assert "shop#2" in told
    assert "Only: Critical" in told


def test_each_happening_is_counted(make_house: Make) -> None:
    """Answered after it was opened again, and answered twice: all of it happened."""
    house = queued(make_house)
    issue = add(house, 1)
    with house.bot.store.write() as session:
        for hours, what in ((5, "reopened"), (4, "answered"), (3, "answered")):
            session.add(History(issue_id=issue, at=house.clock.now() - timedelta(hours=hours), what=what))
    morning(house, "queue")
    assert "2 questions answered and 1 came back." in plain(house.slack.dm("U0LEO")[0])


def test_each_support_dev_has_what_is_in_their_hands(make_house: Make) -> None:
    """Two of them: each their own; what nobody of them has is for who is on duty."""

    def two(config: dict[str, Any]) -> None:
        configured({"name": "queue", "about": "queue"})(config)
        config["projects"][0]["support_devs"].append({"slack": "U0MAYA", "tracker": "maya-dev"})

    house = make_house(two)
    add(house, 1, support_dev="U0LEO")
    add(house, 2, support_dev="U0MAYA")
    add(house, 3, support_dev="U0GONE")
    morning(house, "queue")
    leo, maya = house.told("U0LEO")[-1], house.told("U0MAYA")[-1]
    assert ("shop#1" in leo, "shop#2" in leo, "shop#3" in leo) == (True, False, True)
    assert ("shop#1" in maya, "shop#2" in maya, "shop#3" in maya) == (False, True, False)


def test_a_queue_in_a_channel_is_everybodys(make_house: Make) -> None:
    """All that is open stands there, and behind its button too, whoever presses."""
    house = queued(make_house, channel="C0SUPPORT")
    add(house, 1, support_dev="U0LEO")
    add(house, 2, support_dev="U0GONE")
    morning(house, "queue")
    [told] = [one for one in house.slack.messages("C0SUPPORT") if one.get("bot_id")]
    assert plain(told).startswith("2 issues in the queue")
    house.press("U0LEO", "digest_list", "C0SUPPORT")
    assert "shop#2" in house.modal("U0LEO")
