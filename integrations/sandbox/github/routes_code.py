"""The GitHub stand-in's routes for pull requests and releases ("GitHub REST API", Pulls, Releases)."""

from __future__ import annotations

from collections.abc import Callable

from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.records import Issue, Release, Repository
from integrations.sandbox.github.rest import Asked, Door, Reply, missing
from integrations.sandbox.github.routes_issues import sort


class CodeRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

    def list_pulls(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        state, base = asked.choice("state", "open", "closed", "all"), asked.query.get("base")
        found = [
            issue
            for issue in repo.issues.values()
            if issue.pull and (state == "all" or issue.open == (state == "open")) and base in (None, issue.pull.base)
        ]
        return asked.page(sort(found, asked), lambda issue: self.shapes.pull(repo, issue, whole=False))

    def _pull(self, repo: Repository, asked: Asked) -> Issue:
        issue = repo.issues.get(int(asked.parts["number"]))
        if issue is None or issue.pull is None:
            raise missing()
        return issue

    def show_pull(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        return Reply(self.shapes.pull(repo, self._pull(repo, asked)))

    def pull_commits(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        pull = self._pull(repo, asked).pull
        shas = pull.commits if pull else []
        return asked.page(shas, lambda sha: self.shapes.commit(repo, repo.history.commits[sha]))

    def _releases(self, repo: Repository, asked: Asked) -> list[Release]:
        """Newest first; drafts only for who may push."""
        drafts = repo.may(asked.token.login if asked.token else None, "push")
        found = [release for release in repo.releases if drafts or not release.draft]
        return sorted(found, key=lambda release: (release.created, release.id), reverse=True)

    def list_releases(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        return asked.page(self._releases(repo, asked), lambda release: self.shapes.release(repo, release))

    def _release(self, asked: Asked, wanted: Callable[[Release], bool]) -> Reply:
        repo = self.door.repository(asked)
        for release in self._releases(repo, asked):
            if wanted(release):
                return Reply(self.shapes.release(repo, release))
        raise missing()

    def latest_release(self, asked: Asked) -> Reply:
        return self._release(asked, lambda release: not release.draft and not release.prerelease)

    def tagged_release(self, asked: Asked) -> Reply:
        return self._release(asked, lambda release: release.tag == asked.parts["tag"] and not release.draft)

    def show_release(self, asked: Asked) -> Reply:
        return self._release(asked, lambda release: release.id == int(asked.parts["id"]))
