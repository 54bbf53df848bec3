"""The GitHub stand-in's routes for pull requests, releases, tags and commits ("GitHub REST API", Pulls, Releases…)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from integrations.sandbox.github.history import Commit
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.records import Issue, Release, Repository
from integrations.sandbox.github.rest import Asked, Door, Refused, Reply, missing
from integrations.sandbox.github.routes_issues import sort
from integrations.sandbox.github.shapes import Json


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

    def list_tags(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        api = f"{asked.url}/repos/{repo.full_name}"

        def show(tag: str) -> Json:
            sha = repo.history.tags[tag]
            return {"name": tag, "commit": {"sha": sha, "url": f"{api}/commits/{sha}"}, "node_id": f"REF_{tag}"}

        return asked.page(sorted(repo.history.tags, reverse=True), show)

    def show_ref(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        kind, _, name = asked.parts["ref"].partition("/")
        sha = {"tags": repo.history.tags, "heads": repo.history.branches}.get(kind, {}).get(name)
        if sha is None:
            raise missing()
        api = f"{asked.url}/repos/{repo.full_name}/git"
        target = {"sha": sha, "type": "commit", "url": f"{api}/commits/{sha}"}
        ref = f"refs/{kind}/{name}"
        return Reply({"ref": ref, "node_id": f"REF_{name}", "url": f"{api}/{ref}", "object": target})

    def show_branch(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        sha = repo.history.branches.get(asked.parts["name"])
        if sha is None:
            raise Refused(404, "Branch not found")
        commit = self.shapes.commit(repo, repo.history.commits[sha])
        return Reply({"name": asked.parts["name"], "commit": commit, "protected": False})

    def list_commits(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        start = repo.history.resolve(asked.query.get("sha") or repo.default_branch)
        if start is None:
            raise missing()
        since, until = asked.time("since"), asked.time("until")
        found = [
            commit
            for commit in repo.history.log(start.sha)
            if (since is None or commit.at >= since) and (until is None or commit.at <= until)
        ]
        return asked.page(found, lambda commit: self.shapes.commit(repo, commit))

    def _commit(self, repo: Repository, ref: str) -> Commit:
        commit = repo.history.resolve(ref)
        if commit is None:
            raise Refused(422, f"No commit found for SHA: {ref}")
        return commit

    def show_commit(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        shape = self.shapes.commit(repo, self._commit(repo, asked.parts["ref"]))
        return Reply({**shape, "stats": {"total": 0, "additions": 0, "deletions": 0}, "files": []})

    def commit_pulls(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        sha = self._commit(repo, asked.parts["ref"]).sha
        found = [
            issue
            for issue in repo.issues.values()
            if issue.pull and (issue.pull.merge_sha == sha or sha in issue.pull.commits)
        ]
        return asked.page(found, lambda issue: self.shapes.pull(repo, issue, whole=False))

    def compare(self, asked: Asked) -> Reply:
        """ "Compare two commits": without paging the newest 250 commits, with it pages from the oldest on."""
        repo = self.door.repository(asked)
        ends = [end.rpartition(":")[2] for end in asked.parts["range"].split("...")]
        commits = [repo.history.resolve(end) for end in ends]
        if len(commits) != 2 or commits[0] is None or commits[1] is None:
            raise missing()
        found = repo.history.compare(commits[0].sha, commits[1].sha)
        if found is None:
            raise Refused(404, f"No common ancestor between {ends[0]} and {ends[1]}.")
        paged = {"page", "per_page"} & set(asked.query)
        page = asked.page(
            found.ahead if paged else found.ahead[-250:], lambda commit: self.shapes.commit(repo, commit), 250, 1000
        )
        shape: dict[str, Any] = {
            "url": f"{asked.url}{asked.path}",
            "html_url": f"{asked.url}/{repo.full_name}/compare/{ends[0]}...{ends[1]}",
            "base_commit": self.shapes.commit(repo, found.base),
            "merge_base_commit": self.shapes.commit(repo, found.merge_base),
            "status": found.status,
            "ahead_by": len(found.ahead),
            "behind_by": found.behind,
            "total_commits": len(found.ahead),
            "commits": page.content,
            "files": [],
        }
        return Reply(shape, headers=page.headers)
