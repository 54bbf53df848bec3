"""GitHub, as `Hosting` has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrations.base import Fix
from integrations.sandbox.github.history import History
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.wire import Call
from tests.hosting import DEV, Landed, Out


class OnGitHub:
    name, repo, sign = "github", "acme/shop", "#"

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    @property
    def _repo(self) -> Any:
        return self.hub.find(self.repo)

    @property
    def history(self) -> History:
        found: History = self._repo.history
        return found

    @property
    def url(self) -> str:
        return f"{self.hub.shapes.url}/{self.repo}"

    @property
    def calls(self) -> list[Call]:
        return self.hub.wire.calls  # type: ignore[attr-defined, no-any-return]  # of a stand-in that was started

    def begin(self) -> None:
        if self._repo:
            self.hub.delete_repo(self.repo)
        self.hub.add_repo(self.repo, collaborators=[DEV])

    def no_limits(self) -> None:
        self.hub.requests_per_hour = 1_000_000  # type: ignore[attr-defined]

    def said(self, sha: str) -> str:
        return self.history.commits[sha].message

    def told(self, sha: str) -> str:
        return self.said(sha)

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
        number = self.hub.open_pull(self.repo, DEV, title, "", base, commits=commits, head=head)
        if fixes:
            self.hub.link_pull(self.repo, number, fixes)
        return number

    def merge(self, number: int, method: int = 0, how: int = 0) -> Landed:
        ways: tuple[Any, ...] = ("squash", "merge", "rebase")
        self.hub.merge_pull(self.repo, number, DEV, ways[method % 3])
        return self.landed(number)

    def landed(self, number: int) -> Landed:
        issue = self._repo.issues[number]
        pull = issue.pull
        merged = len(self.history.commits[pull.merge_sha].parents) > 1
        parts = tuple(pull.commits) if merged else tuple(pull.brought) if len(pull.brought) > 1 else ()
        own, brought = tuple(pull.commits), tuple(pull.brought)
        return Landed(number, issue.title, pull.base, pull.merge_sha, pull.merged_at, own, parts, brought)

    def undo(self, number: int, method: int, how: int) -> int:
        ways: tuple[Any, ...] = ("squash", "merge", "rebase")
        self.hub.revert_pull(self.repo, number, DEV, ways[method % 3])
        return 0 if method % 3 == 2 else int(max(self._repo.issues))  # nothing names a pull request that was rebased

    def undone(self, number: int) -> str:
        return f"Reverts {self.repo}#{number}"

    def fix(self, number: int) -> Fix:
        found, page = self.landed(number), self.url
        commit, pull = f"{page}/commit/{found.sha}", f"{page}/pull/{number}"
        return Fix(found.sha, commit, number, pull, found.title, found.base, found.at, parts=found.parts)

    def open_issue(self, title: str) -> int:
        return self.hub.open_issue(self.repo, "passerelle-bot", title)

    def close(self) -> None:
        self.hub.close_issue(self.repo, 1, DEV, "completed")

    def reopen(self) -> None:
        self.hub.reopen_issue(self.repo, 1, DEV)

    def is_open(self) -> bool:
        return bool(self.hub.issue(self.repo, 1)["state"] == "open")

    def was_reopened(self) -> bool:
        return bool(self.hub.issue(self.repo, 1)["state_reason"] == "reopened")

    def name_fix(self, reference: str) -> None:
        self.hub.comment(self.repo, 1, DEV, f"/fixed-by {reference}")

    def release(self, tag: str, branch: str = "main") -> None:
        self.hub.publish_release(self.repo, tag, target=branch)

    def withhold(self, tag: str, branch: str) -> None:
        self.hub.publish_release(self.repo, tag, target=branch, draft=True)

    def publish(self, tag: str, branch: str) -> None:
        """A draft's tag is made when it is published."""
        self.hub.publish_release(self.repo, tag, target=branch)

    def pre_release(self, tag: str, branch: str) -> None:
        self.hub.publish_release(self.repo, tag, target=branch, prerelease=True)

    def withdraw(self, tag: str) -> None:
        self.hub.delete_release(self.repo, tag)

    def releases(self) -> list[Out]:
        found = [one for one in self._repo.releases if not one.draft and not one.prerelease]
        ordered = sorted(found, key=lambda one: (one.published, one.id))
        return [Out(one.tag, self.history.tags[one.tag], one.published) for one in ordered]

    def deploy(self, environment: str, ref: str = "main", *, failed: bool = False) -> int:
        return self.hub.deploy(self.repo, environment, ref, state="failure" if failed else "success")

    def fail(self, deployment: int) -> None:
        self.hub.deployment_status(self.repo, deployment, "failure")
