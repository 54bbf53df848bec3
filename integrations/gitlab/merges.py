"""Merge requests that are merged: how they were, what commits they brought, and which others repeat them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.base import Commit, Fix, NotFound, Place, Rejected, Unauthorised
from integrations.gitlab import answers, wording
from integrations.gitlab.answers import Json, path_of
from integrations.gitlab.wire import PAGE, Wire
from integrations.wording import same

UNSEEN = (NotFound, Unauthorised, Rejected)  # of another project, perhaps
_BRANCHES_MOST = 10  # merge requests whose backports are looked for
_NOTE_PAGES = 3
_COMMIT_PAGES = 5
_LATER = timedelta(minutes=5)  # commits may be dated by another clock than the merge


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged merge request. `sha` stands for it on its target branch; `squash` is the one commit made of its own."""

    id: int  # GitLab's own, which events name
    at: Place
    title: str
    body: str
    url: str
    sha: str
    squash: str
    is_merge: bool  # `sha` is a merge commit
    branch: str
    when: datetime

    def key(self) -> tuple[str, int]:
        return self.at.repository.casefold(), self.at.number

    def fixes(self, issue: Place) -> bool:
        return any(same(place, issue) for place in wording.closing(self.title, self.body, self.at.repository))

    def copies(self) -> set[tuple[str, int]]:
        places = wording.copied(self.title, self.body, self.at.repository)
        return {(place.repository.casefold(), place.number) for place in places}

    def copies_at_home(self) -> set[tuple[str, int]]:
        """Those of its own project."""
        return {found for found in self.copies() if found[0] == self.key()[0]}

    def shas(self) -> set[str]:
        return {self.sha, self.squash} - {""}


def merge(item: Json) -> Merge | None:
    """A merge request of a list or its own page, None while it is not merged.

    A merge commit (also of a merge train), else the squashed commit, else, fast-forward, its last commit.
    """
    at = Place(answers.home_of(item, "!"), int(item["iid"]))
    if item["state"] != "merged":
        return None
    made, squash = item.get("merge_commit_sha") or "", item.get("squash_commit_sha") or ""
    return Merge(
        id=int(item["id"]),
        at=at,
        title=item["title"],
        body=item.get("description") or "",
        url=item["web_url"],
        sha=made or squash or str(item["sha"]),
        squash=squash,
        is_merge=bool(made) and made != squash,
        branch=item["target_branch"],
        when=datetime.fromisoformat(item["merged_at"] or item["updated_at"]),
    )


def find(wire: Wire, at: Place) -> Merge | None:
    """None while it is not merged; NotFound, Unauthorised or Rejected where it is not ours to see."""
    return wire.get(path_of(at.repository, "merge_requests", at.number), merge)


def seen(wire: Wire, places: Iterable[Place]) -> list[Merge]:
    """Those of `places` that are merged and that we may see."""
    found = []
    for place in places:
        try:
            known = find(wire, place)
        except UNSEEN:
            continue
        if known:
            found.append(known)
    return found


# --- copies -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Root:
    merge: Merge
    copies: list[Merge]

    def is_copied_by(self, other: Merge) -> bool:
        """Whether it says so, and was merged to another branch there: "needs a backport of !12" is none."""
        said = other.copies() & {self.merge.key(), *(copy.key() for copy in self.copies)}
        return bool(said) and other.key()[0] == self.merge.key()[0] and other.branch != self.merge.branch


def as_fixes(wire: Wire, repo: str, merged: list[Merge]) -> list[Fix]:
    """The fixes that they are; one that brings another's change to a further branch is its copy."""
    known = {found.key() for found in merged}
    mentioning = [
        place for found in sorted(merged, key=_time)[-_BRANCHES_MOST:] for place in _mentioning(wire, found.at)
    ]
    new = [place for place in dict.fromkeys(mentioning) if (place.repository.casefold(), place.number) not in known]
    further = [found for found in seen(wire, new) if found.copies()]
    roots: list[_Root] = []
    for found in sorted([*merged, *further], key=_time):
        originals = [root for root in roots if root.is_copied_by(found)]
        for root in originals:
            root.copies.append(found)
        if not originals and found.key() in known:
            roots.append(_Root(found, []))
    return [_fix(wire, repo, root) for root in roots]


