"""The effect ledger: every call to the outside world is promised in the caller's transaction, performed in order per
subject, looked for before it is repeated, and given up only into a person's hands.

No engine can POST exactly once: a crash between the remote effect and our commit is ambiguous. So an effect is
recorded as *sending* before the call; whatever ends ambiguously waits a quiet period, is looked for at the other side,
and only then repeated.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.model import UserError
from bot.store import queries
from bot.store.database import Store
from bot.store.tables import UNDONE, Effect, EffectState, Lane
from integrations.base import NotFound, Rejected, ServiceError, Unauthorised, Unavailable

log = structlog.get_logger()

LONGEST_WAIT = timedelta(minutes=15)
PATIENCE = timedelta(days=3)
"""How long a service may be away before an effect is given up."""

READ_TRIES = 5
"""How often a read that is refused is made: a service's replicas may not know yet what another one told."""

SHORTEST_WAIT = 1.0
LONGEST_NAMED_WAIT = 3600.0
"""Seconds between two tries, and the most of what a service asks us to wait that is believed."""

BUG_TRIES = 8
"""How often a failure of our own making is tried again; the tries while a service was away do not count as such."""

FAULT = "a fault in Passerelle itself"


class Uncertain(Exception):
    """The look found nothing, and the call must not be repeated: a person has to say."""


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed effect, as its performer sees it."""

    id: int
    key: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int
    since: datetime
    until: datetime  # the end of the lease: a call that cannot end before it must not begin
    doubtful: bool  # an earlier try may have taken effect: it is looked for first


def maybe_done(error: Exception) -> bool:
    """Whether a call that ended like this may have taken effect all the same."""
    if isinstance(error, Unavailable):
        return error.maybe_done
    return not isinstance(error, Rejected | NotFound | Unauthorised)


class Performer(Protocol):
    """How one kind of effect is carried out. `look` and `perform` do the I/O; the others run inside the transaction
    that settles the effect, so that what follows from it commits together with it. What only reads (`writes` is
    False) leaves no doubt behind, and its lane's pace does not hold it back."""

    writes: bool

    def look(self, job: Job) -> Any | None:
        """What an earlier, ambiguous try left at the other side; None if nothing. May raise Uncertain."""
        ...

    def perform(self, job: Job) -> Any:
        """Make the call."""
        ...

    def settle(self, session: Session, job: Job, result: Any) -> None:
        """It is done: record what follows."""
        ...

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        """It cannot be done: `error` is why. Tell whoever waits for it."""
        ...

    def stuck(self, session: Session, job: Job, error: ServiceError) -> None:
        """It did not work and is going to be tried again. Called at each such try."""
        ...


def promise(
    session: Session, clock: Clock, kind: str, key: str, subject: str, *, lane: str = "", **payload: Any
) -> None:
    """Promise the effect `key` once and for all; promising it again changes nothing."""
    if queries.effect(session, key) is None:
        _add(session, clock, kind, key, subject, lane, payload)


def _add(session: Session, clock: Clock, kind: str, key: str, subject: str, lane: str, payload: dict[str, Any]) -> None:
    now = clock.now()
    effect = Effect(kind=kind, key=key, subject=subject, lane=lane, payload=payload, next_at=now, since=now)
    session.add(effect)
    session.flush()


def refresh(
    session: Session, clock: Clock, kind: str, key: str, subject: str, *, lane: str = "", **payload: Any
) -> None:
    """Promise that the effect `key` is performed once more after now: it keeps something outside current."""
    effect = queries.effect(session, key)
    if effect is None:
        _add(session, clock, kind, key, subject, lane, payload)
    elif effect.state in (EffectState.SENDING, EffectState.DOUBT):
        effect.again = True
    elif effect.state is EffectState.READY:
        effect.next_at = min(effect.next_at, clock.now())  # a new reason to try; the lane still holds it back
    else:
        # What was given up may have taken effect on its last try.
        state = EffectState.READY if effect.state is EffectState.DONE else EffectState.DOUBT
        effect.state, effect.attempts, effect.error = state, 0, ""
        effect.next_at = effect.since = clock.now()
        effect.done_at = None


