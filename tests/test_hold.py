"""While a ticket waits for a developer it can stand on hold in the helpdesk; custom fields go where the policy lets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import House, said


def held(config: dict[str, Any]) -> None:
    config["write_backs"] = {"hold": True}


def status(house: House) -> str:
    return str(house.zendesk.ticket("4211")["status"])


def test_a_ticket_is_on_hold_until_there_is_something_to_write(make_house: Callable[..., House]) -> None:
    """From the flagging to the news, and again when the news is taken back."""
    house = make_house(held)
    house.flag()
    assert status(house) == "hold"
    house.mend()
    assert status(house) == "open"
    house.github.reopen_issue("acme/shop", 1, "leo-dev")
    house.poll()
    assert status(house) == "hold"


def test_a_question_opens_it_and_its_answer_holds_it_again(make_house: Callable[..., House]) -> None:
    """The agent has to write in between."""
    house = make_house(held)
    house.flag()
    house.press("U0LEO", "ask", channel="C0SUPPORTDEV")
    assert house.submit("U0LEO", question="Which browser?") == {}
    assert status(house) == "open"
    house.pass_time(minutes=3)
    assert house.write_back(reply="Quel navigateur ?") == {}
    assert status(house) == "hold"


def test_what_an_agent_solved_stays_solved(make_house: Callable[..., House]) -> None:
    """The helpdesk's own word counts."""
    house = make_house(held)
    house.flag()
    house.zendesk.set_status("4211", "solved")
    house.mend()
    assert status(house) == "solved"


def test_nothing_is_held_unless_that_is_wanted(house: House) -> None:
    """Queues are the team's own."""
    house.flag()
    assert status(house) != "hold"


@pytest.mark.parametrize(("policy", "goes"), [("full", True), ("redacted", True), ("link_only", False)])
def test_named_fields_go_as_far_as_the_policy_lets_them(
    make_house: Callable[..., House], policy: str, goes: bool
) -> None:
    """The agent reads them in the form; the issue has them or not."""

    def change(config: dict[str, Any]) -> None:
        config["helpdesks"]["zendesk"]["fields"] = {"Subscription": "plan"}
        config["projects"][0]["privacy"] = policy

    house = make_house(change)
    seen = said(house.flag())
    field = "Subscription: "
    assert field in seen
    assert ("| Subscription |" in house.issue()["body"]) == goes
