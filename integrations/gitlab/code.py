"""Commits as GitLab tells of them: what a ref names, what lies between two, whether two make the same change."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from integrations.base import Commit, NotFound, Range, Rejected, Unauthorised
from integrations.gitlab import answers, reverts
from integrations.gitlab.answers import Json, path_of
from integrations.gitlab.wire import PAGE, PAGES_MAX, Wire

_SHA = re.compile(r"[0-9a-f]{40}")
_DIFF_PAGES = 10


def resolve(wire: Wire, repo: str, ref: str) -> str:
    """The full sha behind `heads/<branch>`, `tags/<tag>` or a sha; an annotated tag is followed to its commit."""
    kind, _, name = ref.partition("/")
    if kind in ("heads", "tags") and name:
        path = path_of(repo, "repository", "branches" if kind == "heads" else "tags", name)
        return wire.get(path, lambda found: str(found["commit"]["id"]))
    return wire.translated(lambda found: str(found["id"]), commit_item(wire, repo, ref))


def commit_item(wire: Wire, repo: str, sha: str) -> dict[str, Any]:
    """A commit by its sha, 7 or more digits of it ("Commits API"); a branch or tag that looks like one is none."""
    path = path_of(repo, "repository", "commits", sha)
    item = wire.get(path, lambda found: {**found, "id": str(found["id"])}, {"stats": "false"})
    if not item["id"].startswith(sha.lower()):
        raise NotFound(wire.name, f"there is no commit {sha} in {repo}")
    return item


def between(wire: Wire, repo: str, base: str, head: str) -> Range:
    """What `head` has and `base` has not, oldest first.

    Listed by the range `base..head` ("List repository commits": `ref_name` takes one): "Compare" holds the same, but
    counts all the differences in the files, too, and stops at a limit of the server's own. `base` is held when a commit
    of the range stands on it. Of more than 10,000 commits the newest come back, marked as a part.
    """
    base, head = (end if _SHA.fullmatch(end) else resolve(wire, repo, end) for end in (base, head))
    query = {"ref_name": f"{base}..{head}", "order": "topo"}
    items = [] if base == head else list(wire.pages(path_of(repo, "repository", "commits"), query))
    if not items:  # the same commit, an older one, or one that is not known
        return Range(base, head, (), common(wire, repo, [base, head]) == base == head)
    listed: tuple[Commit, ...] = wire.translated(
        lambda found: tuple(answers.commit(item) for item in reversed(found)), items
    )
    commits = reverts.told(wire, repo, listed)
    if len(commits) >= PAGE * PAGES_MAX:
        return Range(base, head, commits, common(wire, repo, [base, head]) == base, whole=False)
    return Range(base, head, commits, any(base in commit.parents for commit in commits))


def common(wire: Wire, repo: str, shas: Sequence[str]) -> str:
    """The newest commit that all of them have, "" for none; NotFound when one is not known ("Get merge base")."""
    path = path_of(repo, "repository", "merge_base")
    try:
        return wire.get(path, lambda found: str(found["id"]), {"refs[]": list(shas)})
    except Rejected as unknown:  # 400 "Could not find ref"
        raise NotFound(wire.name, f"{repo} has not all of {', '.join(shas)}") from unknown
    except NotFound:
        wire.get(path_of(repo), dict)  # raises where the project is hidden from us
        return ""


# --- the same change --------------------------------------------------------------------------------------------------


def same_change(wire: Wire, repo: str, one: str, other: str) -> bool:
    """Whether both make the same patch; one that is empty, binary, too large to be shown or unknown never does."""
    patch = _patch(wire, repo, one)
    return bool(patch) and patch == _patch(wire, repo, other)


def _patch(wire: Wire, repo: str, sha: str) -> str:
    path = path_of(repo, "repository", "commits", sha, "diff")
    try:
        items = list(wire.pages(path, limit=_DIFF_PAGES))
    except (NotFound, Rejected, Unauthorised):
        return ""
    return "" if len(items) >= PAGE * _DIFF_PAGES else wire.translated(patch_id, items)


def patch_id(items: Sequence[Json]) -> str:
    """What `git patch-id` keeps of "Get the diff of a commit": files and lines, neither positions nor blanks.

    "" where GitLab leaves lines out: a file that is collapsed, too large, or binary.
    """
    kept = []
    for item in sorted(items, key=lambda file: (file["new_path"], file["old_path"])):
        diff = item["diff"] or ""
        only_named = item.get("renamed_file") or item.get("a_mode") != item.get("b_mode")
        if item.get("too_large") or item.get("collapsed") or diff.startswith("Binary files "):
            return ""
        if not diff and (not only_named or item.get("new_file") or item.get("deleted_file")):
            return ""
        kept.append(f"{item['old_path']}\0{item['new_path']}\0{item.get('a_mode')}\0{item.get('b_mode')}")
        kept += ["".join(line.split()) for line in diff.split("\n") if not line.startswith("@@ ")]
    return hashlib.sha256("\n".join(filter(None, kept)).encode()).hexdigest() if kept else ""
