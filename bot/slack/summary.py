"""The data of digests, as the store has it now: what is unresolved, a Support Dev's queue, and the whole list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from bot.bridge import duty
from bot.bridge.core import Bridge
from bot.configuration import Digest
from bot.model import Stage
from bot.reports import digest as reports
from bot.slack import views
from bot.slack.people import People
from bot.slack.views import digest as pages, morning
from bot.store import figures, overview
from bot.texts import Say, zone

AGENTS = 6
"""How many agents are named who have to write back."""

CHANGED = 5
"""How many issues the morning names beside the queue because something happened to them."""

HAPPENED = 50
"""How many happenings the morning looks through for what stands beside an issue."""

QUEUED = 6
"""How many issues of the queue the morning shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One digest for one reader at one moment. `digest` None: everything, for who asks where none is configured."""

    bridge: Bridge
    people: People
    digest: Digest | None
    say: Say  # the reader's language, and the times of the digest's zone
    person: str = ""  # who gets it; "": a channel
    team: frozenset[str] | None = None  # of the agents whose tickets count; None: everybody's
    since: datetime  # when the last one was
    now: datetime
    due: datetime | None = None  # when it should have been there; None: it comes in time, or was asked for
    first: bool = False  # there was none before

    @property
    def name(self) -> str:
        return self.digest.name if self.digest else pages.EVERYTHING

    @property
    def zone(self) -> str:
        return self.digest.timezone if self.digest else "UTC"


def scope(session: Session, of: Edition) -> figures.Scope:
    """Which issues count: by the digest's filters and, in a Support Dev's queue, what is in their hands."""
    digest = of.digest
    if digest is None:
        return figures.Scope()
    found = figures.Scope(
        projects=digest.projects,
        severities=digest.severities,
        kinds=digest.kinds,
        stages=digest.stages,
        team=of.team,
    )
    return _own(session, of, found) if digest.about == "queue" and not digest.channel else found


def _own(session: Session, of: Edition, whole: figures.Scope) -> figures.Scope:
    """A Support Dev's own of that; all of it for anybody else."""
    projects = [one for one in of.bridge.settings.projects if not whole.projects or one.key in whole.projects]
    devs = dict.fromkeys(dev.slack for project in projects for dev in project.support_devs)
    if of.person not in devs:
        return whole
    on_duty = [one.key for one in projects if duty.on_duty(of.bridge, session, one) == of.person]
    return figures.Scope(
        projects=whole.projects,
        severities=whole.severities,
        kinds=whole.kinds,
        stages=whole.stages,
        team=whole.team,
        own=of.person,
        on_duty=tuple(on_duty),
        others=tuple(dev for dev in devs if dev != of.person),
    )


# --- what is unresolved -----------------------------------------------------------------------------------------------


def digest(session: Session, of: Edition) -> pages.Digest:
    """What is unresolved at `of.now`, against how it was at `of.since`."""
    here, today = scope(session, of), of.now.astimezone(zone(of.zone)).date()
    stages = figures.counts(session, here, of.since, today)
    counts, fixed = stages.values(), stages.get(Stage.FIXED)
    named = reports.placed(
        {
            "promised": lambda most: figures.promised(session, here, most),
            "new": lambda most: figures.new(session, here, of.since, most),
            "crowded": lambda most: figures.crowded(session, here, most, fixed=False),
            "oldest": lambda most: figures.oldest(session, here, most),
            "fixed": lambda most: figures.crowded(session, here, most, fixed=True),
        }
        if counts
        else {}
    )
    lines = _lines(session, of, here, [id for ids in named.values() for id in ids])
    owed, agents = figures.write_backs_due(session, here, AGENTS)
    numbers, gone, left = figures.left(session, here, of.since, reports.SHOWN) if here.open else ({}, 0, [])
    names = overview.names(session, [one.agent for one in agents])
    return pages.Digest(
        list=of.name,
        dashboard=dashboard(of),
        narrowed=narrowed(of),
        since=of.since,
        due=of.due,
        now=of.now,
        open=sum(one.issues for one in counts),
        customers=sum(one.customers for one in counts),
        promised_count=sum(one.promised for one in counts),
        overdue_count=sum(one.overdue for one in counts),
        came_count=sum(one.new for one in counts) + gone,
        new_count=sum(one.new for one in counts),
        again_count=sum(one.again for one in counts),
        fixed_count=fixed.issues if fixed else 0,
        fixed_customers=fixed.customers if fixed else 0,
        named={name: tuple(lines[id] for id in ids if id in lines) for name, ids in named.items()},
        owed_count=owed,
        owed=tuple(pages.Owing(names.get(one.agent, one.agent), one.customers, of.now - one.since) for one in agents),
        left_counts=numbers,
        left=tuple(_left(one) for one in left),
        weeks=_weeks(session, of, here),
    )


def _weeks(session: Session, of: Edition, here: figures.Scope) -> tuple[pages.Week, ...]:
    """What came and what was settled, week by week; nothing of a digest that looks at some stages alone."""
    if here.stages:
        return ()
    there = zone(of.zone)
    begins = reports.weeks(of.now, there)
    flow = figures.weeks(session, here, begins)
    found = [pages.Week(begin.astimezone(there).date(), *one) for begin, one in zip(begins, flow, strict=True)]
    while found and not found[0].new and not found[0].settled:
        found.pop(0)
    return tuple(found)


