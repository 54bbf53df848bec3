"""The data of the digest of causes, as the store has it now."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.periods import By
from bot.reports import causes as reports
from bot.reports.causes import Area, CauseIssue, Causes
from bot.slack.summary import Edition, dashboard, narrowed
from bot.slack.views import IssueName
from bot.slack.views.causes import AreaLine, CauseLine, CausesDigest, OffenderLine
from bot.store import causes as store
from bot.store.scope import Scope

AREAS, PLANNED, LISTED = 4, 2, 3
"""How many areas are named, issues of each, and issues that came back or were removed: it is read on a phone."""


def causes(session: Session, of: Edition) -> CausesDigest:
    """What came since the last one, against as much time before."""
    report = reports.causes(
        store.load(
            session,
            _scope(of),
            of.since,
            of.now,
            by=By.SPAN,
            own={project.key: project.labels for project in of.bridge.settings.projects},
        )
    )
    return CausesDigest(
        dashboard=dashboard(of, "causes"),
        narrowed=narrowed(of),
        since=of.since,
        due=of.due,
        now=of.now,
        bugs=AreaLine("", report.bugs[-1], report.bugs[-2], report.bugs_waiting),
        tooling=_area(report.tooling, ""),
        areas=_areas(of, report),
        offenders=tuple(
            OffenderLine(_name(one.issue), one.reopened, one.rolled_back, one.still_broken)
            for one in report.offenders[:LISTED]
        ),
        offenders_count=report.offenders_count,
        removed=tuple(_line(one.issue) for one in report.removed[:LISTED]),
        removed_count=report.removed_count,
        removed_customers=report.removed_customers,
    )


def _scope(of: Edition) -> Scope:
    digest = of.digest
    if digest is None:
        return Scope()
    return Scope(digest.projects, digest.severities, digest.kinds, digest.stages, of.team)


def _areas(of: Edition, report: Causes) -> tuple[AreaLine, ...]:
    """Components and labels, those that bring most now first; projects where issues have neither."""
    names = {project.key: project.name for project in of.bridge.settings.projects}
    found = [*report.components, *report.labels] or [*report.projects]
    order = sorted(found, key=lambda one: (-one.now, -one.waiting))
    return tuple(_area(one, names.get(one.name, one.name)) for one in order if one.now or one.waiting)[:AREAS]


def _area(area: Area, name: str) -> AreaLine:
    plan = tuple(_line(one) for one in area.plan[:PLANNED])
    quote = area.quote.words if area.quote else ""
    return AreaLine(name, area.now, area.before, area.waiting, plan, area.open_issues, quote)


def _line(issue: CauseIssue) -> CauseLine:
    return CauseLine(_name(issue), issue.customers)


def _name(issue: CauseIssue) -> IssueName:
    label = f"{issue.repository}#{issue.number}" if issue.number is not None else ""
    return IssueName(title=issue.title, label=label, url=issue.url)
