"""The words of the house as types, and its three state machines. Pure: no clock, no network, no store.

Their charts stand in `docs/architecture.md`.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an escalation asks for: a bug mended, or support's own tooling improved."""

    BUG = "bug"
    TOOLING = "tooling"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Stage(StrEnum):
    """Where an issue stands."""

    FILING = "filing"
    FILED = "filed"
    ACKNOWLEDGED = "acknowledged"
    FIXED = "fixed"
    SHIPPED = "shipped"
    DECLINED = "declined"


class Happening(StrEnum):
    """What moves an issue from one stage to another."""

    FILED = "filed"
    ACKNOWLEDGED = "acknowledged"
    FIXED = "fixed"  # closed, and the fixing commits are known
    SHIPPED = "shipped"  # proven
    DECLINED = "declined"  # with a reason
    REOPENED = "reopened"  # opened again by somebody in the tracker, or a fix that is gone
    UNSHIPPED = "unshipped"  # the proof no longer holds


_MOVES: dict[Happening, dict[Stage, Stage]] = {
    Happening.FILED: {Stage.FILING: Stage.FILED},
    Happening.ACKNOWLEDGED: {Stage.FILED: Stage.ACKNOWLEDGED},
    Happening.FIXED: {
        Stage.FILED: Stage.FIXED,
        Stage.ACKNOWLEDGED: Stage.FIXED,
        Stage.DECLINED: Stage.FIXED,
    },
    Happening.SHIPPED: {Stage.FIXED: Stage.SHIPPED},
    Happening.DECLINED: {
        Stage.FILED: Stage.DECLINED,
        Stage.ACKNOWLEDGED: Stage.DECLINED,
        Stage.FIXED: Stage.DECLINED,
    },
    Happening.REOPENED: {
        Stage.FIXED: Stage.ACKNOWLEDGED,
        Stage.SHIPPED: Stage.ACKNOWLEDGED,
        Stage.DECLINED: Stage.ACKNOWLEDGED,
    },
    Happening.UNSHIPPED: {Stage.SHIPPED: Stage.FIXED},
}


def move(stage: Stage, happening: Happening) -> Stage:
    """The stage after `happening`; the same stage when it means nothing there (late and doubled news are harmless)."""
    return _MOVES[happening].get(stage, stage)


WAITING = frozenset({Stage.FILING, Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED})
"""The stages in which customers still wait for news of the end."""


class News(StrEnum):
    """What customers should hear."""

    QUESTION = "question"
    WORKAROUND = "workaround"
    SHIPPED = "shipped"
    DECLINED = "declined"
    ROLLED_BACK = "rolled_back"


class WriteBack(StrEnum):
    """The state of one write-back: one escalation and one piece of news."""

    DUE = "due"
    HELD = "held"
    SENDING = "sending"
    WRITTEN = "written"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


class Step(StrEnum):
    """What moves a write-back."""

    HOLD = "hold"  # the news no longer holds
    RELEASE = "release"  # it holds again
    SEND = "send"  # the agent pressed Send
    SENT = "sent"  # the helpdesk has it
    DOUBT = "doubt"  # the helpdesk may have it
    REFUSED = "refused"  # the helpdesk certainly does not have it
    MARK_WRITTEN = "mark_written"  # the agent wrote by another way
    SKIP = "skip"  # the agent decided not to write, with a reason
    REDO = "redo"  # the agent looked: it had not arrived
    UNMARK = "unmark"  # what was taken for it said nothing about it


