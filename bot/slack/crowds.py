"""A round of many customers in Slack: the whole list, and one reply to several of them."""

from __future__ import annotations

import json

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.bridge import rights, write_back
from bot.bridge.core import Bridge
from bot.bridge.flag import FieldError
from bot.model import UserError, WriteBack
from bot.slack import form, reply_page, shown
from bot.slack.edges import Body, Edges, spoken, value
from bot.slack.views import RoundIssue, Row, View, crowd as pages, sentence
from bot.store.tables import Round, WriteBackRow
from bot.texts import Say


class Crowds:
    """What stands behind the buttons of a round that is too long for one message."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        app.action("crowd")(self._opened)
        app.action("crowd_back")(self._paged)
        app.action("crowd_further")(self._paged)
        app.action("write_many")(self._many_opened)
        app.view("write_many")(self._many_submitted)

    def _opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(body, ack, client, _own_round, lambda item, _, say: self._page(say, item, 0))

    def _paged(self, body: Body, ack: Ack, client: WebClient) -> None:
        person, (item, _, page) = body["user"]["id"], value(body).partition(":")
        say = self._edges.say(person)
        try:
            self._edges.check(_own_round, person, item)
            view = self._page(say, item, int(page) if page.isdecimal() else 0)
        except UserError as error:
            view = sentence(say, spoken(say, error))
        client.views_update(view_id=body["view"]["id"], view=view)
        ack()

    def _page(self, say: Say, round_id: str, page: int) -> View:
        with self._bridge.store.read() as session:
            return pages.crowd(say, round_id, page, self._issues(session, round_id))

    def _issues(self, session: Session, round_id: str) -> tuple[RoundIssue, ...]:
        item = session.get_one(Round, round_id)
        name = self._edges.people.name
        return shown.round_(item, lambda person: name(session, person), self._bridge.clock.now()).issues

    def _many_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(body, ack, client, _own_round, lambda item, _, say: self._many(say, item))

    def _many(self, say: Say, round_id: str) -> View:
        """The first of those who hear the same news. Raises UserError where fewer than two are left."""
        with self._bridge.store.read() as session:
            for issue in self._issues(session, round_id):
                rows: list[Row] = []
                tries: list[str] = []
                for row in issue.rows:
                    known = session.get(WriteBackRow, row.write_back_id)
                    if known is None or row.state is not WriteBack.DUE or not known.news.stands or issue.owner:
                        continue
                    if known.escalation.ticket.helpdesk in self._bridge.helpdesks:
                        rows.append(row)
                        tries.append(f"{known.id}:{known.tries}")
                if len(rows) > 1:
                    return pages.write_many(say, tries, issue.news, rows)
        raise UserError("There are no two customers left who wait for the same news. Write to them one by one.")

    def _many_submitted(self, body: Body, ack: Ack) -> None:
        person, given = body["user"]["id"], form.values(body["view"])
        wanted = [reply_page.page(one) for one in json.loads(body["view"]["private_metadata"])]
        chosen = [one for one in wanted if given.get(f"fits:{one[0]}")]
        try:
            if not chosen:
                raise UserError("Tick each customer whom your reply fits.")
            for one in chosen:
                self._edges.check(rights.answer, person, one[0])
            write_back.send_all(self._bridge, chosen, str(given.get("reply", "")), person)
        except UserError as error:
            where = f"fits:{error.field}" if isinstance(error, FieldError) else "reply"
            ack(response_action="errors", errors={where: spoken(self._edges.say(person), error)})
        else:
            ack()


def _own_round(bridge: Bridge, person: str, round_id: str) -> None:
    """Whoever got the round, and who could write back to its customers."""
    with bridge.store.read() as session:
        item = session.get(Round, round_id)
    if item is None:
        raise UserError("That message is too old. `/bug mine` shows what waits.")
    if item.agent != person:
        rights.flag(bridge, person)
