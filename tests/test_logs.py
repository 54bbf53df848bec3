"""Logs tell what happened by ids, and hold nothing that anybody wrote and no secret."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
import structlog

from bot import logs, outbox
from bot.store.tables import Effect, EffectState
from integrations.sandbox.wire import Fault
from tests.conftest import House
from tests.test_web import github, hook, post, to_slack

WORDS = {
    "subject": "Quibberish invoices flummox everybody",
    "body": "Bonjour, wobbleton grundlefix has zorblatted my snickerdoodles since Tuesday",
    "customer_name": "Zebulon Quartermain",
    "customer_email": "zebulon@quartermain.example",
}
REPLY = "Salutations, your marmoset is rehabilitated"
TITLE, SUMMARY = "Grundlefix zorblats", "Wobbleton reproduces with marzipan"


@pytest.fixture
def loud() -> Iterator[io.StringIO]:
    """The log as an operator has it with LOG_LEVEL=DEBUG."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    with contextlib.redirect_stderr(written):
        logs.configure("json", "DEBUG")
    yield written
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def secret_words(house: House) -> set[str]:
    """What must never stand in a log: customers' and agents' words and names, addresses, tokens and secrets."""
    texts = [*WORDS.values(), REPLY, TITLE, SUMMARY]
    words = {word.strip(",").lower() for text in texts for word in text.split() if len(word) > 6}
    tokens = {value for name, value in house.environ.items() if "TOKEN" in name or "SECRET" in name}
    return words | {token.lower() for token in tokens} | {"ana@acme.example", "zd-sandbox", "sandbox-zendesk-secret"}


def test_logs_hold_no_word_of_a_customer_and_no_secret(loud: io.StringIO, house: House) -> None:
    """A whole loop at DEBUG with all that can go wrong in it: refusals that quote the text, dropped lines, broken
    answers, forged and unreadable requests, a fault of our own. The log tells of each by ids."""
    house.hear_webhooks()
    number = house.zendesk.open_ticket(**WORDS)  # type: ignore[arg-type]
    quoting = {"message": f"Validation failed: {WORDS['body']}", "error": SUMMARY, "description": WORDS["subject"]}
    house.slack.wire.faults += [
        Fault("drop_after", path="views.update"),
        Fault("error_after", path="chat.postMessage", status=500),
        Fault("refuse", path="chat.update", status=200, body={"ok": False, "error": TITLE}),
        Fault("refuse", path="conversations.open", status=500, body=quoting),
    ]
    house.github.wire.faults += [
        Fault("error_after", "POST", path="issues$", status=502, body=quoting),
        Fault("drop", "POST", path="comments$"),
        Fault("refuse", "GET", path="releases$", status=403, body=quoting),
    ]
    house.zendesk.wire.faults += [
        Fault("refuse", "GET", path=f"tickets/{number}.json", status=500, body=quoting),
        Fault("refuse", "PUT", status=422, body=quoting),
    ]
    hook(house, json.dumps({"repository": {"full_name": WORDS["body"]}, "issue": WORDS}).encode())
    post(house, "/webhooks/github", WORDS["body"].encode(), github(b""))
    to_slack(house, urlencode({"command": "/bug", "text": WORDS["body"]}))
    to_slack(house, urlencode({"payload": json.dumps({"type": "view_submission", "view": WORDS})}))

    for _ in range(2):
        assert house.slack.command("U0ANA", f"{number} {TITLE}", "C0SUPPORT").ok
        house.bot.listeners.settle()
    view = house.slack.views("U0ANA")[-1]
    for broken in (impossible(view), impossible({name: view[name] for name in view if name != "type"})):
        to_slack(house, urlencode({"payload": json.dumps(broken)}))
    house.slack.submit(view["id"], {"title": TITLE, "summary": SUMMARY})
    recover(house)
    house.mend()
    recover(house)
    told = house.slack.dm("U0ANA")[-1]
    for refusal in (Fault("refuse", "PUT", status=422, body=quoting), None):
        house.zendesk.wire.faults[:] = [refusal] if refusal else []
        house.slack.press("U0ANA", house.slack.dm_channel("U0ANA"), told["ts"], "write_back")
        house.slack.submit(house.slack.views("U0ANA")[-1]["id"], {"reply": REPLY})
        recover(house)

    written = loud.getvalue()
    assert [one["body"] for one in house.zendesk.replies(number)] == [REPLY]
    for event in ("effect.done", "effect.again", "effect.given_up", "listener.failed", "web.failed"):
        assert event in written
    assert sorted(word for word in secret_words(house) if word in written.lower()) == []


def impossible(view: dict[str, Any]) -> dict[str, Any]:
    """A submission with a choice that was not offered: the exception that it causes quotes it. Without the view's type,
    Bolt itself stumbles."""
    state = {
        "title": {"title": {"type": "plain_text_input", "value": TITLE}},
        "kind": {"kind": {"type": "static_select", "selected_option": {"value": WORDS["body"]}}},
    }
    names = ("id", "type", "callback_id", "private_metadata", "blocks")
    kept = {name: view[name] for name in names if name in view}
    user = {"id": "U0ANA", "team_id": "T0ACME"}
    return {"type": "view_submission", "user": user, "view": {**kept, "state": {"values": state}}}


def recover(house: House) -> None:
    """Let retries come, and take up what was given up."""
    house.settle()
    for _ in range(6):
        with house.bot.store.write() as session:
            for effect in session.scalars(sa.select(Effect).where(Effect.state == EffectState.DEAD)):
                outbox.retry(session, house.clock, effect.id)
        house.pass_time(minutes=3)
