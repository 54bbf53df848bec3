"""Issues, rights and limits are as strict as GitHub's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from github.GithubException import GithubException
from github.Repository import Repository

from integrations.sandbox.github import GitHubStandIn, Token
from tests.integrations.sandbox_github.conftest import SHOP, Clock


def test_what_a_program_files_people_see_and_the_other_way_round(github: GitHubStandIn, shop: Repository) -> None:
    """An issue filed through PyGithub stands in the sandbox, and what people do to it is read back."""
    filed = shop.create_issue("Basket empties itself", "On payday", labels=["from-support"], assignees=["leo-dev"])
    comment = filed.create_comment("Three customers wait")
    comment.edit("Four customers wait")
    answer = github.comment(SHOP, filed.number, "leo-dev", "On it")
    github.close_issue(SHOP, filed.number, "leo-dev", "not_planned")

    seen = github.issue(SHOP, filed.number)
    assert [comment["body"] for comment in seen["comments"]] == ["Four customers wait", "On it"]
    assert (seen["user"]["login"], [label["name"] for label in seen["labels"]]) == ("passerelle-bot", ["from-support"])
    read = shop.get_issue(filed.number)
    assert (read.state, read.state_reason, read.closed_by.login) == ("closed", "not_planned", "leo-dev")
    assert read.get_comment(answer).body == "On it"
    assert read.assignees[0].login == "leo-dev"
    assert read.html_url == f"{github.url}/acme/shop/issues/{filed.number}"


def test_reasons_of_closing_follow_githubs_rules(github: GitHubStandIn, shop: Repository) -> None:
    """Closed without a reason is completed, reopened says so, a made-up reason is refused."""
    issue = shop.create_issue("Slow search")
    issue.edit(state="closed")
    assert issue.state_reason == "completed"
    issue.edit(state="open")
    assert (issue.state_reason, issue.closed_at) == ("reopened", None)
    with pytest.raises(GithubException) as refused:
        issue.edit(state="closed", state_reason="tired")
    assert refused.value.status == 422
    assert github.issue(SHOP, issue.number)["state"] == "open"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": "x" * 257}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x", "body": "y" * 65_537}, "body"),
        ({"title": "x", "assignees": ["nobody-here"]}, "assignees"),
        ({"title": "x", "labels": [""]}, "name"),
    ],
)
def test_an_invalid_issue_is_refused_and_not_made(
    github: GitHubStandIn, http: httpx2.Client, fields: dict[str, Any], field: str
) -> None:
    """A field that GitHub refuses is a 422 that names it."""
    answer = http.post(f"/repos/{SHOP}/issues", json=fields)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert github.issues(SHOP) == []


def test_limits_are_inclusive_and_count_characters(http: httpx2.Client) -> None:
    """256 and 65,536 characters pass, however many bytes they are; JSON that is none is a 400."""
    assert http.post(f"/repos/{SHOP}/issues", json={"title": "é" * 256, "body": "🧺" * 65_536}).status_code == 201
    for text, status in (("x" * 65_536, 201), ("x" * 65_537, 422), (" ", 422)):
        assert http.post(f"/repos/{SHOP}/issues/1/comments", json={"body": text}).status_code == status
    assert http.post(f"/repos/{SHOP}/issues", json={}).status_code == 422
    assert http.post(f"/repos/{SHOP}/issues", json=["title"]).status_code == 422
    assert http.post(f"/repos/{SHOP}/issues", content=b"{").status_code == 400


def test_a_type_is_the_organisations_and_for_who_may_push(github: GitHubStandIn, http: httpx2.Client) -> None:
    """Case does not count, an unknown one is refused; from others it is dropped in silence."""
    made = http.post(f"/repos/{SHOP}/issues", json={"title": "Slow search", "type": "bug"})
    assert (made.status_code, made.json()["type"]["name"]) == (201, "Bug")
    refused = http.post(f"/repos/{SHOP}/issues", json={"title": "Slow search", "type": "Wish"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "type")
    github.set_permission(SHOP, "passerelle-bot", "triage")
    dropped = http.post(f"/repos/{SHOP}/issues", json={"title": "Slow search", "type": "Wish"})
    assert (dropped.status_code, dropped.json()["type"]) == (201, None)


def test_a_duplicate_names_the_other_by_its_id(github: GitHubStandIn, http: httpx2.Client) -> None:
    """Not by its number; an id that nothing has is refused, and one without is a duplicate of nothing named."""
    ids = [http.post(f"/repos/{SHOP}/issues", json={"title": title}).json()["id"] for title in ("One", "Two", "Three")]
    change = {"state": "closed", "state_reason": "duplicate"}
    assert http.patch(f"/repos/{SHOP}/issues/2", json=change | {"duplicate_issue_id": 1}).status_code == 422
    assert http.patch(f"/repos/{SHOP}/issues/2", json=change | {"duplicate_issue_id": ids[0]}).status_code == 200
    assert http.patch(f"/repos/{SHOP}/issues/3", json=change).status_code == 200
    marked = ["marked_as_duplicate" in [event["event"] for event in github.issue(SHOP, n)["timeline"]] for n in (2, 3)]
    assert (marked, github.issue(SHOP, 3)["state_reason"]) == ([True, False], "duplicate")


def test_a_deleted_comment_is_404(github: GitHubStandIn, http: httpx2.Client) -> None:
    """For whoever wrote it, or may push."""
    number = github.open_issue(SHOP, "leo-dev", "Slow search")
    comment = f"/repos/{SHOP}/issues/comments/{github.comment(SHOP, number, 'leo-dev', 'Oops')}"
    github.set_permission(SHOP, "passerelle-bot", "triage")
    assert http.delete(comment).status_code == 403
    github.set_permission(SHOP, "passerelle-bot", "push")
    assert [http.delete(comment).status_code for _ in range(2)] == [204, 404]
    assert github.issue(SHOP, number)["timeline"] == []


def test_lists_show_pull_requests_too_and_page_by_link(github: GitHubStandIn, shop: Repository) -> None:
    """PyGithub walks 120 issues and a pull request over two pages; the pull request says what it is."""
    for number in range(120):
        github.open_issue(SHOP, "passerelle-bot", f"Bug {number}")
    pull = github.open_pull(SHOP, "leo-dev", "Tidy", "")
    shop.requester.per_page = 100
    found = list(shop.get_issues(state="all", sort="created", direction="asc"))
    assert [issue.number for issue in found] == list(range(1, 122))
    assert [issue.number for issue in found if issue.pull_request] == [pull]
    assert [call.query.count("page=2") for call in github.wire.calls_to("GET", f"/repos/{SHOP}/issues")] == [0, 1]


def test_since_and_creator_narrow_a_list(github: GitHubStandIn, shop: Repository, clock: Clock) -> None:
    """`since` counts from the last change of any kind, to the second."""
    old = github.open_issue(SHOP, "passerelle-bot", "Old")
    github.open_issue(SHOP, "leo-dev", "Of another")
    clock.pass_(hours=1)
    quiet = github.open_issue(SHOP, "passerelle-bot", "New")
    github.comment(SHOP, old, "leo-dev", "Still there")
    clock.pass_(hours=1)
    since = clock.at.replace(microsecond=0) - timedelta(hours=1)
    found = shop.get_issues(since=since, creator="passerelle-bot", sort="updated", state="all")
    assert [issue.number for issue in found] == [quiet, old]
    assert [issue.number for issue in shop.get_issues(since=since + timedelta(seconds=1))] == []


def test_a_private_repository_is_hidden_from_who_may_not_see_it(github: GitHubStandIn, http: httpx2.Client) -> None:
    """A wrong token is 401; a good one without access, with too small a scope, or none at all is 404."""
    github.tokens["ghp_guest"] = Token("guest")
    github.tokens["ghp_small"] = Token("passerelle-bot", ("public_repo",))

    def status(header: dict[str, str], path: str = f"/repos/{SHOP}") -> int:
        return httpx2.get(github.url + path, headers=header).status_code

    assert status({"Authorization": "token wrong"}) == 401
    assert status({"Authorization": "token ghp_guest"}) == 404
    assert status({"Authorization": "token ghp_small"}) == 404
    assert (status({}), status({}, "/user")) == (404, 401)
    assert http.get("/user").headers["X-OAuth-Scopes"] == "repo"
    github.set_visibility(SHOP, private=False)
    assert status({}) == 200
    github.set_visibility(SHOP, private=True)
    github.set_permission(SHOP, "passerelle-bot", None)
    assert http.get(f"/repos/{SHOP}").status_code == 404


def test_a_reader_of_a_public_repository_files_without_labels(github: GitHubStandIn) -> None:
    """Without triage rights labels and assignees are dropped in silence, and other people's issues are out of reach."""
    github.set_visibility(SHOP, private=False)
    github.tokens["ghp_guest"] = Token("guest")
    mine = {"Authorization": "Bearer ghp_guest"}
    sent = {"title": "Hello", "labels": ["bug"], "assignees": ["leo-dev"]}
    filed = httpx2.post(f"{github.url}/repos/{SHOP}/issues", json=sent, headers=mine).json()
    assert (filed["labels"], filed["assignees"], filed["author_association"]) == ([], [], "NONE")
    other = github.open_issue(SHOP, "leo-dev", "Not yours")
    answer = httpx2.patch(f"{github.url}/repos/{SHOP}/issues/{other}", json={"state": "closed"}, headers=mine)
    assert answer.status_code == 403


