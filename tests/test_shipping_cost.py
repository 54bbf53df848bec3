"""What proof costs: one release or deployment asks GitHub the same, however many issues wait for it.

Only the pages of a comparison grow, with the commits that are new: a hundred to a page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.bridge import examine
from bot.model import Stage
from bot.store.tables import Issue, Lane
from integrations.base import Fix
from integrations.sandbox.wire import Call
from tests import crowd
from tests.conftest import REPO, House

PAGE = 100
"""Commits on a page of a comparison."""

SECOND = timedelta(seconds=1)
POLLS = {"issues 304": 1, "releases 200": 1}


def asked(calls: Iterable[Call]) -> tuple[int, dict[str, int]]:
    """How many pages of comparisons were read, and what else was asked how often."""
    names: Counter[str] = Counter()
    for call in calls:
        what = call.path.removeprefix(f"/repos/{REPO}/")
        what = re.sub(r"^commits/tags/.*", "commits/tag", re.sub(r"\d+", "n", what))
        names["compare" if what.startswith("compare") else what if "/" in what else f"{what} {call.status}"] += 1
    return names.pop("compare", 0), dict(names)


def pages(commits: int) -> int:
    return max(1, -(-commits // PAGE))


class Town:
    """A house in which so many issues wait. Cards are held back, as by Slack's rate limit, when they are many."""

    def __init__(self, house: House, count: int) -> None:
        self.house, self.github, self.count = house, house.github, count
        self.numbers = crowd.issues(house, count)
        if count > 100:
            with house.bot.store.write() as session:
                session.add(Lane(name="slack:C0SUPPORTDEV", open_at=house.clock.now() + timedelta(days=1)))

    def merge(self, apart: timedelta = SECOND, backwards: bool = False) -> list[Fix]:
        """A pull request for each issue, merged one after the other; returns the fixes by issue."""
        pulls = crowd.pulls(self.house, self.numbers)
        fixes = []
        for number in reversed(pulls) if backwards else pulls:
            fixes.append(crowd.merge(self.house, number))
            self.house.clock.advance(apart)
        return fixes[::-1] if backwards else fixes

    def wait(self, *fixes: Sequence[Fix]) -> None:
        """The bot has seen all that is there, and each issue waits for its fix of each list."""
        self.house.poll()
        self.house.poll()
        crowd.wait(self.house, self.numbers, lambda place: [some[place] for some in fixes])

    def publish(self, tag: str, target: str = "main") -> None:
        self.house.clock.advance(SECOND)
        self.github.publish_release(REPO, tag, target=target)

    def deploy(self, ref: str = "main") -> None:
        self.house.clock.advance(SECOND)
        self.github.deploy(REPO, "production", ref)

    def hear(self) -> list[Call]:
        """What GitHub is asked by one poll and all that follows from it."""
        return crowd.calls(self.house, self.house.poll)

    def are(self, stage: Stage) -> bool:
        """Whether all issues are there."""
        with self.house.bot.store.read() as session:
            found = session.execute(sa.select(Issue.stage, sa.func.count()).group_by(Issue.stage)).all()
        return [tuple(row) for row in found] == [(stage, self.count)]

    def messages(self) -> list[int]:
        """How many messages each agent has."""
        return [len(self.house.told(agent)) for agent in crowd.AGENTS[: self.count]]

    def no_release_yet(self) -> None:
        for release in self.github.releases(REPO):
            self.github.delete_release(REPO, release["tag_name"])

    def look(self) -> tuple[int, int, int]:
        """One look at what is new: how many pages of comparisons it reads; how many issues ship by it, or fall back."""
        found: list[examine.Examined] = []
        calls = crowd.calls(self.house, lambda: found.append(examine.examine(self.house.bot.bridge, "shop")))
        last = [changes[-1] for changes in found[0].changes.values()]
        compared, others = asked(calls)
        assert sum(others.values()) <= 4, others
        assert len(found[0].waiting) == self.count, "an issue would be asked for by itself"
        return compared, sum(one.head is not None for one in last), sum(one.head is None for one in last)


def continuously(config: dict[str, Any]) -> None:
    config["projects"][0].update(shipped_when="deployed", environment="production")


Build = Callable[..., House]
crowds = pytest.mark.parametrize("count", [1, 100, 1000])
few_and_many = pytest.mark.parametrize("count", [1, 1000])

# --- the whole way ----------------------------------------------------------------------------------------------------


