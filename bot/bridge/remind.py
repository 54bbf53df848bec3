"""Reminders: what waits longer than the configuration says is brought up with whoever can act, later with the leads.

A *thing* waits for one person: an issue that nobody took, a question, a day that was named, a write-back. It has two
steps, each taken once: its person hears of it, and after that the leads. Of a write-back its agent hears again and
again, ever more rarely, each time in a step of its own. Nobody hears anything outside of their hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property

from sqlalchemy.orm import Session

from bot.bridge import duty
from bot.bridge.core import Bridge, issue_of
from bot.configuration import Reminders
from bot.hours import Hours, Span
from bot.model import WAITING, Stage
from bot.store import nudges
from bot.store.nudges import ANSWER, LEADS, OVER, OWN, PROMISE, TRIAGE, WRITE_BACK
from bot.store.queries import SETTLED
from bot.store.tables import Issue, NewsItem, Person, WriteBackRow
from bot.store.talk import Nudge
from bot.texts import zone

GATHERED = 4
"""Of so many issues at most, somebody hears one by one; of more at the same moment, in one message."""

LOOK_AGAIN = 20
"""After so many working days at most, a write-back is looked at again: the configuration may have changed."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Thing:
    """What waits for `person` since `since`, and may be brought up from `due` on. `subject`: the id of the issue, the
    news or the write-back. `times`: how many times the time that they have is over: 1, 2, 4, 8…"""

    what: str
    subject: str
    since: datetime
    issue: str
    person: str
    due: datetime
    times: int = 1

    @property
    def key(self) -> tuple[str, str, datetime]:
        return self.what, self.subject, self.since

    def packed(self) -> list[str]:
        """As it stands in an effect."""
        return [self.what, self.subject, self.since.isoformat(), self.issue, self.person]


def unpacked(row: Sequence[str]) -> Thing:
    what, subject, since, issue, person = row
    at = datetime.fromisoformat(since)
    return Thing(what, subject, at, issue, person, at)


def keep(bridge: Bridge, session: Session) -> int:
    """Promise every step that is to be taken now, each once; returns how many messages that makes."""
    look, count = Look(bridge, session), 0
    for person, steps in look.due().items():
        look.take(person, steps)
        for part in _messages(person, steps):
            _promise(bridge, session, person, part)
            count += 1
    look.finish()
    return count


def waits(bridge: Bridge, session: Session) -> bool:
    """Whether there is a step to be taken now. Only reads."""
    return any(Look(bridge, session).due().values())


def snooze(bridge: Bridge, issue_id: str, by: str) -> datetime:
    """Somebody wants to hear of an issue when their next working day begins, not before. Raises UserError."""
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        until = hours(bridge, session.get(Person, by)).tomorrow(bridge.clock.now())
        nudges.snooze(session, by, issue.id, until)
    return until


def hours(bridge: Bridge, person: Person | None) -> Hours:
    """When somebody reads reminders: the configured hours by their own clocks, as far as Slack told them."""
    rules = (bridge.settings.reminders or Reminders()).hours()
    there = zone(person.tz) if person and person.tz else rules.zone
    return Hours(rules.start, rules.end, rules.days, there, rules.holidays)


def holds(session: Session, thing: Thing) -> bool:
    """Whether it still waits for that person."""
    issue = session.get(Issue, thing.issue)
    if issue is None or issue.joined is not None:
        return False
    match thing.what:
        case nudges.TRIAGE:
            return issue.stage is Stage.FILED and issue.stage_since == thing.since
        case nudges.PROMISE:
            return issue.stage not in SETTLED and issue.promised_on == thing.since.date()
        case nudges.ANSWER:
            asked = session.get(NewsItem, thing.subject)
            on_it = any(one.agent == thing.person for one in issue.escalations)
            return asked is not None and asked.stands and issue.stage in WAITING and on_it
        case _:
            row = session.get(WriteBackRow, thing.subject)
            if row is None or row.escalation.taken_off is not None or row.state not in nudges.OPEN:
                return False
            return row.agent == thing.person and (row.again_at or row.due_at) == thing.since


