"""Short messages: to an agent about what they flagged, to the Support Dev about what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.views.parts import (
    Bold,
    IssueName,
    Person,
    Piece,
    Post,
    TicketName,
    actions,
    bullets,
    button,
    lines,
    one_line,
    plain,
    post,
    ticket_link,
    words,
)
from bot.texts import Say

LISTED = 40
"""How many issues one message names."""


def _title(issue: IssueName) -> Bold:
    return Bold(one_line(issue.title))


def _notice(*rows: list[Piece]) -> Post:
    return post("\n".join(plain(row) for row in rows), [lines(*rows)])


def filed(say: Say, ticket: TicketName, issue: IssueName) -> Post:
    """To the agent: a new issue stands for the ticket."""
    sentence = say.pieces("Filed as {issue} for {ticket}.", issue=issue.link, ticket=ticket_link(say, ticket))
    return _notice([_title(issue)], sentence, [say("I will tell you when it ships.")])


def attached(say: Say, ticket: TicketName, issue: IssueName, *, settled: bool = False) -> Post:
    """To the agent: the ticket joins an issue they chose; of one that is settled the news follows at once."""
    sentence = say.pieces("Attached {ticket} to {issue}.", issue=issue.link, ticket=ticket_link(say, ticket))
    rows: list[list[Piece]] = [[_title(issue)], sentence]
    if not settled:
        rows.append([say("I will tell you when it ships.")])
    return _notice(*rows)


def followed(say: Say, ticket: TicketName, issue: IssueName, owner: str) -> Post:
    """To the agent: a colleague carried this ticket before; they hear the news, the colleague writes back."""
    sentence = say.pieces(
        "{agent} already carried {ticket} to {issue}. You follow it and hear the news; {agent} writes back.",
        agent=one_line(owner, 80),
        ticket=ticket_link(say, ticket),
        issue=issue.link,
    )
    return _notice([_title(issue)], sentence)


def yours_already(say: Say, ticket: TicketName, issue: IssueName) -> Post:
    """To the agent: they carried this ticket before themselves."""
    sentence = say.pieces(
        "You already carried {ticket} to {issue}. Nothing was filed twice.",
        ticket=ticket_link(say, ticket),
        issue=issue.link,
    )
    return _notice([_title(issue)], sentence)


def filing_failed(say: Say, ticket: TicketName, title: str, why: str, next_step: str) -> Post:
    """To the agent: no issue yet, why, and what happens next. Both are sentences."""
    sentence = say.pieces(
        "No issue yet for {ticket}: {reason}", ticket=ticket_link(say, ticket), reason=words(why, 800)
    )
    return _notice([Bold(one_line(title))], sentence, [words(next_step, 800)])


def note_failed(say: Say, ticket: TicketName, issue: IssueName, why: str) -> Post:
    """To the agent: the issue stands, but the ticket does not say so. `why` is the helpdesk's reason, a clause."""
    sentence = say.pieces(
        "{issue} stands, but I could leave no note on {ticket}: {reason}",
        issue=issue.link,
        ticket=ticket_link(say, ticket),
        reason=words(why, 800),
    )
    step = say("You hear the news all the same. If the number is wrong, flag the right ticket and attach it.")
    return _notice([_title(issue)], sentence, [step])


def joined(say: Say, ticket: TicketName, issue: IssueName, by: str, *, same_ticket: bool) -> Post:
    """To the first agent: a colleague's customer joined the issue, or the colleague follows the same ticket."""
    agent = one_line(by, 80)
    if same_ticket:
        sentence = say.pieces(
            "{agent} flagged {ticket} too and follows {issue}. You still write back.",
            agent=agent,
            ticket=ticket_link(say, ticket),
            issue=issue.link,
        )
    else:
        sentence = say.pieces(
            "{agent} attached {ticket} to {issue}: one more customer waits for it.",
            agent=agent,
            ticket=ticket_link(say, ticket),
            issue=issue.link,
        )
    return _notice([_title(issue)], sentence)


def reason_wanted(say: Say, issue_id: str, issue: IssueName, waiting: int, support_devs: tuple[str, ...] = ()) -> Post:
    """To the Support Dev: closed as not planned, and nobody said why. `support_devs` are Slack user ids to notify."""
    sentence = say.pieces("{issue} was closed as not planned, without a reason.", issue=issue.link)
    hear = say.many(
        "{n} customer waits to hear why.",
        "{n} customers wait to hear why.",
        waiting,
    )
    rows: list[list[Piece]] = [[_title(issue)], [*_called(support_devs), *sentence], [hear]]
    give = actions(button(say("Give the reason"), "decline", issue_id, style="primary"))
    return post("\n".join(plain(row) for row in rows), [lines(*rows), give])