def retry(session: Session, clock: Clock, effect_id: int) -> Effect:
    """Take a dead letter up again, looking first for what its last try may have done. Raises UserError."""
    effect = session.get(Effect, effect_id, with_for_update=True)
    if effect is None:
        raise UserError("There is no effect {id}. `passerelle outbox list` shows them.", id=effect_id)
    if effect.state not in (EffectState.DEAD, EffectState.READY, EffectState.DOUBT):
        raise UserError(
            "Effect {id} is {state}; only one that waits or was given up can be retried.",
            id=effect_id,
            state=effect.state,
        )
    # A dead letter that an operator retries may have taken effect on its last try: looking costs one call.
    effect.state = EffectState.READY if effect.attempts == 0 else EffectState.DOUBT
    effect.attempts, effect.next_at, effect.since = 0, clock.now(), clock.now()
    return effect


def drop(session: Session, clock: Clock, effect_id: int) -> Effect:
    """Decide that a dead letter is not needed any more. Raises UserError."""
    effect = session.get(Effect, effect_id, with_for_update=True)
    if effect is None:
        raise UserError("There is no effect {id}. `passerelle outbox list` shows them.", id=effect_id)
    if effect.state is EffectState.SENDING or effect.state not in (*UNDONE, EffectState.DEAD):
        raise UserError("Effect {id} is {state} and cannot be dropped.", id=effect_id, state=effect.state)
    if effect.kind == "issue":
        raise UserError("A flagged ticket waits for effect {id}. Mend the cause, then retry it.", id=effect_id)
    if effect.kind == "reply" and effect.state is not EffectState.DEAD:
        raise UserError("Effect {id} is an agent's reply on its way; it ends by itself.", id=effect_id)
    effect.state, effect.done_at = EffectState.DROPPED, clock.now()
    return effect


