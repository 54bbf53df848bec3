"""The GitLab adapter: the contract suite against the sandbox's GitLab, then what is GitLab's alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest
from pydantic import SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from integrations.base import (
    BadSignature,
    CodeTouched,
    IssueDraft,
    IssueTouched,
    Rejected,
    Tracker,
    Unauthorised,
    Unavailable,
    Watch,
    mark,
)
from integrations.gitlab import Config, GitLab
from integrations.sandbox.gitlab import GitLabStandIn
from integrations.sandbox.wire import Fault, Server
from integrations.testing.files import FilesContract
from integrations.testing.shipping import RESOURCES
from integrations.testing.tracker import TrackerContract
from integrations.testing.world import World
from tests.integrations.gitlab_world import REPO, SECRET, SIGNING, GitLabWorld, StillClock

FIXTURES = Path(__file__).parent / "fixtures" / "gitlab"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def hub() -> Iterator[GitLabStandIn]:
    hub = GitLabStandIn(now=StillClock(), signing_secret=SIGNING).start()
    hub.hold_webhooks = True  # recorded, not sent: nobody listens at that address
    hub.webhook_url = "https://passerelle.example.com/webhooks/gitlab"
    hub.add_project(REPO, members={"leo-dev": 30})
    yield hub
    hub.stop()


@pytest.fixture
def world(hub: GitLabStandIn) -> GitLabWorld:
    return GitLabWorld(hub)


@pytest.fixture
def tracker(world: GitLabWorld) -> GitLab:
    return world.tracker()


class TestGitLab(TrackerContract, FilesContract):
    """GitLab keeps the contract."""

    def test_a_quiet_poll_costs_one_304(self, tracker: Tracker, world: World) -> None:
        """One request for each resource, a 304 while nothing happens; two for issues: merge requests are apart."""
        world.open_issue(world.somebody, "An older one")
        world.publish_release("v1")
        world.deploy("production", world.commit())
        for resource in RESOURCES:
            before, cost = len(world.reads()), 2 if resource == "issues" else 1
            events, watch = tracker.poll(world.repo, resource, Watch())
            assert (events, len(world.reads()) - before) == ([], cost)
            for _ in range(2):
                assert tracker.poll(world.repo, resource, watch) == ([], watch)
            assert world.reads()[before + cost :] == [304] * 2 * cost


# --- webhooks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("issue.close", [IssueTouched(REPO, 12)]),
        ("note.on_issue", [IssueTouched(REPO, 12)]),
        ("note.on_merge_request", []),
        ("merge_request.merge", [IssueTouched(REPO, 12), IssueTouched(REPO, 13), IssueTouched("acme/api", 4)]),
        ("merge_request.backport", [IssueTouched(REPO, 12), IssueTouched(REPO, 12, pull=True)]),
        ("merge_request.open", []),
        ("push", [CodeTouched(REPO, "branch")]),
        ("push.other_branch", []),
        ("tag_push", [CodeTouched(REPO, "tags")]),
        ("release", [CodeTouched(REPO, "releases")]),
        ("deployment", [CodeTouched(REPO, "deployments:eu/shop"), CodeTouched(REPO, "deployments:production")]),
        ("deployment.older", [CodeTouched(REPO, "deployments:staging")]),
        ("pipeline", []),
    ],
)
def test_deliveries_say_what_was_touched(name: str, meant: list[object]) -> None:
    """Confidential issues and notes, too; a deployment by its environment's name and by its tier."""
    body = (FIXTURES / f"{name}.json").read_bytes()
    assert GitLabWorld.reader().read({"X-Gitlab-Event": "of no interest"}, body) == meant


def test_an_issues_marks_are_told() -> None:
    """So that what we filed ourselves is known before its number is."""
    [event] = GitLabWorld.reader().read({}, (FIXTURES / "issue.close.json").read_bytes())
    assert isinstance(event, IssueTouched)
    assert event.marks == ("issue:1f2e",)


