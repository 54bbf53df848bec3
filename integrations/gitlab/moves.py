"""Where an issue went, what takes its place, and whether it was opened again: what GitLab tells beside the issue; and
how one is closed as a duplicate."""

from __future__ import annotations

import re
from dataclasses import replace

from integrations.base import Gone, Issue, NotFound, Place, Rejected, Unauthorised
from integrations.gitlab import answers, wording
from integrations.gitlab.answers import Json, path_of
from integrations.gitlab.wire import Wire
from integrations.wording import same

_HOPS_MOST = 5
_NOTE_PAGES = 3
_API_ISSUE = re.compile(r"/projects/(?P<project>[^/?]+)/(?:issues|work_items)/(?P<number>\d+)(?:\?.*)?$")


def followed(wire: Wire, repo: str, number: int) -> Issue:
    """The issue as it is now, at its newest place.

    Gone: it was deleted, moved out of our sight, or promoted to an epic ("Moved issues", "Promote an issue").
    """
    for _ in range(_HOPS_MOST):
        item = _item(wire, repo, number)
        if not item.get("moved_to_id"):
            return _told(wire, repo, item)
        target = _moved_to(wire, wire.translated(lambda found: answers.home_of(found, "#"), item), item)
        if target is None:
            break
        repo, number = target.repository, target.number
    raise Gone(wire.name, f"{repo}#{number} was moved where we cannot follow")


def close_as_duplicate(wire: Wire, repo: str, number: int, of: Place) -> None:
    """By the quick action, for the API has no other way ("GitLab quick actions"); repeated, it would be noted again.

    It answers well whatever became of it, so the issue is looked at.
    """
    issue = followed(wire, repo, number)
    other = followed(wire, of.repository, of.number)
    place, here = Place(other.repository, other.number), Place(issue.repository, issue.number)
    if same(place, here):
        raise Rejected(wire.name, "an issue is no duplicate of itself")
    if issue.duplicate_of and same(issue.duplicate_of, place):
        return
    body = {"body": f"/duplicate {place.repository}#{place.number}"}
    wire.write("POST", path_of(here.repository, "issues", here.number, "notes"), body, dict)
    if followed(wire, here.repository, here.number).reason != "duplicate":
        raise Rejected(wire.name, f"GitLab did not close {here.repository}#{here.number} as a duplicate")


def _item(wire: Wire, repo: str, number: int) -> dict[str, object]:
    try:
        return wire.get(path_of(repo, "issues", number), lambda found: dict(found))
    except NotFound as missing:
        if not wire.get(path_of(repo), answers.has_issues):  # raises where we do not see the project
            raise
        raise Gone(wire.name, f"{repo}#{number} was deleted, or is hidden from us") from missing


def _moved_to(wire: Wire, repo: str, item: Json) -> Place | None:
    """By the system note of the move: `moved_to_id` is an id that only administrators may look up ("Issues API")."""
    return next((place for note in _told_of(wire, repo, item) if (place := wording.moved_to(note, repo))), None)


def _told(wire: Wire, repo: str, item: Json) -> Issue:
    issue = wire.translated(lambda found: answers.issue(found, wire.config.not_planned_label), item)
    if issue.open:
        return issue
    duplicate = _duplicate_of(wire, item)
    if duplicate or _is_duplicate(item):
        return replace(issue, reason="duplicate", duplicate_of=duplicate)
    if any(note.lower().startswith("promoted to epic") for note in _told_of(wire, issue.repository, item)):
        raise Gone(wire.name, f"{repo}#{issue.number} is an epic now")
    return issue


def _is_duplicate(item: Json) -> bool:
    links = item.get("_links")
    return isinstance(links, dict) and bool(links.get("closed_as_duplicate_of"))


def _duplicate_of(wire: Wire, item: Json) -> Place | None:
    """The issue that an address of the API names; it is told only where we may see that one."""
    links = item.get("_links")
    address = links.get("closed_as_duplicate_of") if isinstance(links, dict) else None
    found = _API_ISSUE.search(str(address or ""))
    if found is None:
        return None
    try:
        other = wire.get(f"/projects/{found['project']}/issues/{found['number']}", lambda told: dict(told))
    except (NotFound, Unauthorised):
        return None
    return wire.translated(lambda told: Place(answers.home_of(told, "#"), int(told["iid"])), other)


def _told_of(wire: Wire, repo: str, item: Json) -> list[str]:
    """What GitLab itself noted at the issue, newest first."""
    query = {"sort": "desc", "order_by": "created_at", "activity_filter": "only_activity"}
    notes = wire.pages(path_of(repo, "issues", item["iid"], "notes"), query, limit=_NOTE_PAGES)
    return [str(note.get("body") or "") for note in notes if note.get("system")]
