"""Reminders at their edges: outages that outlast a promise, duty that changed hands, who joined late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import yaml

from bot.model import Kind, Severity, Stage
from bot.store.tables import Escalation, Issue, Ticket
from integrations.sandbox.wire import Fault
from tests.conftest import House
from tests.test_reminders import CARDS, at, march, reminders, reminding
from tests.test_talk import ask, join

__all__ = ["reminding"]

Build = Callable[..., House]


def test_an_outage_longer_than_a_promise_is_kept_forgets_nothing(reminding: Build) -> None:
    """Slack refuses the token over a long weekend and more: what still waits is brought up once it does not."""
    house = reminding()
    house.flag()
    house.slack.wire.faults.append(
        Fault("refuse", "POST", "", 200, body={"ok": False, "error": "token_revoked"}, times=None)
    )
    for hours in range(0, 24 * 5, 8):
        at(house, march(3, 9) + timedelta(hours=hours))
    house.slack.wire.faults.clear()
    at(house, march(9, 9))
    at(house, march(9, 9, 30))
    assert len(reminders(house, "U0LEO")) == 1
    house.retry_dead_letters()
    at(house, march(9, 10))
    assert len(reminders(house, "U0LEO")) == 1


def test_what_slack_refuses_is_tried_again_the_next_day(reminding: Build) -> None:
    """The app was not let write to people: one try a day, until it is."""
    house = reminding()
    house.flag()
    refused = {"ok": False, "error": "messages_tab_disabled"}
    house.slack.wire.faults.append(Fault("refuse", "POST", "chat.postMessage", 200, refused, times=None))
    before = len(house.slack.wire.calls_to("POST", "/api/chat.postMessage"))
    for hour in (9, 10, 11, 15):
        at(house, march(3, hour))
    assert len(house.slack.wire.calls_to("POST", "/api/chat.postMessage")) - before == 1
    house.slack.wire.faults.clear()
    at(house, march(4, 8))
    assert reminders(house, "U0LEO") == []
    for hour in (9, 10, 15):
        at(house, march(4, hour))
    assert len(reminders(house, "U0LEO")) == 1


def test_a_lead_reads_who_was_reminded(reminding: Build) -> None:
    """And not who has the duty by now, and was not."""

    def rotate(config: dict[str, Any]) -> None:
        devs = [{"slack": "U0LEO", "tracker": "leo-dev"}, {"slack": "U0BEN", "tracker": "ben-dev"}]
        config["projects"][0] |= {"rotation": "daily", "support_devs": devs}

    house = reminding(change=rotate)
    house.flag()
    at(house, march(3, 10))
    assert (len(reminders(house, "U0LEO")), len(reminders(house, "U0BEN"))) == (0, 1)
    at(house, march(4, 11))
    [lead] = reminders(house, "U0MAYA")
    assert "I have reminded Ben Okafor." in lead


def test_without_leads_the_other_support_devs_hear(reminding: Build) -> None:
    """Léo, who has what is new, left, and nobody is a lead: Ben hears of it, once, and takes it."""

    def crew(config: dict[str, Any]) -> None:
        devs = [{"slack": "U0LEO", "tracker": "leo-dev"}, {"slack": "U0BEN", "tracker": "ben-dev"}]
        config["projects"][0]["support_devs"] = devs
        config["slack"].pop("leads")

    house = reminding(change=crew)
    house.flag()
    house.slack.leave("U0LEO")
    for hour in (9, 10, 12):
        at(house, march(3, hour))
    at(house, march(6))
    [told] = reminders(house, "U0BEN")
    assert "nobody has taken it yet.\nI cannot reach Léo Martin in Slack." in told
    house.press("U0BEN", "acknowledge")
    assert "In hand" in house.card()


def test_who_joins_after_all_others_heard_is_asked_too(reminding: Build) -> None:
    """A question that Ana and the lead were reminded of waits for Ben as well, who comes days later."""
    house = reminding(triage_after=None)
    house.flag()
    house.press("U0LEO", "acknowledge", CARDS)
    ask(house)
    at(house, march(2, 14))
    at(house, march(3, 15))
    assert len(reminders(house, "U0ANA")) == len(reminders(house, "U0MAYA")) == 1
    at(house, march(4, 9))
    join(house)
    at(house, march(4, 12))
    assert reminders(house, "U0BEN") == []
    for hour in (14, 15, 16):
        at(house, march(4, hour))
    [told] = reminders(house, "U0BEN")
    assert "nobody has answered yet" in told
    assert len(reminders(house, "U0ANA")) == 1


def test_who_is_given_a_customer_is_asked_what_support_was_asked(reminding: Build) -> None:
    """Ana and the lead were reminded of the question; Ben has the customer now, and as much time as she had."""
    house = reminding(triage_after=None)
    house.flag()
    house.press("U0LEO", "acknowledge", CARDS)
    ask(house)
    at(house, march(2, 14))
    at(house, march(3, 15))
    at(house, march(4, 9))
    house.press("U0ANA", "hand_over")
    assert house.submit(to="U0BEN") == {}
    at(house, march(4, 12))
    assert reminders(house, "U0BEN") == []
    for hour in (14, 15):
        at(house, march(4, hour))
    assert len(reminders(house, "U0BEN")) == len(reminders(house, "U0ANA")) == len(reminders(house, "U0MAYA")) == 1


def test_nobody_reads_that_they_named_a_day_which_another_did(reminding: Build) -> None:
    """Ben named it and is no Support Dev any more: Léo, who has the issue, reads who did."""

    def crew(config: dict[str, Any]) -> None:
        devs = [{"slack": "U0LEO", "tracker": "leo-dev"}, {"slack": "U0BEN", "tracker": "ben-dev"}]
        config["projects"][0]["support_devs"] = devs

    house = reminding(change=crew)
    house.flag()
    house.press("U0BEN", "change", CARDS)
    assert house.submit("U0BEN", date="2026-03-03") == {}
    file = house.folder / "passerelle.yaml"
    config = yaml.safe_load(file.read_text())
    config["projects"][0]["support_devs"].pop()
    file.write_text(yaml.safe_dump(config))
    house.stop_bot()
    house.bot = house.start_bot()
    at(house, march(4))
    named = "Tuesday, 3 March 2026 was named for acme/shop#1 by Ben Okafor. It has not shipped."
    assert named in "\n".join(reminders(house, "U0LEO"))
    at(house, march(9, 10))
    assert named in reminders(house, "U0MAYA")[-1]


def test_news_is_as_old_as_it_is_also_after_a_hand_over(reminding: Build) -> None:
    """The lead reads since when the customer could have heard it; the new agent since when it is theirs."""
    house = reminding()
    house.flag()
    house.mend()
    at(house, march(3, 12))
    at(house, march(3, 13))
    house.press("U0ANA", "hand_over")
    assert house.submit(to="U0BEN") == {}
    at(house, march(6, 9))
    at(house, march(9, 10))
    lead = reminders(house, "U0MAYA")[-1]
    assert "which is 1 week old" in lead, lead


def test_hundreds_of_things_cost_few_questions_each(reminding: Build) -> None:
    """The message names the worst of them and counts the others, and is made long before its lease ends."""
    house, count = reminding(), 400
    with house.bot.store.write() as session:
        for number in range(count):
            stands = {"stage": Stage.FILED, "stage_since": house.clock.now(), "created_at": house.clock.now()}
            place = {"project": "shop", "tracker": "github", "repository": "acme/shop", "number": number + 900}
            facts = {"kind": Kind.BUG, "severity": Severity.LOW if number else Severity.CRITICAL, "channel": "C0X"}
            issue = Issue(title=f"Thing {number}", support_dev="U0LEO", **stands, **place, **facts)
            ticket = Ticket(waiting_since=house.clock.now())
            session.add(Escalation(ticket=ticket, issue=issue, agent="U0ANA", title="x", flagged_at=house.clock.now()))
    asked: list[object] = []
    sa.event.listen(house.bot.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    at(house, march(3))
    [told] = reminders(house, "U0LEO")
    assert "400 things wait for you\nThing 0" in told
    assert told.endswith("more.")
    assert len(asked) < 4 * count
    at(house, march(3, 9, 1))
    before = len(asked)
    house.bot.schedule.tick_reminders()
    assert len(asked) - before < 12
