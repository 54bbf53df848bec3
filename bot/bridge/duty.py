"""Who is on duty: what people arrange about it, and what follows when somebody else has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from bot.bridge.core import Bridge
from bot.configuration import Project
from bot.duty import BACK, Change, Plan, Shift, Window, hours, shifts
from bot.model import UserError
from bot.store import rota, upkeep
from bot.store.tables import Issue
from bot.store.talk import Arranged, Swap

LONGEST = timedelta(days=366)
"""For how long something can be arranged ahead."""

BURST = 600
"""Seconds in which all new issues of somebody on duty stand in one message."""


@dataclass(frozen=True, slots=True)
class Days:
    """The days that somebody named: none, the first (`open`: and those that follow in the same turn), or both."""

    first: date | None = None
    last: date | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What was arranged for one project."""

    project: Project
    first: date
    last: date
    shifts: tuple[Shift, ...] = ()
    hours: str = ""  # of a half-day for everyone that is planned now


def plan(bridge: Bridge, session: Session, project: Project) -> Plan:
    """Who is on duty for a project, as it is arranged now."""
    after = bridge.clock.now().date() - timedelta(days=BACK)
    known = rota.arranged(session, project.key, after)
    return Plan(
        project.rota(),
        tuple(
            Change(one.person, one.first, one.last, away=one.kind is Arranged.AWAY)
            for one in known
            if one.kind is not Arranged.EVERYONE
        ),
        tuple(Window(*hours(one.hours), on=one.first) for one in known if one.kind is Arranged.EVERYONE),
    )


def on_duty(bridge: Bridge, session: Session, project: Project) -> str:
    """The Slack id of whoever is on duty for a project now."""
    return plan(bridge, session, project).on_duty(bridge.clock.now())


# --- arranging --------------------------------------------------------------------------------------------------------


def take(bridge: Bridge, by: str, person: str, days: Days, key: str = "") -> list[Done]:
    """`person` takes the duty over, by default for the rest of this turn. Raises UserError."""
    projects = [project for project in _named(bridge, key) if person in project.rota().people]
    if not projects:
        raise UserError("Only a Support Dev of the project can have its duty. `/bug duty` shows who has it.")
    return _arrange(bridge, by, _entitled(bridge, by, projects), Arranged.TAKES, person, days)


def away(bridge: Bridge, by: str, days: Days, key: str = "") -> list[Done]:
    """Who asks is away; the next one has the duty. Raises UserError."""
    projects = [project for project in _named(bridge, key) if by in project.rota().people]
    if not projects:
        raise UserError("You are not one of the Support Devs here, so you are never on duty.")
    if all(len(project.rota().people) == 1 for project in projects):
        raise UserError("There is nobody else to take it. Ask whoever operates Passerelle to add a Support Dev.")
    return _arrange(bridge, by, projects, Arranged.AWAY, by, days)


def together(bridge: Bridge, by: str, day: date, start: time, end: time, key: str = "") -> list[Done]:
    """Everyone is on duty for the hours of one day. Raises UserError."""
    projects = _entitled(bridge, by, _named(bridge, key))
    span = f"{start:%H:%M}-{end:%H:%M}"
    return _arrange(bridge, by, projects, Arranged.EVERYONE, "", Days(day, day), span)


def undo(bridge: Bridge, by: str) -> list[Done]:
    """What this person arranged last counts no more. Raises UserError."""
    with bridge.store.write() as session:
        rows = rota.latest(session, by, bridge.clock.now().date() - timedelta(days=1))
        projects = {project.key: project for project in bridge.settings.projects}
        if not rows:
            raise UserError("You have arranged nothing that is still to come.")
        before = {row.project: plan(bridge, session, projects[row.project]) for row in rows if row.project in projects}
        for row in rows:
            session.delete(row)
        session.flush()
        done = [
            _done(bridge, session, projects[row.project], before[row.project], row.first, row.last)
            for row in rows
            if row.project in projects
        ]
        _follow(bridge, session, by, done, f"undone:{rows[0].at:%Y%m%d%H%M%S%f}")
    return done


def _arrange(
    bridge: Bridge, by: str, projects: Sequence[Project], kind: Arranged, person: str, days: Days, span: str = ""
) -> list[Done]:
    done = []
    with bridge.store.write() as session:
        at = rota.moment(session, bridge.clock.now())
        for project in projects:
            before = plan(bridge, session, project)
            first, last = _span(bridge, before, days)
            session.add(
                Swap(project=project.key, kind=kind, person=person, first=first, last=last, hours=span, by=by, at=at)
            )
            session.flush()
            done.append(replace(_done(bridge, session, project, before, first, last), hours=span))
        _follow(bridge, session, by, done, f"{at:%Y%m%d%H%M%S%f}")
    return done


def _done(bridge: Bridge, session: Session, project: Project, before: Plan, first: date, last: date) -> Done:
    from_now = max(first, before.day(bridge.clock.now()))
    found = shifts(before, plan(bridge, session, project), from_now, last) if from_now <= last else []
    return Done(project, first, last, tuple(found))


def _span(bridge: Bridge, known: Plan, days: Days) -> tuple[date, date]:
    today = known.day(bridge.clock.now())
    first = days.first or today
    last = days.last or (known.rota.span(first)[1] if days.open or days.first is None else first)
    if last < first:
        raise UserError("That ends before it begins.")
    if last < today:
        raise UserError("That is over already.")
    if last - first > LONGEST:
        raise UserError("That is more than a year. Name the last day, too.")
    return first, last


