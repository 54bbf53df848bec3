"""The questions that the house asks its store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from bot.model import News, Stage, WriteBack
from bot.store.tables import (
    UNDONE,
    Delivery,
    Effect,
    Escalation,
    HeardComment,
    History,
    Issue,
    KnownHead,
    Lane,
    NewsItem,
    Round,
    Ticket,
    WatchRow,
    WriteBackRow,
)

SETTLED = (Stage.SHIPPED, Stage.DECLINED)

# --- effects ----------------------------------------------------------------------------------------------------------


def effect(session: Session, key: str) -> Effect | None:
    """The effect of that key, held until the transaction ends."""
    return session.scalar(sa.select(Effect).where(Effect.key == key).with_for_update())


def next_effect(session: Session, now: datetime, kinds: Collection[str]) -> Effect | None:
    """The effect of these kinds to take next."""
    query = sa.select(Effect).outerjoin(Lane, Lane.name == Effect.lane).where(*_due(now), Effect.kind.in_(kinds))
    first = query.order_by(Effect.next_at, Effect.id).limit(1)
    return session.scalar(first.with_for_update(of=Effect, skip_locked=True))


def oldest_due(session: Session, now: datetime) -> datetime | None:
    """Since when the effect that is due for longest could have been performed."""
    since: sa.Case[datetime] = sa.case((Lane.open_at > Effect.next_at, Lane.open_at), else_=Effect.next_at)
    query = sa.select(sa.func.min(since)).select_from(Effect).outerjoin(Lane, Lane.name == Effect.lane)
    return session.scalar(query.where(*_due(now)))


def _due(now: datetime) -> list[sa.ColumnElement[bool]]:
    """What holds of an effect that is due, its lane open, and nothing undone before it on the same subject."""
    earlier = aliased(Effect)
    blocked = sa.exists().where(earlier.subject == Effect.subject, earlier.id < Effect.id, earlier.state.in_(UNDONE))
    open_ = sa.or_(Lane.open_at.is_(None), Lane.open_at <= now)
    return [Effect.state.in_(UNDONE), Effect.next_at <= now, open_, ~blocked]


def heard(session: Session, issue_id: str) -> set[str]:
    """The prints of the comments that were obeyed."""
    return set(session.scalars(sa.select(HeardComment.said).where(HeardComment.issue_id == issue_id))) - {""}


def customers(session: Session, issue_id: str) -> list[str]:
    """The names, addresses and organisations of all customers who were ever on an issue."""
    query = sa.select(Ticket.customer_name, Ticket.customer_email, Ticket.organisation)
    query = query.join(Escalation, Escalation.ticket_id == Ticket.id).where(Escalation.issue_id == issue_id)
    return [name for row in session.execute(query) for name in row if name]


def undone(session: Session, key: str) -> bool:
    """Whether a promise with that key waits to be kept."""
    query = sa.select(Effect.id).where(Effect.key == key, Effect.state.in_(UNDONE))
    return session.scalar(query) is not None


def promised(session: Session, kind: str, subject: str) -> bool:
    """Whether a promise of that kind about that subject waits to be kept."""
    query = sa.select(Effect.id).where(Effect.subject == subject, Effect.kind == kind, Effect.state.in_(UNDONE))
    return session.scalar(query.limit(1)) is not None


# --- deliveries -------------------------------------------------------------------------------------------------------


def delivered(session: Session, source: str, sender_id: str, body_hash: str) -> bool:
    """Whether this very delivery is stored already."""
    query = sa.select(Delivery.id).where(
        Delivery.source == source, Delivery.sender_id == sender_id, Delivery.body_hash == body_hash
    )
    return session.scalar(query) is not None


# --- tickets and escalations ------------------------------------------------------------------------------------------


def numbered(number: str) -> sa.ColumnElement[bool]:
    """That a ticket was flagged by this number, or goes on under it."""
    return sa.or_(Ticket.number == number, Ticket.goes_on_as == number)


def ticket(session: Session, helpdesk: str, number: str) -> Ticket | None:
    """The ticket that was flagged by this number, else the one that goes on under it. Asked of each that is touched in
    the helpdesk, so by two indexes and not by `numbered`."""
    here = sa.select(Ticket).where(Ticket.helpdesk == helpdesk)
    found = session.scalar(here.where(Ticket.number == number))
    return found or session.scalar(here.where(Ticket.goes_on_as == number).limit(1))


def carried(session: Session, helpdesk: str, number: str) -> Sequence[Escalation]:
    """The escalations of this ticket whose issue is not settled, oldest first."""
    row = ticket(session, helpdesk, number)
    if row is None:
        return []
    query = (
        sa.select(Escalation)
        .join(Issue, Issue.id == Escalation.issue_id)
        .where(Escalation.ticket_id == row.id)
        .where(Issue.stage.not_in(SETTLED), Issue.joined.is_(None), Escalation.taken_off.is_(None))
        .order_by(Escalation.flagged_at)
    )
    return session.scalars(query).all()


def escalation_of(session: Session, helpdesk: str, number: str, issue_id: str) -> Escalation | None:
    """The escalation of this ticket to this issue, settled or not."""
    row = ticket(session, helpdesk, number)
    query = sa.select(Escalation).where(Escalation.issue_id == issue_id, Escalation.taken_off.is_(None))
    return session.scalar(query.where(Escalation.ticket_id == row.id)) if row else None


def on_ticket(session: Session, ticket_id: str) -> Sequence[Escalation]:
    query = sa.select(Escalation).where(Escalation.ticket_id == ticket_id, Escalation.taken_off.is_(None))
    return session.scalars(query.order_by(Escalation.flagged_at)).all()


def escalations_of(session: Session, agent: str, most: int = 500) -> Sequence[Escalation]:
    """An agent's escalations, newest first."""
    query = sa.select(Escalation).join(Issue, Issue.id == Escalation.issue_id)
    query = query.where(Escalation.agent == agent, Issue.joined.is_(None), Escalation.taken_off.is_(None))
    return session.scalars(query.order_by(Escalation.flagged_at.desc()).limit(most)).all()


