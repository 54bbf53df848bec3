"""Whatever happens to a ticket, its agent, its news and the bot, in any order: each customer is written to once for
each piece of news, or skipped with a reason, and whoever has the customer has the button for it."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from bot.model import ENDS, OWED, Confirmation, News, Stage, WriteBack
from bot.slack import shown
from bot.store.tables import Escalation, Issue, WriteBackRow
from integrations.base import ServiceError
from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House
from tests.test_confirm import attach

FRESH = bool(os.environ.get("PASSERELLE_FRESH_HISTORIES"))
"""Whether many other stories are drawn; else they are the same few at each run."""

PEOPLE, TICKETS = ("U0ANA", "U0BEN"), ("4211", "4212")
OPEN = (WriteBack.DUE, WriteBack.UNCERTAIN)
PUT = r"/api/v2/tickets/\d+.json"

WRITES: tuple[str, ...] = ("plainly", "lost answer", "lost", "busy", "refused", "killed before", "killed after")
DEEDS: tuple[str, ...] = (
    "open",
    "send",
    "colleague",
    "customer",
    "merge",
    "close",
    "delete",
    "assign",
    "hand over",
    "channel",
    "take",
)
DEEDS += ("mark_written", "skip", "unmark", "works", "still_broken", "mend", "reopen", "decline", "withdraw", "leave")


class Deed(NamedTuple):
    """What somebody does: `which` of the two people or tickets."""

    what: str
    which: int

    @property
    def person(self) -> str:
        return PEOPLE[self.which]

    @property
    def ticket(self) -> str:
        return TICKETS[self.which]


deeds = st.lists(st.builds(Deed, st.sampled_from((*WRITES, *DEEDS)), st.integers(0, 1)), min_size=2, max_size=8)


class Play:
    """The house in which Ana and Ben each owe a customer the same news, and what happens there."""

    def __init__(self, folder: Path) -> None:
        self.house = house = House(folder)
        self.sent: dict[str, str] = {}  # by what was written, the write-back
        self.asked_again: set[str] = set()  # the write-backs whose agent looked, and wrote again
        self.versions = 5
        house.flag()
        attach(house, "U0BEN", "4212")
        self.mend()

    # --- what is there --------------------------------------------------------------------------------------------

    def rows(self) -> list[tuple[WriteBackRow, Escalation]]:
        """The write-backs of tickets that wait on an issue."""
        with self.house.bot.store.read() as session:
            query = sa.select(WriteBackRow, Escalation).join(Escalation, Escalation.id == WriteBackRow.escalation_id)
            found = session.execute(query.where(Escalation.taken_off.is_(None)).order_by(WriteBackRow.due_at))
            return [(row, one) for row, one in found]

    def issue(self) -> Issue:
        """The issue that is alive."""
        with self.house.bot.store.read() as session:
            return session.scalars(sa.select(Issue).order_by(Issue.created_at.desc())).first() or Issue()

    def messages(self, person: str, action: str, row: str = "") -> list[tuple[str, int]]:
        """The messages to somebody that have such a button, and which of such buttons it is, the newest last."""
        found = []
        for message in self.house.slack.dm(person):
            elements = [
                one
                for block in message.get("blocks", [])
                for one in [*block.get("elements", []), block.get("accessory") or {}]
                if one.get("action_id") == action
            ]
            found += [(message["ts"], at) for at, one in enumerate(elements) if row in ("", one["value"])]
        return found

    def press(self, person: str, action: str, row: str = "") -> bool:
        """Press the newest such button; False where there is none."""
        there = self.messages(person, action, row)
        if there:
            ts, index = there[-1]
            house = self.house
            assert house.slack.press(person, house.slack.dm_channel(person), ts, action, index=index).ok
        return bool(there)

    def fill(self, person: str, **values: Any) -> dict[str, str]:
        """Submit the modal that is open, unless it is a sentence; the bot does not go on by itself."""
        self.house.bot.listeners.settle()
        stack = self.house.slack.views(person)
        if not stack or not stack[-1].get("submit"):
            return {"": "nothing to submit"}
        view = stack[-1]
        self.house.slack.submit(view["id"], values)
        still = [one for one in self.house.slack.views(person) if one["id"] == view["id"]]
        return dict(still[0]["errors"] or {}) if still else {}

    # --- what happens ---------------------------------------------------------------------------------------------

    def take(self, deed: Deed) -> None:
        house, person = self.house, deed.person
        house.pass_time(minutes=3)
        if deed.what in WRITES:
            self.write(deed)
        elif deed.what == "open":
            self.close_views(person)
            self.press(person, "write_back")
            house.bot.listeners.settle()
        elif deed.what == "send":
            self.send(person)
        elif deed.what in ("colleague", "customer", "merge", "close", "delete", "assign"):
            self.at_the_helpdesk(deed)
        elif deed.what in ("mend", "reopen", "decline", "withdraw"):
            self.at_the_tracker(deed.what)
        elif deed.what == "leave":
            house.slack.set_status(person, ":palm_tree:")
            house.pass_time(hours=3)
            house.bot.schedule.tick_there()
        else:
            self.in_slack(deed)
        house.settle()
        house.pass_time(minutes=2)
        self.close_views(person) if deed.what != "open" else None

    def close_views(self, person: str) -> None:
        for view in reversed(self.house.slack.views(person)):
            self.house.slack.close_view(view["id"])

    def write(self, deed: Deed) -> None:
        faults = self.house.zendesk.wire.faults
        how = {
            "lost answer": Fault("drop_after", "PUT", PUT),
            "lost": Fault("drop", "PUT", PUT),
            "busy": Fault("refuse", "PUT", PUT, status=429, headers={"Retry-After": "300"}),
            "refused": Fault("refuse", "PUT", PUT, status=422),
        }.get(deed.what)
        self.close_views(deed.person)
        if not self.press(deed.person, "write_back"):
            return
        if how:
            faults.append(how)
        self.send(deed.person)
        if deed.what.startswith("killed"):
            self.kill(after=deed.what.endswith("after"))
        self.house.settle()
        if how in faults:
            faults.remove(how)

    def send(self, person: str) -> None:
        """Submit the open page, with words of its own."""
        stack = self.house.slack.views(person)
        if not stack or stack[-1]["callback_id"] != "write_back":
            return
        row = stack[-1]["private_metadata"].partition(":")[0]
        before = {one.id: one.state for one, _ in self.rows()}.get(row)
        text = f"Reply {len(self.sent) + 1}."
        if self.fill(person, reply=text) == {}:
            self.sent[text] = row
            if before is WriteBack.UNCERTAIN:
                self.asked_again.add(row)

    def kill(self, *, after: bool) -> None:
        """The process dies as it sends the reply: before the helpdesk has it, or after."""
        outbox = self.house.bot.outbox
        while claimed := outbox._claim():
            job, fence = claimed
            performer = outbox._performers[job.kind]
            if job.kind == "reply":
                with suppress(ServiceError):
                    performer.perform(job) if after else None
                return
            outbox._carry_out(job, fence, performer)

    def at_the_helpdesk(self, deed: Deed) -> None:
        desk = self.house.zendesk
        if self.status(deed.ticket) == "closed":
            return
        if deed.what == "close":
            desk.close(deed.ticket)
        elif deed.what == "delete":
            desk.delete(deed.ticket)
        elif deed.what == "assign":
            desk.assign(deed.ticket, "ben@acme.example")
        elif deed.what == "colleague":
            desk.agent_writes(deed.ticket, "ben@acme.example", "I had a look.")
        elif deed.what == "customer":
            desk.customer_writes(deed.ticket, "Any news?")
        elif self.status(other := TICKETS[1 - deed.which]) != "closed":
            desk.merge(deed.ticket, other, "ben@acme.example")

    def status(self, ticket: str) -> str:
        """How a ticket stands; one that was deleted is closed, too."""
        known = {str(one["number"]): str(one["status"]) for one in self.house.zendesk.tickets()}
        return known.get(ticket, "closed")

    def at_the_tracker(self, what: str) -> None:
        house, issue = self.house, self.issue()
        number = issue.number or 1
        if what == "mend":
            self.mend(number)
        elif what == "reopen" and house.issue(number)["state"] == "closed":
            house.github.reopen_issue(REPO, number, "leo-dev")
        elif what == "decline" and issue.stage not in (Stage.SHIPPED, Stage.DECLINED):
            house.github.comment(REPO, number, "leo-dev", "/decline It is meant to be so.")
        elif what == "withdraw" and any(
            one["tag_name"] == f"v2.{self.versions}.0" for one in house.github.releases(REPO)
        ):
            house.github.delete_release(REPO, f"v2.{self.versions}.0")
        for _ in range(3):
            house.poll()

    def mend(self, number: int = 1) -> None:
        """Whoever waits hears of the next version."""
        self.house.pass_time(minutes=1)
        if self.issue().stage is Stage.SHIPPED:
            return
        if self.issue().stage is Stage.DECLINED:
            self.house.github.reopen_issue(REPO, number, "leo-dev")
            self.house.poll()
        self.versions += 1
        self.house.mend(number, release=f"v2.{self.versions}.0")
        self.house.pass_time(minutes=3)

    def in_slack(self, deed: Deed) -> None:
        house, person, other = self.house, deed.person, PEOPLE[1 - deed.which]
        self.close_views(person)
        if deed.what == "take":
            if any("take_over" in str(one.get("blocks")) for one in house.slack.messages("C0SUPPORTDEV")):
                house.press(person, "take_over", channel="C0SUPPORTDEV")
            return
        action = {"hand over": "hand_over", "channel": "hand_over"}.get(deed.what, deed.what)
        if not self.press(person, action):
            return
        if deed.what == "hand over":
            self.fill(person, to=other)
        elif deed.what == "channel":
            self.fill(person)
        elif deed.what == "skip":
            self.fill(person, reason="They left us.")
        elif deed.what == "still_broken":
            self.fill(person, text="It is still broken.")

    # --- what holds -----------------------------------------------------------------------------------------------

    def holds(self) -> None:
        """What is true at any time, once all that is due was done."""
        with self.house.bot.store.read() as session:
            for row in session.scalars(sa.select(WriteBackRow)):
                if row.escalation.taken_off is not None:
                    assert row.state not in OPEN
                elif row.state in OPEN:
                    assert row.agent == row.escalation.agent
                assert row.reason or row.state is not WriteBack.SKIPPED
        for row, one in self.rows():
            if row.state is WriteBack.DUE:
                assert self.messages(one.agent, "write_back", row.id), f"no button for {one.agent}"
        with self.house.bot.store.read() as session:
            for one in session.scalars(sa.select(Escalation).where(Escalation.taken_off.is_(None))):
                self.truth(one)
        replies = [reply for one in self.house.zendesk.tickets() for reply in self.house.replies(str(one["number"]))]
        mine = [reply for reply in replies if reply in self.sent]
        assert len(mine) == len(set(mine)), "a reply went out twice"
        for row_id in set(self.sent.values()) - self.asked_again:
            assert sum(self.sent[reply] == row_id for reply in mine) <= 1, "two replies for one piece of news"

    def truth(self, one: Escalation) -> None:
        """Whoever was told last that it is out hears when that was taken back; unless customers alone say so."""
        told = [row for row in one.write_backs if row.state is WriteBack.WRITTEN]
        last = max(told, key=lambda row: row.news.at, default=None)
        if last is None or last.news.kind is not News.SHIPPED or last.news.stands:
            return
        broken = [row.confirmation for other in one.issue.escalations for row in other.write_backs]
        owed = [row for row in one.write_backs if row.news.kind is News.ROLLED_BACK and row.news.at > last.news.at]
        newer = [item for item in one.issue.news if item.stands and item.kind in ENDS]
        assert Confirmation.STILL_BROKEN in broken or newer or owed, "nobody owes the truth"
        assert all(row.state is not WriteBack.HELD for row in owed), "the truth waits"

    def end(self) -> None:
        """Everybody is back, the issue ships, and each agent does what their messages ask for."""
        house = self.house
        for person in PEOPLE:
            house.slack.set_status(person, "")
            self.close_views(person)
        for _ in range(4):
            house.pass_time(minutes=6)
        if self.issue().stage is not Stage.DECLINED:
            self.mend(self.issue().number or 1)
        for _ in range(4):
            for row, one in self.rows():
                if row.state in OPEN:
                    self.finish(row, one.agent)
        left = [row.state.value for row, one in self.rows() if row.state in OWED]
        assert left == [], f"left {left}"
        with house.bot.store.read() as session:
            for issue in session.scalars(sa.select(Issue)):
                for one in issue.escalations:
                    if issue.stage in (Stage.SHIPPED, Stage.DECLINED):
                        assert shown.heard(one), "somebody has not heard the end"

    def finish(self, row: WriteBackRow, person: str) -> None:
        """Write, or say why not."""
        self.house.pass_time(minutes=3)
        self.close_views(person)
        state = {one.id: one.state for one, _ in self.rows()}.get(row.id)
        if state is WriteBack.UNCERTAIN and self.press(person, "mark_written", row.id):
            self.house.settle()
        elif state is WriteBack.DUE:
            assert self.press(person, "write_back", row.id)
            self.house.bot.listeners.settle()
            self.send(person)
            self.house.settle()
            gone = {one.id: one.state for one, _ in self.rows()}.get(row.id) is WriteBack.DUE
            if gone and self.press(person, "skip", row.id):
                self.fill(person, reason="They cannot be reached.")
                self.house.settle()
        self.close_views(person)


@settings(
    max_examples=40 if FRESH else 3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not FRESH,
    database=None,
    report_multiple_bugs=False,
)
@given(deeds)
def test_each_customer_is_written_to_once_or_skipped_with_a_reason(taken: list[Deed]) -> None:
    """After any such story everything was said once, and nothing is left."""
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder))
        try:
            play.holds()
            for deed in taken:
                play.take(deed)
                play.holds()
            play.end()
            play.holds()
        finally:
            play.house.close()
