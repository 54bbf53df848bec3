"""Talk and triage on each tracker, beyond what every tracker does: older servers, orders, commands, what is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integrations.base import IssueDraft, IssueTouched, Place, Rejected, Tracker, Unavailable
from integrations.github import GitHub
from integrations.gitlab import GitLab
from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.gitlab import GitLabStandIn
from integrations.sandbox.wire import Fault
from tests.integrations.github_world import REPO, GitHubWorld
from tests.integrations.gitlab_world import REPO as PROJECT, GitLabWorld


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def github(clock: Clock) -> Iterator[GitHubStandIn]:
    hub = GitHubStandIn(now=clock).start()
    hub.hooks.hold = True
    hub.add_repo(REPO, collaborators=["leo-dev"])
    yield hub
    hub.stop()


@pytest.fixture
def gitlab(clock: Clock) -> Iterator[GitLabStandIn]:
    hub = GitLabStandIn(now=clock).start()
    hub.hold_webhooks = True
    hub.add_project(PROJECT, members={"leo-dev": 30})
    yield hub
    hub.stop()


@pytest.fixture
def hub_tracker(github: GitHubStandIn) -> GitHub:
    return GitHubWorld(github).tracker()


@pytest.fixture
def lab_tracker(gitlab: GitLabStandIn) -> GitLab:
    return GitLabWorld(gitlab).tracker()


# --- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_the_longest_untouched_is_listed_first(
    github: GitHubStandIn, gitlab: GitLabStandIn, hub_tracker: GitHub, lab_tracker: GitLab, clock: Clock, kind: str
) -> None:
    """By their updates, not by their numbers; from a time on, that time's own second included."""
    tracker: Tracker = hub_tracker if kind == "github" else lab_tracker
    hub, repo = (github, REPO) if kind == "github" else (gitlab, PROJECT)
    for _ in range(3):
        hub.open_issue(repo, "leo-dev", "Basket")
        clock.at += timedelta(seconds=10)
    hub.comment(repo, 1, "leo-dev", "Me too")
    assert [issue.number for issue in tracker.listing(repo, None).issues] == [2, 3, 1]
    pages, since = [], None
    for _ in range(3):
        page = tracker.listing(repo, since, 1)
        pages.append([issue.number for issue in page.issues])
        since = page.reached
    assert pages == [[2], [2, 3], [3, 1]]
    assert not page.more


def test_a_stretch_of_pull_requests_is_got_over(github: GitHubStandIn, hub_tracker: GitHub, clock: Clock) -> None:
    """More of them between two issues than are looked at in one go: each answer tells where to go on."""
    first = github.open_issue(REPO, "leo-dev", "One")
    for count in range(25):
        clock.at += timedelta(seconds=1)
        github.open_pull(REPO, "leo-dev", f"Tidy {count}", "")
    last = github.open_issue(REPO, "leo-dev", "Two")
    found, since, asked = set(), None, 0
    while True:
        page = hub_tracker.listing(REPO, since, 2)
        found |= {issue.number for issue in page.issues}
        since, asked = page.reached, asked + 1
        if not page.more:
            break
    assert (found, asked) == ({first, last}, 2)


def test_an_older_gitlab_lists_by_page(gitlab: GitLabStandIn, lab_tracker: GitLab) -> None:
    """Before 18.3 it knows no keyset for issues, and may say so."""
    made = [gitlab.open_issue(PROJECT, "leo-dev", f"Number {count}") for count in range(120)]
    body = {"error": "Keyset pagination is not yet available for this type of request"}
    gitlab.wire.faults.append(Fault("refuse", "GET", "/issues$", status=405, body=body))
    assert [issue.number for issue in lab_tracker.listing(PROJECT, None, 150).issues] == made
    assert len([call for call in gitlab.wire.calls if call.path.endswith("/issues")]) == 3


# --- types ------------------------------------------------------------------------------------------------------------


def test_what_is_doubtful_is_not_filed_again_without_its_type(github: GitHubStandIn, hub_tracker: GitHub) -> None:
    """A type that GitHub refuses is left out; an answer that did not come is no refusal."""
    github.wire.faults.append(Fault("drop_after", "POST"))
    with pytest.raises(Unavailable):
        hub_tracker.create_issue(REPO, IssueDraft("Basket", "…", type="bug"), "k1")
    assert [issue["type"]["name"] for issue in github.issues(REPO)] == ["Bug"]
    github.issue_types = ()
    hub_tracker.create_issue(REPO, IssueDraft("Basket", "…", type="bug"), "k2")
    assert [issue["type"] is None for issue in github.issues(REPO)] == [True, False]


