"""The GitHub stand-in's routes for issues, their comments, labels and assignees ("GitHub REST API", Issues)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from integrations.sandbox.github.hub import Hub, Reason
from integrations.sandbox.github.records import Issue, Repository
from integrations.sandbox.github.redirects import moved
from integrations.sandbox.github.rest import Asked, Door, Refused, Reply, invalid, missing
from integrations.sandbox.github.shapes import Json

MOST_TITLE = 256  # characters
MOST_BODY = 65_536  # characters


class IssueRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def _issue(self, repo: Repository, asked: Asked) -> Issue:
        issue = repo.issues.get(int(asked.parts["number"]))
        if issue is None and int(asked.parts["number"]) in repo.moved:
            raise self._moved(repo.moved[int(asked.parts["number"])], asked)
        if issue is None and 0 < int(asked.parts["number"]) <= repo.numbers:
            raise Refused(410, "This issue was deleted")
        if issue is None:
            raise missing()
        if not repo.has_issues and issue.pull is None:
            raise Refused(410, "Issues are disabled for this repo")
        return issue

    def _moved(self, issue: Issue, asked: Asked) -> Refused:
        """ "Get an issue": 301 to where it was transferred, 404 where that is out of sight, 410 when it is gone."""
        home = self.hub.home(issue)
        if home is None:
            return Refused(410, "This issue was deleted")
        if not self.door.sees(asked.token, home):
            return missing()
        rest = re.sub(r"^.*?/issues/\d+", "", asked.path)
        return moved(asked, home, f"/issues/{issue.number}{rest}", 301 if asked.method == "GET" else 307)

    def list_issues(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        if not repo.has_issues:
            raise Refused(410, "Issues are disabled for this repo")
        state = asked.choice("state", "open", "closed", "all")
        since, creator = asked.time("since"), asked.query.get("creator", "").lower()
        labels = {name.lower() for name in asked.query.get("labels", "").split(",") if name}
        found = [
            issue
            for issue in repo.issues.values()
            if (state == "all" or issue.open == (state == "open"))
            and (since is None or issue.updated >= since)
            and creator in ("", issue.by.lower())
            and labels <= {label.name.lower() for label in issue.labels}
        ]
        return asked.page(sort(found, asked), lambda issue: self.shapes.issue(repo, issue))

    def open_issue(self, asked: Asked) -> Reply:
        repo = self.door.writable(asked)
        if not repo.has_issues:
            raise Refused(410, "Issues are disabled for this repo")
        data = _checked(asked.fields, "title")
        labels, assignees = data.get("labels") or [], data.get("assignees") or []
        if not asked.may(repo, "triage"):
            labels, assignees = [], []  # "Create an issue": silently dropped without push access
        _check_assignees(repo, assignees)
        kind = self._type(data.get("type")) if asked.may(repo, "push") else None
        number = self.hub.open_issue(
            repo.full_name, asked.login, data["title"], data.get("body"), labels, assignees, kind
        )
        shape = self.shapes.issue(repo, repo.issues[number])
        return Reply(shape, 201, {"Location": shape["url"]})

    def _type(self, name: Any) -> str | None:
        """The organisation's issue type of that name; null is none."""
        if name is None:
            return None
        for known in self.hub.issue_types:
            if known.lower() == str(name).lower():
                return known
        raise invalid("Issue", "type", "invalid")

    def show_issue(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        return Reply(self.shapes.issue(repo, self._issue(repo, asked)))

    def edit_issue(self, asked: Asked) -> Reply:
        repo = self.door.writable(asked)
        issue = self._issue(repo, asked)
        if issue.by != asked.login and not asked.may(repo, "triage"):
            raise Refused(403, "Must have admin rights to Repository.")
        data = _checked(asked.fields)
        state, reason = data.get("state"), data.get("state_reason")
        if state not in (None, "open", "closed"):
            raise invalid("Issue", "state", "invalid")
        if reason not in (None, "completed", "not_planned", "duplicate", "reopened"):
            raise invalid("Issue", "state_reason", "invalid")
        why: Reason = reason if reason in ("completed", "not_planned", "duplicate") else "completed"
        original = self._by_id(data.get("duplicate_issue_id")) if why == "duplicate" else None
        _check_assignees(repo, data.get("assignees") or [])
        changes = {key: data[key] for key in ("title", "body", "labels", "assignees") if data.get(key) is not None}
        self.hub.edit_issue(repo.full_name, issue.number, asked.login, changes)
        if state == "closed" and issue.open:  # "state_reason … Ignored unless `state` is changed" ("Update an issue")
            if original:
                self.hub.close_as_duplicate(repo.full_name, issue.number, asked.login, original)
            else:
                self.hub.close_issue(repo.full_name, issue.number, asked.login, why)
        elif state == "open":
            self.hub.reopen_issue(repo.full_name, issue.number, asked.login)
        return Reply(self.shapes.issue(repo, issue))

    def _by_id(self, wanted: Any) -> str | None:
        """ "owner/name#n" of the issue with that id, of whatever repository."""
        if wanted is None:
            return None
        for repo in self.hub.repositories():
            for issue in repo.issues.values():
                if issue.id == wanted:
                    return f"{repo.full_name}#{issue.number}"
        raise invalid("Issue", "duplicate_issue_id", "invalid")

    def list_comments(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        issue, since = self._issue(repo, asked), asked.time("since")
        found = [comment for comment in issue.comments if since is None or comment.updated >= since]
        return asked.page(found, lambda comment: self.shapes.comment(repo, issue, comment))

    def comment(self, asked: Asked) -> Reply:
        repo = self.door.writable(asked)
        issue, text = self._issue(repo, asked), _text(asked.data)
        made = self.hub.comment(repo.full_name, issue.number, asked.login, text)
        shape = self.shapes.comment(repo, *self.hub.find_comment(repo, made))
        return Reply(shape, 201, {"Location": shape["url"]})

    def show_comment(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        try:
            issue, comment = self.hub.find_comment(repo, int(asked.parts["id"]))
        except LookupError:
            raise missing() from None
        return Reply(self.shapes.comment(repo, issue, comment))

    def edit_comment(self, asked: Asked) -> Reply:
        repo = self.door.writable(asked)
        shape: Json = self.show_comment(asked).content
        if shape["user"]["login"] != asked.login and not asked.may(repo, "push"):
            raise Refused(403, "Must have admin rights to Repository.")
        self.hub.edit_comment(repo.full_name, shape["id"], asked.login, _text(asked.data))
        return self.show_comment(asked)

    def delete_comment(self, asked: Asked) -> Reply:
        repo = self.door.writable(asked)
        shape: Json = self.show_comment(asked).content
        if shape["user"]["login"] != asked.login and not asked.may(repo, "push"):
            raise Refused(403, "Must have admin rights to Repository.")
        self.hub.delete_comment(repo.full_name, shape["id"], asked.login)
        return Reply(None, 204)

    def timeline(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        issue = self._issue(repo, asked)
        return asked.page(issue.timeline, lambda event: self.shapes.happening(repo, issue, event))

    def events(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        issue = self._issue(repo, asked)
        events = [event for event in issue.timeline if event.event not in ("commented", "cross-referenced")]
        return asked.page(events, lambda event: self.shapes.happening(repo, issue, event))

    def issue_labels(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        return asked.page(self._issue(repo, asked).labels, lambda label: self.shapes.label(repo, label))

    def add_labels(self, asked: Asked) -> Reply:
        repo = self.door.writable(asked, "triage")
        issue = self._issue(repo, asked)
        names = _names(asked.data.get("labels") if isinstance(asked.data, dict) else asked.data)
        self.hub.label(repo.full_name, issue.number, asked.login, names)
        return Reply([self.shapes.label(repo, label) for label in issue.labels])

    def add_assignees(self, asked: Asked) -> Reply:
        repo = self.door.writable(asked, "triage")
        issue = self._issue(repo, asked)
        self.hub.assign(repo.full_name, issue.number, asked.login, _names(asked.fields.get("assignees") or []))
        return Reply(self.shapes.issue(repo, issue), 201)

    def list_labels(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        return asked.page(repo.labels, lambda label: self.shapes.label(repo, label))

    def make_label(self, asked: Asked) -> Reply:
        repo = self.door.writable(asked, "push")
        name = asked.fields.get("name") or ""
        if not 0 < len(name) <= 50:
            raise invalid("Label", "name", "invalid" if name else "missing_field")
        if repo.label(name):
            raise invalid("Label", "name", "already_exists")
        color, about = asked.fields.get("color") or "ededed", asked.fields.get("description")
        label = self.hub.make_label(repo, name, color, about)
        return Reply(self.shapes.label(repo, label), 201)

    def show_label(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        label = repo.label(asked.parts["name"])
        if label is None:
            raise missing()
        return Reply(self.shapes.label(repo, label))

    def list_assignees(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        return asked.page(list(repo.levels), self.shapes.user)

    def can_assign(self, asked: Asked) -> Reply:
        if self.door.repository(asked).member(asked.parts["login"]) is None:
            raise missing()
        return Reply(None, 204)


def sort(found: list[Issue], asked: Asked) -> list[Issue]:
    kind = asked.choice("sort", "created", "updated", "comments", "popularity", "long-running")
    newest_first = asked.choice("direction", "desc", "asc") == "desc"
    by: dict[str, Callable[[Issue], Any]] = {
        "created": lambda issue: issue.number,
        "updated": lambda issue: (issue.updated, issue.number),
        "comments": lambda issue: (len(issue.comments), issue.number),
    }
    return sorted(found, key=by.get(kind, by["created"]), reverse=newest_first)


def _text(data: Any, resource: str = "IssueComment") -> str:
    """A comment's body, or the 422 that GitHub answers."""
    text = data.get("body") if isinstance(data, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise invalid(resource, "body", "missing_field" if text is None else "custom", "body cannot be blank")
    if len(text) > MOST_BODY:
        raise Refused(422, "Validation Failed", [_too_long(resource, "body", MOST_BODY)])
    return text


def _too_long(resource: str, name: str, most: int) -> Json:
    message = f"{name} is too long (maximum is {most} characters)"
    return {"resource": resource, "field": name, "code": "custom", "message": message}


def _checked(data: Json, *required: str) -> Json:
    """An issue's fields, or the 422 that GitHub answers."""
    for name in required:
        if data.get(name) is None:
            raise Refused(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    for name, most in (("title", MOST_TITLE), ("body", MOST_BODY)):
        value = data.get(name)
        if value is not None and not isinstance(value, str):
            raise Refused(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not a string.")
        if value is not None and len(value) > most:
            raise Refused(422, "Validation Failed", [_too_long("Issue", name, most)])
    if "title" in data and data["title"] is not None and not data["title"].strip():
        raise invalid("Issue", "title", "missing_field")
    return {**data, **{name: _names(data[name]) for name in ("labels", "assignees") if data.get(name) is not None}}


def _names(given: Any) -> list[str]:
    """Labels or logins, given as words or as objects with a name."""
    names = []
    for item in given if isinstance(given, list) else [None]:
        name = item.get("name") if isinstance(item, dict) else item
        if not isinstance(name, str) or not 0 < len(name) <= 50:
            raise invalid("Label", "name", "invalid")
        names.append(name)
    return names


def _check_assignees(repo: Repository, logins: list[str]) -> None:
    for login in logins:
        if repo.member(login) is None:
            raise invalid("Issue", "assignees", "invalid", value=login)
