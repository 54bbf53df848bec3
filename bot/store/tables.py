"""The tables. Ids are random, so that a database made anew never matches an older installation's marks."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bot.model import Confirmation, Kind, News, Severity, Stage, WriteBack


class UTCTime(sa.TypeDecorator[datetime]):
    """An aware UTC datetime on every database; SQLite's own type would lose the offset. Naive values are refused."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone was about to be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class EffectState(StrEnum):
    """Where a promised call stands."""

    READY = "ready"
    SENDING = "sending"
    DOUBT = "doubt"  # it ended ambiguously: look before repeating
    DONE = "done"
    DEAD = "dead"  # given up, waits for a person
    DROPPED = "dropped"  # a person decided that it is not needed


UNDONE = (EffectState.READY, EffectState.SENDING, EffectState.DOUBT)


def new_id() -> str:
    """Sixty-four random bits, as 16 hex digits."""
    return secrets.token_hex(8)


def words(enum: type[StrEnum]) -> sa.Enum:
    return sa.Enum(enum, native_enum=False, length=20, values_callable=lambda kind: [one.value for one in kind])


class Row(DeclarativeBase):
    """What all tables share: names for constraints, so that migrations can find them again."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it from the class)
        datetime: UTCTime,
        dict[str, Any]: sa.JSON,
        list[str]: sa.JSON,
        Stage: words(Stage),
        Kind: words(Kind),
        Severity: words(Severity),
        News: words(News),
        WriteBack: words(WriteBack),
        Confirmation: words(Confirmation),
        EffectState: words(EffectState),
    }


class Person(Row):
    """Somebody in the Slack workspace, as Slack last told."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(primary_key=True)  # Slack's
    name: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="")
    tz: Mapped[str] = mapped_column(default="UTC")
    member: Mapped[bool]  # a full, active member of the workspace
    fetched_at: Mapped[datetime]


class Draft(Row):
    """What one person is about to flag, and what the helpdesk said of it. Makes at most one escalation."""

    __tablename__ = "draft"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str | None] = mapped_column(unique=True)  # what asked for it: a message and a person, a workflow's step
    person: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str] = mapped_column(default="")
    thread_ts: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(sa.Text, default="")  # the ticket, as the person named it
    helpdesk: Mapped[str] = mapped_column(default="")
    number: Mapped[str] = mapped_column(default="")
    ticket: Mapped[dict[str, Any] | None]  # the columns of a Ticket row, as fetched
    typed: Mapped[dict[str, Any]] = mapped_column(default=dict)
    kept_at: Mapped[datetime | None]  # when the person last typed something that is not filed
    allowed: Mapped[bool | None]
    escalation_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)


class Ticket(Row):
    """A customer's request that an escalation carries. Without a helpdesk, `helpdesk` and `number` are None."""

    __tablename__ = "ticket"
    __table_args__ = (sa.UniqueConstraint("helpdesk", "number"),)
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    helpdesk: Mapped[str | None]
    number: Mapped[str | None]  # by which it was flagged, and is known here
    goes_on_as: Mapped[str | None] = mapped_column(index=True)  # number of its follow-up, or of what it is merged into
    url: Mapped[str] = mapped_column(sa.Text, default="")
    subject: Mapped[str] = mapped_column(sa.Text, default="")
    customer_name: Mapped[str] = mapped_column(sa.Text, default="")
    customer_email: Mapped[str] = mapped_column(sa.Text, default="")
    organisation: Mapped[str] = mapped_column(sa.Text, default="")
    plan: Mapped[str] = mapped_column(sa.Text, default="")
    language: Mapped[str] = mapped_column(default="")
    words: Mapped[str] = mapped_column(sa.Text, default="")
    attachments: Mapped[list[str]] = mapped_column(default=list)
    tags: Mapped[list[str]] = mapped_column(default=list)
    fields: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)  # pairs of a name and a value
    assignee: Mapped[str] = mapped_column(default="")  # the e-mail address of the agent in charge in the helpdesk
    status: Mapped[str] = mapped_column(default="open")  # as `integrations.data.TicketStatus`
    waiting_since: Mapped[datetime]

    @property
    def place(self) -> str:
        """The number under which the helpdesk has its conversation now; "" without a helpdesk."""
        return self.goes_on_as or self.number or ""


