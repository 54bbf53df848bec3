"""What fixes an issue on GitHub: every way of merging and of saying so, and what only looks like it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from integrations.base import NotFound, Place
from integrations.github import GitHub, wording
from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.wire import Fault
from tests.integrations.github_world import REPO, GitHubWorld

OTHER = "acme/basket-lib"


@pytest.fixture
def hub() -> Iterator[GitHubStandIn]:
    hub = GitHubStandIn().start()
    hub.add_repo(REPO, collaborators=["leo-dev"])
    hub.add_repo(OTHER, collaborators=["leo-dev"])
    yield hub
    hub.stop()


@pytest.fixture
def tracker(hub: GitHubStandIn) -> GitHub:
    return GitHubWorld(hub).tracker()


@pytest.fixture
def number(hub: GitHubStandIn) -> int:
    return hub.open_issue(REPO, "leo-dev", "Basket is empty")


def merged(hub: GitHubStandIn, title: str, body: str, base: str = "main", repo: str = REPO) -> tuple[int, str]:
    """A pull request, merged: its number and its commit."""
    pull = hub.open_pull(repo, "leo-dev", title, body, base)
    return pull, hub.merge_pull(repo, pull, "leo-dev")


# --- ways of merging --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["graphql", "rest"])
@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_each_way_of_merging_gives_the_commits_on_the_branch(
    hub: GitHubStandIn, tracker: GitHub, number: int, method: Literal["squash", "merge", "rebase"], asked: str
) -> None:
    """Squash and rebase make new commits: it is those that a release holds, and each may be picked or reverted."""
    if asked == "rest":
        hub.wire.faults.append(Fault("refuse", "POST", "/graphql", status=404, times=None))
    pull = hub.open_pull(REPO, "leo-dev", "Keep the basket", f"Fixes #{number}", commits=["Test", "Keep it", "Tidy"])
    base = hub.commit(REPO, "main", "Meanwhile")
    sha = hub.merge_pull(REPO, pull, "leo-dev", method)
    [fix] = tracker.fixes(REPO, number)
    assert (fix.sha, fix.pull, fix.branch, fix.title, fix.repository) == (sha, pull, "main", "Keep the basket", "")
    found = [commit for commit in tracker.between(REPO, base, sha).commits if len(commit.parents) == 1]
    whole = {"squash": [], "merge": ["Test", "Keep it", "Tidy"], "rebase": ["Test", "Keep it", "Tidy"]}[method]
    assert [commit.message for commit in found if commit.sha in fix.parts] == whole
    assert len(fix.parts) == len(whole)
    assert (sha in fix.parts) == (method == "rebase")
    assert tracker.fix(REPO, f"#{pull}") == fix


def test_what_graphql_told_is_not_asked_again(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """A usual fix costs three calls: the issue's timeline, GraphQL, and the pull request's timeline."""
    pull = hub.open_pull(REPO, "leo-dev", "Keep the basket", f"Fixes #{number}")
    hub.merge_pull(REPO, pull, "leo-dev", "merge")
    before = len(hub.wire.calls)
    [fix] = tracker.fixes(REPO, number)
    assert len(fix.parts) == 1
    assert len(hub.wire.calls) - before == 3


# --- ways of saying so ------------------------------------------------------------------------------------------------


def test_a_commit_that_closed_the_issue_is_a_fix(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """Pushed straight to the default branch, without a pull request."""
    sha = hub.commit(REPO, "main", f"Keep the basket\n\nFixes #{number}", by="leo-dev")
    [fix] = tracker.fixes(REPO, number)
    assert (fix.sha, fix.pull, fix.title, fix.repository) == (sha, None, "Keep the basket", "")


def test_a_keyword_in_a_commit_leads_to_its_pull_request(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """GitHub links only what the description says; the fix is the whole pull request all the same."""
    words = ["Test", f"Keep it, fixes #{number}", "Tidy"]
    pull = hub.open_pull(REPO, "leo-dev", "Keep the basket", "", commits=words)
    sha = hub.merge_pull(REPO, pull, "leo-dev", "merge")
    [fix] = tracker.fixes(REPO, number)
    assert (fix.sha, fix.pull, len(fix.parts)) == (sha, pull, 3)


def test_a_commit_of_another_repository_says_which(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """Its sha means nothing in the issue's own repository."""
    sha = hub.commit(OTHER, "main", f"Keep the basket\n\nFixes {REPO}#{number}", by="leo-dev")
    [fix] = tracker.fixes(REPO, number)
    assert (fix.sha, fix.repository) == (sha, OTHER)


