"""Issues, notes and labels in the sandbox's GitLab, as the API and people write them."""

from __future__ import annotations

from typing import Any

import gitlab as client
import httpx2
import pytest

from integrations.sandbox.gitlab import GitLabStandIn, Token
from tests.integrations.sandbox_gitlab.conftest import AT, SHOP, Clock


def test_a_whole_issue_through_python_gitlab(shop: Any, gitlab: GitLabStandIn) -> None:
    """Confidential, labelled, assigned and due; notes are internal or not, and edited in place."""
    leo = gitlab.user("leo-dev").id
    issue = shop.issues.create(
        {
            "title": "Basket empties itself",
            "description": "On the phone.\n<!-- passerelle:k -->",
            "confidential": True,
            "labels": ["from-support", "priority::1"],
            "assignee_ids": [leo],
            "due_date": "2026-03-20",
            "issue_type": "incident",
        }
    )
    assert (issue.iid, issue.state, issue.confidential, issue.issue_type) == (1, "opened", True, "incident")
    assert (issue.labels, issue.due_date) == (["from-support", "priority::1"], "2026-03-20")
    assert [person["username"] for person in issue.assignees] == ["leo-dev"]
    note = issue.notes.create({"body": "Waiting: 1", "internal": True})
    note.body = "Waiting: 2"
    note.save()
    found = shop.issues.get(1).notes.get(note.id)
    assert (found.body, found.internal, found.author["username"]) == ("Waiting: 2", True, "passerelle-bot")
    issue.labels = ["priority::2"]
    issue.state_event = "close"
    issue.save()
    assert (shop.issues.get(1).state, shop.issues.get(1).labels) == ("closed", ["priority::2"])


