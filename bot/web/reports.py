"""The pages of causes and of times: bugs as causes to remove, and how long things take."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from bot.exporting import Cell, cell
from bot.hours import Hours
from bot.periods import By
from bot.reports import causes as causing, times as timing
from bot.reports.causes import Area, Causes, Dimension
from bot.reports.times import Distribution, StepTimes
from bot.slack.views.digest import Narrowed, narrowed_to
from bot.store import causes as cause_rows, times as time_rows
from bot.store.scope import Scope
from bot.texts import zone
from bot.web import charts
from bot.web.pages import Facts, Look, scope
from bot.web.wording import bucket, lasted, worked

WEEKS, MONTHS = 12, 12
"""How many periods the page of causes shows: twelve weeks, or twelve months."""


class Each(StrEnum):
    """How long the periods of the page of causes are."""

    WEEK = "week"
    MONTH = "month"


class Span(StrEnum):
    """How far the page of times looks back, in days."""

    MONTH = "30"
    QUARTER = "90"
    YEAR = "365"


class Counted(StrEnum):
    """What time is counted."""

    CLOCK = "clock"
    WORKING = "working"


# --- causes -----------------------------------------------------------------------------------------------------------


def causes(look: Look) -> Facts:
    """Which areas bring most tickets, what is planned, what came back, what was removed."""
    each = look.asked.word("by", Each) or Each.WEEK
    report = _causes(look, each)
    bars = charts.rows([list(pair) for pair in zip(report.bugs, report.tooling.tickets, strict=True)])
    named = report.components or report.labels
    areas = (
        (Dimension.COMPONENT, report.components),
        (Dimension.LABEL, report.labels),
        # one project by itself says no more than the page as a whole
        (Dimension.PROJECT, report.projects if len(report.projects) > 1 or not named else ()),
    )
    of = scope(look.asked, [project.key for project in look.bridge.settings.projects])
    return {
        "report": report,
        "each": each,
        "narrowed": narrowed_to(look.visitor.say, Narrowed(severities=of.severities, kinds=of.kinds, stages=of.stages)),
        "projects": {project.key: project.name for project in look.bridge.settings.projects},
        "periods": list(reversed(list(zip(report.periods, bars, strict=True)))),
        "areas": [(one, found, report.more.get(one, 0)) for one, found in areas if found],
        "zone": zone(look.visitor.zone),
    }


def _causes(look: Look, each: Each) -> Causes:
    settings, now = look.bridge.settings, look.bridge.clock.now()
    back = timedelta(weeks=WEEKS - 1) if each is Each.WEEK else timedelta(days=30.4 * (MONTHS - 1))
    rows = cause_rows.load(
        look.session,
        scope(look.asked, [project.key for project in settings.projects]),
        now - back,
        now,
        by=By(each.value),
        zone=zone(look.visitor.zone),
        own={project.key: project.labels for project in settings.projects},
    )
    return causing.causes(rows)


def as_csv(look: Look) -> str:
    """The areas of the page of causes, a line each, for a spreadsheet."""
    report = _causes(look, look.asked.word("by", Each) or Each.WEEK)
    there = zone(look.visitor.zone)
    begins = [period.begins.astimezone(there).date().isoformat() for period in report.periods]
    head = ["dimension", "area", "tickets", "last", "before", "waiting", "open_issues", *begins, "plan", "words"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    for area in (*report.projects, *report.components, *report.labels):
        writer.writerow(map(cell, _line(area.dimension.value, area)))
    writer.writerow(map(cell, _line("tooling", report.tooling)))
    return "\ufeff" + out.getvalue()  # without it, spreadsheets take UTF-8 for something else


def _line(dimension: str, area: Area) -> Iterable[Cell]:
    plan = " ".join(one.url or one.title for one in area.plan)
    numbers = (area.total, area.now, area.before, area.waiting, area.open_issues, *area.tickets)
    return (dimension, area.name, *numbers, plan, area.quote.words if area.quote else "")


# --- times ------------------------------------------------------------------------------------------------------------


def times(look: Look) -> Facts:
    """How long each step takes, as distributions."""
    asked, settings, now = look.asked, look.bridge.settings, look.bridge.clock.now()
    chosen = asked.several("project", [project.key for project in settings.projects])
    span, counted = asked.word("days", Span) or Span.QUARTER, asked.word("time", Counted) or Counted.CLOCK
    hours = settings.reminders.hours() if settings.reminders else Hours()
    since: datetime = now - timedelta(days=int(span))
    rows = time_rows.load(look.session, Scope(projects=chosen), since, now)
    report = timing.times(rows, hours)
    working = counted is Counted.WORKING

    def figures(step: StepTimes) -> Distribution:
        return step.working if working else step.clock

    def said(seconds: float, found: Distribution) -> str:
        """A duration in words; a working day is a third of the bucket of three."""
        say, day = look.visitor.say, found.buckets[3].under / 3
        return worked(say, seconds, day) if working else lasted(say, seconds)

    return {
        "steps": [step for step in (*report.whole, *report.steps) if step.clock.n],
        "figures": figures,
        "said": said,
        "histogram": lambda found: charts.histogram([(bucket(look.visitor.say, one.name), one.n) for one in found]),
        "span": span,
        "counted": counted,
        "hours": hours,
        "projects": {project.key: project.name for project in settings.projects},
        "Counted": Counted,
        "Span": Span,
    }
