"""Issues and repositories of the sandbox's GitHub that move, and fixes that cross from one repository to another."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from github.Repository import Repository

from integrations.sandbox.github import GitHubStandIn, Token
from tests.integrations.sandbox_github.conftest import SHOP, Receiver

API = "acme/api"
ISSUE = """{ repository(owner: "acme", name: "%s") { issue(number: %d) { stateReason %s } } }"""


@pytest.fixture(autouse=True)
def api(github: GitHubStandIn) -> None:
    github.add_repo(API)


def ask(http: httpx2.Client, repo: str, number: int, fields: str) -> Any:
    query = ISSUE % (repo.split("/")[1], number, fields)
    return http.post("/graphql", json={"query": query}).json()["data"]["repository"]["issue"]


def test_a_transferred_issue_is_found_where_it_went(
    github: GitHubStandIn, shop: Repository, http: httpx2.Client, receiver: Receiver
) -> None:
    """The old number redirects, sub-addresses too; title, comments and what links to it stay; both webhooks come."""
    github.open_issue(API, "maya", "Takes a number")
    number = github.open_issue(SHOP, "leo-dev", "Basket", labels=["bug", "only here"])
    github.comment(SHOP, number, "maya", "Seen")
    new = github.transfer_issue(SHOP, number, API, "maya")
    answer = http.get(f"/repos/{SHOP}/issues/{number}")
    assert (answer.status_code, answer.json()["url"]) == (301, answer.headers["location"])
    moved = http.get(answer.headers["location"]).json()
    assert (moved["number"], moved["title"], moved["repository_url"]) == (new, "Basket", f"{github.url}/repos/{API}")
    assert [label["name"] for label in moved["labels"]] == ["bug"]
    comments = http.get(f"/repos/{SHOP}/issues/{number}/comments?per_page=5", follow_redirects=True)
    assert ([one["body"] for one in comments.json()], str(comments.url)[-11:]) == (["Seen"], "?per_page=5")
    assert shop.get_issue(number).number == new
    assert str(httpx2.get(f"{github.url}/{SHOP}/issues/{number}", follow_redirects=True).url) == moved["html_url"]
    assert ask(http, SHOP, number, "number") is None

    assert github.webhooks_settled()
    *_, left, came = [json.loads(body) for _, body in receiver.got]
    assert (left["action"], left["issue"]["number"], left["repository"]["full_name"]) == ("transferred", number, SHOP)
    assert left["changes"]["new_issue"]["number"] == new
    assert left["changes"]["new_repository"]["full_name"] == API
    assert (came["action"], came["issue"]["html_url"]) == ("opened", moved["html_url"])

    github.set_permission(API, "passerelle-bot", None)
    assert http.get(f"/repos/{SHOP}/issues/{number}").status_code == 404
    github.set_permission(API, "passerelle-bot", "push")
    github.delete_issue(API, new, "maya")
    assert http.get(f"/repos/{SHOP}/issues/{number}").status_code == 410


def test_an_issue_is_not_transferred_to_another_owner_or_into_public(github: GitHubStandIn) -> None:
    """As "Transferring an issue to another repository" says."""
    number = github.open_issue(SHOP, "leo-dev", "Secret")
    github.add_repo("other/shop")
    github.add_repo("acme/site", private=False)
    for target in ("other/shop", "acme/site", SHOP):
        with pytest.raises(ValueError, match="cannot be moved"):
            github.transfer_issue(SHOP, number, target, "maya")


def test_what_became_a_discussion_is_gone_or_stays_locked(
    github: GitHubStandIn, http: httpx2.Client, receiver: Receiver
) -> None:
    """Both ways that GitHub has had: 410, or closed and locked with an event that names the discussion."""
    gone, kept = github.open_issue(SHOP, "leo-dev", "One"), github.open_issue(SHOP, "leo-dev", "Two")
    github.convert_to_discussion(SHOP, gone, "maya", gone=True)
    github.convert_to_discussion(SHOP, kept, "maya")
    assert http.get(f"/repos/{SHOP}/issues/{gone}").status_code == 410
    left = http.get(f"/repos/{SHOP}/issues/{kept}").json()
    assert (left["state"], left["locked"]) == ("closed", True)
    events = [event["event"] for event in http.get(f"/repos/{SHOP}/issues/{kept}/timeline").json()]
    assert events == ["closed", "locked", "converted_to_discussion"]
    fields = """timelineItems(itemTypes: [CONVERTED_TO_DISCUSSION_EVENT], last: 1) { nodes {
      ... on ConvertedToDiscussionEvent { discussion { number } } } }"""
    told = ask(http, SHOP, kept, fields)["timelineItems"]["nodes"]
    assert github.webhooks_settled()
    made = [json.loads(body) for headers, body in receiver.got if headers["x-github-event"] == "discussion"]
    assert told == [{"discussion": {"number": made[-1]["discussion"]["number"]}}]


def test_a_duplicate_names_its_original_over_graphql_alone(github: GitHubStandIn, http: httpx2.Client) -> None:
    """REST tells that it was marked, not as whose; reopening ends it; an original out of sight is null."""
    original = github.open_issue(API, "leo-dev", "First")
    number = github.open_issue(SHOP, "leo-dev", "Again")
    github.close_as_duplicate(SHOP, number, "maya", f"{API}#{original}")
    fields = """duplicateOf { number url repository { nameWithOwner } } timelineItems(last: 5) { nodes {
      __typename ... on MarkedAsDuplicateEvent { isCrossRepository canonical { ... on Issue { number } } } } }"""
    told = ask(http, SHOP, number, fields)
    assert (told["stateReason"], told["duplicateOf"]["number"]) == ("DUPLICATE", original)
    assert told["duplicateOf"]["repository"] == {"nameWithOwner": API}
    marked = {"__typename": "MarkedAsDuplicateEvent", "isCrossRepository": True, "canonical": {"number": original}}
    assert told["timelineItems"]["nodes"] == [marked, {"__typename": "ClosedEvent"}]
    events = http.get(f"/repos/{SHOP}/issues/{number}/timeline").json()
    assert [event["event"] for event in events] == ["marked_as_duplicate", "closed"]
    assert "canonical" not in events[0]
    github.set_permission(API, "passerelle-bot", None)
    assert ask(http, SHOP, number, fields)["duplicateOf"] is None
    github.set_permission(API, "passerelle-bot", "push")
    github.reopen_issue(SHOP, number, "maya")
    assert ask(http, SHOP, number, "duplicateOf { number }")["duplicateOf"] is None


def test_a_renamed_repository_is_found_by_its_old_name(
    github: GitHubStandIn, shop: Repository, http: httpx2.Client, receiver: Receiver
) -> None:
    """Reads are 301, writes 307, by its id it always answers; GraphQL and words follow; a new one ends the redirect."""
    number = github.open_issue(SHOP, "leo-dev", "Basket")
    github.rename_repo(SHOP, "acme/store")
    answer = http.get(f"/repos/{SHOP}/issues?state=all&per_page=1")
    assert answer.status_code == 301
    assert [one["number"] for one in http.get(answer.headers["location"]).json()] == [number]
    written = http.post(f"/repos/{SHOP}/issues/{number}/comments", json={"body": "Hello"})
    assert written.status_code == 307
    assert github.issue("acme/store", number)["comments"] == []
    assert http.post(written.headers["location"], json={"body": "Hello"}).status_code == 201
    assert shop.get_issue(number).html_url == f"{github.url}/acme/store/issues/{number}"
    query = """{ repository(owner: "acme", name: "shop") { nameWithOwner } }"""
    told = http.post("/graphql", json={"query": query}).json()["data"]["repository"]
    assert told == {"nameWithOwner": "acme/store"}
    assert http.get(f"/repos/{SHOP}/commits/main", headers={"Accept": "application/vnd.github.sha"}).status_code == 301
    assert httpx2.get(f"{github.url}/repos/{SHOP}").status_code == 404
    github.commit(API, "main", f"Fixes {SHOP}#{number}")
    assert github.issue("acme/store", number)["state"] == "closed"

    assert github.webhooks_settled()
    renamed = [json.loads(body) for headers, body in receiver.got if headers["x-github-event"] == "repository"]
    assert [body["changes"] for body in renamed] == [{"repository": {"name": {"from": "shop"}}}]
    assert renamed[0]["repository"]["full_name"] == "acme/store"
    github.add_repo(SHOP)
    assert http.get(f"/repos/{SHOP}/issues").json() == []


def test_a_fix_in_another_repository_closes_and_is_told_with_its_repository(
    github: GitHubStandIn, http: httpx2.Client
) -> None:
    """By words on the default branch alone; the timeline names the pull request's repository and the commit's."""
    number = github.open_issue(SHOP, "leo-dev", "Basket")
    github.branch(API, "release-1", "main")
    silent = github.open_pull(API, "leo-dev", "Backport", f"Fixes {SHOP}#{number}", "release-1")
    github.merge_pull(API, silent, "leo-dev")
    assert github.issue(SHOP, number)["state"] == "open"
    pull = github.open_pull(API, "leo-dev", "Keep the basket", f"Fixes {github.url}/{SHOP}/issues/{number}")
    sha = github.merge_pull(API, pull, "leo-dev")

    timeline = http.get(f"/repos/{SHOP}/issues/{number}/timeline").json()
    sources = [event["source"]["issue"] for event in timeline if event["event"] == "cross-referenced"]
    assert [(one["number"], one["repository"]["full_name"]) for one in sources] == [(silent, API), (pull, API)]
    (closed,) = [event for event in timeline if event["event"] == "closed"]
    assert (closed["commit_id"], closed["commit_url"]) == (sha, f"{github.url}/repos/{API}/commits/{sha}")
    fields = """closedByPullRequestsReferences(first: 9, includeClosedPrs: true) { nodes {
      number repository { nameWithOwner } mergeCommit { oid } } }
      timelineItems(itemTypes: CLOSED_EVENT, last: 1) { nodes { ... on ClosedEvent {
      closer { ... on PullRequest { number repository { nameWithOwner } } } } } }"""
    told = ask(http, SHOP, number, fields)
    where = {"number": pull, "repository": {"nameWithOwner": API}}
    assert told["closedByPullRequestsReferences"]["nodes"] == [where | {"mergeCommit": {"oid": sha}}]
    assert told["timelineItems"]["nodes"] == [{"closer": where}]
    github.set_permission(API, "passerelle-bot", None)
    assert ask(http, SHOP, number, fields)["closedByPullRequestsReferences"]["nodes"] == []


def test_a_linked_pull_request_closes_without_words(github: GitHubStandIn, http: httpx2.Client) -> None:
    """The Development panel's link holds across repositories and when the issue is transferred; it can be asked for."""
    number = github.open_issue(SHOP, "leo-dev", "Basket")
    pull = github.open_pull(API, "leo-dev", "Keep the basket")
    github.link_pull(API, pull, f"{SHOP}#{number}")
    github.add_repo("acme/web")
    new = github.transfer_issue(SHOP, number, "acme/web", "maya")
    fields = "closedByPullRequestsReferences(first: 9, userLinkedOnly: true) { nodes { number } }"
    assert ask(http, "acme/web", new, fields)["closedByPullRequestsReferences"]["nodes"] == [{"number": pull}]
    sha = github.merge_pull(API, pull, "leo-dev")
    closed = github.issue("acme/web", new)
    assert (closed["state"], closed["timeline"][-1]["commit_id"]) == ("closed", sha)
    with pytest.raises(LookupError):
        github.link_pull(API, pull, f"{SHOP}#{number}")


def test_a_stranger_is_not_told_where_an_issue_went(github: GitHubStandIn) -> None:
    """What is in a private repository is out of sight, though the issue came from a public one."""
    number = github.open_issue(SHOP, "leo-dev", "Basket")
    github.transfer_issue(SHOP, number, API, "maya")
    github.tokens["ghp_guest"] = Token("guest")
    github.set_visibility(SHOP, private=False)
    guest = {"Authorization": "Bearer ghp_guest"}
    assert httpx2.get(f"{github.url}/repos/{SHOP}/issues/{number}", headers=guest).status_code == 404
