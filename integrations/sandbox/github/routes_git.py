"""The GitHub stand-in's routes for commits, comparisons, branches and tags ("GitHub REST API", Commits, Git…)."""

from __future__ import annotations

from typing import Any

from integrations.sandbox.github.history import Commit, Comparison
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.media import mail
from integrations.sandbox.github.patches import Change, diff
from integrations.sandbox.github.records import Repository
from integrations.sandbox.github.redirects import moved
from integrations.sandbox.github.rest import Asked, Door, Refused, Reply, missing
from integrations.sandbox.github.shapes import Json

UNPAGED = 250  # commits in a comparison that nobody asked to page
MOST_FILES = 300


class GitRoutes:
    def __init__(self, hub: Hub, door: Door) -> None:
        self.hub = hub
        self.door = door
        self.shapes = hub.shapes

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
        if name not in {"tags": repo.history.tags, "heads": repo.history.branches}.get(kind, {}):
            raise missing()
        return Reply(self._ref(repo, kind, name))

    def _ref(self, repo: Repository, kind: str, name: str) -> Json:
        """As in "Git references": an annotated tag's is the tag's own object."""
        git = f"{self.shapes.url}/repos/{repo.full_name}/git"
        annotated = kind == "tags" and name in repo.history.annotated
        sha = repo.history.tip(name) if kind == "tags" else repo.history.branches[name]
        type_ = "tag" if annotated else "commit"
        target = {"sha": sha, "type": type_, "url": f"{git}/{type_}s/{sha}"}
        ref = f"refs/{kind}/{name}"
        return {"ref": ref, "node_id": f"REF_{name}", "url": f"{git}/{ref}", "object": target}

    def matching_refs(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        kinds = {"tags": repo.history.tags, "heads": repo.history.branches}
        found = sorted((kind, name) for kind, names in kinds.items() for name in names)
        wanted = [pair for pair in found if "/".join(pair).startswith(asked.parts["ref"])]
        return asked.page(wanted, lambda pair: self._ref(repo, *pair))

    def show_tag(self, asked: Asked) -> Reply:
        """ "Get a tag": an annotated tag's own object."""
        repo = self.door.repository(asked)
        for tag in repo.history.annotated.values():
            if tag.sha == asked.parts["sha"]:
                git = f"{asked.url}/repos/{repo.full_name}/git"
                shape: Json = {
                    "node_id": f"TA_{tag.sha}",
                    "tag": tag.name,
                    "sha": tag.sha,
                    "url": f"{git}/tags/{tag.sha}",
                    "message": tag.message,
                    "tagger": self.shapes.person(tag.by, tag.at),
                    "object": {"sha": tag.target, "type": "commit", "url": f"{git}/commits/{tag.target}"},
                }
                return Reply(shape)
        raise missing()

    def show_branch(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        name = asked.parts["name"]
        sha = repo.history.branches.get(name)
        if sha is None and name in repo.renamed:
            raise moved(asked, repo, f"/branches/{repo.renamed[name]}")
        if sha is None:
            raise Refused(404, "Branch not found")
        commit = self.shapes.commit(repo, repo.history.commits[sha])
        return Reply({"name": name, "commit": commit, "protected": False})

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
        commit = self._commit(repo, asked.parts["ref"])
        shape = self.shapes.commit(repo, commit)
        files = [self._file(change, commit.sha) for change in commit.changes]
        stats = {"total": 2 * len(files), "additions": len(files), "deletions": len(files)}
        return Reply({**shape, "stats": stats, "files": files[:MOST_FILES]})

    @staticmethod
    def _file(change: Change, sha: str) -> Json:
        """A file as in a commit's or comparison's `files`; its `patch` is the hunk alone."""
        name = f"src/{change.id}.txt"
        hunk = change.diff(sha).partition("@@")
        facts = {"additions": 1, "deletions": 1, "changes": 2, "patch": (hunk[1] + hunk[2]).rstrip("\n")}
        return {"sha": sha[::-1], "filename": name, "status": "modified", **facts}

    def commit_sha(self, asked: Asked) -> Reply:
        return Reply(self._commit(self.door.repository(asked), asked.parts["ref"]).sha)

    def commit_diff(self, asked: Asked) -> Reply:
        commit = self._commit(self.door.repository(asked), asked.parts["ref"])
        return Reply(diff(commit.changes, commit.sha))

    def commit_patch(self, asked: Asked) -> Reply:
        return Reply(mail(self.shapes, self._commit(self.door.repository(asked), asked.parts["ref"])))

    def commit_pulls(self, asked: Asked) -> Reply:
        repo = self.door.repository(asked)
        sha = self._commit(repo, asked.parts["ref"]).sha
        found = [
            issue
            for issue in repo.issues.values()
            if issue.pull and sha in (issue.pull.merge_sha, *issue.pull.brought, *issue.pull.commits)
        ]
        return asked.page(found, lambda issue: self.shapes.pull(repo, issue, whole=False))

    def _compared(self, repo: Repository, asked: Asked) -> Comparison:
        ends = [end.rpartition(":")[2] for end in asked.parts["range"].split("...")]
        commits = [repo.history.resolve(end) for end in ends]
        if len(commits) != 2 or commits[0] is None or commits[1] is None:
            raise missing()
        found = repo.history.compare(commits[0].sha, commits[1].sha)
        if found is None:
            raise Refused(404, f"No common ancestor between {ends[0]} and {ends[1]}.")
        return found

    def compare(self, asked: Asked) -> Reply:
        """ "Compare two commits": without paging the newest 250 commits, with it pages from the oldest on, and the
        changed files on the first of them alone."""
        repo = self.door.repository(asked)
        found = self._compared(repo, asked)
        paged = bool({"page", "per_page"} & set(asked.query))
        ahead, size = (found.ahead, 30) if paged else (found.ahead[-UNPAGED:], UNPAGED)
        page = asked.page(ahead, lambda commit: self.shapes.commit(repo, commit), size, max(size, 100))
        first = asked.query.get("page", "1") == "1"
        files = [self._file(change, found.head.sha) for change in found.changes[:MOST_FILES]] if first else []
        shape: dict[str, Any] = {
            "url": f"{asked.url}{asked.path}",
            "html_url": f"{asked.url}/{repo.full_name}/compare/{asked.parts['range']}",
            "permalink_url": f"{asked.url}/{repo.full_name}/compare/{found.base.sha[:12]}...{found.head.sha[:12]}",
            "base_commit": self.shapes.commit(repo, found.base),
            "merge_base_commit": self.shapes.commit(repo, found.merge_base),
            "status": found.status,
            "ahead_by": len(found.ahead),
            "behind_by": found.behind,
            "total_commits": len(found.ahead),
            "commits": page.content,
            "files": files,
        }
        return Reply(shape, headers=page.headers)

    def compare_diff(self, asked: Asked) -> Reply:
        found = self._compared(self.door.repository(asked), asked)
        return Reply(diff(found.changes, found.head.sha))