def _named(bridge: Bridge, key: str) -> list[Project]:
    found = [project for project in bridge.settings.projects if not key or project.key == key.casefold()]
    if not found:
        keys = ", ".join(project.key for project in bridge.settings.projects)
        raise UserError("There is no project {key}. These are there: {keys}.", key=key, keys=keys)
    return found


def _entitled(bridge: Bridge, by: str, projects: Sequence[Project]) -> list[Project]:
    lead = by in bridge.settings.slack.leads
    found = [project for project in projects if lead or by in project.rota().people]
    if not found:
        raise UserError("Only Support Devs and leads plan who is on duty. Ask one of them.")
    return found


def _follow(bridge: Bridge, session: Session, by: str, done: Sequence[Done], cause: str) -> None:
    """Those whose days change hear so, but for who arranged it; and what changes at once is done."""
    keep(bridge, session, [one.project for one in done])
    for one in done:
        today = plan(bridge, session, one.project).day(bridge.clock.now())
        for person in dict.fromkeys(who for shift in one.shifts for who in (shift.before, shift.after)):
            # Who has the duty from now on hears that from the hand-over.
            theirs = [
                [shift.first.isoformat(), shift.last.isoformat(), shift.after]
                for shift in one.shifts
                if shift.before == person or (shift.after == person and shift.first > today)
            ]
            if theirs and person != by:
                key = f"arranged:{one.project.key}:{person}:{cause}"
                bridge.notify(session, "arranged", key, person, project=one.project.key, by=by, shifts=theirs)
        _regroup(bridge, session, one.project)


# --- by the clock -----------------------------------------------------------------------------------------------------


def keep(bridge: Bridge, session: Session, projects: Sequence[Project]) -> None:
    """Hand over where somebody else is on duty now, once however often this is called: they hear what is open, the
    user group holds them, and a half-day for everyone is announced."""
    now, new = bridge.clock.now(), dict[tuple[str, datetime], list[str]]()
    for project in projects:
        known = plan(bridge, session, project)
        if not (project.takes_turns or known.changes or known.half_days):
            continue
        stint, span = known.stint(now), known.half_day(now)
        if stint.since and upkeep.take(session, f"duty:{project.key}:{stint.person}", stint.since):
            new.setdefault((stint.person, stint.since), []).append(project.key)
        if span and upkeep.take(session, f"everyone:{project.key}", span[0]):
            _announce(bridge, session, project, span)
        turned = max([known.begins(known.day(now)), *(each for each in span or () if each <= now)])
        ended = [end for _, end in known.together(now - timedelta(days=1), 1) if end <= now]
        if upkeep.take(session, f"group:{project.key}", max([turned, *ended])):
            _regroup(bridge, session, project)
    for (person, since), keys in new.items():
        key = f"on_duty:{person}:{int(since.timestamp())}:{','.join(keys)}"
        bridge.notify(session, "on_duty", key, person, projects=keys)


def _announce(bridge: Bridge, session: Session, project: Project, span: tuple[datetime, datetime]) -> None:
    channel = project.channel or bridge.settings.slack.channel
    key = f"everyone:{project.key}:{int(span[0].timestamp())}"
    bridge.promise(
        session,
        "everyone",
        key,
        key,
        lane=f"slack:{channel}",
        channel=channel,
        project=project.key,
        until=span[1].isoformat(),
    )


def _regroup(bridge: Bridge, session: Session, project: Project) -> None:
    group = project.duty.group if project.duty else None
    if group:
        bridge.refresh(session, "group", f"group:{group}", f"group:{group}", lane="slack", group=group)


def members(bridge: Bridge, session: Session, group: str) -> list[str]:
    """Who belongs into a user group now: those on duty for the projects that name it."""
    now, found = bridge.clock.now(), []
    for project in bridge.settings.projects:
        if project.duty and project.duty.group == group:
            known = plan(bridge, session, project)
            found += [known.on_duty(now), *(project.team if known.half_day(now) else ())]
    return list(dict.fromkeys(found))


# --- new issues -------------------------------------------------------------------------------------------------------


def assign(bridge: Bridge, session: Session, issue: Issue) -> None:
    """A new issue goes to whoever is on duty for its project."""
    issue.support_dev = on_duty(bridge, session, bridge.project(issue.project))


def login(project: Project, person: str) -> tuple[str, ...]:
    """Whom to assign in the tracker: this Support Dev, else the first."""
    found = [dev.tracker for dev in project.support_devs if dev.slack == person]
    return tuple(found[:1] or [dev.tracker for dev in project.support_devs[:1]])


def tell(bridge: Bridge, session: Session, issue: Issue) -> None:
    """Whoever is on duty hears of a new issue: one message, in which those of a few minutes gather. Not where nobody
    takes turns, and not of what they flagged themselves."""
    project = bridge.project(issue.project)
    if not (project.takes_turns or plan(bridge, session, project).changes):
        return
    if not issue.escalations or issue.escalations[0].agent == issue.support_dev:
        return
    since, person = burst(issue.created_at), issue.support_dev
    key = f"yours:{person}:{int(since.timestamp())}"
    bridge.refresh(
        session, "yours", key, f"dm:{person}", lane=f"slack:{person}", person=person, since=since.isoformat()
    )


def burst(at: datetime) -> datetime:
    """The beginning of the minutes whose new issues stand in one message."""
    return datetime.fromtimestamp(at.timestamp() // BURST * BURST, UTC)
