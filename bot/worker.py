"""Threads that perform effects as soon as they are due."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from bot.outbox import Outbox
from bot.store.database import Store

log = structlog.get_logger()

IDLE = 0.5
"""Seconds between two looks at the store when no commit of this process woke us."""


class Worker:
    """`threads` of them, until `stop`. A commit in this process wakes one at once; others' commits are seen within
    half a second."""

    def __init__(self, store: Store, outbox: Outbox, threads: int) -> None:
        self._store = store
        self._outbox = outbox
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, name=f"worker-{n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 15.0) -> None:
        """Finish what is being performed, begin nothing new. An effect cut off here is looked for after its lease."""
        self._stopping.set()
        with self._store.committed:
            self._store.committed.notify_all()
        for thread in self._threads:
            thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._attempt(self._outbox.work_once):
                with self._store.committed:
                    self._store.committed.wait(IDLE)

    def _attempt(self, work: Callable[[], bool]) -> bool:
        try:
            return work()
        except Exception:  # mostly the database being away: the effects wait in it, and so do we
            log.exception("worker.failed")
            self._stopping.wait(1.0)
            return False
