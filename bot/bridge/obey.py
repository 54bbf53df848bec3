"""Obeying what a Support Dev says in an issue's comment, each command once; what cannot be obeyed is answered there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from bot.bridge import mending, moved, noting, ship, talk, triage
from bot.bridge.core import Bridge
from bot.commands import Command
from bot.model import Severity, Stage, UserError
from bot.store import queries
from bot.store.tables import HeardComment, Issue
from integrations.base import Comment, Fix


@dataclass(frozen=True, slots=True)
class Said:
    """One command of a Support Dev; for `fixed-by`, the fixes that it names or the sentence why there are none."""

    comment: Comment
    command: Command
    fixes: tuple[Fix, ...] = ()
    problem: str = ""
    names: Mapping[str, object] = field(default_factory=dict)  # that fill the sentence
    place: int = 0  # among the commands of its comment

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return f"{self.comment.id}:{self.place}" if self.place else self.comment.id


def _print(comment: Comment) -> str:
    told = f"{comment.author.lower()} {comment.at.isoformat()} {comment.text}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def unheard(session: Session, issue: Issue, said: Sequence[Said]) -> list[Said]:
    """The commands of comments that were not obeyed before; neither an edited comment is obeyed twice, nor one that
    moved with its issue and has another id since."""
    prints = queries.heard(session, issue.id)
    known = [session.get(HeardComment, (issue.id, one.comment.id)) is not None for one in said]
    fresh = [one for one, before in zip(said, known, strict=True) if not before and _print(one.comment) not in prints]
    for comment in {one.comment.id: one.comment for one in fresh}.values():
        session.add(HeardComment(issue_id=issue.id, comment_id=comment.id, said=_print(comment)))
    session.flush()
    return fresh


def obey(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    """Do it; or promise a hint in the issue, which says why not and what to write instead."""
    act, problem = _ACTS[said.command.name], said.problem
    names = {name: str(value) for name, value in said.names.items()}
    if not problem and (said.command.text or said.fixes):
        try:
            act(bridge, session, issue, said)
        except UserError as error:
            problem, names = error.message, {name: str(value) for name, value in error.names.items()}
        else:
            return
    bridge.promise(
        session,
        "hint",
        f"hint:{issue.id}:{said.name}",
        f"issue:{issue.id}",
        lane=bridge.lane(issue),
        issue=issue.id,
        command=said.command.name,
        problem=problem,
        names=names,
        whole=problem != said.problem,
    )


def _settled() -> UserError:
    return UserError("This issue is settled already. Reopen it first, then say it again.")


def _decline(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    cause = f"declined:{said.name}"
    text, by = said.command.text, said.comment.author
    if not triage.decline_in(bridge, session, issue, text, by=by, cause=cause, commented=True):
        raise _settled()


def _vouch(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    word = said.command.text[: triage.REASON_LIMIT]
    if not ship.vouched(bridge, session, issue, word, said.comment.author, f"word:{said.name}"):
        raise _settled()


def _fixed_by(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    if issue.stage is Stage.SHIPPED:
        raise _settled()
    mending.named(bridge, session, issue, said.fixes, said.comment.author)


def _ask(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    by = bridge.called(issue, said.comment.author)
    talk.ask_in(bridge, session, issue, said.command.text, by=by, cause=f"asked:{said.name}")


def _workaround(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    text, by = said.command.text, bridge.called(issue, said.comment.author)
    talk.workaround_in(bridge, session, issue, text, by=by, cause=f"workaround:{said.name}")


def _tell(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    talk.overhear(bridge, session, issue, said.comment, said.command.text)


def _promise(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    by = bridge.called(issue, said.comment.author)
    triage.promise_in(bridge, session, issue, said.command.text, by, said.comment.at)


def _severity(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    word = said.command.text.split()[0].lower()
    if word not in list(Severity):
        raise UserError("Write critical, high, normal or low after it.")
    triage.severity_in(bridge, session, issue, Severity(word), bridge.called(issue, said.comment.author))


def _carry(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    key = said.command.text.split()[0]
    fitting = [one for one in bridge.settings.projects if key in (one.key, one.name)]
    if not fitting:
        keys = ", ".join(one.key for one in bridge.settings.projects if one.key != issue.project)
        raise UserError("There is no project {key} here. Write one of: {keys}.", key=key, keys=keys or "–")
    triage.may_carry(issue, fitting[0])
    moved.carry(bridge, session, issue, fitting[0], said.comment.author)


def _note(bridge: Bridge, session: Session, issue: Issue, said: Said) -> None:
    noting.note_in(bridge, session, issue, said.command.text, bridge.called(issue, said.comment.author))


_ACTS: Mapping[str, Callable[[Bridge, Session, Issue, Said], None]] = {
    "decline": _decline,
    "fixed-by": _fixed_by,
    "fixed-without-commit": _vouch,
    "ask": _ask,
    "workaround": _workaround,
    "tell": _tell,
    "promise": _promise,
    "severity": _severity,
    "carry": _carry,
    "note-to-customer": _note,
}