def escalation_named(
    session: Session, ticket_number: str, issue_number: int | None, repository: str = ""
) -> Escalation | None:
    """The newest escalation of the ticket with that number, else of the issue with that number (in `repository`)."""
    query = sa.select(Escalation).join(Ticket).join(Issue, Issue.id == Escalation.issue_id)
    query = query.where(Escalation.taken_off.is_(None))
    newest = Escalation.flagged_at.desc()
    found = None
    if ticket_number:
        found = session.scalar(query.where(numbered(ticket_number)).order_by(newest).limit(1))
    if found is None and issue_number is not None:
        query = query.where(sa.func.lower(Issue.repository) == repository.lower()) if repository else query
        found = session.scalar(query.where(Issue.number == issue_number).order_by(newest).limit(1))
    return found


# --- issues -----------------------------------------------------------------------------------------------------------


def issues_at(session: Session, tracker: str, repository: str, number: int) -> Sequence[Issue]:
    """Our records of the issue that a tracker names so; repositories' names are compared as GitHub does."""
    query = sa.select(Issue).where(
        Issue.tracker == tracker, sa.func.lower(Issue.repository) == repository.lower(), Issue.number == number
    )
    return session.scalars(query).all()


def unsettled(session: Session, project: str) -> Sequence[Issue]:
    """The filed issues of a project whose end has not come."""
    query = sa.select(Issue).where(Issue.project == project, Issue.number.is_not(None), Issue.stage.not_in(SETTLED))
    return session.scalars(query.where(Issue.joined.is_(None))).all()


def strays(session: Session, places: Collection[tuple[str, str, str]]) -> list[tuple[str, str, str, int]]:
    """Where unsettled issues are that the configuration does not name any more: project, tracker, repository, count.
    `places` are those that it names."""
    query = (
        sa.select(Issue.project, Issue.tracker, Issue.repository, sa.func.count())
        .where(Issue.stage.not_in(SETTLED), Issue.number.is_not(None), Issue.joined.is_(None))
        .group_by(Issue.project, Issue.tracker, Issue.repository)
    )
    return [(*row[:3], row[3]) for row in session.execute(query) if tuple(row[:3]) not in places]


def fixed(session: Session, tracker: str) -> Sequence[Issue]:
    """The issues of a tracker that wait to ship."""
    query = sa.select(Issue).where(Issue.tracker == tracker, Issue.stage == Stage.FIXED, Issue.joined.is_(None))
    return session.scalars(query).all()


def counted(session: Session, tracker: str, since: datetime) -> Sequence[Issue]:
    """The issues of a tracker whose fixes are watched: those that wait to ship, or shipped since then."""
    return [*fixed(session, tracker), *shipped(session, tracker, since)]


def shipped(session: Session, tracker: str, since: datetime) -> Sequence[Issue]:
    """The issues of a tracker that shipped lately."""
    query = sa.select(Issue).where(Issue.tracker == tracker, Issue.stage == Stage.SHIPPED, Issue.stage_since >= since)
    return session.scalars(query).all()


def filed(session: Session, most: int = 2000) -> Sequence[Issue]:
    """The issues that a ticket could be attached to, those that moved last first."""
    query = sa.select(Issue).where(Issue.number.is_not(None), Issue.joined.is_(None))
    return session.scalars(query.order_by(Issue.stage_since.desc()).limit(most)).all()


