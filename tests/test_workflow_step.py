"""The step in Workflow Builder: a workflow flags a ticket, and goes on when the issue is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House
from tests.test_people import allowing

INPUTS = {"ticket": "4211", "title": "VAT is wrong on invoices", "summary": "Only in Belgium.", "person": "U0ANA"}


def run(house: House, **inputs: Any) -> dict[str, Any]:
    """Let a workflow reach the step, and all that follows happen; how the step ended."""
    execution = house.slack.run_step("flag_ticket", {**INPUTS, **inputs})
    house.settle()
    return house.slack.execution(execution)


def test_the_step_files_the_issue_and_hands_its_address_on(house: House) -> None:
    """As if Ana had flagged it: the issue is hers, she hears of it, and the workflow can use its address."""
    ended = run(house)
    issue = house.issue()
    assert ended["state"] == "completed"
    assert ended["outputs"]["issue_url"] == issue["html_url"]
    assert len(ended["outputs"]["escalation"]) == 16
    assert issue["title"] == "VAT is wrong on invoices"
    assert issue["body"].startswith("Only in Belgium.")
    assert "Flagged by Ana Moreau" in issue["body"]
    assert "Filed as acme/shop#1 for ticket 4211." in house.told()[-1]


def test_a_repeated_event_is_the_same_step(house: House) -> None:
    """Slack sends it again when it heard no answer; one execution makes one issue."""
    house.slack.delivery.events_url, url = None, house.slack.delivery.events_url
    execution = house.slack.run_step("flag_ticket", INPUTS)
    house.slack.delivery.events_url = url
    event = {"type": "function_executed", "function": {"callback_id": "flag_ticket"}, "inputs": INPUTS}
    for retry in range(3):
        answer = house.slack.event({**event, "function_execution_id": execution}, event_id="Ev1", retry=retry)
        assert answer.ok
        house.settle()
    assert house.slack.execution(execution)["state"] == "completed"
    assert len(house.github.issues(REPO)) == 1
    assert len(house.slack.wire.calls_to("POST", "/api/functions.completeSuccess")) == 1


def test_the_tracker_away_only_delays_it(house: House) -> None:
    """The workflow waits with us, and gets its address when there is one."""
    house.github.wire.faults.append(Fault("refuse", method="POST", path="/issues$", times=2))
    execution = house.slack.run_step("flag_ticket", INPUTS)
    house.settle()
    assert house.slack.execution(execution)["state"] == "running"
    for _ in range(3):
        house.pass_time(minutes=10)
    assert house.slack.execution(execution)["state"] == "completed"
    assert len(house.github.issues(REPO)) == 1


def test_a_ticket_that_is_carried_already_ends_at_its_issue(house: House) -> None:
    """The step's person follows it, as they would from the modal."""
    house.flag("U0BEN")
    assert run(house)["outputs"]["issue_url"] == house.issue()["html_url"]
    assert len(house.github.issues(REPO)) == 1
    assert "Ben Okafor already carried ticket 4211" in house.told()[-1]


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"person": "U0GUEST"}, "The person of this step may not flag tickets. Choose somebody of the support team."),
        ({"person": ""}, "The person of this step may not flag tickets. Choose somebody of the support team."),
        ({"ticket": "999999"}, "Zendesk has no ticket “999999”."),
        ({"ticket": "nonsense"}, "Zendesk has no ticket “nonsense”."),
        ({"ticket": None}, "Zendesk has no ticket “”."),
        ({"title": ""}, "Say in one line what goes wrong."),
        ({"project": "atlantis"}, "The project atlantis is no longer in the configuration."),
    ],
)
def test_what_cannot_be_flagged_stops_the_workflow_with_a_sentence(
    house: House, inputs: dict[str, Any], sentence: str
) -> None:
    """Nobody looks at a form here, so the workflow's people read why."""
    ended = run(house, **inputs)
    assert ended["state"] == "failed"
    assert ended["error"].startswith(sentence)
    assert house.github.issues(REPO) == []


def test_who_may_flag_holds_here_too(make_house: Callable[..., House]) -> None:
    """A workflow is no way round the list of agents."""
    house = make_house(allowing("U0BEN"))
    assert run(house)["state"] == "failed"
    assert run(house, person="U0BEN")["state"] == "completed"


def test_the_policy_holds_here_too(house: House) -> None:
    """What a workflow collected in a form goes through the same redaction as what a person types."""
    run(house, summary="Camille Roux (06 12 34 56 78) waits.")
    assert "06 12 34 56 78" not in house.issue()["body"]
    assert "Camille Roux" not in house.issue()["body"]


def test_a_workflow_that_was_stopped_meanwhile_is_no_trouble(house: House) -> None:
    """The ticket is flagged all the same, and nothing is left undone."""
    execution = house.slack.run_step("flag_ticket", INPUTS)
    with house.slack.workspace.change():
        house.slack.workspace.executions[execution]["state"] = "cancelled"
    house.settle()
    assert len(house.github.issues(REPO)) == 1
    house.retry_dead_letters()
    assert len(house.slack.wire.calls_to("POST", "/api/functions.completeSuccess")) == 1
