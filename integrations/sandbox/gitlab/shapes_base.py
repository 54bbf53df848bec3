"""What all shapes of the GitLab stand-in share: times, people, addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from integrations.sandbox.github.history import Commit
from integrations.sandbox.gitlab.records import VISIBILITIES, Group, Issue, Merge, Project, User
from integrations.sandbox.wire import Now

Json = dict[str, Any]


class Known(Protocol):
    """What shapes ask of the hub."""

    now: Now

    def user(self, login: str) -> User: ...

    def group(self, path: str) -> Group | None: ...

    def home(self, thing: Issue | Merge) -> Project | None: ...

    def owner(self, project: Project) -> str: ...

    def reference(self, home: Project, thing: Issue | Merge, seen_from: Project | None) -> str: ...


def iso(at: datetime | None) -> str | None:
    """As the REST API writes times: milliseconds, cut off."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told(at: Any) -> Any:
    """As webhooks write times."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if isinstance(at, datetime) else at


class BaseShapes:
    def __init__(self, core: Known) -> None:
        self.core = core
        self.url = "http://127.0.0.1"

    @property
    def api(self) -> str:
        return f"{self.url}/api/v4"

    def web(self, project: Project) -> str:
        return f"{self.url}/{project.path}"

    def issue_url(self, project: Project, issue: Issue) -> str:
        return f"{self.web(project)}/-/issues/{issue.iid}"

    def merge_url(self, project: Project, merge: Merge) -> str:
        return f"{self.web(project)}/-/merge_requests/{merge.iid}"

    def commit_url(self, project: Project, sha: str) -> str:
        return f"{self.web(project)}/-/commit/{sha}"

    def person(self, login: str | None) -> Json | None:
        """A user as most answers show one."""
        if login is None:
            return None
        user = self.core.user(login)
        return {
            "id": user.id,
            "username": user.username,
            "public_email": None,
            "name": user.name,
            "state": "active",
            "locked": False,
            "avatar_url": None,
            "web_url": f"{self.url}/{user.username}",
        }

    def people(self, logins: list[str]) -> list[Json]:
        return [shape for login in logins if (shape := self.person(login))]

    def told_person(self, login: str) -> Json:
        """A user as webhooks show one; addresses are hidden."""
        user = self.core.user(login)
        facts: Json = {"id": user.id, "name": user.name, "username": user.username, "avatar_url": None}
        return facts | {"email": "[REDACTED]"}

    def told_project(self, project: Project) -> Json:
        web, ssh = self.web(project), f"git@gitlab.example.com:{project.path}.git"
        return {
            "id": project.id,
            "name": project.name,
            "description": None,
            "web_url": web,
            "avatar_url": None,
            "git_ssh_url": ssh,
            "git_http_url": f"{web}.git",
            "namespace": project.group,
            "visibility_level": VISIBILITIES[project.visibility],
            "path_with_namespace": project.path,
            "default_branch": project.default_branch,
            "ci_config_path": None,
            "homepage": web,
            "url": ssh,
            "ssh_url": ssh,
            "http_url": f"{web}.git",
        }

    def told_repository(self, project: Project) -> Json:
        ssh = f"git@gitlab.example.com:{project.path}.git"
        return {"name": project.name, "url": ssh, "description": None, "homepage": self.web(project)}

    def told_commit(self, project: Project, commit: Commit) -> Json:
        author = self.core.user(commit.author)
        return {
            "id": commit.sha,
            "message": commit.message,
            "title": commit.subject,
            "timestamp": commit.authored.astimezone(UTC).isoformat(timespec="seconds"),
            "url": self.commit_url(project, commit.sha),
            "author": {"name": author.name, "email": author.email},
        }