def issue_of_card(session: Session, channel: str, ts: str) -> Issue | None:
    """The issue whose card is that message."""
    query = sa.select(Issue).where(Issue.channel == channel, Issue.card_ts == ts, Issue.joined.is_(None))
    return session.scalar(query)


def candidates(session: Session, most: int = 2000) -> Sequence[sa.Row[str, int | None, str, Stage, datetime]]:
    """Id, number, title, stage and its time of the issues that a ticket could be attached to, as `filed` has them."""
    columns = sa.select(Issue.id, Issue.number, Issue.title, Issue.stage, Issue.stage_since)
    query = columns.where(Issue.number.is_not(None), Issue.joined.is_(None))
    return session.execute(query.order_by(Issue.stage_since.desc()).limit(most)).all()


def history(session: Session, issue_id: str) -> Sequence[History]:
    return session.scalars(sa.select(History).where(History.issue_id == issue_id).order_by(History.id)).all()


def known_heads(session: Session, project: str) -> Sequence[KnownHead]:
    """The heads of a project's lines that were examined."""
    return session.scalars(sa.select(KnownHead).where(KnownHead.project == project)).all()


def standing_heads(session: Session) -> dict[str, str]:
    """What was examined last on each branch and environment, by its place."""
    rows = session.scalars(sa.select(KnownHead).where(~KnownHead.place.endswith(" releases")))
    return {row.place: f"{row.ident} {row.sha}" for row in rows}


def watches(session: Session, resource: str) -> Sequence[WatchRow]:
    """Where polling a resource stands, in each project."""
    return session.scalars(sa.select(WatchRow).where(WatchRow.resource == resource)).all()


def refiled(session: Session, issue_id: str) -> int:
    """How often an issue was to be filed again, because it was gone or goes to another project."""
    return _times(session, issue_id, "refiled", "carried")


def adopted(session: Session, issue_id: str) -> bool:
    """Whether somebody else filed the issue, and a ticket was attached to it later."""
    return _times(session, issue_id, "adopted") > 0


def parted(session: Session, issue_id: str) -> int:
    """How often an issue was no duplicate after all."""
    session.flush()
    return _times(session, issue_id, "parted")


def _times(session: Session, issue_id: str, *what: str) -> int:
    query = sa.select(sa.func.count()).where(History.issue_id == issue_id, History.what.in_(what))
    return session.scalar(query) or 0


# --- news and write-backs ---------------------------------------------------------------------------------------------


def news(session: Session, issue_id: str, cause: str) -> NewsItem | None:
    return session.scalar(sa.select(NewsItem).where(NewsItem.issue_id == issue_id, NewsItem.cause == cause))


def declines(session: Session, issue_id: str) -> int:
    """How often an issue was declined."""
    query = sa.select(sa.func.count()).where(NewsItem.issue_id == issue_id, NewsItem.kind == News.DECLINED)
    return session.scalar(query) or 0


def write_back(session: Session, escalation_id: str, news_id: str) -> WriteBackRow | None:
    query = sa.select(WriteBackRow).where(WriteBackRow.escalation_id == escalation_id, WriteBackRow.news_id == news_id)
    return session.scalar(query)


def write_backs_of(session: Session, news_id: str) -> Sequence[WriteBackRow]:
    """The write-backs of one piece of news."""
    query = sa.select(WriteBackRow).join(Escalation, Escalation.id == WriteBackRow.escalation_id)
    return session.scalars(query.where(WriteBackRow.news_id == news_id, Escalation.taken_off.is_(None))).all()


def write_backs(session: Session, issue_id: str, state: WriteBack) -> Sequence[WriteBackRow]:
    """The write-backs of an issue that are in `state`."""
    query = (
        sa.select(WriteBackRow)
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .where(Escalation.issue_id == issue_id, WriteBackRow.state == state)
        .with_for_update(of=WriteBackRow)
    )
    return session.scalars(query).all()


def due_on_ticket(session: Session, ticket_id: str) -> Sequence[WriteBackRow]:
    """The write-backs on a ticket that a public answer there would settle."""
    query = (
        sa.select(WriteBackRow)
        .join(Escalation, Escalation.id == WriteBackRow.escalation_id)
        .where(Escalation.ticket_id == ticket_id, WriteBackRow.state.in_((WriteBack.DUE, WriteBack.UNCERTAIN)))
    )
    return session.scalars(query).all()


def open_round(session: Session, agent: str, cause: str) -> Round | None:
    """The round of that cause that more can join, held until the transaction ends: it is not sealed meanwhile."""
    query = sa.select(Round).where(Round.agent == agent, Round.cause == cause, Round.sealed_at.is_(None))
    return session.scalar(query.with_for_update())
