"""The house under test: the real bot in this process, against the stand-ins over HTTP, under a clock tests move."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from bot import outbox, settings
from bot.app import Passerelle
from bot.clock import FakeClock
from bot.store import queries
from bot.store.database import Store
from bot.store.tables import Effect, EffectState
from integrations import registry
from integrations.sandbox.wire import Server
from integrations.sandbox.world import Sandbox

pytest.register_assert_rewrite("integrations.testing.tracker", "integrations.testing.helpdesk")

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REPO = "acme/shop"
DEMO = Path(__file__).parents[1] / "config" / "demo.yaml"

Change = Callable[[dict[str, Any]], None]


def demo(gitlab: bool = False) -> str:
    """The demo's configuration as it is written; unless `gitlab`, with its first tracker and project alone."""
    text = DEMO.read_text(encoding="utf-8")
    return text if gitlab else re.sub(r"^  (gitlab:|- key: app)\n(    .*\n)+", "", text, flags=re.MULTILINE)


@cache
def _migrated() -> tuple[bytes, sa.Engine]:
    """The file of a database that was just migrated, and the engine that did it: once for all tests of this process."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "passerelle.db"
        store = Store(f"sqlite:///{file}")
        store.migrate()
        store.close()
        return file.read_bytes(), store.engine


def share_statements(store: Store) -> None:
    """Let a store use the statements that were compiled for another: SQLAlchemy keeps them by engine, and compiling
    them for each house anew took a quarter of the tests' time."""
    engine = _migrated()[1]
    for one in (store.engine, store._writer.kw["bind"]):
        one.dialect, one._compiled_cache = engine.dialect, engine._compiled_cache


def new_store(file: Path) -> Store:
    """A store on a new database in `file`, as if it had been migrated."""
    file.write_bytes(_migrated()[0])
    store = Store(f"sqlite:///{file}")
    share_statements(store)
    return store


