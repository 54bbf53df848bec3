"""The GitHub stand-in's repositories and histories, and how each change is noted, told and cross-referenced."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from integrations.sandbox.github.history import Commit
from integrations.sandbox.github.hooks import Webhooks
from integrations.sandbox.github.records import Happening, Issue, Label, Pull, Repository, references
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
        self.issue_types: tuple[str, ...] = ("Task", "Bug", "Feature")  # of each organisation ("Managing issue types")
        self._repositories: dict[str, Repository] = {}
        self._old_names: dict[str, Repository] = {}
        self._closers: tuple[int, dict[int, list[tuple[Repository, Issue]]]] = (-1, {})  # for which version
        self._ids = itertools.count(1001)

    # --- finding ------------------------------------------------------------------------------------------------------

    def find(self, full_name: str) -> Repository | None:
        """By the name that it has now."""
        return self._repositories.get(full_name.lower())

    def moved_to(self, full_name: str) -> Repository | None:
        """The repository that had that name before it was renamed, unless another has it now."""
        return None if self.find(full_name) else self._old_names.get(full_name.lower())

    def repositories(self) -> list[Repository]:
        return list(self._repositories.values())

    def home(self, issue: Issue) -> Repository | None:
        """Where an issue stands now; None when it was deleted."""
        homes = (repo for repo in self._repositories.values() if repo.issues.get(issue.number) is issue)
        return next(homes, None)

    def named_in(self, repo: Repository, text: str, closing: bool = False) -> list[tuple[Repository, Issue]]:
        """The issues that a text in `repo` mentions, or says that it closes, in whatever repository."""
        found = []
        for name, number in references(text, closing):
            other = repo if not name else self.find(name) or self.moved_to(name)
            if other and number in other.issues:
                found.append((other, other.issues[number]))
        return found

    def closes(self, repo: Repository, issue: Issue) -> list[tuple[Repository, Issue]]:
        """The issues that merging a pull request closes: by its words, which count only when it aims at the default
        branch ("Linking a pull request to an issue"), and those that were linked to it by hand."""
        if issue.pull is None:
            return []
        found = [(home, one) for one in issue.pull.linked if (home := self.home(one))]
        if issue.pull.base == repo.default_branch:
            words = f"{issue.title}\n{issue.body or ''}"
            found += [pair for pair in self.named_in(repo, words, closing=True) if pair not in found]
        return [(home, one) for home, one in found if one.pull is None]

    def closers(self, issue: Issue) -> list[tuple[Repository, Issue]]:
        """The pull requests that close `issue`, in whatever state they are."""
        if self._closers[0] != self.version:
            index: dict[int, list[tuple[Repository, Issue]]] = {}
            for repo in self._repositories.values():
                for pull in repo.issues.values():
                    for _, closed in self.closes(repo, pull) if pull.pull else ():
                        index.setdefault(closed.id, []).append((repo, pull))
            self._closers = (self.version, index)
        return self._closers[1].get(issue.id, [])

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

    def add_collaborator(self, full_name: str, login: str) -> None:
        """Somebody who may push, and be assigned."""
        with self.lock:
            self._repo(full_name).levels[login] = "push"

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
        for _, issue in self.named_in(repo, text):
            if issue is not source:
                self._note(issue, "cross-referenced", by, source=source, source_repo=repo)

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

    def _close(
        self,
        repo: Repository,
        issue: Issue,
        by: str,
        reason: str | None,
        sha: str | None,
        commit_repo: Repository | None = None,
    ) -> None:
        """`sha`: the commit that closed it, of `commit_repo` when that is another."""
        issue.open, issue.reason, issue.closed_at, issue.closed_by = False, reason, self._now(), by
        self._note(issue, "closed", by, commit_id=sha, state_reason=reason, commit_repo=commit_repo or repo)
        self._tell_issue(repo, issue, by, "closed")

    def _tell_issue(self, repo: Repository, issue: Issue, by: str, action: str, **more: Any) -> None:
        if issue.pull:
            shape: Json = {"number": issue.number, "pull_request": self.shapes.pull(repo, issue)}
            self._tell(repo, "pull_request", by, action=action, **shape, **more)
        else:
            self._tell(repo, "issues", by, action=action, issue=self.shapes.issue(repo, issue), **more)

    def _tell_push(
        self, repo: Repository, ref: str, before: str, after: str, new: list[Commit], by: str, forced: bool = False
    ) -> None:
        """`before` and `after`: shas of what `ref` points to, `NO_COMMIT` when it is created or deleted."""
        commits = [self.shapes.pushed(commit, repo) for commit in new]
        tip = repo.history.peel(after)
        head = self.shapes.pushed(tip, repo) if tip else None
        made, gone = before == NO_COMMIT, after == NO_COMMIT
        kinds = {"created": made, "deleted": gone, "forced": forced, "base_ref": None}
        pusher = {"name": by, "email": f"{by}@example.com"}
        page = f"{self.shapes.url}/{repo.full_name}/compare/{before[:12]}...{after[:12]}"
        ends: Json = {"ref": ref, "before": before, "after": after, "compare": page}
        if ref.startswith("refs/tags/") and (made or gone):
            facts: Json = {"ref": ref.removeprefix("refs/tags/"), "ref_type": "tag", "pusher_type": "user"}
            more = {"master_branch": repo.default_branch, "description": None} if made else {}
            self._tell(repo, "create" if made else "delete", by, **facts, **more)
        self._tell(repo, "push", by, **ends, **kinds, commits=commits, head_commit=head, pusher=pusher)

    def _tell(self, repo: Repository, event: str, by: str, **body: Any) -> None:
        self.version += 1
        shape = self.shapes.repository(repo)
        if event == "push":  # GitHub's own oddity: seconds since 1970, in this event alone
            shape |= {key: int(datetime.fromisoformat(shape[key]).timestamp()) for key in ("created_at", "pushed_at")}
        body |= {"repository": shape, "sender": self.shapes.user(by)}
        self.hooks.tell(event, body, repo.id)
