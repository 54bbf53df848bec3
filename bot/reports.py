"""The numbers behind a digest, over the store's rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from bot.model import OWED, WAITING, WriteBack
from bot.slack import shown, views
from bot.store.tables import Escalation, Issue, WriteBackRow

SHOWN = 5
"""How many issues a digest names under each heading."""


def digest(session: Session, name: Callable[[str], str], since: datetime, now: datetime) -> views.Digest:
    """What is unresolved now; `new` is what was flagged after `since`."""
    query = (
        sa.select(Issue)
        .where(Issue.stage.in_(WAITING))
        .options(selectinload(Issue.escalations).selectinload(Escalation.write_backs))
        .order_by(Issue.created_at)
    )
    issues = list(session.scalars(query))
    lines = {issue.id: _line(issue, now) for issue in issues}
    new = [lines[issue.id] for issue in reversed(issues) if issue.created_at > since]
    most = sorted(lines.values(), key=lambda line: -line.waiting)
    due = Counter(session.scalars(sa.select(WriteBackRow.agent).where(WriteBackRow.state.in_(OWED - {WriteBack.HELD}))))
    return views.Digest(
        new=tuple(new[:SHOWN]),
        new_count=len(new),
        oldest=tuple(list(lines.values())[:SHOWN]),
        most_waiting=tuple(line for line in most[:SHOWN] if line.waiting > 1),
        due=tuple((name(agent), count) for agent, count in due.most_common()),
    )


def _line(issue: Issue, now: datetime) -> views.DigestLine:
    return views.DigestLine(
        issue=shown.issue_name(issue), stage=issue.stage, age=now - issue.created_at, waiting=len(shown.waiting(issue))
    )