_STEPS: dict[tuple[WriteBack, Step], WriteBack] = {
    (WriteBack.DUE, Step.HOLD): WriteBack.HELD,
    (WriteBack.HELD, Step.RELEASE): WriteBack.DUE,
    (WriteBack.DUE, Step.SEND): WriteBack.SENDING,
    (WriteBack.SENDING, Step.SENT): WriteBack.WRITTEN,
    (WriteBack.SENDING, Step.DOUBT): WriteBack.UNCERTAIN,
    (WriteBack.SENDING, Step.REFUSED): WriteBack.DUE,
    (WriteBack.DUE, Step.MARK_WRITTEN): WriteBack.WRITTEN,
    (WriteBack.UNCERTAIN, Step.MARK_WRITTEN): WriteBack.WRITTEN,
    (WriteBack.UNCERTAIN, Step.SENT): WriteBack.WRITTEN,
    (WriteBack.UNCERTAIN, Step.REDO): WriteBack.DUE,
    (WriteBack.UNCERTAIN, Step.SKIP): WriteBack.SKIPPED,
    (WriteBack.DUE, Step.SKIP): WriteBack.SKIPPED,
    (WriteBack.WRITTEN, Step.UNMARK): WriteBack.DUE,
}


def step(state: WriteBack, taken: Step) -> WriteBack | None:
    """The state after `taken`, or None when that step cannot be taken from `state`."""
    return _STEPS.get((state, taken))


class Confirmation(StrEnum):
    """What the customer said after they were written to that it is out."""

    WAITING = "waiting"
    ANSWERED = "answered"  # and the agent has not said what it means
    WORKS = "works"
    STILL_BROKEN = "still_broken"
    SILENT = "silent"  # for so long that nobody waits any more; no word that it works


class Reply(StrEnum):
    """What moves a confirmation."""

    ANSWER = "answer"  # the customer wrote
    WORKS = "works"  # so the agent read it
    STILL_BROKEN = "still_broken"
    SILENCE = "silence"  # the configured time is over


_REPLIES: dict[tuple[Confirmation, Reply], Confirmation] = {
    (Confirmation.WAITING, Reply.ANSWER): Confirmation.ANSWERED,
    (Confirmation.SILENT, Reply.ANSWER): Confirmation.ANSWERED,
    (Confirmation.ANSWERED, Reply.ANSWER): Confirmation.ANSWERED,  # a later word
    (Confirmation.WAITING, Reply.SILENCE): Confirmation.SILENT,
    (Confirmation.WAITING, Reply.WORKS): Confirmation.WORKS,
    (Confirmation.ANSWERED, Reply.WORKS): Confirmation.WORKS,
    (Confirmation.SILENT, Reply.WORKS): Confirmation.WORKS,
    (Confirmation.WAITING, Reply.STILL_BROKEN): Confirmation.STILL_BROKEN,
    (Confirmation.ANSWERED, Reply.STILL_BROKEN): Confirmation.STILL_BROKEN,
    (Confirmation.SILENT, Reply.STILL_BROKEN): Confirmation.STILL_BROKEN,
    (Confirmation.WORKS, Reply.STILL_BROKEN): Confirmation.STILL_BROKEN,
}


def confirm(state: Confirmation, reply: Reply) -> Confirmation | None:
    """The state after `reply`, or None when it means nothing in `state`."""
    return _REPLIES.get((state, reply))


ENDS = frozenset({News.SHIPPED, News.DECLINED})
"""News after which a customer waits no more."""

MEANWHILE = frozenset({News.QUESTION, News.WORKAROUND})
"""News of the meantime: no end, so it stands beside an end that falls back, and customers wait on."""

ANSWERED = "answered"
"""The reason of a write-back that was skipped because somebody answered the question before."""

TAKEN_OFF = "taken_off"
"""The reason of a write-back that was skipped because its ticket was taken off the issue."""

MERGED = "merged"
"""The reason of a write-back that was skipped because its ticket went into another one that is answered."""

SUPERSEDED = "superseded"
"""The reason of a write-back that was skipped because newer news made it pointless before it was written."""

OWED = frozenset({WriteBack.DUE, WriteBack.HELD, WriteBack.SENDING, WriteBack.UNCERTAIN})
"""The states in which a customer has not certainly heard yet."""


class UserError(Exception):
    """A sentence for the person who asked, with the next step in it; never a bug.

    `message` is literal in the code, so that it can be translated; `names` fill its {placeholders}.
    """

    def __init__(self, message: str, /, **names: object) -> None:
        super().__init__(message.format(**names))
        self.message = message
        self.names = names
