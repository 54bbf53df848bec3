"""Real processes of the bot on one database, beside stand-ins that fail now and then, and something that kills them."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import yaml

from integrations.sandbox.wire import Fault, Wire
from integrations.sandbox.world import Sandbox
from tests.conftest import demo

ROOT = Path(__file__).parents[1]
TIMING = {"timeout": "2s", "lease": "3s", "quiet": "2500ms", "poll": "1s", "workers": 8}
LATE = 2.3
"""Seconds: beyond the time-out, and over before the quiet period ends."""

PLENTY = 1_000_000
ON_WRITES: list[tuple[str, float, dict[str, Any]]] = [
    ("error_after", 0.04, {"status": 502}),
    ("drop_after", 0.03, {}),
    ("late", 0.015, {"seconds": LATE}),
    ("refuse", 0.03, {"status": 503}),
    ("drop", 0.02, {}),
    ("refuse", 0.02, {"status": 429, "headers": {"Retry-After": "1"}}),
]
ON_READS: list[tuple[str, float, dict[str, Any]]] = [("refuse", 0.025, {"status": 503}), ("drop", 0.015, {})]
WHERE = {  # by service: writes and reads, as methods and paths
    "github": ([("POST", "^/repos/"), ("PATCH", "^/repos/")], [("GET", ""), ("POST", "^/graphql")]),
    "zendesk": ([("PUT", "")], [("GET", "")]),
    "slack": ([("POST", r"chat\.")], [("", r"conversations\.|users\.|views\.")]),
}


def until(condition: Callable[[], bool], seconds: float, what: str, trouble: Callable[[], str] = lambda: "") -> None:
    """Wait until `condition` holds. Looking is work too, for the machine on which all of this runs."""
    deadline = time.monotonic() + seconds
    pause, between = threading.Event(), 0.05
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:g} s still not: {what} {trouble()}")
        pause.wait(between)
        between = min(between * 1.5, 0.5)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class BotProcess:
    """`python -m bot run`, started, killed without warning, and started again."""

    def __init__(self, folder: Path, sandbox: Sandbox, *, socket_mode: bool) -> None:
        config = yaml.safe_load(demo())
        config |= {"digests": [], "timing": TIMING}
        config.pop("reminders")
        config["slack"].pop("agents")
        (folder / "passerelle.yaml").write_text(yaml.safe_dump(config))
        self.database = f"sqlite:///{folder}/passerelle.db"
        self.log = folder / "bot.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environ = {
            **sandbox.environment(),
            "PASSERELLE_CONFIG": str(folder / "passerelle.yaml"),
            "DATABASE_URL": self.database,
            "PORT": str(self.port),
            "LOG_LEVEL": "WARNING",
        }
        self._slack = sandbox.slack
        self._socket_mode = socket_mode
        if not socket_mode:
            del self._environ["SLACK_APP_TOKEN"]
            sandbox.slack.events_url = f"{self.url}/slack/events"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=self._environ, stdout=log, stderr=log
            )
        until(self._ready, 30, "the bot answers", self.tail)

    def _ready(self) -> bool:
        if self._socket_mode:
            return self._slack.connections > 0
        with suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.url}/healthz", timeout=2, trust_env=False).status_code == 200
        return False

    def kill(self) -> None:
        """SIGKILL: it cannot say goodbye."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def tail(self) -> str:
        return "\n" + "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])


class Killer:
    """Kills the process again and again, each time after a random number of calls that it made or a few seconds."""

    def __init__(self, bot: BotProcess, calls: Callable[[], int], chance: random.Random, most: int) -> None:
        self.kills, self._most = 0, most
        self.failed: list[BaseException] = []
        self._bot, self._calls, self._chance = bot, calls, chance
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Killer:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop killing; the process runs afterwards."""
        self._stopping.set()
        self._thread.join()
        if self.failed:
            raise self.failed[0]

    def _run(self) -> None:
        try:
            while not self._stopping.is_set() and self.kills < self._most:
                target = self._calls() + self._chance.randint(30, 1000)
                deadline = time.monotonic() + self._chance.uniform(1.0, 4.5)
                while self._calls() < target and time.monotonic() < deadline:
                    if self._stopping.wait(0.005):
                        return
                self._bot.kill()
                self.kills += 1
                self._bot.start()
        except BaseException as error:  # noqa: BLE001 (told to the thread that waits)
            self.failed.append(error)


class Weather:
    """Faults that come by chance at the three services, and how often each kind came."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._wires: Mapping[str, Wire] = {
            "github": sandbox.github.wire,
            "zendesk": sandbox.zendesk.wire,
            "slack": sandbox.slack.wire,
        }
        self._faults: list[Fault] = []

    def begin(self) -> None:
        """From now on about one write in seven goes wrong in some way, and one read in twenty-five. A wave of its own:
        `clear_up` ends it, and the counts of all waves add up."""
        for name, wire in self._wires.items():
            writes, reads = WHERE[name]
            for method, path in writes:
                for how, chance, more in ON_WRITES:
                    self._add(wire, how, method, path, chance, more)
            for method, path in reads:
                for how, chance, more in ON_READS:
                    self._add(wire, how, method, path, chance, more)

    def _add(self, wire: Wire, how: Any, method: str, path: str, chance: float, more: Mapping[str, Any]) -> None:
        fault = Fault(how, method=method, path=path, probability=chance, times=PLENTY, **more)
        self._faults.append(fault)
        wire.faults.append(fault)

    def clear_up(self) -> None:
        for wire in self._wires.values():
            wire.faults.clear()

    def calls(self) -> int:
        return sum(len(wire.calls) for wire in self._wires.values())

    def counted(self) -> dict[str, int]:
        """How often each kind of fault came."""
        found: Counter[str] = Counter()
        for fault in self._faults:
            kind = f"{fault.how} {fault.status}" if fault.how in ("refuse", "error_after") else fault.how
            found[kind] += PLENTY - (fault.times or 0)
        return dict(found)
