"""What proof costs: one release or deployment asks GitHub the same, however many issues wait for it.

Only the pages of a comparison grow, with the commits that are new: a hundred to a page.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.model import Stage
from tests.conftest import House
from tests.crowd import REPO, Town, asked, continuously, pages

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


@pytest.mark.parametrize("count", [1, 300])
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
"""About the logarithm of 300, and then some for bad luck; a comparison each would be 300."""


@pytest.mark.parametrize("count", [1, 300])
def test_a_release_after_another_knows_fixes_of_the_same_second(house: House, count: int) -> None:
    """The comparison of the two tells of all, whatever their times."""
    town = Town(house, count)
    town.publish("v1.0.0")
    town.wait(town.merge(timedelta(0), backwards=True))
    town.publish("v1.1.0")
    assert town.look() == (pages(count), count, 0)


@pytest.mark.parametrize("count", [1, 300])
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
