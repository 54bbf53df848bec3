"""Which merged pull requests and commits fix an issue, and which others bring the same change to another branch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from integrations.base import Commit, Fix, NotFound, Place, Rejected, Unauthorised
from integrations.github import answers, wording
from integrations.github.answers import Json, path_of
from integrations.github.wire import PAGE, Wire

_MOST = 20  # pull requests or commits looked at for one issue, the newest
_BRANCHES_MOST = 10  # fixes whose backports are looked for
_PULL_PAGES = 3  # "List commits on a pull request": 250 at most
_UNSEEN = (NotFound, Unauthorised, Rejected)  # of another repository, perhaps, or of a look-alike
_BEGINNING = datetime.min.replace(tzinfo=UTC)

_CLOSING_PULLS = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    isPrivate
    issue(number: $number) {
      timelineItems(last: 20, itemTypes: [CLOSED_EVENT]) {
        nodes { ... on ClosedEvent { closer { ... on PullRequest { number repository { nameWithOwner } } } } }
      }
      closedByPullRequestsReferences(last: 20, includeClosedPrs: true) {
        nodes {
          number title body url merged mergedAt baseRefName
          repository { nameWithOwner }
          mergeCommit { oid message authoredDate parents(first: 2) { nodes { oid } } }
          commits(first: 100) {
            totalCount
            nodes { commit { oid message authoredDate parents(first: 2) { nodes { oid } } } }
          }
        }
      }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class _Pull:
    """A pull request as far as a list tells: how it was merged may still have to be asked for."""

    at: Place
    title: str
    body: str
    merge: _Merge | None = None

    def key(self) -> tuple[str, int]:
        return self.at.repository.casefold(), self.at.number

    def fixes(self, issue: Place) -> bool:
        places = wording.closing(self.title, self.body, self.at.repository)
        return any(wording.same(place, issue) for place in places)

    def copies(self) -> set[tuple[str, int]]:
        places = wording.copied(self.title, self.body, self.at.repository)
        return {(place.repository.casefold(), place.number) for place in places}


@dataclass(frozen=True, slots=True)
class _Merge:
    """How a pull request was merged; `tip` and `own` (its own commits) are None where they were not told."""

    sha: str
    url: str
    branch: str
    at: datetime
    tip: Commit | None = None
    own: tuple[Commit, ...] | None = None


def fixes(wire: Wire, repo: str, number: int) -> list[Fix]:
    """What fixes the issue, oldest merge first, then commits without a pull request.

    Asked: GraphQL `closedByPullRequestsReferences` (keywords and the Development panel), where there is one; the
    timeline's cross-references, because keywords stay silent off the default branch; and its `closed` events.
    A public issue can be named by anybody, in a repository of their own: such a pull request counts if it closed it.
    What came before the issue was opened again did not fix it.
    """
    timeline = list(wire.pages(path_of(repo, "issues", number, "timeline"), missing_ok=True))
    crossing = wire.translated(_crossing, timeline)
    told = _told(wire, repo, number)
    issue = Place(repo, number)
    linked = [pull for pull in told.pulls if not _only_repeats(pull, issue)]
    naming = [pull for pull in crossing if pull.fixes(issue) and told.trusts(pull, issue)]
    if not told.known and not naming:
        naming = _recent(wire, issue)
    found = {pull.key(): pull for pull in naming} | {pull.key(): pull for pull in linked}
    commits = _closing_commits(wire, issue, timeline, found)
    reopened = wire.translated(_reopened, timeline)
    merged = [pull for pull in _merged(wire, found.values()) if _time(pull)[0] > reopened]
    pulls = _with_copies(wire, repo, merged, [pull for pull in crossing if pull.copies()])
    known = {sha for fix in pulls for sha in (fix.sha, *fix.parts, *fix.copies)}
    return pulls + [fix for fix in commits if fix.sha not in known]


def fix(wire: Wire, repo: str, reference: str) -> Fix:
    """The fix that a person named. Rejected: not a reference, or not merged yet."""
    named = wording.reference(reference.strip(), repo)
    if named is None:
        text = "name a commit (7 or more characters of its sha) or a pull request (#12, owner/name#12 or its address)"
        raise Rejected(wire.name, text)
    at, number, sha = named
    if not number:
        return _commit(wire, repo, at, sha)[1]
    pull = wire.get(path_of(at, "pulls", number), _pull)
    if pull.merge is None:
        raise Rejected(wire.name, f"pull request #{number} is not merged yet")
    return _with_copies(wire, repo, [pull], [])[0]


# --- pull requests ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """What GraphQL knows of an issue; `known` is False where there is no GraphQL."""

    known: bool = False
    private: bool = False
    pulls: tuple[_Pull, ...] = ()
    closers: frozenset[tuple[str, int]] = frozenset()

    def trusts(self, pull: _Pull, issue: Place) -> bool:
        """Whether it was merged by people whose word counts for the issue."""
        owners = {place.repository.partition("/")[0].casefold() for place in (pull.at, issue)}
        return len(owners) == 1 or self.private or pull.key() in self.closers


def _told(wire: Wire, repo: str, number: int) -> _Told:
    owner, _, name = repo.partition("/")
    found = wire.graphql(_CLOSING_PULLS, {"owner": owner, "name": name, "number": number})
    home = (found or {}).get("repository") or {}
    return wire.translated(lambda told: _linked(told, Place(repo, number)), home) if home.get("issue") else _Told()


def _linked(home: Json, issue: Place) -> _Told:
    events = (event or {} for event in home["issue"]["timelineItems"]["nodes"])
    closers = [event["closer"] for event in events if event.get("closer")]
    keys = [_Pull(_at(closer), "", "").key() for closer in closers if "number" in closer]
    nodes = home["issue"]["closedByPullRequestsReferences"]["nodes"]
    pulls = [_linked_pull(node) for node in nodes if node and node["merged"] and node.get("mergeCommit")]
    told = _Told(True, home["isPrivate"] is True, (), frozenset(keys))
    return replace(told, pulls=tuple(pull for pull in pulls if told.trusts(pull, issue)))


def _at(node: Json) -> Place:
    return Place(node["repository"]["nameWithOwner"], int(node["number"]))


def _linked_pull(node: Json) -> _Pull:
    tip, told = _git(node["mergeCommit"]), node["commits"]
    own = tuple(_git(item["commit"]) for item in told["nodes"])
    whole = own if len(own) == told["totalCount"] else None
    when = datetime.fromisoformat(node["mergedAt"])
    merge = _Merge(tip.sha, node["url"], node["baseRefName"], when, tip, whole)
    return _Pull(_at(node), node["title"], node["body"] or "", merge)


def _git(node: Json) -> Commit:
    parents = tuple(parent["oid"] for parent in node["parents"]["nodes"])
    return Commit(node["oid"], parents, node["message"], "", datetime.fromisoformat(node["authoredDate"]))


def _pull(item: Json) -> _Pull:
    """From REST; `merge_commit_sha` is what squash and rebase left on the branch, too."""
    at = Place(answers.place_of(item["html_url"]), int(item["number"]))
    merge = None
    if item.get("merged_at"):
        when = datetime.fromisoformat(item["merged_at"])
        merge = _Merge(item["merge_commit_sha"], item["html_url"], item["base"]["ref"], when)
    return _Pull(at, item["title"], item.get("body") or "", merge)


def _crossing(timeline: Sequence[Json]) -> list[_Pull]:
    """The merged pull requests that mention the issue or pull request of this timeline."""
    sources = [(event.get("source") or {}).get("issue") or {} for event in timeline]
    pulls = [item for item in sources if (item.get("pull_request") or {"merged_at": None}).get("merged_at", "untold")]
    return [
        _Pull(
            Place(answers.place_of(item["html_url"]), int(item["number"])),
            item.get("title") or "",
            item.get("body") or "",
        )
        for item in pulls
    ]


def _reopened(timeline: Sequence[Json]) -> datetime:
    """When the issue was opened again last."""
    events = [event["created_at"] for event in timeline if event.get("event") == "reopened"]
    return datetime.fromisoformat(max(events)) if events else _BEGINNING


def _only_repeats(pull: _Pull, issue: Place) -> bool:
    return wording.only_repeats(pull.title, pull.body, pull.at.repository, issue)


def _recent(wire: Wire, issue: Place) -> list[_Pull]:
    """For look-alikes of GitHub that keep no timeline: what was merged last and names the issue."""
    query = {"state": "closed", "sort": "updated", "direction": "desc"}
    items = list(wire.pages(path_of(issue.repository, "pulls"), query, limit=1))
    pulls = wire.translated(lambda found: [_pull(item) for item in found], items)
    return [pull for pull in pulls if pull.merge and pull.fixes(issue)]


def _merged(wire: Wire, pulls: Iterable[_Pull]) -> list[_Pull]:
    """Those of them that are merged and that we may see, with how they were."""
    found = []
    for pull in list(pulls)[-_MOST:]:
        if pull.merge is None:
            try:
                pull = wire.get(path_of(pull.at.repository, "pulls", pull.at.number), _pull)
            except _UNSEEN:
                continue
        if pull.merge is not None:
            found.append(pull)
    return found


# --- copies and parts -------------------------------------------------------------------------------------------------


def _with_copies(wire: Wire, repo: str, merged: list[_Pull], copying: list[_Pull]) -> list[Fix]:
    """The fixes that these pull requests are; one that brings another's change to a further branch is its copy."""
    known = {pull.key() for pull in merged}
    for pull in sorted(merged, key=_time)[-_BRANCHES_MOST:]:
        copying = copying + [found for found in _mentioning(wire, pull.at) if found.copies()]
    further = {pull.key(): pull for pull in copying if pull.key() not in known}
    roots: list[_Root] = []
    for pull in sorted([*merged, *_merged(wire, further.values())], key=_time):
        originals = [root for root in roots if root.is_copied_by(pull)]
        for root in originals:
            root.copies.append(pull)
        if not originals and pull.key() in known:
            roots.append(_Root(pull, []))
    return [_fix(wire, repo, root) for root in roots]