def test_switched_off_archived_and_deleted_each_have_their_status(github: GitHubStandIn, http: httpx2.Client) -> None:
    """Issues off and a deleted issue are 410, an archived repository 403 for writes alone, a deleted one 404."""
    number = github.open_issue(SHOP, "leo-dev", "Here")
    gone = github.open_issue(SHOP, "leo-dev", "Gone")
    github.delete_issue(SHOP, gone, "leo-dev")
    assert http.get(f"/repos/{SHOP}/issues/{gone}").status_code == 410
    assert http.get(f"/repos/{SHOP}/issues/{gone + 1}").status_code == 404
    github.set_archived(SHOP, True)
    assert http.post(f"/repos/{SHOP}/issues/{number}/comments", json={"body": "hi"}).status_code == 403
    assert http.get(f"/repos/{SHOP}/issues").status_code == 200
    github.set_issues_enabled(SHOP, False)
    assert http.get(f"/repos/{SHOP}/issues").status_code == 410
    github.delete_repo(SHOP)
    assert http.get(f"/repos/{SHOP}").status_code == 404


def test_assignable_people_are_the_collaborators(shop: Repository) -> None:
    """PyGithub's question answers for a collaborator in any spelling, and for a stranger no."""
    assert shop.has_in_assignees("Leo-Dev")
    assert not shop.has_in_assignees("stranger")


