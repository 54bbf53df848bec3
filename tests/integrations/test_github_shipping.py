"""What ships by GitHub, and what moves there: beyond what every tracker has to tell."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.base import CodeTouched, Event, Gone, IssueDraft, IssueTouched, NotFound, Place, Watch
from integrations.github import Config, GitHub, answers, code, shipments
from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.wire import Fault, Server
from tests.integrations.github_world import REPO, GitHubWorld

OTHER = "acme/warehouse"


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


def statuses_asked(hub: GitHubStandIn) -> int:
    return len(hub.wire.calls_to("GET", ".*/statuses"))


# --- issues that move -------------------------------------------------------------------------------------------------


def test_an_issue_moved_out_of_sight_is_gone(hub: GitHubStandIn, tracker: GitHub) -> None:
    """GitHub answers 404 for it, as for a repository that we do not see, which is told apart."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.transfer_issue(REPO, number, OTHER, "leo-dev")
    hub.set_permission(OTHER, hub.login, None)
    with pytest.raises(Gone):
        tracker.issue(REPO, number)
    hub.set_permission(REPO, hub.login, None)
    with pytest.raises(NotFound) as hidden:
        tracker.issue(REPO, number)
    assert not isinstance(hidden.value, Gone)


@pytest.mark.parametrize("gone", [False, True])
def test_a_discussion_is_no_issue_any_more(hub: GitHubStandIn, tracker: GitHub, gone: bool) -> None:
    """GitHub still shows it, locked; older ones answer 410."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.convert_to_discussion(REPO, number, "leo-dev", gone=gone)
    with pytest.raises(Gone):
        tracker.issue(REPO, number)


@pytest.mark.parametrize("graphql", [True, False])
def test_a_duplicate_may_be_of_another_repository(hub: GitHubStandIn, tracker: GitHub, graphql: bool) -> None:
    """By the mark, or, where there is no GraphQL, by what was written."""
    first = hub.open_issue(OTHER, "leo-dev", "Basket")
    second = hub.open_issue(REPO, "leo-dev", "Basket")
    hub.comment(REPO, second, "leo-dev", "Duplicate of #4711")
    hub.close_as_duplicate(REPO, second, "leo-dev", f"{OTHER}#{first}")
    if not graphql:
        hub.wire.faults.append(Fault("refuse", "POST", "/graphql", status=404, times=None))
        hub.comment(REPO, second, "leo-dev", f"Thank you.\n\nDuplicate of {OTHER}#{first}")
    assert tracker.issue(REPO, second).duplicate_of == Place(OTHER, first)


def test_a_renamed_repository_is_followed_for_reads_and_writes(hub: GitHubStandIn, tracker: GitHub) -> None:
    """By its old name, from the first call on; lists keep what was asked of them."""
    number = hub.open_issue(REPO, "leo-dev", "Basket")
    _, watch = tracker.poll(REPO, "issues", Watch())
    hub.rename_repo(REPO, "acme/store")
    made = tracker.create_issue(REPO, IssueDraft("Till", "…"), "k1")
    assert made.url.endswith(f"/acme/store/issues/{made.number}")
    hub.close_issue("acme/store", number, "leo-dev", "completed")
    events, watch = tracker.poll(REPO, "issues", watch)
    assert {event.number for event in events if isinstance(event, IssueTouched)} == {number, made.number}
    assert tracker.poll(REPO, "issues", watch) == ([], watch)
    for count in range(105):
        hub.comment("acme/store", number, "leo-dev", f"Comment {count}")
    assert len(tracker.comments(REPO, number)) == 105
    assert tracker.issue(REPO, number).repository == "acme/store"


def test_another_environments_deployments_do_not_count(hub: GitHubStandIn, tracker: GitHub) -> None:
    """A list that lost its query on the way to a renamed repository names all of them."""
    hub.deploy(REPO, "production")
    hub.commit(REPO, "main", "Tidy up")
    hub.deploy(REPO, "staging")
    before = tracker.deployed(REPO, "production")
    hub.rename_repo(REPO, "acme/store")
    assert before
    assert tracker.deployed(REPO, "Production") is not None
    assert [each and each.sha for each in [tracker.deployed(REPO, "production")]] == [before.sha]


# --- ranges and changes -----------------------------------------------------------------------------------------------


def test_histories_without_a_common_beginning_share_nothing(hub: GitHubStandIn, tracker: GitHub) -> None:
    """As after an import: all of head's commits, oldest first."""
    repo = hub.find(REPO)
    assert repo
    first, second = (repo.history.commit("imported", title, "leo-dev", hub.now()).sha for title in ("One", "Two"))
    found = tracker.between(REPO, tracker.resolve(REPO, "heads/main"), second)
    assert ([commit.sha for commit in found.commits], found.holds_base, found.whole) == ([first, second], False, True)


