"""Issues on GitLab beyond what every tracker does: moves, the table in the description, notes, health and the hook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.base import Gone, IssueDraft, IssueTouched, NotFound, Place, Rejected, Unauthorised, Watch, mark
from integrations.gitlab import GitLab, table
from integrations.sandbox.gitlab import GitLabStandIn, Token
from integrations.sandbox.wire import Fault, Server
from tests.integrations.gitlab_world import REPO, SIGNING, GitLabWorld, StillClock

OTHER = "acme/warehouse"
HOOK = "https://passerelle.example.com/webhooks/gitlab"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def hub() -> Iterator[GitLabStandIn]:
    hub = GitLabStandIn(now=StillClock(), signing_secret=SIGNING).start()
    hub.hold_webhooks = True
    hub.webhook_url = HOOK
    for path in (REPO, OTHER):
        hub.add_project(path, members={"leo-dev": 30})
    yield hub
    hub.stop()


@pytest.fixture
def world(hub: GitLabStandIn) -> GitLabWorld:
    return GitLabWorld(hub)


@pytest.fixture
def tracker(world: GitLabWorld) -> GitLab:
    return world.tracker()


# --- issues that move -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [OTHER, "elsewhere/team/depot"])
def test_an_issue_is_followed_by_gitlabs_note(hub: GitLabStandIn, tracker: GitLab, to: str) -> None:
    """Which names a project of the same group by its last part alone; twice moved is followed twice."""
    if to != OTHER:
        hub.add_project(to, members={"leo-dev": 30})
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    there = hub.move_issue(REPO, number, to, "leo-dev")
    found = tracker.issue(REPO, number)
    assert (found.repository, found.number) == (to, there)
    hub.add_project("acme/third", members={"leo-dev": 30})
    third = hub.move_issue(to, there, "acme/third", "leo-dev")
    assert tracker.issue(REPO, number).repository == "acme/third"
    assert tracker.issue(REPO, number).number == third


def test_an_issue_moved_out_of_sight_is_gone(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Where it went is told; what became of it there is not."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.move_issue(REPO, number, OTHER, "leo-dev")
    hub.set_member(OTHER, hub.login, None)
    with pytest.raises(NotFound):
        tracker.issue(REPO, number)


def test_an_issue_that_became_an_epic_is_gone(hub: GitLabStandIn, tracker: GitLab) -> None:
    """GitLab keeps it, closed, with a note."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.promote(REPO, number, "leo-dev")
    with pytest.raises(Gone):
        tracker.issue(REPO, number)


def test_switching_issues_off_deletes_none(hub: GitLabStandIn, tracker: GitLab) -> None:
    """GitLab answers 404 for each of them then, as for a deleted one."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.set_issues_enabled(REPO, False)
    with pytest.raises(NotFound) as hidden:
        tracker.issue(REPO, number)
    assert not isinstance(hidden.value, Gone)


def test_a_duplicate_may_be_of_another_project(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Named by its full path."""
    first = hub.open_issue(OTHER, "leo-dev", "Basket")
    second = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.close_as_duplicate(REPO, second, "leo-dev", f"{OTHER}#{first}")
    assert tracker.issue(REPO, second).duplicate_of == Place(OTHER, first)