@pytest.mark.parametrize(("asked", "filed"), [("task", "task"), ("Incident", "incident"), ("test_case", "issue")])
def test_gitlabs_types(gitlab: GitLabStandIn, lab_tracker: GitLab, asked: str, filed: str) -> None:
    """Test cases are no issues, though GitLab lists them among its types."""
    made = lab_tracker.create_issue(PROJECT, IssueDraft("Basket", "…", type=asked), "k1")
    assert gitlab.issue(PROJECT, made.number)["issue_type"] == filed


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_github_takes_the_other_issues_id(github: GitHubStandIn, hub_tracker: GitHub) -> None:
    """So nothing has to be said about it."""
    for title in ("One", "Two"):
        github.open_issue(REPO, "leo-dev", title)
    hub_tracker.close_as_duplicate(REPO, 2, Place(REPO, 1))
    assert github.issue(REPO, 2)["comments"] == []
    assert "marked_as_duplicate" in [event["event"] for event in github.issue(REPO, 2)["timeline"]]


def test_an_older_github_is_told_by_a_comment(github: GitHubStandIn, hub_tracker: GitHub) -> None:
    """One that does not know the reason closes it as not planned; what was said is found, and not said again."""
    for title in ("One", "Two"):
        github.open_issue(REPO, "leo-dev", title)
    refusal = {"message": "Invalid request. duplicate is not a member of the enum."}
    github.wire.faults.append(Fault("refuse", "PATCH", status=422, body=refusal))
    for _ in range(2):
        hub_tracker.close_as_duplicate(REPO, 2, Place(REPO, 1))
    issue = github.issue(REPO, 2)
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")
    assert [comment["body"] for comment in issue["comments"]] == [f"Duplicate of {REPO}#1"]


def test_a_duplicate_across_repositories(
    github: GitHubStandIn, gitlab: GitLabStandIn, hub_tracker: GitHub, lab_tracker: GitLab
) -> None:
    """Of the same tracker."""
    github.add_repo("acme/api", collaborators=["leo-dev"])
    gitlab.add_project("acme/deep/api", members={"leo-dev": 30})
    for hub, tracker, repo, other in (
        (github, hub_tracker, REPO, "acme/api"),
        (gitlab, lab_tracker, PROJECT, "acme/deep/api"),
    ):
        place = Place(other, hub.open_issue(other, "leo-dev", "One"))
        number = hub.open_issue(repo, "leo-dev", "Two")
        tracker.close_as_duplicate(repo, number, place)
        assert tracker.issue(repo, number).duplicate_of == place


def test_gitlab_may_obey_and_not_do_it(gitlab: GitLabStandIn, lab_tracker: GitLab) -> None:
    """The quick action is answered well whatever became of it, so the issue is looked at."""
    for title in ("One", "Two"):
        gitlab.open_issue(PROJECT, "leo-dev", title)
    gitlab.wire.faults.append(Fault("refuse", "POST", "/notes$", status=202, body={"summary": ["Failed"]}))
    with pytest.raises(Rejected, match="as a duplicate"):
        lab_tracker.close_as_duplicate(PROJECT, 2, Place(PROJECT, 1))
    assert gitlab.issue(PROJECT, 2)["state"] == "opened"


# --- comments and people ----------------------------------------------------------------------------------------------


def test_a_deleted_comment_is_told_by_github_alone(
    github: GitHubStandIn, gitlab: GitLabStandIn, hub_tracker: GitHub, lab_tracker: GitLab
) -> None:
    """GitLab sends no event for it."""
    number = github.open_issue(REPO, "leo-dev", "Basket")
    github.delete_comment(REPO, github.comment(REPO, number, "leo-dev", "Oops"), "leo-dev")
    told = github.hooks.deliveries[-1]
    assert (told.event, told.action) == ("issue_comment", "deleted")
    assert hub_tracker.read(told.headers, told.body) == [IssueTouched(REPO, number)]
    number = gitlab.open_issue(PROJECT, "leo-dev", "Basket")
    note = gitlab.comment(PROJECT, number, "leo-dev", "Oops")
    before = len(gitlab.deliveries)
    gitlab.delete_note(PROJECT, number, note)
    assert len(gitlab.deliveries) == before


def test_nobody_that_gitlab_knows_is_refused(gitlab: GitLabStandIn, lab_tracker: GitLab) -> None:
    """Rather than taking the assignee off."""
    number = gitlab.open_issue(PROJECT, "leo-dev", "Basket", assignees=["leo-dev"])
    with pytest.raises(Rejected, match="nobody-here"):
        lab_tracker.assign(PROJECT, number, ("nobody-here",))
    assert lab_tracker.issue(PROJECT, number).assignees == ("leo-dev",)