def _mentioning(wire: Wire, at: Place) -> list[_Pull]:
    try:
        return wire.translated(_crossing, list(wire.pages(path_of(at.repository, "issues", at.number, "timeline"))))
    except _UNSEEN:
        return []


@dataclass(frozen=True, slots=True)
class _Root:
    pull: _Pull
    copies: list[_Pull]

    def is_copied_by(self, pull: _Pull) -> bool:
        """Whether it says so, and was merged to another branch there: "needs a backport of #12" is none."""
        said = pull.copies() & {self.pull.key(), *(copy.key() for copy in self.copies)}
        return bool(said) and pull.key()[0] == self.pull.key()[0] and _branch(pull) != _branch(self.pull)


def _branch(pull: _Pull) -> str:
    return pull.merge.branch if pull.merge else ""


def _time(pull: _Pull) -> tuple[datetime, int]:
    return pull.merge.at if pull.merge else _BEGINNING, pull.at.number


def _fix(wire: Wire, repo: str, root: _Root) -> Fix:
    pull, merge = root.pull, root.pull.merge
    if merge is None:
        raise LookupError(pull.at)
    where = pull.at.repository
    parts, carried = _made_of(wire, pull.at, merge)
    return Fix(
        sha=merge.sha,
        url=f"{merge.url.rpartition('/pull/')[0]}/commit/{merge.sha}",
        pull=pull.at.number,
        pull_url=merge.url,
        title=pull.title,
        branch=merge.branch,
        merged_at=merge.at,
        repository="" if where.casefold() == repo.casefold() else where,
        parts=parts,
        copies=tuple(copy.merge.sha for copy in root.copies if copy.merge),
        carried=carried,
    )


