"""Which merged merge requests and commits fix an issue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from integrations.base import Commit, Fix, NotFound, Place, Rejected
from integrations.gitlab import answers, code, merges, wording
from integrations.gitlab.answers import Json, path_of
from integrations.gitlab.merges import UNSEEN, Merge
from integrations.gitlab.wire import Wire

_MOST = 20  # merge requests or commits looked at for one issue, the newest


def fixes(wire: Wire, repo: str, number: int) -> list[Fix]:
    """What fixes the issue, oldest merge first, then commits without a merge request.

    Asked: `closed_by` (what closes it, by its text or its commits, when merged to the default branch);
    `related_merge_requests`, because closing words stay silent on other branches; and what closed it. A public issue
    can be named by anybody, in a project of their own: such a merge request counts if it closed the issue. What came
    before the issue was opened again did not fix it.
    """
    issue = Place(wire.name_of(repo), number)
    closing = _listed(wire, issue, "closed_by")
    related = [found for found in _listed(wire, issue, "related_merge_requests") if found.fixes(issue)]
    closers = _closers(wire, issue)
    named = {found.key(): found for found in [*related, *closing] if not _only_repeats(found, issue)}
    strangers = [found for found in named.values() if not _is_neighbour(found, issue)]
    if strangers and _is_public(wire, repo):
        for found in strangers:
            if found.id not in closers.merges:
                named.pop(found.key())
    commits = _commits(wire, issue, closers.commits, named)
    since = [found for found in named.values() if closers.reopened is None or found.when > closers.reopened]
    done = merges.as_fixes(wire, repo, since[-_MOST:])
    known = {sha for fix in done for sha in (fix.sha, *fix.parts, *fix.copies)}
    return done + [fix for fix in commits if fix.sha not in known]


def fix(wire: Wire, repo: str, reference: str) -> Fix:
    """The fix that a person named. Rejected: not a reference, or not merged yet."""
    try:
        named = wording.reference(reference.strip(), repo)
    except wording.NoFix as other:
        raise NotFound(wire.name, str(other)) from other
    if named is None:
        text = "name a commit (7 or more characters of its sha) or a merge request (!12, group/project!12, its address)"
        raise Rejected(wire.name, text)
    at, number, sha = answers.below(named[0], wire.config.url), named[1], named[2]
    if not number:
        return _commit(wire, repo, at, sha)[1]
    found = merges.find(wire, Place(at, number))
    if found is None:
        raise Rejected(wire.name, f"merge request !{number} is not merged yet")
    return merges.as_fixes(wire, repo, [found])[0]


# --- merge requests ---------------------------------------------------------------------------------------------------


def _listed(wire: Wire, issue: Place, what: str) -> list[Merge]:
    """The merged ones of a list of the issue's; the list leaves out what we may not see."""
    items = list(wire.pages(path_of(issue.repository, "issues", issue.number, what), limit=3))
    told = wire.translated(lambda found: [merges.merge(item) for item in found], items)
    return [found for found in told if found]


def _only_repeats(found: Merge, issue: Place) -> bool:
    return wording.only_repeats(found.title, found.body, found.at.repository, issue)


def _is_neighbour(found: Merge, issue: Place) -> bool:
    """Whether both stand in one top-level group, where the same people decide."""
    tops = {place.repository.partition("/")[0].casefold() for place in (found.at, issue)}
    return len(tops) == 1


def _is_public(wire: Wire, repo: str) -> bool:
    return wire.get(path_of(repo), answers.repository).public


# --- what closed it ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Closers:
    merges: frozenset[int]  # ids
    commits: tuple[str, ...]  # shas
    reopened: datetime | None  # when the issue was opened again last


def _closers(wire: Wire, issue: Place) -> _Closers:
    """By "Resource state events": a commit or a merge request stands in the event of its closing."""
    path = path_of(issue.repository, "issues", issue.number, "resource_state_events")
    found = list(wire.pages(path, limit=3))
    at = [index for index, event in enumerate(found) if event.get("state") == "reopened"]
    reopened = wire.translated(lambda told: datetime.fromisoformat(told["created_at"]), found[at[-1]]) if at else None
    events = [event for event in (found[at[-1] :] if at else found) if event.get("state") == "closed"]
    by = [int(event["source_merge_request_id"]) for event in events if event.get("source_merge_request_id")]
    shas = [str(event["source_commit"]) for event in events if event.get("source_commit")]
    return _Closers(frozenset(by), tuple(dict.fromkeys(shas))[-_MOST:], reopened)


def _commits(wire: Wire, issue: Place, shas: tuple[str, ...], named: dict[tuple[str, int], Merge]) -> list[Fix]:
    """The commits that closed the issue; one that a merge request brought adds that to `named` instead."""
    told = {sha for found in named.values() for sha in found.shas()}
    commits = []
    for sha in shas:
        if sha in told:
            continue
        try:
            commit, fix = _commit(wire, issue.repository, issue.repository, sha)
            path = path_of(issue.repository, "repository", "commits", sha, "merge_requests")
            items = list(wire.pages(path, limit=1))
        except UNSEEN:  # pushed away since, or of another project
            continue
        title, _, rest = commit.message.partition("\n")
        if wording.only_repeats(title, rest, issue.repository, issue):
            continue
        brought = [found for found in wire.translated(_merged, items) if found]
        if brought:
            first = min(brought, key=lambda found: (found.when, found.at.number))
            named.setdefault(first.key(), first)
        else:
            commits.append(fix)
    return commits


def _merged(items: Sequence[Json]) -> list[Merge | None]:
    return [merges.merge(item) for item in items]


def _commit(wire: Wire, repo: str, at: str, sha: str) -> tuple[Commit, Fix]:
    """The commit, and the fix that it is for an issue of `repo`."""
    item = code.commit_item(wire, at, sha)
    commit = wire.translated(answers.commit, item)
    url = wire.translated(lambda told: str(told["web_url"]), item)
    found = Fix(sha=commit.sha, url=url, title=commit.message.partition("\n")[0])
    elsewhere = at.casefold() != repo.casefold() and answers.place_in(url, wire.config.url)
    return commit, replace(found, repository=elsewhere or "")