# --- one look ---------------------------------------------------------------------------------------------------------

_Step = tuple[Thing, str]


class Look:
    """Who is to hear what at this moment."""

    def __init__(self, bridge: Bridge, session: Session) -> None:
        self._bridge, self._session, self._now = bridge, session, bridge.clock.now()
        self._rules = bridge.settings.reminders or Reminders()
        self._hours = self._rules.hours()
        self._things = list(self._found())
        self._snoozed = nudges.snoozed(session, self._now) if self._things else set()
        devs = (dev.slack for project in bridge.settings.projects for dev in project.support_devs)
        wanted = {*bridge.settings.slack.leads, *devs, *(thing.person for thing in self._things)}
        self._known = nudges.people(session, wanted) if self._things else {}

    def due(self) -> dict[str, list[_Step]]:
        """By person, the steps to be taken now."""
        found: dict[str, list[_Step]] = {}
        for thing in self._things:
            for person in self._own(thing):
                step = self._step(thing, person)
                if self._wants(thing, step, person) and self._hears(person, thing):
                    found.setdefault(person, []).append((thing, step))
            for lead in self._later(thing):
                if self._wants(thing, LEADS, lead) and self._late(thing, lead) and self._hears(lead, thing):
                    found.setdefault(lead, []).append((thing, LEADS))
        return {person: _distinct(steps) for person, steps in found.items()}

    def take(self, person: str, steps: Sequence[_Step]) -> None:
        """This person hears that now, and not again."""
        new, again = [], []
        for thing, step in steps:
            known = [one for one in self._steps.get(thing.key, ()) if (one.step, one.person) == (step, person)]
            again += known
            if not known:
                new.append(self._nudge(thing, step, person))
        nudges.take(self._session, new, again)
        for one in new:
            self._steps.setdefault((one.what, one.subject, one.since), []).append(one)

    def finish(self) -> None:
        """Remember of what nothing more is to be heard, or until when, so that it costs nothing any more."""
        groups: dict[tuple[str, str, datetime], list[Thing]] = {}
        for thing in self._things:
            groups.setdefault(thing.key, []).append(thing)
        known = {key: one for key, steps in self._steps.items() for one in steps if one.step == OVER}
        new = []
        for key, group in groups.items():
            if any(map(self._open, group)):
                continue
            over = known.get(key) or self._nudge(group[0], OVER, "")
            over.at = self._next(group[0])
            new += [over] if key not in known else []
        nudges.take(self._session, new, [])

    def _nudge(self, thing: Thing, step: str, person: str) -> Nudge:
        what, subject, since = thing.key
        return Nudge(
            what=what,
            subject=subject,
            since=since,
            step=step,
            person=person,
            issue_id=thing.issue,
            at=self._now,
            again=False,
        )

    def _open(self, thing: Thing) -> bool:
        own = [self._wants(thing, self._step(thing, person), person) for person in self._own(thing)]
        return not own or any(own) or any(self._wants(thing, LEADS, lead) for lead in self._later(thing))

    # Who

    def _reachable(self, person: str) -> bool:
        known = self._known.get(person)
        return known is None or known.member

    @cached_property
    def _leads(self) -> list[str]:
        told = self._bridge.settings.slack.leads if self._bridge.settings.reminders else ()
        return [lead for lead in told if self._reachable(lead)]

    def _own(self, thing: Thing) -> list[str]:
        """Who hears it first: in place of somebody who cannot be reached, the leads; without any, of what a Support Dev
        has, the others."""
        if self._reachable(thing.person):
            return [thing.person]
        if self._leads or thing.what not in (TRIAGE, PROMISE):
            return self._leads
        project = self._bridge.project(self._session.get_one(Issue, thing.issue).project)
        return [dev.slack for dev in project.support_devs if self._reachable(dev.slack)]

    def _step(self, thing: Thing, person: str) -> str:
        """The step in which they hear it: whom it waits for, the latest alone."""
        return nudges.own(thing.times if person == thing.person else 1)

    def _later(self, thing: Thing) -> list[str]:
        """The leads who do not hear it anyway."""
        return [lead for lead in self._leads if lead not in self._own(thing)]

    def _hears(self, person: str, thing: Thing) -> bool:
        at_work = hours(self._bridge, self._known.get(person)).at(self._now)
        return at_work and (person, thing.issue) not in self._snoozed

    # When

    @cached_property
    def _steps(self) -> dict[tuple[str, str, datetime], list[Nudge]]:
        found: dict[tuple[str, str, datetime], list[Nudge]] = {}
        for step in nudges.steps(self._session, {thing.issue for thing in self._things}):
            found.setdefault((step.what, step.subject, step.since), []).append(step)
        return found

    @cached_property
    def _told_leads(self) -> dict[tuple[str, str, str], datetime]:
        """When a lead heard last of an issue and what waits there."""
        found: dict[tuple[str, str, str], datetime] = {}
        for step in (step for steps in self._steps.values() for step in steps if step.step == LEADS and not step.again):
            key = step.issue_id, step.what, step.person
            found[key] = max(step.at, found.get(key, step.at))
        return found

    def _wants(self, thing: Thing, step: str, person: str) -> bool:
        """Whether the step is still to be taken. Who has an issue changes; its steps do not begin anew with that."""
        alone = step == OWN and thing.what in (TRIAGE, PROMISE) and self._reachable(thing.person)
        taken = [one for one in self._steps.get(thing.key, ()) if _covers(one.step, step)]
        return all(one.again for one in taken if alone or one.person == person)

    def _late(self, thing: Thing, lead: str) -> bool:
        """Whether the leads are to hear it: so much later than its person, whom a snooze holds back alone."""
        heard = [one.at for one in self._steps.get(thing.key, ()) if nudges.times(one.step)]
        if not heard and (thing.person, thing.issue) not in self._snoozed:
            return False
        first = min(heard, default=thing.due)
        before = self._told_leads.get((thing.issue, thing.what, lead), first)
        return self._hours.after(max(first, before), self._rules.lead_after) <= self._now

    # What

    def _found(self) -> Iterator[Thing]:
        projects = {project.key: project for project in self._bridge.settings.projects}
        rules, session = self._bridge.settings.reminders, self._session
        yield from self._overdue(list(projects))
        if rules is None:
            return
        if rules.triage_after is not None:
            filed = nudges.untaken(session, projects, self._before(rules.triage_after))
            handed = nudges.handed(session, [row[0] for row in filed])
            for issue, key, dev, since in filed:
                if (due := self._hours.after(since, rules.triage_after)) <= self._now:
                    yield Thing(TRIAGE, issue, since, issue, self._has(key, dev, (issue, dev) in handed), due)
        if rules.answer_after is not None:
            asked = nudges.unanswered(session, projects, self._before(rules.answer_after))
            for news, issue, since, agent, joined in asked:
                if (due := self._hours.after(max(since, joined), rules.answer_after)) <= self._now:
                    yield Thing(ANSWER, news, since, issue, agent, due)
        if rules.write_back_after is not None:
            # A question is brought up as such: whoever can answer it need not ask the customer.
            before, questions = self._before(rules.write_back_after), rules.answer_after is None
            for row, since, agent, issue in nudges.owed(session, before, self._now, questions=questions):
                if (due := self._hours.after(since, rules.write_back_after)) <= self._now:
                    times = self._times(since, rules.write_back_after)
                    yield Thing(WRITE_BACK, row, since, issue, agent, due, times)

    def _overdue(self, projects: list[str]) -> Iterator[Thing]:
        """The days that were named and are over where whoever named them is."""
        found = nudges.overdue(self._session, projects, (self._now + _DAY).date())
        people = nudges.people(self._session, {row[3] or row[2] for row in found}) if found else {}
        for issue, key, dev, by, day in found:
            devs = [one.slack for one in self._bridge.project(key).support_devs]
            person = by if by in {*devs, *self._bridge.settings.slack.leads} else dev or devs[0]
            if day is not None:
                there = hours(self._bridge, people.get(person)).zone
                due = datetime.combine(day + _DAY, time(), there).astimezone(UTC)
                if due <= self._now:
                    yield Thing(PROMISE, issue, datetime.combine(day, time(), UTC), issue, person, due)

    def _before(self, span: Span) -> datetime:
        """No working time is longer than the time it takes on the clock."""
        return self._now - self._long(span)

    def _long(self, span: Span) -> timedelta:
        """So much working time, all in hours."""
        rules = self._hours
        day = (rules.end.hour - rules.start.hour) * 3600 + (rules.end.minute - rules.start.minute) * 60
        return timedelta(seconds=span.days * day + span.seconds)

    def _times(self, since: datetime, span: Span) -> int:
        """How many times that span is over since then, as a power of two."""
        whole = max(1, self._hours.between(since, self._now) // self._long(span))
        return 1 << whole.bit_length() - 1

    def _next(self, thing: Thing) -> datetime:
        """From when on there may be something more to be heard of it, where there is nothing now."""
        span = self._rules.write_back_after
        if thing.what != WRITE_BACK or span is None:
            return self._now
        left = 2 * thing.times * self._long(span) - self._hours.between(thing.since, self._now)
        most = self._long(Span(days=LOOK_AGAIN))
        return self._hours.after(self._now, Span(seconds=min(left, most).total_seconds()))

    def _has(self, key: str, dev: str, by_name: bool) -> str:
        """Who takes a new issue: whoever has it by name, else whoever is on duty now."""
        project = self._bridge.project(key)
        on_duty = self._on_duty.get(key) or duty.on_duty(self._bridge, self._session, project)
        self._on_duty[key] = on_duty
        theirs = dev in [one.slack for one in project.support_devs] and (by_name or not project.takes_turns)
        return dev if theirs else on_duty

    @cached_property
    def _on_duty(self) -> dict[str, str]:
        return {}


def _covers(taken: str, step: str) -> bool:
    """Whether who was told in the one step needs not hear the other."""
    return taken == step or nudges.times(taken) >= nudges.times(step) > 0


def _distinct(steps: list[_Step]) -> list[_Step]:
    """Of a question that several agents were asked, a lead hears once."""
    return list({(thing.key, step): (thing, step) for thing, step in reversed(steps)}.values())[::-1]


# --- promising --------------------------------------------------------------------------------------------------------


def _messages(person: str, steps: Sequence[_Step]) -> list[list[_Step]]:
    """What one person hears now, message by message: what they can act on by issue, unless that are many; what others
    were reminded of together."""
    own: dict[tuple[str, str], list[_Step]] = {}
    others = [one for one in steps if one[0].person != person or not nudges.times(one[1])]
    for thing, step in steps:
        if thing.person == person and nudges.times(step):
            own.setdefault((thing.what, thing.issue), []).append((thing, step))
    mine = list(own.values())
    if len(mine) > GATHERED:
        mine = [[one for part in mine for one in part]]
    return [part for part in (*mine, others) if part]


def _promise(bridge: Bridge, session: Session, person: str, steps: Sequence[_Step]) -> None:
    thing, step = steps[0]
    key = f"reminder:{thing.what}:{thing.subject}:{step}:{person}:{int(bridge.clock.now().timestamp())}"
    things = [[step, *thing.packed()] for thing, step in steps]
    bridge.promise(session, "reminder", key, f"dm:{person}", lane=f"slack:{person}", person=person, things=things)
