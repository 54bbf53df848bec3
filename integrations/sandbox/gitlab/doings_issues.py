"""The GitLab stand-in's doings with issues and their notes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from integrations.sandbox.gitlab.core import Core
from integrations.sandbox.gitlab.quick_actions import Command, split
from integrations.sandbox.gitlab.records import Issue, Label, Merge, Note, Project, StateEvent, Upload

FIELDS = {"title": "title", "description": "body", "confidential": "confidential", "due_date": "due"}
FIELDS |= {"issue_type": "kind", "discussion_locked": "locked"}


class IssueDoings(Core):
    def open_issue(
        self,
        repo: str,
        by: str,
        title: str,
        body: str = "",
        labels: Sequence[str] = (),
        assignees: Sequence[str] = (),
        *,
        confidential: bool = False,
        due: date | None = None,
        kind: str = "issue",
    ) -> int:
        """A new issue; unknown labels are made, quick actions in `body` are obeyed. Returns its iid."""
        with self.lock:
            project = self._project(repo)
            text, commands = split(body)
            project.issue_numbers += 1
            now = self._now()
            issue = Issue(self._id(), project.issue_numbers, by, title, text, now, now)
            issue.confidential, issue.due, issue.kind = confidential, due, kind
            issue.labels = self._labelled(project, [], labels)
            issue.assignees = [name for login in assignees if (name := project.member(login))]
            project.issues[issue.iid] = issue
            self._tell_issue(project, issue, by, "open")
            self._mention(project, issue, by, f"{title}\n{text}")
            self._obey(project, issue, by, commands)
            return issue.iid

    def edit_issue(self, repo: str, iid: int, by: str, changes: dict[str, Any]) -> None:
        """Change what is given: `title`, `description`, `labels`, `add_labels`, `remove_labels` (names), `assignees`
        (logins), `confidential`, `due_date` (a date or None), `issue_type`, `discussion_locked`."""
        with self.lock:
            project, issue = self._issue(repo, iid)
            commands: list[Command] = []
            if changes.get("description"):
                text, commands = split(changes["description"])
                changes = changes | {"description": text}
            told: dict[str, tuple[Any, Any]] = {}
            for name, attribute in FIELDS.items():
                if name in changes and changes[name] != getattr(issue, attribute):
                    told[name] = (getattr(issue, attribute), changes[name])
                    setattr(issue, attribute, changes[name])
            self._relabel(project, issue, changes, told)
            if "assignees" in changes:
                before = issue.assignees
                issue.assignees = [known for login in changes["assignees"] if (known := project.member(login))]
                if issue.assignees != before:
                    told["assignees"] = (self.shapes.people(before), self.shapes.people(issue.assignees))
            if told:
                told["updated_at"] = (issue.updated, self._now())
                issue.updated = self._now()
                if "description" in told or "title" in told:
                    self._mention(project, issue, by, f"{issue.title}\n{issue.body or ''}")
                self._tell_issue(project, issue, by, "update", told)
            self._obey(project, issue, by, commands)

    def _relabel(
        self, project: Project, issue: Issue, changes: dict[str, Any], told: dict[str, tuple[Any, Any]]
    ) -> None:
        was = issue.labels
        now = self._labelled(project, [], changes["labels"]) if "labels" in changes else was
        now = self._labelled(project, now, changes.get("add_labels", ()))
        now = [label for label in now if label.name not in changes.get("remove_labels", ())]
        if now != was:
            issue.labels = now
            told["labels"] = (was, now)

    def _labelled(self, project: Project, labels: list[Label], names: Sequence[str]) -> list[Label]:
        """With labels added; of a scoped label's scope the last one stays ("Scoped labels")."""
        found = list(labels)
        for name in names:
            scope = name.rpartition("::")[0]
            if scope:
                found = [one for one in found if one.name.rpartition("::")[0] != scope]
            label = self.make_label(project, name)
            if label not in found:
                found.append(label)
        return found

    def close_issue(self, repo: str, iid: int, by: str) -> None:
        """Close an issue; GitLab knows no reason for that, but for duplicates."""
        with self.lock:
            project, issue = self._issue(repo, iid)
            if issue.open:
                self._close(project, issue, by)

    def reopen_issue(self, repo: str, iid: int, by: str) -> None:
        with self.lock:
            project, issue = self._issue(repo, iid)
            if issue.open:
                return
            was = issue.closed_at
            issue.open, issue.closed_at, issue.closed_by, issue.duplicate_of = True, None, None, None
            issue.events.append(StateEvent(self._id(), by, self._now(), "reopened"))
            issue.updated = self._now()
            self._tell_issue(project, issue, by, "reopen", {"state_id": (2, 1), "closed_at": (was, None)})

    def delete_issue(self, repo: str, iid: int, by: str) -> None:
        """Gone for good: the API answers 404 for it, and no webhook tells."""
        with self.lock:
            project, issue = self._issue(repo, iid)
            del project.issues[issue.iid]
            self.version += 1

    # --- notes --------------------------------------------------------------------------------------------------------

    def comment(self, repo: str, iid: int, by: str, text: str, internal: bool = False) -> int:
        """A note on an issue; returns its id, or 0 where nothing but quick actions was in it."""
        with self.lock:
            project, issue = self._issue(repo, iid)
            words, commands = split(text)
            note_id = self._noted(project, issue, by, words, internal) if words.strip() else 0
            self._obey(project, issue, by, commands)
            return note_id

    def comment_merge(self, repo: str, iid: int, by: str, text: str) -> int:
        """A note on a merge request; returns its id."""
        with self.lock:
            return self._noted(*self._merge(repo, iid), by, text, False)

    def _noted(self, project: Project, thing: Issue | Merge, by: str, text: str, internal: bool) -> int:
        now = self._now()
        note = Note(self._id(), by, text, now, now, internal=internal)
        thing.notes.append(note)
        thing.updated = now
        self._mention(project, thing, by, text)
        self._tell_note(project, thing, note, by, "create")
        return note.id

    def edit_note(self, repo: str, iid: int, note_id: int, by: str, text: str) -> None:
        with self.lock:
            project, issue = self._issue(repo, iid)
            note = self.find_note(issue, note_id)
            note.body, note.updated = text, self._now()
            issue.updated = note.updated
            self._tell_note(project, issue, note, by, "update")

    def delete_note(self, repo: str, iid: int, note_id: int) -> None:
        with self.lock:
            _, issue = self._issue(repo, iid)
            issue.notes.remove(self.find_note(issue, note_id))
            self.version += 1

    @staticmethod
    def find_note(thing: Issue | Merge, note_id: int) -> Note:
        for note in thing.notes:
            if note.id == note_id:
                return note
        raise LookupError(f"no note {note_id}")

    def _tell_note(self, project: Project, thing: Issue | Merge, note: Note, by: str, action: str) -> None:
        hidden = note.internal or (isinstance(thing, Issue) and thing.confidential)
        trigger = "confidential_note_hooks" if hidden else "note_hooks"
        self._tell(project, trigger, self.shapes.note_event(project, thing, note, by, action, hidden))

    # --- files --------------------------------------------------------------------------------------------------------

    def upload(self, repo: str, by: str, name: str, content: bytes) -> Upload:
        """A file that texts of the project may show from now on; of no issue in particular."""
        with self.lock:
            project, made = self._project(repo), self._id()
            secret = hashlib.sha256(f"{made}".encode()).hexdigest()[:32]
            project.uploads.append(Upload(made, secret, name, content, by))
            self.version += 1
            return project.uploads[-1]

    # --- quick actions ------------------------------------------------------------------------------------------------

    def _obey(self, project: Project, issue: Issue, by: str, commands: Sequence[Command]) -> None:
        """Do what quick actions say; those that are not played here change nothing, but they are cut out all the same
        ("GitLab quick actions")."""
        changes: dict[str, Any] = {}
        for name, words in commands:
            if name == "close":
                self.close_issue(project.path, issue.iid, by)
            elif name == "reopen":
                self.reopen_issue(project.path, issue.iid, by)
            elif name == "confidential":
                changes["confidential"] = True
            elif name == "title" and words:
                changes["title"] = words
            elif name in ("label", "labels"):
                changes["add_labels"] = [word.strip('~"') for word in words.split()]
            elif name == "unlabel":
                changes["remove_labels"] = [word.strip('~"') for word in words.split()]
            elif name == "assign":
                changes["assignees"] = [word.lstrip("@") for word in words.split()]
        if changes:
            self.edit_issue(project.path, issue.iid, by, changes)
