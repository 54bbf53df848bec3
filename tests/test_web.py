"""The web side: authentic deliveries are stored once and answered, everything else is turned away without a trace."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from bot.store.tables import Delivery, Draft, Effect, EffectState, Escalation
from integrations.sandbox.wire import Fault, Server, Wire
from tests.conftest import House

SECRET = "sandbox-webhook-secret"
MB = 1024 * 1024


def github(body: bytes, delivery: str = "d-1", secret: str = SECRET) -> dict[str, str]:
    """The headers that prove a webhook to be GitHub's."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Delivery": delivery, "X-GitHub-Event": "issues"}


def post(house: House, path: str, body: bytes, headers: dict[str, str]) -> int:
    return httpx2.post(f"{house.server.url}{path}", content=body, headers=headers, timeout=10).status_code


def hook(house: House, body: bytes = b"{}", delivery: str = "d-1", **more: str) -> int:
    """An authentic webhook from GitHub."""
    return post(house, "/webhooks/github", body, {**github(body, delivery), **more})


def deliveries(house: House) -> list[Delivery]:
    with house.bot.store.read() as session:
        return list(session.scalars(sa.select(Delivery)))


def traces(house: House) -> int:
    """How many rows there are that a request could have left."""
    with house.bot.store.read() as session:
        tables = (Delivery, Effect, Draft, Escalation)
        return sum(session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables)


# --- webhooks ---------------------------------------------------------------------------------------------------------


def test_a_webhook_under_a_name_that_is_not_configured_is_not_found(house: House) -> None:
    """Only the configured trackers and helpdesks have addresses."""
    for path in ("/webhooks/gitlab", "/webhooks/", "/webhooks", "/webhooks/github/x"):
        assert post(house, path, b"{}", github(b"{}")) == 404
    assert traces(house) == 0


def test_a_service_can_try_an_address_before_it_takes_it(house: House) -> None:
    """By HEAD, as Intercom does: an address that does not answer is not saved. Nothing is kept of it."""
    tried = [httpx2.head(f"{house.server.url}/webhooks/{name}").status_code for name in ("zendesk", "github", "other")]
    assert tried == [200, 200, 404]
    assert traces(house) == 0


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("github", {}),
        ("github", github(b"{}", secret="guessed")),
        ("github", github(b"{ }")),
        ("github", github(b"{}") | {"X-Hub-Signature-256": "sha256="}),
        ("github", github(b"{}") | {"X-Hub-Signature-256": "\xe9\xff"}),
        ("github", github(b"{}") | {"X-GitHub-Delivery": ""}),
        ("zendesk", {}),
        ("zendesk", {"X-Zendesk-Webhook-Signature": "AAAA", "X-Zendesk-Webhook-Signature-Timestamp": "yesterday"}),
        (
            "zendesk",
            {"X-Zendesk-Webhook-Signature": "\xe9", "X-Zendesk-Webhook-Signature-Timestamp": "2026-03-02T09:00:00Z"},
        ),
    ],
)
def test_a_webhook_that_its_sender_did_not_sign_leaves_no_row(house: House, path: str, headers: dict[str, Any]) -> None:
    """Unsigned, forged, signed for another body, or signed with nonsense: 401, and nothing is kept."""
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    assert post(house, f"/webhooks/{path}", b"{}", raw) == 401  # type: ignore[arg-type]
    assert traces(house) == 0


@pytest.mark.parametrize(("age", "status"), [(-301, 401), (-290, 202), (290, 202), (301, 401)])
def test_a_webhook_signed_more_than_five_minutes_away_is_not_authentic(house: House, age: int, status: int) -> None:
    """The helpdesk signs its time too: what is older, or from the future, may be somebody's replay."""
    stamp = (house.clock.now() + timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {
        "X-Zendesk-Webhook-Signature": house.zendesk.signature(stamp, b"{}"),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
    }
    assert post(house, "/webhooks/zendesk", b"{}", headers) == status
    assert len(deliveries(house)) == (status == 202)


def test_without_a_secret_no_webhook_is_authentic(make_house: Callable[..., House]) -> None:
    """A forgotten secret closes the door; it does not open it."""

    def forget(config: dict[str, Any]) -> None:
        del config["trackers"]["github"]["webhook_secret"]

    house = make_house(forget)
    assert hook(house) == 401
    assert post(house, "/webhooks/github", b"{}", github(b"{}", secret="")) == 401
    assert traces(house) == 0


@pytest.mark.parametrize("framing", ["Content-Length: 26214401", "Transfer-Encoding: chunked"])
def test_a_body_larger_than_any_service_sends_is_refused_before_it_has_come(house: House, framing: str) -> None:
    """A declared length is enough; without one, what exceeds 25 MB ends it. Nothing is stored."""
    with socket.create_connection(("127.0.0.1", house.server.port), timeout=10) as line:
        line.sendall(f"POST /webhooks/github HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode())
        if "chunked" in framing:
            for _ in range(26):
                line.sendall(b"100000\r\n" + b" " * MB + b"\r\n")
        status = int(line.recv(1000).split()[1])
    assert status == 413
    assert traces(house) == 0


def test_a_body_as_large_as_github_sends_is_stored(house: House) -> None:
    """25 MB is GitHub's own limit, and within ours."""
    body = b" " * (25 * MB)
    assert hook(house, body) == 202
    assert deliveries(house)[0].body == body


STRANGE = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["issue", "number", "repository", "full_name", "action", "release"]), inner
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.just(b"[" * 100_000),
)
ACCEPTED = range(200, 300)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=STRANGE, event=st.sampled_from(["issues", "issue_comment", "release", "ping", "", "star"]))
def test_an_authentic_webhook_is_taken_whatever_it_holds(house: House, body: bytes, event: str) -> None:
    """What we cannot read is still theirs: it is stored, answered 2xx, and read without harm."""
    before = len(deliveries(house))
    delivery = f"d-{before}"
    assert hook(house, body, delivery, **{"X-GitHub-Event": event}) in ACCEPTED
    assert hook(house, body, delivery, **{"X-GitHub-Event": event}) in ACCEPTED
    assert len(deliveries(house)) == before + 1
    house.settle()
    assert deliveries(house)[-1].read_at is not None


