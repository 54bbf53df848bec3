"""What a Support Dev decides about an issue, from Slack or from the tracker, with the same result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot import days
from bot.bridge import known, moved, news, ship
from bot.bridge.core import Bridge, issue_of
from bot.configuration import Project
from bot.model import Happening, News, Severity, Stage, UserError
from bot.store import queries
from bot.store.tables import Issue, new_id

NOT_ANY_MORE = frozenset({"none", "aucune", "aucun"})
"""What takes a promise back."""

REASON_LIMIT = 3000
"""Characters: what Slack shows in one section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the modal `change` says; "" for what nobody chose."""

    support_dev: str = ""
    severity: str = ""
    date: str | None = None  # ISO; "" takes a promise back
    same_as: str = ""  # another issue's id


def acknowledge(bridge: Bridge, issue_id: str, by: str) -> None:
    """The Support Dev has seen it. Saying it again changes nothing. Raises UserError."""
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        if issue.stage is Stage.FILING:
            raise UserError("This issue is not filed yet. Try again in a moment.")
        bridge.advance(session, issue, Happening.ACKNOWLEDGED, by=by)
        if by in {dev.slack for dev in bridge.project(issue.project).support_devs}:
            taken_in(bridge, session, issue, by, by)
        bridge.keep_current(session, issue)


def decline(bridge: Bridge, issue_id: str, reason: str, by: str) -> None:
    """The issue will not be mended, for a reason that customers can hear. Raises UserError."""
    if not reason.strip():
        raise UserError("Give the reason that customers will hear.")
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        count = queries.declines(session, issue_id)
        if not decline_in(bridge, session, issue, reason.strip(), by=by, cause=f"declined:slack:{count}"):
            raise UserError("This issue is settled already, so it cannot be declined.")


def decline_in(
    bridge: Bridge, session: Session, issue: Issue, reason: str, *, by: str, cause: str, commented: bool = False
) -> bool:
    """Decline within the caller's transaction; False where the issue's stage does not allow it. `commented`: the
    reason stands in the tracker already."""
    if not bridge.advance(session, issue, Happening.DECLINED, by):
        return False
    issue.wanted = ""
    item = news.publish(bridge, session, issue, News.DECLINED, cause, text=reason[:REASON_LIMIT], by=by)
    if item is not None:
        bridge.promise(
            session,
            "decline",
            f"declined:{item.id}",
            f"issue:{issue.id}",
            lane=bridge.lane(issue),
            issue=issue.id,
            news=item.id,
            commented=commented,
        )
    bridge.keep_current(session, issue)
    return True


def mark_fixed(bridge: Bridge, issue_id: str, references_text: str, word: str, by: str) -> None:
    """A Support Dev names what fixes an issue, or says what was done without a commit. Raises UserError."""
    named, word = references_text.strip(), word.strip()
    if bool(named) == bool(word):
        raise UserError("Name a commit, pull or merge request, or say what was done without one: one of the two.")
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        if issue.stage is Stage.FILING:
            raise UserError("This issue is not filed yet. Try again in a moment.")
        if word:
            if not ship.vouched(bridge, session, issue, word[:REASON_LIMIT], by, f"word:slack:{new_id()}"):
                raise UserError("This issue is settled already. Reopen it in the tracker first.")
            return
        if issue.stage is Stage.SHIPPED:
            raise UserError("This issue is settled already. Reopen it in the tracker first.")
        key = f"named:{issue.id}:{new_id()}"
        lane = bridge.lane(issue)
        bridge.promise(session, "named", key, f"look:{issue.id}", lane=lane, issue=issue.id, named=named, by=by)


def carry(bridge: Bridge, issue_id: str, project_key: str, by: str) -> None:
    """The issue goes to another project, on this tracker or another. Raises UserError."""
    project = bridge.project(project_key)
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        may_carry(issue, project)
        moved.carry(bridge, session, issue, project, by)


def may_carry(issue: Issue, project: Project) -> None:
    """Raises UserError where an issue cannot go to that project."""
    if issue.number is None:
        raise UserError("This issue is not filed yet. Try again in a moment.")
    if issue.stage in (Stage.SHIPPED, Stage.DECLINED):
        raise UserError("This issue is settled already. Reopen it in the tracker first.")
    if issue.project == project.key:
        raise UserError("It is in this project already.")


def refile(bridge: Bridge, issue_id: str, by: str) -> None:
    """An issue that the tracker has lost is filed again. Pressing twice changes nothing. Raises UserError."""
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        if issue.wanted == moved.GONE:
            moved.refile(bridge, session, issue, by)


# --- who has it, how bad it is, when to expect it ---------------------------------------------------------------------


def taken_in(bridge: Bridge, session: Session, issue: Issue, person: str, by: str) -> None:
    """They hear of it, unless it was their own doing. Raises UserError for somebody who is no Support Dev of it."""
    devs = {dev.slack: dev.tracker for dev in bridge.project(issue.project).support_devs}
    if person not in devs:
        raise UserError("An issue goes to one of its project's Support Devs.")
    if issue.support_dev == person:
        return
    issue.support_dev = person
    bridge.record(session, "handed", issue=issue, by=person)
    if person != by:
        bridge.notify(session, "handed", f"handed:{issue.id}:{person}:{new_id()}", person, issue=issue.id, by=by)
    if issue.number is not None:
        key = f"assign:{issue.id}"
        bridge.refresh(session, "assign", key, f"issue:{issue.id}", lane=bridge.lane(issue), issue=issue.id)
    bridge.show(session, issue)


def severity_in(bridge: Bridge, session: Session, issue: Issue, severity: Severity, by: str) -> None:
    """How bad it is; saying the same again changes nothing."""
    if issue.severity is severity:
        return
    issue.severity = severity
    bridge.record(session, f"severity:{severity.value}", issue=issue, by=by)
    bridge.show(session, issue)


def promise_in(
    bridge: Bridge, session: Session, issue: Issue, when: str, by: str, said_at: datetime | None = None
) -> None:
    """A Support Dev says before which day nobody should expect it, as of when they said so where they are; "none" takes
    that back. Each agent hears it once. Raises UserError."""
    if issue.stage in (Stage.SHIPPED, Stage.DECLINED):
        raise UserError("This issue is settled already. Reopen it in the tracker first.")
    now, here = bridge.clock.now(), bridge.zone(session, by)
    today, then = (moment.astimezone(here).date() for moment in (now, said_at or now))
    day = None if when.strip().lower() in NOT_ANY_MORE else days.day_in(when, then)
    if when.strip() and day is None and when.strip().lower() not in NOT_ANY_MORE:
        raise UserError("I do not read a day in that. Write it as 2026-12-24, or as a weekday.")
    if day is not None and day <= today:
        raise UserError("That day is not to come. Name a later one, or write none to take the promise back.")
    if day == issue.promised_on:
        return
    issue.promised_on, issue.promised_by = day, by if day else ""
    bridge.record(session, "promised", issue=issue, by=by, proof={"on": day.isoformat()} if day else None)
    if issue.number is not None:
        key = f"due:{issue.id}"
        bridge.refresh(session, "due", key, f"issue:{issue.id}", lane=bridge.lane(issue), issue=issue.id)
    times = new_id()
    for person in dict.fromkeys(one.agent for one in issue.escalations):
        on = day.isoformat() if day else ""
        bridge.notify(
            session, "promised", f"promised:{issue.id}:{times}:{person}", person, issue=issue.id, on=on, by=by
        )
    bridge.show(session, issue)


def change(bridge: Bridge, issue_id: str, wanted: Change, by: str) -> None:
    """What one modal says of an issue, all or nothing; what is as it was changes nothing. Raises UserError."""
    with bridge.store.write() as session:
        issue = issue_of(session, issue_id)
        if wanted.support_dev:
            taken_in(bridge, session, issue, wanted.support_dev, by)
        if wanted.severity:
            severity_in(bridge, session, issue, Severity(wanted.severity), by)
        if wanted.date is not None:
            promise_in(bridge, session, issue, wanted.date or "none", by)
        if wanted.same_as:
            _merge(bridge, session, issue, wanted.same_as, by)


def _merge(bridge: Bridge, session: Session, issue: Issue, other_id: str, by: str) -> None:
    """The issue is the same as another: the tracker closes it as a duplicate, and its customers follow."""
    other = known.chosen(bridge, session, other_id, issue.kind.value, issue.severity.value)
    while other is not None and other.joined is not None:
        other = session.get(Issue, other.joined, with_for_update=True)
    if other is None:
        raise UserError("That issue is not known here any more.")
    if other.id == issue.id:
        raise UserError("It is this very issue. Choose another one.")
    if issue.number is None or other.number is None:
        raise UserError("One of the two is not filed yet. Try again in a moment.")
    if issue.tracker != other.tracker:
        raise UserError("They are in different trackers. Carry one to the other's project first.")
    if issue.stage in (Stage.SHIPPED, Stage.DECLINED):
        raise UserError("This issue is settled already. Reopen it in the tracker first.")
    key = f"merge:{issue.id}:{other.id}:{new_id()}"
    lane = bridge.lane(issue)
    bridge.promise(session, "merge", key, f"issue:{issue.id}", lane=lane, issue=issue.id, other=other.id)
    bridge.record(session, "merged", issue=issue, by=by)
