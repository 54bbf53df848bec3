"""Killed at any moment, among services that fail, the bot loses nothing and doubles nothing."""

from __future__ import annotations

import json
import os
import random
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store.database import Store
from bot.store.tables import UNDONE, Effect, EffectState, Escalation, Ticket, WriteBackRow
from integrations.base import MARK
from integrations.sandbox.world import Sandbox
from tests.conftest import REPO
from tests.processes import BotProcess, Killer, Weather, until

AT_ONCE = 12
"""Agents who do something in the same moment."""

TICKET = re.compile(r"/agent/tickets/(\d+)")


@dataclass(frozen=True)
class Plan:
    new: int  # tickets that become an issue of their own
    attached: int  # tickets that join a known issue
    joined: int  # tickets that a second agent flags too
    agents: int
    written: int  # write-backs that are sent
    kills: int  # at least
    most_kills: int = 1000

    @property
    def tickets(self) -> int:
        return self.new + self.attached


class Town:
    """The stand-ins, the bot's process, and agents who do again what did not work."""

    def __init__(self, folder: Path, plan: Plan, *, socket_mode: bool) -> None:
        self.seed = int(os.environ.get("PASSERELLE_SEED", "0")) or random.SystemRandom().randrange(10**6)
        self.chance = random.Random(self.seed)
        self.sandbox = Sandbox(limits=False)
        self.slack, self.github, self.zendesk = self.sandbox.slack, self.sandbox.github, self.sandbox.zendesk
        self.agents = [f"U0AGENT{n}" for n in range(plan.agents)]
        for n, agent in enumerate(self.agents):
            self.slack.add_person(agent, f"agent{n}", f"Agent {n}", f"agent{n}@acme.example")
            self.zendesk.add_agent(f"Agent {n}", f"agent{n}@acme.example")
        self.tickets = [
            self.zendesk.open_ticket(f"Trouble {n}", f"It fails {n}.", f"Customer {n}", f"customer{n}@example.com")
            for n in range(plan.tickets)
        ]
        self.sandbox.start()
        self.bot = BotProcess(folder, self.sandbox, socket_mode=socket_mode)
        self.sandbox.send_webhooks_to(self.bot.url)
        self.weather = Weather(self.sandbox)
        self.killer = Killer(self.bot, self.weather.calls, self.chance, plan.most_kills)
        self.store = Store(self.bot.database)
        self.heard: dict[str, set[str]] = {agent: set() for agent in self.agents}  # tickets that each flagged
        self.repeated = 0
        self._pause = threading.Event()

    def close(self) -> None:
        self.killer.__exit__()
        self.bot.kill()
        self.store.close()
        self.sandbox.stop()

    # --- what people do -----------------------------------------------------------------------------------------------

    def flag(self, agent: str, ticket: str, title: str, like: str = "") -> None:
        """Flag a ticket until the modal closes without a word; `like`: on the issue of that title."""
        deadline = time.monotonic() + 180
        while not self._flagged(agent, ticket, title, like):
            assert time.monotonic() < deadline, f"{agent} gave up on {ticket} {self.bot.tail()}"
            self.repeated += 1
            self._pause.wait(0.3)
        self.heard[agent].add(ticket)

    def _flagged(self, agent: str, ticket: str, title: str, like: str) -> bool:
        before = {view["id"] for view in self.slack.views(agent)}
        if not self.slack.command(agent, ticket, "C0SUPPORT").ok:
            return False
        view = self._opened(agent, before)
        if view is None:
            return False
        inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
        if "words" in inputs:  # the helpdesk did not answer; the agent would rather try once more than paste
            return False
        values = {"title": title} if "title" in inputs else {}
        if like and "similar" in inputs:
            found = [one["value"] for one in self.slack.suggest(view["id"], "similar", like) if like in str(one)]
            if not found:
                return False
            values["similar"] = found[0]
        answer = self.slack.submit(view["id"], values)
        return answer.ok and not answer.body

    def _opened(self, agent: str, before: set[str]) -> dict[str, Any] | None:
        """The modal that came up, once it is filled; None when it never is."""
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            views = [view for view in self.slack.views(agent) if view["id"] not in before]
            if views and views[-1]["submit"] is not None:
                return views[-1]
            with self.slack.changed:
                self.slack.changed.wait(0.2)
        return None

    def write_back(self, agent: str, write_back: str, text: str) -> None:
        """Press the button of the round's message and send, until the button is gone or the modal closes."""
        deadline = time.monotonic() + 180
        while not self._written(agent, write_back, text):
            assert time.monotonic() < deadline, f"{agent} gave up on {write_back} {self.bot.tail()}"
            self.repeated += 1
            self._pause.wait(0.3)

    def _written(self, agent: str, write_back: str, text: str) -> bool:
        told = [one for one in self.slack.dm(agent) if key_of(one).startswith("told:")]
        message = next((one for one in told if f'"{write_back}"' in json.dumps(one)), None)
        if message is None:
            return True
        before = {view["id"] for view in self.slack.views(agent)}
        with suppress(LookupError):  # the message changed in this moment
            if not self.slack.press(agent, self.slack.dm_channel(agent), message["ts"], "write_back", write_back).ok:
                return False
            view = self._opened(agent, before)
            if view is None:
                return False
            answer = self.slack.submit(view["id"], {"reply": text})
            return answer.ok and not answer.body
        return False

    # --- what there is to see -----------------------------------------------------------------------------------------

    def issue_keys(self) -> list[str]:
        """The marks of the issues at GitHub."""
        return [key for issue in self.github.issues(REPO) for key in MARK.findall(issue["body"] or "")]

    def told(self, agent: str) -> list[str]:
        """The keys of the rounds that an agent heard."""
        return [key for one in self.slack.dm(agent) if (key := key_of(one)).startswith("told:")]

    def tickets_told(self) -> dict[str, set[str]]:
        """The tickets in each round's message as it was posted; it is edited later."""
        posted = (json.loads(call.body) for call in self.slack.wire.calls_to("POST", "/api/chat.postMessage"))
        return {key_of(one): set(TICKET.findall(json.dumps(one["blocks"]))) for one in posted}

    def untold(self) -> list[str]:
        """The tickets of which some agent has not heard the news."""
        tickets = self.tickets_told()
        told = {agent: set().union(*[tickets.get(key, ()) for key in self.told(agent)]) for agent in self.agents}
        return [f"{agent} {ticket}" for agent, flagged in self.heard.items() for ticket in flagged - told[agent]]

    def at_rest(self) -> bool:
        """Nothing that is promised is left undone, but for the polls that come every second."""
        with self.store.read() as session:
            query = sa.select(Effect.id).where(Effect.state.in_(UNDONE), Effect.kind != "poll").limit(1)
            return session.scalar(query) is None

    def undone(self) -> str:
        with self.store.read() as session:
            rows = session.scalars(sa.select(Effect).where(Effect.state.in_(UNDONE))).all()
        return f"{[(row.key, row.state.value, row.attempts, row.error) for row in rows][:20]} {self.bot.tail()}"