def test_the_development_panel_counts(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """Linked by hand, here and from another repository, without a word in any text."""
    here, there = (hub.open_pull(repo, "leo-dev", "Keep the basket") for repo in (REPO, OTHER))
    hub.link_pull(REPO, here, number)
    hub.link_pull(OTHER, there, f"{REPO}#{number}")
    shas = [hub.merge_pull(REPO, here, "leo-dev"), hub.merge_pull(OTHER, there, "leo-dev")]
    found = {(fix.sha, fix.repository, fix.pull) for fix in tracker.fixes(REPO, number)}
    assert found == {(shas[0], "", here), (shas[1], OTHER, there)}


@pytest.mark.parametrize("status", [None, 404, 405, 501])
def test_keywords_count_in_other_repositories_and_branches(
    hub: GitHubStandIn, tracker: GitHub, number: int, status: int | None
) -> None:
    """With GraphQL and without, as on look-alikes of GitHub."""
    if status:
        hub.wire.faults.append(Fault("refuse", "POST", "/graphql", status=status, times=None))
    hub.branch(REPO, "release/1.x", "main")
    hub.branch(OTHER, "next", "main")
    _, first = merged(hub, "Keep the basket", f"Fixes #{number}", "release/1.x")
    _, second = merged(hub, "Keep it", f"Resolves {REPO}#{number}", "next", OTHER)
    merged(hub, "Another", f"See #{number}")
    merged(hub, "Its own number", f"Fixes #{number}", "next", OTHER)
    assert {(fix.sha, fix.repository) for fix in tracker.fixes(REPO, number)} == {(first, ""), (second, OTHER)}


def test_what_we_may_not_see_hides_no_other_fix(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """A pull request in a repository that was closed to us."""
    _, sha = merged(hub, "Keep the basket", f"Fixes #{number}")
    merged(hub, "Keep it", f"Fixes {REPO}#{number}", repo=OTHER)
    hub.set_permission(OTHER, hub.login, None)
    assert [fix.sha for fix in tracker.fixes(REPO, number)] == [sha]


def test_a_strangers_word_about_a_public_issue_does_not_count(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """Anybody can merge "Fixes acme/shop#1" at home; what shipping waits for is not theirs to say."""
    hub.set_visibility(REPO, private=False)
    hub.add_repo("nora/fork", private=False)
    hub.branch("nora/fork", "next", "main")
    merged(hub, "Keep it", f"Fixes {REPO}#{number}", "next", "nora/fork")
    assert tracker.fixes(REPO, number) == []
    _, sha = merged(hub, "Keep the basket", f"Fixes {REPO}#{number}", repo=OTHER)
    assert [fix.sha for fix in tracker.fixes(REPO, number)] == [sha]


def test_a_revert_fixes_nothing(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """Its title repeats the other's keyword, and GitHub lets that close the issue again."""
    pull, sha = merged(hub, f"Keep the basket, fixes #{number}", "")
    hub.revert_pull(REPO, pull, "leo-dev")
    assert [fix.sha for fix in tracker.fixes(REPO, number)] == [sha]
    hub.reopen_issue(REPO, number, "leo-dev")
    hub.revert(REPO, "main", sha)
    assert tracker.fixes(REPO, number) == []


def test_to_take_a_change_back_can_be_the_fix(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """What broke the basket is reverted, and the description says which issue that fixes."""
    _, sha = merged(hub, 'Revert "New basket"', f"Reverts {REPO}#40. Fixes #{number}")
    assert [fix.sha for fix in tracker.fixes(REPO, number)] == [sha]


# --- backports --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("[Backport release/1.x] Keep the basket (#{0})", ""),
        ("Keep the basket", "Backport of acme/shop#{0}."),
        ("Keep the basket", "This is an automatic backport of pull request #{0}."),
        ("Automated cherry pick of #{0}: Keep the basket", ""),
        ("Backport: keep the basket", "Fixes #1\n\nFrom https://github.com/acme/shop/pull/{0}"),
        ("[1.x] Keep the basket", "Backport of https://github.com/acme/shop/pull/{0} to 1.x"),
        ("[1.x] Keep the basket", "This PR backports #{0}"),
        ("[backport] Keep the basket", "Backports:\n\n- #{0}"),
        (
            "[PR #{0}/3f2a91c backport] Keep the basket",
            "**This is a backport of PR #{0} as merged into main (3f2a91c).**",
        ),
    ],
)
def test_backports_are_known_by_what_they_say(
    hub: GitHubStandIn, tracker: GitHub, number: int, title: str, body: str
) -> None:
    """As people and the usual tools write them; one that names the issue too is still no second fix."""
    hub.branch(REPO, "release/1.x", "main")
    pull, sha = merged(hub, "Keep the basket", f"Fixes #{number}")
    _, copy = merged(hub, title.format(pull), body.format(pull), "release/1.x")
    assert [(fix.sha, fix.copies) for fix in tracker.fixes(REPO, number)] == [(sha, (copy,))]


def test_to_need_a_backport_is_not_to_be_one(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """On the same branch nothing is brought anywhere: that would prove what is not so."""
    pull, _ = merged(hub, "Keep the basket", f"Fixes #{number}")
    merged(hub, "Tidy up", f"Please backport #{pull}, too.")
    assert [fix.copies for fix in tracker.fixes(REPO, number)] == [()]


def test_a_revert_of_a_backport_is_no_copy(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """Its title repeats that of the backport: it brings nothing, and takes away what that brought."""
    hub.branch(REPO, "1.x", "main")
    pull, _ = merged(hub, "Keep the basket", f"Fixes #{number}")
    port, copy = merged(hub, f"Keep the basket (backport #{pull})", "", "1.x")
    hub.revert_pull(REPO, port, "leo-dev")
    assert [fix.copies for fix in tracker.fixes(REPO, number)] == [(copy,)]


def test_a_backport_of_a_backport_is_a_copy(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """From main to 2.x, from there to 1.x: said by a pull request that names the issue."""
    hub.branch(REPO, "1.x", "main")
    hub.branch(REPO, "2.x", "main")
    pull, _ = merged(hub, "Keep the basket", f"Fixes #{number}")
    second, one = merged(hub, "[Backport 2.x] Keep the basket", f"Backport of #{pull}", "2.x")
    _, two = merged(hub, "[Backport 1.x] Keep the basket", f"Backport of #{second}. See #{number}", "1.x")
    assert [fix.copies for fix in tracker.fixes(REPO, number)] == [(one, two)]


# --- what a person names ----------------------------------------------------------------------------------------------


def test_a_fix_may_be_named_by_its_address(hub: GitHubStandIn, tracker: GitHub, number: int) -> None:
    """What a Support Dev pastes, of another repository too."""
    pull, sha = merged(hub, "Keep the basket", f"Fixes #{number}")
    other, there = merged(hub, "Keep it", "", repo=OTHER)
    assert tracker.fix(REPO, f"https://github.com/acme/shop/pull/{pull}/files").sha == sha
    assert tracker.fix(REPO, f"https://github.com/acme/shop/pull/{pull}/commits/{sha}").sha == sha
    for name in (f"{OTHER}#{other}", f"https://github.com/{OTHER}/pull/{other}", f"https://x/{OTHER}/commit/{there}"):
        fix = tracker.fix(REPO, name)
        assert (fix.sha, fix.repository) == (there, OTHER)
    with pytest.raises(NotFound):
        tracker.fix(REPO, there)


# --- texts ------------------------------------------------------------------------------------------------------------

FENCE = "```"


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ("Fixes #1, closes: #2 and RESOLVED https://github.com/acme/shop/issues/3", [1, 2, 3]),
        ("fix GH-4", [4]),
        ("Fixes #1 and #2", [1]),
        (f"{FENCE}\nFixes #1\n{FENCE}\nFixes #2", [2]),
        (f"~~~\nFixes #1\n{FENCE}\nFixes #2", []),
        (f"{FENCE}\nnever closed\nFixes #1", []),
        ("<!-- Fixes #1 --> Fixes #2 <!-- Fixes #3", [2]),
        ("> Fixes #1\n\nNo longer", []),
        ("`Fixes #1`", []),
        ("hotfix #1, bug-fixes #2, Fixes#3, Fixes other/place#4", [4]),
        ("Fixes #123456789012345", []),
    ],
)
def test_closing_keywords_are_read_in_prose_only(body: str, numbers: list[int]) -> None:
    """ "Linking a pull request to an issue"; what stands in code, comments and quotes is somebody else's."""
    assert [place.number for place in wording.closing("Basket", body, REPO)] == numbers


@pytest.mark.parametrize(
    "body",
    [
        "(backport https://" * 4_000,
        "backport https://a/\n" * 3_000,
        "<!--" * 20_000,
        "```\n" * 20_000,
        "fixes " * 12_000,
        "`" * 60_000,
        "a/" * 30_000,
        "\n" * 60_000,
    ],
)
def test_a_hostile_text_takes_no_time(body: str) -> None:
    """65,536 characters of anything are read at once."""
    assert wording.closing(body, body, REPO) == []
    assert wording.copied(body, body, REPO) == []
    assert wording.duplicated([body], REPO) is None


def test_a_duplicate_is_named_by_a_line(hub: GitHubStandIn) -> None:
    """As GitHub's own shorthand has it, the newest text first."""
    assert wording.duplicated(["Same here", "Duplicate of #7", "Duplicate of #6"], REPO) == Place(REPO, 7)
    assert wording.duplicated(["It is no duplicate of #7"], REPO) is None
