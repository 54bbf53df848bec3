"""The step that Workflow Builder offers: flag a ticket."""

from __future__ import annotations

from slack_bolt import Ack, App

from bot.bridge import steps
from bot.slack.edges import Body, Edges


class Steps:
    """What workflows do instead of people. Heard once it is promised; the step ends when the issue is there."""

    def __init__(self, app: App, edges: Edges) -> None:
        self._bridge = edges.bridge
        app.function("flag_ticket", auto_acknowledge=False)(self._flag_ticket)

    def _flag_ticket(self, event: Body, ack: Ack) -> None:
        steps.ask(self._bridge, str(event["function_execution_id"]), event.get("inputs") or {})
        ack()
