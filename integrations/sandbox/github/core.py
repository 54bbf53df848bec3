"""The GitHub stand-in's repositories and histories, and how each change is noted, told and cross-referenced."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from integrations.sandbox.github.history import Commit
from integrations.sandbox.github.hooks import Webhooks
from integrations.sandbox.github.records import Happening, Issue, Label, Pull, Repository
from integrations.sandbox.github.shapes import Json, Shapes
from integrations.sandbox.wire import Now

NO_COMMIT = "0" * 40


class Core:
    """Repositories with their branches, and what `Hub`'s doings share. `member` may push in every repository."""

    def __init__(self, now: Now, webhook_secret: str, member: str) -> None:
        self.now = now
        self.member = member
        self.lock = threading.RLock()
        self.shapes = Shapes()
        self.hooks = Webhooks(webhook_secret, now)
        self.version = 0  # grows with each change
        self._repositories: dict[str, Repository] = {}
        self._ids = itertools.count(1001)

    # --- finding ------------------------------------------------------------------------------------------------------

    def find(self, full_name: str) -> Repository | None:
        return self._repositories.get(full_name.lower())

    def _repo(self, full_name: str) -> Repository:
        repo = self.find(full_name)
        if repo is None:
            raise LookupError(f"no repository {full_name}")
        return repo

    def _issue(self, full_name: str, number: int) -> tuple[Repository, Issue]:
        repo = self._repo(full_name)
        if number not in repo.issues:
            raise LookupError(f"{full_name} has no issue {number}")
        return repo, repo.issues[number]

    # --- repositories -------------------------------------------------------------------------------------------------

    def add_repo(
        self,
        full_name: str,
        private: bool = True,
        issues: bool = True,
        default_branch: str = "main",
        collaborators: Sequence[str] = (),
    ) -> None:
        """A repository with one commit; its owner is admin, `collaborators` may push and be assigned."""
        with self.lock:
            if self.find(full_name):
                raise ValueError(f"{full_name} exists")
            repo = Repository(self._id(), full_name, private, issues, default_branch, self._now())
            owner = full_name.split("/")[0]
            repo.levels = {owner: "admin"} | dict.fromkeys([self.member, *collaborators], "push")
            repo.history.commit(default_branch, "Initial commit", owner, repo.created)
            for name, color in (("bug", "d73a4a"), ("enhancement", "a2eeef"), ("question", "d876e3")):
                repo.labels.append(Label(self._id(), name, color))
            self._repositories[full_name.lower()] = repo
            self.version += 1

    def delete_repo(self, full_name: str) -> None:
        with self.lock:
            repo = self._repo(full_name)
            del self._repositories[full_name.lower()]
            self._tell(repo, "repository", repo.full_name.split("/")[0], action="deleted")

    def set_visibility(self, full_name: str, private: bool) -> None:
        with self.lock:
            repo = self._repo(full_name)
            repo.private = private
            action = "privatized" if private else "publicized"
            self._tell(repo, "repository", repo.full_name.split("/")[0], action=action)

    def set_issues_enabled(self, full_name: str, enabled: bool) -> None:
        with self.lock:
            self._repo(full_name).has_issues = enabled
            self.version += 1

    def set_archived(self, full_name: str, archived: bool) -> None:
        with self.lock:
            self._repo(full_name).archived = archived
            self.version += 1

    def set_permission(self, full_name: str, login: str, level: str | None) -> None:
        """Give `login` a level (pull, triage, push, maintain, admin), or None: access revoked."""
        with self.lock:
            repo = self._repo(full_name)
            repo.levels.pop(login, None)
            if level is not None:
                repo.levels[login] = level
            self.version += 1

    # --- history ------------------------------------------------------------------------------------------------------

    def commit(self, full_name: str, branch: str, message: str, by: str | None = None) -> str:
        """Push one commit to `branch`; on the default branch, closing keywords in `message` work. Returns its sha."""
        with self.lock:
            repo = self._repo(full_name)
            if branch not in repo.history.branches:
                raise LookupError(f"{full_name} has no branch {branch}")
            before = repo.history.branches[branch]
            made = repo.history.commit(branch, message, by or repo.full_name.split("/")[0], self._now())
            self._pushed(repo, branch, before, [made], made.author)
            for issue in repo.issues.values():
                if issue.pull and issue.open and issue.pull.head == branch:
                    issue.pull.head_sha = made.sha
                    issue.pull.commits.append(made.sha)
                    self._tell_issue(repo, issue, made.author, "synchronize", before=before, after=made.sha)
            return made.sha

    def branch(self, full_name: str, name: str, start: str) -> None:
        """A new branch at `start` (branch, tag or sha)."""
        with self.lock:
            repo = self._repo(full_name)
            commit = repo.history.resolve(start)
            if commit is None or name in repo.history.branches:
                raise ValueError(f"cannot start {name} at {start}")
            repo.history.branches[name] = commit.sha
            self._pushed(repo, name, NO_COMMIT, [], commit.author)

    def tag(self, full_name: str, name: str, target: str) -> None:
        """A new tag at `target` (branch, tag or sha), without a release."""
        with self.lock:
            repo = self._repo(full_name)
            commit = repo.history.resolve(target)
            if commit is None or name in repo.history.tags:
                raise ValueError(f"cannot tag {target} as {name}")
            repo.history.tags[name] = commit.sha
            self._tell_push(repo, f"refs/tags/{name}", NO_COMMIT, commit.sha, [], repo.full_name.split("/")[0])

    def rename_branch(self, full_name: str, old: str, new: str) -> None:
        with self.lock:
            repo = self._repo(full_name)
            repo.history.branches[new] = repo.history.branches.pop(old)
            repo.default_branch = new if repo.default_branch == old else repo.default_branch
            for issue in repo.issues.values():
                if issue.pull and issue.open and issue.pull.base == old:
                    issue.pull.base = new
            self.version += 1

    def _pushed(self, repo: Repository, branch: str, before: str, new: list[Commit], by: str) -> None:
        """Tell of a push, and on the default branch let the commits' words close issues."""
        self._tell_push(repo, f"refs/heads/{branch}", before, repo.history.branches[branch], new, by)
        if branch != repo.default_branch:
            return
        for commit in new:
            for number in repo.named_in(commit.message):
                self._note(repo.issues[number], "referenced", by, commit_id=commit.sha)
            for number in repo.named_in(commit.message, closing=True):
                if repo.issues[number].open and repo.issues[number].pull is None:
                    self._close(repo, repo.issues[number], by, "completed", commit.sha)

    # --- what follows from a change -----------------------------------------------------------------------------------

    def _id(self) -> int:
        return next(self._ids)

    def _now(self) -> datetime:
        return self.now().replace(microsecond=0)  # GitHub's times are whole seconds

    def _note(self, issue: Issue, event: str, by: str, **facts: Any) -> None:
        issue.timeline.append(Happening(self._id(), event, by, self._now(), facts))
        if event != "cross-referenced":
            issue.updated = self._now()
        self.version += 1

    def _new_issue(self, repo: Repository, by: str, title: str, body: str | None, pull: Pull | None = None) -> Issue:
        repo.numbers += 1
        issue = Issue(self._id(), repo.numbers, by, title, body, self._now(), self._now(), pull=pull)
        repo.issues[issue.number] = issue
        self._cross_reference(repo, issue, by, f"{title}\n{body or ''}")
        return issue

    def _cross_reference(self, repo: Repository, source: Issue, by: str, text: str) -> None:
        for number in repo.named_in(text):
            if number != source.number:
                self._note(repo.issues[number], "cross-referenced", by, source=source)

    def _label(self, repo: Repository, issue: Issue, by: str, names: Sequence[str]) -> None:
        for name in names:
            label = self.make_label(repo, name)
            if label not in issue.labels:
                issue.labels.append(label)
                self._note(issue, "labeled", by, label={"name": label.name, "color": label.color})
                self._tell_issue(repo, issue, by, "labeled", label=self.shapes.label(repo, label))

    def make_label(self, repo: Repository, name: str, color: str = "ededed", about: str | None = None) -> Label:
        """The label of that name (case does not count), made when it is new."""
        label = repo.label(name)
        if label is None:
            label = Label(self._id(), name, color, about)
            repo.labels.append(label)
            self.version += 1
        return label

    def _assign(self, repo: Repository, issue: Issue, by: str, logins: Sequence[str]) -> None:
        for login in filter(None, map(repo.member, logins)):
            if login not in issue.assignees:
                issue.assignees.append(login)
                self._note(issue, "assigned", by, assignee=login)
                self._tell_issue(repo, issue, by, "assigned", assignee=self.shapes.user(login))

    def _close(self, repo: Repository, issue: Issue, by: str, reason: str | None, sha: str | None) -> None:
        issue.open, issue.reason, issue.closed_at, issue.closed_by = False, reason, self._now(), by
        self._note(issue, "closed", by, commit_id=sha, state_reason=reason)
        self._tell_issue(repo, issue, by, "closed")

    def _tell_issue(self, repo: Repository, issue: Issue, by: str, action: str, **more: Any) -> None:
        if issue.pull:
            shape: Json = {"number": issue.number, "pull_request": self.shapes.pull(repo, issue)}
            self._tell(repo, "pull_request", by, action=action, **shape, **more)
        else:
            self._tell(repo, "issues", by, action=action, issue=self.shapes.issue(repo, issue), **more)

    def _tell_push(self, repo: Repository, ref: str, before: str, after: str, new: list[Commit], by: str) -> None:
        commits = [self.shapes.pushed(commit, repo) for commit in new]
        head = self.shapes.pushed(repo.history.commits[after], repo)
        kinds = {"created": before == NO_COMMIT, "deleted": False, "forced": False, "base_ref": None}
        pusher = {"name": by, "email": f"{by}@example.com"}
        page = f"{self.shapes.url}/{repo.full_name}/compare/{before[:12]}...{after[:12]}"
        ends: Json = {"ref": ref, "before": before, "after": after, "compare": page}
        self._tell(repo, "push", by, **ends, **kinds, commits=commits, head_commit=head, pusher=pusher)

    def _tell(self, repo: Repository, event: str, by: str, **body: Any) -> None:
        self.version += 1
        shape = self.shapes.repository(repo)
        if event == "push":  # GitHub's own oddity: seconds since 1970, in this event alone
            shape |= {key: int(datetime.fromisoformat(shape[key]).timestamp()) for key in ("created_at", "pushed_at")}
        body |= {"repository": shape, "sender": self.shapes.user(by)}
        self.hooks.tell(event, body, repo.id)