def key_of(message: dict[str, Any]) -> str:
    return str((message.get("metadata") or {}).get("event_payload", {}).get("key", ""))


def once_each(found: list[str], expected: int) -> None:
    """`expected` different ones, none twice."""
    assert [key for key, number in Counter(found).items() if number > 1] == []
    assert len(found) == expected


# --- the story --------------------------------------------------------------------------------------------------------


def everybody_flags(town: Town, plan: Plan) -> None:
    """New issues first, then tickets that join them and colleagues who flag the same ticket. Each agent does one thing
    at a time, all agents at once."""
    titles = [f"Basket trouble {n:03d}" for n in range(plan.new)]

    def new(a: int) -> None:
        for n in range(a, plan.new, plan.agents):
            town.flag(town.agents[a], town.tickets[n], titles[n])

    def attach(a: int) -> None:
        for n in range(plan.new + a, plan.tickets, plan.agents):
            town.flag(town.agents[a], town.tickets[n], "The same here", titles[n % plan.new])
        for n in range(a, plan.joined, plan.agents):
            town.flag(town.agents[a], town.tickets[n + 1], "Again")

    with ThreadPoolExecutor(AT_ONCE) as people:
        list(people.map(new, range(plan.agents)))
        list(people.map(attach, range(plan.agents)))


def fixes_ship(town: Town) -> None:
    for issue in town.github.issues(REPO):
        pull = town.github.open_pull(REPO, "leo-dev", f"Mend {issue['number']}", f"Fixes #{issue['number']}")
        town.github.merge_pull(REPO, pull, "leo-dev")
    town.github.publish_release(REPO, "v2.5.0")


def some_write_back(town: Town, plan: Plan) -> dict[str, str]:
    """Returns the ticket of each write-back that an agent sent."""
    with town.store.read() as session:
        query = sa.select(WriteBackRow.id, WriteBackRow.agent, Ticket.number).select_from(WriteBackRow)
        query = query.join(Escalation, Escalation.id == WriteBackRow.escalation_id).join(Ticket)
        rows = sorted((row.number, row.agent, row.id) for row in session.execute(query))
    chosen = rows[: plan.written]
    by_agent: dict[str, list[tuple[str, str]]] = {}
    for number, agent, row_id in chosen:
        by_agent.setdefault(agent, []).append((number, row_id))

    def write(agent: str) -> None:
        for number, row_id in by_agent[agent]:
            town.write_back(agent, row_id, f"Hello, {number} is mended.")

    with ThreadPoolExecutor(3) as people:  # few, so that it takes as long as some kills do
        list(people.map(write, by_agent))
    return {row_id: number for number, _, row_id in chosen}


# --- what must hold in the end ----------------------------------------------------------------------------------------


def hold_the_tracker(town: Town, plan: Plan) -> None:
    """One issue each, one table of customers on it with every customer, one card."""
    once_each(town.issue_keys(), plan.new)
    tables = [
        (key, comment["body"])
        for issue in town.github.issues(REPO)
        for comment in town.github.issue(REPO, issue["number"])["comments"]
        for key in MARK.findall(comment["body"])
    ]
    once_each([key for key, _ in tables], plan.new)
    assert {key.split(":")[0] for key, _ in tables} == {"customers"}
    cards = [key_of(one) for one in town.slack.messages("C0SUPPORTDEV") if key_of(one)]
    once_each(cards, plan.new)