class Outbox:
    """Claims effects and performs them. Any number of workers, in any number of processes, may share one store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        performers: Mapping[str, Performer],
        *,
        lease: timedelta,
        quiet: timedelta,
        pace: Callable[[str], float] = lambda _lane: 0.0,
        tried: Callable[[Job, str], None] = lambda _job, _outcome: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._performers = performers
        self.kinds = tuple(performers)
        self._lease = lease
        self._quiet = quiet
        self._pace = pace
        self._tried = tried

    def work_once(self) -> bool:
        """Perform one effect that is due; False when none is."""
        claimed = self._claim()
        if claimed is None:
            return False
        job, fence = claimed
        try:
            self._carry_out(job, fence, self._performers[job.kind])
        except Exception:  # noqa: BLE001 (one of the three edges: an effect)
            self._broke(job, fence, self._performers[job.kind])
        return True

    def _carry_out(self, job: Job, fence: int, performer: Performer) -> None:
        looking = job.doubtful
        try:
            result = performer.look(job) if looking else None
            looking = False
            if result is None:
                result = performer.perform(job)
        except ServiceError as error:
            self._failed(job, fence, performer, error, doubtful=looking or maybe_done(error))
        except Uncertain as error:
            self._gave_up(job, fence, performer, error, dead=False)
        except UserError as error:  # what the effect needs is gone from the configuration
            self._gave_up(job, fence, performer, error, dead=True)
        else:
            self._settle(job, fence, performer, result)

    def _claim(self) -> tuple[Job, int] | None:
        now = self._clock.now()
        with self._store.write(wake=False) as session:
            effect = queries.next_effect(session, now, self.kinds)  # of another version's, that one takes care
            if effect is None:
                return None
            if not self._take_lane(session, effect, now):
                return None
            doubtful = effect.state in (EffectState.DOUBT, EffectState.SENDING)
            effect.state = EffectState.SENDING
            effect.fence += 1
            effect.attempts += 1
            effect.next_at = now + self._lease + self._quiet
            key, kind, until = effect.key, effect.kind, now + self._lease
            job = Job(effect.id, key, kind, effect.payload, effect.attempts, effect.since, until, doubtful)
            return job, effect.fence

    def _take_lane(self, session: Session, effect: Effect, now: datetime) -> bool:
        """Reserve the effect's lane for its pace; False when another worker was faster."""
        pace = self._pace(effect.lane) if effect.lane and self._performers[effect.kind].writes else 0.0
        if not pace:
            return True
        lane = session.get(Lane, effect.lane, with_for_update=True)
        if lane is None:
            session.add(Lane(name=effect.lane, open_at=now + timedelta(seconds=pace)))
            return True
        if lane.open_at > now:
            return False
        lane.open_at = now + timedelta(seconds=pace)
        return True

    def _held(self, session: Session, job: Job, fence: int) -> Effect | None:
        """The effect, if this worker still holds it: a lease that lapsed belongs to whoever took it over."""
        effect = session.get(Effect, job.id, with_for_update=True)
        if effect is None or effect.fence != fence or effect.state is not EffectState.SENDING:
            log.warning("effect.lease_lost", effect=job.id, key=job.key)
            return None
        return effect

    def _settle(self, job: Job, fence: int, performer: Performer, result: Any) -> None:
        now = self._clock.now()
        with self._store.write() as session:
            effect = self._held(session, job, fence)
            if effect is None:
                return
            effect.state, effect.done_at, effect.error = EffectState.DONE, now, ""
            if effect.again:
                effect.state, effect.again, effect.attempts = EffectState.READY, False, 0
                effect.next_at = effect.since = now
            performer.settle(session, job, result)
        self._tried(job, "done")
        log.info("effect.done", effect=job.id, key=job.key, attempts=job.attempts)

    def _failed(self, job: Job, fence: int, performer: Performer, error: ServiceError, *, doubtful: bool) -> None:
        now = self._clock.now()
        refused = isinstance(error, Rejected | NotFound) and (performer.writes or job.attempts >= READ_TRIES)
        if refused or now - job.since > PATIENCE:
            self._gave_up(job, fence, performer, error, dead=True)
            return
        with self._store.write() as session:
            effect = self._held(session, job, fence)
            if effect is None:
                return
            wait = _back_off(job) * (0.75 + secrets.randbelow(1000) / 2000)
            if isinstance(error, Unavailable) and error.retry_after is not None:
                wait = timedelta(seconds=min(max(error.retry_after, SHORTEST_WAIT), LONGEST_NAMED_WAIT))
                self._close_lane(session, effect.lane, now + wait)
            doubtful = doubtful and performer.writes
            effect.state = EffectState.DOUBT if doubtful else EffectState.READY
            effect.next_at = now + (max(wait, self._quiet) if doubtful else wait)
            effect.error = str(error)
            performer.stuck(session, job, error)
        self._tried(job, "again")
        log.warning("effect.again", effect=job.id, key=job.key, attempts=job.attempts, error=type(error).__name__)

    def _close_lane(self, session: Session, name: str, until: datetime) -> None:
        if not name:
            return
        lane = session.get(Lane, name, with_for_update=True)
        if lane is None:
            session.add(Lane(name=name, open_at=until))
        else:
            lane.open_at = max(lane.open_at, until)

    def _broke(self, job: Job, fence: int, performer: Performer) -> None:
        """A failure of our own: logged with a reference, tried a few times, then left for a person."""
        reference = f"P-{random.randrange(16**6):06x}"  # noqa: S311 (a name, not a secret)
        log.exception("effect.bug", effect=job.id, key=job.key, reference=reference)
        reason = ServiceError("passerelle", f"{FAULT}, logged as {reference}")
        with self._store.read() as session:
            before = session.get_one(Effect, job.id).error
        if job.attempts >= BUG_TRIES and FAULT in before:
            self._gave_up(job, fence, performer, reason, dead=True)
            return
        self._tried(job, "again")
        with self._store.write() as session:
            effect = self._held(session, job, fence)
            if effect is not None:
                effect.state, effect.error = EffectState.DOUBT, str(reason)
                effect.next_at = self._clock.now() + max(_back_off(job), self._quiet)

    def _gave_up(self, job: Job, fence: int, performer: Performer, error: Exception, *, dead: bool) -> None:
        now = self._clock.now()
        with self._store.write() as session:
            effect = self._held(session, job, fence)
            if effect is None:
                return
            effect.state = EffectState.DEAD if dead else EffectState.DONE
            effect.error, effect.again = str(error), False
            effect.done_at = None if dead else now
            self._tell_that(session, performer, job, error)
        self._tried(job, "given_up")
        log.error("effect.given_up", effect=job.id, key=job.key, error=type(error).__name__)

    def _tell_that(self, session: Session, performer: Performer, job: Job, error: Exception) -> None:
        """Let the performer tell whoever waits; a fault in that must not bring the effect back to life."""
        try:
            with session.begin_nested():
                performer.give_up(session, job, error)
        except Exception:
            log.exception("effect.not_told", effect=job.id, key=job.key)


def _back_off(job: Job) -> timedelta:
    return min(timedelta(seconds=2.0 ** min(job.attempts, 12)), LONGEST_WAIT)