@crowds
def test_a_release_costs_one_comparison(house: House, count: int) -> None:
    """Beside the polls: the list, the two tags' commits, and once for all that ship whether any was touched since. Each
    agent has one message. Deleting it costs one comparison as well."""
    town = Town(house, count)
    town.publish("v1.0.0")
    town.wait(town.merge())
    town.publish("v1.1.0")
    assert asked(town.hear()) == (pages(count), {"issues 304": 2, "releases 200": 2, "commits/tag": 2})
    assert town.are(Stage.SHIPPED)
    assert town.messages() == [1, 1][:count]
    assert asked(town.hear()) == (0, {"issues 304": 1, "releases 304": 1})

    town.github.delete_release(REPO, "v1.1.0")
    assert town.look() == (1, 0, count)


@crowds
def test_a_deployment_costs_one_comparison(make_house: Build, count: int) -> None:
    """From what ran there before. Rolling it back costs three: what the older commit has more, what it has less, and
    where the fixes are that are doubted."""
    town = Town(make_house(continuously), count)
    before = town.github.commit(REPO, "main", "The state of things")
    town.deploy()
    town.wait(town.merge())
    town.deploy()
    ask = {"issues 304": 2, "deployments 200": 2, "deployments/n/statuses": 1}
    assert asked(town.hear()) == (pages(count), ask)
    assert town.are(Stage.SHIPPED)
    assert town.messages() == [1, 1][:count]

    town.deploy(before)
    compared, out, back = town.look()
    assert (out, back) == (0, count)
    assert compared <= pages(count) + 2


# --- looks that are not so simple -------------------------------------------------------------------------------------


@few_and_many
def test_a_release_without_the_fixes_costs_one_comparison(house: House, count: int) -> None:
    """It is of another branch, and all issues wait on."""
    town = Town(house, count)
    town.publish("v1.0.0")
    town.github.branch(REPO, "stable", "main")
    town.wait(town.merge())
    town.github.commit(REPO, "stable", "Another thing")
    town.publish("v1.0.1", "stable")
    assert town.look() == (1, 0, 0)


@few_and_many
def test_half_a_fix_in_the_release_before_costs_one_comparison_more(house: House, count: int) -> None:
    """Of two fixes, one came in earlier: that is asked for all issues at once, from the oldest of them on. Where it is
    the very release before, there is nothing more to ask."""
    town = Town(house, count)
    town.publish("v1.0.0")
    early = town.merge()
    town.publish("v1.1.0")
    late = town.merge()
    town.wait(early, late)
    town.publish("v1.2.0")
    compared, out, _ = town.look()
    assert out == count
    assert compared == (1 if count == 1 else pages(count) + pages(2 * count - 1))


@few_and_many
def test_the_very_first_release_costs_one_comparison(house: House, count: int) -> None:
    """There is none before it: from the oldest fix on."""
    town = Town(house, count)
    town.no_release_yet()
    town.wait(town.merge())
    town.publish("v1.0.0")
    assert town.look() == (pages(count - 1), count, 0)


@few_and_many
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("target", ["main", "stable"])
def test_fixes_of_the_same_second_cost_few_more(house: House, count: int, backwards: bool, target: str) -> None:
    """In the first release there is only their order to go by, which neither times nor numbers tell: each comparison
    halves what is left, whether the release has them or not."""
    town = Town(house, count)
    town.no_release_yet()
    town.github.branch(REPO, "stable", "main")
    town.wait(town.merge(timedelta(0), backwards))
    town.publish("v1.0.0", target)
    compared, out, _ = town.look()
    assert out == (count if target == "main" else 0)
    assert compared <= FEW * pages(count)


FEW = 15
"""About the logarithm of 1,000, and then some for bad luck; a comparison each would be 1,000."""


@few_and_many
def test_a_release_after_another_knows_fixes_of_the_same_second(house: House, count: int) -> None:
    """The comparison of the two tells of all, whatever their times."""
    town = Town(house, count)
    town.publish("v1.0.0")
    town.wait(town.merge(timedelta(0), backwards=True))
    town.publish("v1.1.0")
    assert town.look() == (pages(count), count, 0)


@few_and_many
def test_a_rollback_of_fixes_of_the_same_second_costs_three_comparisons(make_house: Build, count: int) -> None:
    """What went is known from what the commit before had more."""
    town = Town(make_house(continuously), count)
    before = town.github.commit(REPO, "main", "The state of things")
    town.deploy()
    town.wait(town.merge(timedelta(0)))
    town.deploy()
    town.hear()
    assert town.are(Stage.SHIPPED)
    town.deploy(before)
    compared, out, back = town.look()
    assert (out, back) == (0, count)
    assert compared <= pages(count) + 2