def hold_the_tickets(town: Town, plan: Plan) -> None:
    """One note on each ticket, and one escalation of it."""
    notes = {
        number: [one for one in town.zendesk.ticket(number)["comments"] if not one["public"]] for number in town.tickets
    }
    assert {number: len(found) for number, found in notes.items() if len(found) != 1} == {}
    with town.store.read() as session:
        numbers = session.scalars(sa.select(Ticket.number).join(Escalation, Escalation.ticket_id == Ticket.id)).all()
        dead = session.scalars(sa.select(Effect.key).where(Effect.state == EffectState.DEAD)).all()
    once_each([str(number) for number in numbers], plan.tickets)
    assert list(dead) == []


def hold_the_news(town: Town) -> None:
    """Each agent one message per round, each of their tickets in exactly one of them, each notice once."""
    tickets = town.tickets_told()
    for agent, flagged in town.heard.items():
        keys = [key_of(one) for one in town.slack.dm(agent)]
        once_each(keys, len(keys))
        heard = Counter(ticket for key in town.told(agent) for ticket in tickets[key])
        assert heard == Counter(flagged), agent


def hold_the_replies(town: Town, sent: dict[str, str]) -> Counter[str]:
    """At most one reply to a customer; written, or the agent is asked to look."""
    with town.store.read() as session:
        states = {row.id: row.state.value for row in session.scalars(sa.select(WriteBackRow))}
    for row_id, number in sent.items():
        replies = len(town.zendesk.replies(number))
        assert states[row_id] in ("written", "uncertain"), (number, states[row_id])
        assert replies <= 1, number
        if states[row_id] == "written":
            assert replies == 1, number
    asked = [
        key.split(":")[1]
        for agent in town.agents
        for one in town.slack.dm(agent)
        if (key := key_of(one)) and key.startswith("uncertain:")
    ]
    assert sorted(asked) == sorted(row_id for row_id in sent if states[row_id] == "uncertain")
    silent = [number for number in town.tickets if number not in sent.values() and town.zendesk.replies(number)]
    assert silent == []
    return Counter(states[row_id] for row_id in sent)


def play(town: Town, plan: Plan) -> None:
    began = time.monotonic()
    print(f"\nseed {town.seed} (PASSERELLE_SEED)")
    town.bot.start()
    town.weather.begin()
    with town.killer:
        everybody_flags(town, plan)
        flagged = time.monotonic()
        print(f"flagged after {flagged - began:.0f} s, {town.killer.kills} kills")
        until(lambda: len(town.issue_keys()) >= plan.new, 150, "every issue is filed", town.undone)
        fixes_ship(town)
        # What failed six times in a row waits a minute: no test can wait for bad luck to end while it goes on.
        with suppress(AssertionError):
            until(lambda: not town.untold(), 45, "everybody heard while services fail")
        town.weather.clear_up()
        until(lambda: not town.untold(), 150, "everybody heard", lambda: f"{town.untold()} {town.undone()}")
        town.weather.begin()
        told = time.monotonic()
        print(f"told after {told - began:.0f} s, {town.killer.kills} kills")
        sent = some_write_back(town, plan)
        until(lambda: town.killer.kills >= plan.kills, 60, "enough kills", town.bot.tail)
    print(f"written back after {time.monotonic() - began:.0f} s")
    faults = town.weather.counted()
    town.weather.clear_up()
    until(town.at_rest, 150, "the outbox is empty", town.undone)
    hold_the_tracker(town, plan)
    hold_the_tickets(town, plan)
    hold_the_news(town)
    states = hold_the_replies(town, sent)
    with town.store.read() as session:
        effects = Counter(session.scalars(sa.select(Effect.kind)))
    print(f"{plan.tickets} escalations on {plan.new} issues, {plan.joined} joined; {town.killer.kills} kills")
    print(f"faults {sum(faults.values())}: {faults}")
    print(f"calls {town.weather.calls()}, effects {effects.total()}: {dict(effects)}")
    print(f"rounds {sum(len(town.told(agent)) for agent in town.agents)}, write-backs {dict(states)}")
    print(f"people tried again {town.repeated} times")
    print(f"all in {time.monotonic() - began:.0f} s")


def test_a_few_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Twenty escalations over Socket Mode, three kills: everything once."""
    plan = Plan(new=12, attached=8, joined=2, agents=4, written=5, kills=3, most_kills=3)
    town = Town(tmp_path, plan, socket_mode=True)
    try:
        play(town, plan)
    finally:
        town.close()


@pytest.mark.server
def test_killed_again_and_again_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """Two hundred escalations through signed requests and webhooks, at least twenty kills: everything once."""
    plan = Plan(new=80, attached=120, joined=20, agents=40, written=40, kills=20)
    town = Town(tmp_path, plan, socket_mode=False)
    try:
        play(town, plan)
    finally:
        town.close()
