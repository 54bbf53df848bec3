"""The GitHub stand-in's records as GitHub's REST API shows them (field names as in "GitHub REST API", 2022-11-28)."""

from __future__ import annotations

from integrations.sandbox.github.records import Comment, Happening, Issue, Label, Repository
from integrations.sandbox.github.shapes_base import Json, iso
from integrations.sandbox.github.shapes_code import CodeShapes

__all__ = ["Json", "Shapes", "iso"]


class Shapes(CodeShapes):
    """Renders records: issues, pull requests and what happens to them here, code in `CodeShapes`."""

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
            "locked": issue.locked,
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
            "type": {"name": issue.type, "description": None, "is_enabled": True} if issue.type else None,
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
            home = facts["source_repo"]
            source = {**self.issue(home, facts["source"]), "repository": self.repository(home)}
            actor, at = self.user(event.by), iso(event.at)
            whole = {"type": "issue", "issue": source}
            return {"event": event.event, "actor": actor, "created_at": at, "updated_at": at, "source": whole}
        sha, commit_repo = facts.get("commit_id"), facts.get("commit_repo", repo)
        shape = {
            "id": event.id,
            "node_id": f"EV_{event.id}",
            "url": f"{self.url}/repos/{repo.full_name}/issues/events/{event.id}",
            "actor": self.user(event.by),
            "event": event.event,
            "commit_id": sha,
            "commit_url": f"{self.url}/repos/{commit_repo.full_name}/commits/{sha}" if sha else None,
            "created_at": iso(event.at),
            "performed_via_github_app": None,
        }
        if event.event == "assigned":
            shape |= {"assignee": self.user(facts["assignee"]), "assigner": self.user(event.by)}
        return shape | {key: facts[key] for key in ("state_reason", "label", "rename") if key in facts}
