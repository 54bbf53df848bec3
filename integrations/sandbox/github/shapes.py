"""The GitHub stand-in's records as GitHub's REST API shows them (field names as in "GitHub REST API", 2022-11-28)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from integrations.sandbox.github.history import Commit
from integrations.sandbox.github.records import Comment, Happening, Issue, Label, Release, Repository

Json = dict[str, Any]


def iso(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


class Shapes:
    """Renders records; `url` is the server's own address, under which the API and the pages both live."""

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

    def label(self, repo: Repository, label: Label) -> Json:
        return {
            "id": label.id,
            "node_id": f"LA_{label.id}",
            "url": f"{self.url}/repos/{repo.full_name}/labels/{label.name}",
            "name": label.name,
            "color": label.color,
            "default": False,
            "description": label.description,
        }

    def issue_url(self, repo: Repository, issue: Issue) -> str:
        return f"{self.url}/{repo.full_name}/{'pull' if issue.pull else 'issues'}/{issue.number}"

    def _thread(self, repo: Repository, issue: Issue) -> Json:
        """What issues and pull requests share."""
        return {
            "number": issue.number,
            "state": "open" if issue.open else "closed",
            "locked": False,
            "active_lock_reason": None,
            "title": issue.title,
            "user": self.user(issue.by),
            "body": issue.body,
            "labels": [self.label(repo, label) for label in issue.labels],
            "assignee": self.user(issue.assignees[0]) if issue.assignees else None,
            "assignees": self.users(issue.assignees),
            "milestone": None,
            "author_association": self._association(repo, issue.by),
            "html_url": self.issue_url(repo, issue),
            "created_at": iso(issue.created),
            "updated_at": iso(issue.updated),
            "closed_at": iso(issue.closed_at),
        }

    def issue(self, repo: Repository, issue: Issue) -> Json:
        """As in "Issues"; a pull request is shown as an issue with a `pull_request` key."""
        api = f"{self.url}/repos/{repo.full_name}/issues/{issue.number}"
        shape = {
            "url": api,
            "repository_url": f"{self.url}/repos/{repo.full_name}",
            "labels_url": f"{api}/labels{{/name}}",
            "comments_url": f"{api}/comments",
            "events_url": f"{api}/events",
            "timeline_url": f"{api}/timeline",
            "id": issue.id,
            "node_id": f"I_{issue.id}",
            **self._thread(repo, issue),
            "comments": len(issue.comments),
            "closed_by": self.user(issue.closed_by),
            "state_reason": issue.reason,
            "performed_via_github_app": None,
        }
        if issue.pull:
            page = self.issue_url(repo, issue)
            shape["draft"] = False
            shape["pull_request"] = {
                "url": f"{self.url}/repos/{repo.full_name}/pulls/{issue.number}",
                "html_url": page,
                "diff_url": f"{page}.diff",
                "patch_url": f"{page}.patch",
                "merged_at": iso(issue.pull.merged_at),
            }
        return shape

    def pull(self, repo: Repository, issue: Issue, whole: bool = True) -> Json:
        """As in "Pulls"; not `whole`: as in their list, which tells neither `merged` nor by whom."""
        pull = issue.pull
        if pull is None:
            raise LookupError(f"{repo.full_name}#{issue.number} is no pull request")
        api = f"{self.url}/repos/{repo.full_name}"
        owner = repo.full_name.split("/")[0]
        ends = {
            side: {"label": f"{owner}:{ref}", "ref": ref, "sha": sha, "user": self.user(owner), "repo": None}
            for side, ref, sha in (("head", pull.head, pull.head_sha), ("base", pull.base, pull.base_sha))
        }
        for end in ends.values():
            end["repo"] = self.repository(repo)
        shape = {
            "url": f"{api}/pulls/{issue.number}",
            "id": issue.id + 500_000,
            "node_id": f"PR_{issue.id}",
            "issue_url": f"{api}/issues/{issue.number}",
            "commits_url": f"{api}/pulls/{issue.number}/commits",
            "comments_url": f"{api}/issues/{issue.number}/comments",
            **self._thread(repo, issue),
            "draft": False,
            "merged_at": iso(pull.merged_at),
            "merge_commit_sha": pull.merge_sha or pull.test_sha,
            **ends,
        }
        if whole:
            shape |= {
                "merged": pull.merged_at is not None,
                "merged_by": self.user(pull.merged_by),
                "mergeable": True if issue.open else None,
                "mergeable_state": "clean" if issue.open else "unknown",
                "comments": len(issue.comments),
                "commits": len(pull.commits),
            }
        return shape

    def comment(self, repo: Repository, issue: Issue, comment: Comment) -> Json:
        api = f"{self.url}/repos/{repo.full_name}"
        return {
            "url": f"{api}/issues/comments/{comment.id}",
            "html_url": f"{self.issue_url(repo, issue)}#issuecomment-{comment.id}",
            "issue_url": f"{api}/issues/{issue.number}",
            "id": comment.id,
            "node_id": f"IC_{comment.id}",
            "user": self.user(comment.by),
            "created_at": iso(comment.created),
            "updated_at": iso(comment.updated),
            "author_association": self._association(repo, comment.by),
            "body": comment.body,
            "performed_via_github_app": None,
        }

    def _association(self, repo: Repository, login: str) -> str:
        if repo.full_name.split("/")[0] == login:
            return "OWNER"
        return "COLLABORATOR" if login in repo.levels else "NONE"

    def happening(self, repo: Repository, issue: Issue, event: Happening) -> Json:
        """As in "Timeline events"; comments and cross-references have shapes of their own."""
        facts = event.facts
        if event.event == "commented":
            shape = self.comment(repo, issue, facts["comment"])
            return {**shape, "event": "commented", "actor": shape["user"]}
        if event.event == "cross-referenced":
            source = {**self.issue(repo, facts["source"]), "repository": self.repository(repo)}
            actor, at = self.user(event.by), iso(event.at)
            whole = {"type": "issue", "issue": source}
            return {"event": event.event, "actor": actor, "created_at": at, "updated_at": at, "source": whole}
        sha = facts.get("commit_id")
        shape = {
            "id": event.id,
            "node_id": f"EV_{event.id}",
            "url": f"{self.url}/repos/{repo.full_name}/issues/events/{event.id}",
            "actor": self.user(event.by),
            "event": event.event,
            "commit_id": sha,
            "commit_url": f"{self.url}/repos/{repo.full_name}/commits/{sha}" if sha else None,
            "created_at": iso(event.at),
            "performed_via_github_app": None,
        }
        if event.event == "assigned":
            shape |= {"assignee": self.user(facts["assignee"]), "assigner": self.user(event.by)}
        return shape | {key: facts[key] for key in ("state_reason", "label", "rename") if key in facts}

    def release(self, repo: Repository, release: Release) -> Json:
        api = f"{self.url}/repos/{repo.full_name}"
        page = f"untagged-{release.id:020x}" if release.draft else release.tag
        return {
            "url": f"{api}/releases/{release.id}",
            "assets_url": f"{api}/releases/{release.id}/assets",
            "upload_url": f"{api}/releases/{release.id}/assets{{?name,label}}",
            "html_url": f"{self.url}/{repo.full_name}/releases/tag/{page}",
            "id": release.id,
            "node_id": f"RE_{release.id}",
            "author": self.user(release.by),
            "tag_name": release.tag,
            "target_commitish": release.target,
            "name": release.name or None,
            "body": release.body or None,
            "draft": release.draft,
            "immutable": False,
            "prerelease": release.prerelease,
            "created_at": iso(release.created),
            "updated_at": iso(release.published or release.created),
            "published_at": iso(release.published),
            "assets": [],
            "tarball_url": None if release.draft else f"{api}/tarball/{release.tag}",
            "zipball_url": None if release.draft else f"{api}/zipball/{release.tag}",
        }

    def commit(self, repo: Repository, commit: Commit) -> Json:
        api = f"{self.url}/repos/{repo.full_name}"
        person = {"name": commit.author, "email": f"{commit.author}@example.com", "date": iso(commit.at)}
        tree = {"sha": commit.sha[::-1], "url": f"{api}/git/trees/{commit.sha[::-1]}"}
        return {
            "sha": commit.sha,
            "node_id": f"C_{commit.sha}",
            "commit": {
                "author": person,
                "committer": person,
                "message": commit.message,
                "tree": tree,
                "url": f"{api}/git/commits/{commit.sha}",
                "comment_count": 0,
                "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None},
            },
            "url": f"{api}/commits/{commit.sha}",
            "html_url": f"{self.url}/{repo.full_name}/commit/{commit.sha}",
            "comments_url": f"{api}/commits/{commit.sha}/comments",
            "author": self.user(commit.author),
            "committer": self.user(commit.author),
            "parents": [
                {
                    "sha": sha,
                    "url": f"{api}/commits/{sha}",
                    "html_url": f"{self.url}/{repo.full_name}/commit/{sha}",
                }
                for sha in commit.parents
            ],
        }

    def pushed(self, commit: Commit, repo: Repository) -> Json:
        """A commit as in a `push` webhook."""
        person = {"name": commit.author, "email": f"{commit.author}@example.com", "username": commit.author}
        return {
            "id": commit.sha,
            "tree_id": commit.sha[::-1],
            "distinct": True,
            "message": commit.message,
            "timestamp": iso(commit.at),
            "url": f"{self.url}/{repo.full_name}/commit/{commit.sha}",
            "author": person,
            "committer": person,
            "added": [],
            "removed": [],
            "modified": [],
        }
