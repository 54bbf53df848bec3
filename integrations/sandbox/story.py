"""The demo's story: its people and channels, its two projects, its tickets, put into the four stand-ins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from integrations.base import Attachment
from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.gitlab import GitLabStandIn
from integrations.sandbox.gitlab.records import DEVELOPER as DEVELOPER_ROLE
from integrations.sandbox.slack import SlackStandIn
from integrations.sandbox.wire import Now, utc_now
from integrations.sandbox.zendesk import ZendeskStandIn

REPOSITORY = "acme/shop"
PROJECT = "acme/shop-app"
ENVIRONMENT = "production"
CHANNELS = {"C0SUPPORT": "support", "C0SUPPORTDEV": "support-dev"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo's company. `role` is agent, support_dev, lead or bot; `title` is how the page says it."""

    id: str
    name: str
    role: str
    title: str
    email: str = ""
    login: str = ""
    locale: str = "en-GB"

    @property
    def short(self) -> str:
        return self.name.split()[0]

    @property
    def dm(self) -> str:
        """The id of their direct messages with the bot."""
        return f"D{self.id[1:]}"


PEOPLE = (
    Person("U0ANA", "Ana Moreau", "agent", "agent", "ana@acme.example"),
    Person("U0BEN", "Ben Okafor", "agent", "agent", "ben@acme.example"),
    Person("U0LEO", "Léo Martin", "support_dev", "Support Dev", "leo@acme.example", "leo-dev"),
    Person("U0MAYA", "Maya Lindgren", "lead", "lead", "maya@acme.example"),
)
DEVELOPER = PEOPLE[2]
GUEST = Person("U0GUEST", "Gus Guest", "guest", "guest", "gus@partner.example")
BOT = Person("U0PASS", "Passerelle", "bot", "bot")


class World:
    """Slack, GitHub, GitLab and a helpdesk with the story in them, not yet started."""

    def __init__(self, now: Now = utc_now, tickets: Path | None = None, *, limits: bool = True) -> None:
        self._now = now
        self._ago = timedelta(0)
        self.slack = SlackStandIn(
            self._then, posts_per_second=1.0 if limits else None, patience=3.0 if limits else 10.0
        )
        self.github = GitHubStandIn(self._then)
        self.github.writes_per_minute = 80 if limits else None
        self.gitlab = GitLabStandIn(self._then)
        if limits:
            self.gitlab.limit(requests=2000, issues=200, notes=60)
        self.zendesk = ZendeskStandIn(self._then)
        self._fill_chat()
        self._fill_trackers()
        self.first_ticket = self._fill_helpdesk(tickets)
        self.story = tickets is None
        self.started = now()
        self.dashboard = ""  # where the bot's own pages are, once it is there

    @property
    def version(self) -> str:
        """Another text after every change in any of the four."""
        return f"{self.slack.version}.{self.github.version}.{self.gitlab.version}.{self.zendesk.version}"

    def _then(self) -> datetime:
        return self._now() - self._ago

    @contextmanager
    def _earlier(self, **ago: float) -> Iterator[None]:
        """What happens inside happened that long ago."""
        self._ago = timedelta(**ago)
        yield
        self._ago = timedelta(0)

    # --- filling ------------------------------------------------------------------------------------------------------

    def _fill_chat(self) -> None:
        for person in (*PEOPLE, GUEST):
            guest = person is GUEST
            self.slack.add_person(person.id, person.short, person.name, person.email, person.locale, guest=guest)
        for id, name in CHANNELS.items():
            members = [person.id for person in PEOPLE]
            self.slack.add_channel(id, name, [*members, GUEST.id] if id == "C0SUPPORT" else members)
        for person in PEOPLE:
            self.slack.dm_channel(person.id)

    def _talk(self) -> None:
        """The morning's first message: a ticket's address in the chat, to flag from there."""
        text = (
            f"Morning. Two customers write about wrong VAT since Monday. <@{PEOPLE[0].id}> has 4211, "
            f"and <{self.zendesk.url}/agent/tickets/4212> is mine."
        )
        with self._earlier(minutes=35):
            self.slack.say(PEOPLE[1].id, "C0SUPPORT", text)

    def _fill_trackers(self) -> None:
        with self._earlier(days=12):
            self.github.add_repo(REPOSITORY, private=True, collaborators=[DEVELOPER.login])
            self.github.publish_release(REPOSITORY, "v2.4.0", "Autumn")
            self.gitlab.add_project(PROJECT, members={DEVELOPER.login: DEVELOPER_ROLE})
            self.gitlab.deploy(PROJECT, ENVIRONMENT, by=DEVELOPER.login)

    def _fill_helpdesk(self, tickets: Path | None) -> str:
        """Returns the first ticket's number."""
        for person in PEOPLE:
            if person.role == "agent":
                self.zendesk.add_agent(person.name, person.email)
        if tickets is not None:
            numbers = self.zendesk.load(tickets.read_text(encoding="utf-8").split("\n"))
        else:
            numbers = [self._open(ticket) for ticket in _story()]
        return numbers[0]

    def _open(self, ticket: dict[str, Any]) -> str:
        customer = ticket["customer"]
        with self._earlier(hours=ticket["hours_ago"]):
            return self.zendesk.open_ticket(
                ticket["subject"],
                ticket["body"],
                customer["name"],
                customer["email"],
                language=ticket["language"],
                organisation=customer["organisation"],
                plan=customer["plan"],
                attachments=[
                    Attachment(name, f"https://files.example.com/{name}") for name in ticket.get("attachments", [])
                ],
                tags=ticket["tags"],
            )


def _story() -> list[dict[str, Any]]:
    text = resources.files("config").joinpath("story.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]
