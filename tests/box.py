"""A letter box over HTTP for the outbox's tests: it keeps what is posted, shows it again, and fails on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot import outbox
from bot.clock import FakeClock
from bot.outbox import Job, Outbox
from bot.store.tables import Effect
from integrations.base import ServiceError
from integrations.http import HttpClient
from integrations.sandbox.wire import Fault, Server, Wire
from tests.conftest import new_store

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
QUIET = timedelta(seconds=30)
TIMEOUT = 0.3
"""Real seconds of one call: the box is on loopback."""


class Box:
    """`POST /box/{key}` keeps a letter, `GET /box` shows all keys in the order in which they came."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self._came = threading.Condition()
        routes = [Route("/box/{key}", self._post, methods=["POST"]), Route("/box", self._list)]
        self.wire = Wire(Starlette(routes=routes))
        self.server = Server(self.wire).start()

    async def _post(self, request: Request) -> Response:
        with self._came:
            self.kept.append(request.path_params["key"])
            self._came.notify_all()
        return JSONResponse({"n": len(self.kept)})

    async def _list(self, _request: Request) -> Response:
        return JSONResponse(self.kept)

    def fails(self, how: Any, key: str = "", method: str = "POST", **more: Any) -> None:
        """The next call (or `times` calls) for that key goes wrong in that way."""
        self.wire.faults.append(Fault(how, method=method, path=f"/box/{key}" if key else "/box", **more))

    def wait_for(self, number: int, seconds: float) -> bool:
        """Wait until so many letters came."""
        with self._came:
            return self._came.wait_for(lambda: len(self.kept) >= number, seconds)

    def calls(self, method: str) -> int:
        return sum(call.method == method for call in self.wire.calls)


class Letter:
    """Performs an effect by posting its key. `during` runs in the middle of a call, after the box has the letter."""

    writes = True

    def __init__(self, url: str) -> None:
        self._http = HttpClient("box", url, timeout=TIMEOUT)
        self.settled: list[str] = []
        self.given_up: list[tuple[str, type[Exception]]] = []
        self.stuck_at: list[int] = []
        self.before: Callable[[Job], None] = lambda _job: None
        self.during: Callable[[Job], None] = lambda _job: None
        self.after: Callable[[Session, Job], None] = lambda _session, _job: None

    def look(self, job: Job) -> str | None:
        return job.key if job.key in self._http.get("/box") else None

    def perform(self, job: Job) -> str:
        self.before(job)
        self._http.send("POST", f"/box/{job.key}", json.dumps(dict(job.payload)))
        self.during(job)
        return job.key

    def settle(self, session: Session, job: Job, result: Any) -> None:
        self.settled.append(job.key)
        self.after(session, job)

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        self.given_up.append((job.key, type(error)))

    def stuck(self, session: Session, job: Job, error: ServiceError) -> None:
        self.stuck_at.append(job.attempts)


class Office:
    """One outbox on a real database file, under a clock that stands still, posting to one box."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(START)
        self.store = new_store(folder / "passerelle.db")
        self.box = Box()
        self.letter = Letter(self.box.server.url)
        self.outbox = self.worker(self.letter)

    def worker(self, letter: Letter) -> Outbox:
        """One more worker on the same database."""
        return Outbox(self.store, self.clock, {"letter": letter}, lease=LEASE, quiet=QUIET)

    def promise(self, *keys: str, subject: str = "", lane: str = "") -> None:
        """Promise letters; by default each on a subject named by its first character."""
        with self.store.write() as session:
            for key in keys:
                outbox.promise(session, self.clock, "letter", key, subject or key[0], lane=lane)

    def refresh(self, key: str) -> None:
        with self.store.write() as session:
            outbox.refresh(session, self.clock, "letter", key, key[0])

    def work(self) -> None:
        """Perform all that is due."""
        while self.outbox.work_once():
            pass

    def pass_time(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))
        self.work()

    def effect(self, key: str) -> Effect:
        with self.store.read() as session:
            return session.scalars(sa.select(Effect).where(Effect.key == key)).one()

    def state(self, key: str) -> str:
        return self.effect(key).state.value

    def close(self) -> None:
        self.box.server.stop()
        self.store.close()
