"""`passerelle export --csv`: escalations, causes and times as tables for a spreadsheet (see docs/reference.md)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, NamedTuple

from sqlalchemy.orm import Session

from bot.areas import Dimension, areas
from bot.configuration import Configuration
from bot.hours import Hours
from bot.periods import By
from bot.reports.causes import Area, CauseIssue, Causes, causes
from bot.reports.times import Distribution, StepTimes, times
from bot.store import causes as cause_rows, sheet, times as time_rows
from bot.store.scope import Scope

ESCALATION = (
    *("id", "helpdesk", "ticket", "ticket_url", "project", "repository", "issue", "issue_url", "issue_id", "title"),
    *("labels", "components", "kind", "severity", "stage", "agent", "agent_name", "flagged_at", "acknowledged_at"),
    *("fixed_at", "shipped_at", "declined_at", "told_at", "written_at", "confirmed_at", "confirmed"),
    "write_backs",
)
CUSTOMER = ("customer", "customer_email", "organisation", "plan", "language")
"""Added on request alone: they leave the house with the file."""

CAUSE = (
    *("dimension", "area", "period_begins", "period_ends", "whole", "tickets", "waiting_now", "open_issues"),
    *("first_issue", "first_issue_customers"),
)
TIME = (
    *("from", "to", "unit", "time", "n", "p50_seconds", "p75_seconds", "p90_seconds", "longest_seconds"),
    *("under_1h", "under_4h", "under_1d", "under_3d", "under_1w", "under_2w", "under_1mo", "more"),
)

_BEGINS = r"[=+\-@＝＋－＠]"  # Excel takes the wide ones for the others in Japanese
_FORMULA = re.compile(rf"[\0\t\r\n]|\s*{_BEGINS}")
_NEXT_FORMULA = re.compile(rf"([;\r\n]\s*|(?<=\S)\t\s*)(?={_BEGINS})")
Cell = str | int | float | None

BACK = timedelta(weeks=12)
"""How far causes and times look back where nobody says from when."""


class Table(NamedTuple):
    head: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def cell(value: Cell) -> Cell:
    """What a spreadsheet shows as it is: a text that it would take for a formula gets a quote mark before it (OWASP,
    "CSV Injection", and its issue 1088). In some languages a cell ends at a semicolon; there a quote mark within a line
    opens nothing, so a line break ends a cell, too."""
    if not isinstance(value, str):
        return value
    if not value.isprintable() or ";" in value:
        value = _NEXT_FORMULA.sub(r"\1'", value)
    return f"'{value}" if _FORMULA.match(value) else value


def write(out: IO[bytes], table: Table) -> None:
    """The table as CSV in UTF-8: a comma between cells, quoted where needed, each line as soon as it is known."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.head)
    writer.writerows(map(cell, row) for row in table.rows)
    text.detach()  # which flushes it, and leaves `out` open


class Asked:
    """The tables, by the configuration, if there is one: its working hours, and the labels that it puts on issues."""

    def __init__(self, config: Configuration | None) -> None:
        self.own = {project.key: project.labels for project in config.projects} if config else {}
        self.hours = config.reminders.hours() if config and config.reminders else Hours()
        self._known: dict[tuple[str, str], tuple[str, str]] = {}

    def escalations(self, session: Session, wanted: Scope, *, customers: bool) -> Table:
        """A line for each, oldest first."""
        head = (*ESCALATION, *CUSTOMER) if customers else ESCALATION
        return Table(head, (self._line(row, customers=customers) for row in sheet.rows(session, wanted)))

    def caused(self, session: Session, wanted: Scope, since: datetime, until: datetime, by: By) -> Table:
        """A line for each area and period."""
        report = causes(cause_rows.load(session, wanted, since, until, by=by, own=self.own))
        named = [(area.dimension.value, area) for area in (*report.projects, *report.components, *report.labels)]
        named.append(("tooling", report.tooling))
        return Table(CAUSE, (line for dimension, area in named for line in _periods(report, dimension, area)))

    def took(self, session: Session, wanted: Scope, since: datetime, until: datetime) -> Table:
        """Two lines for each step, one in clock time and one in working time."""
        report = times(time_rows.load(session, wanted, since, until), self.hours)
        return Table(TIME, (line for step in (*report.steps, *report.whole) for line in _step(step)))

    def _labels(self, project: str, given: str) -> tuple[str, str]:
        """An issue's labels, and the components that they name; most issues have what others have, too."""
        if (project, given) not in self._known:
            labels = json.loads(given or "[]")
            named = areas(project, labels, self.own.get(project, ()))
            components = [area.name for area in named if area.dimension is Dimension.COMPONENT]
            self._known[project, given] = ", ".join(labels), ", ".join(components)
        return self._known[project, given]

    def _line(self, row: sheet.SheetRow, *, customers: bool) -> list[Cell]:
        labels = self._labels(row.project, row.labels)
        told = datetime.fromtimestamp(row.told_at, UTC) if row.told_at is not None else None
        theirs = (row.customer, row.customer_email, row.organisation, row.plan, row.language)
        return [
            *(row.id, row.helpdesk, row.ticket, row.ticket_url, row.project, row.repository, row.number, row.issue_url),
            *(row.issue_id, row.title, *labels),
            *(row.kind.value, row.severity.value, row.stage.value, row.agent, row.agent_name),
            *map(at, (row.flagged_at, row.acknowledged_at, row.fixed_at, row.shipped_at, row.declined_at)),
            *map(at, (told, row.written_at, row.confirmed_at)),
            row.confirmed or "",
            " ".join(sorted((row.write_backs or "").split())),
            *(theirs if customers else ()),
        ]


def at(moment: datetime | None) -> str:
    """ISO 8601, to the second, of a time in UTC; "" for never."""
    return moment.isoformat(timespec="seconds") if moment else ""


def _periods(report: Causes, dimension: str, area: Area) -> Iterator[Sequence[Cell]]:
    first = area.plan[0] if area.plan else None
    now: list[Cell] = [area.waiting, area.open_issues, _named(first) if first else "", first.customers if first else ""]
    for period, tickets in zip(report.periods, area.tickets, strict=True):
        whole = "yes" if period.whole else "no"
        yield [dimension, area.name, at(period.begins), at(period.ends), whole, tickets, *now]


def _named(issue: CauseIssue) -> str:
    return issue.url or issue.title


def _step(step: StepTimes) -> Iterator[Sequence[Cell]]:
    for name, found in (("clock", step.clock), ("working", step.working)):
        yield [step.first.value, step.last.value, step.unit.value, name, *_numbers(found)]


def _numbers(found: Distribution) -> list[Cell]:
    seconds = (round(one) for one in (found.p50, found.p75, found.p90, found.longest))
    return [found.n, *(seconds if found.n else [None] * 4), *(bucket.n for bucket in found.buckets)]