def _made_of(wire: Wire, at: Place, merge: _Merge) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a merge brought, or a rebase made of several; and the commits that a squash or a rebase stands for."""
    try:
        tip = merge.tip or wire.get(path_of(at.repository, "commits", merge.sha), answers.commit)
        pages = wire.pages(path_of(at.repository, "pulls", at.number, "commits"), limit=_PULL_PAGES)
        own = merge.own or wire.translated(lambda items: tuple(answers.commit(item) for item in items), list(pages))
    except _UNSEEN:
        return (), ()
    if len(tip.parents) > 1:
        return tuple(commit.sha for commit in own if len(commit.parents) < 2), ()
    parts = _rebased(wire, at.repository, tip, own) if len(own) > 1 and _same(tip, own[-1]) else ()
    return parts, tuple(commit.sha for commit in own)


def _rebased(wire: Wire, repo: str, tip: Commit, own: tuple[Commit, ...]) -> tuple[str, ...]:
    """The copies that a rebase made of `own`, found from the last one backwards."""
    query = {"sha": tip.sha}
    items = list(wire.pages(path_of(repo, "commits"), query, limit=-(-len(own) // PAGE)))
    listed = wire.translated(lambda found: {item["sha"]: answers.commit(item) for item in found}, items)
    here, shas = listed.get(tip.sha), []
    for original in reversed(own):
        if here is None or not _same(here, original):
            break
        shas.append(here.sha)
        here = listed.get(here.parents[0]) if here.parents else None
    return tuple(reversed(shas))


def _same(one: Commit, other: Commit) -> bool:
    return one.message.strip() == other.message.strip() and one.authored_at == other.authored_at


# --- commits ----------------------------------------------------------------------------------------------------------


def _closing_commits(
    wire: Wire, issue: Place, timeline: list[dict[str, Any]], found: dict[tuple[str, int], _Pull]
) -> list[Fix]:
    """The commits that closed the issue; one that a pull request brought adds that to `found` instead."""
    again = [index for index, event in enumerate(timeline) if event.get("event") == "reopened"]
    latest = timeline[again[-1] :] if again else timeline
    closers = [event for event in latest if event.get("event") == "closed" and event.get("commit_id")]
    places = {str(event["commit_id"]): _home(event, issue.repository) for event in closers[-_MOST:]}
    told = {pull.merge.sha for pull in found.values() if pull.merge}
    told |= {commit.sha for pull in found.values() if pull.merge for commit in pull.merge.own or ()}
    commits = []
    for sha, at in places.items():
        if sha in told:
            continue
        try:
            commit, fix = _commit(wire, issue.repository, at, sha)
            items = list(wire.pages(path_of(at, "commits", sha, "pulls"), limit=1, missing_ok=True))
        except _UNSEEN:  # pushed away since, or not ours to see
            continue
        subject, _, rest = commit.message.partition("\n")
        if wording.only_repeats(subject, rest, at, issue):
            continue
        pulls = [pull for pull in wire.translated(lambda listed: [_pull(item) for item in listed], items) if pull.merge]
        if pulls:
            first = min(pulls, key=_time)
            found.setdefault(first.key(), first)
        else:
            commits.append(fix)
    return commits


def _home(event: Json, repo: str) -> str:
    """The repository of the commit that closed the issue, by its address in the API."""
    _, _, path = str(event.get("commit_url") or "").partition("/repos/")
    return "/".join(path.split("/")[:2]) or repo


def _commit(wire: Wire, repo: str, at: str, sha: str) -> tuple[Commit, Fix]:
    """The commit, and the fix that it is for an issue of `repo`."""
    try:
        item = wire.get(path_of(at, "commits", sha), dict)
    except Rejected as refusal:  # 422 "No commit found for SHA"
        raise NotFound(wire.name, f"there is no commit {sha} in {at}") from refusal
    commit = wire.translated(answers.commit, item)
    if not commit.sha.startswith(sha):  # a branch or tag that looks like a sha
        raise NotFound(wire.name, f"there is no commit {sha} in {at}")
    home = wire.translated(lambda found: answers.place_of(found["html_url"]), item)
    title = commit.message.partition("\n")[0]
    elsewhere = "" if at.casefold() == repo.casefold() else home or at
    return commit, Fix(sha=commit.sha, url=item["html_url"], title=title, repository=elsewhere)