def test_duplicate_is_a_quick_action(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """Nothing of it stays as a note; the issue is closed, linked, and names the other. Of nothing, it does nothing."""
    first, second = (gitlab.open_issue(SHOP, "leo-dev", title) for title in ("One", "Two"))
    for text, state in (("/duplicate #4711", "opened"), (f"/duplicate {SHOP}#{first}", "closed")):
        assert http.post(f"{AT}/issues/{second}/notes", json={"body": text}).status_code == 202
        assert gitlab.issue(SHOP, second)["state"] == state
    found = http.get(f"{AT}/issues/{second}").json()
    assert found["_links"]["closed_as_duplicate_of"].endswith(f"/issues/{first}")
    assert [note["system"] for note in gitlab.issue(SHOP, second)["notes"]] == [True]
    assert [one["iid"] for one in http.get(f"{AT}/issues/{first}/links").json()] == [second]


def test_scoped_labels_exclude_each_other(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """A label of a scope takes the place of the one before; one that is missing is made for who may."""
    made = http.post(f"{AT}/issues", json={"title": "x", "labels": "a,p::1,p::2"}).json()
    assert made["labels"] == ["a", "p::2"]
    changed = http.put(f"{AT}/issues/1", json={"add_labels": "p::3", "remove_labels": "a"}).json()
    assert changed["labels"] == ["p::3"]
    assert [label["name"] for label in http.get(f"{AT}/labels").json()] == ["a", "p::1", "p::2", "p::3"]
    assert http.post(f"{AT}/labels", json={"name": "a", "color": "#123456"}).status_code == 409
    assert http.post(f"{AT}/labels", json={"name": "b"}).json() == {"error": "color is missing"}


def test_the_list_is_filtered_and_paged_both_ways(gitlab: GitLabStandIn, http: httpx2.Client, clock: Clock) -> None:
    """By author, time and state; with page numbers, or from link to link until there is none."""
    for number in range(5):
        clock.pass_(minutes=1)
        gitlab.open_issue(SHOP, "leo-dev" if number else "passerelle-bot", f"Bug {number}")
    gitlab.close_issue(SHOP, 2, "leo-dev")
    assert [one["iid"] for one in http.get(f"{AT}/issues?author_username=passerelle-bot").json()] == [1]
    assert [one["iid"] for one in http.get(f"{AT}/issues?state=closed").json()] == [2]
    since = "2026-03-02T09:04:00Z"
    newest = http.get(f"{AT}/issues", params={"updated_after": since, "order_by": "updated_at", "sort": "asc"})
    assert [one["iid"] for one in newest.json()] == [4, 2, 5]
    first = http.get(f"{AT}/issues?per_page=2")
    assert (first.headers["x-next-page"], first.headers["x-total"]) == ("2", "5")
    found, url = [], f"{gitlab.url}/api/v4{AT}/issues?pagination=keyset&order_by=created_at&sort=asc&per_page=2"
    while url:
        page = http.get(url)
        found += [one["iid"] for one in page.json()]
        url = page.links.get("next", {}).get("url", "")
    assert found == [1, 2, 3, 4, 5]
    assert "x-total" not in page.headers


def test_what_breaks_a_rule_is_refused_in_gitlabs_words(http: httpx2.Client) -> None:
    """400 with `error` for a parameter, with `message` for a record; 404 for what is not there."""
    assert http.post(f"{AT}/issues", json={}).json() == {"error": "title is missing"}
    long = http.post(f"{AT}/issues", json={"title": "x" * 256})
    assert (long.status_code, long.json()["message"]["title"][0][:11]) == (400, "is too long")
    assert http.get(f"{AT}/issues?state=odd").json() == {"error": "state does not have a valid value"}
    assert http.get(f"{AT}/issues/7").json() == {"message": "404 Not found"}
    assert http.get("/projects/acme%2Fnone").json() == {"message": "404 Project Not Found"}
    assert http.get("/projects/acme/shop-app").status_code == 404


def test_lines_that_are_quick_actions_are_obeyed(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """A line that begins with a known command is cut out and done; in code, or indented, it is text."""
    http.post(f"{AT}/issues", json={"title": "x", "description": "Seen.\n/label ~urgent\n/confidential\n  /close"})
    issue = http.get(f"{AT}/issues/1").json()
    assert (issue["description"], issue["labels"], issue["confidential"]) == ("Seen.\n  /close", ["urgent"], True)
    http.post(f"{AT}/issues/1/notes", json={"body": "```\n/close\n```\n/unknown"})
    assert http.get(f"{AT}/issues/1").json()["state"] == "opened"
    alone = http.post(f"{AT}/issues/1/notes", json={"body": "/close"})
    assert (alone.status_code, http.get(f"{AT}/issues/1").json()["state"]) == (202, "closed")
    assert len(http.get(f"{AT}/issues/1/notes").json()) == 1


def test_who_is_no_member_sees_nothing_confidential(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """Guests read what is not confidential, no internal notes and no code; strangers find nothing at all."""
    gitlab.set_member(SHOP, "gil", 10)
    gitlab.tokens |= {"glpat-guest": Token("gil"), "glpat-stranger": Token("nora")}
    gitlab.open_issue(SHOP, "leo-dev", "Hidden", confidential=True)
    gitlab.open_issue(SHOP, "leo-dev", "Plain")
    gitlab.comment(SHOP, 2, "leo-dev", "Between us", internal=True)
    gitlab.comment(SHOP, 2, "leo-dev", "Seen")
    guest, stranger = ({"PRIVATE-TOKEN": f"glpat-{name}"} for name in ("guest", "stranger"))
    assert [one["iid"] for one in http.get(f"{AT}/issues", headers=guest).json()] == [2]
    assert http.get(f"{AT}/issues/1", headers=guest).status_code == 404
    assert [one["body"] for one in http.get(f"{AT}/issues/2/notes", headers=guest).json()] == ["Seen"]
    assert http.get(f"{AT}/repository/commits", headers=guest).status_code == 403
    assert http.get(AT, headers=stranger).json() == {"message": "404 Project Not Found"}
    made = http.post(f"{AT}/issues", json={"title": "Mine", "labels": "a", "confidential": True}, headers=guest).json()
    assert (made["labels"], made["confidential"]) == ([], True)
    assert http.put(f"{AT}/issues/2", json={"state_event": "close"}, headers=guest).status_code == 403


def test_an_issue_moves_and_leaves_a_trace(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """The old one stays, closed, and says where to: by name within the group, by the whole path outside."""
    gitlab.add_project("acme/warehouse")
    gitlab.add_project("other/place")
    for number, target in ((1, "acme/warehouse"), (2, "other/place")):
        gitlab.open_issue(SHOP, "leo-dev", f"Bug {number}")
        gitlab.comment(SHOP, number, "leo-dev", "Seen")
        there = gitlab.find(target)
        answer = http.post(f"{AT}/issues/{number}/move", json={"to_project_id": there.id if there else 0})
        assert (answer.status_code, answer.json()["iid"]) == (201, 1)
        old = gitlab.issue(SHOP, number)
        assert (old["state"], old["moved_to_id"]) == ("closed", answer.json()["id"])
    notes = [gitlab.issue(SHOP, number)["notes"][-1]["body"] for number in (1, 2)]
    assert notes == ["moved to warehouse#1", "moved to other/place#1"]
    moved = gitlab.issue("other/place", 1)
    assert [note["body"] for note in moved["notes"]] == ["Seen", f"moved from {SHOP}#2"]
    with pytest.raises(ValueError, match="cannot be moved"):
        gitlab.move_issue(SHOP, 1, "other/place")
    page = httpx2.get(f"{gitlab.url}/{SHOP}/-/issues/2")
    assert page.headers["location"] == f"{gitlab.url}/other/place/-/issues/1"


def test_promoted_replaced_and_deleted(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """An epic takes it over, another issue does, or it is gone; each leaves what GitLab leaves."""
    for number in range(3):
        gitlab.open_issue(SHOP, "leo-dev", f"Bug {number}")
    assert gitlab.promote(SHOP, 1, "leo-dev") == 1
    promoted = gitlab.issue(SHOP, 1)
    assert (promoted["state"], promoted["notes"][-1]["body"]) == ("closed", "promoted to epic &1")
    gitlab.close_as_duplicate(SHOP, 2, "leo-dev", "#3")
    replaced = http.get(f"{AT}/issues/2").json()
    project = http.get(AT).json()["id"]
    assert replaced["_links"]["closed_as_duplicate_of"] == f"{gitlab.url}/api/v4/projects/{project}/issues/3"
    assert [one["iid"] for one in http.get(f"{AT}/issues/3/links").json()] == [2]
    assert gitlab.issue(SHOP, 3)["notes"][-1]["body"] == "marked #2 as a duplicate of this issue"
    gitlab.reopen_issue(SHOP, 2, "leo-dev")
    assert http.get(f"{AT}/issues/2").json()["_links"]["closed_as_duplicate_of"] is None
    gitlab.delete_issue(SHOP, 3, "leo-dev")
    assert http.get(f"{AT}/issues/3").status_code == 404
    assert gitlab.open_issue(SHOP, "leo-dev", "Later") == 4


def test_switched_off_or_archived(gitlab: GitLabStandIn, shop: Any, http: httpx2.Client) -> None:
    """Without issues the list is empty and nothing can be filed; an archived project can only be read."""
    gitlab.open_issue(SHOP, "leo-dev", "Bug")
    gitlab.set_issues_enabled(SHOP, False)
    assert (http.get(f"{AT}/issues").json(), http.get(f"{AT}/issues/1").status_code) == ([], 404)
    assert http.get(AT).json()["issues_access_level"] == "disabled"
    gitlab.set_issues_enabled(SHOP, True)
    gitlab.set_archived(SHOP, True)
    with pytest.raises(client.GitlabCreateError) as refused:
        shop.issues.create({"title": "x"})
    assert (refused.value.response_code, http.get(f"{AT}/issues/1").status_code) == (403, 200)