class Issue(Row):
    """Engineering's record of one cause; `number` is None until the tracker has it."""

    __tablename__ = "issue"
    __table_args__ = (
        sa.UniqueConstraint("tracker", "repository", "number"),
        sa.Index("ix_issue_stage_stage_since", "stage", "stage_since"),
        sa.Index("ix_issue_project_stage", "project", "stage", "joined"),
    )
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    project: Mapped[str]
    tracker: Mapped[str]
    repository: Mapped[str]
    number: Mapped[int | None]
    url: Mapped[str] = mapped_column(sa.Text, default="")
    title: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[Kind]
    severity: Mapped[Severity]
    stage: Mapped[Stage] = mapped_column(default=Stage.FILING, index=True)
    stage_since: Mapped[datetime]
    support_dev: Mapped[str] = mapped_column(default="")  # Slack id
    assigned: Mapped[list[str]] = mapped_column(default=list)  # logins, as the tracker last showed them
    labels: Mapped[list[str]] = mapped_column(default=list)  # as the tracker last showed them
    exposed: Mapped[bool] = mapped_column(default=False)  # all members read it, where confidential issues are known
    promised_on: Mapped[date | None] = mapped_column(index=True)  # not before that day, a Support Dev said
    promised_by: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(sa.Text, default="")  # what was mended, in words for customers
    note_by: Mapped[str] = mapped_column(default="")
    wanted: Mapped[str] = mapped_column(default="")  # "reason" or "fix": what the Support Dev still owes
    trouble: Mapped[str] = mapped_column(sa.Text, default="")  # why we cannot go on, for a person
    fixes: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)  # of dicts, see bridge.records
    said_fixes: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)  # those that a Support Dev named
    out: Mapped[dict[str, Any]] = mapped_column(default=dict)  # where all its fixes are out: heads by `shipping.key`
    back: Mapped[dict[str, Any]] = mapped_column(default=dict)  # why it is not out any more, see `bridge.ship`
    heard_until: Mapped[datetime | None]  # the newest comment we have read
    closed_seen: Mapped[bool] = mapped_column(default=False)  # the tracker showed it closed: open again is a reopening
    reopened_at: Mapped[datetime | None]  # fixes from before do not count any more
    joined: Mapped[str | None] = mapped_column(sa.ForeignKey("issue.id"))  # the issue that took its place
    public: Mapped[bool | None]  # whether everybody could read its repository when we last wrote there
    channel: Mapped[str]
    card_ts: Mapped[str] = mapped_column(default="")
    table_comment: Mapped[str] = mapped_column(default="")  # the tracker's id of the customers' table
    created_at: Mapped[datetime] = mapped_column(index=True)
    escalations: Mapped[list[Escalation]] = relationship(
        back_populates="issue",
        order_by="Escalation.flagged_at",
        primaryjoin="and_(Escalation.issue_id == Issue.id, Escalation.taken_off.is_(None))",
    )
    news: Mapped[list[NewsItem]] = relationship(order_by="NewsItem.at")
    successor: Mapped[Issue | None] = relationship(remote_side="Issue.id")


