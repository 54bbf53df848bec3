"""Tokens, limits, ETags, redirects and pages of the sandbox's GitLab."""

from __future__ import annotations

from datetime import date

import httpx2

from integrations.sandbox.gitlab import GitLabStandIn, Token
from tests.integrations.sandbox_gitlab.conftest import AT, SHOP, Clock


def test_a_token_tells_of_itself_and_is_refused_when_it_may_not(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """Unknown, expired and revoked are 401, a scope too small is 403."""
    gitlab.tokens |= {
        "glpat-reads": Token("passerelle-bot", scopes=("read_api",), expires_at=date(2026, 3, 3)),
        "glpat-old": Token("passerelle-bot", expires_at=date(2026, 3, 2)),
        "glpat-revoked": Token("passerelle-bot", revoked=True),
    }
    reads, old, revoked, unknown = (
        {"PRIVATE-TOKEN": f"glpat-{name}"} for name in ("reads", "old", "revoked", "unknown")
    )
    told = http.get("/personal_access_tokens/self", headers=reads).json()
    assert (told["scopes"], told["expires_at"]) == (["read_api"], "2026-03-03")
    refused = http.post(f"{AT}/issues", json={"title": "x"}, headers=reads)
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")
    assert http.get("/user", headers=old).json()["error"] == "invalid_token"
    assert [http.get("/user", headers=one).status_code for one in (reads, revoked, unknown)] == [200, 401, 401]
    assert httpx2.get(f"{gitlab.url}/api/v4/user").json() == {"message": "401 Unauthorized"}
    assert http.get("/user").json()["username"] == "passerelle-bot"


def test_an_unchanged_answer_is_304_whatever_its_address_in_the_list(
    gitlab: GitLabStandIn, http: httpx2.Client
) -> None:
    """The ETag is made of the body alone."""
    gitlab.open_issue(SHOP, "leo-dev", "Basket")
    first = http.get(f"{AT}/issues?updated_after=2026-01-01T00:00:00Z")
    known = {"If-None-Match": first.headers["etag"]}
    again = http.get(f"{AT}/issues?updated_after=2026-02-01T00:00:00Z", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    gitlab.comment(SHOP, 1, "leo-dev", "Seen")
    assert http.get(f"{AT}/issues", headers=known).status_code == 200


def test_over_the_limit_is_429_with_a_time_to_wait(gitlab: GitLabStandIn, http: httpx2.Client, clock: Clock) -> None:
    """For all requests a plain text, for notes a word of its own; a minute later it goes on."""
    gitlab.open_issue(SHOP, "leo-dev", "Basket")
    gitlab.limit(notes=1)
    assert http.post(f"{AT}/issues/1/notes", json={"body": "One"}).status_code == 201
    refused = http.post(f"{AT}/issues/1/notes", json={"body": "Two"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    gitlab.limit(requests=2)
    assert http.get("/user").headers["ratelimit-remaining"] == "1"
    http.get("/user")
    clock.pass_(seconds=20)
    refused = http.get("/user")
    assert (refused.status_code, refused.text, refused.headers["retry-after"]) == (429, "Retry later\n", "40")
    clock.pass_(seconds=40)
    assert http.get("/user").status_code == 200


def test_a_renamed_project_is_followed_by_reading_alone(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """301 to its id, with the rest of the address; a write is 405, and who may not see it learns nothing."""
    gitlab.rename_project(SHOP, "acme/tools/store")
    moved = http.get(f"{AT}/issues?state=all")
    project = gitlab.find("acme/tools/store")
    assert project is not None
    assert moved.status_code == 301
    assert moved.headers["location"] == f"{gitlab.url}/api/v4/projects/{project.id}/issues?state=all"
    assert http.get(moved.headers["location"]).status_code == 200
    refused = http.post(f"{AT}/issues", json={"title": "x"})
    assert refused.json() == {"message": "Non GET methods are not allowed for moved projects"}
    assert (refused.status_code, gitlab.issues("acme/tools/store")) == (405, [])
    gitlab.tokens["glpat-stranger"] = Token("nora")
    assert http.get(AT, headers={"PRIVATE-TOKEN": "glpat-stranger"}).status_code == 404


def test_groups_and_members(gitlab: GitLabStandIn, http: httpx2.Client) -> None:
    """A group is as visible as its most visible project, a private one is seen from within; members have levels."""
    assert http.get("/groups/acme").json()["visibility"] == "private"
    gitlab.tokens["glpat-stranger"] = Token("nora")
    stranger = {"PRIVATE-TOKEN": "glpat-stranger"}
    assert http.get("/groups/acme", headers=stranger).status_code == 404
    gitlab.set_visibility(SHOP, "public")
    assert http.get("/groups/acme", headers=stranger).json()["visibility"] == "public"
    (leo,) = http.get(f"{AT}/members/all?query=leo").json()
    assert (leo["username"], leo["access_level"]) == ("leo-dev", 30)
    assert http.get("/users?username=LEO-DEV").json()[0]["id"] == leo["id"]
    assert http.get(f"{AT}/members/all/{leo['id']}").json()["access_level"] == 30
    assert http.get("/users?username=nobody").json() == []
    level = http.get(AT).json()["permissions"]["project_access"]["access_level"]
    assert level == 40


def test_addresses_lead_to_pages_that_show_text_as_text(gitlab: GitLabStandIn) -> None:
    """A `web_url` opens in a browser; markup in customers' words stays words, marks stay hidden."""
    gitlab.open_issue(SHOP, "passerelle-bot", "<b>Basket</b>", "<img src=x>\n<!-- passerelle:k -->")
    page = httpx2.get(gitlab.issue(SHOP, 1)["web_url"])
    assert page.status_code == 200
    assert "&lt;b&gt;Basket&lt;/b&gt;" in page.text
    assert "<img" not in page.text
    assert "passerelle:k" not in page.text
    gitlab.publish_release(SHOP, "v1/rc")
    assert httpx2.get(gitlab.releases(SHOP)[0]["_links"]["self"]).status_code == 200
    merge = gitlab.open_merge(SHOP, "leo-dev", "Keep it")
    assert "Keep it !1" in httpx2.get(gitlab.merges(SHOP)[0]["web_url"]).text
    sha = gitlab.merge(SHOP, merge, "leo-dev")
    assert httpx2.get(f"{gitlab.url}/{SHOP}/-/commit/{sha}").status_code == 200
    assert httpx2.get(f"{gitlab.url}/{SHOP}/-/issues/99").status_code == 404
