"""What Support Devs decide in Slack: buttons and their modals."""

from __future__ import annotations

from functools import partial

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.bridge import rights, talk, triage
from bot.slack import form
from bot.slack.edges import Body, Edges


class Triaging:
    """What Support Devs do about issues."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._edges = edges
        self._bridge = edges.bridge
        app.action("acknowledge")(self._acknowledge)
        app.action("decline")(self._decline_opened)
        app.view("decline")(self._decline_submitted)
        app.action("mark_fixed")(self._mark_fixed_opened)
        app.view("mark_fixed")(self._mark_fixed_submitted)
        app.action("ask")(self._ask_opened)
        app.view("ask")(self._ask_submitted)
        app.action("workaround")(self._workaround_opened)
        app.view("workaround")(self._workaround_submitted)
        app.action("change")(self._change_opened)
        app.view("change")(self._change_submitted)
        app.action("refile")(self._refile)
        app.action("carry")(self._carry_opened)
        app.view("carry")(self._carry_submitted)

    def _acknowledge(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body, ack, client, rights.decide, lambda issue, by, _: triage.acknowledge(self._bridge, issue, by)
        )

    def _decline_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body, ack, client, rights.decide, lambda issue, _, say: form.decline(self._bridge, say, issue)
        )

    def _decline_submitted(self, body: Body, ack: Ack) -> None:
        self._edges.submitted(body, ack, "reason", rights.decide, partial(triage.decline, self._bridge))

    def _mark_fixed_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body, ack, client, rights.decide, lambda issue, _, say: form.mark_fixed(self._bridge, say, issue)
        )

    def _mark_fixed_submitted(self, body: Body, ack: Ack) -> None:
        word = form.values(body["view"]).get("text", "")
        self._edges.submitted(
            body,
            ack,
            "reference",
            rights.decide,
            lambda issue, named, by: triage.mark_fixed(self._bridge, issue, named, word, by),
        )

    def _carry_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body, ack, client, rights.decide, lambda issue, _, say: form.carry(self._bridge, say, issue)
        )

    def _carry_submitted(self, body: Body, ack: Ack) -> None:
        self._edges.submitted(body, ack, "project", rights.decide, partial(triage.carry, self._bridge))

    def _ask_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(body, ack, client, rights.decide, lambda issue, _, say: form.ask(self._bridge, say, issue))

    def _ask_submitted(self, body: Body, ack: Ack) -> None:
        why = form.values(body["view"]).get("reason", "")
        self._edges.submitted(
            body,
            ack,
            "question",
            rights.decide,
            lambda issue, question, by: talk.ask(self._bridge, issue, question, why, by),
        )

    def _workaround_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body, ack, client, rights.decide, lambda issue, _, say: form.workaround(self._bridge, say, issue)
        )

    def _workaround_submitted(self, body: Body, ack: Ack) -> None:
        self._edges.submitted(body, ack, "text", rights.decide, partial(talk.workaround, self._bridge))

    def _change_opened(self, body: Body, ack: Ack, client: WebClient) -> None:
        people = self._edges.people
        self._edges.pressed(
            body, ack, client, rights.decide, lambda issue, _, say: form.change(self._bridge, people, say, issue)
        )

    def _change_submitted(self, body: Body, ack: Ack) -> None:
        values = form.changed(body["view"])
        wanted = triage.Change(
            support_dev=values.get("support_dev", ""),
            severity=values.get("severity", ""),
            date=values.get("date"),
            same_as=values.get("similar", ""),
        )
        self._edges.submitted(
            body, ack, "date", rights.decide, lambda issue, _, by: triage.change(self._bridge, issue, wanted, by)
        )

    def _refile(self, body: Body, ack: Ack, client: WebClient) -> None:
        self._edges.pressed(
            body, ack, client, rights.decide, lambda issue, by, _: triage.refile(self._bridge, issue, by)
        )
