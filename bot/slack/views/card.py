"""The card: one message per issue in the Support Dev channel, edited in place; without customers' words or identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from bot.model import WAITING, Kind, Severity, Stage
from bot.slack.views.facts import kind_word, several, severity_word
from bot.slack.views.parts import (
    Block,
    Bold,
    IssueName,
    Piece,
    Post,
    Proof,
    actions,
    button,
    header,
    lines,
    one_line,
    open_button,
    plain,
    post,
    proof_line,
    web,
    words,
)
from bot.texts import Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    issue_id: str
    issue: IssueName
    stage: Stage
    kind: Kind = Kind.BUG
    severity: Severity = Severity.NORMAL
    agents: tuple[str, ...] = ()  # names, in the order in which they came
    who: str = ""  # the name of the Support Dev who has it
    waiting: int = 0  # customers who have not heard the end
    longest: timedelta | None = None  # the longest of their waits
    shipped_when: str = "released"  # merged | released | deployed
    waits_for: tuple[str, ...] = ()  # the environments that a fix is still to reach
    proof: Proof = field(default_factory=Proof)
    reason: str = ""  # of a decline
    stuck: str = ""  # why filing failed, and the next step
    any_place: bool = False  # one of `waits_for` is enough
    elsewhere: bool = False  # there are other projects
    wanted: str = ""  # what the Support Dev owes: reason | fix | gone (the tracker has lost the issue)
    joined: IssueName | None = None  # the issue on which its customers wait now
    promised: date | None = None  # nobody should expect it before that day
    question: str = ""  # that nobody has answered yet
    reminds: bool = False  # people are reminded, and can say that they want it later


def card(say: Say, data: Card) -> Post:
    """The issue as it stands now."""
    if data.joined is not None:
        return _joined(say, data, data.joined)
    where = data.issue.link if data.issue.label else say("no issue yet")
    symbol, stage = stage_words(say, data.stage)
    rows: list[list[Piece]] = [
        [
            f"{symbol} ",
            Bold(stage),
            " · ",
            where,
            f" · {kind_word(say, data.kind)} · ",
            severity_word(say, data.severity),
        ],
        [_people(say, data)],
        _promised(say, data),
        [Bold(words(data.stuck, 600))] if data.stuck else [_next(say, data)],
        proof_line(say, data.proof),
    ]
    title = one_line(data.issue.title)
    reason = words(data.reason, 1_000) if data.stage is Stage.DECLINED else ""
    blocks = [header(title or say("No title")), lines(*rows, quote=reason)]
    buttons = _buttons(say, data)
    if buttons:
        blocks.append(actions(*buttons))
    text = "\n".join([title, *filter(None, map(plain, rows)), *([reason] if reason else [])])
    return post(text, blocks)


def _joined(say: Say, data: Card, other: IssueName) -> Post:
    title = one_line(data.issue.title) or say("No title")
    row = say.pieces("A duplicate: its customers wait on {issue} now.", issue=other.link)
    return post(f"{title}\n{plain(row)}", [header(title), lines(row)])


def stage_words(say: Say, stage: Stage) -> tuple[str, str]:
    """A small symbol, and the stage in a word or two."""
    return {
        Stage.FILING: ("◌", say("Being filed")),
        Stage.FILED: ("○", say("Filed")),
        Stage.ACKNOWLEDGED: ("◐", say("In hand")),
        Stage.FIXED: ("◕", say("Fixed, not shipped yet")),
        Stage.SHIPPED: ("●", say("Shipped")),
        Stage.DECLINED: ("⊘", say("Declined")),
    }[stage]


def waits(say: Say, data: Card) -> str:
    """What the issue waits for, in a sentence; "" for nothing."""
    return _next(say, data)


def _people(say: Say, data: Card) -> str:
    sentences = []
    if data.agents:
        sentences.append(say("From {agents}.", agents=several(say, data.agents, 5)))
    if data.waiting and data.longest is not None:
        sentences.append(
            say.many(
                "{n} customer waits, for {duration}.",
                "{n} customers wait, the longest for {duration}.",
                data.waiting,
                duration=say.ago(data.longest),
            )
        )
    elif data.waiting:
        sentences.append(say.many("{n} customer waits.", "{n} customers wait.", data.waiting))
    elif data.stage not in WAITING:
        sentences.append(say("Nobody waits any more."))
    if data.who and data.stage in WAITING:
        sentences.append(say("Assigned to {name}.", name=one_line(data.who, 80)))
    return " ".join(sentences)


def _promised(say: Say, data: Card) -> list[Piece]:
    """The day that the Support Dev named."""
    if data.promised is None or data.stage not in WAITING:
        return []
    return [say("Not before {day}.", day=say.day(data.promised))]


def _next(say: Say, data: Card) -> str:
    owed = {
        "fix": say("Closed, and no commit is known. Name it, or say what was done without one."),
        "reason": say("Closed as not planned, without a reason. Give the one that customers can hear."),
        "gone": say("Gone from the tracker. File it again, or decline it with a reason that customers can hear."),
    }
    if data.wanted in owed and data.stage in WAITING:
        return owed[data.wanted]
    match data.stage:
        case Stage.FILING:
            return say("The issue is on its way to the tracker.")
        case Stage.FILED:
            return say("Waits for somebody to take it.")
        case Stage.ACKNOWLEDGED if data.question:
            return say("Waits for an answer: {question}", question=one_line(data.question, 300))
        case Stage.ACKNOWLEDGED:
            return say("Waits for a fix.")
        case Stage.FIXED:
            return _until_shipped(say, data)
        case Stage.SHIPPED | Stage.DECLINED:
            return say("Waits for the agents to write back.") if data.waiting else ""


def _until_shipped(say: Say, data: Card) -> str:
    commit = data.proof.sha[:7]
    if not commit:
        return say("Waits for proof that the fix is live.")
    if data.proof.back == "reverted":
        return say("Waits until it is put in again, or for another fix.")
    if data.shipped_when == "merged":
        return say("Waits for {commit} to reach the default branch.", commit=commit)
    if data.shipped_when == "deployed":
        names = say.listed([one_line(name, 60) for name in data.waits_for], either=data.any_place)
        return say(
            "Waits for a deployment to {environments} that contains {commit}.", environments=names, commit=commit
        )
    return say("Waits for a release that contains {commit}.", commit=commit)


def _buttons(say: Say, data: Card) -> list[Block]:
    buttons = []
    if data.stage is Stage.FILED and not data.wanted:
        buttons.append(button(say("Acknowledge"), "acknowledge", data.issue_id, style="primary"))
    gone = data.wanted == "gone"
    if gone:
        buttons.append(button(say("File it again"), "refile", data.issue_id, style="primary"))
    if data.stage in (Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED):
        buttons.append(button(say("Fixed by…"), "mark_fixed", data.issue_id))
        if data.waiting:
            buttons.append(button(say("Ask…"), "ask", data.issue_id))
            buttons.append(button(say("Way around it…"), "workaround", data.issue_id))
        buttons.append(button(say("Change…"), "change", data.issue_id))
        buttons.append(button(say("Decline"), "decline", data.issue_id))
    if data.elsewhere and data.stage in (Stage.FILED, Stage.ACKNOWLEDGED) and not gone:
        buttons.append(button(say("Another project…"), "carry", data.issue_id))
    if data.reminds and data.stage in (Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED):
        buttons.append(button(say("Remind me later"), "snooze", data.issue_id))
    if web(data.issue.url) and not gone:
        buttons.append(open_button(say("Open issue"), data.issue.url))
    return buttons
