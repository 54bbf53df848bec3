"""The GitLab stand-in's routes for the notes of issues."""

from __future__ import annotations

from integrations.sandbox.gitlab.asked import Asked, Refused, Reply, invalid, missing
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.quick_actions import split
from integrations.sandbox.gitlab.records import MAINTAINER, PLANNER, Issue, Note, Project
from integrations.sandbox.gitlab.rest import Door, Handler

MOST_NOTE = 1_000_000  # characters


class NoteRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def table(self) -> dict[str, dict[str, Handler]]:
        issue = "projects/:id/issues/:iid"
        return {
            f"{issue}/notes": {"GET": self.list_notes, "POST": self.add_note},
            f"{issue}/notes/:note": {"GET": self.show_note, "PUT": self.edit_note, "DELETE": self.delete_note},
        }

    def _may_read(self, asked: Asked, project: Project, note: Note) -> bool:
        """Internal notes are for planners and more."""
        return not note.internal or self.door.level(asked, project) >= PLANNER

    def list_notes(self, asked: Asked) -> Reply:
        project = self.door.project(asked)
        issue = self.door.issue(asked, project)
        found = [note for note in issue.notes if self._may_read(asked, project, note)]
        return asked.page(sorted_notes(asked, found), lambda note: self.shapes.note(project, issue, note))

    def add_note(self, asked: Asked) -> Reply:
        project = self.door.noted(asked)
        issue, text = self.door.issue(asked, project), _note_text(asked)
        self.door.limit("notes", self.door.notes_per_minute)
        if not project.issues_enabled:
            raise missing()
        internal = bool(asked.flag("internal") or asked.flag("confidential"))
        if internal and self.door.level(asked, project) < PLANNER:
            raise Refused(403, "403 Forbidden")
        made = self.hub.comment(project.path, issue.iid, asked.login, text, internal)
        if not made:
            names = [f"Applied {name} command." for name, _ in split(text)[1]]
            return Reply({"commands_changes": {}, "summary": names}, 202)
        return Reply(self.shapes.note(project, issue, self.hub.find_note(issue, made)), 201)

    def _note(self, asked: Asked) -> tuple[Project, Issue, Note]:
        project = self.door.project(asked)
        issue = self.door.issue(asked, project)
        try:
            note = self.hub.find_note(issue, asked.iid("note"))
        except LookupError:
            raise missing() from None
        if not self._may_read(asked, project, note):
            raise missing()
        return project, issue, note

    def show_note(self, asked: Asked) -> Reply:
        return Reply(self.shapes.note(*self._note(asked)))

    def edit_note(self, asked: Asked) -> Reply:
        self.door.writable(asked, 0)
        project, issue, note = self._note(asked)
        if note.system or (note.by != asked.login and self.door.level(asked, project) < MAINTAINER):
            raise Refused(403, "403 Forbidden")
        self.hub.edit_note(project.path, issue.iid, note.id, asked.login, _note_text(asked))
        return Reply(self.shapes.note(project, issue, note))

    def delete_note(self, asked: Asked) -> Reply:
        self.door.writable(asked, 0)
        project, issue, note = self._note(asked)
        if note.system or (note.by != asked.login and self.door.level(asked, project) < MAINTAINER):
            raise Refused(403, "403 Forbidden")
        self.hub.delete_note(project.path, issue.iid, note.id)
        return Reply(None, 204)


def sorted_notes(asked: Asked, notes: list[Note]) -> list[Note]:
    """Those of the kind that is asked for, newest first unless told."""
    kind = asked.choice("activity_filter", "all_notes", "only_comments", "only_activity")
    by = asked.choice("order_by", "created_at", "updated_at").removesuffix("_at")
    found = [note for note in notes if kind == "all_notes" or note.system == (kind == "only_activity")]
    last_first = asked.choice("sort", "desc", "asc") == "desc"
    return sorted(found, key=lambda note: (getattr(note, by), note.id), reverse=last_first)


def _note_text(asked: Asked) -> str:
    text = asked.text("body", required=True) or ""
    if len(text) > MOST_NOTE:
        raise invalid("note", f"is too long (maximum is {MOST_NOTE} characters)")
    return text
