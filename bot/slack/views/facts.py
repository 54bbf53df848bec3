"""The data that the views show, and the sentences in which more than one of them says it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.model import Kind, News, Severity
from bot.redaction import CARD, CUSTOMER, EMAIL, IBAN, PASSWORD, PHONE, TOKEN
from bot.slack.views.parts import Bold, IssueName, Link, Piece, Proof, TicketName, one_line, ticket_link
from bot.texts import Say


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """What the helpdesk knows about a ticket; each field may be empty."""

    ticket: TicketName = field(default_factory=TicketName)
    subject: str = ""
    customer: str = ""
    organisation: str = ""
    plan: str = ""
    fields: tuple[tuple[str, str], ...] = ()  # those that the configuration names: (name, value)
    language: str = ""  # BCP 47
    waited: timedelta | None = None
    words: str = ""  # what the customer wrote, as the agent may read it
    attachments: tuple[str, ...] = ()  # their file names
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Already:
    """An issue to which this ticket has been carried before."""

    issue: IssueName
    by: str  # the agent's name
    own: bool = False  # carried by whoever flags it now


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """A settled issue to which this ticket was carried."""

    issue: IssueName
    declined: bool = False  # else shipped
    version: str = ""  # in which it shipped


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagForm:
    """What the modal `flag` shows and asks. Asks for the customer's words when `facts` is None."""

    facts: TicketFacts | None = None
    note: str = ""  # a sentence: why there are no facts
    link_only: bool = False  # only title, summary and link are carried, whatever the project
    public: tuple[str, ...] = ()  # the projects whose repository is public: there, the same
    redacted: Mapping[str, int] = field(default_factory=dict)  # `counts` of a `Redacted`
    already: Already | None = None
    before: Before | None = None
    projects: tuple[tuple[str, str], ...] = ()  # (key, name), the default first
    similar: bool = False  # there are issues to attach to
    files: tuple[str, ...] = ()  # the names of those that the flagged thread has
    initial: Mapping[str, str] = field(default_factory=dict)  # by input's name, what the agent gave before


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What somebody began to write and did not file."""

    draft_id: str
    number: str = ""  # the ticket's
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsLine:
    """One piece of news about one issue."""

    news: News
    issue: IssueName
    reason: str = ""  # for `declined`, in the Support Dev's words
    proof: Proof = field(default_factory=Proof)
    by: str = ""  # of news of the meantime, who says it
    answer_id: str = ""  # of a question that nobody answered yet: the issue's id
    note: str = ""  # of what shipped: what was mended, in words for customers


def kind_word(say: Say, kind: Kind) -> str:
    return {Kind.BUG: say("Bug"), Kind.TOOLING: say("Support tooling")}[kind]


def severity_word(say: Say, severity: Severity) -> str:
    return {
        Severity.CRITICAL: say("Critical"),
        Severity.HIGH: say("High"),
        Severity.NORMAL: say("Normal"),
        Severity.LOW: say("Low"),
    }[severity]


def headline(say: Say, line: NewsLine) -> str:
    """The news in one sentence: "Fixed in v2.18.0: …"."""
    title = one_line(line.issue.title, 120)
    match line.news:
        case News.SHIPPED if line.proof.version:
            return say("Fixed in {version}: {title}", version=one_line(line.proof.version, 60), title=title)
        case News.SHIPPED if line.proof.places:
            names = say.listed([one_line(place.name, 60) for place in line.proof.places])
            return say("Live on {environments}: {title}", environments=names, title=title)
        case News.SHIPPED if line.proof.word:
            return say("Fixed: {title}", title=title)
        case News.SHIPPED:
            return say("Fixed and merged: {title}", title=title)
        case News.DECLINED:
            return say("Declined: {title}", title=title)
        case News.QUESTION:
            return say("A question for the customer: {title}", title=title)
        case News.WORKAROUND:
            return say("A way around it: {title}", title=title)
        case News.ROLLED_BACK:
            return _taken_back(say, line.proof, title)


def _taken_back(say: Say, proof: Proof, title: str) -> str:
    name = one_line(proof.back_by.name, 60) if proof.back_by else ""
    if proof.back == "reopened":
        return say("Not fixed after all: {title}", title=title)
    if proof.back_by and proof.back_by.environment:
        return say("No longer live on {environment}: {title}", environment=name, title=title)
    if proof.back == "reverted" and name:
        return say("Taken out again in {version}: {title}", version=name, title=title)
    if proof.back == "deleted" and name:
        return say("{version} was withdrawn: {title}", version=name, title=title)
    return say("No longer live: {title}", title=title)


def about(say: Say, facts: TicketFacts) -> list[list[Piece]]:
    """The facts of a ticket in a few lines; what is empty is left out."""
    rows: list[list[Piece]] = [[Bold(one_line(facts.subject))] if facts.subject else []]
    rows.append(_who(facts))
    named = [f"{one_line(name, 40)}: {one_line(value, 120)}" for name, value in facts.fields[:10]]
    rows.append([" · ".join(named)] if named else [])
    details: list[str] = []
    if facts.language:
        details.append(say("Writes in {language}", language=one_line(say.language(facts.language), 60)))
    if facts.waited is not None:
        details.append(say("waiting for {duration}", duration=say.ago(facts.waited)))
    rows.append([" · ".join(details)] if details else [])
    if facts.attachments:
        rows.append([say("Attachments: {names}", names=several(say, facts.attachments))])
    if facts.tags:
        rows.append([say("Tags: {tags}", tags=several(say, facts.tags))])
    if facts.ticket.number:
        rows.append([_there(say, facts.ticket)])
    return [row for row in rows if row]


def _who(facts: TicketFacts) -> list[Piece]:
    who: list[Piece] = [Bold(one_line(facts.customer, 80))] if facts.customer else []
    for more in (facts.organisation, facts.plan):
        if more:
            who += [" · ", one_line(more, 80)] if who else [one_line(more, 80)]
    return who


def _there(say: Say, ticket: TicketName) -> Link:
    if not ticket.helpdesk:
        return ticket_link(say, ticket)
    number, helpdesk = one_line(ticket.number, 40), one_line(ticket.helpdesk, 40)
    return Link(say("Ticket {number} in {helpdesk}", number=number, helpdesk=helpdesk), ticket.url)


def several(say: Say, names: tuple[str, ...], most: int = 8) -> str:
    """Names in a row, the first few of many."""
    shown = ", ".join(one_line(name, 60) for name in names[:most])
    left = len(names) - most
    return say.many("{shown} and {n} more", "{shown} and {n} more", left, shown=shown) if left > 0 else shown


def counted(say: Say, name: str, n: int) -> str:
    """A line of a list of people: who, and how much."""
    return say("{name}: {n}", name=one_line(name, 60), n=say.number(n))


def left_out(say: Say, redacted: Mapping[str, int]) -> str:
    """What will not leave the helpdesk: "1 card number and 2 e-mail addresses"; "" when nothing."""
    named = {
        CARD: say.many("{n} card number", "{n} card numbers", redacted.get(CARD, 0)),
        IBAN: say.many("{n} bank account number", "{n} bank account numbers", redacted.get(IBAN, 0)),
        TOKEN: say.many("{n} token", "{n} tokens", redacted.get(TOKEN, 0)),
        PASSWORD: say.many("{n} password", "{n} passwords", redacted.get(PASSWORD, 0)),
        EMAIL: say.many("{n} e-mail address", "{n} e-mail addresses", redacted.get(EMAIL, 0)),
        PHONE: say.many("{n} phone number", "{n} phone numbers", redacted.get(PHONE, 0)),
        CUSTOMER: say.many("the customer’s name, once", "the customer’s name, {n} times", redacted.get(CUSTOMER, 0)),
    }
    others = sum(n for what, n in redacted.items() if what not in named)
    found = [text for what, text in named.items() if redacted.get(what, 0) > 0]
    if others:
        found.append(say.many("{n} other detail", "{n} other details", others))
    return say.listed(found)


def happened(say: Say, what: str) -> str:
    """A line of an escalation's history as people say it; an unknown word stays as it is."""
    return {
        "flagged": say("Flagged"),
        "attached": say("Attached to the issue"),
        "unlinked": say("Taken off the issue"),
        "ticket_merged": say("Merged into another ticket in the helpdesk"),
        "works": say("The customer says that it works"),
        "still_broken": say("The customer says that it is still broken"),
        "gone_on": say("A new issue goes on with it"),
        "silent": say("No word from the customer"),
        "unmarked": say("That answer was about something else"),
        "handed_over": say("In the hands of another agent"),
        "follow_up": say("Written in a follow-up ticket"),
        "noted": say("Words for customers were given"),
        "followed": say("Flagged by a colleague too, who follows"),
        "filed": say("Issue filed"),
        "acknowledged": say("In hand"),
        "fixed": say("Fixed, not shipped yet"),
        "shipped": say("Shipped"),
        "declined": say("Declined"),
        "reopened": say("Not fixed after all"),
        "taken_back": say("Taken back"),
        "moved": say("Moved in the tracker"),
        "duplicate": say("Closed as a duplicate; its customers wait on the other issue"),
        "gone": say("Gone from the tracker"),
        "parted": say("No duplicate after all"),
        "refiled": say("To be filed again"),
        "carried": say("To be filed in another project"),
        "reason_wanted": say("The Support Dev was asked for the reason"),
        "fix_wanted": say("The Support Dev was asked which commit fixes it"),
        "adopted": say("Known in the tracker before"),
        "asked": say("Support was asked"),
        "answered": say("Support answered"),
        "workaround": say("A way around it was told"),
        "handed": say("In the hands of a Support Dev"),
        "promised": say("A day was named"),
        "merged": say("Said to be the same as another issue"),
        "severity:critical": say("Severity: critical"),
        "severity:high": say("Severity: high"),
        "severity:normal": say("Severity: normal"),
        "severity:low": say("Severity: low"),
        "told": say("The agent was told"),
        "due": say("Write-back due"),
        "held": say("Write-back on hold"),
        "sending": say("Reply on its way"),
        "written": say("Customer written to"),
        "uncertain": say("Unclear whether the reply went out"),
        "skipped": say("Write-back skipped"),
        "refused": say("The helpdesk refused the reply"),
    }.get(what, what)
