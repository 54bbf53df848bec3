"""Idle, in a burst, or with its webhooks lost: the bot asks little, tells each agent once, and ends with what is so."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.model import Stage
from integrations.sandbox.wire import Call
from tests.conftest import House
from tests.crowd import CONTINUOUSLY, Build, Town, asked, calls, crowded, trackers

# --- while nothing happens --------------------------------------------------------------------------------------------

POLICIES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "released": ({"shipped_when": "released"}, {"issues", "releases"}),
    "tags too": ({"shipped_when": "released", "bare_tags": True}, {"issues", "releases", "tags"}),
    "merged": ({"shipped_when": "merged"}, {"issues", "commits"}),
    "deployed": ({"shipped_when": "deployed", "environment": "production"}, {"issues", "deployments production"}),
    "regions": (
        {"shipped_when": "deployed", "environment": ["eu", "us"]},
        {"issues", "deployments eu", "deployments us"},
    ),
}


@trackers
@pytest.mark.parametrize("policy", POLICIES)
def test_an_idle_round_is_one_conditional_request_for_each_resource(
    make_house: Build, tracker: str, policy: str
) -> None:
    """Answered 304, which GitHub does not count; round after round, while twenty issues wait. GitLab lists merge
    requests apart from issues, so these are two."""
    options, resources = POLICIES[policy]
    resources = resources | ({"merge_requests"} if tracker == "gitlab" else set())
    town = crowded(make_house, tracker, 20, **options)
    town.hosting.branch("next")
    for place in ("production", "eu", "us"):
        town.hosting.deploy(place)
    town.wait(town.merge(base="next"))
    for _ in range(3):
        made = town.hear()
        assert [call.status for call in made] == [304] * len(resources)
        assert {named(call) for call in made} == resources
    assert town.are(Stage.FIXED)


def named(call: Call) -> str:
    """The list that a poll asks for, with its environment."""
    environment = re.search(r"environment=(\w+)", call.query)
    return call.path.rpartition("/")[2] + (f" {environment[1]}" if environment else "")


# --- fifty deployments in a minute ------------------------------------------------------------------------------------

BURST = 50

EACH = 2
"""Requests for each delivery, at most: the list of deployments, and the statuses of the newest."""

REST = {"github": 8, "gitlab": 8 + 4}
"""Those that are made once, however many deployments: polls, a comparison, and whether an issue was touched. On GitLab
each look at the issues is two, and each comparison that finds nothing."""


def burst(town: Town, rolled_back: bool, each: Callable[[], object]) -> None:
    """Each deployment brings one commit more, the third one the fixes; the last one may take all of them back."""
    town.hosting.deploy("production")
    before = town.hosting.commit("main", "The state of things")
    town.house.settle()
    town.wait(town.merge(timedelta(0)))
    for number in range(BURST):
        last = rolled_back and number == BURST - 1
        town.hosting.commit("main", f"Work {number}")
        town.deploy(before if number < 2 or last else "main")
        each()


@pytest.mark.parametrize(
    ("tracker", "lost", "rolled_back"),
    [
        *(("github", lost, rolled_back) for lost in (False, True) for rolled_back in (False, True)),
        ("gitlab", False, True),
        ("gitlab", True, False),
    ],
)
def test_fifty_deployments_at_once_are_one_comparison(
    make_house: Build, tracker: str, lost: bool, rolled_back: bool
) -> None:
    """Told by webhooks, or by the next poll, which looks once. What runs in the end is what counts, and each agent has
    one message, or none when nothing is out."""
    town = crowded(make_house, tracker, 4, **CONTINUOUSLY)
    if not lost:
        town.house.hear_webhooks()
    burst(town, rolled_back, lambda: None)
    compared, others = asked(calls(town.hosting, town.house.poll if lost else town.house.settle))
    assert compared == 1
    assert sum(others.values()) <= REST[tracker] + (0 if lost else EACH * BURST)
    assert town.are(Stage.FIXED if rolled_back else Stage.SHIPPED)
    assert town.messages() == ([0, 0] if rolled_back else [1, 1])


@pytest.mark.parametrize(("tracker", "rolled_back"), [("github", False), ("github", True), ("gitlab", True)])
def test_fifty_deployments_one_by_one_are_a_comparison_each(make_house: Build, tracker: str, rolled_back: bool) -> None:
    """A worker that keeps up asks three requests for each, whatever waits; agents hear of the first with the fix."""
    town = crowded(make_house, tracker, 4, **CONTINUOUSLY)
    town.house.hear_webhooks()
    compared, others = asked(calls(town.hosting, lambda: burst(town, rolled_back, town.house.settle)))
    assert compared <= BURST + 2
    assert sum(others.values()) <= EACH * (BURST + 1) + REST[tracker]
    assert town.are(Stage.FIXED if rolled_back else Stage.SHIPPED)
    assert town.messages() == [1, 1]


# --- webhooks that never came -----------------------------------------------------------------------------------------


@trackers
def test_what_no_webhook_told_is_found_within_a_minute(make_house: Build, tracker: str) -> None:
    """At the defaults: a release is told by the next poll."""

    def as_it_comes(change: Callable[[dict[str, Any]], None]) -> House:
        return make_house(lambda config: (config.pop("timing"), change(config)))

    town = crowded(as_it_comes, tracker, 4)
    town.house.hear_webhooks()
    town.wait(town.merge())
    town.house.github.hold_webhooks = town.house.gitlab.hold_webhooks = True
    town.publish("v3.0.0")
    published = town.house.clock.now()
    while not town.are(Stage.SHIPPED):
        town.house.pass_time(seconds=5)
        assert town.house.clock.now() - published <= timedelta(minutes=1), "a minute is over"
    assert town.messages() == [1, 1]
