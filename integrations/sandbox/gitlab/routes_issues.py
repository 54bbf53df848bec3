"""The GitLab stand-in's routes for issues."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from integrations.sandbox.gitlab.asked import Asked, Json, Refused, Reply, invalid, missing, wrong
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.records import MAINTAINER, PLANNER, REPORTER, Issue, Project
from integrations.sandbox.gitlab.rest import Door, Handler

MOST_TITLE = 255  # characters
MOST_BODY = 1_048_576  # characters

TYPES = ("issue", "incident", "test_case", "task")
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class IssueRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def table(self) -> dict[str, dict[str, Handler]]:
        issue = "projects/:id/issues/:iid"
        return {
            "issues/:iid": {"GET": self.show_by_id},
            "projects/:id/issues": {"GET": self.list_issues, "POST": self.open_issue},
            issue: {"GET": self.show_issue, "PUT": self.edit_issue, "DELETE": self.delete_issue},
            f"{issue}/move": {"POST": self.move_issue},
        }

    # --- issues -------------------------------------------------------------------------------------------------------

    def show_by_id(self, asked: Asked) -> Reply:
        """ "Single issue": for administrators alone."""
        _ = asked.login
        if asked.token is None or not asked.token.admin:
            raise Refused(403, "403 Forbidden")
        for project in self.hub.projects():
            for issue in project.issues.values():
                if issue.id == asked.iid():
                    return Reply(self.shapes.issue(project, issue))
        raise missing()

    def list_issues(self, asked: Asked) -> Reply:
        project = self.door.project(asked)
        state = asked.choice("state", "all", "opened", "closed")
        found = [
            issue
            for issue in project.issues.values()
            if state in ("all", issue.state) and self._wanted(asked, project, issue)
        ]
        if not project.issues_enabled:
            found = []
        order = asked.choice(
            "order_by", "created_at", "updated_at", "title", "id", "due_date", "priority", "popularity"
        )
        descending = asked.choice("sort", "desc", "asc") == "desc"
        key = _key(order)
        found.sort(key=key, reverse=descending)

        def show(issue: Issue) -> Json:
            return self.shapes.issue(project, issue)

        if asked.given.get("pagination") == "keyset":
            return asked.keyset(found, show, key, descending)
        return asked.page(found, show)

    def _wanted(self, asked: Asked, project: Project, issue: Issue) -> bool:
        given, labels = asked.given, asked.names("labels") or []
        checks = [
            self.door.sees_issue(asked, project, issue),
            asked.within("updated", issue.updated) and asked.within("created", issue.created),
            str(given.get("author_username", issue.by)).lower() == issue.by.lower(),
            "assignee_username" not in given or bool(set(asked.names("assignee_username") or ()) & {*issue.assignees}),
            {*labels} <= {label.name for label in issue.labels},
            issue.iid in (asked.numbers("iids") or [issue.iid]),
            asked.flag("confidential") in (None, issue.confidential),
            asked.choice("issue_type", issue.kind, *TYPES) == issue.kind,
            _contains(str(given.get("search", "")), issue),
        ]
        return all(checks)

    def open_issue(self, asked: Asked) -> Reply:
        project = self.door.noted(asked)
        if not project.issues_enabled:
            raise Refused(403, "403 Forbidden")
        self.door.limit("issues", self.door.issues_per_minute)
        title, changes = asked.text("title", required=True) or "", self._changes(asked)
        if self.door.level(asked, project) < PLANNER:  # "New issue": what only members may set is left out
            changes = {name: value for name, value in changes.items() if name in ("description", "confidential")}
        iid = self.hub.open_issue(
            project.path,
            asked.login,
            title,
            changes.get("description") or "",
            changes.get("labels") or (),
            changes.get("assignees") or (),
            confidential=bool(changes.get("confidential")),
            due=changes.get("due_date"),
            kind=changes.get("issue_type") or "issue",
        )
        return Reply(self.shapes.issue(project, project.issues[iid]), 201)

    def show_issue(self, asked: Asked) -> Reply:
        project = self.door.project(asked)
        return Reply(self.shapes.issue(project, self.door.issue(asked, project)) | {"subscribed": False})

    def edit_issue(self, asked: Asked) -> Reply:
        project = self.door.writable(asked, 0)
        issue = self.door.issue(asked, project)
        if self.door.level(asked, project) < PLANNER and issue.by != asked.login:
            raise Refused(403, "403 Forbidden")
        changes, event = self._changes(asked), asked.given.get("state_event")
        if event not in (None, "close", "reopen"):
            raise wrong("state_event does not have a valid value")
        if not changes and event is None and "title" not in asked.given:
            raise wrong("assignee_ids, confidential, description, labels, state_event, title are missing, at least one "
                        "parameter must be provided")  # fmt: skip
        if "title" in asked.given:
            changes["title"] = asked.text("title", required=True)
        self.hub.edit_issue(project.path, issue.iid, asked.login, changes)
        if event == "close":
            self.hub.close_issue(project.path, issue.iid, asked.login)
        elif event == "reopen":
            self.hub.reopen_issue(project.path, issue.iid, asked.login)
        return Reply(self.shapes.issue(project, issue) | {"subscribed": False})

    def _changes(self, asked: Asked) -> dict[str, Any]:
        """What was given of an issue's fields, checked; a title is only looked at."""
        given, changes = asked.given, dict[str, Any]()
        if len(asked.text("title") or "") > MOST_TITLE:
            raise invalid("title", f"is too long (maximum is {MOST_TITLE} characters)")
        if "description" in given:
            changes["description"] = asked.text("description") or ""
            if len(changes["description"]) > MOST_BODY:
                raise invalid("description", f"is too long (maximum is {MOST_BODY} characters)")
        for name in ("labels", "add_labels", "remove_labels"):
            if (names := asked.names(name)) is not None:
                changes[name] = names
        if (ids := asked.numbers("assignee_ids")) is not None:
            users = [self.hub.user_of(one) for one in ids if one]
            changes["assignees"] = [user.username for user in users if user]
        for name in ("confidential", "discussion_locked"):
            if (flag := asked.flag(name)) is not None:
                changes[name] = flag
        if "due_date" in given:
            try:
                changes["due_date"] = date.fromisoformat(given["due_date"]) if given["due_date"] else None
            except (TypeError, ValueError):
                raise wrong("due_date is invalid") from None
        if given.get("issue_type"):
            changes["issue_type"] = asked.choice("issue_type", *TYPES)
        return changes

    def delete_issue(self, asked: Asked) -> Reply:
        project = self.door.writable(asked, MAINTAINER + 10)
        self.hub.delete_issue(project.path, self.door.issue(asked, project).iid, asked.login)
        return Reply(None, 204)

    def move_issue(self, asked: Asked) -> Reply:
        project = self.door.writable(asked, REPORTER)
        issue = self.door.issue(asked, project)
        target = self.hub.find(str(asked.given.get("to_project_id", "")))
        if target is None:
            raise missing("Project")
        try:
            if self.door.level(asked, target) < REPORTER:
                raise ValueError
            iid = self.hub.move_issue(project.path, issue.iid, target.path, asked.login)
        except ValueError:
            raise Refused(400, "Cannot move issue due to insufficient permissions") from None
        return Reply(self.shapes.issue(target, target.issues[iid]), 201)


def _contains(search: str, issue: Issue) -> bool:
    return all(word in f"{issue.title}\n{issue.body}".lower() for word in search.lower().split())


def _key(order: str) -> Callable[[Issue], list[Any]]:
    def key(issue: Issue) -> list[Any]:
        at = issue.updated if order == "updated_at" else issue.created
        first: Any = at.astimezone(UTC).isoformat(timespec="microseconds")
        if order in ("title", "id"):
            first = getattr(issue, order)
        if order == "due_date":
            first = issue.due.isoformat() if issue.due else ""
        return [first, issue.id]

    return key
