"""What teams do with their repositories every day: settings, titles and flows other than the tidy ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House
from tests.test_deployed import deploy, good_news, on
from tests.test_fall_back import states
from tests.test_shipped import MINUTE, merge, release


def fixed_in(house: House, person: str = "U0ANA") -> list[str]:
    return [one for one in house.told(person) if "Fixed in" in one]


# --- reverts


def test_a_squash_that_keeps_but_the_title_of_a_revert(house: House) -> None:
    """ "Pull request title" is the setting: what the revert takes back stands in its description alone."""
    house.github.squash_with(REPO, "BLANK")
    house.flag()
    pull = merge(house)
    house.github.revert_pull(REPO, pull, "leo-dev")
    release(house, "v2.5.0")
    assert fixed_in(house) == []
    assert "reverted in v2.5.0" in house.card()


def test_such_a_revert_in_a_later_release_and_its_own(house: House) -> None:
    """Out, taken back, put in again; each by the button."""
    house.github.squash_with(REPO, "BLANK")
    house.flag()
    pull = merge(house)
    release(house, "v2.5.0")
    house.github.revert_pull(REPO, pull, "leo-dev")
    release(house, "v2.6.0")
    assert states(house) == ["held"]
    house.github.revert_pull(REPO, pull + 1, "leo-dev")
    release(house, "v2.7.0")
    assert states(house) == ["skipped", "due"]


@pytest.mark.parametrize("words", ["PR_BODY", "BLANK"])
def test_a_backport_that_was_reverted_in_a_later_release(house: House, words: Any) -> None:
    """The revert names the backport by its number, which was released before."""
    house.github.squash_with(REPO, words)
    house.github.branch(REPO, "stable", "main")
    house.flag()
    pull = merge(house)
    port = house.github.open_pull(REPO, "leo-dev", "[Backport stable] Round VAT", f"Backport of #{pull}.", "stable")
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, port, "leo-dev")
    house.poll()
    release(house, "v2.4.1", target="stable")
    assert len(fixed_in(house)) == 1
    house.github.revert_pull(REPO, port, "leo-dev")
    release(house, "v2.4.2", target="stable")
    assert states(house) == ["held"]


@pytest.mark.parametrize(
    "title",
    [
        "Revert #{pull}",
        "Revert PR #{pull}: it breaks the basket",
        "[hotfix] Revert #{pull}, the basket is empty",
        "Revert pull request #{pull} (Round VAT per line)",
        "revert: #{pull}",
        'Revert "Round VAT per line (#{pull})"',
        "Revert {sha}",
        "Reverts {sha}: it breaks the basket",
    ],
)
def test_a_revert_in_somebodys_own_words(house: House, title: str) -> None:
    """Its title says which change it takes back, and nothing else does."""
    house.flag()
    pull = merge(house)
    sha = house.github.pulls(REPO)[0]["merge_commit_sha"]
    house.github.commit(REPO, "main", title.format(pull=pull, sha=sha[:9]))
    release(house, "v2.5.0")
    assert fixed_in(house) == []


@pytest.mark.parametrize(
    "title",
    [
        "revert: round VAT, fixes #1",
        "revert(shop)!: round VAT, fixes #1",
        '[hotfix] Revert "Round VAT, fixes #1"',
        "Revert #2: Round VAT, fixes #1",
        "Reverts Round VAT, fixes #1",
    ],
)
def test_a_revert_that_repeats_a_keyword_is_no_second_attempt(house: House, title: str) -> None:
    """It takes the fix back, and puts nothing in its place, whatever issue it says that it closes."""
    house.flag()
    merge(house, "", title="Round VAT, fixes #1")
    merge(house, f"Reverts {REPO}#2", title=title)
    release(house, "v2.5.0")
    assert fixed_in(house) == []


def test_a_revert_by_hand_whose_squash_kept_but_its_title(house: House) -> None:
    """Its description says nothing, its only commit what it takes back."""
    house.github.squash_with(REPO, "BLANK")
    house.flag()
    merge(house)
    words = f"Undo\n\nThis reverts commit {house.github.pulls(REPO)[0]['merge_commit_sha']}."
    number = house.github.open_pull(REPO, "leo-dev", "Revert the rounding", "It breaks the basket.", commits=(words,))
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, number, "leo-dev")
    release(house, "v2.5.0")
    assert fixed_in(house) == []


def test_such_a_revert_picked_to_another_branch_and_back(house: House) -> None:
    """Picked with its number alone; there it is reverted in turn."""
    house.github.squash_with(REPO, "BLANK")
    house.flag()
    pull = merge(house)
    house.github.branch(REPO, "stable", "main")
    reverted = house.github.revert_pull(REPO, pull, "leo-dev")
    copy = house.github.cherry_pick(REPO, "stable", reverted)
    release(house, "v2.3.9", target="stable")
    assert fixed_in(house) == []
    house.github.revert(REPO, "stable", copy)
    release(house, "v2.3.10", target="stable")
    assert len(fixed_in(house)) == 1


def test_a_second_attempt_after_a_revert(house: House) -> None:
    """The first one was taken back, the second one closes the issue again: that is the fix."""
    house.flag()
    pull = merge(house)
    house.github.revert_pull(REPO, pull, "leo-dev")
    house.poll()
    merge(house, title="Round VAT per line, with the basket")
    release(house, "v2.5.0")
    assert len(fixed_in(house)) == 1


def test_a_second_attempt_that_is_named(house: House) -> None:
    """The Support Dev names the squash that holds both a revert and the new fix."""
    house.flag()
    pull = merge(house)
    sha = house.github.pulls(REPO)[0]["merge_commit_sha"]
    again = merge(house, f"This reverts commit {sha}.", title="Round VAT another way")
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by #{again}")
    house.poll()
    assert pull == 2
    release(house, "v2.5.0")
    assert len(fixed_in(house)) == 1


# --- opened again


def test_mended_again_on_another_branch_after_it_was_reopened(house: House) -> None:
    """Keywords are silent there, too: the second fix is found all the same, and the first one does not count."""
    house.github.branch(REPO, "develop", "main")
    house.flag()
    merge(house)
    release(house, "v2.5.0")
    house.clock.advance(MINUTE)
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    release(house, "v2.5.1")
    assert len(fixed_in(house)) == 1
    merge(house, base="develop")
    release(house, "v2.6.0", target="develop")
    assert len(fixed_in(house)) == 2


def test_closed_by_a_commit_again(house: House) -> None:
    """A commit that closed it, reopened, and the next commit."""
    house.flag()
    house.github.commit(REPO, "main", "Round VAT per line\n\nFixes #1")
    house.poll()
    release(house, "v2.5.0")
    house.clock.advance(MINUTE)
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    release(house, "v2.5.1")
    assert len(fixed_in(house)) == 1
    house.clock.advance(MINUTE)
    house.github.commit(REPO, "main", "Round VAT per line, too\n\nFixes #1")
    house.poll()
    release(house, "v2.6.0")
    assert len(fixed_in(house)) == 2


def test_reopened_between_two_polls(house: House) -> None:
    """Merged and reopened, twice, before anybody looked."""
    house.flag()
    for _ in range(2):
        pull = house.github.open_pull(REPO, "leo-dev", "Round VAT", "Fixes #1")
        house.clock.advance(MINUTE)
        house.github.merge_pull(REPO, pull, "leo-dev")
        house.clock.advance(MINUTE)
        house.github.reopen_issue(REPO, 1, "leo-dev")
        house.poll()
    release(house, "v2.5.0")
    assert len(fixed_in(house)) == 0


# --- branches


def test_a_fix_within_a_branch_that_is_squashed(house: House) -> None:
    """A pull request onto a feature's branch fixes the issue; the feature is squashed into main, and closes it."""
    house.flag()
    house.github.branch(REPO, "feature", "main")
    inner = merge(house, base="feature")
    outer = house.github.open_pull(REPO, "leo-dev", "The feature", "Fixes #1", head="feature")
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, outer, "leo-dev")
    house.poll()
    assert inner != outer
    release(house, "v2.5.0")
    assert len(fixed_in(house)) == 1


