"""Commits as GitHub tells of them: what a ref names, what lies between two, whether two make the same change."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import quote

from integrations.base import Commit, NotFound, Range, Rejected
from integrations.github import answers, reverts
from integrations.github.answers import Json, path_of
from integrations.github.wire import PAGE, PAGES_MAX, Wire

_SHA = re.compile(r"[0-9a-f]{40}")


def resolve(wire: Wire, repo: str, ref: str) -> str:
    """The full sha behind `heads/<branch>`, `tags/<tag>` or a sha ("Get a commit"); an annotated tag is followed."""
    path = f"{path_of(repo, 'commits')}/{quote(ref)}"
    try:
        _, _, text = wire.ask("GET", path, headers={"Accept": "application/vnd.github.sha"}, write=False)
    except Rejected as refusal:  # 422 "No commit found for SHA"
        raise NotFound(wire.name, f"{repo} has no {ref}") from refusal
    if _SHA.fullmatch(text.strip()):
        return text.strip()
    return wire.translated(lambda found: str(json.loads(found)["sha"]), text)


def between(wire: Wire, repo: str, base: str, head: str) -> Range:
    """What `head` has and `base` has not, oldest first ("Compare two commits"); of more than 10,000 commits the first
    page alone, as no part of them tells anything."""
    base, head = (end if _SHA.fullmatch(end) else resolve(wire, repo, end) for end in (base, head))
    path = f"{path_of(repo, 'compare')}/{base}...{head}"
    commits: dict[str, Commit] = {}
    status, total = "", 1
    for page in range(1, PAGES_MAX + 1):
        try:
            found = wire.get(f"{path}?per_page={PAGE}&page={page}", _comparison)
        except NotFound as missing:
            if page == 1 and "no common ancestor" in missing.detail.casefold():
                return _unrelated(wire, repo, base, head)
            raise
        known = len(commits)
        commits |= found["commits"]
        status, total = status or found["status"], found["total"]
        if len(commits) >= total or len(commits) == known or total > PAGE * PAGES_MAX:
            break
    holds_base = status in ("ahead", "identical")
    whole, listed = len(commits) >= total, tuple(commits.values())
    return Range(base, head, reverts.told(wire, repo, listed) if whole else listed, holds_base, whole)


def _comparison(item: Json) -> dict[str, Any]:
    commits = {found["sha"]: answers.commit(found) for found in item["commits"]}
    return {"status": str(item["status"]), "total": int(item["total_commits"]), "commits": commits}


def _unrelated(wire: Wire, repo: str, base: str, head: str) -> Range:
    """All that led to `head`, which shares nothing with `base`."""
    items = list(wire.pages(path_of(repo, "commits"), {"sha": head}))
    commits = wire.translated(lambda found: tuple(answers.commit(item) for item in reversed(found)), items)
    return Range(base, head, reverts.told(wire, repo, commits), holds_base=False, whole=len(commits) < PAGE * PAGES_MAX)


# --- the same change --------------------------------------------------------------------------------------------------


def same_change(wire: Wire, repo: str, one: str, other: str) -> bool:
    """Whether both make the same patch; one that is empty, too large for GitHub (406) or unknown never does."""
    patch = _patch(wire, repo, one)
    return bool(patch) and patch == _patch(wire, repo, other)


def _patch(wire: Wire, repo: str, sha: str) -> str:
    headers = {"Accept": "application/vnd.github.diff"}
    try:
        _, _, text = wire.ask("GET", path_of(repo, "commits", sha), headers=headers, write=False)
    except (NotFound, Rejected):
        return ""
    return patch_id(text)


def patch_id(diff: str) -> str:
    """What `git patch-id` keeps of a diff: files and lines, neither positions nor blanks; "" for none.

    A binary file's line says only that it differs, so there the contents' ids count.
    """
    files = re.split(r"^(?=diff --git )", diff, flags=re.MULTILINE)
    kept = []
    for file in files:
        if not file.startswith("diff --git "):
            continue
        binary = re.search(r"^(?:Binary files |GIT binary patch)", file, re.MULTILINE)
        for line in file.split("\n"):
            if not line.startswith("@@ ") and (binary or not line.startswith("index ")):
                kept.append("".join(line.split()))
    return hashlib.sha256("\n".join(filter(None, kept)).encode()).hexdigest() if kept else ""
