"""Digests: what is unresolved, a Support Dev's morning, and the whole list; few, many, late and nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from bot.gallery.contents import NOW, Contents
from bot.gallery.sample import Made, show
from bot.model import Kind, Severity, Stage
from bot.slack.views import IssueName, causes as causing, digest as pages, morning
from bot.texts import Say

_TODAY = NOW.date()
_SINCE = NOW.replace(hour=8, minute=0) - timedelta(days=1)
_FLOW = ((7, 4), (5, 6), (9, 3), (4, 8), (6, 6), (2, 1))


def samples(say: Say, of: Contents) -> Made:
    nothing = pages.Digest(since=_SINCE, now=NOW)
    full = _digest(of)
    yield "What is unresolved", show(pages.digest, say, full)
    yield "Nothing is unresolved", show(pages.digest, say, nothing)
    narrowed = pages.Narrowed(
        projects=(of.project, of.other_project), kinds=(Kind.BUG,), severities=(Severity.CRITICAL,), team=True
    )
    late = replace(full, narrowed=narrowed, due=NOW - timedelta(hours=2), dashboard="https://passerelle.example/")
    yield "What is unresolved of some, late", show(pages.digest, say, late)
    still = replace(nothing, open=1, customers=1, named={"oldest": _lines(of, 1)}, since=NOW - timedelta(days=30))
    yield "One issue, and nothing new", show(pages.digest, say, still)
    yield from _morning(say, of)
    yield from _whole(say, of)
    yield from _causes(say, of)


def _causes(say: Say, of: Contents) -> Made:
    plan = tuple(causing.CauseLine(_issue(of, n), of.many - n) for n in range(2))
    area = causing.AreaLine(of.tags[0], of.many, 3, of.many + 2, plan, of.many, of.said[:200])
    one = causing.AreaLine(of.project, 1, 1, 1, plan[:1], 1)
    nothing = causing.AreaLine("", 0, 0, 0)
    full = causing.CausesDigest(
        dashboard="https://passerelle.example/causes", narrowed=pages.Narrowed(), now=NOW,
        since=_SINCE - timedelta(days=6),
        bugs=causing.AreaLine("", of.many + 1, of.many + 4, 40), tooling=replace(one, name=""),
        areas=(area, replace(area, name=of.organisation, tickets=2), one, replace(one, quote=of.question)),
        offenders=(causing.OffenderLine(of.issue, 2, 1, 1), causing.OffenderLine(of.other, 0, 0, of.many)),
        offenders_count=2, removed=plan, removed_count=of.many, removed_customers=of.many * 3,
    )  # fmt: skip
    yield "What hurts most", show(causing.causes, say, full)
    late = replace(full, due=NOW - timedelta(hours=2), narrowed=pages.Narrowed(projects=(of.project,), team=True))
    yield "What hurts most of some, late", show(causing.causes, say, late)
    empty = causing.CausesDigest(narrowed=pages.Narrowed(), since=_SINCE, now=NOW, bugs=nothing, tooling=nothing)
    yield "Nothing hurts", show(causing.causes, say, empty)


def _issue(of: Contents, n: int) -> IssueName:
    return of.issue if n % 2 == 0 else of.other


def _line(of: Contents, n: int) -> pages.DigestLine:
    return pages.DigestLine(
        id=f"i{n}",
        issue=_issue(of, n),
        stage=(Stage.FILED, Stage.ACKNOWLEDGED, Stage.FILED)[n % 3],
        severity=list(Severity)[n % 4],
        age=of.waited + timedelta(hours=n),
        customers=max(1, of.many - n),
    )


def _lines(of: Contents, many: int) -> tuple[pages.DigestLine, ...]:
    return tuple(_line(of, n) for n in range(many))


def _digest(of: Contents) -> pages.Digest:
    promised = (
        replace(_line(of, 0), promised=date(2026, 11, 16), overdue=True),
        replace(_line(of, 1), promised=_TODAY, due_today=True),
        replace(_line(of, 2), promised=date(2026, 11, 24)),
    )
    mondays = [_TODAY - timedelta(days=_TODAY.weekday(), weeks=back) for back in range(5, -1, -1)]
    return pages.Digest(
        list="morning",
        since=_SINCE,
        now=NOW,
        open=of.many * 7,
        customers=of.many * 11,
        promised_count=of.many,
        overdue_count=1,
        came_count=of.many + 2,
        new_count=of.many,
        again_count=1,
        fixed_count=2,
        fixed_customers=of.many,
        named={
            "promised": promised,
            "new": (replace(_line(of, 3), new=True, age=timedelta(hours=3)), replace(_line(of, 4), back="reopened")),
            "crowded": _lines(of, 3),
            "oldest": _lines(of, 3),
            "fixed": tuple(replace(line, stage=Stage.FIXED) for line in _lines(of, 2)),
        },
        owed_count=of.many * 2,
        owed=tuple(pages.Owing(agent, n + 1, of.waited) for n, agent in enumerate(of.agents[:6])),
        left_counts={"shipped": 2, "declined": 1, "joined": of.many},
        left=(
            pages.Gone(of.issue, Stage.SHIPPED),
            pages.Gone(of.other, Stage.DECLINED),
            pages.Gone(of.issue, Stage.ACKNOWLEDGED, of.other),
        ),
        weeks=tuple(pages.Week(day, *flow) for day, flow in zip(mondays, _FLOW, strict=True)),
    )


def _morning(say: Say, of: Contents) -> Made:
    lines = [
        replace(_line(of, 0), new=True, age=timedelta(hours=9)),
        replace(_line(of, 1), promised=_TODAY, due_today=True),
        *(_line(of, n) for n in range(2, 6)),
    ]
    happened = {2: ("answered", of.agents[0]), 3: ("reopened", ""), 4: ("taken_back", "")}
    full = morning.Queue(
        list="queue",
        since=_SINCE,
        now=NOW,
        open=of.many * 4,
        customers=of.many * 6,
        new=1,
        answered=1,
        again=2,
        gone={"shipped": 1},
        first=tuple(morning.Queued(line, *happened.get(n, ("", ""))) for n, line in enumerate(lines)),
        beside=(morning.Queued(_line(of, 7), "answered", of.agents[-1]),),
        asked_count=2,
        asked=(
            morning.Waiting(of.issue, of.agents[:1], of.waited),
            morning.Waiting(of.other, of.agents, timedelta(hours=4)),
        ),
    )
    quiet = morning.Queue(since=_SINCE, now=NOW)
    yield "The Support Dev’s morning", show(morning.queue, say, full)
    late = replace(full, due=NOW - timedelta(hours=2), dashboard="https://passerelle.example/?project=shop")
    yield "The morning, late", show(morning.queue, say, late)
    yield "The morning, everybody’s queue", show(morning.queue, say, replace(full, own=False))
    yield "The morning, everybody’s queue is empty", show(morning.queue, say, replace(quiet, own=False))
    few = replace(quiet, open=1, customers=1, first=(morning.Queued(_line(of, 1)),))
    yield "The morning, nothing changed", show(morning.queue, say, few)
    yield "The morning, an empty queue", show(morning.queue, say, quiet)
    yield "The morning, the queue is empty now", show(morning.queue, say, replace(quiet, gone={"shipped": of.many}))


def _whole(say: Say, of: Contents) -> Made:
    stages = (Stage.FIXED, Stage.ACKNOWLEDGED, Stage.FILED)
    lines = tuple(replace(_line(of, n), stage=stages[n * 3 // morning.ROWS]) for n in range(morning.ROWS))
    full = morning.Whole(list="morning", page=1, total=4_211, counts=dict.fromkeys(stages, 1_403), lines=lines)
    yield "The whole list, a later page", show(morning.whole, say, full)
    yield "The whole list, short", show(morning.whole, say, morning.Whole(total=2, lines=lines[:2]))
    yield "The whole list, empty by now", show(morning.whole, say, morning.Whole())
