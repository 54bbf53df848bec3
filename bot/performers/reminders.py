"""Effects of reminding: who it is for hears it, if it still waits and they are at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
from integrations.base import NotFound, Rejected, Unauthorised, Unavailable

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
    whom this lead looks after. What does not wait any more is left out, and what a later one brings up; nobody hears it
    while they are not at work."""

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
            over = nudges.promised_after(session, person, job.id)
            left = [(step, thing) for step, thing in steps if thing not in put_off and thing.key not in over]
            left = [one for one in left if remind.holds(session, one[1])]
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

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        """What Slack was away for is brought up anew, what it refuses on the next working day."""
        person, things = job.payload["person"], [remind.unpacked(row[1:]) for row in job.payload["things"]]
        if isinstance(error, Unavailable | Unauthorised):
            self.settle(session, job, Ended(again=tuple(things)))
            return
        until = remind.hours(self.bridge, session.get(Person, person)).tomorrow(self.bridge.clock.now())
        for issue in {thing.issue for thing in things}:
            nudges.snooze(session, person, issue, until)

    # --- what it says -------------------------------------------------------------------------------------------------

    def _post(self, session: Session, person: str, steps: Sequence[tuple[str, Thing]]) -> views.Post:
        say, things = self.people.say(session, person), [thing for _, thing in steps]
        if any(thing.person != person or not nudges.times(step) for step, thing in steps):
            return self._for_lead(session, say, things)
        if len({(thing.what, thing.issue) for thing in things}) > 1:
            first = _worst_first(session, [[thing] for thing in things])
            return pages.several(say, [self._waits(session, one) for one in first], len(things))
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
        first = _worst_first(session, [*groups.values()])
        items = [self._heard(session, group, self._waits(session, group, new=True)) for group in first]
        if len(items) == 1 and items[0].what == WRITE_BACK:
            return pages.unwritten_by(say, items[0], self._round(session, things))
        return pages.late(say, items, len(groups))

    def _waits(self, session: Session, things: Sequence[Thing], *, new: bool = False) -> pages.Waits:
        """Things of one sort on one issue. `new`: of a write-back, since the news is there, whoever had it since."""
        first, issue, now = things[0], session.get_one(Issue, things[0].issue), self.bridge.clock.now()
        asked = session.get_one(NewsItem, first.subject) if first.what == ANSWER else None
        row = session.get_one(WriteBackRow, first.subject) if first.what == WRITE_BACK else None
        unclear = [thing for thing in things if row and _unclear(session, thing)]
        clear = [thing for thing in things if thing not in unclear] or things
        by = self.bridge.called(issue, asked.by) if asked else issue.promised_by or first.person
        own = first.what == PROMISE and by == first.person and not new
        since = min(_due(session, thing) if row and new else thing.since for thing in clear)
        return pages.Waits(
            what=first.what,
            subject=first.subject,
            issue_id=issue.id,
            issue=shown.issue_name(issue),
            age=now - since,
            waiting=len(things) - len(unclear) if row else len(shown.waiting(issue)),
            unclear=len(unclear),
            unclear_for=now - min((one.since for one in unclear), default=now),
            by="" if own else self.people.name(session, by),
            text=asked.text if asked else "",
            day=since.date() if first.what == PROMISE else None,
            customer=shown.ticket_facts(row.escalation.ticket, since).customer if row else "",
        )

    def _heard(self, session: Session, things: Sequence[Thing], data: pages.Waits) -> pages.Waits:
        """The same with the names of who heard of it, who hears later, and who cannot be reached."""
        found: dict[str, dict[str, None]] = {"reminded": {}, "later": {}, "gone": {}}
        taken = [one for one in nudges.steps(session, [things[0].issue]) if nudges.times(one.step)]
        for thing in things:
            known = session.get(Person, thing.person)
            heard = [one.person for one in taken if (one.what, one.subject, one.since) == thing.key]
            if known is not None and not known.member:
                found["gone"][thing.person] = None
            else:
                found["reminded" if heard else "later"] |= dict.fromkeys(heard or [thing.person])
        names = {how: tuple(self.people.name(session, one) for one in people) for how, people in found.items()}
        return replace(data, reminded=names["reminded"], later=names["later"], gone=names["gone"])

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


def _due(session: Session, thing: Thing) -> datetime:
    return session.get_one(WriteBackRow, thing.subject).due_at


def _worst_first(session: Session, groups: Sequence[Sequence[Thing]]) -> list[Sequence[Thing]]:
    """Those that are listed, in their order: the issues that are worst, then those that wait longest."""
    order = ("critical", "high", "normal", "low")

    def rank(group: Sequence[Thing]) -> tuple[int, datetime]:
        severity = session.get_one(Issue, group[0].issue).severity
        return order.index(severity.value), min(thing.since for thing in group)

    return sorted(groups, key=rank)[: pages.LISTED]
