"""The GitHub stand-in's addresses: which request is answered by what."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import Route

from integrations.sandbox.github.graphql import answer as graphql
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.pages import Pages
from integrations.sandbox.github.rest import Asked, Door, Refused, Reply
from integrations.sandbox.github.routes_app import AppRoutes
from integrations.sandbox.github.routes_code import CodeRoutes
from integrations.sandbox.github.routes_issues import IssueRoutes

META = {"verifiable_password_authentication": False, "hooks": ["127.0.0.1/32"], "api": ["127.0.0.1/32"]}
Handler = Callable[[Asked], Reply]


class Routes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def table(self) -> list[Route]:
        """Every address of the API; the last one catches the rest, so that they too are GitHub's 404."""
        issues, code = IssueRoutes(self.hub, self.door), CodeRoutes(self.hub, self.door)
        repo = "/repos/{owner}/{repo}"
        issue = repo + "/issues/{number:int}"
        addresses: dict[str, dict[str, Handler]] = {
            "/user": {"GET": self.user},
            "/meta": {"GET": lambda _: Reply(META)},
            "/rate_limit": {"GET": lambda _: self.rate_limit()},
            "/graphql": {"POST": self.graphql},
            repo: {"GET": self.show_repository},
            repo + "/issues": {"GET": issues.list_issues, "POST": issues.open_issue},
            repo + "/issues/comments/{id:int}": {"GET": issues.show_comment, "PATCH": issues.edit_comment},
            issue: {"GET": issues.show_issue, "PATCH": issues.edit_issue},
            issue + "/comments": {"GET": issues.list_comments, "POST": issues.comment},
            issue + "/timeline": {"GET": issues.timeline},
            issue + "/events": {"GET": issues.events},
            issue + "/labels": {"GET": issues.issue_labels, "POST": issues.add_labels},
            issue + "/assignees": {"POST": issues.add_assignees},
            repo + "/labels": {"GET": issues.list_labels, "POST": issues.make_label},
            repo + "/labels/{name:path}": {"GET": issues.show_label},
            repo + "/assignees": {"GET": issues.list_assignees},
            repo + "/assignees/{login}": {"GET": issues.can_assign},
            repo + "/pulls": {"GET": code.list_pulls},
            repo + "/pulls/{number:int}": {"GET": code.show_pull},
            repo + "/pulls/{number:int}/commits": {"GET": code.pull_commits},
            repo + "/releases": {"GET": code.list_releases},
            repo + "/releases/latest": {"GET": code.latest_release},
            repo + "/releases/tags/{tag:path}": {"GET": code.tagged_release},
            repo + "/releases/{id:int}": {"GET": code.show_release},
            repo + "/tags": {"GET": code.list_tags},
            repo + "/git/ref/{ref:path}": {"GET": code.show_ref},
            repo + "/branches/{name:path}": {"GET": code.show_branch},
            repo + "/commits": {"GET": code.list_commits},
            repo + "/commits/{ref}/pulls": {"GET": code.commit_pulls},
            repo + "/commits/{ref:path}": {"GET": code.show_commit},
            repo + "/compare/{range:path}": {"GET": code.compare},
        }
        addresses |= AppRoutes(self.hub, self.door).table()
        methods = ["GET", "POST", "PATCH", "PUT", "DELETE"]
        routes = [Route(path, self.door.endpoint(handlers), methods=methods) for path, handlers in addresses.items()]
        return [*routes, *Pages(self.hub).table(), Route("/{rest:path}", self.door.endpoint({}), methods=methods)]

    def user(self, asked: Asked) -> Reply:
        return Reply({**(self.shapes.user(asked.login) or {}), "name": None, "email": None, "two_factor": True})

    def rate_limit(self) -> Reply:
        core = self.door.limits()
        return Reply({"resources": {"core": core, "search": {**core, "limit": 30}, "graphql": core}, "rate": core})

    def graphql(self, asked: Asked) -> Reply:
        if asked.token is None:
            raise Refused(401, "This endpoint requires you to be authenticated.")

        return Reply(graphql(self.hub, lambda repo: self.door.sees(asked.token, repo), asked.data))

    def show_repository(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        return Reply(self.shapes.repository(repo, asked.token.login if asked.token else ""))
