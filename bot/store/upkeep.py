"""Which scheduled slots were taken, and what the store forgets."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.model import ANSWERED, MERGED, OWED, SUPERSEDED, TAKEN_OFF
from bot.store import index, remarks
from bot.store.queries import SETTLED
from bot.store.tables import Delivery, Draft, Effect, EffectState, Escalation, Issue, Slot, Ticket, WriteBackRow

OURS = (ANSWERED, MERGED, SUPERSEDED, TAKEN_OFF)
"""The reasons of write-backs that nobody typed."""

# --- slots ------------------------------------------------------------------------------------------------------------


def take(session: Session, job: str, due: datetime) -> bool:
    """Whether this slot is ours: the first to insert its row has it."""
    if session.get(Slot, (job, due)) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Slot(job=job, due=due))
    except IntegrityError:
        return False
    return True


def slot_before(session: Session, job: str, due: datetime) -> datetime | None:
    """The latest slot of `job` taken before `due`."""
    return session.scalar(sa.select(sa.func.max(Slot.due)).where(Slot.job == job, Slot.due < due))


def slot_between(session: Session, job: str, after: datetime, until: datetime) -> bool:
    """Whether a slot later than `after` and not later than `until` was taken."""
    query = sa.select(Slot.due).where(Slot.job == job, Slot.due > after, Slot.due <= until).limit(1)
    return session.scalar(query) is not None


def slot_taken(session: Session, job: str) -> bool:
    """Whether any slot of `job` was taken."""
    return session.scalar(sa.select(Slot.due).where(Slot.job == job).limit(1)) is not None


def there(session: Session, at: datetime) -> bool:
    """Whether somebody was at work here by that time.

    A slot is taken some time after it is due: a poll's soon, the longest a day later.
    """
    soon = sa.and_(Slot.job == "poll", Slot.due <= at)
    query = sa.select(Slot.due).where(sa.or_(soon, Slot.due <= at - timedelta(days=1))).limit(1)
    return session.scalar(query) is not None


def drop_slots(session: Session, before: datetime, jobs: tuple[str, ...] = ()) -> None:
    """Drop the slots from before that time: of `jobs`, or of all."""
    old = sa.delete(Slot).where(Slot.due < before)
    session.execute(old.where(Slot.job.in_(jobs)) if jobs else old)


# --- forgetting -------------------------------------------------------------------------------------------------------


def drop_drafts(session: Session, before: datetime) -> None:
    session.execute(sa.delete(Draft).where(Draft.created_at < before))


def drop_deliveries(session: Session, before: datetime) -> None:
    """Drop what was received before that time and is read; with it, the effects that read it."""
    session.execute(sa.delete(Delivery).where(Delivery.received_at < before, Delivery.read_at.is_not(None)))
    finished = Effect.state == EffectState.DONE
    session.execute(sa.delete(Effect).where(Effect.kind == "delivery", finished, Effect.done_at < before))


def forget_customers(session: Session, before: datetime) -> None:
    """Blank who customers are and what they wrote, where all was done before that time and nothing is owed.

    Owed is: news of the end, while an issue of the ticket is not settled, and every write-back that is not done.
    """
    carried = sa.select(Escalation.ticket_id)
    unsettled = carried.join(Issue, Issue.id == Escalation.issue_id).where(
        Issue.joined.is_(None),
        sa.or_(Issue.stage.not_in(SETTLED), Issue.stage_since >= before, Escalation.flagged_at >= before),
    )
    owed = carried.join(WriteBackRow, WriteBackRow.escalation_id == Escalation.id).where(
        sa.or_(WriteBackRow.state.in_(OWED), WriteBackRow.done_at >= before)
    )
    gone = sa.and_(Ticket.id.not_in(carried), Ticket.waiting_since < before)  # it went into another one
    done = sa.select(Ticket.id).where(
        sa.or_(Ticket.id.in_(carried), gone), Ticket.id.not_in(unsettled), Ticket.id.not_in(owed)
    )
    theirs = sa.select(Escalation.id).where(Escalation.ticket_id.in_(done))
    said = sa.update(WriteBackRow).where(WriteBackRow.escalation_id.in_(theirs))
    reason = sa.case((WriteBackRow.reason.in_(OURS), WriteBackRow.reason), else_="")  # an agent's may name somebody
    session.execute(said.values(text="", answer="", reason=reason))
    session.execute(sa.update(Escalation).where(Escalation.ticket_id.in_(done)).values(summary="", files=[]))
    index.erase(session, theirs)
    others = sa.select(Escalation.issue_id).where(Escalation.ticket_id.not_in(done))
    over = sa.select(Escalation.issue_id).where(Escalation.ticket_id.in_(done), Escalation.issue_id.not_in(others))
    remarks.blank(session, over)
    remarks.blank(session, sa.select(Issue.id).where(Issue.joined.in_(over)))
    session.execute(
        sa.update(Ticket)
        .where(Ticket.id.in_(done))
        .values(
            customer_name="",
            customer_email="",
            organisation="",
            plan="",
            words="",
            subject="",
            attachments=[],
            tags=[],
            fields=[],
            assignee="",
        )
        .execution_options(synchronize_session=False)
    )
