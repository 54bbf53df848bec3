"""The talk between Support Dev and support: what stands in the card's thread, and the modals that ask and answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.model import Severity
from bot.slack.views.facts import severity_word
from bot.slack.views.modal import View, face, labelled, modal, select, typed
from bot.slack.views.parts import (
    Block,
    Bold,
    IssueName,
    Person,
    Piece,
    Post,
    actions,
    button,
    lines,
    one_line,
    plain,
    post,
    words,
)
from bot.texts import Say

# --- in the thread ----------------------------------------------------------------------------------------------------


def asked(say: Say, by: str, question: str) -> Post:
    """The Support Dev asks support; each agent was asked directly, too."""
    return _quoted(say.pieces("{name} asks:", name=Bold(one_line(by, 80))), question)


def way_around(say: Say, by: str, text: str) -> Post:
    """A way around the bug, which every agent on it heard."""
    return _quoted(say.pieces("A way around it, from {name}:", name=Bold(one_line(by, 80))), text)


def answered(say: Say, by: str, text: str, asker: str) -> Post:
    """An agent's answer; who asked is called by it."""
    name = Bold(one_line(by, 80))
    if asker:
        return _quoted(say.pieces("{person}, {name} answers:", person=Person(asker), name=name), text)
    return _quoted(say.pieces("{name} answers:", name=name), text)


def remark(say: Say, by: str, text: str) -> Post:
    """What a Support Dev says in the issue, meant for support."""
    return _quoted(say.pieces("{name} in the issue:", name=Bold(one_line(by, 80))), text)


def offer(say: Say, value: str, *, public: bool) -> Post:
    """To who replied in the thread: it stays here unless they say so. `value` names the issue and the reply."""
    sentence = say("Only this thread sees your reply.")
    if public:
        sentence = say(
            "Only this thread sees your reply. Everybody can read the issue: send nothing that names a customer."
        )
    blocks = [lines([sentence]), actions(button(say("Send it to the issue"), "to_issue", value))]
    return post(sentence, blocks)


def brought(say: Say) -> Post:
    """In place of the offer, once it was taken."""
    sentence = say("It is on its way to the issue. What you edit or delete here follows there.")
    return post(sentence, [lines([sentence])])


def _quoted(row: list[Piece], text: str) -> Post:
    return post(f"{plain(row)}\n{words(text)}", [lines(row, quote=words(text))])


# --- modals -----------------------------------------------------------------------------------------------------------


def ask(say: Say, issue_id: str, title: str, agents: int) -> View:
    """A question to the agents on an issue, and why it is asked."""
    heard = say.many("{n} agent hears it.", "{n} agents hear it.", agents)
    blocks = [
        lines([Bold(one_line(title))], [heard]),
        typed(say("Question"), "question", long=True, placeholder=say("What only support can find out")),
        typed(
            say("Why you ask"), "reason", long=True, optional=True, placeholder=say("It helps them to ask the customer")
        ),
    ]
    return modal(say, "ask", say("Ask support"), issue_id, blocks, submit=say("Ask"))


def answer(say: Say, issue_id: str, title: str, question: str, *, public: bool) -> View:
    """The answer to the Support Dev's question."""
    goes = say("It goes to the issue, with your name.")
    if public:
        goes = say("It goes to the issue, which everybody can read: write nothing that names a customer.")
    blocks = [
        lines([Bold(one_line(title))], quote=words(question)),
        typed(say("Answer"), "text", long=True, hint=goes),
    ]
    return modal(say, "answer", say("Answer"), issue_id, blocks, submit=say("Send"))


def workaround(say: Say, issue_id: str, title: str, waiting: int) -> View:
    """A way around the bug, in words that customers can follow."""
    heard = say.many(
        "{n} customer waits. Their agent hears this at once.",
        "{n} customers wait. Their agents hear this at once.",
        waiting,
    )
    hint = say("In words that customers can follow.")
    blocks = [
        lines([Bold(one_line(title))], [heard]),
        typed(say("A way around it"), "text", long=True, hint=hint),
    ]
    return modal(say, "workaround", say("A way around it"), issue_id, blocks, submit=say("Tell them"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What can be changed of an issue beside its fix."""

    title: str
    support_devs: Sequence[tuple[str, str]]  # (Slack id, name)
    support_dev: str = ""
    severity: Severity
    promised: date | None = None
    similar: bool = False  # there are other issues


def change(say: Say, issue_id: str, data: Change) -> View:
    """Who has it, how bad it is, when to expect it, and whether it is the same as another."""
    day: Block = {"type": "datepicker", "action_id": "date"}
    if data.promised:
        day["initial_date"] = data.promised.isoformat()
    hint = say("Agents hear this day. Leave it empty to promise nothing.")
    blocks = [
        lines([Bold(one_line(data.title))]),
        select(say("Who has it"), "support_dev", list(data.support_devs), data.support_dev),
        select(
            say("Severity"), "severity", [(one.value, severity_word(say, one)) for one in Severity], data.severity.value
        ),
        {**labelled(say("Not before"), "date", day, optional=True), "hint": face(hint, 2_000)},
    ]
    if data.similar:
        same: Block = {
            "type": "external_select",
            "action_id": "similar",
            "min_query_length": 0,
            "placeholder": face(say("Find an issue"), 150),
        }
        blocks.append(labelled(say("The same as"), "similar", same, optional=True))
    return modal(say, "change", say("Change"), issue_id, blocks, submit=say("Save"))


# --- notices ----------------------------------------------------------------------------------------------------------


def handed(say: Say, issue: IssueName, by: str) -> Post:
    """To a Support Dev: somebody gave them the issue."""
    sentence = say.pieces("{name} handed {issue} to you.", name=one_line(by, 80), issue=issue.link)
    rows: list[list[Piece]] = [[Bold(one_line(issue.title))], sentence]
    return post("\n".join(plain(row) for row in rows), [lines(*rows)])


def promised(say: Say, issue: IssueName, by: str, day: date | None) -> Post:
    """To an agent: before which day nobody should expect it; None: the day that was named holds no more."""
    name = one_line(by, 80)
    sentence = say.pieces("{name} names no day for {issue} any more.", name=name, issue=issue.link)
    if day is not None:
        sentence = say.pieces(
            "{name} says of {issue}: not before {day}.", name=name, issue=issue.link, day=say.day(day)
        )
    rows: list[list[Piece]] = [[Bold(one_line(issue.title))], sentence]
    return post("\n".join(plain(row) for row in rows), [lines(*rows)])