def test_a_renamed_project_is_followed_for_reads_and_writes(hub: GitLabStandIn, tracker: GitLab) -> None:
    """GitLab sends reads on and refuses writes; nothing is written twice for that."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    _, watch = tracker.poll(REPO, "issues", Watch())
    hub.rename_project(REPO, "acme/store")
    made = tracker.create_issue(REPO, IssueDraft("Till", "…"), "k1")
    assert made.url.endswith(f"/acme/store/-/issues/{made.number}")
    assert len([issue for issue in hub.issues("acme/store") if issue["title"] == "Till"]) == 1
    hub.close_issue("acme/store", number, "leo-dev")
    events, watch = tracker.poll(REPO, "issues", watch)
    assert {event.number for event in events if isinstance(event, IssueTouched)} == {number, made.number}
    assert tracker.poll(REPO, "issues", watch) == ([], watch)
    assert tracker.issue(REPO, number).repository == "acme/store"
    assert ["repository: acme/store" in finding.mend for finding in GitLabWorld(hub).tracker().check(REPO)] == [True]


# --- what we write ----------------------------------------------------------------------------------------------------


def test_a_confidential_issue_with_labels_and_its_assignee(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Labels are made where they are missing; of scoped ones GitLab keeps the last."""
    draft = IssueDraft("Basket", "…", ("from-support", "type::bug", "type::tooling"), ("leo-dev",), confidential=True)
    made = tracker.create_issue(REPO, draft, "k1")
    issue = hub.issue(REPO, made.number)
    assert issue["confidential"]
    assert set(issue["labels"]) == {"from-support", "type::tooling"}
    assert [person["username"] for person in issue["assignees"]] == ["leo-dev"]
    assert tracker.marked_issue(REPO, "k1", LONG_AGO) == made


def test_our_comments_are_internal_and_gitlabs_own_are_left_out(hub: GitLabStandIn, tracker: GitLab) -> None:
    """What members alone see, beside what people wrote; "mentioned in …" is nobody's word."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.open_issue(REPO, "leo-dev", "Till", f"As in #{number}")
    hub.comment(REPO, number, "leo-dev", "Seen")
    made = tracker.comment(REPO, number, "Waiting: 2", "k1")
    assert made.url.endswith(f"/acme/shop-app/-/issues/{number}#note_{made.id}")
    notes = hub.issue(REPO, number)["notes"]
    assert [note["internal"] for note in notes if str(note["id"]) == made.id] == [True]
    assert any(note["system"] for note in notes)
    assert [comment.author for comment in tracker.comments(REPO, number)] == ["leo-dev", hub.login]
    assert [comment.id for comment in tracker.comments(REPO, number, made.at)] == [made.id]


def test_declined_is_a_label_that_comes_off(hub: GitLabStandIn, tracker: GitLab) -> None:
    """GitLab keeps no reason for closing."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    tracker.close(REPO, number, "not_planned")
    assert (hub.issue(REPO, number)["labels"], tracker.issue(REPO, number).reason) == (["not planned"], "not_planned")
    hub.reopen_issue(REPO, number, "leo-dev")
    assert tracker.issue(REPO, number).reason is None
    tracker.close(REPO, number, "completed")
    assert (hub.issue(REPO, number)["labels"], tracker.issue(REPO, number).reason) == ([], "completed")


