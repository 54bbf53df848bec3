"""What proof costs: one release or deployment asks the tracker the same, however many issues wait for it.

Only the pages of a comparison grow, with the commits that are new: a hundred to a page.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.model import Stage
from tests.crowd import CONTINUOUSLY, Build, asked, crowded, pages


def crowds(*counts: int) -> Any:
    """These on GitHub; on GitLab, where the bot does the same, a hundred."""
    return pytest.mark.parametrize(("tracker", "count"), [*(("github", count) for count in counts), ("gitlab", 100)])


# --- the whole way ----------------------------------------------------------------------------------------------------

IDLE = {
    "github": {"issues 304": 1, "releases 304": 1},
    "gitlab": {"issues 304": 1, "merge_requests 304": 1, "releases 304": 1},
}
RELEASED = {
    "github": {"issues 304": 2, "releases 200": 2, "commits/tag": 2},
    "gitlab": {"issues 304": 2, "merge_requests 304": 2, "releases 200": 2},  # whose releases tell their commits
}
DEPLOYED = {
    "github": {"issues 304": 2, "deployments 200": 2, "deployments/n/statuses": 1},
    "gitlab": {"issues 304": 2, "merge_requests 304": 2, "deployments 200": 2},  # which tell their statuses
}
"""What is asked beside comparisons. GitLab keeps merge requests apart from issues: they are a list of their own."""


@crowds(1, 100, 1000)
def test_a_release_costs_one_comparison(make_house: Build, tracker: str, count: int) -> None:
    """Beside the polls: the list, the two tags' commits, and once for all that ship whether any was touched since. Each
    agent has one message. Deleting it costs one comparison as well."""
    town = crowded(make_house, tracker, count)
    town.publish("v1.0.0")
    town.wait(town.merge())
    town.publish("v1.1.0")
    assert asked(town.hear()) == (pages(count), RELEASED[tracker])
    assert town.are(Stage.SHIPPED)
    assert town.messages() == [1, 1][:count]
    assert asked(town.hear()) == (0, IDLE[tracker])

    town.hosting.withdraw("v1.1.0")
    assert town.look() == (1, 0, count)


@crowds(1, 100, 1000)
def test_a_deployment_costs_one_comparison(make_house: Build, tracker: str, count: int) -> None:
    """From what ran there before. Rolling it back costs three: what the older commit has more, what it has less, and
    where the fixes are that are doubted."""
    town = crowded(make_house, tracker, count, **CONTINUOUSLY)
    before = town.hosting.commit("main", "The state of things")
    town.deploy()
    town.wait(town.merge())
    town.deploy()
    assert asked(town.hear()) == (pages(count), DEPLOYED[tracker])
    assert town.are(Stage.SHIPPED)
    assert town.messages() == [1, 1][:count]

    town.deploy(before)
    compared, out, back = town.look()
    assert (out, back) == (0, count)
    assert compared <= pages(count) + 2


# --- looks that are not so simple -------------------------------------------------------------------------------------


@crowds(1, 1000)
def test_a_release_without_the_fixes_costs_one_comparison(make_house: Build, tracker: str, count: int) -> None:
    """It is of another branch, and all issues wait on."""
    town = crowded(make_house, tracker, count)
    town.publish("v1.0.0")
    town.hosting.branch("stable")
    town.wait(town.merge())
    town.hosting.commit("stable", "Another thing")
    town.publish("v1.0.1", "stable")
    assert town.look() == (1, 0, 0)


@crowds(1, 1000)
def test_half_a_fix_in_the_release_before_costs_one_comparison_more(
    make_house: Build, tracker: str, count: int
) -> None:
    """Of two fixes, one came in earlier: that is asked for all issues at once, from the oldest of them on. Where it is
    the very release before, there is nothing more to ask."""
    town = crowded(make_house, tracker, count)
    town.publish("v1.0.0")
    early = town.merge()
    town.publish("v1.1.0")
    late = town.merge()
    town.wait(early, late)
    town.publish("v1.2.0")
    compared, out, _ = town.look()
    assert out == count
    assert compared == (1 if count == 1 else pages(count) + pages(2 * count - 1))


@crowds(1, 1000)
def test_the_very_first_release_costs_one_comparison(make_house: Build, tracker: str, count: int) -> None:
    """There is none before it: from the oldest fix on."""
    town = crowded(make_house, tracker, count)
    town.no_release_yet()
    town.wait(town.merge())
    town.publish("v1.0.0")
    compared, out, _ = town.look()
    assert out == count
    assert compared <= pages(count - 1)


@crowds(1, 300)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("target", ["main", "stable"])
def test_fixes_of_the_same_second_cost_few_more(
    make_house: Build, tracker: str, count: int, backwards: bool, target: str
) -> None:
    """In the first release there is only their order to go by, which neither times nor numbers tell: each comparison
    halves what is left, whether the release has them or not."""
    town = crowded(make_house, tracker, count)
    town.no_release_yet()
    town.hosting.branch("stable")
    town.wait(town.merge(timedelta(0), backwards))
    town.publish("v1.0.0", target)
    compared, out, _ = town.look()
    assert out == (count if target == "main" else 0)
    assert compared <= FEW * pages(count)


FEW = 15
"""About the logarithm of 300, and then some for bad luck; a comparison each would be 300."""


@crowds(1, 300)
def test_a_release_after_another_knows_fixes_of_the_same_second(make_house: Build, tracker: str, count: int) -> None:
    """The comparison of the two tells of all, whatever their times."""
    town = crowded(make_house, tracker, count)
    town.publish("v1.0.0")
    town.wait(town.merge(timedelta(0), backwards=True))
    town.publish("v1.1.0")
    assert town.look() == (pages(count), count, 0)


@crowds(1, 300)
def test_a_rollback_of_fixes_of_the_same_second_costs_three_comparisons(
    make_house: Build, tracker: str, count: int
) -> None:
    """What went is known from what the commit before had more."""
    town = crowded(make_house, tracker, count, **CONTINUOUSLY)
    before = town.hosting.commit("main", "The state of things")
    town.deploy()
    town.wait(town.merge(timedelta(0)))
    town.deploy()
    town.hear()
    assert town.are(Stage.SHIPPED)
    town.deploy(before)
    compared, out, back = town.look()
    assert (out, back) == (0, count)
    assert compared <= pages(count) + 2
