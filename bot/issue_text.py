"""The texts that Passerelle writes in the tracker and on the ticket: GitHub Markdown, and plain text for notes. Pure.

What comes in has been reduced by `bot/privacy.py` as the project's policy asks; here it is kept from becoming markup.
GitHub takes bodies of up to 65,536 characters ("REST API endpoints for issues"); ours stay below 60,000.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.model import Kind, Severity
from bot.privacy import Facts, harmless, quoted
from bot.redaction import CARD, CUSTOMER, EMAIL, IBAN, INVISIBLE, PASSWORD, PHONE, TOKEN
from bot.texts import Say

BODY_SIZE = 60_000  # characters
TITLE_SIZE = 256
_WORDS_SIZE = 30_000
_SUMMARY_SIZE = 10_000
_JOINED_SIZE = 2_000  # of what was said with a ticket that joined later

_LIVE = re.compile(
    r"([@#!~%&$]|\bGH-|\[(?:epic|vulnerability|feature_flag|contact|iteration):)(?=[\w\"])"
)  # a pull request takes its title, and its commit closes what that names


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
    summary: str = ""  # the agent's words; "" where the issue's own text has them
    words: str = ""  # the customer's, likewise
    files: tuple[tuple[str, str], ...] = ()  # in Slack, likewise: see `bot.privacy.Facts`


def worded(say: Say, value: str) -> str:
    """The text with the marks of what was taken out of it (`bot.redaction`) in the reader's language."""
    marks = {
        CARD: say("[card number]"),
        IBAN: say("[IBAN]"),
        TOKEN: say("[token]"),
        PASSWORD: say("[password]"),
        EMAIL: say("[e-mail address]"),
        PHONE: say("[phone number]"),
        CUSTOMER: say("[customer]"),
    }
    for label, mark in marks.items():
        value = value.replace(f"[{label}]", mark)
    return value


def facts_worded(say: Say, facts: Facts) -> Facts:
    """The same for all that people wrote of a ticket."""
    return replace(
        facts,
        agent_title=worded(say, facts.agent_title),
        agent_summary=worded(say, facts.agent_summary),
        subject=worded(say, facts.subject),
        words=worded(say, facts.words),
    )


def issue_title(title: str) -> str:
    """The title on one line, without control characters or live references, at most 256 characters as GitHub has it."""
    inert = _LIVE.sub("\\1\u200b", _one_line(title, TITLE_SIZE * 4))
    return _cut(inert, TITLE_SIZE)


def issue_body(
    say: Say, facts: Facts, *, agent: str, kind: Kind, severity: Severity, command: Callable[[str], str] = "/{}".format
) -> str:
    """The issue's text: the agent's words, the customer's as a quote, the context, and how to talk back.

    `facts` are what `bot.privacy.leaving` lets leave; they are made harmless here. `agent` is a name, ""
    where it may not be told; `command` is how the tracker's people write a command.
    """
    parts = [_summary(facts.agent_summary)]
    if facts.words.strip():
        heading = say("In the customer’s words")
        parts += [f"### {heading}", quote(facts.words, _WORDS_SIZE)]
    parts.append(_context(say, facts, kind, severity))
    flagged = say("Flagged by an agent, who writes back to the customer.")
    if agent:
        flagged = say("Flagged by {agent}, who writes back to the customer.", agent=text(agent, 80))
    parts.append(flagged)
    how = say(
        "In a comment: `{ask}` and a question to support; `{workaround}` and what customers can do meanwhile; "
        "`{decline}` and the reason; `{fixed_by}` and the commit, pull or merge request that did not close this issue "
        "by itself; `{without}` and what was done without one.",
        ask=command("ask"),
        workaround=command("workaround"),
        decline=command("decline"),
        fixed_by=command("fixed-by"),
        without=command("fixed-without-commit"),
    )
    parts.append(f"<sub>{how}</sub>")
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
    return "\n\n".join([count, "\n".join(table), *more, *_told(say, rows[:shown], room)])


def _told(say: Say, rows: Sequence[Waiting], room: int) -> list[str]:
    """What was said with each ticket that joined the issue later, folded away, while there is `room`."""
    found = []
    for row in rows:
        said = [harmless(_cut(row.summary.strip(), _JOINED_SIZE))] if row.summary.strip() else []
        said += [quote(row.words, _JOINED_SIZE)] if row.words.strip() else []
        said += [_files(row.files)] if row.files else []
        label = text(row.ticket_number, 80) or say("A customer")
        label = f"{label} · {text(row.agent, 80)}" if row.agent else label
        block = "\n\n".join([f"<details><summary>{label}</summary>", *said, "</details>"])
        room -= len(block) + 2
        if said and room > 0:
            found.append(block)
    return found


def decline_comment(say: Say, by: str, reason: str) -> str:
    """The comment for a decline that was given in Slack; `by` is a name, "" where it may not be told."""
    said = say("Declined by {name} from Slack:", name=text(by, 80)) if by else say("Declined from Slack:")
    return f"{said}\n\n{quote(reason, 5_000)}"


