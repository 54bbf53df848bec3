"""People and repositories as GitHub shows them (field names as in "GitHub REST API", 2022-11-28)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from integrations.sandbox.github.records import Repository

Json = dict[str, Any]


def iso(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


class BaseShapes:
    """`url` is the server's own address, under which the API and the pages both live."""

    def __init__(self) -> None:
        self.url = "http://127.0.0.1"
        self._people: dict[str, int] = {}

    def user(self, login: str | None) -> Json | None:
        if login is None:
            return None
        number = self._people.setdefault(login, 5001 + len(self._people))
        api = f"{self.url}/users/{login}"
        return {
            "login": login,
            "id": number,
            "node_id": f"U_{number}",
            "avatar_url": "",
            "gravatar_id": "",
            "url": api,
            "html_url": f"{self.url}/{login}",
            "repos_url": f"{api}/repos",
            "events_url": f"{api}/events{{/privacy}}",
            "type": "Bot" if login.endswith("[bot]") else "User",
            "site_admin": False,
        }

    def users(self, logins: Iterable[str]) -> list[Json]:
        return [user for login in logins if (user := self.user(login))]

    def repository(self, repo: Repository, viewer: str | None = None) -> Json:
        """As in a webhook; with a `viewer`, as that account is shown it by the API: with its permissions."""
        owner, name = repo.full_name.split("/")
        api = f"{self.url}/repos/{repo.full_name}"
        count = sum(issue.open for issue in repo.issues.values())
        shape: Json = {
            "id": repo.id,
            "node_id": f"R_{repo.id}",
            "name": name,
            "full_name": repo.full_name,
            "private": repo.private,
            "visibility": "private" if repo.private else "public",
            "owner": {**(self.user(owner) or {}), "type": "Organization"},
            "html_url": f"{self.url}/{repo.full_name}",
            "description": None,
            "fork": False,
            "url": api,
            "issues_url": f"{api}/issues{{/number}}",
            "compare_url": f"{api}/compare/{{base}}...{{head}}",
            "has_issues": repo.has_issues,
            "has_wiki": False,
            "archived": repo.archived,
            "disabled": False,
            "default_branch": repo.default_branch,
            "open_issues_count": count,
            "open_issues": count,
            "created_at": iso(repo.created),
            "updated_at": iso(repo.created),
            "pushed_at": iso(next(reversed(repo.history.commits.values())).at),
        }
        if viewer is not None:
            levels = ("admin", "maintain", "push", "triage", "pull")
            shape["permissions"] = {level: repo.may(viewer, level) for level in levels}
            shape["permissions"]["pull"] |= not repo.private
        return shape
