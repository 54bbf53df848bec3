"""The tables of the full-text index: the issues that trackers have, and the words by which they are found."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Row


class KnownIssue(Row):
    """An issue of a project's repository, whoever filed it, as the tracker last told."""

    __tablename__ = "known_issue"
    __table_args__ = (sa.UniqueConstraint("project", "repository", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    project: Mapped[str]
    repository: Mapped[str]
    number: Mapped[int]
    url: Mapped[str] = mapped_column(sa.Text, default="")
    title: Mapped[str] = mapped_column(sa.Text)
    open: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    issue_id: Mapped[str | None] = mapped_column(sa.ForeignKey("issue.id"), index=True)  # ours, where we have one
    terms: Mapped[dict[str, float]] = mapped_column(sa.JSON, default=dict)  # what `known_term` holds of it


class KnownTerm(Row):
    """How much of a known issue's text is one term. Read by term: the rows of one lie together."""

    __tablename__ = "known_term"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (SQLAlchemy reads it from the class)
    term: Mapped[str] = mapped_column(primary_key=True)
    known_id: Mapped[int] = mapped_column(primary_key=True)
    weight: Mapped[float]


class TicketTerm(Row):
    """How much of a ticket's text is one term: a customer's words, erased with the rest of them."""

    __tablename__ = "ticket_term"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (SQLAlchemy reads it from the class)
    term: Mapped[str] = mapped_column(primary_key=True)
    escalation_id: Mapped[str] = mapped_column(sa.ForeignKey("escalation.id"), primary_key=True, index=True)
    weight: Mapped[float]
