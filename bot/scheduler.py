"""What happens by the clock: polling the trackers, digests, and forgetting what is old.

Each worker runs an APScheduler in memory whose jobs only insert a row that is unique on (job, due time), so any number
of workers agree. The due time is the trigger's own latest fire time, which APScheduler 3 does not hand to its jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.bridge.core import Bridge
from bot.configuration import Digest
from bot.cron import trigger
from bot.model import OWED
from bot.store.tables import Delivery, Draft, Escalation, Slot, Ticket, WriteBackRow

log = structlog.get_logger()

GRACE = timedelta(hours=3)
"""How late a digest is still worth posting."""

OLDEST = timedelta(days=400)


class Schedule:
    """The jobs of one configuration. `tick_…` methods can be called at any moment; they act once per slot."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin, taking up the latest slot that was missed while nobody was running."""
        settings = self._bridge.settings
        self._add("poll", self.tick_polls, seconds=settings.timing.poll)
        self._add("forget", self.tick_forget, seconds=3600)
        for digest in settings.digests:
            self._scheduler.add_job(
                self._guarded,
                trigger(digest.cron, digest.timezone),
                [lambda one=digest: self.tick_digest(one)],
                id=f"digest:{digest.name}",
                misfire_grace_time=int(GRACE.total_seconds()),
                coalesce=True,
            )
            self._guarded(lambda one=digest: self.tick_digest(one))  # type: ignore[misc]
        self._scheduler.start()

    def _add(self, job: str, act: Callable[[], None], seconds: float) -> None:
        self._scheduler.add_job(
            self._guarded,
            "interval",
            [act],
            seconds=seconds,
            id=job,
            misfire_grace_time=None,
            coalesce=True,
            next_run_time=datetime.now(UTC),
        )

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            log.exception("schedule.failed")

    def tick_polls(self) -> None:
        """Ask every tracker what was touched, once per interval however many workers there are."""
        interval = self._bridge.settings.timing.poll
        now = self._bridge.clock.now()
        due = datetime.fromtimestamp(now.timestamp() // interval * interval, UTC)
        with self._bridge.store.write() as session:
            if not take(session, "poll", due):
                return
            for project in self._bridge.settings.projects:
                for resource in self._bridge.trackers[project.tracker].resources():
                    if resource == "releases" and project.shipped_when != "released":
                        continue
                    key = f"poll:{project.key}:{resource}"
                    self._bridge.refresh(session, "poll", key, key, project=project.key, resource=resource)

    def tick_digest(self, digest: Digest) -> None:
        """Promise the digest of the latest slot, if nobody has and it is not too late."""
        now = self._bridge.clock.now()
        slot = latest(trigger(digest.cron, digest.timezone), now, GRACE)
        if slot is None:
            return
        with self._bridge.store.write() as session:
            # The wall clock's time names the slot: when clocks go back, 02:30 comes twice and is one.
            if take(session, f"digest:{digest.name}", slot.replace(tzinfo=UTC)):
                before = _previous(session, f"digest:{digest.name}", slot.replace(tzinfo=UTC))
                self._bridge.promise(
                    session,
                    "digest",
                    f"digest:{digest.name}:{slot:%Y-%m-%dT%H:%M}:{digest.channel}",
                    f"digest:{digest.name}",
                    lane=f"slack:{digest.channel}",
                    channel=digest.channel,
                    since=(slot - before if before else slot - timedelta(days=1)).astimezone(UTC).isoformat(),
                )

    def tick_forget(self) -> None:
        """Drop what is older than the configuration keeps it."""
        now, keep = self._bridge.clock.now(), self._bridge.settings.retention
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        with self._bridge.store.write() as session:
            if not take(session, "forget", day):
                return
            session.execute(
                sa.delete(Delivery).where(
                    Delivery.received_at < now - timedelta(seconds=keep.deliveries), Delivery.read_at.is_not(None)
                )
            )
            session.execute(sa.delete(Draft).where(Draft.created_at < now - timedelta(days=7)))
            session.execute(sa.delete(Slot).where(Slot.due < now - OLDEST))
            _forget_customers(session, now - timedelta(seconds=keep.customer_context))


def _forget_customers(session: Session, before: datetime) -> None:
    """Blank what customers wrote and who they are, once nothing is owed to them any more."""
    owed = sa.select(Escalation.ticket_id).join(WriteBackRow).where(WriteBackRow.state.in_(OWED))
    answered = sa.select(Escalation.ticket_id).join(WriteBackRow).where(WriteBackRow.done_at < before)
    session.execute(
        sa.update(Ticket)
        .where(Ticket.id.in_(answered), Ticket.id.not_in(owed))
        .values(customer_name="", customer_email="", words="", subject="", attachments=[], tags=[])
    )


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


def _previous(session: Session, job: str, due: datetime) -> timedelta | None:
    last = session.scalar(sa.select(sa.func.max(Slot.due)).where(Slot.job == job, Slot.due < due))
    return due - last if last else None


def latest(cron: CronTrigger, now: datetime, grace: timedelta) -> datetime | None:
    """The trigger's latest fire time at or before `now` and not older than `grace`, in its own zone."""
    found, at = None, cron.get_next_fire_time(None, now - grace)
    while at is not None and at <= now:
        found, at = at, cron.get_next_fire_time(at, at + timedelta(microseconds=1))
    return found
