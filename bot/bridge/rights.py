"""Who may do what: `docs/reference.md` has the same as a table. Slack is asked who somebody is, unless we know."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from bot.bridge.core import Bridge
from bot.model import UserError
from bot.store.tables import Escalation, Issue, Person, WriteBackRow
from integrations.base import ServiceError


@dataclass(frozen=True, slots=True)
class Roles:
    """What somebody is here: guests and strangers nothing of all that."""

    flags: bool = False
    decides: tuple[str, ...] = ()  # the keys of the projects whose Support Dev they are
    leads: bool = False

    @property
    def any(self) -> bool:
        return self.flags or self.leads or bool(self.decides)


def roles(bridge: Bridge, person: str) -> Roles:
    """What this person is here. Raises ServiceErrors."""
    known = bridge.look_up(person)
    if not known.member:
        return Roles()
    projects = bridge.settings.projects
    decides = tuple(one.key for one in projects if any(dev.slack == person for dev in one.support_devs))
    return Roles(bridge.may_flag(known), decides, person in bridge.settings.slack.leads)


NAMED = 5
"""How many of those who can are named to somebody who cannot."""


def decide(bridge: Bridge, person: str, issue_id: str) -> None:
    """Acknowledging and declining: the Support Devs of the issue's project, and the leads. Raises UserError,
    ServiceErrors."""
    with bridge.store.read() as session:
        issue = session.get(Issue, issue_id)
    if issue is None:
        raise UserError("That issue is not known here any more.")
    project = bridge.project(issue.project)
    entitled = [dev.slack for dev in project.support_devs] + [*bridge.settings.slack.leads]
    if person not in entitled or not bridge.look_up(person).member:
        raise UserError(
            "Only the Support Devs of {project} and the leads decide about its issues. Ask one of them: {names}.",
            project=project.name,
            names=_names(bridge, entitled),
        )


def answer(bridge: Bridge, person: str, write_back_id: str) -> None:
    """Writing back, and saying that it is written or not needed: the agent who owes it, the leads, and whoever may
    flag tickets. Raises UserError, ServiceErrors."""
    with bridge.store.read() as session:
        row = session.get(WriteBackRow, write_back_id)
    if row is None:
        raise UserError("That write-back is not known here any more.")
    known = bridge.look_up(person)
    if not (known.member and (person == row.agent or _may_see(bridge, known, ()))):
        entitled = (row.agent, *bridge.settings.slack.leads)
        raise UserError(
            "Only those who may flag tickets here write back to customers. Ask one of them: {names}.",
            names=_names(bridge, entitled),
        )


def see(bridge: Bridge, person: str) -> None:
    """Asking how a ticket or an issue stands: whoever may flag, Support Devs and leads. Raises UserError,
    ServiceErrors."""
    devs = [dev.slack for project in bridge.settings.projects for dev in project.support_devs]
    if not _may_see(bridge, bridge.look_up(person), devs):
        raise UserError(
            "Only members of the support team, Support Devs and leads can ask how a ticket stands. "
            "Ask your lead to add you."
        )


def talk(bridge: Bridge, person: str, _issue_id: str) -> None:
    """Answering, and sending to an issue what was said in its thread: whoever may ask how it stands."""
    see(bridge, person)


def flag(bridge: Bridge, person: str) -> None:
    """Attaching a ticket: whoever may flag. Raises UserError, ServiceErrors."""
    known = bridge.look_up(person)
    if not (known.member and bridge.may_flag(known)):
        raise UserError("Only members of the support team can flag tickets here. Ask your lead to add you.")


def take_off(bridge: Bridge, person: str, escalation_id: str) -> None:
    """Taking a ticket off its issue: its agent, the project's Support Devs, the leads. Raises UserError,
    ServiceErrors."""
    with bridge.store.read() as session:
        escalation = session.get_one(Escalation, escalation_id)
        agent, key = escalation.agent, escalation.issue.project
    entitled = [agent, *(dev.slack for dev in bridge.project(key).support_devs), *bridge.settings.slack.leads]
    if person not in entitled or not bridge.look_up(person).member:
        raise UserError(
            "Only the ticket’s agent, the Support Devs of its project and the leads take it off. Ask one of them: "
            "{names}.",
            names=_names(bridge, entitled),
        )


def _may_see(bridge: Bridge, person: Person, others: Iterable[str]) -> bool:
    listed = person.id in {*bridge.settings.slack.leads, *others}
    return person.member and (listed or bridge.may_flag(person))


def _names(bridge: Bridge, people: Iterable[str]) -> str:
    names = []
    for person in list(dict.fromkeys(people))[:NAMED]:
        name = person
        with suppress(ServiceError):
            name = bridge.look_up(person).name
        names.append(name)
    return ", ".join(names)
