"""Out no more: a revert in a release, a release that is withdrawn, a branch that was reset."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import REPO, House
from tests.test_fall_back import states
from tests.test_shipped import MINUTE, merge, merged, release


def test_reverted_before_the_release(house: House) -> None:
    """Fix and revert in one release: nobody hears anything, and the card says why."""
    house.flag()
    pull = merge(house)
    house.github.revert_pull(REPO, pull, "leo-dev")
    release(house, "v2.5.0")
    assert [one for one in house.told() if "Fixed in" in one] == []
    assert "reverted in v2.5.0" in house.card()


def test_reverted_in_a_later_release(house: House) -> None:
    """It was out in one release and is not in the next: held, and told to whoever wrote to their customer."""
    house.flag("U0ANA", "4211")
    house.look_up("U0BEN", "4212")
    known = house.slack.suggest(house.slack.views("U0BEN")[-1]["id"], "similar", "VAT")[0]["value"]
    house.submit("U0BEN", similar=known)
    pull = merge(house)
    release(house, "v2.5.0")
    assert house.write_back("U0ANA") == {}
    before = {person: len(house.told(person)) for person in ("U0ANA", "U0BEN")}
    house.github.revert_pull(REPO, pull, "leo-dev")
    release(house, "v2.6.0")
    assert "Taken out again in v2.6.0" in house.told("U0ANA")[-1]
    assert {person: len(house.told(person)) - n for person, n in before.items()} == {"U0ANA": 1, "U0BEN": 0}
    assert "On hold: the news no longer holds." in house.told("U0BEN")[-1]
    assert states(house) == ["written", "held", "due"]


def test_a_revert_that_is_reverted_holds_nothing_back(house: House) -> None:
    """Taken out and put in again before the release."""
    house.flag()
    pull = merge(house)
    reverted = house.github.revert_pull(REPO, pull, "leo-dev")
    house.github.revert(REPO, "main", reverted)
    release(house, "v2.5.0")
    assert "Fixed in v2.5.0" in house.told()[-1]


def test_put_in_again_ships_again(house: House) -> None:
    """Reverted in one release, back in the next."""
    house.flag()
    pull = merge(house)
    release(house, "v2.5.0")
    reverted = house.github.revert_pull(REPO, pull, "leo-dev")
    release(house, "v2.6.0")
    assert states(house) == ["held"]
    house.github.revert(REPO, "main", reverted)
    release(house, "v2.7.0")
    assert "Fixed in v2.7.0" in house.told()[-1]
    assert states(house) == ["skipped", "due"]


def test_a_fix_that_came_before_the_revert_replaces_nothing(house: House) -> None:
    """Two pull requests mend it together, and one of them is taken back: it waits for that one."""
    house.flag()
    first = merge(house)
    merge(house, title="Round the total, too")
    house.github.revert_pull(REPO, first, "leo-dev")
    house.poll()
    release(house, "v2.5.0")
    assert [one for one in house.told() if "Fixed in" in one] == []


def test_a_revert_on_another_branch_changes_nothing(house: House) -> None:
    """A release of an old branch in which it never was."""
    house.flag()
    house.github.branch(REPO, "next", "main")
    pull = merge(house)
    release(house, "v2.5.0")
    house.github.merge_branch(REPO, "next", "main")
    sha = house.github.pulls(REPO)[-1]["merge_commit_sha"]
    house.github.revert(REPO, "next", sha)
    assert pull == 2
    house.poll()
    assert states(house) == ["due"]
    release(house, "v2.5.1")
    assert states(house) == ["due"]


def test_a_deleted_release_ships_nothing(house: House) -> None:
    """Withdrawn: held until another release contains it."""
    house.flag()
    merge(house)
    release(house, "v2.5.0")
    house.github.delete_release(REPO, "v2.5.0")
    house.poll()
    assert states(house) == ["held"]
    assert "v2.5.0 was withdrawn" in house.card()
    release(house, "v2.5.1")
    assert "Fixed in v2.5.1" in house.told()[-1]


def test_a_deleted_release_with_a_successor_changes_nothing(house: House) -> None:
    """The next release contains the fix too."""
    house.flag()
    merge(house)
    release(house, "v2.5.0")
    release(house, "v2.6.0")
    house.github.delete_release(REPO, "v2.5.0")
    house.poll()
    assert states(house) == ["due"]
    assert "Shipped" in house.card()


def test_a_deleted_release_that_had_taken_it_out(house: House) -> None:
    """Withdrawn, so the release before is the last word again; while a third one took it out too, that is."""
    house.flag()
    pull = merge(house)
    release(house, "v2.5.0")
    house.github.revert_pull(REPO, pull, "leo-dev")
    release(house, "v2.6.0")
    release(house, "v2.7.0")
    assert states(house) == ["held"]
    house.github.delete_release(REPO, "v2.6.0")
    house.poll()
    assert states(house) == ["held"]
    house.github.delete_release(REPO, "v2.7.0")
    house.poll()
    house.poll()
    assert "Shipped" in house.card()
    assert states(house) == ["skipped", "due"]


def test_a_default_branch_that_was_reset(make_house: Callable[..., House]) -> None:
    """Where merging is enough, a commit that was pushed away is not out any more."""
    house = make_house(merged)
    house.flag()
    house.github.branch(REPO, "before", "main")
    merge(house)
    assert states(house) == ["due"]
    house.github.force_push(REPO, "main", "before")
    house.poll()
    assert states(house) == ["held"]
    assert "Fixed, not shipped yet" in house.card()


def test_a_default_branch_with_another_name(make_house: Callable[..., House]) -> None:
    """`main` becomes `trunk`: what is merged there counts."""
    house = make_house(merged)
    house.flag()
    house.github.rename_branch(REPO, "main", "trunk")
    house.poll()
    merge(house, base="trunk")
    assert "Fixed and merged" in house.told()[-1]


def test_reopened_after_the_customer_heard(house: House) -> None:
    """It was not fixed after all: the agent hears it once, and owes the customer the truth."""
    house.flag()
    merge(house)
    release(house, "v2.5.0")
    assert house.write_back() == {}
    house.clock.advance(MINUTE)
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    house.poll()
    assert "Not fixed after all: VAT is wrong on invoices" in house.told()[-1]
    assert states(house) == ["written", "due"]
    assert len(house.told()) == 3
