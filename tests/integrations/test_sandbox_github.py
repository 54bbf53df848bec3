"""The sandbox's GitHub is as strict as the real one: read through PyGithub and over plain HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from github import Auth, Github
from github.GithubException import GithubException
from github.Repository import Repository
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.sandbox.github import GitHubStandIn, Token
from integrations.sandbox.wire import Fault, Server

SHOP = "acme/shop"


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, 0, 0, 654321, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def github(clock: Clock) -> Iterator[GitHubStandIn]:
    stand_in = GitHubStandIn(clock).start()
    stand_in.add_repo(SHOP, collaborators=["leo-dev"])
    yield stand_in
    stand_in.stop()


@pytest.fixture
def http(github: GitHubStandIn) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=github.url, headers={"Authorization": "Bearer ghp_sandbox"}) as client:
        yield client


@pytest.fixture
def shop(github: GitHubStandIn) -> Repository:
    client = Github(
        auth=Auth.Token("ghp_sandbox"), base_url=github.url, retry=None, seconds_between_requests=None,
        seconds_between_writes=None,
    )  # fmt: skip
    return client.get_repo(SHOP)


class Receiver:
    """An address for webhooks that keeps what it was sent, and can be made to wait."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.server = Server(Starlette(routes=[Route("/hook", self._take, methods=["POST"])])).start()
        self.url = f"{self.server.url}/hook"

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.got.append((dict(request.headers), body))
        await asyncio.to_thread(self.go_on.wait, 10)
        return Response(status_code=204)

    @property
    def events(self) -> list[str]:
        return [f"{headers['x-github-event']}.{json.loads(body).get('action')}" for headers, body in self.got]


@pytest.fixture
def receiver(github: GitHubStandIn) -> Iterator[Receiver]:
    made = Receiver()
    github.webhook_url = made.url
    yield made
    made.go_on.set()
    made.server.stop()


def fixed(github: GitHubStandIn, method: Any = "squash", base: str = "main") -> tuple[int, int, str]:
    """An issue, and a merged pull request that fixes it: (issue, pull request, sha)."""
    issue = github.open_issue(SHOP, "passerelle-bot", "Basket empties itself")
    pull = github.open_pull(SHOP, "leo-dev", "Keep the basket", f"Fixes #{issue}", base)
    return issue, pull, github.merge_pull(SHOP, pull, "leo-dev", method)


# --- issues -----------------------------------------------------------------------------------------------------------


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


# --- who may what -----------------------------------------------------------------------------------------------------


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


# --- conditional requests and limits ----------------------------------------------------------------------------------


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


# --- fixes, releases, history -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_a_merged_fix_closes_its_issue_and_is_in_the_next_release(
    github: GitHubStandIn, shop: Repository, method: str
) -> None:
    """However it was merged, `merge_commit_sha` is in what is released after it, and not in what was before."""
    github.publish_release(SHOP, "v1")
    number, pull, sha = fixed(github, method)
    github.publish_release(SHOP, "v2")

    issue = shop.get_issue(number)
    assert (issue.state, issue.state_reason) == ("closed", "completed")
    assert [event.commit_id for event in issue.get_timeline() if event.event == "closed"] == [sha]
    assert (shop.get_pull(pull).merged, shop.get_pull(pull).merge_commit_sha) == (True, sha)
    assert shop.compare(sha, "v2").status == "identical"
    assert shop.compare(sha, "v1").status == "behind"
    assert sha in [commit.sha for commit in shop.compare("v1", "v2").commits]
    own = shop.get_pull(pull).get_commits()[0].sha
    assert shop.compare(own, "v2").status == ("ahead" if method == "merge" else "diverged")


def test_an_open_pull_request_shows_a_trial_merge_that_is_in_no_branch(github: GitHubStandIn, shop: Repository) -> None:
    """`merge_commit_sha` before merging proves nothing, as on GitHub."""
    pull = shop.get_pull(github.open_pull(SHOP, "leo-dev", "Tidy", ""))
    assert (pull.merged, pull.merged_at) == (False, None)
    assert shop.compare(pull.merge_commit_sha, "main").status == "behind"


def test_keywords_close_on_the_default_branch_only(github: GitHubStandIn) -> None:
    """A fix on another branch, a keyword in code, or another repository's number closes nothing; a pushed one does."""
    github.branch(SHOP, "release-1", "main")
    other, _, _ = fixed(github, base="release-1")
    assert github.issue(SHOP, other)["state"] == "open"
    github.commit(SHOP, "main", f"Quote `fixes #{other}`, resolves acme/till#{other}, prefixes #{other}")
    assert github.issue(SHOP, other)["state"] == "open"
    sha = github.commit(SHOP, "main", f"Resolves: acme/shop#{other}", by="leo-dev")
    closed = [event for event in github.issue(SHOP, other)["timeline"] if event["event"] == "closed"]
    assert [(event["commit_id"], event["actor"]["login"]) for event in closed] == [(sha, "leo-dev")]