def fix_wanted(say: Say, issue_id: str, issue: IssueName, waiting: int, support_devs: tuple[str, ...] = ()) -> Post:
    """To the Support Dev: closed as completed, and no commit is known that one could look for in a release."""
    sentence = say.pieces("{issue} was closed as completed, but no commit is known that fixed it.", issue=issue.link)
    hear = say.many("{n} customer waits for it to ship.", "{n} customers wait for it to ship.", waiting)
    how = say("Name the commit, pull or merge request, and I watch for it. Fixed without a commit? Say what was done.")
    rows: list[list[Piece]] = [[_title(issue)], [*_called(support_devs), *sentence], [f"{hear} {how}"]]
    name = actions(button(say("Fixed by…"), "mark_fixed", issue_id, style="primary"))
    return post("\n".join(plain(row) for row in rows), [lines(*rows), name])


def moved(say: Say, tickets: Sequence[TicketName], issue: IssueName, *, duplicate: bool = False) -> Post:
    """To the agent: the issue of these tickets stands elsewhere now, or another is the same and took its place."""
    sentence = say.pieces("What you flagged is followed in {issue} now.", issue=issue.link)
    if duplicate:
        sentence = say.pieces("What you flagged is a duplicate: it is followed in {issue} now.", issue=issue.link)
    rows: list[list[Piece]] = [[ticket_link(say, ticket)] for ticket in tickets[:LISTED]]
    if len(tickets) > LISTED:
        rows.append([say.many("And {n} more.", "And {n} more.", len(tickets) - LISTED)])
    step = say("Nothing is asked of you: you hear the news as before.")
    text = "\n".join([plain(sentence), *map(plain, rows), step])
    return post(text, [lines([_title(issue)], sentence), bullets(rows), lines([step])])


def gone(say: Say, issue_id: str, issue: IssueName, waiting: int) -> Post:
    """To Support Dev and leads: the tracker has lost the issue, and its customers wait."""
    sentence = say.pieces("{issue} is gone from the tracker: deleted, or made into a discussion.", issue=issue.link)
    wait = say.many(
        "{n} customer still waits. File it again, or decline it with a reason that they can hear.",
        "{n} customers still wait. File it again, or decline it with a reason that they can hear.",
        waiting,
    )
    rows: list[list[Piece]] = [[_title(issue)], sentence, [wait]]
    buttons = actions(
        button(say("File it again"), "refile", issue_id, style="primary"), button(say("Decline"), "decline", issue_id)
    )
    return post("\n".join(plain(row) for row in rows), [lines(*rows), buttons])


def unnamed(say: Say, issue_id: str, issue: IssueName, problem: str) -> Post:
    """To the Support Dev: what they named as the fix cannot be taken. `problem` is a clause."""
    sentence = say.pieces(
        "I could not take that as the fix of {issue}: {reason}", issue=issue.link, reason=one_line(problem, 500)
    )
    step = say("Name a commit, or a pull or merge request that is merged, or say what was done without one.")
    rows: list[list[Piece]] = [[_title(issue)], sentence, [step]]
    again = actions(button(say("Fixed by…"), "mark_fixed", issue_id, style="primary"))
    return post("\n".join(plain(row) for row in rows), [lines(*rows), again])


def bared(say: Say, repository: str, issues: Sequence[IssueName]) -> Post:
    """To the leads: a repository was made public, with issues in it that were filed while it was not."""
    sentence = say("Everybody can read {repository} now.", repository=one_line(repository))
    there = say.many(
        "{n} issue was written there while it was private, with what the policy let leave then.",
        "{n} issues were written there while it was private, with what the policy let leave then.",
        len(issues),
    )
    step = say("Read through them, and delete what nobody else may see; an edited text keeps its history.")
    rows: list[list[Piece]] = [[issue.link] for issue in issues[:LISTED]]
    if len(issues) > LISTED:
        rows.append([say.many("And {n} more.", "And {n} more.", len(issues) - LISTED)])
    text = "\n".join([sentence, there, *map(plain, rows), step])
    return post(text, [lines([Bold(sentence)], [there]), bullets(rows), lines([step])])


def finding(say: Say, project: str, where: str, problem: str, mend: str) -> Post:
    """To the leads: something keeps the bot from its work in a tracker. All but the first sentence is as `passerelle
    check` says it."""
    sentence = say("Something is to be mended, or {project} will miss news:", project=one_line(project, 75))
    found = say("{where}: {problem}", where=one_line(where, 200), problem=one_line(problem, 500))
    step = say("Whoever operates Passerelle sees the same by passerelle check.")
    return _notice([Bold(sentence)], [found], [one_line(mend, 500)], [step])


def _called(people: tuple[str, ...]) -> list[Piece]:
    return [piece for person in people[:5] for piece in (Person(person), " ")]
