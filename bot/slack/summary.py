"""The digest's data, as it stands now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot.reports import digest as reports
from bot.slack import views
from bot.slack.people import People
from bot.store import figures


def digest(session: Session, people: People, since: datetime, now: datetime) -> views.Digest:
    """What is unresolved at `now`; new is what was flagged since then."""
    found = reports.digest(figures.open_issues(session), figures.write_backs_due(session), since)
    return views.Digest(
        new=_lines(found.new, now),
        new_count=found.new_count,
        oldest=_lines(found.oldest, now),
        most_waiting=_lines(found.most_waiting, now),
        due=tuple((people.name(session, agent), n) for agent, n in found.due),
    )


def _lines(issues: Sequence[figures.OpenIssue], now: datetime) -> tuple[views.DigestLine, ...]:
    return tuple(
        views.DigestLine(
            issue=views.IssueName(
                title=issue.title,
                label=f"{issue.repository}#{issue.number}" if issue.number is not None else "",
                url=issue.url,
            ),
            stage=issue.stage,
            age=now - issue.created_at,
            waiting=issue.waiting,
        )
        for issue in issues
    )