class Escalation(Row):
    """One ticket carried to one issue."""

    __tablename__ = "escalation"
    __table_args__ = (sa.UniqueConstraint("ticket_id", "issue_id"),)
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    ticket_id: Mapped[str] = mapped_column(sa.ForeignKey("ticket.id"))
    issue_id: Mapped[str] = mapped_column(sa.ForeignKey("issue.id"), index=True)
    taken_off: Mapped[datetime | None]  # since when the ticket waits on the issue no more: kept for its history
    came_from: Mapped[str | None]  # the issue that it was on before that was closed as a duplicate
    agent: Mapped[str] = mapped_column(index=True)  # Slack id; owes the write-back
    title: Mapped[str] = mapped_column(sa.Text)
    summary: Mapped[str] = mapped_column(sa.Text, default="")
    files: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)  # in Slack: dicts with name and url
    flagged_at: Mapped[datetime]
    ticket: Mapped[Ticket] = relationship()
    issue: Mapped[Issue] = relationship(back_populates="escalations", primaryjoin="Escalation.issue_id == Issue.id")
    followers: Mapped[list[Follower]] = relationship()
    write_backs: Mapped[list[WriteBackRow]] = relationship(back_populates="escalation")


class Follower(Row):
    """Somebody else who flagged the same ticket: hears the news, owes nothing."""

    __tablename__ = "follower"
    escalation_id: Mapped[str] = mapped_column(sa.ForeignKey("escalation.id"), primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class NewsItem(Row):
    """A piece of news of one issue; `cause` is unique to it, so that hearing it twice changes nothing."""

    __tablename__ = "news"
    __table_args__ = (sa.UniqueConstraint("issue_id", "cause"),)
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    issue_id: Mapped[str] = mapped_column(sa.ForeignKey("issue.id"))
    kind: Mapped[News]
    cause: Mapped[str]
    text: Mapped[str] = mapped_column(sa.Text, default="")
    proof: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by: Mapped[str] = mapped_column(default="")
    stands: Mapped[bool] = mapped_column(default=True)  # False once a reopening took it back
    at: Mapped[datetime]
    issue: Mapped[Issue] = relationship(back_populates="news")


class Round(Row):
    """Everything that one cause makes due for one agent: one message."""

    __tablename__ = "round"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    cause: Mapped[str] = mapped_column(index=True)
    agent: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]  # from here on, nothing more joins it
    channel: Mapped[str] = mapped_column(default="")
    ts: Mapped[str] = mapped_column(default="")
    hearings: Mapped[list[Hearing]] = relationship(order_by="Hearing.at")


class Hearing(Row):
    """One person hears one piece of news about one escalation: once."""

    __tablename__ = "hearing"
    person: Mapped[str] = mapped_column(primary_key=True)
    escalation_id: Mapped[str] = mapped_column(sa.ForeignKey("escalation.id"), primary_key=True)
    news_id: Mapped[str] = mapped_column(sa.ForeignKey("news.id"), primary_key=True)
    round_id: Mapped[str] = mapped_column(sa.ForeignKey("round.id"), index=True)
    at: Mapped[datetime]
    escalation: Mapped[Escalation] = relationship()
    news: Mapped[NewsItem] = relationship()


class WriteBackRow(Row):
    """One escalation and one piece of news: what an agent owes a customer."""

    __tablename__ = "write_back"
    __table_args__ = (
        sa.UniqueConstraint("escalation_id", "news_id"),
        sa.Index("ix_write_back_state_due_at", "state", "due_at"),
    )
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    escalation_id: Mapped[str] = mapped_column(sa.ForeignKey("escalation.id"))
    news_id: Mapped[str] = mapped_column(sa.ForeignKey("news.id"), index=True)
    agent: Mapped[str] = mapped_column(index=True)
    state: Mapped[WriteBack] = mapped_column(default=WriteBack.DUE)
    text: Mapped[str] = mapped_column(sa.Text, default="")  # the agent's reply, while it is on its way
    reason: Mapped[str] = mapped_column(sa.Text, default="")  # why it was skipped, or refused
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    again_at: Mapped[datetime | None]  # when it came back to its agent, or went to another
    done_at: Mapped[datetime | None]
    reply_id: Mapped[str | None]  # the helpdesk's id of the reply that settled it
    noticed: Mapped[bool] = mapped_column(default=False)  # an answer in the helpdesk was taken for it, nobody said so
    unmarked: Mapped[list[str]] = mapped_column(default=list)  # ids of answers that said nothing about it
    confirmation: Mapped[Confirmation | None] = mapped_column(index=True)
    confirmed_at: Mapped[datetime | None]  # since when it stands so
    answer: Mapped[str] = mapped_column(sa.Text, default="")  # what the customer wrote then
    answer_id: Mapped[str] = mapped_column(default="")  # the helpdesk's id of it
    escalation: Mapped[Escalation] = relationship(back_populates="write_backs")
    news: Mapped[NewsItem] = relationship()


