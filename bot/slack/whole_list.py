"""The whole list behind a digest: a modal with its pages, from the store alone."""

from __future__ import annotations

import json
from datetime import timedelta

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.bridge import rights
from bot.configuration import Digest
from bot.model import UserError
from bot.slack import summary
from bot.slack.edges import Body, Edges, spoken, value
from bot.slack.summary import Edition
from bot.slack.views import View, sentence
from bot.slack.views.digest import EVERYTHING
from bot.slack.views.morning import whole
from bot.store import upkeep

TEAM_WAITS = 1.2
"""Seconds for Slack to tell who is in a digest's team; then who presses tries again, and the answer is there."""

YESTERDAY = timedelta(days=1)
"""How far back something is new where no digest told of it before."""


class WholeList:
    """What stands behind the button of a digest."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        app.action("digest_list")(self._opened)
        app.action("digest_back")(self._paged)
        app.action("digest_further")(self._paged)

    def _opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body,
            ack,
            client,
            lambda bridge, person, _: rights.see(bridge, person),
            lambda name, person, _: self._page(name, person, 0),
        )

    def _paged(self, body: Body, ack: Ack, client: WebClient) -> None:
        person, wanted = body["user"]["id"], value(body)
        try:
            self._edges.check(rights.see, person)
            view = self._page(_list(body), person, int(wanted) if wanted.isdecimal() else 0)
        except UserError as error:
            say = self._edges.say(person)
            view = sentence(say, spoken(say, error))
        client.views_update(view_id=body["view"]["id"], view=view)
        ack()

    def _page(self, name: str, person: str, page: int) -> View:
        of = edition(self._edges, digest_of(self._edges, name), person)
        with self._edges.bridge.store.read() as session:
            return whole(of.say, summary.whole(session, of, page))


def _list(body: Body) -> str:
    """The digest whose list a modal shows."""
    try:
        found = json.loads((body.get("view") or {}).get("private_metadata") or "{}")
        return str(found.get("list") or EVERYTHING)
    except (ValueError, AttributeError):
        return EVERYTHING


def digest_of(edges: Edges, name: str) -> Digest | None:
    """The digest of that name; None for everything. Raises UserError when it is configured no more."""
    if name == EVERYTHING:
        return None
    found = next((one for one in edges.bridge.settings.digests if one.name == name), None)
    if found is None:
        raise UserError("That digest is not configured any more. `/bug digest` shows what is open now.")
    return found


def edition(edges: Edges, digest: Digest | None, person: str) -> Edition:
    """The digest as it would be now, for who asks. Raises UserError."""
    bridge, people, now = edges.bridge, edges.people, edges.bridge.clock.now()
    team = None
    if digest is not None and digest.team:
        groups = digest.team
        team = edges.ask(lambda _bridge, _person: people.among(groups), person, within=TEAM_WAITS)
        if team is None:
            raise UserError("Slack did not tell me in time who is in that team. Try again in a moment.")
    with bridge.store.read() as session:
        reader = (digest.channel or person) if digest else person
        last = upkeep.slot_before(session, f"told:{digest.name}:{reader}", now) if digest else None
        say = people.say(session, person)
    return Edition(
        bridge=bridge,
        people=people,
        digest=digest,
        say=say,
        person=person,
        team=team,
        since=last or now - YESTERDAY,
        now=now,
        first=True,
    )