CLOSERS = """query Closers($number: Int!) {
  repository(owner: "acme", name: "shop") { issue(number: $number) {
    stateReason
    closedByPullRequestsReferences(%s) {
      nodes { number title merged mergeCommit { oid url } baseRefName repository { nameWithOwner } }
    }
    timelineItems(itemTypes: [CLOSED_EVENT], last: 1) {
      nodes { ... on ClosedEvent { closer { __typename ... on PullRequest { number } ... on Commit { oid } } } }
    }
  } }
}"""


def test_graphql_tells_what_closed_an_issue(github: GitHubStandIn, http: httpx2.Client) -> None:
    """Merged pull requests show only when closed ones are asked for, and a page size must be named."""
    number, pull, sha = fixed(github)

    def ask(how: str, number: int = number) -> Any:
        return http.post("/graphql", json={"query": CLOSERS % how, "variables": {"number": number}}).json()

    issue = ask("first: 5, includeClosedPrs: true")["data"]["repository"]["issue"]
    (node,) = issue["closedByPullRequestsReferences"]["nodes"]
    assert (node["number"], node["merged"], node["mergeCommit"]["oid"], node["baseRefName"]) == (
        pull,
        True,
        sha,
        "main",
    )
    assert node["repository"] == {"nameWithOwner": SHOP}
    assert issue["stateReason"] == "COMPLETED"
    assert issue["timelineItems"]["nodes"] == [{"closer": {"__typename": "PullRequest", "number": pull}}]
    assert ask("first: 5")["data"]["repository"]["issue"]["closedByPullRequestsReferences"]["nodes"] == []
    assert "`first` or `last`" in ask("includeClosedPrs: true")["errors"][0]["message"]
    assert ask("first: 5", number=99)["errors"][0]["type"] == "NOT_FOUND"
    unknown = http.post("/graphql", json={"query": "{ repository(owner: acme, name: shop) { colour } }"}).json()
    assert "Field 'colour' doesn't exist" in unknown["errors"][0]["message"]
    assert httpx2.post(f"{github.url}/graphql", json={"query": CLOSERS}).status_code == 401


def test_releases_hide_drafts_and_latest_skips_pre_releases(github: GitHubStandIn, shop: Repository) -> None:
    """A draft shows in the list to who may push, has no tag, and turns into a release when published."""
    github.publish_release(SHOP, "v1", "Spring")
    github.commit(SHOP, "main", "More")
    github.publish_release(SHOP, "v2-rc", prerelease=True)
    github.publish_release(SHOP, "v3", draft=True)
    assert next((release.tag_name, release.draft) for release in shop.get_releases()) == ("v3", True)
    assert shop.get_latest_release().tag_name == "v1"
    assert [tag.name for tag in shop.get_tags()] == ["v2-rc", "v1"]
    with pytest.raises(GithubException) as missing:
        shop.get_release("v3")
    assert missing.value.status == 404
    github.set_permission(SHOP, "passerelle-bot", "triage")
    assert "v3" not in [release.tag_name for release in shop.get_releases()]
    github.publish_release(SHOP, "v3")
    assert shop.get_release("v3").draft is False
    assert shop.get_git_ref("tags/v3").object.sha == shop.get_branch("main").commit.sha
    github.delete_release(SHOP, "v3")
    assert ("v3" in [tag.name for tag in shop.get_tags()], len(github.releases(SHOP))) == (True, 2)


def test_a_long_comparison_comes_in_pages(github: GitHubStandIn, shop: Repository, http: httpx2.Client) -> None:
    """Without paging the newest 250 commits come, with it all, oldest first; an unknown end is 404."""
    github.tag(SHOP, "v1", "main")
    made = [github.commit(SHOP, "main", f"Step {number}") for number in range(260)]
    plain = http.get(f"/repos/{SHOP}/compare/v1...main").json()
    assert (plain["status"], plain["ahead_by"], plain["total_commits"]) == ("ahead", 260, 260)
    assert [commit["sha"] for commit in plain["commits"]] == made[10:]
    paged = shop.compare("v1", "main", comparison_commits_per_page=100)
    assert [commit.sha for commit in paged.commits] == made
    assert http.get(f"/repos/{SHOP}/compare/v0...main").status_code == 404
    assert http.get(f"/repos/{SHOP}/commits/{made[0][:9]}").json()["sha"] == made[0]
    assert http.get(f"/repos/{SHOP}/commits/{'0' * 40}").status_code == 422


# --- webhooks ---------------------------------------------------------------------------------------------------------


