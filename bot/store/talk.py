"""Tables of the talk between Support Dev and support, and of who is on duty."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Row, new_id, words


class Side(StrEnum):
    """Where something was said."""

    ISSUE = "issue"
    THREAD = "thread"


class Remark(Row):
    """Something said on one side that stands on the other too: a comment in the issue, a message in its thread."""

    __tablename__ = "remark"
    __table_args__ = (sa.UniqueConstraint("issue_id", "side", "place"),)
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    issue_id: Mapped[str] = mapped_column(sa.ForeignKey("issue.id"))
    side: Mapped[Side] = mapped_column(words(Side))
    place: Mapped[str]  # where it was said: the comment's id, or the message's ts
    copy: Mapped[str] = mapped_column(default="")  # where it stands on the other side; "" while it is not there
    tracker: Mapped[str] = mapped_column(default="")  # where the comment stands, which the issue may have left since
    repository: Mapped[str] = mapped_column(default="")
    number: Mapped[int] = mapped_column(default=0)
    synced: Mapped[bool] = mapped_column(default=False)  # nobody said that it shall go over
    by: Mapped[str]  # a Slack id, or a login in the tracker
    text: Mapped[str] = mapped_column(sa.Text)
    answers: Mapped[str | None] = mapped_column(sa.ForeignKey("news.id"))  # the question
    gone: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]


class Arranged(StrEnum):
    """What people arrange about who is on duty."""

    TAKES = "takes"  # the person has the duty
    AWAY = "away"  # the person has it not; the next one does
    EVERYONE = "everyone"  # all have it together, for the hours of one day


class Swap(Row):
    """What somebody arranged for a project's duty from `first` to `last`, whatever the rotation says."""

    __tablename__ = "swap"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    project: Mapped[str] = mapped_column(index=True)
    kind: Mapped[Arranged] = mapped_column(words(Arranged))
    person: Mapped[str]  # Slack id; "" for everyone
    first: Mapped[date]
    last: Mapped[date]
    hours: Mapped[str] = mapped_column(default="")  # of EVERYONE: 14:00-18:00
    by: Mapped[str]
    at: Mapped[datetime]  # no two in a project have the same; what is arranged together for several has one


class Snooze(Row):
    """Until when a person wants to hear nothing of an issue that only reminds them."""

    __tablename__ = "snooze"
    person: Mapped[str] = mapped_column(primary_key=True)  # Slack id
    issue_id: Mapped[str] = mapped_column(sa.ForeignKey("issue.id"), primary_key=True)
    until: Mapped[datetime]


class Nudge(Row):
    """One step of reminding that was taken. With another `since`, the steps of the same subject begin anew."""

    __tablename__ = "nudge"
    what: Mapped[str] = mapped_column(primary_key=True)  # triage | answer | promise | write_back
    subject: Mapped[str] = mapped_column(primary_key=True)  # the id of the issue, the news or the write-back
    since: Mapped[datetime] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)  # own, own2, own4… | leads | over (nothing more is to come)
    person: Mapped[str] = mapped_column(primary_key=True)  # who heard it
    issue_id: Mapped[str] = mapped_column(sa.ForeignKey("issue.id"), index=True)
    at: Mapped[datetime]  # when they heard it first; over, of a write-back: until when nothing more is to come
    again: Mapped[bool] = mapped_column(default=False)  # they want to hear it once more, or could not hear it then
