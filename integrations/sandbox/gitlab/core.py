"""The GitLab stand-in's projects, people and histories, and how each change is noted, told and cross-referenced."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from integrations.sandbox.github.history import Commit
from integrations.sandbox.gitlab.hooks import FLAGS, Hook, Webhooks
from integrations.sandbox.gitlab.records import (
    MAINTAINER,
    OWNER,
    VISIBILITIES,
    Group,
    Issue,
    Label,
    Merge,
    Note,
    Project,
    StateEvent,
    User,
)
from integrations.sandbox.gitlab.references import Reference, closed_in, issues_in, merges_in
from integrations.sandbox.gitlab.shapes_hooks import HookShapes
from integrations.sandbox.wire import Now

NO_COMMIT = "0" * 40
MOST_PUSHED = 20  # "Webhook events", push: no more commits than that are told


class Core:
    """Projects with their branches, and what `Hub`'s doings share. `bot` is a maintainer of every project."""

    def __init__(self, now: Now, webhook_secret: str | None, signing_secret: str | None, bot: str) -> None:
        self.now = now
        self.bot = bot
        self.webhook_secret = webhook_secret
        self.signing_secret = signing_secret
        self.webhook_address: str | None = None
        self.lock = threading.RLock()
        self.shapes = HookShapes(self)
        self.hooks = Webhooks(now)
        self.version = 0  # grows with each change
        self._projects: dict[str, Project] = {}
        self._old_paths: dict[str, Project] = {}
        self._groups: dict[str, Group] = {}
        self._users: dict[str, User] = {}
        self._ids = itertools.count(1001)
        self._project_ids = itertools.count(81)

    # --- finding ------------------------------------------------------------------------------------------------------

    def find(self, path: str | int) -> Project | None:
        """By the path that it has now, or by id."""
        if isinstance(path, int) or path.isdigit():
            return next((project for project in self._projects.values() if project.id == int(path)), None)
        return self._projects.get(path.lower())

    def moved_from(self, path: str) -> Project | None:
        """The project that had that path before it was renamed, unless another has it now."""
        return None if self.find(path) else self._old_paths.get(path.lower())

    def projects(self) -> list[Project]:
        return list(self._projects.values())

    def group(self, path: str) -> Group | None:
        if path.isdigit():
            return next((group for group in self._groups.values() if group.id == int(path)), None)
        return self._groups.get(path.lower())

    def home(self, thing: Issue | Merge) -> Project | None:
        """Where an issue or merge request stands; None when it was deleted."""
        for project in self._projects.values():
            kept = project.issues if isinstance(thing, Issue) else project.merges
            if kept.get(thing.iid) is thing:
                return project
        return None

    def user(self, login: str) -> User:
        """Who has that login; whoever is named exists."""
        key = login.lower()
        if key not in self._users:
            name = " ".join(part.capitalize() for part in login.replace("_", "-").split("-"))
            self._users[key] = User(len(self._users) + 11, login, name)
        return self._users[key]

    def user_of(self, user_id: int) -> User | None:
        return next((user for user in self._users.values() if user.id == user_id), None)

    def known_user(self, login: str) -> User | None:
        return self._users.get(login.lower())

    def named(self, project: Project, references: Iterable[Reference]) -> list[tuple[Project, Issue]]:
        """The issues that references written in `project` lead to."""
        places = ((self._written(project, path), iid) for path, iid in references)
        return [(other, other.issues[iid]) for other, iid in places if other and iid in other.issues]

    def named_merges(self, project: Project, references: Iterable[Reference]) -> list[tuple[Project, Merge]]:
        places = ((self._written(project, path), iid) for path, iid in references)
        return [(other, other.merges[iid]) for other, iid in places if other and iid in other.merges]

    def _written(self, project: Project, path: str) -> Project | None:
        """The project that a reference's path leads to from `project`; a name alone is one of the same group."""
        if not path:
            return project
        whole = path if "/" in path else f"{project.group}/{path}"
        return self.find(whole) or self._old_paths.get(whole.lower())

    def closing(self, project: Project, merge: Merge) -> list[tuple[Project, Issue]]:
        """The issues that merging closes: its title, description and commits say so, and it aims at the default branch
        ("Closing issues automatically")."""
        if merge.target != project.default_branch:
            return []
        words = [merge.title, merge.body, *(project.history.commits[sha].message for sha in merge.commits)]
        return self.named(project, closed_in("\n".join(words)))

    def reference(self, home: Project, thing: Issue | Merge, seen_from: Project | None) -> str:
        """`#5`, `shop-app#5` within the group, or `acme/shop-app#5`; with `!` for merge requests."""
        mark = "#" if isinstance(thing, Issue) else "!"
        if seen_from is home:
            return f"{mark}{thing.iid}"
        if seen_from is not None and seen_from.group == home.group:
            return f"{home.name}{mark}{thing.iid}"
        return f"{home.path}{mark}{thing.iid}"

    def _project(self, path: str) -> Project:
        project = self.find(path)
        if project is None:
            raise LookupError(f"no project {path}")
        return project

    def _issue(self, path: str, iid: int) -> tuple[Project, Issue]:
        project = self._project(path)
        if iid not in project.issues:
            raise LookupError(f"{path} has no issue {iid}")
        return project, project.issues[iid]

    def _merge(self, path: str, iid: int) -> tuple[Project, Merge]:
        project = self._project(path)
        if iid not in project.merges:
            raise LookupError(f"{path} has no merge request {iid}")
        return project, project.merges[iid]

    @staticmethod
    def owner(project: Project) -> str:
        return next(login for login, level in project.members.items() if level == OWNER)

    # --- projects -----------------------------------------------------------------------------------------------------

    def add_group(self, path: str, visibility: str = "private") -> None:
        """A group; where it exists, its visibility is set."""
        if visibility not in VISIBILITIES:
            raise ValueError(f"no visibility {visibility}")
        with self.lock:
            group = self._groups.setdefault(path.lower(), Group(self._id(), path, visibility))
            group.visibility = visibility
            self.version += 1

    def add_project(
        self,
        path: str,
        visibility: str = "private",
        issues: bool = True,
        default_branch: str = "main",
        members: Mapping[str, int] | None = None,
    ) -> None:
        """A project with one commit, protected default branch and no labels; `root` owns it. `members`: login → access
        level. Groups above it are made, as visible as it is."""
        with self.lock:
            if self.find(path) or "/" not in path:
                raise ValueError(f"{path} exists or has no group")
            if visibility not in VISIBILITIES:
                raise ValueError(f"no visibility {visibility}")
            now = self._now()
            project = Project(next(self._project_ids), path, visibility, default_branch, now, now, issues)
            project.members = {"root": OWNER, self.bot: MAINTAINER} | dict(members or {})
            for login in project.members:
                self.user(login)
            project.history.commit(default_branch, "Initial commit", "root", now)
            project.protected_branches.add(default_branch)
            self._projects[path.lower()] = project
            self._make_groups(project)
            self.hook_up(project)
            self.version += 1

    def _make_groups(self, project: Project) -> None:
        parts = project.group.split("/")
        for end in range(1, len(parts) + 1):
            path = "/".join(parts[:end])
            group = self._groups.setdefault(path.lower(), Group(self._id(), path, project.visibility))
            if VISIBILITIES[group.visibility] < VISIBILITIES[project.visibility]:
                group.visibility = project.visibility

    def new_hook(self, url: str) -> Hook:
        """One that hears of pushes alone, as the API makes it."""
        hook = Hook(self._id(), url, self._now())
        hook.flags = dict.fromkeys(FLAGS, False) | {"push_events": True}
        return hook

    def hook_up(self, project: Project) -> None:
        """Give the project the webhook that the stand-in's `webhook_url` stands for, or take it away."""
        project.hooks = [hook for hook in project.hooks if not hook.ours]
        if self.webhook_address is not None:
            hook = Hook(self._id(), self.webhook_address, self._now(), self.webhook_secret, self.signing_secret)
            hook.flags, hook.ours = dict.fromkeys(FLAGS, True), True
            project.hooks.append(hook)

    # --- what follows from a change -----------------------------------------------------------------------------------

    def _id(self) -> int:
        return next(self._ids)

    def _now(self) -> datetime:
        return self.now()

    def _system_note(self, thing: Issue | Merge, by: str, text: str) -> None:
        now = self._now()
        thing.notes.append(Note(self._id(), by, text, now, now, system=True))
        thing.updated = now
        self.version += 1

    def _mention(self, project: Project, source: Issue | Merge | Commit, by: str, text: str) -> None:
        """Note on each issue and merge request that `text` names where it is named; that does not touch them."""
        named: list[tuple[Project, Issue | Merge]] = [*self.named(project, issues_in(text))]
        named += self.named_merges(project, merges_in(text))
        for home, thing in named:
            if thing is source:
                continue
            if isinstance(source, Commit):
                where = source.sha if home is project else f"{project.path}@{source.sha}"
                words = f"mentioned in commit {where}"
            else:
                kind = "issue" if isinstance(source, Issue) else "merge request"
                words = f"mentioned in {kind} {self.reference(project, source, home)}"
            if isinstance(source, Merge) and isinstance(thing, Issue) and source.id not in thing.mentioned_by:
                thing.mentioned_by.append(source.id)
            if not any(note.system and note.body == words for note in thing.notes):
                was = thing.updated
                self._system_note(thing, by, words)
                thing.updated = was

    def _close(self, project: Project, issue: Issue, by: str, **source: Any) -> None:
        """`source`: the `commit` or `merge_id` that closed it. No note tells of it, but a state event does."""
        issue.open, issue.closed_at, issue.closed_by = False, self._now(), by
        issue.events.append(StateEvent(self._id(), by, self._now(), "closed", **source))
        issue.updated = self._now()
        self.version += 1
        changes = {"state_id": (1, 2), "closed_at": (None, issue.closed_at)}
        self._tell_issue(project, issue, by, "close", changes)

    def _tell_issue(
        self, project: Project, issue: Issue, by: str, action: str, changes: Mapping[str, tuple[Any, Any]] | None = None
    ) -> None:
        trigger = "confidential_issue_hooks" if issue.confidential else "issue_hooks"
        self._tell(project, trigger, self.shapes.issue_event(project, issue, by, action, changes or {}))

    def _tell_merge(self, project: Project, merge: Merge, by: str, action: str, **more: Any) -> None:
        self._tell(project, "merge_request_hooks", self.shapes.merge_event(project, merge, by, action, more))

    def _tell_push(self, project: Project, ref: str, before: str, after: str, new: list[Commit], by: str) -> None:
        """`before` and `after`: shas of what `ref` points to, `NO_COMMIT` when it is created or deleted."""
        trigger = "tag_push_hooks" if ref.startswith("refs/tags/") else "push_hooks"
        shape = self.shapes.push_event(project, ref, before, after, new[-MOST_PUSHED:], len(new), by)
        self._tell(project, trigger, shape)

    def _tell(self, project: Project, trigger: str, body: dict[str, Any]) -> None:
        self.version += 1
        hooks = project.hooks
        if not hooks and self.hooks.hold:
            hook = Hook(0, "", self._now(), self.webhook_secret, self.signing_secret)
            hook.flags = dict.fromkeys(FLAGS, True)
            hooks = [hook]
        self.hooks.tell(hooks, project.id, trigger, body)

    def make_label(self, project: Project, name: str, color: str = "#6699cc", about: str | None = None) -> Label:
        """The label of that name, made when it is new."""
        label = project.label(name)
        if label is None:
            label = Label(self._id(), name, color, about)
            project.labels.append(label)
            self.version += 1
        return label
