"""Effects in Slack: the card, the notices, the rounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.model import WAITING
from bot.outbox import Job
from bot.performers import confirming, duty, handing
from bot.performers.base import Base
from bot.reasons import clause
from bot.slack import shown, views
from bot.store import links, queries
from bot.store.tables import Escalation, Issue, Round, WriteBackRow
from bot.texts import Say
from integrations.base import NotFound, Unauthorised


class Card(Base):
    """`card:{issue}`: the one card that stands for the issue, edited in place."""

    def look(self, job: Job) -> str | None:
        issue, post = self._read(job)
        if issue.card_ts:
            return None
        found = self.chat.find(issue.channel, job.key, issue.created_at)
        if found is not None:
            self.chat.update(issue.channel, found, post, job.key)
        return found

    def perform(self, job: Job) -> str:
        with self.bridge.store.read() as session:
            dev = session.get_one(Issue, job.payload["issue"]).support_dev
        self.people.meet(dev)
        issue, post = self._read(job)
        if issue.card_ts:
            try:
                self.chat.update(issue.channel, issue.card_ts, post, job.key)
            except NotFound:  # somebody deleted our card
                return self.chat.post(issue.channel, post, job.key)
            return issue.card_ts
        return self.chat.post(issue.channel, post, job.key)

    def _read(self, job: Job) -> tuple[Issue, views.Post]:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
            project = self.bridge.project(issue.project)

            def name(person: str) -> str:
                return self.people.name(session, person)

            several = len(self.bridge.settings.projects) > 1
            data = shown.card(issue, project, name, self.bridge.clock.now(), elsewhere=several)
            data = replace(data, reminds=self.bridge.settings.reminders is not None)
        return issue, views.card(Say(self.bridge.settings.slack.language), data)

    def settle(self, session: Session, job: Job, result: str) -> None:
        session.get_one(Issue, job.payload["issue"]).card_ts = result


LONG_AGO = timedelta(days=30)
"""How long a dead letter may have waited for its retry, and what its last try posted is still found."""

UNTOLD = ("", "")
"""Where a round stands whose news no longer held when it was to be told."""


class Told(Base):
    """`told:{round}:{agent}`: one message for everything that one cause makes due for one agent."""

    def look(self, job: Job) -> tuple[str, str] | None:
        item, _ = self._read(job)
        channel = self.chat.dm(item.agent)
        found = self.chat.find(channel, job.key, item.created_at)
        return (channel, found) if found else None

    def perform(self, job: Job) -> tuple[str, str]:
        with self.bridge.store.write() as session:
            sealed = session.get_one(Round, job.payload["round"], with_for_update=True)
            sealed.sealed_at = sealed.sealed_at or self.bridge.clock.now()
            if not any(hearing.news.stands for hearing in sealed.hearings):
                return UNTOLD  # taken back before anybody heard it
            vouching = {str(hearing.news.proof.get("by") or "") for hearing in sealed.hearings} - {""}
        for person in (sealed.agent, *vouching):
            self.people.meet(person)
        item, post = self._read(job)
        channel = self.chat.dm(item.agent)
        self.in_time(job)
        return channel, self.chat.post(channel, post, job.key)

    def _read(self, job: Job) -> tuple[Round, views.Post]:
        return _round(self, job.payload["round"])

    def settle(self, session: Session, job: Job, result: tuple[str, str]) -> None:
        item = session.get_one(Round, job.payload["round"])
        item.channel, item.ts = result
        if result == UNTOLD:
            return
        for escalation in {hearing.escalation for hearing in item.hearings}:
            self.bridge.record(session, "told", escalation=escalation, by=item.agent)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        if isinstance(error, Unauthorised):  # nobody could be reached; while it is owed, it is tried again
            return
        item = session.get_one(Round, job.payload["round"])
        for lead in self.bridge.settings.slack.leads:
            self.bridge.notify(session, "untold", f"untold:{item.id}:{lead}", lead, round=item.id)


class RefreshRound(Base):
    """`round:{id}`: the message shows how far each write-back is."""

    def perform(self, job: Job) -> bool:
        item, post = _round(self, job.payload["round"])
        if item.ts:
            self.chat.update(item.channel, item.ts, post, f"told:{item.id}:{item.agent}")
        return True


def _round(self: Base, round_id: str) -> tuple[Round, views.Post]:
    with self.bridge.store.read() as session:
        item = session.get_one(Round, round_id)

        def name(person: str) -> str:
            return self.people.name(session, person)

        data = shown.round_(item, name, self.bridge.clock.now())
        return item, views.round_(self.people.say(session, item.agent), data)


class Notice(Base):
    """One direct message about one thing, by template."""

    def look(self, job: Job) -> str | None:
        channel = self.chat.dm(job.payload["person"])
        return self.chat.find(channel, job.key, job.since - LONG_AGO)

    def perform(self, job: Job) -> str:
        person = job.payload["person"]
        self.people.meet(person)
        with self.bridge.store.read() as session:
            say = self.people.say(session, person)
            post = TEMPLATES[job.payload["template"]](self, session, say, job.payload)
        if post is None:
            return ""
        channel = self.chat.dm(person)
        self.in_time(job)
        return self.chat.post(channel, post, job.key)


Template = Callable[[Notice, Session, Say, Mapping[str, Any]], views.Post | None]


def _filed(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    escalation = session.get_one(Escalation, payload["escalation"])
    first = links.first_on(session, escalation.issue_id) == escalation.id
    ticket, issue = shown.ticket_name(escalation.ticket), shown.issue_name(escalation.issue)
    if first and not queries.adopted(session, escalation.issue_id):
        return views.filed(say, ticket, issue)
    return views.attached(say, ticket, issue, settled=escalation.issue.stage not in WAITING)


def _joined(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    escalation = session.get_one(Escalation, payload["escalation"])
    ticket, issue = shown.ticket_name(escalation.ticket), shown.issue_name(escalation.issue)
    if escalation.agent == payload["person"]:
        return views.yours_already(say, ticket, issue)
    return views.followed(say, ticket, issue, self.people.name(session, escalation.agent))


def _follower(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    escalation = session.get_one(Escalation, payload["escalation"])
    ticket, issue = shown.ticket_name(escalation.ticket), shown.issue_name(escalation.issue)
    return views.joined(say, ticket, issue, self.people.name(session, payload["by"]), same_ticket=True)


def _unfiled(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    issue = session.get_one(Issue, payload["issue"])
    ticket = shown.ticket_name(links.speaker(session, issue).ticket)
    next_step = say("Nothing is lost, and nothing is asked of you: I keep trying and tell you when it is filed.")
    if payload["state"] == "dead":
        next_step = say(
            "Nothing is lost. Whoever operates Passerelle can mend the cause and run `passerelle outbox retry {id}`.",
            id=payload["effect"],
        )
    return views.filing_failed(say, ticket, issue.title, payload.get("why") or issue.trouble, next_step)


def _unnoted(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    escalation = session.get_one(Escalation, payload["escalation"])
    ticket, issue = shown.ticket_name(escalation.ticket), shown.issue_name(escalation.issue)
    return views.note_failed(say, ticket, issue, clause(say, payload["why"]))


def _reason_wanted(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    issue = session.get_one(Issue, payload["issue"])
    return views.reason_wanted(say, issue.id, shown.issue_name(issue), len(shown.waiting(issue)))


def _fix_wanted(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    issue = session.get_one(Issue, payload["issue"])
    return views.fix_wanted(say, issue.id, shown.issue_name(issue), len(shown.waiting(issue)))


def _uncertain(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    row = session.get_one(WriteBackRow, payload["write_back"])
    return views.uncertain(say, shown.row(row, self.bridge.clock.now()), shown.issue_name(row.escalation.issue))


def _refused(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    row = session.get_one(WriteBackRow, payload["write_back"])
    return views.refused(say, shown.row(row, self.bridge.clock.now()), clause(say, payload["why"]), row.text)


def _delayed(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    row = session.get_one(WriteBackRow, payload["write_back"])
    return views.delayed(say, shown.row(row, self.bridge.clock.now()), clause(say, payload["why"]))


def _bared(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    issues = [session.get_one(Issue, id) for id in payload["issues"]]
    return views.bared(say, issues[0].repository, [shown.issue_name(issue) for issue in issues])


def _finding(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    return views.finding(say, payload["project"], payload["where"], payload["problem"], payload["mend"])


def _untold(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    item = session.get_one(Round, payload["round"])
    name = self.people.name(session, item.agent)
    sentence = say.many(
        "I cannot reach {name} in Slack, and {n} customer waits for news. Somebody else has to write back.",
        "I cannot reach {name} in Slack, and {n} customers wait for news. Somebody else has to write back.",
        len(item.hearings),
        name=name,
    )
    post = views.round_(
        say, shown.round_(item, lambda person: self.people.name(session, person), self.bridge.clock.now())
    )
    return views.Post(
        sentence, [{"type": "section", "text": {"type": "plain_text", "text": sentence}}, *post.blocks[:45]]
    )


def _moved(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    tickets = [session.get_one(Escalation, id).ticket for id in payload["escalations"]]
    issue = session.get_one(Issue, payload["issue"])
    names = [shown.ticket_name(ticket) for ticket in tickets]
    return views.moved(say, names, shown.issue_name(issue), duplicate=payload["duplicate"])


def _gone(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    issue = session.get_one(Issue, payload["issue"])
    return views.gone(say, issue.id, shown.issue_name(issue), len(shown.waiting(issue)))


def _unnamed(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    issue = session.get_one(Issue, payload["issue"])
    names = {name: clause(say, value) for name, value in (payload.get("names") or {}).items()}
    problem = say.repeat(payload["problem"], names)
    return views.unnamed(say, issue.id, shown.issue_name(issue), problem)


def _handed(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    issue = session.get_one(Issue, payload["issue"])
    return views.handed(say, shown.issue_name(issue), self.people.name(session, payload["by"]))


def _promised(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    issue, by = session.get_one(Issue, payload["issue"]), self.people.name(session, payload["by"])
    day = date.fromisoformat(payload["on"]) if payload["on"] else None
    return views.promised(say, shown.issue_name(issue), by, day)


def _unlinked(self: Notice, session: Session, say: Say, payload: Mapping[str, Any]) -> views.Post:
    escalation = session.get_one(Escalation, payload["escalation"])
    ticket, issue = shown.ticket_name(escalation.ticket), shown.issue_name(escalation.issue)
    return views.taken_off(say, ticket, issue, self.people.name(session, payload["by"]), payload["excused"])


TEMPLATES: Mapping[str, Template] = {
    "unlinked": _unlinked,
    "handed": _handed,
    "promised": _promised,
    "moved": _moved,
    "gone": _gone,
    "unnamed": _unnamed,
    "filed": _filed,
    "joined": _joined,
    "follower": _follower,
    "unfiled": _unfiled,
    "unnoted": _unnoted,
    "reason_wanted": _reason_wanted,
    "fix_wanted": _fix_wanted,
    "uncertain": _uncertain,
    "refused": _refused,
    "delayed": _delayed,
    "bared": _bared,
    "finding": _finding,
    "heard": confirming.heard,
    "handed_over": handing.handed_over,
    "unoffered": handing.unoffered,
    "note_wanted": confirming.note_wanted,
    "broken": confirming.broken,
    "changed": confirming.changed,
    "unopened": confirming.unopened,
    "on_duty": duty.on_duty,
    "arranged": duty.arranged,
    "untold": _untold,
}
