"""Effects of reminding: who it is for hears it, if it still waits and they are at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from bot.bridge import remind
from bot.bridge.remind import Thing
from bot.model import WriteBack
from bot.outbox import Job
from bot.performers.base import Base
from bot.slack import shown, views
from bot.slack.views import reminders as pages
from bot.store import nudges
from bot.store.nudges import ANSWER, PROMISE, WRITE_BACK
from bot.store.tables import Issue, NewsItem, Person, WriteBackRow
from bot.texts import Say
from integrations.base import NotFound, Rejected

LONG_AGO = timedelta(days=30)
"""How long a dead letter may have waited for its retry, and what its last try posted is still found."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a reminder ended: where it stands, "" where nothing was posted; what is to be brought up anew; and whether
    the person turned out not to be reachable."""

    ts: str = ""
    again: tuple[Thing, ...] = ()
    gone: bool = False


class Reminder(Base):
    """`reminder:{what}:{subject}:{step}:{person}:{moment}`: one message about what waits for this person, or for those
    whom this lead looks after. What does not wait any more is left out; nobody hears it while they are not at work."""

    def look(self, job: Job) -> Ended | None:
        found = self.chat.find(self.chat.dm(job.payload["person"]), job.key, job.since - LONG_AGO)
        return Ended(found) if found else None

    def perform(self, job: Job) -> Ended:
        person, steps = job.payload["person"], [(row[0], remind.unpacked(row[1:])) for row in job.payload["things"]]
        things, now = [thing for _, thing in steps], self.bridge.clock.now()
        known = self.people.look_up(person)
        if not known.member:
            return Ended(again=tuple(things), gone=True)
        if not remind.hours(self.bridge, known).at(now):
            return Ended(again=tuple(things))
        for name in {thing.person for thing in things}:
            self.people.meet(name)
        with self.bridge.store.read() as session:
            later = nudges.snoozed(session, now)
            put_off = tuple(thing for thing in things if (person, thing.issue) in later)
            left = [one for one in steps if one[1] not in put_off and self._stands(session, person, *one)]
            post = self._post(session, person, left) if left else None
        if post is None:
            return Ended(again=put_off)
        try:
            channel = self.chat.dm(person)
        except (NotFound, Rejected):  # they left since Slack was asked
            return Ended(again=tuple(things), gone=True)
        self.in_time(job)
        return Ended(self.chat.post(channel, post, job.key), put_off)

    def settle(self, session: Session, job: Job, result: Ended) -> None:
        person = job.payload["person"]
        if result.gone and (known := session.get(Person, person)) is not None:
            known.member = False
        for thing in result.again:
            nudges.once_more(session, thing.issue, person, [(thing.what, thing.subject)])

    def _stands(self, session: Session, person: str, step: str, thing: Thing) -> bool:
        return remind.holds(session, thing) and not remind.overtaken(session, thing, step, person)

    # --- what it says -------------------------------------------------------------------------------------------------

    def _post(self, session: Session, person: str, steps: Sequence[tuple[str, Thing]]) -> views.Post:
        say, things = self.people.say(session, person), [thing for _, thing in steps]
        if any(thing.person != person or not nudges.times(step) for step, thing in steps):
            return self._for_lead(session, say, things)
        if len({(thing.what, thing.issue) for thing in things}) > 1:
            return pages.several(say, _worst_first([self._waits(session, [thing]) for thing in things], session))
        data = self._waits(session, things)
        match data.what:
            case nudges.TRIAGE:
                return pages.untaken(say, data)
            case nudges.ANSWER:
                return pages.unanswered(say, data)
            case nudges.PROMISE:
                return pages.overdue(say, data)
            case _:
                return pages.unwritten(say, data, self._round(session, things))

    def _for_lead(self, session: Session, say: Say, things: Sequence[Thing]) -> views.Post:
        groups: dict[tuple[str, str], list[Thing]] = {}
        for thing in things:
            groups.setdefault((thing.what, thing.issue), []).append(thing)
        items = [self._waits(session, group) for group in groups.values()]
        if len(items) == 1 and items[0].what == WRITE_BACK:
            return pages.unwritten_by(say, items[0], self._round(session, things))
        return pages.late(say, _worst_first(items, session))

    def _waits(self, session: Session, things: Sequence[Thing]) -> pages.Waits:
        """Things of one sort on one issue."""
        first, issue, now = things[0], session.get_one(Issue, things[0].issue), self.bridge.clock.now()
        asked = session.get_one(NewsItem, first.subject) if first.what == ANSWER else None
        row = session.get_one(WriteBackRow, first.subject) if first.what == WRITE_BACK else None
        unclear = [thing for thing in things if row and _unclear(session, thing)]
        since = min(thing.since for thing in [one for one in things if one not in unclear] or things)
        people = list(dict.fromkeys(thing.person for thing in things))
        if asked is not None:
            people = [one.agent for one in issue.escalations]
        return pages.Waits(
            what=first.what,
            subject=first.subject,
            issue_id=issue.id,
            issue=shown.issue_name(issue),
            age=now - since,
            waiting=len(things) - len(unclear) if row else len(shown.waiting(issue)),
            unclear=len(unclear),
            unclear_for=now - min((one.since for one in unclear), default=now),
            by=self._called(session, issue, asked.by) if asked else "",
            text=asked.text if asked else "",
            day=since.date() if first.what == PROMISE else None,
            customer=shown.ticket_facts(row.escalation.ticket, since).customer if row else "",
            who=tuple(dict.fromkeys(self.people.name(session, one) for one in people)),
            told=self._told(session, first),
        )

    def _called(self, session: Session, issue: Issue, by: str) -> str:
        return self.people.name(session, self.bridge.called(issue, by))

    def _told(self, session: Session, thing: Thing) -> str:
        known = session.get(Person, thing.person)
        if known is not None and not known.member:
            return "gone"
        taken = nudges.steps(session, [thing.issue])
        heard = any(nudges.times(one.step) and (one.what, one.subject, one.since) == thing.key for one in taken)
        return "reminded" if heard else "snoozed"

    def _round(self, session: Session, things: Sequence[Thing]) -> views.Round:
        """The write-backs with the news that they carry."""
        now, found = self.bridge.clock.now(), dict[str, tuple[NewsItem, list[views.Row]]]()
        for thing in things:
            row = session.get_one(WriteBackRow, thing.subject)
            _, rows = found.setdefault(row.news_id, (row.news, []))
            rows.append(shown.row(row, now))

        def name(person: str) -> str:
            return self.people.name(session, person)

        return views.Round(
            issues=tuple(
                views.RoundIssue(news=shown.news_line(news, name), rows=tuple(rows)) for news, rows in found.values()
            )
        )


def _unclear(session: Session, thing: Thing) -> bool:
    return session.get_one(WriteBackRow, thing.subject).state is WriteBack.UNCERTAIN


def _worst_first(items: Sequence[pages.Waits], session: Session) -> list[pages.Waits]:
    """The order in which they are listed: the issues that are worst, then those that wait longest."""
    order = ("critical", "high", "normal", "low")

    def rank(data: pages.Waits) -> tuple[int, timedelta]:
        return order.index(session.get_one(Issue, data.issue_id).severity.value), -max(data.age, data.unclear_for)

    return sorted(items, key=rank)
