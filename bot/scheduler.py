"""What happens by the clock: polling the trackers, digests, and forgetting what is old.

Each worker runs an APScheduler in memory whose jobs only insert a row that is unique on (job, due time), so any number
of workers agree. The due time is the trigger's own latest fire time, which APScheduler 3 does not hand to its jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.orm import Session

from bot import shipping
from bot.bridge import confirm, duty, handing, remind, ship
from bot.bridge.core import Bridge
from bot.configuration import Digest, Project
from bot.slack.digests import MAKERS
from bot.store import queries, upkeep

log = structlog.get_logger()

GRACE = timedelta(hours=3)
"""How late a digest is still worth posting."""

SHORTEST, LONGEST = timedelta(days=1), timedelta(days=31)

CATCH_UP = 300
"""Seconds between looks for a digest that was missed, as when the database was away at its minute."""

REDELIVERY = 300
"""Seconds between two looks for webhook deliveries that did not arrive."""

GLANCES = 86400
"""Seconds in which each issue that waits is looked at once, though nothing was heard of it: no list shows what was
deleted, or moved to where we do not look."""

REMINDERS = 60
"""Seconds between two looks for what waits too long."""

DUTY = 60
"""Seconds between two looks whether somebody else is on duty."""

MIRROR = 300
"""Seconds between two looks for issues that others filed: one list of what changed since the last."""

PARTS = 96
"""In how many parts that is done, so that it is never much at a time."""

DRAFTS = timedelta(days=7)
SLOTS = timedelta(days=400)
POLL_SLOTS = timedelta(days=2)


class Schedule:
    """The jobs of one configuration. `tick_…` methods can be called at any moment; they act once per slot."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin, taking up the latest slot that was missed while nobody was running."""
        settings = self._bridge.settings
        self._every("poll", self.tick_polls, settings.timing.poll)
        if settings.web is not None:
            self._every("redeliver", self.tick_redeliveries, REDELIVERY)
        self._every("glances", self.tick_glances, GLANCES / PARTS)
        self._every("mirror", self.tick_mirror, MIRROR)
        self._every("reminders", self.tick_reminders, REMINDERS)
        self._every("silence", self.tick_silence, 3600)
        self._every("there", self.tick_there, 900)
        self._every("checks", self.tick_checks, 3600)
        self._every("duty", self.tick_duty, DUTY)
        self._every("forget", self.tick_forget, 3600)
        self._every("digests", self.tick_digests, CATCH_UP)
        for digest in settings.digests:
            self._scheduler.add_job(
                self._guarded,
                digest.trigger(),
                [f"digest:{digest.name}", lambda one=digest: self.tick_digest(one)],
                id=f"digest:{digest.name}",
                misfire_grace_time=int(GRACE.total_seconds()),
                coalesce=True,
            )
        self._scheduler.start()

    def _every(self, job: str, act: Callable[[], None], seconds: float) -> None:
        self._scheduler.add_job(
            self._guarded,
            "interval",
            [job, act],
            seconds=seconds,
            id=job,
            misfire_grace_time=None,
            coalesce=True,
            next_run_time=datetime.now(UTC),
        )

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _guarded(self, job: str, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            log.exception("schedule.failed", job=job)

    def tick_polls(self) -> None:
        """Ask every tracker and helpdesk what was touched, once per interval however many workers there are."""
        interval = self._bridge.settings.timing.poll
        now = self._bridge.clock.now()
        due = _floor(now, interval)
        with self._bridge.store.read() as session:  # all that is watched, so that nobody waits for it
            elsewhere = self._elsewhere(session)
        with self._bridge.store.write() as session:
            if not upkeep.take(session, "poll", due):
                return
            for name in self._bridge.helpdesks:
                self._bridge.watch(session, name)
            for project in self._bridge.settings.projects:
                for resource in shipping.resources(project):
                    self._bridge.poll(session, project, resource, project.repository)
                for repository in elsewhere.get(project.key, ()):
                    for resource in shipping.lines(project):
                        self._bridge.poll(session, project, resource, repository)

    def tick_redeliveries(self) -> None:
        """Let every tracker send again what did not arrive here, once per interval; without an address of ours there
        are no deliveries."""
        web = self._bridge.settings.web
        due = _floor(self._bridge.clock.now(), REDELIVERY)
        with self._bridge.store.write() as session:
            if web is None or not upkeep.take(session, "redeliver", due):
                return
            for project in self._bridge.settings.projects:
                self._bridge.redeliver(session, project, web.public_url)

    def _elsewhere(self, session: Session) -> dict[str, dict[str, None]]:
        """By project, the repositories beside its own in which it waits for fixes."""
        found: dict[str, dict[str, None]] = {}
        for issue in (one for name in self._bridge.trackers for one in self._bridge.counted(session, name)):
            for repository in ship.by_repository(issue):
                project = ship.counting(self._bridge, issue, repository)
                if project is not None and project.repository.casefold() != repository.casefold():
                    found.setdefault(project.key, {})[repository] = None
        return found

    def tick_glances(self) -> None:
        """Glance at the issues whose turn it is; by their ids, so that all have theirs once in `GLANCES`."""
        every = GLANCES / PARTS
        due = _floor(self._bridge.clock.now(), every)
        part = int(due.timestamp() // every) % PARTS
        with self._bridge.store.read() as session:  # all that wait, so that nobody waits for it
            waiting = [
                one for project in self._bridge.settings.projects for one in queries.unsettled(session, project.key)
            ]
        with self._bridge.store.write() as session:
            if upkeep.take(session, "glances", due):
                for issue in waiting:
                    if int(issue.id, 16) % PARTS == part:
                        self._bridge.glance_at(session, issue)

    def tick_mirror(self) -> None:
        """Learn what the trackers have beside what was flagged, once per interval."""
        due = _floor(self._bridge.clock.now(), MIRROR)
        with self._bridge.store.write() as session:
            if not upkeep.take(session, "mirror", due):
                return
            for project in self._bridge.settings.projects:
                self._bridge.mirror(session, project)

    def tick_reminders(self) -> None:
        """Bring up what waits for too long, once per interval; where nothing does, nothing is written."""
        due = _floor(self._bridge.clock.now(), REMINDERS)
        with self._bridge.store.read() as session:
            if not remind.waits(self._bridge, session):
                return
        with self._bridge.store.write() as session:
            if upkeep.take(session, "reminders", due):
                remind.keep(self._bridge, session)

    def tick_silence(self) -> None:
        """Whoever has not answered for so long after they were written to is not waited for any more."""
        with self._bridge.store.write() as session:
            confirm.fall_silent(self._bridge, session)

    def tick_there(self) -> None:
        """Look whether the agents whom customers wait for are there, while people are at work."""
        if not remind.hours(self._bridge, None).at(self._bridge.clock.now()):
            return
        with self._bridge.store.write() as session:
            handing.look(self._bridge, session)

    def tick_checks(self) -> None:
        """Once a day, from the second day on: ask every tracker whether the bot can still do there what it must."""
        day = self._bridge.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        with self._bridge.store.write() as session:
            first = upkeep.slot_before(session, "checks", day) is None
            if not upkeep.take(session, "checks", day) or first:
                return
            for project in self._bridge.settings.projects:
                self._bridge.check(session, project)

    def tick_duty(self) -> None:
        """Hand over where a turn has ended, once per turn however many workers there are."""
        with self._bridge.store.write() as session:
            duty.keep(self._bridge, session, self._bridge.settings.projects)

    def tick_digests(self) -> None:
        for digest in self._bridge.settings.digests:
            self.tick_digest(digest)

    def tick_digest(self, digest: Digest) -> None:
        """Promise the digest of the latest slot to each of its readers, if nobody has and it is not too late."""
        now, job = self._bridge.clock.now(), f"digest:{digest.name}"
        local = latest(digest, now, GRACE)
        if local is None or digest.about not in MAKERS:
            return
        slot = local.astimezone(UTC)
        with self._bridge.store.write() as session:
            # A worker whose clock is behind must not post an earlier digest after a later one.
            if upkeep.slot_between(session, job, slot, slot + GRACE) or not upkeep.take(session, job, slot):
                return
            if now - slot > timedelta(seconds=CATCH_UP) and not upkeep.there(session, slot):
                return  # Passerelle was not there yet: nothing was missed
            for channel, person in readers(digest, self._bridge.settings.projects):
                reader = channel or person
                self._bridge.promise(
                    session,
                    "digest",
                    f"{job}:{local:%Y-%m-%dT%H:%M}:{reader}",
                    f"{job}:{reader}",
                    lane=f"slack:{reader}",
                    digest=digest.name,
                    channel=channel,
                    person=person,
                    due=slot.isoformat(),
                    since=(slot - usual(digest, local)).isoformat(),
                    until=_until(digest, local).isoformat(),
                )

    def tick_forget(self) -> None:
        """Drop what is older than the configuration keeps it, once a day."""
        now, keep = self._bridge.clock.now(), self._bridge.settings.retention
        customers = now - timedelta(seconds=keep.customer_context)
        with self._bridge.store.write() as session:
            if not upkeep.take(session, "forget", now.replace(hour=0, minute=0, second=0, microsecond=0)):
                return
            upkeep.drop_deliveries(session, now - timedelta(seconds=keep.deliveries))
            upkeep.drop_drafts(session, max(now - DRAFTS, customers))
            upkeep.drop_slots(session, now - SLOTS)
            upkeep.drop_slots(
                session, now - POLL_SLOTS, ("poll", "redeliver", "glances", "mirror", "checks", "forget", "reminders")
            )
            upkeep.forget_customers(session, customers)


def _floor(now: datetime, seconds: float) -> datetime:
    """The beginning of the interval that `now` is in."""
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)


def latest(digest: Digest, now: datetime, grace: timedelta) -> datetime | None:
    """The digest's latest slot at or before `now` and not older than `grace`, in its own zone."""
    cron = digest.trigger()
    found, at = None, cron.get_next_fire_time(None, now - grace)
    while at is not None and at <= now:
        found, at = at if digest.falls_on(at.date()) else found, cron.get_next_fire_time(at, now)
    return found


def _until(digest: Digest, slot: datetime) -> datetime:
    """From when on the digest of a slot is of no use any more: the grace is over, or the next slot is there."""
    cron, last = digest.trigger(), slot + GRACE + timedelta.resolution
    at = cron.get_next_fire_time(slot, slot)
    while at is not None and at < last and not digest.falls_on(at.date()):
        at = cron.get_next_fire_time(at, at)
    return min(last.astimezone(UTC), at.astimezone(UTC) if at is not None else last.astimezone(UTC))


def usual(digest: Digest, slot: datetime) -> timedelta:
    """How far the first digest looks back: as long as it is until the next, at least a day, at most a month."""
    following = digest.trigger().get_next_fire_time(slot, slot)
    apart = following.astimezone(UTC) - slot.astimezone(UTC) if following else LONGEST
    return max(SHORTEST, min(LONGEST, apart))


def readers(digest: Digest, projects: Sequence[Project]) -> list[tuple[str, str]]:
    """Who gets a digest, each as a channel or a person. A queue that names neither goes to the Support Devs."""
    if digest.channel or digest.person:
        return [(digest.channel or "", digest.person or "")]
    theirs = [project for project in projects if not digest.projects or project.key in digest.projects]
    return [("", person) for person in dict.fromkeys(dev.slack for one in theirs for dev in one.support_devs)]