def signed(body: bytes, at: datetime, secret: str = SIGNING) -> dict[str, str]:
    """The headers of a delivery signed by hand, as "Standard Webhooks" tells."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"msg_1.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def test_a_signature_holds_for_five_minutes() -> None:
    """Before and after, as clocks differ; one of several is enough, as while a secret is changed."""
    reader, body = GitLabWorld.reader(), b"{}"
    other = signed(body, NOW, "whsec_" + base64.b64encode(b"the former one").decode())["webhook-signature"]
    headers = signed(body, NOW)
    headers["webhook-signature"] = f"v1a,xyz {other} {headers['webhook-signature']}"
    for seconds in (-299, 0, 299):
        assert reader.verify(headers, body, NOW + timedelta(seconds=seconds)) == "msg_1"
    for seconds in (-301, 301):
        with pytest.raises(BadSignature):
            reader.verify(headers, body, NOW + timedelta(seconds=seconds))
    for wrong in ({"webhook-timestamp": "soon"}, {"webhook-id": ""}, {"webhook-id": "msg_2"}):
        with pytest.raises(BadSignature):
            reader.verify(headers | wrong, body, NOW)


def test_a_plain_token_is_enough_where_nothing_is_signed() -> None:
    """Older servers sign nothing; a wrong token beside a right signature is refused all the same."""
    reader, body = GitLabWorld.reader(), b"{}"
    plain = {"X-Gitlab-Token": SECRET, "X-Gitlab-Event-UUID": "u-1"}
    assert reader.verify(plain, body, NOW) == "u-1"
    assert reader.verify(plain | {"Idempotency-Key": "i-1"}, body, NOW) == "i-1"
    wrong = {"X-Gitlab-Token": SECRET + "x"}
    for headers in (plain | wrong, signed(body, NOW) | wrong, {"X-Gitlab-Token": SECRET}):
        with pytest.raises(BadSignature):
            reader.verify(headers, body, NOW)


def test_a_signature_without_its_secret_proves_nothing() -> None:
    """Who configured the plain token alone gets no delivery that brings another."""
    reader = GitLab("gitlab", Config(token=SecretStr("x"), webhook_secret=SecretStr(SECRET)))
    with pytest.raises(BadSignature):
        reader.verify(signed(b"{}", NOW), b"{}", NOW)


# --- the wire ---------------------------------------------------------------------------------------------------------


def test_a_silent_service_is_given_up_on(hub: GitLabStandIn, tracker: GitLab) -> None:
    """A write that gets no answer in time may be done, and is not made again."""
    hub.wire.faults.append(Fault("late", "POST", seconds=1.6))
    with pytest.raises(Unavailable) as doubt:
        tracker.create_issue(REPO, IssueDraft("Basket", "…"), "k1")
    assert (doubt.value.detail, doubt.value.maybe_done) == ("no answer in time", True)


def test_a_spent_allowance_names_its_end(hub: GitLabStandIn, tracker: GitLab) -> None:
    """Without Retry-After the seconds follow from RateLimit-Reset, which stands by the real clock."""
    reset = int((datetime.now(UTC) + timedelta(minutes=1)).timestamp())
    hub.wire.faults.append(Fault("refuse", "GET", status=429, headers={"RateLimit-Reset": str(reset)}))
    with pytest.raises(Unavailable) as limit:
        tracker.repository(REPO)
    assert 50 <= (limit.value.retry_after or 0) <= 61
    assert len(hub.wire.calls) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_no_thread_sleeps_through_a_retry_after(hub: GitLabStandIn, tracker: GitLab, status: int) -> None:
    """A read, too, hands the seconds back at once."""
    hub.wire.faults.append(Fault("refuse", "GET", status=status, headers={"Retry-After": "3"}))
    with pytest.raises(Unavailable) as limit:
        tracker.repository(REPO)
    assert (limit.value.retry_after, len(hub.wire.calls)) == (3, 1)


def test_images_are_shown_to_whoever_has_the_link(hub: GitLabStandIn, tracker: GitLab) -> None:
    """And other files once the project is public: what docs/privacy.md warns of."""
    found = {}
    for name in ("screen.png", "invoice.pdf"):
        tracker.attach(REPO, name, b"secret")
        there = hub.uploads(REPO)[-1]
        project = hub.find(REPO)
        assert project
        found[name] = f"{hub.url}/-/project/{project.id}{there.url}"
    assert [httpx2.get(found[name]).status_code for name in sorted(found)] == [404, 200]
    hub.set_visibility(REPO, "public")
    assert [httpx2.get(found[name]).content for name in sorted(found)] == [b"secret", b"secret"]


def test_a_missing_scope_is_named(hub: GitLabStandIn, tracker: GitLab) -> None:
    """GitLab says what the token would need."""
    body = {"error": "insufficient_scope", "error_description": "Higher privileges are needed", "scope": "api"}
    hub.wire.faults.append(Fault("refuse", "POST", status=403, body=body))
    with pytest.raises(Unauthorised, match="wanted: api"):
        tracker.create_issue(REPO, IssueDraft("Basket", "…"), "k1")


def test_a_refusal_is_gitlabs_own_reason(hub: GitLabStandIn, tracker: GitLab) -> None:
    """By field, in words that can be shown."""
    body = {"message": {"title": ["can't be blank", "is too short"], "base": ["Something else"]}}
    hub.wire.faults.append(Fault("refuse", "POST", status=400, body=body))
    with pytest.raises(Rejected, match="title can't be blank, is too short, Something else"):
        tracker.create_issue(REPO, IssueDraft("Basket", "…"), "k1")


def test_nothing_secret_is_logged(tracker: GitLab, caplog: pytest.LogCaptureFixture) -> None:
    """Even at DEBUG neither the token nor what is written reaches the log."""
    caplog.set_level(logging.DEBUG)
    tracker.create_issue(REPO, IssueDraft("Basket", "Nora's words"), "k1")
    assert "glpat-sandbox" not in caplog.text
    assert "Nora's words" not in caplog.text


def test_the_server_may_call_itself_by_another_name(hub: GitLabStandIn, world: GitLabWorld, tracker: GitLab) -> None:
    """Behind a proxy the addresses in answers name another host; paging works all the same."""
    hub.shapes.url = "http://gitlab.acme.example"
    tracker = world.tracker(url=f"http://127.0.0.1:{hub._server.port}")  # type: ignore[union-attr]
    number = world.open_issue("leo-dev", "Basket")
    for count in range(105):
        world.comment("leo-dev", number, f"Comment {count}")
    tracker.comment(REPO, number, "Waiting: 2", "k1")
    assert len(tracker.comments(REPO, number)) == 106


def test_since_is_sent_in_utc(hub: GitLabStandIn, tracker: GitLab) -> None:
    """A time of another zone is the same moment; two minutes are kept for clocks that differ."""
    paris = timezone(timedelta(hours=1))
    assert tracker.marked_issue(REPO, "k1", datetime(2026, 3, 1, 0, 30, tzinfo=paris)) is None
    asked = parse_qs(hub.wire.calls[-1].query)
    assert asked["updated_after"] == ["2026-02-28T23:28:00Z"]


def test_a_cut_text_closes_its_code_block(tracker: GitLab, world: GitLabWorld) -> None:
    """Otherwise the mark would show, and swallow nothing but be read as code."""
    made = tracker.create_issue(REPO, IssueDraft("Basket", "```\n" + "log line\n" * 200_000), "k1")
    body = world.body(made.number)
    assert len(body) <= 1_048_576
    assert body.endswith(f"\n```\n\n…\n\n{mark('k1')}")


@pytest.mark.parametrize(
    ("given", "reached"),
    [
        ("https://gitlab.com/", "https://gitlab.com"),
        ("https://git.acme.example/gitlab/api/v4", "https://git.acme.example/gitlab"),
    ],
)
def test_the_url_is_the_address_that_people_open(given: str, reached: str) -> None:
    """The API's own path is added by python-gitlab."""
    assert Config(url=given, token=SecretStr("x")).url == reached


