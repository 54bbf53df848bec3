"""News: what customers should hear, who hears it, and the write-back that each escalation then owes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy.orm import Session

from bot.bridge.core import Bridge
from bot.model import ENDS, MEANWHILE, SUPERSEDED, Confirmation, News, Step, WriteBack, step
from bot.store import queries
from bot.store.tables import Escalation, Hearing, Issue, NewsItem, Round, WriteBackRow


def publish(
    bridge: Bridge,
    session: Session,
    issue: Issue,
    kind: News,
    cause: str,
    *,
    text: str = "",
    proof: dict[str, Any] | None = None,
    by: str = "",
) -> NewsItem | None:
    """Publish news of the end to everybody on the issue; None when this cause was published before.

    What follows an `@` in `cause` tells two tellings of the same thing apart: a customer who was written the first
    need not hear the second.
    """
    if queries.news(session, issue.id, cause) is not None:
        return None
    same = [item for item in issue.news if stem(item.cause) == stem(cause)]
    if issue.news:
        overtake(bridge, session, issue)
    news = _item(bridge, session, issue, kind, cause, text=text, proof=proof, by=by)
    for escalation in issue.escalations:
        if _heard(escalation) not in same:
            owe(bridge, session, escalation, news)
    for item in same:  # what a customer has heard, before it was taken back by mistake, holds again for them
        item.stands = any(_heard(escalation) is item for escalation in issue.escalations)
    return news


def tell(
    bridge: Bridge, session: Session, issue: Issue, kind: News, cause: str, *, text: str = "", by: str = ""
) -> NewsItem:
    """Publish news of the meantime to everybody on the issue, beside what stands."""
    news = _item(bridge, session, issue, kind, cause, text=text, by=by)
    for escalation in issue.escalations:
        owe(bridge, session, escalation, news)
    return news


def _item(
    bridge: Bridge,
    session: Session,
    issue: Issue,
    kind: News,
    cause: str,
    *,
    text: str = "",
    proof: dict[str, Any] | None = None,
    by: str = "",
) -> NewsItem:
    item = NewsItem(kind=kind, cause=cause, text=text, proof=proof or {}, by=by, at=bridge.clock.now())
    issue.news.append(item)
    session.flush()
    return item


def settle(bridge: Bridge, session: Session, item: NewsItem) -> list[WriteBackRow]:
    """Nobody has to write of this news any more; the write-backs that were still due."""
    rows = [row for row in queries.write_backs_of(session, item.id) if row.state is WriteBack.DUE]
    for row in rows:
        row.state = step(row.state, Step.SKIP) or row.state
        row.reason, row.done_at = SUPERSEDED, bridge.clock.now()
        refresh_round(bridge, session, row)
    return rows


def correct(bridge: Bridge, session: Session, issue: Issue, told: Sequence[WriteBackRow]) -> None:
    """What these customers were told does not hold any more: their agents hear it, and owe them the truth."""
    standing = [item for item in issue.news if item.stands and item.kind is News.ROLLED_BACK]
    news = standing[-1] if standing else None
    if news is None:
        proof = {"back": issue.back, "out": list(issue.out.values())}
        head = issue.back.get("head") or {}
        named = (issue.back["why"], issue.project, head["line"], head["id"]) if head else (issue.id,)
        named_so = cause(issue, "back", *named)
        news = NewsItem(issue_id=issue.id, kind=News.ROLLED_BACK, cause=named_so, proof=proof, at=bridge.clock.now())
        session.add(news)
        session.flush()
    for row in told:
        owe(bridge, session, row.escalation, news)


def told(session: Session, item: NewsItem) -> list[WriteBackRow]:
    """The write-backs of this news that reached the customer."""
    return [row for row in queries.write_backs_of(session, item.id) if row.state is WriteBack.WRITTEN]


def cause(issue: Issue, *named: str) -> str:
    """The cause of the next telling of what is named so. A tag can have an `@` of its own."""
    name = ":".join(named).replace("@", "%40")
    before = sum(stem(item.cause) == name for item in issue.news)
    return f"{name}@{before}" if before else name


def stem(cause: str) -> str:
    """What tellings of the same thing have in common."""
    return cause.partition("@")[0]


def _heard(escalation: Escalation) -> NewsItem | None:
    """The last news that certainly reached the customer; None where they said that it does not hold for them."""
    written = [row for row in escalation.write_backs if row.state is WriteBack.WRITTEN]
    last = max(written, key=lambda row: (row.done_at or row.due_at, row.news.at), default=None)
    return last.news if last and last.confirmation is not Confirmation.STILL_BROKEN else None


def owe_standing(bridge: Bridge, session: Session, escalation: Escalation) -> None:
    """A ticket that joins an issue late hears the news that still stands, in a round of its own."""
    standing = [news for news in escalation.issue.news if news.stands and news.kind is not News.ROLLED_BACK]
    heard = _heard(escalation)
    for name, news in {stem(news.cause): news for news in standing}.items():
        if heard is not None and stem(heard.cause) == name:
            _heard_by_all(bridge, session, escalation, news)
        else:
            owe(bridge, session, escalation, news)


def owe(bridge: Bridge, session: Session, escalation: Escalation, news: NewsItem) -> None:
    """Make the write-back due for the agent, and let followers hear."""
    bridge.hold(session, escalation.ticket)
    if queries.write_back(session, escalation.id, news.id) is None:
        session.add(
            WriteBackRow(
                escalation_id=escalation.id, news_id=news.id, agent=escalation.agent, due_at=bridge.clock.now()
            )
        )
    _heard_by_all(bridge, session, escalation, news)


def _heard_by_all(bridge: Bridge, session: Session, escalation: Escalation, news: NewsItem) -> None:
    for person in {escalation.agent, *(follower.person for follower in escalation.followers)}:
        hear(bridge, session, person, escalation, news)


def hear(bridge: Bridge, session: Session, person: str, escalation: Escalation, news: NewsItem) -> None:
    """One person hears one piece of news about one escalation, once, in the open round of its cause."""
    if session.get(Hearing, (person, escalation.id, news.id)) is not None:
        return
    current = _open_round(bridge, session, person, news.cause)
    session.add(
        Hearing(person=person, escalation_id=escalation.id, news_id=news.id, round_id=current.id, at=bridge.clock.now())
    )
    session.flush()
    bridge.promise(
        session, "told", f"told:{current.id}:{person}", f"dm:{person}", lane=f"slack:{person}", round=current.id
    )


def _open_round(bridge: Bridge, session: Session, person: str, cause: str) -> Round:
    found = queries.open_round(session, person, cause)
    if found is None:
        found = Round(cause=cause, agent=person, created_at=bridge.clock.now())
        session.add(found)
        session.flush()
    return found


def hold(bridge: Bridge, session: Session, issue: Issue) -> None:
    """The news of the end no longer holds: what was not written yet waits. That it was taken back holds on."""
    for news in issue.news:
        news.stands = news.stands and news.kind not in ENDS
    for escalation in issue.escalations:
        bridge.hold(session, escalation.ticket)
    _step_all(bridge, session, issue, WriteBack.DUE, Step.HOLD, but={*MEANWHILE, News.ROLLED_BACK})


def overtake(bridge: Bridge, session: Session, issue: Issue, but: Collection[News] = ()) -> None:
    """Newer news of the end takes the place of the older: nobody has to write that any more; of the kinds `but` it
    stays."""
    for item in issue.news:
        item.stands = item.stands and item.kind in but
    _step_all(bridge, session, issue, WriteBack.HELD, Step.RELEASE, but)
    for row in _step_all(bridge, session, issue, WriteBack.DUE, Step.SKIP, but):
        row.reason, row.done_at = SUPERSEDED, bridge.clock.now()


def excuse(bridge: Bridge, session: Session, escalation: Escalation) -> None:
    """What an escalation owes for an issue that is not its own is not owed any more."""
    for row in escalation.write_backs:
        for taken in (Step.RELEASE, Step.SKIP):
            row.state = step(row.state, taken) or row.state
        if row.state is WriteBack.SKIPPED and not row.done_at:
            row.reason, row.done_at = SUPERSEDED, bridge.clock.now()
            refresh_round(bridge, session, row)


def _step_all(
    bridge: Bridge, session: Session, issue: Issue, state: WriteBack, taken: Step, but: Collection[News] = ()
) -> Sequence[WriteBackRow]:
    rows = [row for row in queries.write_backs(session, issue.id, state) if row.news.kind not in but]
    for row in rows:
        row.state = step(row.state, taken) or row.state
        refresh_round(bridge, session, row)
    return rows


def refresh_round(bridge: Bridge, session: Session, row: WriteBackRow) -> None:
    """The message that told of this write-back shows its new state."""
    hearing = session.get(Hearing, (row.agent, row.escalation_id, row.news_id))
    if hearing is not None:
        bridge.refresh(
            session,
            "round",
            f"round:{hearing.round_id}",
            f"dm:{row.agent}",
            lane=f"slack:{row.agent}",
            round=hearing.round_id,
        )