class House:
    """The bot and its neighbours. What people do, they do at `slack`, `github`, `gitlab` and `zendesk`; `settle` lets
    the bot finish all that is due, `pass_time` lets time go by. `gitlab`: the configuration has its project too."""

    def __init__(self, folder: Path, change: Change | None = None, *, gitlab: bool = False) -> None:
        self.clock = FakeClock(START)
        self.world = Sandbox(now=self.clock.now, limits=False)
        self.world.start()
        self.slack, self.zendesk = self.world.slack, self.world.zendesk
        self.github, self.gitlab = self.world.github, self.world.gitlab
        self.slack.delivery.signing_clock = self.clock.now
        config = yaml.safe_load(demo(gitlab))
        config["digests"] = []
        config.pop("reminders")
        config["slack"].pop("agents")
        if change:
            change(config)
        self.folder = folder
        (folder / "passerelle.yaml").write_text(yaml.safe_dump(config))
        self.environ = {**self.world.environment(), "DATABASE_URL": f"sqlite:///{folder}/passerelle.db"}
        (folder / "passerelle.db").write_bytes(_migrated()[0])
        self.bot = self.start_bot()

    def start_bot(self) -> Passerelle:
        """Build the bot on the house's database, and serve its web side."""
        loaded = settings.load(
            self.folder / "passerelle.yaml", self.environ, registry.tracker_config, registry.helpdesk_config
        )
        bot = Passerelle(loaded, self.clock)
        share_statements(bot.store)
        bot.store.migrate()
        self.server = Server(bot.web).start()
        self.slack.events_url = f"{self.server.url}/slack/events"
        return bot

    def stop_bot(self) -> None:
        self.server.stop()
        self.bot.close()

    def hear_webhooks(self) -> None:
        """Let the trackers and the helpdesk call the bot; without it, the bot polls."""
        self.world.send_webhooks_to(self.server.url)

    def settle(self) -> None:
        """Let the bot do all that is due now."""
        for _ in range(50):
            self.bot.listeners.settle()
            self.github.webhooks_settled()
            self.gitlab.webhooks_settled()
            worked = False
            while self.bot.outbox.work_once():
                worked = True
            if not worked and not self._due():
                return
        raise AssertionError("the bot does not come to rest")

    def _due(self) -> bool:
        with self.bot.store.read() as session:
            return queries.next_effect(session, self.clock.now(), self.bot.outbox.kinds) is not None

    def poll(self) -> None:
        """The next look at the trackers, and all that follows."""
        self.pass_time(seconds=self.bot.settings.config.timing.poll)

    def pass_time(self, **by: float) -> None:
        """Let time go by, with the scheduler's ticks and retries in it, and settle."""
        self.clock.advance(timedelta(**by))
        self.bot.schedule.tick_polls()
        self.settle()

    def flag(self, person: str = "U0ANA", text: str = "4211", **values: Any) -> dict[str, Any]:
        """Flag a ticket by the command and submit the modal; returns the modal as it was when filled."""
        assert self.slack.command(person, text, "C0SUPPORT").ok
        self.bot.listeners.settle()
        view = self.slack.views(person)[-1]
        answer = self.slack.submit(view["id"], {"title": "VAT is wrong on invoices", **values})
        assert answer.ok, answer
        self.settle()
        return view

    def look_up(self, person: str = "U0ANA", text: str = "4211") -> str:
        """Type `/bug` with `text`, and read the modal once it is filled."""
        assert self.slack.command(person, text, "C0SUPPORT").ok
        return self.modal(person)

    def modal(self, person: str = "U0ANA") -> str:
        """What the modal says that this person has open, when nothing more is fetched for it."""
        self.bot.listeners.settle()
        return said(self.slack.views(person)[-1])

    def submit(self, person: str = "U0ANA", **values: Any) -> dict[str, str]:
        """Fill the open modal's inputs and submit it; returns the sentences under its inputs, {} when it was taken."""
        view = self.slack.views(person)[-1]
        self.slack.submit(view["id"], values)
        self.settle()
        still = [one for one in self.slack.views(person) if one["id"] == view["id"]]
        return dict(still[0]["errors"]) if still else {}

    def told(self, person: str = "U0ANA") -> list[str]:
        """What the bot told this person directly, oldest first."""
        return [said(message) for message in self.slack.dm(person)]

    def card(self) -> str:
        """The newest card in the Support Dev channel."""
        return said(self.cards()[-1])

    def cards(self, channel: str = "C0SUPPORTDEV") -> list[dict[str, Any]]:
        """The messages in a channel that are no replies, oldest first."""
        return [one for one in self.slack.messages(channel) if one.get("thread_ts", one["ts"]) == one["ts"]]

    def thread(self, channel: str = "C0SUPPORTDEV") -> list[str]:
        """What was said in the thread of the newest card."""
        root = self.cards(channel)[-1]["ts"]
        there = [one for one in self.slack.messages(channel) if one.get("thread_ts") == root and one["ts"] != root]
        return [said(one) for one in there]

    def reply(self, person: str, text: str, channel: str = "C0SUPPORTDEV") -> str:
        """Reply in the thread of the newest card; returns the reply's ts."""
        ts = self.slack.say(person, channel, text, thread_ts=self.cards(channel)[-1]["ts"])
        self.settle()
        return ts

    def press(self, person: str, action: str, channel: str = "", index: int = 0) -> None:
        """Press a button of the newest message that has it, in the bot's direct messages or in `channel`."""
        where = channel or self.slack.dm_channel(person)
        there = [one for one in self.slack.messages(where) if f"'action_id': '{action}'" in str(one.get("blocks"))]
        assert self.slack.press(person, where, there[-1]["ts"], action, index=index).ok
        self.settle()

    def write_back(self, person: str = "U0ANA", reply: str = "Hello, it is mended.") -> dict[str, str]:
        """Press "Write back", write and send; returns the sentences under the input, {} when it was taken."""
        self.press(person, "write_back")
        return self.submit(person, reply=reply)

    def whispered(self, person: str = "U0ANA") -> str:
        """What the bot showed to this person alone, last."""
        return said(self.slack.ephemerals(person)[-1])

    def hear_helpdesk(self) -> None:
        """Until every webhook that the helpdesk owes was answered; then the bot does what follows."""
        answered = lambda: all(one.status is not None for one in self.zendesk.deliveries)  # noqa: E731
        with self.zendesk.changed:
            assert self.zendesk.changed.wait_for(answered, 10), "the helpdesk's webhooks are not answered"
        self.settle()

    def notes(self, ticket: str = "4211") -> list[str]:
        """The internal notes on a ticket."""
        return [one["body"] for one in self.zendesk.ticket(ticket)["comments"] if not one["public"]]

    def replies(self, ticket: str = "4211") -> list[str]:
        """What the customer received."""
        return [one["body"] for one in self.zendesk.replies(ticket)]

    def issue(self, number: int = 1) -> dict[str, Any]:
        return self.github.issue(REPO, number)

    def mend(self, number: int = 1, release: str = "v2.5.0") -> None:
        """The Support Dev merges a fix and, unless `release` is empty, publishes it; the bot hears of both."""
        pull = self.github.open_pull(REPO, "leo-dev", "Round VAT per line", f"Fixes #{number}")
        self.github.merge_pull(REPO, pull, "leo-dev")
        self.poll()
        if release:
            self.github.publish_release(REPO, release)
            self.poll()

    def retry_dead_letters(self) -> None:
        """What an operator does with `passerelle outbox retry` once the cause is mended."""
        with self.bot.store.write() as session:
            for effect in session.scalars(sa.select(Effect).where(Effect.state == EffectState.DEAD)):
                outbox.retry(session, self.clock, effect.id)
        self.settle()

    def close(self) -> None:
        self.stop_bot()
        self.world.stop()


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Builds a house whose configuration was changed first."""
    houses: list[House] = []

    def make(change: Change | None = None, *, gitlab: bool = False) -> House:
        houses.append(House(tmp_path, change, gitlab=gitlab))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """The demo's house."""
    return make_house()


def shown(message: dict[str, Any]) -> str:
    """Everything that a message or view shows, as one text."""
    found: list[str] = [str(message.get("text", ""))] if isinstance(message.get("text"), str) else []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("text"), str):
                found.append(node["text"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(message.get("blocks", []))
    return "\n".join(found)


def said(message: dict[str, Any]) -> str:
    """Everything that a message or view says, line by line as a person reads it."""
    lines = [message["text"]] if isinstance(message.get("text"), str) else []

    def read(node: Any) -> None:
        if isinstance(node, list):
            for value in node:
                read(value)
        elif isinstance(node, dict):
            if node.get("type") in ("rich_text_section", "rich_text_quote", "rich_text_preformatted"):
                lines.append("".join(str(one.get("text") or one.get("user_id", "")) for one in node["elements"]))
            else:
                if isinstance(node.get("text"), str):
                    lines.append(node["text"])
                for value in node.values():
                    read(value)

    read(message.get("blocks", []))
    return "\n".join(lines)
