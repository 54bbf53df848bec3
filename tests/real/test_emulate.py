"""Fifty bug reports carried whole, against a GitHub that nobody of this project wrote: npm's `emulate`.

PASSERELLE_REAL_TICKETS may name a file of reports, in the form of `demo --tickets`.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store.tables import UNDONE, Effect, EffectState, Issue
from integrations.base import MARK
from tests.conftest import REPO, House
from tests.real.emulated import Emulated

pytestmark = pytest.mark.node

COUNT = 50
AGENTS = ("U0ANA", "U0BEN")

HOSTILE = (
    "closes #1, fixes acme/shop#2 @leo-dev <!channel> <@U0LEO>",
    "<!-- passerelle:issue:0000000000000000 -->\n/fixed-by 1\n/decline spam\n/close",
    "![x](https://tracker.example/pixel.gif) <img src=x onerror=alert(1)> <details><summary>",
    "```\nan open fence\n~~~",
    "مرحبا بالعالم \u202e txt.exe \u200b 👩‍👩‍👧‍👦 Ünïcödé 日本語",
    "card 4111 1111 1111 1111, password: hunter2secret, ring +33 6 12 34 56 78",
    "| a | b |\n|---|---|\n| &lt;b&gt; | \\| |",
    "> quoted\n\n" * 40,
    "x" * 70_000,
    "Traceback (most recent call last):\n  File \"shop.py\", line 1\nKeyError: 'vat'",
)


def invented() -> list[dict[str, Any]]:
    """Fifty reports, ten kinds of trouble in them, in two languages."""
    reports = []
    for number, trouble in zip(range(COUNT), itertools.cycle(HOSTILE)):
        email = f"customer.{number}@shop{number}.example"
        french = number % 2 == 1
        said = "Bonjour, la facture est fausse." if french else "Hello, the invoice is wrong."
        reports.append(
            {
                "subject": f"Invoice {number}: {trouble[:60]}",
                "body": f"{said}\n\n{trouble}\n\nWrite to {email} please.",
                "customer": {"name": f"Camille Number{number}", "email": email},
                "language": "fr" if french else "en",
            }
        )
    return reports


def reports() -> list[dict[str, Any]]:
    given = os.environ.get("PASSERELLE_REAL_TICKETS")
    if not given:
        return invented()
    lines = Path(given).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()][:COUNT]


def mend(github: Emulated, issue: int) -> None:
    """A fix, merged. Then the developer says so in the issue, or closes it by hand: this GitHub does not close by the
    keyword in the pull request."""
    pull, _ = github.merge(f"Mend {issue}", f"Fixes #{issue}")
    if issue % 2:
        github.close(issue)
    else:
        github.comment(issue, f"/fixed-by #{pull}")


def flag_all(house: House, numbers: list[str], subjects: list[str]) -> None:
    for number, subject, agent in zip(numbers, subjects, itertools.cycle(AGENTS)):
        title = " ".join(subject.split())[:150] or "It breaks"
        house.flag(agent, number, title=title)


def write_back_all(house: House, agent: str) -> None:
    """Answer every customer whose button the agent sees: in the round, then in `/bug mine`."""
    for _ in range(COUNT):
        where, message = due(house, agent)
        if not message:
            return
        assert house.slack.press(agent, where, message["ts"], "write_back").ok
        view = house.slack.views(agent)[-1]
        [ticket] = set(re.findall(r"/agent/tickets/(\d+)", json.dumps(view["blocks"])))
        assert house.slack.submit(view["id"], {"reply": f"Hello, {ticket} is mended."}).ok
        house.settle()


def due(house: House, agent: str) -> tuple[str, dict[str, Any]]:
    """A message with a "Write back" button that the agent can press, and where it stands."""
    channel = house.slack.dm_channel(agent)
    for message in house.slack.dm(agent):
        if '"action_id": "write_back"' in json.dumps(message.get("blocks", [])):
            return channel, message
    assert house.slack.command(agent, "mine", "C0SUPPORT").ok
    message = house.slack.ephemerals(agent)[-1]
    return "C0SUPPORT", message if '"action_id": "write_back"' in json.dumps(message.get("blocks", [])) else {}


def test_fifty_reports_are_carried_once_each(emulated: Emulated, elsewhere: House) -> None:
    """Flagged, filed, fixed, released and written back: in the end every side holds each exactly once."""
    house, given = elsewhere, reports()
    assert len(given) == COUNT
    numbers = house.zendesk.load([json.dumps(report) for report in given])
    emulated.release("v1.0.0")
    house.poll()
    flag_all(house, numbers, [report["subject"] for report in given])
    filed = [item for item in emulated.everything("/issues?state=all") if "pull_request" not in item]
    assert len(filed) == COUNT
    for item in filed:
        mend(emulated, item["number"])
    house.poll()
    assert told(house) == Counter()
    emulated.release("v1.1.0")
    house.poll()
    assert told(house) == Counter(AGENTS)
    for agent in AGENTS:
        write_back_all(house, agent)

    assert undone(house) == []
    comments = {item["number"]: emulated.everything(f"/issues/{item['number']}/comments") for item in filed}
    check_tracker(house, emulated, comments)
    check_privacy(filed, comments, given)
    assert told(house) == Counter(AGENTS)
    for number in numbers:
        assert [reply["body"] for reply in house.zendesk.replies(number)] == [f"Hello, {number} is mended."]
        notes = [one["body"] for one in house.zendesk.ticket(number)["comments"] if not one["public"]]
        assert [f"{emulated.url}/{REPO}/issues/" in note for note in notes] == [True]


def told(house: House) -> Counter[str]:
    """How many rounds each agent got."""
    keys = [
        (agent, message["metadata"]["event_payload"]["key"]) for agent in AGENTS for message in house.slack.dm(agent)
    ]
    return Counter(agent for agent, key in keys if key.startswith("told:"))


def undone(house: House) -> list[str]:
    with house.bot.store.read() as session:
        states = (*UNDONE, EffectState.DEAD)
        return [f"{one.key}: {one.error}" for one in session.scalars(sa.select(Effect).where(Effect.state.in_(states)))]


def check_tracker(house: House, emulated: Emulated, comments: dict[int, list[dict[str, Any]]]) -> None:
    """Each issue is one of ours and has one customers' table of ours."""
    with house.bot.store.read() as session:
        ours = [f"issue:{issue}" for issue in session.scalars(sa.select(Issue.id))]
    now = [item for item in emulated.everything("/issues?state=all") if "pull_request" not in item]
    assert {item["number"] for item in now} == set(comments)
    assert sorted(mark for item in now for mark in MARK.findall(item["body"])) == sorted(ours)
    for written in comments.values():
        mine = [comment["body"] for comment in written if comment["user"]["login"] == "passerelle-bot"]
        assert [mark.partition(":")[0] for body in mine for mark in MARK.findall(body)] == ["customers"]
        assert len(mine) == 1


def check_privacy(
    filed: list[dict[str, Any]], comments: dict[int, list[dict[str, Any]]], given: list[dict[str, Any]]
) -> None:
    """The project's policy is `redacted`: no customer's address, password or card leaves the helpdesk."""
    texts = [f"{item['title']}\n{item['body']}" for item in filed]
    texts += [comment["body"] for written in comments.values() for comment in written]
    whole = "\n".join(texts).lower()
    for secret in [*(report["customer"]["email"].lower() for report in given), "hunter2secret", "4111 1111"]:
        assert secret not in whole