def test_webhooks_are_signed_and_come_in_order(github: GitHubStandIn, shop: Repository, receiver: Receiver) -> None:
    """What the API and people do is told once each, in order, signed over the very bytes."""
    issue = shop.create_issue("Basket", labels=["bug"])
    issue.create_comment("Waiting: 1").edit("Waiting: 2")
    pull = github.open_pull(SHOP, "leo-dev", "Keep it", f"Closes #{issue.number}")
    github.merge_pull(SHOP, pull, "leo-dev")
    github.publish_release(SHOP, "v1")
    assert github.webhooks_settled()

    told = [event for event in receiver.events if not event.startswith("push.")]
    assert told == [
        "issues.opened", "issues.labeled", "issue_comment.created", "issue_comment.edited", "pull_request.opened",
        "pull_request.closed", "issues.closed", "release.published", "release.created", "release.released",
    ]  # fmt: skip
    for headers, body in receiver.got:
        expected = hmac.new(b"sandbox-webhook-secret", body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={expected}"
    bodies = {event: json.loads(body) for event, (_, body) in zip(receiver.events, receiver.got, strict=True)}
    assert bodies["issues.closed"]["issue"]["state_reason"] == "completed"
    assert bodies["issues.closed"]["sender"]["login"] == "leo-dev"
    assert bodies["issue_comment.edited"]["changes"] == {"body": {"from": "Waiting: 1"}}
    assert bodies["pull_request.closed"]["pull_request"]["merged"] is True
    assert bodies["release.published"]["repository"]["full_name"] == SHOP
    assert {delivery.status for delivery in github.deliveries} == {204}
    assert len({headers["x-github-delivery"] for headers, _ in receiver.got}) == len(receiver.got)


def test_held_webhooks_go_out_in_any_order_and_twice(github: GitHubStandIn, receiver: Receiver) -> None:
    """Held deliveries are recorded, not sent; `redeliver` sends one as often as asked, under its own id."""
    github.hold_webhooks = True
    number = github.open_issue(SHOP, "leo-dev", "Basket")
    github.close_issue(SHOP, number, "leo-dev", "duplicate")
    opened, closed = github.deliveries
    assert (receiver.got, opened.status) == ([], None)
    for delivery in (closed, opened, closed):
        github.redeliver(delivery.id)
    assert github.webhooks_settled()
    assert receiver.events == ["issues.closed", "issues.opened", "issues.closed"]
    assert [headers["x-github-delivery"] for headers, _ in receiver.got] == [closed.id, opened.id, closed.id]


def test_a_slow_or_absent_receiver_never_holds_up_the_api(
    github: GitHubStandIn, http: httpx2.Client, receiver: Receiver
) -> None:
    """While a webhook waits for its answer, the API goes on; a receiver that is gone is noted, and not asked again."""
    receiver.go_on.clear()
    for _ in range(3):
        assert http.post(f"/repos/{SHOP}/issues", json={"title": "x"}).status_code == 201
    assert len(receiver.got) <= 1
    receiver.go_on.set()
    assert github.webhooks_settled()
    receiver.server.stop()
    github.open_issue(SHOP, "leo-dev", "Nobody listens")
    assert github.webhooks_settled()
    assert [delivery.status for delivery in github.deliveries] == [204, 204, 204, 0]
    assert github.deliveries[-1].sent == 1


# --- as a server ------------------------------------------------------------------------------------------------------


def test_many_at_once_lose_nothing(github: GitHubStandIn, http: httpx2.Client) -> None:
    """Issues written from eight threads, over HTTP and by people, each get a number of their own."""

    def file(number: int) -> int:
        if number % 2:
            return github.open_issue(SHOP, "leo-dev", f"Bug {number}")
        return int(http.post(f"/repos/{SHOP}/issues", json={"title": f"Bug {number}"}).json()["number"])

    before, interval = github.version, sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(file, range(80)))
    sys.setswitchinterval(interval)
    assert sorted(numbers) == list(range(1, 81))
    assert github.version >= before + 80


def test_work_done_behind_a_dropped_line_is_found_again(github: GitHubStandIn, http: httpx2.Client) -> None:
    """The wire's faults apply: the line is cut after the issue was made, and a restart forgets nothing."""
    github.wire.faults.append(Fault("drop_after", "POST", "/issues$"))
    with pytest.raises(httpx2.TransportError):
        http.post(f"/repos/{SHOP}/issues", json={"title": "Made all the same"})
    github.stop()
    github.start()
    answer = httpx2.get(f"{github.url}/repos/{SHOP}/issues", headers={"Authorization": "token ghp_sandbox"})
    assert [issue["title"] for issue in answer.json()] == ["Made all the same"]


def test_addresses_lead_to_pages_that_show_text_as_text(github: GitHubStandIn) -> None:
    """An issue's `html_url` opens in a browser; markup in customers' words stays words, marks stay hidden."""
    number = github.open_issue(SHOP, "passerelle-bot", "<b>Basket</b>", "<img src=x>\n<!-- passerelle:k -->")
    page = httpx2.get(github.issue(SHOP, number)["html_url"])
    assert page.status_code == 200
    assert "&lt;b&gt;Basket&lt;/b&gt;" in page.text
    assert "<img" not in page.text
    assert "passerelle:k" not in page.text
    github.publish_release(SHOP, "v1")
    assert httpx2.get(github.releases(SHOP)[0]["html_url"]).status_code == 200
    assert httpx2.get(f"{github.url}/acme/shop/issues/99").status_code == 404
