"""The GitHub adapter: the contract suite against the sandbox's GitHub, then what is GitHub's alone."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
from pydantic import SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from integrations.base import (
    CodeTouched,
    IssueDraft,
    IssueTouched,
    Rejected,
    Unauthorised,
    Unavailable,
    Watch,
    mark,
)
from integrations.github import Config, GitHub
from integrations.sandbox.github import GitHubStandIn, Token
from integrations.sandbox.wire import Fault, Server
from integrations.testing.tracker import TrackerContract
from tests.integrations.github_world import REPO, SECRET, GitHubWorld

FIXTURES = Path(__file__).parent / "fixtures" / "github"


@pytest.fixture
def hub() -> Iterator[GitHubStandIn]:
    hub = GitHubStandIn().start()
    hub.add_repo(REPO, collaborators=["leo-dev"])
    yield hub
    hub.stop()


@pytest.fixture
def world(hub: GitHubStandIn) -> GitHubWorld:
    return GitHubWorld(hub)


@pytest.fixture
def tracker(world: GitHubWorld) -> GitHub:
    return world.tracker()


class TestContract(TrackerContract):
    """GitHub keeps the contract."""


# --- webhooks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("issues.closed", [IssueTouched(REPO, 12)]),
        ("issue_comment.created", [IssueTouched(REPO, 12)]),
        ("issue_comment.on_pull", []),
        ("pull_request.closed", [IssueTouched(REPO, 12)]),
        ("release.published", [CodeTouched(REPO, "releases")]),
        ("ping", []),
    ],
)
@pytest.mark.parametrize("form", [False, True])
def test_deliveries_are_read_as_json_and_as_form(tracker: GitHub, name: str, meant: list[object], form: bool) -> None:
    """Both content types that GitHub's webhook settings offer mean the same."""
    body = (FIXTURES / f"{name}.json").read_bytes()
    headers = {"X-GitHub-Event": name.partition(".")[0], "Content-Type": "application/json"}
    if form:
        body = urlencode({"payload": body.decode()}).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    assert tracker.read(headers, body) == meant


def test_a_signature_is_githubs_hmac(tracker: GitHub) -> None:
    """A delivery signed by hand, as "Validating webhook deliveries" tells, is accepted; without an id it is not."""
    body = b'{"zen": "Keep it simple."}'
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": "d-1"}
    assert tracker.verify(headers, body, datetime.now(UTC)) == "d-1"


# --- the wire ---------------------------------------------------------------------------------------------------------


def test_a_silent_service_is_given_up_on(hub: GitHubStandIn, tracker: GitHub) -> None:
    """A write that gets no answer in time may be done, and is not made again."""
    hub.wire.faults.append(Fault("late", "POST", seconds=1.6))
    with pytest.raises(Unavailable) as doubt:
        tracker.create_issue(REPO, IssueDraft("Basket", "…"), "k1")
    assert (doubt.value.detail, doubt.value.maybe_done) == ("no answer in time", True)


def test_a_spent_allowance_names_its_end(hub: GitHubStandIn, tracker: GitHub) -> None:
    """The primary limit has no Retry-After: the seconds follow from x-ratelimit-reset."""
    reset = int((datetime.now(UTC) + timedelta(minutes=10)).timestamp())
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
    hub.wire.faults.append(Fault("refuse", "GET", status=403, headers=headers))
    with pytest.raises(Unavailable) as limit:
        tracker.repository(REPO)
    assert 590 <= (limit.value.retry_after or 0) <= 601
    assert len(hub.wire.calls) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_no_thread_sleeps_through_a_retry_after(hub: GitHubStandIn, tracker: GitHub, status: int) -> None:
    """A read, too, hands the seconds back at once."""
    hub.wire.faults.append(Fault("refuse", "GET", status=status, headers={"Retry-After": "3"}))
    with pytest.raises(Unavailable) as limit:
        tracker.repository(REPO)
    assert (limit.value.retry_after, len(hub.wire.calls)) == (3, 1)


def test_pull_requests_are_no_news(tracker: GitHub, world: GitHubWorld) -> None:
    """GitHub lists them among the issues; what they fix is told by the issue itself."""
    number = world.open_issue("leo-dev", "Basket")
    _, watch = tracker.poll(REPO, "issues", Watch())
    named = world.propose_fix(number)
    events, watch = tracker.poll(REPO, "issues", watch)
    assert IssueTouched(REPO, int(named.lstrip("#"))) not in events
    world.merge(named)
    assert tracker.poll(REPO, "issues", watch)[0] == [IssueTouched(REPO, number)]


def test_a_missing_permission_is_named(hub: GitHubStandIn, tracker: GitHub) -> None:
    """GitHub says in a header what a fine-grained token would need."""
    body = {"message": "Resource not accessible by personal access token"}
    headers = {"X-Accepted-GitHub-Permissions": "issues=write"}
    hub.wire.faults.append(Fault("refuse", "POST", status=403, body=body, headers=headers))
    with pytest.raises(Unauthorised, match="issues=write"):
        tracker.create_issue(REPO, IssueDraft("Basket", "…"), "k1")


def test_a_refusal_is_githubs_own_reason(tracker: GitHub) -> None:
    """A blank title is refused in words that can be shown."""
    with pytest.raises(Rejected, match="Validation Failed: title is missing_field"):
        tracker.create_issue(REPO, IssueDraft("   ", "…"), "k1")


