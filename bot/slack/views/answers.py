"""What `/bug help`, `/bug link` and `/bug unlink` answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack.views.facts import several
from bot.slack.views.parts import (
    Bold,
    Code,
    IssueName,
    Link,
    Piece,
    Post,
    TicketName,
    bullets,
    lines,
    one_line,
    plain,
    post,
    small,
    ticket_link,
)
from bot.texts import Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What somebody may do here."""

    flags: bool = False
    decides: tuple[str, ...] = ()  # the names of the projects whose Support Dev they are
    leads: bool = False
    example: str = "acme/shop#12"  # an issue as it is written here

    @property
    def any(self) -> bool:
        return self.flags or self.leads or bool(self.decides)


def help_(say: Say, name: str, who: Abilities) -> Post:
    """What this person can type, and what else they can do."""
    if not who.any:
        sentence = say(
            "I carry support tickets to developers, for the support team here. Ask your lead to add you; then this "
            "page shows what you can do."
        )
        return post(sentence, [lines([sentence])])
    rows: list[list[Piece]] = []
    if who.flags:
        rows += [
            [Code(f"{name} 4211"), " ", say("flags a ticket, by its number or address; a title may follow")],
            [Code(f"{name} link 4211 {who.example}"), " ", say("attaches a ticket to an issue that is known here")],
            [Code(f"{name} mine"), " ", say("your escalations, and the customers you owe an answer")],
        ]
    rows += [
        [Code(f"{name} unlink 4211"), " ", _unlinks(say, who)],
        [Code(f"{name} status 4211"), " ", say("where a ticket or an issue stands, and what happened")],
        [Code(f"{name} digest"), " ", say("what is open and who owes customers an answer, now")],
        [Code(f"{name} duty"), " ", say("who is on duty, and what is planned")],
        [Code(f"{name} help"), " ", say("this page")],
    ]
    first = say("I carry a ticket to an issue, and tell you when the fix has shipped, so that you can write back.")
    more = _more(say, who)
    text = "\n".join([first, *map(plain, rows), *more])
    return post(text, [lines([first]), bullets(rows), *(small(sentence) for sentence in more)])


def _unlinks(say: Say, who: Abilities) -> str:
    if who.leads:
        return say("takes a ticket off its issue")
    if who.decides:
        return say("takes a ticket off its issue, in your projects")
    return say("takes a ticket of yours off its issue")


def _more(say: Say, who: Abilities) -> list[str]:
    sentences = [say("My Home tab shows what waits, with the same buttons.")]
    if who.decides:
        sentences.append(
            say(
                "You are a Support Dev of {projects}: the buttons on the cards decide about its issues.",
                projects=several(say, who.decides),
            )
        )
    if who.leads:
        sentences.append(say("You are a lead: you decide in every project, and may write back for any agent."))
    if who.flags:
        sentences.append(
            say(
                "You can also flag from any message that has a ticket's link: open its menu and choose Flag this as a "
                "bug."
            )
        )
    return sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    ticket: TicketName
    issue: IssueName
    settled: bool = False  # shipped or declined
    owner: str = ""  # the agent who brought the ticket there before, when the reader follows
    already: bool = False  # the reader had
    others: tuple[IssueName, ...] = ()  # on which other issues the ticket waits


def linked(say: Say, data: Linked) -> Post:
    """Where the ticket is now."""
    ticket, issue = ticket_link(say, data.ticket), data.issue.link
    if data.already:
        rows = [say.pieces("You carried {ticket} to {issue} already; nothing changed.", ticket=ticket, issue=issue)]
    elif data.owner:
        owner = one_line(data.owner, 80)
        rows = [
            say.pieces("{agent} carried {ticket} to {issue} already.", agent=owner, ticket=ticket, issue=issue),
            [say("You follow: you hear the news, {agent} writes back.", agent=owner)],
        ]
    else:
        rows = [[Bold(one_line(data.issue.title))]]
        rows.append(_begun(say.pieces("{ticket} waits on {issue} now.", ticket=ticket, issue=issue), ticket))
        if data.settled:
            rows.append([say("It is settled: what the customer should hear comes to you as a write-back.")])
        else:
            rows.append([say("You hear of it when there is news for this customer.")])
    rows += [
        say.pieces(
            "It waits on {issue} too. {command} takes it off there.",
            issue=other.link,
            command=Code(f"/bug unlink {one_line(data.ticket.number, 40)} {one_line(other.label, 100)}"),
        )
        for other in data.others[:5]
    ]
    return _said(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinked:
    ticket: TicketName
    issue: IssueName
    excused: int = 0  # write-backs that are not owed any more
    told: bool = False  # the customer was written to about this issue
    quoted: bool = False  # the issue's own text was made from this ticket
    others: tuple[IssueName, ...] = ()  # on which issues it still waits
    informed: tuple[str, ...] = ()  # names of who is told


def unlinked(say: Say, data: Unlinked) -> Post:
    """What taking the ticket off did, and what it did not."""
    ticket = ticket_link(say, data.ticket)
    rows = [_begun(say.pieces("{ticket} is off {issue}.", ticket=ticket, issue=data.issue.link), ticket)]
    if data.excused:
        rows.append([_excused(say, data.excused)])
    if data.told:
        rows.append([say("This customer was written to about it before. If that was wrong, tell them on the ticket.")])
    if data.others:
        issues = say.listed([one_line(other.label or other.title, 100) for other in data.others[:5]])
        rows.append([say("It still waits on {issues}.", issues=issues)])
    else:
        again = Code(f"/bug {one_line(data.ticket.number, 40)}")
        rows.append(say.pieces("It waits on no issue now. {command} flags it again.", command=again))
    if data.quoted:
        rows.append([say("The issue was filed from this ticket, and its text is left as it is: change it there.")])
    if data.informed:
        rows.append([say("I tell {names}.", names=say.listed([one_line(name, 80) for name in data.informed]))])
    return _said(rows)


def taken_off(say: Say, ticket: TicketName, issue: IssueName, by: str, excused: int) -> Post:
    """To the agent, and to who follows: somebody took the ticket off the issue."""
    rows: list[list[Piece]] = [
        say.pieces(
            "{name} took {ticket} off {issue}.",
            name=one_line(by, 80),
            ticket=ticket_link(say, ticket),
            issue=issue.link,
        )
    ]
    if excused:
        rows.append([_excused(say, excused)])
    again = Code(f"/bug {one_line(ticket.number, 40)}")
    rows.append(say.pieces("If the customer waits for a fix still, {command} flags it again.", command=again))
    return _said(rows)


def _begun(line: list[Piece], ticket: Link) -> list[Piece]:
    """The line, with a capital where it begins with the ticket."""
    return [Link(ticket.text[:1].upper() + ticket.text[1:], ticket.url), *line[1:]] if line[0] == ticket else line


def _excused(say: Say, n: int) -> str:
    return say.many(
        "The write-back that was open for it is not owed any more: it is skipped, and its history says why.",
        "The {n} write-backs that were open for it are not owed any more: they are skipped, and the history says why.",
        n,
    )


def _said(rows: Sequence[Sequence[Piece]]) -> Post:
    return post("\n".join(plain(row) for row in rows), [lines(*rows)])


def said(sentence: str) -> Post:
    """One sentence, as it is."""
    return _said([[sentence]])