def test_a_squashed_branch_that_names_no_issue(house: House) -> None:
    """The feature's own description names no issue: the Support Dev names it."""
    house.flag()
    house.github.branch(REPO, "feature", "main")
    merge(house, base="feature")
    outer = house.github.open_pull(REPO, "leo-dev", "The feature", "", head="feature")
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, outer, "leo-dev")
    house.poll()
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by #{outer}")
    house.poll()
    release(house, "v2.5.0")
    assert len(fixed_in(house)) == 1


def test_a_lost_commit_that_is_named_anew(house: House) -> None:
    """History was rewritten: the card asks which commit has the fix now, and that one counts in place of it."""
    house.github.branch(REPO, "before", "main")
    house.flag()
    merge(house)
    house.github.force_push(REPO, "main", "before")
    house.github.find(REPO).history.commits.pop(house.github.pulls(REPO)[0]["merge_commit_sha"])  # type: ignore[union-attr]
    sha = house.github.commit(REPO, "main", "Round VAT, again")
    release(house, "v2.5.0")
    for _ in range(5):
        house.pass_time(minutes=5)
    assert "I cannot tell whether" in house.card()
    house.github.comment(REPO, 1, "leo-dev", f"/fixed-by {sha[:9]}")
    house.poll()
    assert len(fixed_in(house)) == 1
    assert f"commit {sha[:7]} · in v2.5.0" in house.card()


# --- releases and deployments