def test_an_unchanged_list_is_a_304_that_costs_nothing(github: GitHubStandIn, http: httpx2.Client) -> None:
    """The ETag holds until something shown changes; a 304 has no body and leaves the limit alone."""
    number = github.open_issue(SHOP, "passerelle-bot", "Basket")
    first = http.get(f"/repos/{SHOP}/issues")
    again = http.get(f"/repos/{SHOP}/issues", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    github.comment(SHOP, number, "leo-dev", "Seen")
    changed = http.get(f"/repos/{SHOP}/issues", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert [call.status for call in github.wire.calls_to("GET", ".*/issues")] == [200, 304, 200]


def test_too_many_writes_wait_for_the_time_named(github: GitHubStandIn, http: httpx2.Client, clock: Clock) -> None:
    """The secondary limit refuses writes until Retry-After has passed, and never reads."""
    github.writes_per_minute = 2
    statuses = [http.post(f"/repos/{SHOP}/issues", json={"title": "x"}).status_code for _ in range(2)]
    clock.pass_(seconds=20)
    refused = http.post(f"/repos/{SHOP}/issues", json={"title": "x"})
    assert (statuses, refused.status_code, refused.headers["Retry-After"]) == ([201, 201], 403, "40")
    assert "secondary rate limit" in refused.json()["message"]
    assert http.get(f"/repos/{SHOP}/issues").status_code == 200
    clock.pass_(seconds=40)
    assert http.post(f"/repos/{SHOP}/issues", json={"title": "x"}).status_code == 201


def test_the_hourly_limit_refuses_until_its_reset(github: GitHubStandIn, http: httpx2.Client, clock: Clock) -> None:
    """With nothing left, answers are 403 and name the reset; asking about the limit stays free."""
    github.requests_per_hour = 1
    http.get("/user")
    refused = http.get("/user")
    assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert http.get("/rate_limit").json()["resources"]["core"]["remaining"] == 0
    clock.at = datetime.fromtimestamp(int(refused.headers["X-RateLimit-Reset"]) + 1, UTC)
    assert http.get("/user").status_code == 200