class History(Row):
    """What happened, for people who ask later. `what` is a word of ours; the sentence is made when it is shown."""

    __tablename__ = "history"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    issue_id: Mapped[str | None] = mapped_column(sa.ForeignKey("issue.id"), index=True)
    escalation_id: Mapped[str | None] = mapped_column(sa.ForeignKey("escalation.id"))
    at: Mapped[datetime] = mapped_column(index=True)
    what: Mapped[str]
    by: Mapped[str] = mapped_column(default="")
    proof: Mapped[dict[str, Any] | None]


class HeardComment(Row):
    """A comment command that was obeyed; an edited comment is not obeyed twice."""

    __tablename__ = "heard_comment"
    issue_id: Mapped[str] = mapped_column(sa.ForeignKey("issue.id"), primary_key=True)
    comment_id: Mapped[str] = mapped_column(primary_key=True)
    said: Mapped[str] = mapped_column(default="")  # a print of who said what when: an issue that moves has other ids


class KnownHead(Row):
    """A head of code that was examined: each release, and the newest of a branch or an environment."""

    __tablename__ = "known_head"
    project: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)  # `shipping.key` of its repository and line
    ident: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    sha: Mapped[str] = mapped_column(default="")  # "" while nobody asked
    url: Mapped[str] = mapped_column(sa.Text, default="")
    at: Mapped[datetime | None]
    prerelease: Mapped[bool] = mapped_column(default=False)


class Effect(Row):
    """One promised call to the outside world. Effects of one `subject` are performed in the order of their ids."""

    __tablename__ = "effect"
    __table_args__ = (sa.Index("ix_effect_state_next_at", "state", "next_at"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    lane: Mapped[str] = mapped_column(default="")
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)  # ids only
    state: Mapped[EffectState] = mapped_column(default=EffectState.READY)
    again: Mapped[bool] = mapped_column(default=False)  # asked for once more while it was being performed
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]  # not before; while sending: when another worker may look after it
    since: Mapped[datetime]  # when it was promised, or last asked for again
    error: Mapped[str] = mapped_column(sa.Text, default="")
    done_at: Mapped[datetime | None]


class Lane(Row):
    """What a rate limit covers, and when it opens again."""

    __tablename__ = "lane"
    name: Mapped[str] = mapped_column(primary_key=True)
    open_at: Mapped[datetime]


class Delivery(Row):
    """One authentic webhook request, stored before it is answered."""

    __tablename__ = "delivery"
    __table_args__ = (
        sa.UniqueConstraint("source", "sender_id", "body_hash"),
        sa.Index("ix_delivery_source_read_at", "source", "read_at", "received_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    source: Mapped[str]
    sender_id: Mapped[str]
    body_hash: Mapped[str]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes]
    received_at: Mapped[datetime] = mapped_column(index=True)
    read_at: Mapped[datetime | None]


class WatchRow(Row):
    """Where polling one resource of one project stands."""

    __tablename__ = "watch"
    project: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[dict[str, Any]]


class Slot(Row):
    """One due time of one scheduled job: whoever inserts it does the job."""

    __tablename__ = "slot"
    job: Mapped[str] = mapped_column(primary_key=True)
    due: Mapped[datetime] = mapped_column(primary_key=True)
