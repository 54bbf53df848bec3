"""The GitHub stand-in's doings: what people and the API do, those with issues and releases here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from integrations.sandbox.github.deployments import DeploymentDoings
from integrations.sandbox.github.doings_pulls import PullDoings
from integrations.sandbox.github.moves import MoveDoings
from integrations.sandbox.github.records import Comment, Issue, Release, Repository
from integrations.sandbox.github.shapes import Json

Reason = Literal["completed", "not_planned", "duplicate"]


class Hub(PullDoings, DeploymentDoings, MoveDoings):
    """Repositories and all that is in them. Callable from any thread; every method is one change, or none.

    Raises LookupError for what does not exist and ValueError for what GitHub would refuse.
    """

    # --- issues -------------------------------------------------------------------------------------------------------

    def open_issue(
        self,
        full_name: str,
        by: str,
        title: str,
        body: str | None = None,
        labels: Sequence[str] = (),
        assignees: Sequence[str] = (),
        type: str | None = None,
    ) -> int:
        """A new issue; unknown labels are made. Returns its number."""
        with self.lock:
            repo = self._repo(full_name)
            issue = self._new_issue(repo, by, title, body)
            issue.type = type
            self._tell(repo, "issues", by, action="opened", issue=self.shapes.issue(repo, issue))
            self._label(repo, issue, by, labels)
            self._assign(repo, issue, by, assignees)
            return issue.number

    def edit_issue(self, full_name: str, number: int, by: str, changes: dict[str, Any]) -> None:
        """Change `title` and `body`, replace `labels` (names) and `assignees` (logins), as far as they are given."""
        with self.lock:
            repo, issue = self._issue(full_name, number)
            was = {key: getattr(issue, key) for key in ("title", "body") if key in changes}
            was = {key: value for key, value in was.items() if value != changes[key]}
            for key in was:
                setattr(issue, key, changes[key])
            if was:
                issue.updated = self._now()
                if "title" in was:
                    self._note(issue, "renamed", by, rename={"from": was["title"], "to": issue.title})
                before = {key: {"from": value or ""} for key, value in was.items()}
                self._tell_issue(repo, issue, by, "edited", changes=before)
            if "labels" in changes:
                keep = {name.lower() for name in changes["labels"]}
                for label in [label for label in issue.labels if label.name.lower() not in keep]:
                    issue.labels.remove(label)
                    self._note(issue, "unlabeled", by, label={"name": label.name, "color": label.color})
                    self._tell_issue(repo, issue, by, "unlabeled", label=self.shapes.label(repo, label))
                self._label(repo, issue, by, changes["labels"])
            if "assignees" in changes:
                for login in [login for login in issue.assignees if login not in changes["assignees"]]:
                    issue.assignees.remove(login)
                    self._note(issue, "unassigned", by, assignee=login)
                    self._tell_issue(repo, issue, by, "unassigned", assignee=self.shapes.user(login))
                self._assign(repo, issue, by, changes["assignees"])

    def label(self, full_name: str, number: int, by: str, names: Sequence[str]) -> None:
        with self.lock:
            self._label(*self._issue(full_name, number), by, names)

    def assign(self, full_name: str, number: int, by: str, logins: Sequence[str]) -> None:
        """Add assignees; who may not be assigned is left out, as on GitHub."""
        with self.lock:
            self._assign(*self._issue(full_name, number), by, logins)

    def close_issue(self, full_name: str, number: int, by: str, reason: Reason = "completed") -> None:
        """Close an issue, or change why a closed one is."""
        with self.lock:
            repo, issue = self._issue(full_name, number)
            if issue.open or issue.reason != reason:
                self._close(repo, issue, by, reason, None)

    def reopen_issue(self, full_name: str, number: int, by: str) -> None:
        with self.lock:
            repo, issue = self._issue(full_name, number)
            if issue.open:
                return
            if issue.pull and issue.pull.merged_at:
                raise ValueError("a merged pull request cannot be reopened")
            issue.open, issue.reason = True, None if issue.pull else "reopened"
            issue.closed_at = issue.closed_by = issue.duplicate_of = None
            self._note(issue, "reopened", by, state_reason=issue.reason)
            self._tell_issue(repo, issue, by, "reopened")

    def lock_issue(self, full_name: str, number: int, by: str) -> None:
        """Only members may comment on it from now on."""
        with self.lock:
            repo, issue = self._issue(full_name, number)
            if not issue.locked:
                issue.locked = True
                self._note(issue, "locked", by)
                self._tell_issue(repo, issue, by, "locked")

    def delete_issue(self, full_name: str, number: int, by: str) -> None:
        """Gone for good: the API answers 410 for it."""
        with self.lock:
            repo, issue = self._issue(full_name, number)
            del repo.issues[number]
            self._tell_issue(repo, issue, by, "deleted")

    def comment(self, full_name: str, number: int, by: str, text: str) -> int:
        """Returns the comment's id."""
        with self.lock:
            repo, issue = self._issue(full_name, number)
            comment = Comment(self._id(), by, text, self._now(), self._now())
            issue.comments.append(comment)
            self._note(issue, "commented", by, comment=comment)
            self._cross_reference(repo, issue, by, text)
            shape = self.shapes.comment(repo, issue, comment)
            self._tell(repo, "issue_comment", by, action="created", issue=self.shapes.issue(repo, issue), comment=shape)
            return comment.id

    def edit_comment(self, full_name: str, comment_id: int, by: str, text: str) -> None:
        with self.lock:
            repo = self._repo(full_name)
            issue, comment = self.find_comment(repo, comment_id)
            before = {"body": {"from": comment.body}}
            comment.body, comment.updated = text, self._now()
            issue.updated = comment.updated
            shape = self.shapes.comment(repo, issue, comment)
            thread = self.shapes.issue(repo, issue)
            self._tell(repo, "issue_comment", by, action="edited", changes=before, issue=thread, comment=shape)

    def delete_comment(self, full_name: str, comment_id: int, by: str) -> None:
        """Gone for good, from the timeline, too."""
        with self.lock:
            repo = self._repo(full_name)
            issue, comment = self.find_comment(repo, comment_id)
            shape = self.shapes.comment(repo, issue, comment)
            issue.comments.remove(comment)
            issue.timeline = [event for event in issue.timeline if event.facts.get("comment") is not comment]
            issue.updated = self._now()
            self._tell(repo, "issue_comment", by, action="deleted", issue=self.shapes.issue(repo, issue), comment=shape)

    def find_comment(self, repo: Repository, comment_id: int) -> tuple[Issue, Comment]:
        for issue in repo.issues.values():
            for comment in issue.comments:
                if comment.id == comment_id:
                    return issue, comment
        raise LookupError(f"no comment {comment_id}")

    # --- releases -----------------------------------------------------------------------------------------------------

    def publish_release(
        self,
        full_name: str,
        tag: str,
        name: str = "",
        target: str = "main",
        prerelease: bool = False,
        draft: bool = False,
        body: str = "",
    ) -> int:
        """Publish a release (or a draft's), tagging the head of `target` unless the tag exists. Returns its id."""
        with self.lock:
            repo = self._repo(full_name)
            commit = repo.history.resolve(repo.history.tags.get(tag, target))
            if commit is None:
                raise LookupError(f"{full_name} has no {target}")
            by = repo.full_name.split("/")[0]
            release = next((release for release in repo.releases if release.tag == tag), None)
            if release is not None and not release.draft:
                raise ValueError(f"{tag} is released")
            if release is None:
                release = Release(
                    self._id(), tag, name, body, target, by, commit.at, None, draft=True, prerelease=prerelease
                )
                repo.releases.append(release)
                if draft:
                    self.version += 1
                    return release.id
            release.draft, release.published, release.created = False, self._now(), commit.at
            if tag not in repo.history.tags:
                self.tag(full_name, tag, commit.sha)
            for action in ("published", "created", "prereleased" if release.prerelease else "released"):
                self._tell(repo, "release", by, action=action, release=self.shapes.release(repo, release))
            return release.id

    def promote(self, full_name: str, tag: str) -> None:
        """Make a published pre-release a full release; it keeps the day on which it was published, as on GitHub."""
        with self.lock:
            repo = self._repo(full_name)
            release = next(release for release in repo.releases if release.tag == tag)
            release.prerelease = False
            for action in ("edited", "released"):
                self._tell(repo, "release", repo.owner, action=action, release=self.shapes.release(repo, release))

    def delete_release(self, full_name: str, tag: str) -> None:
        """Delete a release or draft; its tag stays, as on GitHub."""
        with self.lock:
            repo = self._repo(full_name)
            release = next((release for release in repo.releases if release.tag == tag), None)
            if release is None:
                raise LookupError(f"{full_name} has no release {tag}")
            repo.releases.remove(release)
            by = repo.full_name.split("/")[0]
            self._tell(repo, "release", by, action="deleted", release=self.shapes.release(repo, release))

    # --- reading ------------------------------------------------------------------------------------------------------

    def issues(self, full_name: str) -> list[Json]:
        """All issues without pull requests, newest first, as the API shows them."""
        with self.lock:
            repo = self._repo(full_name)
            return [self.shapes.issue(repo, issue) for issue in reversed(repo.issues.values()) if not issue.pull]

    def issue(self, full_name: str, number: int) -> Json:
        """One issue as the API shows it, but `comments` and `timeline` are the lists themselves."""
        with self.lock:
            repo, issue = self._issue(full_name, number)
            comments = [self.shapes.comment(repo, issue, comment) for comment in issue.comments]
            timeline = [self.shapes.happening(repo, issue, event) for event in issue.timeline]
            return {**self.shapes.issue(repo, issue), "comments": comments, "timeline": timeline}

    def pulls(self, full_name: str) -> list[Json]:
        """All pull requests, newest first, as the API shows one."""
        with self.lock:
            repo = self._repo(full_name)
            return [self.shapes.pull(repo, issue) for issue in reversed(repo.issues.values()) if issue.pull]

    def releases(self, full_name: str) -> list[Json]:
        """All releases, drafts too, newest first, as the API shows them."""
        with self.lock:
            repo = self._repo(full_name)
            return [self.shapes.release(repo, release) for release in reversed(repo.releases)]