@pytest.mark.parametrize("wrong", [{"tokn": "y"}, {"signing_secret": "hunter2!"}, {"signing_secret": "whsec_"}])
def test_a_wrong_configuration_is_refused(wrong: dict[str, str]) -> None:
    """The configuration says at once what it does not know, and never repeats a secret."""
    with pytest.raises(ValidationError) as refused:
        Config.model_validate({"kind": "gitlab", "token": "x", **wrong})
    assert "hunter2" not in str(refused.value)


def test_gitlab_may_lie_below_another_path() -> None:
    """Then that path is no part of a project's name."""
    paths: list[str] = []
    page = "https://git.acme.example/gitlab/acme/shop-app/-/commit/" + "1" * 40

    async def note(asked: Request) -> Response:
        paths.append(asked.scope["raw_path"].decode())
        return JSONResponse({"id": "1" * 40, "message": "Keep it", "web_url": page})

    server = Server(Starlette(routes=[Route("/{rest:path}", note)])).start()
    tracker = GitLab("gitlab", Config(url=f"{server.url}/gitlab", token=SecretStr("x")), timeout=1)
    assert tracker.fix("acme/other", page).repository == REPO
    assert tracker.fix(REPO, page).repository == ""
    assert set(paths) == {"/gitlab/api/v4/projects/acme%2Fshop-app/repository/commits/" + "1" * 40}
    server.stop()


