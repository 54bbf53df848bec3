"""The GitHub stand-in's addresses: which request is answered by what."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import Route

from integrations.sandbox.github.graphql import answer as graphql
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.media import by_media
from integrations.sandbox.github.pages import Pages
from integrations.sandbox.github.redirects import BY_NAME, Redirects
from integrations.sandbox.github.rest import Asked, Door, Refused, Reply
from integrations.sandbox.github.routes_app import AppRoutes
from integrations.sandbox.github.routes_code import CodeRoutes
from integrations.sandbox.github.routes_deployments import DeploymentRoutes
from integrations.sandbox.github.routes_git import GitRoutes
from integrations.sandbox.github.routes_issues import IssueRoutes

META = {"verifiable_password_authentication": False, "hooks": ["127.0.0.1/32"], "api": ["127.0.0.1/32"]}
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
Handler = Callable[[Asked], Reply]


class Routes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes
        self.redirects = Redirects(hub, door)

    def table(self) -> list[Route]:
        """Every address of the API; the last one catches the rest, so that they too are GitHub's 404."""
        issues, code = IssueRoutes(self.hub, self.door), CodeRoutes(self.hub, self.door)
        git, live = GitRoutes(self.hub, self.door), DeploymentRoutes(self.hub, self.door)
        repo = BY_NAME
        issue = repo + "/issues/{number:int}"
        addresses: dict[str, dict[str, Handler]] = {
            "/user": {"GET": self.user},
            "/meta": {"GET": lambda _: Reply(META)},
            "/rate_limit": {"GET": lambda _: self.rate_limit()},
            "/graphql": {"POST": self.graphql},
            repo: {"GET": self.show_repository},
            repo + "/issues": {"GET": issues.list_issues, "POST": issues.open_issue},
            repo + "/issues/comments/{id:int}": {
                "GET": issues.show_comment,
                "PATCH": issues.edit_comment,
                "DELETE": issues.delete_comment,
            },
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
            repo + "/tags": {"GET": git.list_tags},
            repo + "/git/ref/{ref:path}": {"GET": git.show_ref},
            repo + "/branches/{name:path}": {"GET": git.show_branch},
            repo + "/commits": {"GET": git.list_commits},
            repo + "/commits/{ref}/pulls": {"GET": git.commit_pulls},
            repo + "/git/matching-refs/{ref:path}": {"GET": git.matching_refs},
            repo + "/git/tags/{sha}": {"GET": git.show_tag},
            repo + "/deployments": {"GET": live.list_deployments, "POST": live.deploy},
            repo + "/deployments/{id:int}": {"GET": live.show_deployment},
            repo + "/deployments/{id:int}/statuses": {"GET": live.list_statuses, "POST": live.add_status},
            repo + "/deployments/{id:int}/statuses/{status:int}": {"GET": live.show_status},
            repo + "/environments": {"GET": live.list_environments},
            repo + "/environments/{name}": {"GET": live.show_environment},
        }
        addresses |= AppRoutes(self.hub, self.door).table()
        return [*self._routes(addresses), *self._texts(git), *Pages(self.hub).table(), self._route("/{rest:path}", {})]

    def _route(self, path: str, handlers: dict[str, Handler]) -> Route:
        return Route(path, self.door.endpoint(handlers), methods=METHODS)

    def _routes(self, addresses: dict[str, dict[str, Handler]]) -> list[Route]:
        following = self.redirects.following(addresses)
        return [self._route(path, handlers) for path, handlers in following.items()]

    def _texts(self, git: GitRoutes) -> list[Route]:
        """What is plain text for who accepts only that."""
        kinds: dict[str, tuple[Handler, dict[str, Handler]]] = {
            "/commits/{ref:path}": (
                git.show_commit,
                {"sha": git.commit_sha, "diff": git.commit_diff, "patch": git.commit_patch},
            ),
            "/compare/{range:path}": (git.compare, {"diff": git.compare_diff}),
        }
        routes = []
        for path, (usual, texts) in kinds.items():
            named = {kind: self.redirects.following({BY_NAME + path: {"GET": text}}) for kind, text in texts.items()}
            for address, handlers in self.redirects.following({BY_NAME + path: {"GET": usual}}).items():
                plain = {kind: self.door.endpoint(found[address]) for kind, found in named.items()}
                routes.append(Route(address, by_media(self.door.endpoint(handlers), plain), methods=METHODS))
        return routes

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
