"""Handing over: who writes back to a customer when their agent cannot, or does not.

An escalation goes as a whole: what is due on it, and what comes. Whoever had it follows, and hears the news on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.bridge import confirm, news
from bot.bridge.core import Bridge
from bot.model import Confirmation, UserError, WriteBack
from bot.store import handed
from bot.store.tables import Escalation, Follower, WriteBackRow

OPEN = (WriteBack.DUE, WriteBack.HELD, WriteBack.UNCERTAIN)

TOGETHER = 100
"""How many customers one offer can hold: an id has 16 characters, a button's value 2,000."""


def hand_over(bridge: Bridge, write_back_id: str, to: str, by: str) -> None:
    """Somebody gives a customer to a colleague, or takes one; "": whoever takes it, asked in the channel. Raises
    UserError."""
    if to and not bridge.may_flag(bridge.look_up(to)):
        raise UserError("They cannot write back here: choose somebody of the support team.")
    with bridge.store.write() as session:
        escalation = _movable(session, write_back_id)
        if not to:
            offer(bridge, session, escalation.agent, [escalation], by)
        elif to == escalation.agent:
            raise UserError("It is theirs already.")
        else:
            move(bridge, session, escalation, to, by)


def take(bridge: Bridge, agent: str, escalation_ids: Sequence[str], by: str) -> int:
    """Somebody takes what was offered in the channel of an agent's; how many customers were still to be had. Raises
    UserError."""
    with bridge.store.write() as session:
        found = [session.get(Escalation, one, with_for_update=True) for one in escalation_ids]
        left = [one for one in found if one is not None and one.agent == agent and movable(one)]
        if left and agent == by:
            raise UserError("You have them: nobody has taken this. Write back from my message to you.")
        if not left:
            raise UserError("Somebody has taken this already, or it is done.")
        for escalation in left:
            move(bridge, session, escalation, by, by)
        return len(left)


def _movable(session: Session, write_back_id: str) -> Escalation:
    row = session.get(WriteBackRow, write_back_id)
    if row is None or row.escalation.taken_off is not None:
        raise UserError("That write-back is not known here any more.")
    if _sending(row.escalation):
        raise UserError("A reply to this customer is on its way. Try again in a moment.")
    return row.escalation


def open_of(escalation: Escalation) -> list[WriteBackRow]:
    return [row for row in escalation.write_backs if row.state in OPEN]


def answered(escalation: Escalation) -> list[WriteBackRow]:
    """The write-backs whose customer answered, and nobody said what it means."""
    return [row for row in escalation.write_backs if row.confirmation is Confirmation.ANSWERED]


def movable(escalation: Escalation) -> bool:
    """Whether there is something on it for somebody to do, and no reply on its way."""
    waits = open_of(escalation) or answered(escalation)
    return bool(waits) and escalation.taken_off is None and not _sending(escalation)


def _sending(escalation: Escalation) -> bool:
    return any(row.state is WriteBack.SENDING for row in escalation.write_backs)


def move(bridge: Bridge, session: Session, escalation: Escalation, to: str, by: str) -> None:
    """The escalation is another agent's from now on."""
    before, escalation.agent = escalation.agent, to
    if session.get(Follower, (escalation.id, before)) is None:
        session.add(Follower(escalation_id=escalation.id, person=before, since=bridge.clock.now()))
    following = session.get(Follower, (escalation.id, to))
    if following is not None:
        session.delete(following)
    session.flush()
    session.refresh(escalation, ["followers"])
    rows = open_of(escalation)
    for row in rows:
        news.refresh_round(bridge, session, row)  # whoever had it sees whose it is
        row.agent, row.again_at = to, bridge.clock.now()
        news.hear(bridge, session, to, escalation, row.news)
        news.refresh_round(bridge, session, row)
        if row.state is WriteBack.UNCERTAIN:
            key = f"uncertain:{row.id}:{row.tries}:{to}"
            bridge.notify(session, "uncertain", key, to, write_back=row.id, tries=row.tries, why=row.reason)
    for row in answered(escalation):
        confirm.tell(bridge, session, row)
    bridge.record(session, "handed_over", escalation=escalation, by=to)
    if not rows or by != to:
        key = f"handed_over:{escalation.id}:{to}:{handed.times(session, escalation.id)}"
        bridge.notify(session, "handed_over", key, to, escalation=escalation.id, before=before, by=by)
    bridge.keep_current(session, escalation.issue)


def offer(bridge: Bridge, session: Session, agent: str, escalations: Sequence[Escalation], by: str) -> None:
    """Ask in the channel who takes these customers of one agent: once for each write-back, while it is theirs."""
    asked = handed.offered(session, agent)
    since = {one.id: handed.since(session, one.id) for one in escalations}
    new = {
        one.id: [row.id for row in _asks(one) if not _asked(asked.get(row.id), since[one.id])] for one in escalations
    }
    wanted = sorted(id for id, rows in new.items() if rows)
    if by and not wanted:
        raise UserError("The channel was asked already.")
    channel = next((one for one in bridge.settings.slack.agents or () if one[0] in "CG"), bridge.settings.slack.channel)
    for at in range(0, len(wanted), TOGETHER):
        part = wanted[at : at + TOGETHER]
        rows = sorted(row for one in part for row in new[one])
        times = max(handed.times(session, one) for one in part)
        bridge.refresh(
            session,
            "offer",
            f"offer:{agent}:{rows[0]}" + (f":{times}" if times else ""),
            f"offer:{agent}",
            lane=f"slack:{channel}",
            channel=channel,
            agent=agent,
            by=by,
            escalations=part,
            write_backs=rows,
        )


def _asked(at: datetime | None, since: datetime | None) -> bool:
    """Whether the channel was asked since it is that agent's."""
    return at is not None and (since is None or at > since)


def _asks(escalation: Escalation) -> list[WriteBackRow]:
    """What somebody has to do something about now."""
    return [row for row in open_of(escalation) if row.state is not WriteBack.HELD] + answered(escalation)


# --- by itself --------------------------------------------------------------------------------------------------------


def look(bridge: Bridge, session: Session) -> None:
    """Promise to ask Slack of each agent whom customers wait for whether they are there: once every few hours."""
    now = bridge.clock.now()
    part = int(now.timestamp() // EVERY)
    for agent in handed.owing(session, answered_since(bridge)):
        key = f"there:{agent}:{part}"
        bridge.promise(session, "there", key, f"there:{agent}", lane=f"slack:{agent}", agent=agent)


def answered_since(bridge: Bridge) -> datetime:
    """Of a customer who answered before, nobody has to hear any more."""
    return bridge.clock.now() - timedelta(seconds=bridge.settings.write_backs.silent_after)


EVERY = 3 * 3600
"""Seconds between two looks at one agent."""


def pass_on(
    bridge: Bridge, session: Session, agent: str, escalations: Sequence[Escalation], takers: dict[str, str]
) -> None:
    """Each of these customers goes to whoever has the ticket in the helpdesk (`takers`: Slack ids by address); the
    others are offered in the channel."""
    left = []
    for escalation in escalations:
        to = takers.get(escalation.ticket.assignee.casefold(), "")
        if to and to != agent:
            move(bridge, session, escalation, to, "")
        else:
            left.append(escalation)
    if left:
        offer(bridge, session, agent, left, "")