def _lines(session: Session, of: Edition, here: figures.Scope, ids: Collection[str]) -> dict[str, pages.DigestLine]:
    today = of.now.astimezone(zone(of.zone)).date()
    return {
        id: pages.DigestLine(
            id=one.id,
            issue=_name(one.title, one.repository, one.number, one.url),
            stage=one.stage,
            severity=one.severity,
            age=of.now - one.waiting_since,
            customers=one.customers,
            promised=one.promised_on,
            overdue=one.promised_on is not None and one.promised_on < today,
            due_today=one.promised_on == today,
            new=one.new,
            back="" if one.new else one.back or "",
        )
        for id, one in figures.named(session, here, ids, of.since).items()
    }


def _left(one: figures.Left) -> pages.Gone:
    other = _name(one.other_title, one.other_repository, one.other_number, one.other_url)
    joined = bool(one.other_repository)
    return pages.Gone(_name(one.title, one.repository, one.number, one.url), one.stage, other if joined else None)


def _name(title: str, repository: str, number: int | None, url: str) -> views.IssueName:
    return views.IssueName(title=title, label=f"{repository}#{number}" if number is not None else "", url=url)


def narrowed(of: Edition) -> pages.Narrowed:
    """What the digest leaves out, for who reads it."""
    if of.digest is None:
        return pages.Narrowed()
    names = {project.key: project.name for project in of.bridge.settings.projects}
    return pages.Narrowed(
        projects=tuple(names.get(key, key) for key in of.digest.projects),
        severities=of.digest.severities,
        kinds=of.digest.kinds,
        stages=of.digest.stages,
        team=bool(of.digest.team),
    )


def dashboard(of: Edition, page: str = "") -> str:
    """The address of the same on a page of the dashboard; "" where there is none to sign in to."""
    web = of.bridge.settings.web
    if web is None or web.sign_in is None:
        return ""
    wanted: list[tuple[str, str]] = []
    if of.digest is not None:
        for name, values in (
            ("project", of.digest.projects),
            ("severity", of.digest.severities),
            ("kind", of.digest.kinds),
            ("stage", of.digest.stages),
        ):
            wanted += [(name, str(value)) for value in values]
    return f"{web.public_url}/{page}{'?' if wanted else ''}{urlencode(wanted)}"


# --- a Support Dev's morning ------------------------------------------------------------------------------------------


def queue(session: Session, of: Edition) -> morning.Queue:
    """The queue of `of.person`, and what happened to it since the last time."""
    here, today = scope(session, of), of.now.astimezone(zone(of.zone)).date()
    counts = figures.counts(session, here, of.since, today).values()
    numbers, _, _ = figures.left(session, here, of.since, 0)
    usual = morning.Queue(
        list=of.name,
        dashboard=dashboard(of),
        narrowed=narrowed(of),
        since=of.since,
        due=of.due,
        now=of.now,
        own=bool(here.own),
        gone=numbers,
    )
    if not counts:
        return usual
    first = figures.queue(session, here, of.now, QUEUED)
    happened = figures.happened(session, here, of.since, HAPPENED)
    promised = figures.promised(session, here, CHANGED)
    beside = [id for id in dict.fromkeys([*happened, *promised]) if id not in first][:CHANGED]
    lines = _lines(session, of, here, [*first, *beside])
    due = [id for id in beside if id in happened or lines[id].overdue or lines[id].due_today]
    waiting, asked = figures.asked(session, here, reports.SHOWN)
    names = overview.names(session, [*(by for _, by in happened.values()), *(one.agent for one in asked)])
    what = {id: (word, names.get(by, by)) for id, (word, by) in happened.items()}
    return replace(
        usual,
        open=sum(one.issues for one in counts),
        customers=sum(one.customers for one in counts),
        new=sum(one.new for one in counts),
        answered=figures.answered(session, here, of.since),
        again=sum(one.again for one in counts),
        first=tuple(morning.Queued(lines[id], *what.get(id, ("", ""))) for id in first if id in lines),
        beside=tuple(morning.Queued(lines[id], *what.get(id, ("", ""))) for id in due),
        asked_count=waiting,
        asked=_asked(asked, names, of.now),
    )


def _asked(rows: Collection[figures.Asked], names: Mapping[str, str], now: datetime) -> tuple[morning.Waiting, ...]:
    agents: dict[str, list[str]] = {}
    for row in rows:
        agents.setdefault(row.issue, []).append(names.get(row.agent, row.agent))
    first = {row.issue: row for row in reversed(list(rows))}
    return tuple(
        morning.Waiting(
            _name(first[id].title, first[id].repository, first[id].number, first[id].url),
            tuple(who),
            now - first[id].at,
        )
        for id, who in agents.items()
    )


# --- the whole list ---------------------------------------------------------------------------------------------------


def whole(session: Session, of: Edition, page: int) -> morning.Whole:
    """A page of all that is open, stage by stage; the last there is, when fewer are left."""
    here = scope(session, of)
    counts = figures.counts(session, here, of.since, of.now.astimezone(UTC).date())
    total = sum(one.issues for one in counts.values())
    page = max(0, min(page, (total - 1) // morning.ROWS))
    ids = figures.queue(session, here, of.now, morning.ROWS, page * morning.ROWS, staged=True)
    lines = _lines(session, of, here, ids)
    return morning.Whole(
        list=of.name,
        page=page,
        total=total,
        counts={stage: one.issues for stage, one in counts.items()},
        lines=tuple(lines[id] for id in ids if id in lines),
    )
