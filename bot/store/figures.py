"""The rows behind the digest: what is open, and who owes customers an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import OWED, WAITING, Stage, WriteBack
from bot.store.tables import Escalation, Issue, WriteBackRow


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """An issue whose end customers wait for; `number` is None until the tracker has it."""

    title: str
    repository: str
    number: int | None
    url: str
    stage: Stage
    created_at: datetime
    waiting: int  # customers


def open_issues(session: Session) -> Sequence[OpenIssue]:
    """All that is not shipped or declined, oldest first."""
    theirs = sa.and_(Escalation.issue_id == Issue.id, Escalation.taken_off.is_(None))
    waiting = sa.select(sa.func.count()).where(theirs).scalar_subquery()
    query = (
        sa.select(Issue.title, Issue.repository, Issue.number, Issue.url, Issue.stage, Issue.created_at, waiting)
        .where(Issue.stage.in_(WAITING), Issue.joined.is_(None))
        .order_by(Issue.created_at, Issue.id)
    )
    return [OpenIssue(*row) for row in session.execute(query)]


def write_backs_due(session: Session) -> Sequence[tuple[str, int]]:
    """Agents, by Slack id, with the number of customers they have to write back to; most first. What is held is not
    due."""
    owing = sa.func.count()
    query = (
        sa.select(WriteBackRow.agent, owing)
        .where(WriteBackRow.state.in_(OWED - {WriteBack.HELD}))
        .group_by(WriteBackRow.agent)
        .order_by(owing.desc(), WriteBackRow.agent)
    )
    return [(agent, n) for agent, n in session.execute(query)]