# --- answers that are not GitLab's ------------------------------------------------------------------------------------


@pytest.fixture
def odd(request: pytest.FixtureRequest) -> Iterator[GitLab]:
    """The adapter before a server that answers everything with what the test names."""

    async def answer(asked: Request) -> Response:
        found = request.param
        return PlainTextResponse(found) if isinstance(found, str) else JSONResponse(found)

    methods = ["GET", "POST", "PUT"]
    server = Server(Starlette(routes=[Route("/{rest:path}", answer, methods=methods)])).start()
    yield GitLab("gitlab", Config(url=server.url, token=SecretStr("x")), timeout=1)
    server.stop()


@pytest.mark.parametrize("odd", ["<html>Sign in to the proxy</html>", "", {}, [], [7], {"iid": None}], indirect=True)
def test_an_answer_that_is_not_gitlabs_is_a_service_error(odd: GitLab) -> None:
    """A captive portal or a proxy's page never becomes a bug of ours."""
    for ask in (
        lambda: odd.repository(REPO),
        lambda: odd.issue(REPO, 1),
        lambda: odd.create_issue(REPO, IssueDraft("Basket", "…"), "k1"),
        lambda: odd.keep(REPO, 1, "…", "k1"),
        lambda: odd.attach(REPO, "log.txt", b"..."),
        lambda: odd.fix(REPO, "!1"),
        lambda: odd.resolve(REPO, "1" * 40),
    ):
        with pytest.raises((Unavailable, Rejected)):
            ask()


def test_the_token_does_not_follow_to_another_host() -> None:
    """A server that sends us on to a stranger's gets the call, not our token."""
    brought: list[str | None] = []

    async def note(asked: Request) -> Response:
        brought.append(asked.headers.get("private-token"))
        return JSONResponse({"username": "passerelle-bot"})

    other = Server(Starlette(routes=[Route("/{rest:path}", note)])).start()

    async def send_on(asked: Request) -> Response:
        brought.append(asked.headers.get("private-token"))
        return RedirectResponse(f"http://localhost:{other.port}/user", 302)

    server = Server(Starlette(routes=[Route("/{rest:path}", send_on)])).start()
    tracker = GitLab("gitlab", Config(url=server.url, token=SecretStr("glpat-x")), timeout=1)
    assert tracker.login() == "passerelle-bot"
    assert brought == ["glpat-x", None]
    server.stop()
    other.stop()