def test_a_delivery_is_stored_once_and_another_body_is_another_one(house: House) -> None:
    """A repetition changes nothing, even at the same moment; the same id with another content is not a repetition."""
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: hook(house), range(16))) <= set(ACCEPTED)
    assert len(deliveries(house)) == 1
    assert hook(house, b'{"action": "closed"}') in ACCEPTED
    assert len(deliveries(house)) == 2
    house.settle()
    with house.bot.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Effect.kind == "delivery")) == 2


def test_only_the_headers_that_mean_something_are_kept(house: House) -> None:
    """Signatures, cookies and whatever a proxy adds are nobody's business later."""
    assert hook(house, Authorization="Bearer abc", Cookie="session=abc", **{"X-Forwarded-For": "192.0.2.1"}) == 202
    assert set(deliveries(house)[0].headers) <= {"x-github-event", "x-github-delivery", "content-type"}


@pytest.mark.parametrize("how", ["gone", "garbage"])
def test_while_the_database_is_away_the_sender_is_asked_to_come_again(house: House, how: str) -> None:
    """503, not a loss: the delivery is taken when the database is back."""
    house.bot.store.close()
    kept = house.folder.rename(house.folder.with_name("elsewhere"))
    if how == "garbage":
        house.folder.mkdir()
        (house.folder / "passerelle.db").write_bytes(b"this is no database" * 100)
    assert hook(house) == 503
    assert httpx2.get(f"{house.server.url}/readyz").status_code == 503
    assert httpx2.get(f"{house.server.url}/healthz").status_code == 200

    house.bot.store.close()
    if how == "garbage":
        remove(house.folder)
    kept.rename(house.folder)
    assert hook(house) == 202
    assert len(deliveries(house)) == 1


def remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


# --- health -----------------------------------------------------------------------------------------------------------


def readiness(house: House) -> tuple[int, dict[str, Any]]:
    answer = httpx2.get(f"{house.server.url}/readyz")
    return answer.status_code, answer.json()


def test_readiness_tells_how_old_the_oldest_undone_effect_is(house: House) -> None:
    """Nobody works for a while: first it shows, then it is no longer well; what waits for its time is not late."""
    assert readiness(house) == (200, {"ok": True, "schema": "", "oldest_undone_effect_seconds": 0.0})
    assert hook(house) == 202
    house.clock.advance(timedelta(minutes=10))
    assert readiness(house) == (200, {"ok": True, "schema": "", "oldest_undone_effect_seconds": 600.0})
    house.clock.advance(timedelta(minutes=10))
    assert readiness(house)[0] == 503
    with house.bot.store.write() as session:
        session.execute(sa.update(Effect).values(next_at=house.clock.now() + timedelta(minutes=1)))
    assert readiness(house)[0] == 200
    with house.bot.store.write() as session:
        session.execute(sa.update(Effect).values(next_at=house.clock.now(), state=EffectState.DEAD))
    house.clock.advance(timedelta(hours=1))
    assert readiness(house)[0] == 200


def test_a_service_that_is_away_makes_nobody_unready(house: House) -> None:
    """What waits behind a call that fails, or for a rate limit to end, is nobody's fault here: work is being done."""
    house.flag()
    house.mend()
    house.zendesk.wire.faults.append(Fault("refuse", "", status=503, times=None))
    house.github.wire.faults.append(Fault("refuse", "", status=429, headers={"Retry-After": "3600"}, times=None))
    house.look_up("U0ANA", "4212")
    [issue] = house.slack.suggest(house.slack.views("U0ANA")[-1]["id"], "similar", "VAT")
    house.submit("U0ANA", similar=issue["value"])
    house.write_back()
    for _ in range(6):
        house.pass_time(minutes=5)
        status, report = readiness(house)
        assert (status, report["oldest_undone_effect_seconds"]) == (200, 0.0), report