def _time(found: Merge) -> tuple[datetime, int]:
    return found.when, found.at.number


def _mentioning(wire: Wire, at: Place) -> list[Place]:
    """The merge requests that mention this one, by GitLab's own notes there ("mentioned in merge request !12")."""
    query = {"sort": "desc", "order_by": "created_at", "activity_filter": "only_activity"}
    try:
        notes = list(wire.pages(path_of(at.repository, "merge_requests", at.number, "notes"), query, limit=_NOTE_PAGES))
    except UNSEEN:
        return []
    texts = [str(note.get("body") or "") for note in notes if note.get("system")]
    return [place for text in texts for place in wording.mentioned_in(text, at.repository) if not same(place, at)]


def _fix(wire: Wire, repo: str, root: _Root) -> Fix:
    found = root.merge
    where = found.at.repository
    sha, parts = _landed(wire, found)
    return Fix(
        sha=sha,
        url=f"{found.url.partition('/-/')[0]}/-/commit/{sha}",
        pull=found.at.number,
        pull_url=found.url,
        title=found.title,
        branch=found.branch,
        merged_at=found.when,
        repository="" if where.casefold() == repo.casefold() else where,
        parts=parts,
        copies=tuple(_landed(wire, copy)[0] for copy in root.copies),
    )


# --- what came to the target branch -----------------------------------------------------------------------------------


def all_shas(wire: Wire, found: Merge) -> tuple[str, ...]:
    """Every commit that it brought to its target branch."""
    sha, parts = _landed(wire, found)
    return tuple(dict.fromkeys([sha, *parts]))


def _landed(wire: Wire, found: Merge) -> tuple[str, tuple[str, ...]]:
    """(the sha that stands for it, what a merge commit or a fast-forward of several commits brought).

    A fast-forward brings the merge request's own commits, as they are after a rebase; a fast-forward merge train brings
    copies of them, and nothing but the branch itself tells of those.
    """
    if found.squash:
        return found.sha, (found.squash,) if found.is_merge else ()
    path = path_of(found.at.repository, "merge_requests", found.at.number, "commits")
    try:
        items = list(wire.pages(path, limit=_COMMIT_PAGES))
        own: list[Commit] = wire.translated(lambda told: [answers.commit(item) for item in reversed(told)], items)
        if found.is_merge:
            return found.sha, tuple(commit.sha for commit in own if len(commit.parents) < 2)
        shas = _on_branch(wire, found, own)
    except UNSEEN:
        return found.sha, ()
    return (shas[-1], shas if len(shas) > 1 else ()) if shas else (found.sha, ())


def _on_branch(wire: Wire, found: Merge, own: list[Commit]) -> tuple[str, ...]:
    """The shas that `own` have on the target branch, found from the last one backwards; () when it tells of none."""
    path = path_of(found.at.repository, "repository", "commits")
    query = {"ref_name": found.branch, "until": answers.utc(found.when + _LATER)}
    items = list(wire.pages(path, query, limit=1 + len(own) // PAGE))
    listed: list[Commit] = wire.translated(lambda told: [answers.commit(item) for item in told], items)
    known = {commit.sha: commit for commit in listed}
    if not known or found.sha in known:
        return tuple(commit.sha for commit in own)
    wanted = [commit for commit in reversed(own) if len(commit.parents) < 2]
    here = next((commit for commit in listed if wanted and _same(commit, wanted[0])), None)
    shas: list[str] = []
    for original in wanted:
        if here is None or not _same(here, original):
            break
        shas.append(here.sha)
        here = known.get(here.parents[0]) if here.parents else None
    return tuple(reversed(shas))


def _same(one: Commit, other: Commit) -> bool:
    return one.message.strip() == other.message.strip() and one.authored_at == other.authored_at
