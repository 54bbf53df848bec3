"""The texts that Passerelle writes in the tracker and on the ticket: GitHub Markdown, and plain text for notes. Pure.

What comes in has been reduced by `bot/privacy.py` as the project's policy asks; here it is kept from becoming markup.
GitHub takes bodies of up to 65,536 characters (facts of its REST API, "Issues"); ours stay below 60,000.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.model import Kind, Severity
from bot.texts import Say

BODY_SIZE = 60_000  # characters
TITLE_SIZE = 256
_WORDS_SIZE = 40_000
_SUMMARY_SIZE = 10_000
_MARKUP = re.compile(r"([\\`*_\[\]|~#<>])")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFacts:
    """What the issue says; each may be empty, and is when the policy keeps it back.

    `summary` and `words` are Markdown already made harmless by the privacy guard; all else is plain text.
    """

    ticket_number: str = ""
    ticket_url: str = ""
    helpdesk: str = ""
    subject: str = ""
    customer: str = ""
    organisation: str = ""
    plan: str = ""
    language: str = ""  # BCP 47
    words: str = ""
    attachments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    summary: str = ""
    agent: str = ""
    kind: Kind = Kind.BUG
    severity: Severity = Severity.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A row of the customers' table."""

    ticket_number: str
    ticket_url: str = ""
    customer: str = ""
    organisation: str = ""
    plan: str = ""
    language: str = ""  # BCP 47
    since: datetime | None = None
    agent: str = ""


def issue_title(title: str) -> str:
    """The title on one line, without control characters, at most 256 characters as GitHub has it."""
    return _cut(_one_line(title, TITLE_SIZE * 4), TITLE_SIZE)


def issue_body(say: Say, facts: IssueFacts) -> str:
    """The issue's text: the agent's words, the customer's as a quote, the context, and how to talk back."""
    parts = [_cut(facts.summary.strip(), _SUMMARY_SIZE)]
    if facts.words.strip():
        parts += [f"### {say('In the customer’s words')}", quote(facts.words, _WORDS_SIZE)]
    parts.append(_context(say, facts))
    parts.append(_from(say, facts))
    parts.append(f"<sub>{say('To decline, comment `/decline` and the reason.')} {_fixed_by(say)}</sub>")
    return "\n\n".join(part for part in parts if part)


def customers_table(say: Say, rows: Sequence[Waiting], *, now: datetime | None = None) -> str:
    """The bot's own comment: who waits for this issue, how long, and who writes back. `now`: for the waits."""
    count = say.many("**{n} customer waits for this issue.**", "**{n} customers wait for this issue.**", len(rows))
    if not rows:
        return say("No customer waits for this issue.")
    columns = _columns(say, rows, now)
    table = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    room = BODY_SIZE - 500 - len(count) - sum(map(len, table))
    shown = 0
    for cells in zip(*columns.values(), strict=True):
        line = f"| {' | '.join(cells)} |"
        room -= len(line) + 1
        if room < 0:
            break
        table.append(line)
        shown += 1
    left = len(rows) - shown
    more = [say.many("And {n} more.", "And {n} more.", left)] if left else []
    return "\n\n".join([count, "\n".join(table), *more])


def decline_comment(say: Say, by: str, reason: str) -> str:
    """The comment for a decline that was given in Slack."""
    said = say("Declined by {name} from Slack:", name=text(by, 80))
    return f"{said}\n\n{quote(reason, 5_000)}"


def ticket_note(say: Say, title: str, issue_label: str, issue_url: str, agent: str) -> str:
    """The internal note on the ticket, as plain text: which issue stands for it."""
    named = {"issue": issue_label, "title": _one_line(title, 200), "agent": _one_line(agent, 80)}
    first = say("Carried to {issue} by {agent}: {title}", **named)
    return "\n".join([first, issue_url, say("Whoever flagged it hears when the fix has shipped.")])


def text(value: str, limit: int = 200) -> str:
    """Untrusted plain text for a line or a table cell: no markup, no mention, no reference, no line break."""
    safe = _MARKUP.sub(r"\\\1", html.unescape(_one_line(value, limit)))
    return safe.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\#", "#\u2060").replace("@", "@\u2060")


def quote(value: str, limit: int) -> str:
    """Text as a Markdown quote, at most `limit` characters of it."""
    lines = _cut(value.strip(), limit // 2).splitlines()
    quoted = "\n".join(f"> {line}".rstrip() for line in lines)
    return _cut(quoted, limit)


def _context(say: Say, facts: IssueFacts) -> str:
    kind = {Kind.BUG: say("Bug"), Kind.TOOLING: say("Support tooling")}[facts.kind]
    severity = {
        Severity.CRITICAL: say("Critical"),
        Severity.HIGH: say("High"),
        Severity.NORMAL: say("Normal"),
        Severity.LOW: say("Low"),
    }[facts.severity]
    cells = [
        (say("Ticket"), _link(facts.ticket_number, facts.ticket_url, facts.helpdesk)),
        (say("Subject"), text(facts.subject)),
        (say("Customer"), text(facts.customer, 80)),
        (say("Organisation"), text(facts.organisation, 80)),
        (say("Plan"), text(facts.plan, 80)),
        (say("Language"), text(say.language(facts.language), 60) if facts.language else ""),
        (say("Kind"), kind),
        (say("Severity"), severity),
        (say("Attachments"), ", ".join(text(name, 80) for name in facts.attachments[:20])),
        (say("Tags"), ", ".join(text(tag, 60) for tag in facts.tags[:20])),
    ]
    return "| | |\n| --- | --- |\n" + "\n".join(f"| {name} | {value} |" for name, value in cells if value)


def _from(say: Say, facts: IssueFacts) -> str:
    return (
        say("Flagged by {agent}, who writes back to the customer.", agent=text(facts.agent, 80)) if facts.agent else ""
    )


def _fixed_by(say: Say) -> str:
    return say("To name a fix that closed nothing by itself, comment `/fixed-by` and the commit or pull request.")


def _columns(say: Say, rows: Sequence[Waiting], now: datetime | None) -> dict[str, list[str]]:
    """The table by column; a column in which nobody has anything is left out."""
    columns = {
        say("Ticket"): [_link(row.ticket_number, row.ticket_url) for row in rows],
        say("Customer"): [text(row.customer, 80) for row in rows],
        say("Organisation"): [text(row.organisation, 80) for row in rows],
        say("Plan"): [text(row.plan, 60) for row in rows],
        say("Language"): [text(say.language(row.language), 60) if row.language else "" for row in rows],
        say("Waiting since"): [_since(say, row.since, now) for row in rows],
        say("Agent"): [text(row.agent, 80) for row in rows],
    }
    return {name: cells for name, cells in columns.items() if any(cells)}


def _since(say: Say, since: datetime | None, now: datetime | None) -> str:
    if since is None:
        return ""
    day = since.date().isoformat()
    return say("{day} ({duration})", day=day, duration=say.ago(now - since)) if now else day


def _link(number: str, url: str, helpdesk: str = "") -> str:
    if not number:
        return ""
    label = text(f"{helpdesk} {number}".strip(), 80)
    safe = re.fullmatch(r"https?://[^\s<>()|\\\"]{1,1000}", url)
    return f"[{label}]({url})" if safe else label


def _one_line(value: str, limit: int) -> str:
    clean = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in value[: limit * 4])
    return _cut(" ".join(clean.split()), limit)


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 1].rstrip() + "…"
