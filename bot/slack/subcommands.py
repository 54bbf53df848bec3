"""`/bug help`, `link`, `unlink` and `digest`: asked of the store alone, answered to whoever asks."""

from __future__ import annotations

from bot.bridge import linking, rights, taken_off
from bot.configuration import Digest
from bot.model import UserError
from bot.slack import form, shown, views, whole_list
from bot.slack.digests import MAKERS, without_chart
from bot.slack.edges import Edges, spoken
from bot.store import queries

HELP_WAITS = 0.7
"""Seconds for Slack to tell who asks for help: the page comes within one."""


def meant(edges: Edges, text: str) -> bool:
    """Whether what was typed is one of these, and no title that begins with such a word."""
    word, *rest = text.split()[:3] or [""]
    match word.lower():
        case "help":
            return not rest
        case "digest":
            return len(rest) < 2
        case "link" | "unlink":
            return not rest or form.is_reference(edges.bridge, rest[0])
        case _:
            return False


def answer(edges: Edges, person: str, text: str, command: str) -> views.Post:
    """What this person reads in answer to what they typed."""
    word, *rest = text.split()
    try:
        match word.lower():
            case "help":
                return _help(edges, person, command)
            case "digest":
                return _digest(edges, person, rest)
            case "link":
                return _link(edges, person, rest, command)
            case _:
                return _unlink(edges, person, rest, command)
    except UserError as error:
        return views.said(spoken(edges.say(person), error))


def _help(edges: Edges, person: str, command: str) -> views.Post:
    """What they may do; whom Slack does not tell in time sees what agents do."""
    roles = edges.ask(rights.roles, person, within=HELP_WAITS)
    first = edges.bridge.settings.projects[0]
    who = views.Abilities(
        flags=roles is None or roles.flags,
        decides=tuple(
            project.name for project in edges.bridge.settings.projects if roles and project.key in roles.decides
        ),
        leads=roles is not None and roles.leads,
        example=f"{first.repository}#12",
    )
    return views.help_(edges.say(person), command, who)


def _digest(edges: Edges, person: str, rest: list[str]) -> views.Post:
    """The digest of that name as it would be now; without one, the first of what is unresolved."""
    edges.check(rights.see, person)
    known = edges.bridge.settings.digests
    found = _named(edges, rest[0]) if rest else next((one for one in known if one.about == "unresolved"), None)
    if rest and found is None:
        names = ", ".join(one.name for one in known)
        raise UserError("There is no digest {name} here. There is: {names}", name=rest[0], names=names or "–")
    of = whole_list.edition(edges, found, person)
    make = MAKERS.get(found.about if found else "unresolved")
    with edges.bridge.store.read() as session:
        post = make(session, of) if make else None
    return without_chart(post) if post else views.said(of.say("There is nothing to tell now."))


def _named(edges: Edges, name: str) -> Digest | None:
    return next((one for one in edges.bridge.settings.digests if one.name == name.lower()), None)


def _link(edges: Edges, person: str, rest: list[str], command: str) -> views.Post:
    if len(rest) != 2:
        raise UserError(
            "Name the ticket and the issue: {command} link 4211 {example}",
            command=command,
            example=f"{edges.bridge.settings.projects[0].repository}#12",
        )
    edges.check(rights.flag, person)
    made = linking.link(edges.bridge, person, *rest)
    escalation = made.escalation
    with edges.bridge.store.read() as session:
        owner = edges.people.name(session, escalation.agent)
    data = views.Linked(
        ticket=shown.ticket_name(escalation.ticket),
        issue=shown.issue_name(escalation.issue),
        settled=escalation.issue.stage in queries.SETTLED,
        owner=owner if made.follows else "",
        already=made.already,
        others=tuple(shown.issue_name(one.issue) for one in made.others),
    )
    return views.linked(edges.say(person), data)


def _unlink(edges: Edges, person: str, rest: list[str], command: str) -> views.Post:
    if len(rest) not in (1, 2):
        raise UserError("Name the ticket: {command} unlink 4211. An issue may follow.", command=command)
    edges.check(rights.see, person)
    escalation_id = linking.linked(edges.bridge, *rest)
    edges.check(rights.take_off, person, escalation_id)
    done = taken_off.take_off(edges.bridge, escalation_id, person)
    with edges.bridge.store.read() as session:
        informed = tuple(edges.people.name(session, one) for one in done.informed)
    data = views.Unlinked(
        ticket=shown.ticket_name(done.escalation.ticket),
        issue=shown.issue_name(done.escalation.issue),
        excused=done.excused,
        told=done.told,
        quoted=done.quoted,
        others=tuple(shown.issue_name(one.issue) for one in done.left),
        informed=informed,
    )
    return views.unlinked(edges.say(person), data)