def test_an_archived_repository_is_a_refusal(hub: GitHubStandIn, tracker: GitHub) -> None:
    """No token helps there, so it is not Unauthorised; `check` says what does."""
    hub.set_archived(REPO, True)
    with pytest.raises(Rejected, match="archived"):
        tracker.create_issue(REPO, IssueDraft("Basket", "…"), "k1")
    assert [finding.mend for finding in tracker.check(REPO)] == ["Unarchive it, or name another repository."]


def test_check_says_what_role_is_missing(hub: GitHubStandIn, tracker: GitHub) -> None:
    """An account that may only read cannot label or assign."""
    hub.set_permission(REPO, hub.login, "pull")
    assert ["role" in finding.mend for finding in tracker.check(REPO)] == [True]
    hub.set_permission(REPO, hub.login, None)
    assert ["invite" in finding.mend for finding in tracker.check(REPO)] == [True]


def test_check_says_when_a_scope_is_missing(hub: GitHubStandIn, world: GitHubWorld) -> None:
    """A classic token without `repo` sees no private repository."""
    hub.tokens["ghp_scopeless"] = Token(hub.login, scopes=("gist",))
    assert [REPO in finding.where for finding in world.tracker("ghp_scopeless").check(REPO)] == [True]


def test_nothing_secret_is_logged(tracker: GitHub, caplog: pytest.LogCaptureFixture) -> None:
    """Even at DEBUG neither the token nor what is written reaches the log."""
    caplog.set_level(logging.DEBUG)
    tracker.create_issue(REPO, IssueDraft("Basket", "Nora's words"), "k1")
    assert "ghp_sandbox" not in caplog.text
    assert "Nora's words" not in caplog.text


def test_the_server_may_call_itself_by_another_name(hub: GitHubStandIn, world: GitHubWorld) -> None:
    """Behind a proxy the addresses in answers name another host; paging and editing work all the same."""
    hub.shapes.url = "http://github.acme.example"
    tracker = world.tracker(url=f"http://127.0.0.1:{hub._server.port}")  # type: ignore[union-attr]
    number = world.open_issue("leo-dev", "Basket")
    for count in range(105):
        world.comment("leo-dev", number, f"Comment {count}")
    made = tracker.comment(REPO, number, "Waiting: 2", "k1")
    assert tracker.keep(REPO, number, "Waiting: 3", "k1") == made.id
    assert len(tracker.comments(REPO, number)) == 106


def test_since_is_sent_in_utc(hub: GitHubStandIn, tracker: GitHub) -> None:
    """A time of another zone is the same moment; two minutes are kept for clocks that differ."""
    paris = timezone(timedelta(hours=1))
    assert tracker.marked_issue(REPO, "k1", datetime(2026, 3, 1, 0, 30, tzinfo=paris)) is None
    asked = parse_qs(hub.wire.calls[-1].query)
    assert asked["since"] == ["2026-02-28T23:28:00Z"]


def test_a_cut_text_closes_its_code_block(tracker: GitHub, world: GitHubWorld) -> None:
    """Otherwise the mark would show, and swallow nothing but be read as code."""
    made = tracker.create_issue(REPO, IssueDraft("Basket", "```\n" + "log line\n" * 20_000), "k1")
    body = world.body(made.number)
    assert len(body) <= 65_536
    assert body.endswith(f"\n```\n\n…\n\n{mark('k1')}")


def test_a_misspelt_key_is_refused() -> None:
    """The configuration says at once what it does not know."""
    with pytest.raises(ValidationError, match="tokn"):
        Config.model_validate({"kind": "github", "token": "x", "tokn": "y"})


# --- answers that are not GitHub's ------------------------------------------------------------------------------------


@pytest.fixture
def odd(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    """The adapter before a server that answers everything with what the test names."""

    async def answer(asked: Request) -> Response:
        found = request.param
        return PlainTextResponse(found) if isinstance(found, str) else JSONResponse(found)

    methods = ["GET", "POST", "PATCH"]
    server = Server(Starlette(routes=[Route("/{rest:path}", answer, methods=methods)])).start()
    yield GitHub("github", Config(url=server.url, token=SecretStr("x")), timeout=1)
    server.stop()


@pytest.mark.parametrize("odd", ["<html>Sign in to the proxy</html>", {}, [], [7], {"login": None}], indirect=True)
def test_an_answer_that_is_not_githubs_is_a_service_error(odd: GitHub) -> None:
    """A captive portal or a proxy's page never becomes a bug of ours."""
    for ask in (
        lambda: odd.repository(REPO),
        lambda: odd.issue(REPO, 1),
        lambda: odd.create_issue(REPO, IssueDraft("Basket", "…"), "k1"),
        lambda: odd.fix(REPO, "#1"),
        lambda: odd.between(REPO, "1" * 40, "2" * 40),
    ):
        with pytest.raises((Unavailable, Rejected)):
            ask()


def test_a_path_of_enterprise_server_is_kept(hub: GitHubStandIn) -> None:
    """REST lies under /api/v3 and GraphQL beside it, under /api/graphql."""
    paths: list[str] = []

    async def note(asked: Request) -> Response:
        paths.append(asked.url.path)
        empty = {"data": {"repository": None}}
        return JSONResponse(empty if asked.method == "POST" else [])

    server = Server(Starlette(routes=[Route("/{rest:path}", note, methods=["GET", "POST"])])).start()
    tracker = GitHub("github", Config(url=f"{server.url}/api/v3", token=SecretStr("x")))
    assert tracker.fixes(REPO, 12) == []
    assert paths[:2] == ["/api/v3/repos/acme/shop/issues/12/timeline", "/api/graphql"]
    server.stop()