def test_a_release_whose_tag_is_late(house: House) -> None:
    """A replica knows the release before its tag: it is looked into when the tag is there, without another event."""
    house.flag()
    merge(house)
    house.github.wire.faults.append(Fault("refuse", "GET", rf"/repos/{REPO}/commits/tags/", status=422, times=None))
    release(house, "v2.5.0")
    assert fixed_in(house) == []
    house.github.wire.faults.clear()
    for _ in range(3):
        house.poll()
    assert len(fixed_in(house)) == 1


def test_a_pre_release_that_becomes_a_release(house: House) -> None:
    """Published long before, and only now for everybody."""
    house.flag()
    merge(house)
    release(house, "v2.5.0", prerelease=True)
    assert fixed_in(house) == []
    house.github.promote(REPO, "v2.5.0")
    house.poll()
    assert len(fixed_in(house)) == 1


def test_a_release_of_an_old_tag(house: House) -> None:
    """Published last, of code that came before the fix."""
    house.flag()
    house.github.tag(REPO, "v2.3.9", "main")
    merge(house)
    release(house, "v2.3.9")
    assert fixed_in(house) == []
    release(house, "v2.5.0")
    assert len(fixed_in(house)) == 1


def test_a_release_that_leaves_a_list_with_a_draft_in_it(house: House) -> None:
    """A hundred newer ones and a draft that a tool keeps: what left the list was not withdrawn."""
    house.github.branch(REPO, "stable", "main")
    house.flag()
    merge(house, base="stable")
    release(house, "v2.3.9", target="stable")
    assert states(house) == ["due"]
    house.clock.advance(MINUTE)
    house.github.commit(REPO, "main", "Another thing")
    for number in range(100):
        house.clock.advance(MINUTE)
        house.github.publish_release(REPO, f"v2.5.{number}")
    house.github.commit(REPO, "main", "Next")
    house.github.publish_release(REPO, "next", draft=True)
    house.poll()
    house.poll()
    assert states(house) == ["due"]


def test_a_release_of_an_old_commit_in_a_long_list(house: House) -> None:
    """GitHub lists releases by the dates of their commits: a hundred newer ones come first."""
    house.github.branch(REPO, "stable", "main")
    house.flag()
    merge(house, base="stable")
    house.clock.advance(MINUTE)
    house.github.commit(REPO, "main", "Another thing")
    for number in range(100):
        house.github.publish_release(REPO, f"nightly-{number}", prerelease=True)
    house.hear_webhooks()
    release(house, "v2.3.9", target="stable")
    assert len(fixed_in(house)) == 1


@pytest.mark.parametrize("tag", ["@acme/shop@2.5.0", "shop@2.5.0", "shop-v2.5.0", "shop/v2.5.0"])
def test_tags_of_a_package(make_house: Callable[..., House], tag: str) -> None:
    """As the usual tools for many packages in one repository write them."""

    def prefixed(config: dict[str, Any]) -> None:
        config["projects"][0]["tags"] = tag.replace("2.5.0", "*")

    house = make_house(prefixed)
    house.flag()
    merge(house)
    release(house, "admin@7.0.0")
    assert fixed_in(house) == []
    release(house, tag)
    assert len(fixed_in(house)) == 1


def test_a_branch_deployed_before_it_was_merged(make_house: Callable[..., House]) -> None:
    """First on production, then merged as it is: what runs there has every commit of it."""
    house = make_house(on("production"))
    house.flag()
    pull = house.github.open_pull(REPO, "leo-dev", "Round VAT", "Fixes #1", commits=("One", "Two"))
    head = house.github.pulls(REPO)[0]["head"]["ref"]
    deploy(house, ref=head)
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, pull, "leo-dev", "merge")
    house.poll()
    assert len(good_news(house)) == 1


def test_a_branch_released_before_it_was_merged(house: House) -> None:
    """A hotfix: released from its branch, then merged back."""
    house.flag()
    release(house, "v2.3.9")
    pull = house.github.open_pull(REPO, "leo-dev", "Round VAT", "Fixes #1", commits=("One", "Two"))
    head = house.github.pulls(REPO)[0]["head"]["ref"]
    release(house, "v2.3.9.1", target=head)
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, pull, "leo-dev", "merge")
    house.poll()
    assert len(fixed_in(house)) == 1


def test_a_branch_that_was_released_and_taken_back_before_it_was_merged(house: House) -> None:
    """What its release undid is not in that release."""
    house.flag()
    release(house, "v2.3.9")
    pull = house.github.open_pull(REPO, "leo-dev", "Round VAT", "Fixes #1", commits=("One", "Two"))
    head = house.github.pulls(REPO)[0]["head"]["ref"]
    house.github.branch(REPO, "hotfix", head)
    house.github.revert(REPO, "hotfix", house.github.find(REPO).history.branches[head])  # type: ignore[union-attr]
    release(house, "v2.3.10", target="hotfix")
    house.clock.advance(MINUTE)
    house.github.merge_pull(REPO, pull, "leo-dev", "merge")
    house.poll()
    assert fixed_in(house) == []
    release(house, "v2.5.0")
    assert len(fixed_in(house)) == 1