def test_a_range_too_long_to_list_still_tells_whether_it_holds_its_base() -> None:
    """With more than 10,000 commits the first page says so, and no other is asked for."""
    asked_for = []

    async def answer(asked: Request) -> Response:
        asked_for.append(asked.url.query)
        page = int(asked.query_params["page"])
        shas = [f"{page * 100 + count:040x}" for count in range(100)]
        commits = [{"sha": sha, "parents": [], "commit": {"message": "x", "author": None}} for sha in shas]
        return JSONResponse({"status": "ahead", "total_commits": 12_000, "commits": commits})

    server = Server(Starlette(routes=[Route("/{rest:path}", answer)])).start()
    tracker = GitHub("github", Config(url=server.url, token=SecretStr("x")))
    found = tracker.between(REPO, "a" * 40, "b" * 40)
    server.stop()
    assert (found.holds_base, found.whole, len(asked_for)) == (True, False, 1)


def test_a_patch_too_large_to_show_proves_nothing(hub: GitHubStandIn, tracker: GitHub) -> None:
    """GitHub answers 406 for it."""
    sha = hub.commit(REPO, "main", "Tidy up")
    assert tracker.same_change(REPO, sha, sha)
    hub.wire.faults.append(Fault("refuse", "GET", f"/commits/{sha}", status=406, times=None))
    assert not tracker.same_change(REPO, sha, sha)


DIFF = """diff --git a/basket.py b/basket.py
index 1111111..2222222 100644
--- a/basket.py
+++ b/basket.py
@@ -10,3 +10,3 @@ def empty():
 keep
-old
+new
"""
IMAGE = "diff --git a/b.png b/b.png\nindex {0}..{1} 100644\nBinary files a/b.png and b/b.png differ\n"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (DIFF.replace("-10,3 +10,3 @@ def empty", "-90,3 +94,3 @@ def full"), True),
        (DIFF.replace("1111111..2222222", "3333333..4444444"), True),
        (DIFF.replace("+new", "+  new "), True),
        (DIFF.replace("+new", "+newer"), False),
        (DIFF.replace("basket.py", "till.py"), False),
        (DIFF.replace(" keep", " kept"), False),
        (DIFF + DIFF.replace("basket.py", "till.py"), False),
    ],
)
def test_a_patch_is_known_wherever_its_lines_stand(other: str, same: bool) -> None:
    """As `git patch-id` has it: positions, blanks and contents' ids aside; files and context count."""
    assert (code.patch_id(DIFF) == code.patch_id(other)) == same


def test_two_images_are_not_one_change() -> None:
    """All that a patch says of a binary file is which contents it had."""
    assert code.patch_id(IMAGE.format("1111111", "2222222")) != code.patch_id(IMAGE.format("1111111", "3333333"))
    assert code.patch_id("") == ""


# --- releases and tags ------------------------------------------------------------------------------------------------


def test_a_drafts_tag_waits_for_its_release(hub: GitHubStandIn, tracker: GitHub) -> None:
    """Tagged first and published by hand later: not shipped in between."""
    hub.tag(REPO, "v1.0.0", "main")
    hub.publish_release(REPO, "v1.0.0", draft=True)
    assert tracker.releases(REPO, bare_tags=True) == []
    hub.publish_release(REPO, "v1.0.0")
    [release] = tracker.releases(REPO, bare_tags=True)
    assert (release.tag, release.sha) == ("v1.0.0", tracker.resolve(REPO, "tags/v1.0.0"))


def test_an_annotated_tag_is_its_commit(hub: GitHubStandIn, tracker: GitHub) -> None:
    """The tag has a sha of its own, which no branch holds."""
    sha = hub.commit(REPO, "main", "Tidy up")
    hub.tag(REPO, "v1", "main", annotation="First")
    assert [release.sha for release in tracker.releases(REPO, bare_tags=True)] == [sha]
    assert tracker.resolve(REPO, "tags/v1") == sha


@pytest.mark.parametrize(
    ("tag", "prerelease"),
    [
        ("v1.0.0-rc.1", True),
        ("web@2.0.0-beta", True),
        ("2.0b3", True),
        ("1.0.dev4", True),
        ("1.4.0-SNAPSHOT", True),
        ("v3.0.0-M2", True),
        ("v1.0.0", False),
        ("release-2026-03-01", False),
        ("2026a", False),
        ("v1.2.3-hotfix", False),
        ("api/v2.1", False),
        ("v1-december", False),
    ],
)
def test_a_pre_release_is_known_by_its_tag(tag: str, prerelease: bool) -> None:
    """Semantic versions and Python's, and no others by mistake."""
    assert shipments.is_prerelease(tag) == prerelease


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://api.github.com", "https://github.com/acme/shop"),
        ("https://github.acme.example/api/v3/", "https://github.acme.example/acme/shop"),
        ("https://api.acme.ghe.example", "https://acme.ghe.example/acme/shop"),
    ],
)
def test_pages_lie_where_people_find_them(url: str, page: str) -> None:
    """On github.com, on Enterprise Server, and on Enterprise Cloud with an address of its own."""
    assert answers.page_of(url, REPO) == page