def said_comment(say: Say, kind: str, by: str, words: str) -> str:
    """The comment for what was said in Slack: a question, a workaround, an answer or a remark; `by` is a name, ""
    where it may not be told."""
    name = text(by, 80)
    said = {
        ("question", True): say("{name} asks support from Slack:", name=name),
        ("question", False): say("Asked of support, from Slack:"),
        ("workaround", True): say("A way around it, from {name} in Slack:", name=name),
        ("workaround", False): say("A way around it, from Slack:"),
        ("answer", True): say("{name} answers from Slack:", name=name),
        ("answer", False): say("Support answers from Slack:"),
        ("remark", True): say("{name} from Slack:", name=name),
        ("remark", False): say("From Slack:"),
    }[kind, bool(by)]
    return f"{said}\n\n{quote(words, 5_000)}"


def broken_comment(say: Say, words: str) -> str:
    """The comment when a fix did not help a customer; `words` are theirs, "" where they may not be told."""
    said = say("Still broken for a customer who was told that it is out.")
    return f"{said}\n\n{quote(words, 5_000)}" if words else said


def broken_summary(say: Say, issue_label: str, words: str) -> str:
    """The agent's summary of a new issue for what was not mended by an older one."""
    said = say("Still broken after {issue}, which cannot be opened again.", issue=issue_label)
    return f"{said}\n\n{words}".strip()


def files_comment(say: Say, facts: Facts, shown: Sequence[str], left: Sequence[str]) -> str:
    """The comment with what the customer of a ticket sent: `shown` is the tracker's own Markdown, one for each file,
    `left` are the names of those that are to be had in the ticket alone."""
    ticket = _link(facts.ticket_number, facts.ticket_url, facts.helpdesk)
    parts = []
    if shown:
        parts.append(
            say.many(
                "{n} file that the customer of {ticket} sent:",
                "{n} files that the customer of {ticket} sent:",
                len(shown),
                ticket=ticket,
            )
        )
        parts += shown
    if left:
        names = ", ".join(text(name, 80) for name in left[:50])
        parts.append(
            say.many(
                "{n} file is in {ticket} alone: {names}",
                "{n} files are in {ticket} alone: {names}",
                len(left),
                ticket=ticket,
                names=names,
            )
        )
    return "\n\n".join(parts)


def ticket_note(say: Say, title: str, issue_label: str, issue_url: str, agent: str) -> str:
    """The internal note on the ticket, as plain text: which issue stands for it."""
    first = say(
        "Carried to {issue} by {agent}: {title}",
        issue=issue_label,
        agent=_one_line(agent, 80),
        title=_one_line(title, 200),
    )
    return "\n".join([first, issue_url, say("{agent} hears when the fix has shipped.", agent=_one_line(agent, 80))])


def text(value: str, limit: int = 200) -> str:
    """Untrusted plain text, harmless and on one line; a pipe has its backslash, so a table's cell takes it."""
    return harmless(_one_line(value, limit))


def quote(value: str, limit: int) -> str:
    """Untrusted text as a harmless Markdown quote; of a long one the beginning, at most `limit` characters."""
    take = limit
    while True:
        made, left_out = quoted(value, take)
        made += "\n>\n> …" if left_out else ""
        if len(made) <= limit:
            return made
        take = min(take - 1, take * limit // len(made))


def _summary(value: str) -> str:
    take = _SUMMARY_SIZE
    while len(made := harmless(value.strip()[:take])) > _SUMMARY_SIZE:
        take = min(take - 1, take * _SUMMARY_SIZE // len(made))
    return made


def _context(say: Say, facts: Facts, kind: Kind, severity: Severity) -> str:
    kinds = {Kind.BUG: say("Bug"), Kind.TOOLING: say("Support tooling")}
    severities = {
        Severity.CRITICAL: say("Critical"),
        Severity.HIGH: say("High"),
        Severity.NORMAL: say("Normal"),
        Severity.LOW: say("Low"),
    }
    cells = [
        (say("Ticket"), _link(facts.ticket_number, facts.ticket_url, facts.helpdesk)),
        (say("Subject"), text(facts.subject)),
        (say("Customer"), text(" ".join(filter(None, (facts.customer_name, facts.customer_email))), 120)),
        (say("Organisation"), text(facts.organisation, 80)),
        (say("Plan"), text(facts.plan, 80)),
        *((text(name, 40), text(value, 120)) for name, value in facts.fields),
        (say("Language"), text(say.language(facts.language), 60) if facts.language else ""),
        (say("Kind"), kinds[kind]),
        (say("Severity"), severities[severity]),
        (say("Attachments"), ", ".join(text(name, 80) for name in facts.attachments[:20])),
        (say("Files in Slack"), _files(facts.files)),
        (say("Tags"), ", ".join(text(tag, 60) for tag in facts.tags[:20])),
    ]
    return "| | |\n| --- | --- |\n" + "\n".join(f"| {name} | {value} |" for name, value in cells if value)


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


def _files(files: Sequence[tuple[str, str]]) -> str:
    """The files of a Slack thread, each linked to its message, which only members of the workspace can open."""
    return ", ".join(_link(name, address) for name, address in files)


def _link(number: str, url: str, helpdesk: str = "") -> str:
    safe = re.fullmatch(r"https?://[^\s<>()|\\\"]{1,1000}", url)
    if not number and not safe:
        return ""
    label = text(f"{helpdesk} {number}".strip() or url.split("/")[2], 80)
    return f"[{label}]({url})" if safe else label


def _one_line(value: str, limit: int) -> str:
    clean = "".join(
        " " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in INVISIBLE.sub("", value[: limit * 4])
    )
    return _cut(" ".join(clean.split()), limit)


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 1].rstrip() + "…"
