"""The GitHub stand-in's doings that take something elsewhere: repositories renamed, issues moved or replaced."""

from __future__ import annotations

from integrations.sandbox.github.core import Core
from integrations.sandbox.github.shapes import Json


class MoveDoings(Core):
    def rename_repo(self, old: str, new: str) -> None:
        """Rename a repository, or give it to another owner; what asks for the old name is sent on."""
        with self.lock:
            repo = self._repo(old)
            if self.find(new):
                raise ValueError(f"{new} exists")
            del self._repositories[old.lower()]
            self._old_names.pop(new.lower(), None)
            self._old_names[old.lower()] = repo
            self._repositories[new.lower()] = repo
            was, repo.full_name = repo.full_name, new
            (old_owner, old_name), (owner, _) = was.split("/"), new.split("/")
            repo.levels.setdefault(owner, "admin")
            changes: Json = {"repository": {"name": {"from": old_name}}}
            if owner != old_owner:
                changes = {"owner": {"from": {"organization": self.shapes.user(old_owner) or {}}}}
            action = "renamed" if owner == old_owner else "transferred"
            self._tell(repo, "repository", owner, action=action, changes=changes)

    def transfer_issue(self, full_name: str, number: int, to_repo: str, by: str) -> int:
        """Move an issue with its comments; returns its number there. What asks for the old one is sent on.

        ValueError for what "Transferring an issue to another repository" forbids: other owners, private to public.
        """
        with self.lock:
            repo, issue = self._issue(full_name, number)
            target = self._repo(to_repo)
            if issue.pull or target is repo or repo.owner != target.owner or (repo.private and not target.private):
                raise ValueError(f"{full_name}#{number} cannot be moved to {to_repo}")
            before = self.shapes.issue(repo, issue)
            old_repository = self.shapes.repository(repo)
            del repo.issues[number]
            repo.moved[number] = issue
            target.numbers += 1
            issue.id, issue.number = self._id(), target.numbers
            issue.labels = [label for one in issue.labels if (label := target.label(one.name))]
            target.issues[issue.number] = issue
            self._note(issue, "transferred", by)
            after, there = self.shapes.issue(target, issue), self.shapes.repository(target)
            changes = {"new_issue": after, "new_repository": there}
            self._tell(repo, "issues", by, action="transferred", issue=before, changes=changes)
            changes = {"old_issue": before, "old_repository": old_repository}
            self._tell(target, "issues", by, action="opened", issue=after, changes=changes)
            return issue.number

    def convert_to_discussion(self, full_name: str, number: int, by: str, gone: bool = False) -> None:
        """Make a discussion of an issue, which stays, closed and locked, with a `converted_to_discussion` event ("Issue
        event types"); `gone`: as GitHub did before 2021, when the API answered 410 for it."""
        with self.lock:
            repo, issue = self._issue(full_name, number)
            repo.numbers += 1
            discussion = {
                "id": self._id(),
                "number": repo.numbers,
                "title": issue.title,
                "body": issue.body,
                "html_url": f"{self.shapes.url}/{repo.full_name}/discussions/{repo.numbers}",
                "user": self.shapes.user(issue.by),
                "state": "open",
            }
            if gone:
                del repo.issues[number]
                self._tell_issue(repo, issue, by, "deleted")
            else:
                if issue.open:
                    self._close(repo, issue, by, "completed", None)
                issue.locked = True
                self._note(issue, "locked", by)
                self._note(issue, "converted_to_discussion", by, discussion=repo.numbers)
                self._tell_issue(repo, issue, by, "locked")
            self._tell(repo, "discussion", by, action="created", discussion=discussion)

    def close_as_duplicate(self, full_name: str, number: int, by: str, canonical: str) -> None:
        """Close an issue as a duplicate of `canonical` ("owner/name#n" or "#n")."""
        with self.lock:
            repo, issue = self._issue(full_name, number)
            name, _, digits = canonical.rpartition("#")
            _, original = self._issue(name or full_name, int(digits))
            if original is issue:
                raise ValueError(f"{canonical} is no duplicate of itself")
            issue.duplicate_of = original
            self._note(issue, "marked_as_duplicate", by, canonical=original)
            self._close(repo, issue, by, "duplicate", None)