def test_the_table_leaves_peoples_words_alone(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Before and after it; what has not changed is not written again."""
    number = hub.open_issue(REPO, "leo-dev", "Basket", "It was full.")
    tracker.keep(REPO, number, "Waiting: 2", "k1")
    text = hub.issue(REPO, number)["description"]
    hub.edit_issue(REPO, number, "leo-dev", {"description": f"Really.\n\n{text}\n\nAfterwards."})
    tracker.keep(REPO, number, "Waiting: 3", "k1", "description")
    tracker.keep(REPO, number, "Waiting: 3", "k1", "description")
    kept = hub.issue(REPO, number)["description"]
    assert kept.startswith("Really.\n\nIt was full.\n\n")
    assert kept.endswith("\n\nAfterwards.")
    assert "Waiting: 3" in kept
    assert "Waiting: 2" not in kept
    assert len(hub.wire.calls_to("PUT", ".*")) == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{mark('k')}\n\nTwo\n\n<!-- /passerelle -->"),
        ("Words", f"Words\n\n{mark('k')}\n\nTwo\n\n<!-- /passerelle -->"),
        (f"A {mark('k')} old <!-- /passerelle --> B", f"A {mark('k')}\n\nTwo\n\n<!-- /passerelle --> B"),
        (f"A {mark('k')} theirs", f"A {mark('k')}\n\nTwo\n\n<!-- /passerelle --> theirs"),
        (
            f"{mark('k')} one <!-- /passerelle -->B{mark('k')} two <!-- /passerelle -->",
            f"{mark('k')}\n\nTwo\n\n<!-- /passerelle -->B",
        ),
        (
            f"{mark('k')} one {mark('j')} two <!-- /passerelle -->",
            f"{mark('k')}\n\nTwo\n\n<!-- /passerelle --> one {mark('j')} two <!-- /passerelle -->",
        ),
    ],
)
def test_a_table_between_its_lines(before: str, after: str) -> None:
    """Also where somebody deleted its last line, copied it, or another table stands beside it."""
    assert table.replaced(before, "Two", "k") == after
    assert table.replaced(after, "Two", "k") == after


def test_a_table_too_long_is_cut(tracker: GitLab, hub: GitLabStandIn) -> None:
    """GitLab takes 1,048,576 characters, the words of others included."""
    number = hub.open_issue(REPO, "leo-dev", "Basket", "x" * 1_000_000)
    tracker.keep(REPO, number, "y" * 100_000, "k1")
    kept = hub.issue(REPO, number)["description"]
    assert len(kept) <= 1_048_576
    assert kept.endswith("<!-- /passerelle -->")


# --- health -----------------------------------------------------------------------------------------------------------


def told(hub: GitLabStandIn) -> str:
    """What `check` says, on one line."""
    return " · ".join(f"{finding.problem} → {finding.mend}" for finding in GitLabWorld(hub).tracker().check(REPO))


@pytest.mark.parametrize(("days", "says"), [(15, ""), (14, "in 14 days"), (1, "tomorrow")])
def test_a_token_that_ends_soon_is_told(hub: GitLabStandIn, days: int, says: str) -> None:
    """Two weeks before."""
    last = (hub.now() + timedelta(days=days)).date()
    hub.tokens["glpat-sandbox"] = Token(hub.login, expires_at=last)
    assert (says in told(hub)) if says else told(hub) == ""


def test_a_token_that_ended_is_unauthorised(hub: GitLabStandIn, tracker: GitLab) -> None:
    """In GitLab's words."""
    hub.tokens["glpat-sandbox"] = Token(hub.login, expires_at=date(2025, 1, 1))
    with pytest.raises(Unauthorised, match="expired"):
        tracker.repository(REPO)
    assert "expired" in told(hub)


def test_a_token_that_may_only_read_is_told(hub: GitLabStandIn) -> None:
    """It sees everything and files nothing."""
    hub.tokens["glpat-sandbox"] = Token(hub.login, scopes=("read_api",))
    assert "lacks the scope api; it has read_api" in told(hub)


def test_a_role_below_reporter_is_told(hub: GitLabStandIn) -> None:
    """A guest sets no label and sees no confidential issue."""
    hub.set_member(REPO, hub.login, 10)
    assert "below Reporter" in told(hub)
    hub.set_member(REPO, hub.login, None)
    assert "no such project" in told(hub)
    hub.set_member(REPO, hub.login, 20)
    assert told(hub) == ""  # who may not see hooks hears nothing of them


def test_an_archived_project_is_a_refusal(hub: GitLabStandIn, tracker: GitLab) -> None:
    """No token helps there, so it is not Unauthorised; `check` says what does."""
    hub.set_archived(REPO, True)
    with pytest.raises(Rejected, match="archived"):
        tracker.create_issue(REPO, IssueDraft("Basket", "…"), "k1")
    assert "Unarchive it" in told(hub)


def test_an_environment_that_nobody_knows_is_told(hub: GitLabStandIn, tracker: GitLab) -> None:
    """By its name or by its tier; what code does not ship by is not asked about."""
    hub.deploy(REPO, "eu/shop", tier="production")
    assert tracker.check(REPO, ["branch", "deployments:eu/shop", "deployments:production"]) == []
    [finding] = tracker.check(REPO, ["deployments:prod"])
    assert "no environment there is called prod" in finding.problem
    hub.wire.faults.append(Fault("refuse", "GET", "/(releases|deployments)$", status=403, times=None))
    assert tracker.check(REPO) == []
    assert ["environments" in found.problem for found in tracker.check(REPO, ["deployments:prod"])] == [True]
    assert ["releases" in found.problem for found in tracker.check(REPO, ["releases"])] == [True]


# --- the webhook ------------------------------------------------------------------------------------------------------


def test_a_missing_hook_is_told_and_added(hub: GitLabStandIn, tracker: GitLab) -> None:
    """With both secrets and everything that we need to hear."""
    hub.webhook_url = None
    assert "no webhook of the project" in told(hub)
    assert tracker.mend_hook(REPO, HOOK) == "the webhook was added"
    assert told(hub) == ""
    project = hub.find(REPO)
    assert project
    [hook] = project.hooks
    assert (hook.token, hook.signing_token) == (hub.webhook_secret, hub.signing_secret)
    assert tracker.mend_hook(REPO, HOOK) == "the webhook is there; it needs nothing"
    assert len(project.hooks) == 1


def test_a_hook_that_is_silent_about_something_is_completed(hub: GitLabStandIn, tracker: GitLab) -> None:
    """The confidential ones are easily forgotten."""
    project = hub.find(REPO)
    assert project
    project.hooks[0].flags |= {"confidential_issues_events": False, "deployment_events": False}
    assert "does not tell of: Confidential issues events, Deployment events" in told(hub)
    assert tracker.mend_hook(REPO, HOOK) == "the webhook is there; it tells of everything now"
    assert told(hub) == ""


def test_a_hook_that_gitlab_stopped_is_told(hub: GitLabStandIn, tracker: GitLab) -> None:
    """It is switched on again by a test that arrives."""
    project = hub.find(REPO)
    assert project
    for _ in range(4):
        project.hooks[0].failed(hub.now())
    assert "GitLab has stopped the webhook, as it kept failing (temporarily_disabled)" in told(hub)


def test_what_the_token_may_not_do_is_said(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Hooks are a Maintainer's."""
    hub.set_member(REPO, hub.login, 20)
    with pytest.raises(Unauthorised):
        tracker.mend_hook(REPO, HOOK)
    assert tracker.redeliver(REPO, HOOK, LONG_AGO) == 0


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.server.stop()


class Listener:
    """Passerelle's address, which hears the deliveries that are sent after all."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status = 204
        self.server = Server(Starlette(routes=[Route("/webhooks/gitlab", self._hear, methods=["POST"])])).start()
        self.url = f"{self.server.url}/webhooks/gitlab"

    async def _hear(self, asked: Request) -> Response:
        self.heard.append(asked.headers["idempotency-key"])
        return Response(status_code=self.status)


def test_lost_deliveries_are_asked_for_again(hub: GitLabStandIn, tracker: GitLab, listener: Listener) -> None:
    """Five at a time, oldest first, and none that arrived; another address's are left alone."""
    hub.webhook_url = listener.url
    for count in range(7):
        hub.open_issue(REPO, "leo-dev", f"Basket {count}")
    lost = [delivery.id for delivery in hub.deliveries]
    assert tracker.redeliver(REPO, HOOK, LONG_AGO) == 0
    assert tracker.redeliver(REPO, listener.url, hub.now() + timedelta(hours=1)) == 0
    assert tracker.redeliver(REPO, listener.url, LONG_AGO) == 5
    assert listener.heard == lost[:5]


def test_a_delivery_that_fails_again_is_not_asked_for_ever(
    hub: GitLabStandIn, tracker: GitLab, listener: Listener
) -> None:
    """Five attempts, then polling alone heals; the limit of a minute is no fault of ours."""
    hub.webhook_url, listener.status = listener.url, 503
    hub.open_issue(REPO, "leo-dev", "Basket")
    for _ in range(10):
        tracker.redeliver(REPO, listener.url, LONG_AGO)
    assert len(listener.heard) == 4  # and the first one, which was held back


def test_an_older_server_resends_nothing(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Before 17.4 there is no such address."""
    hub.open_issue(REPO, "leo-dev", "Basket")
    hub.wire.faults.append(Fault("refuse", "GET", "/events$", status=404, times=None))
    assert tracker.redeliver(REPO, HOOK, LONG_AGO) == 0