def test_readiness_says_what_to_do_about_an_old_schema(house: House) -> None:
    """The sentence names the command that mends it."""
    with house.bot.store.write() as session:
        session.execute(sa.text("update alembic_version set version_num = '0000'"))
    status, report = readiness(house)
    assert status == 503
    assert "passerelle migrate" in report["schema"]
    assert httpx2.get(f"{house.server.url}/healthz").status_code == 200


# --- Slack ------------------------------------------------------------------------------------------------------------


def command(house: House, text: str = "4211") -> str:
    """The body of a slash command."""
    payload = {"command": "/bug", "text": text, "user_id": "U0ANA", "channel_id": "C0SUPPORT", "team_id": "T0ACME"}
    return urlencode(payload | {"trigger_id": house.slack.workspace.new_trigger("U0ANA")})


def to_slack(house: House, body: str, **changed: str) -> int:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    raw = {
        name: value.encode("latin-1")
        for name, value in {**form, **house.slack.delivery.signed(body), **changed}.items()
    }
    return post(house, "/slack/events", body.encode(), raw)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "\xe9"},
        {"X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "1e9"},
    ],
)
def test_a_request_that_slack_did_not_sign_does_nothing(house: House, changed: dict[str, str]) -> None:
    """Forged or malformed proof: 401, no modal, no row."""
    assert to_slack(house, command(house), **changed) == 401
    assert house.slack.views("U0ANA") == []
    assert traces(house) == 0


def test_a_body_that_is_no_text_is_not_slacks(house: House) -> None:
    """Bytes that nobody can read carry no valid signature."""
    stamp = house.slack.delivery.signed("")["X-Slack-Request-Timestamp"]
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=00"}
    assert post(house, "/slack/events", b"\xff\xfe", headers) == 401


@pytest.mark.parametrize(("minutes", "status"), [(-5.1, 401), (-4.9, 200), (4.9, 200), (5.1, 401)])
def test_a_request_from_another_time_is_refused(house: House, minutes: float, status: int) -> None:
    """Slack's own limit: five minutes, against our clock."""
    body = command(house, "help")
    headers = house.slack.delivery.signed(body)
    house.clock.advance(timedelta(minutes=-minutes))
    assert to_slack(house, body, **headers) == status


def test_a_replayed_command_opens_nothing_more(house: House) -> None:
    """Its trigger is spent: the person keeps the one modal they asked for, and is told nothing untrue."""
    body = command(house)
    assert to_slack(house, body) == 200
    house.bot.listeners.settle()
    for _ in range(3):
        assert to_slack(house, body) in (200, 500)
    house.settle()
    assert len(house.slack.views("U0ANA")) == 1
    assert house.github.issues("acme/shop") == []


def test_a_replayed_submission_makes_no_second_escalation(house: House) -> None:
    """The same signed request, again and again, even at once: one issue, one note, one message."""
    wire = Wire(house.bot.web)
    proxy = Server(wire).start()
    house.slack.events_url = f"{proxy.url}/slack/events"
    house.flag()
    [submission] = [call for call in wire.calls_to("POST", "/slack/events") if b"view_submission" in call.body]
    with ThreadPoolExecutor(6) as threads:
        again = threads.map(lambda _: to_slack(house, submission.body.decode()), range(12))
        assert set(again) == {200}
    house.settle()
    proxy.stop()
    assert len(house.github.issues("acme/shop")) == 1
    assert len(house.slack.dm("U0ANA")) == 1
    with house.bot.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Escalation)) == 1


def test_without_a_signing_secret_slack_has_no_door(house: House) -> None:
    """Socket Mode alone: the process runs, webhooks are served, and /slack/events is not there."""
    house.stop_bot()
    del house.environ["SLACK_SIGNING_SECRET"]
    house.bot = house.start_bot()
    assert to_slack(house, command(house)) == 404
    assert hook(house) == 202


def test_slow_commands_do_not_keep_others_waiting(house: House) -> None:
    """While Slack takes its time with eight modals, the process still says that it is well, and takes webhooks."""
    slow = Fault("late", path="views.open", seconds=2.0, times=None)
    house.slack.wire.faults.append(slow)
    with ThreadPoolExecutor(8) as threads:
        pending = [threads.submit(to_slack, house, command(house)) for _ in range(8)]
        while len(house.slack.wire.calls) == 0 and not any(one.done() for one in pending):
            if traces(house) >= 8:
                break
        assert httpx2.get(f"{house.server.url}/healthz", timeout=1.5).status_code == 200
        assert hook(house) == 202
        assert not any(one.done() for one in pending)
    house.slack.wire.faults.remove(slow)
    assert {one.result() for one in pending} == {200}