# --- deployments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("environment", "most"), [("production", 1), ("staging", 2)])
def test_many_deployments_cost_few_calls(environment: str, most: int) -> None:
    """Fifty in a minute: the list, the newest one's statuses, and those of the one that it switched off."""
    seconds = itertools.count(0, 0.3)
    began = datetime(2026, 3, 2, 10, tzinfo=UTC)
    hub = GitHubStandIn(lambda: began + timedelta(seconds=next(seconds))).start()
    hub.add_repo(REPO)
    made = [hub.deploy(REPO, environment) for _ in range(50)]
    found = GitHubWorld(hub).tracker().deployed(REPO, environment)
    hub.stop()
    assert found
    assert found.id == str(made[-1])
    assert statuses_asked(hub) <= most + 1  # times are whole seconds: one more may have ended in the same


def test_a_queue_does_not_hide_what_runs(hub: GitHubStandIn, tracker: GitHub) -> None:
    """Twenty wait behind the one that succeeded."""
    running = hub.deploy(REPO, "production")
    for _ in range(20):
        hub.deploy(REPO, "production", hub.commit(REPO, "main", "Tidy up"), state="queued")
    found = tracker.deployed(REPO, "production")
    assert found
    assert found.id == str(running)


def test_a_deployment_leads_to_its_log_or_to_its_page(hub: GitHubStandIn, tracker: GitHub) -> None:
    """Where a person looks for more."""
    first = hub.deploy(REPO, "live eu")
    hub.deployment_status(REPO, first, "success", log_url="https://ci.example/7")
    assert [each and each.url for each in [tracker.deployed(REPO, "live eu")]] == ["https://ci.example/7"]
    hub.deploy(REPO, "staging")
    assert [each and each.url for each in [tracker.deployed(REPO, "staging")]] == [
        f"{hub.url}/{REPO}/deployments/staging"
    ]


def test_what_failed_does_not_come_back_by_being_switched_off(hub: GitHubStandIn, tracker: GitHub) -> None:
    """Success, failure, inactive: the failure stands."""
    first = hub.deploy(REPO, "staging")
    for state in ("failure", "inactive"):
        hub.deployment_status(REPO, first, state)
    assert tracker.deployed(REPO, "staging") is None


# --- events -----------------------------------------------------------------------------------------------------------


def test_a_repository_without_commits_is_no_failure(hub: GitHubStandIn, tracker: GitHub) -> None:
    """GitHub answers 409 for its commits; once there is one, that is news."""
    hub.wire.faults.append(
        Fault("refuse", "GET", "/commits", status=409, body={"message": "Git Repository is empty."}, times=2)
    )
    events, watch = tracker.poll(REPO, "branch", Watch())
    assert events == []
    assert tracker.poll(REPO, "branch", watch) == ([], watch)
    assert tracker.poll(REPO, "branch", watch)[0] == [CodeTouched(REPO, "branch")]


def test_a_merged_backport_touches_what_it_copies(hub: GitHubStandIn, tracker: GitHub) -> None:
    """It may name no issue; who keeps the fix knows the pull request that it copies."""
    hub.branch(REPO, "1.x", "main")
    pull = hub.open_pull(REPO, "leo-dev", "[Backport 1.x] Keep the basket", f"Backport of #40, fixes {OTHER}#7", "1.x")
    _, watch = tracker.poll(REPO, "issues", Watch())
    hub.merge_pull(REPO, pull, "leo-dev")
    events, _ = tracker.poll(REPO, "issues", watch)
    assert events == [IssueTouched(OTHER, 7), IssueTouched(REPO, 40)]


PULL = {"title": "Keep the basket", "body": "Fixes #12", "merged_at": "2026-03-02T10:00:00Z"}


@pytest.mark.parametrize(
    ("event", "content", "meant"),
    [
        ("pull_request", {"action": "closed", "pull_request": PULL}, [IssueTouched(REPO, 12)]),
        ("pull_request", {"action": "closed", "pull_request": PULL | {"merged_at": None}}, []),
        ("pull_request", {"action": "edited", "pull_request": PULL | {"title": 7, "body": None}}, []),
        ("push", {"ref": "refs/heads/main"}, [CodeTouched(REPO, "branch")]),
        ("push", {"ref": "refs/heads/feature"}, []),
        ("push", {"ref": "refs/tags/v1", "deleted": True}, [CodeTouched(REPO, "tags")]),
        ("create", {"ref": "v1", "ref_type": "tag"}, [CodeTouched(REPO, "tags")]),
        ("delete", {"ref": "feature", "ref_type": "branch"}, []),
        ("deployment_status", {"deployment": {"environment": "eu 1"}}, [CodeTouched(REPO, "deployments:eu 1")]),
        ("deployment_status", {"deployment": []}, []),
        ("deployment", {"deployment": {"environment": "eu 1"}}, []),
        ("issues", {"action": "transferred", "issue": {"number": 3}}, [IssueTouched(REPO, 3)]),
        ("issues", {"action": "deleted", "issue": {"number": 3}}, [IssueTouched(REPO, 3)]),
    ],
)
def test_deliveries_tell_what_ships(tracker: GitHub, event: str, content: dict[str, Any], meant: list[Event]) -> None:
    """Each kind of "Webhook events and payloads" that we listen to, and what is none of ours."""
    body = json.dumps(content | {"repository": {"full_name": REPO, "default_branch": "main"}}).encode()
    assert tracker.read({"X-GitHub-Event": event}, body) == meant
