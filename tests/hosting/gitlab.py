"""GitLab, as `Hosting` has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from integrations.base import Fix
from integrations.sandbox.github.history import History
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.wire import Call
from tests.hosting import DEV, Config, Landed, Out

_SEE = re.compile(r"^See merge request \S+$", re.MULTILINE)
_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{40})", re.MULTILINE)
_REVERTS_MERGE = re.compile(r"^This reverts merge request !(\d+)", re.MULTILINE)
_PORTED = re.compile(r"\(backport (!\d+)\)$")
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{40})\)")


class OnGitLab:
    name, repo, sign = "gitlab", "acme/apps/shop", "!"
    ways: tuple[tuple[Any, ...], ...] = (("squash-ff", "squash"), ("merge",), ("rebase", "ff", "train"))

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    @property
    def _project(self) -> Any:
        return self.hub.find(self.repo)

    @property
    def history(self) -> History:
        found: History = self._project.history
        return found

    @property
    def url(self) -> str:
        return f"{self.hub.shapes.url}/{self.repo}"

    @property
    def calls(self) -> list[Call]:
        return self.hub.wire.calls  # type: ignore[attr-defined, no-any-return]  # of a stand-in that was started

    @classmethod
    def configure(cls, config: Config) -> None:
        config["trackers"]["gitlab"] = {
            "kind": "gitlab",
            "url": "${SANDBOX_GITLAB_URL}",
            "token": "glpat-sandbox",
            "webhook_secret": "sandbox-gitlab-secret",
            "pace": 0,
        }
        config["projects"][0] |= {"tracker": "gitlab", "repository": cls.repo}

    def begin(self) -> None:
        if self._project:
            self.hub.delete_project(self.repo)
        self.hub.add_project(self.repo, members={DEV: 40})

    def no_limits(self) -> None:
        """It has none unless it is told."""

    def said(self, sha: str) -> str:
        """A copy of a merge commit keeps its message, but does not stand for the merge request."""
        told, merges = self.told(sha), self._project.merges.values()
        stands_for = [one.iid for one in merges if sha in (one.merge_sha, one.squash_sha)]
        return _SEE.sub("", told) + "".join(f"\n\nSee merge request {self.repo}!{iid}" for iid in stands_for)

    def told(self, sha: str) -> str:
        """Of a revert: the commits that it takes back by the name of a merge request or of a copy, too."""
        message = self.history.commits[sha].message
        if not message.startswith(("Revert", "Reapply")):
            return message
        by_squash = {one.squash_sha: one for one in self._project.merges.values() if one.squash_sha}
        squashed = [by_squash[one] for one in (sha, *_PICKED.findall(message)) if one in by_squash]
        said = "\n\n".join([message, *(one.body for one in squashed[:1])])
        landed = [self.landed(int(number)) for number in _REVERTS_MERGE.findall(said)]
        taken = [f"commit {sha}" for one in landed for sha in (one.sha, *one.parts)]
        taken += [f"merge request {name}" for one in landed for name in _PORTED.findall(one.title)]
        for named in _REVERTS.findall(message):
            taken += [f"commit {sha}" for sha in _PICKED.findall(self.history.commits[named].message)]
        return "\n\n".join([said, *(f"This reverts {what}." for what in dict.fromkeys(taken))])

    def branch(self, name: str, start: str = "main") -> None:
        self.hub.branch(self.repo, name, start)

    def commit(self, branch: str, message: str) -> str:
        return self.hub.commit(self.repo, branch, message)

    def revert(self, branch: str, sha: str) -> str:
        return self.hub.revert(self.repo, branch, sha)

    def cherry_pick(self, branch: str, sha: str, trailer: bool) -> str:
        return self.hub.cherry_pick(self.repo, branch, sha, trailer=trailer)

    def join(self, base: str, head: str) -> None:
        self.hub.merge_branch(self.repo, base, head)

    def push_back(self, branch: str, to: str) -> None:
        self.hub.force_push(self.repo, branch, to)

    def propose(
        self, title: str, base: str = "main", commits: Sequence[str] = (), head: str = "", fixes: int = 0
    ) -> int:
        body = f"Closes #{fixes}" if fixes else ""
        return self.hub.open_merge(self.repo, DEV, title, body, base, commits=commits, head=head)

    def merge(self, number: int, method: int = 0, how: int = 0) -> Landed:
        self.hub.merge(self.repo, number, DEV, self._way(method, how))
        return self.landed(number)

    def _way(self, method: int, how: int) -> Any:
        ways = self.ways[method % 3]
        return ways[how % len(ways)]

    def landed(self, number: int) -> Landed:
        one = self._project.merges[number]
        there = tuple(sha for sha in one.landed if len(self.history.commits[sha].parents) < 2)
        sha = one.landed[-1]
        if one.squash_sha:
            parts = (one.squash_sha,) if one.merge_sha else ()
        else:
            parts = there if one.merge_sha or len(there) > 1 else ()
        brought = (sha,) if one.merge_sha or one.squash_sha else tuple(one.landed)
        return Landed(number, one.title, one.target, sha, one.merged_at, parts or tuple(one.commits), parts, brought)

    def undo(self, number: int, method: int, how: int) -> int:
        """What came by fast-forward has no such button."""
        one = self._project.merges[number]
        if not one.merge_sha and not one.squash_sha:
            return 0
        self.hub.revert_merge(self.repo, number, DEV, self._way(method, how))
        made = int(max(self._project.merges))
        return made if method % 3 < 2 else 0

    def undone(self, number: int) -> str:
        return f"This reverts merge request !{number}"

    def fix(self, number: int) -> Fix:
        found, page = self.landed(number), f"{self.url}/-"
        commit, merge = f"{page}/commit/{found.sha}", f"{page}/merge_requests/{number}"
        return Fix(found.sha, commit, number, merge, found.title, found.base, found.at, parts=found.parts)

    def open_issue(self, title: str) -> int:
        return self.hub.open_issue(self.repo, "passerelle-bot", title)

    def close(self) -> None:
        self.hub.close_issue(self.repo, 1, DEV)

    def reopen(self) -> None:
        self.hub.reopen_issue(self.repo, 1, DEV)

    def is_open(self) -> bool:
        return bool(self._project.issues[1].open)

    def was_reopened(self) -> bool:
        issue = self._project.issues[1]
        return bool(issue.open and issue.events)

    def name_fix(self, reference: str) -> None:
        self.hub.comment(self.repo, 1, DEV, f"@passerelle-bot fixed-by {reference}")

    def release(self, tag: str, branch: str = "main") -> None:
        self.hub.publish_release(self.repo, tag, target=branch)

    def withhold(self, tag: str, branch: str) -> None:
        """With a date to come; its tag stands from the first on."""
        self.hub.publish_release(self.repo, tag, target=branch, released_at=self.hub.now().replace(year=2099))

    def publish(self, tag: str, branch: str) -> None:
        self.hub.edit_release(self.repo, tag, released_at=self.hub.now())

    def pre_release(self, tag: str, branch: str) -> None:
        """Its tag says so, and nothing else."""
        self.hub.publish_release(self.repo, f"{tag}-rc.1", target=branch)

    def withdraw(self, tag: str) -> None:
        self.hub.delete_release(self.repo, tag)

    def releases(self) -> list[Out]:
        now = self.hub.now()
        found = [one for one in self._project.releases if one.released <= now and not one.tag.endswith("-rc.1")]
        ordered = sorted(found, key=lambda one: (one.released, one.tag))
        return [Out(one.tag, one.sha, one.released) for one in ordered]

    def deploy(self, environment: str, ref: str = "main", *, failed: bool = False) -> int:
        return self.hub.deploy(self.repo, environment, ref, "failed" if failed else "success")

    def fail(self, deployment: int) -> None:
        self.hub.deployment_status(self.repo, deployment, "failed")
