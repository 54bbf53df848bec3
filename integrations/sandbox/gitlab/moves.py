"""The GitLab stand-in's doings that take something elsewhere: projects renamed, issues moved, promoted or replaced."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from integrations.sandbox.gitlab.doings_issues import IssueDoings
from integrations.sandbox.gitlab.quick_actions import Command
from integrations.sandbox.gitlab.records import VISIBILITIES, Issue, Project


class MoveDoings(IssueDoings):
    def rename_project(self, old: str, new: str) -> None:
        """Another path, or another group; what asks for the old one is sent on ("Redirects")."""
        with self.lock:
            project = self._project(old)
            if self.find(new) or "/" not in new:
                raise ValueError(f"{new} exists or has no group")
            del self._projects[project.path.lower()]
            self._old_paths.pop(new.lower(), None)
            self._old_paths[project.path.lower()] = project
            self._projects[new.lower()] = project
            project.path, project.updated = new, self._now()
            self._make_groups(project)
            self.version += 1

    def delete_project(self, path: str) -> None:
        with self.lock:
            del self._projects[self._project(path).path.lower()]
            self.version += 1

    def set_visibility(self, path: str, visibility: str) -> None:
        """private, internal or public; groups above become at least as visible."""
        with self.lock:
            project = self._project(path)
            if visibility not in VISIBILITIES:
                raise ValueError(f"no visibility {visibility}")
            project.visibility = visibility
            self._make_groups(project)
            self._touched(project)

    def set_issues_enabled(self, path: str, enabled: bool) -> None:
        with self.lock:
            project = self._project(path)
            project.issues_enabled = enabled
            self._touched(project)

    def set_archived(self, path: str, archived: bool) -> None:
        with self.lock:
            project = self._project(path)
            project.archived = archived
            self._touched(project)

    def set_merge_method(self, path: str, method: str) -> None:
        """merge, rebase_merge or ff: what `merge_method` of the project says."""
        with self.lock:
            self._project(path).merge_method = method
            self.version += 1

    def set_member(self, path: str, login: str, level: int | None) -> None:
        """Give `login` an access level, or None: access revoked."""
        with self.lock:
            project = self._project(path)
            project.members.pop(login, None)
            if level is not None:
                self.user(login)
                project.members[login] = level
            self._touched(project)

    def _touched(self, project: Project) -> None:
        project.updated = self._now()
        self.version += 1

    # --- issues -------------------------------------------------------------------------------------------------------

    def move_issue(self, repo: str, iid: int, to: str, by: str = "root") -> int:
        """Move an issue with its notes to project `to`; returns its iid there. The old one stays, closed, with
        `moved_to_id` and a system note ("Move an issue")."""
        with self.lock:
            project, issue = self._issue(repo, iid)
            target = self._project(to)
            if target is project or issue.moved_to or not target.issues_enabled:
                raise ValueError(f"{repo}#{iid} cannot be moved to {to}")
            target.issue_numbers += 1
            moved = replace(
                issue,
                id=self._id(),
                iid=target.issue_numbers,
                updated=self._now(),
                labels=self._labelled(target, [], [label.name for label in issue.labels]),
                assignees=[name for login in issue.assignees if (name := target.member(login))],
                notes=[replace(note, id=self._id()) for note in issue.notes],
                events=[],
                links=[],
            )
            target.issues[moved.iid] = moved
            self._system_note(moved, by, f"moved from {self.reference(project, issue, target)}")
            self._tell_issue(target, moved, by, "open")
            issue.moved_to = moved
            self._system_note(issue, by, f"moved to {self.reference(target, moved, project)}")
            if issue.open:
                self._close(project, issue, by)
            return moved.iid

    def promote(self, repo: str, iid: int, by: str) -> int:
        """Make an epic of an issue, which is closed; returns the epic's iid ("Promote an issue to an epic")."""
        with self.lock:
            project, issue = self._issue(repo, iid)
            group = self._groups[project.group.lower()]
            if issue.promoted:
                raise ValueError(f"{repo}#{iid} is promoted")
            group.epics += 1
            issue.promoted = True
            self._system_note(issue, by, f"promoted to epic &{group.epics}")
            if issue.open:
                self._close(project, issue, by)
            return group.epics

    def close_as_duplicate(self, repo: str, iid: int, by: str, canonical: str) -> None:
        """`/duplicate`: close an issue as a duplicate of `canonical` ("acme/shop-app#3" or "#3"), and link the two."""
        with self.lock:
            project, issue = self._issue(repo, iid)
            path, _, digits = canonical.rpartition("#")
            home, original = self._issue(path or repo, int(digits))
            if original is issue:
                raise ValueError(f"{canonical} is no duplicate of itself")
            issue.duplicate_of = original
            self._system_note(
                issue, by, f"marked this issue as a duplicate of {self.reference(home, original, project)}"
            )
            there = self.reference(project, issue, home)
            self._system_note(original, by, f"marked {there} as a duplicate of this issue")
            self.link_issues(issue, original)
            if issue.open:
                self._close(project, issue, by)

    def _obey(self, project: Project, issue: Issue, by: str, commands: Sequence[Command]) -> None:
        """`/duplicate`, too; of an issue that there is not, it does nothing."""
        super()._obey(project, issue, by, commands)
        for name, words in commands:
            if name == "duplicate":
                with suppress(LookupError, ValueError):
                    self.close_as_duplicate(project.path, issue.iid, by, words)

    @staticmethod
    def link_issues(one: Issue, other: Issue) -> None:
        """Make them related to each other."""
        if other not in one.links:
            one.links.append(other)
            other.links.append(one)
