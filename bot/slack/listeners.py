"""What people do in Slack: parse, ask the bridge, answer. Everything is committed before it is acknowledged."""

from __future__ import annotations

from slack_bolt import App

from bot.bridge.core import Bridge
from bot.slack.answering import Answering
from bot.slack.confirming import Confirming
from bot.slack.crowds import Crowds
from bot.slack.edges import Edges
from bot.slack.flagging import Flagging
from bot.slack.handing import Handing
from bot.slack.home import Homes
from bot.slack.links import Links
from bot.slack.offers import Offers
from bot.slack.people import People
from bot.slack.snoozing import Snoozing
from bot.slack.steps import Steps
from bot.slack.threads import Threads
from bot.slack.triaging import Triaging
from bot.slack.whole_list import WholeList

DESKS = (
    Flagging,
    Offers,
    Steps,
    Links,
    Triaging,
    Snoozing,
    Threads,
    Answering,
    Confirming,
    Handing,
    Crowds,
    Homes,
    WholeList,
)
"""What people do in Slack, each with its listeners."""


class Listeners:
    """Registers everything on a Bolt app."""

    def __init__(self, app: App, bridge: Bridge, people: People) -> None:
        self._edges = Edges(bridge, people)
        for desk in DESKS:
            desk(app, self._edges)
        app.action("open")(lambda ack: ack())
        app.error(self._edges.error)

    def settle(self) -> None:
        """Wait until every modal that is being filled is filled."""
        self._edges.settle()

    def close(self) -> None:
        self._edges.close()
