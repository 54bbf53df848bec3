"""Releases, commits, tags and deployments as GitHub shows them (field names as in "GitHub REST API", 2022-11-28)."""

from __future__ import annotations

from datetime import datetime

from integrations.sandbox.github.history import NOREPLY, WEB, Commit
from integrations.sandbox.github.records import Deployment, DeploymentStatus, Environment, Release, Repository
from integrations.sandbox.github.shapes_base import BaseShapes, Json, iso


class CodeShapes(BaseShapes):
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

    @staticmethod
    def person(login: str, at: datetime | None = None) -> Json:
        """Somebody as a commit names them, with the time when they did it."""
        name, email = ("GitHub", NOREPLY) if login == WEB else (login, f"{login}@example.com")
        return {"name": name, "email": email} | ({"date": iso(at)} if at else {})

    def commit(self, repo: Repository, commit: Commit) -> Json:
        api = f"{self.url}/repos/{repo.full_name}"
        tree = {"sha": commit.sha[::-1], "url": f"{api}/git/trees/{commit.sha[::-1]}"}
        return {
            "sha": commit.sha,
            "node_id": f"C_{commit.sha}",
            "commit": {
                "author": self.person(commit.author, commit.authored),
                "committer": self.person(commit.committer, commit.at),
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
            "committer": self.user(commit.committer),
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
        return {
            "id": commit.sha,
            "tree_id": commit.sha[::-1],
            "distinct": True,
            "message": commit.message,
            "timestamp": iso(commit.at),
            "url": f"{self.url}/{repo.full_name}/commit/{commit.sha}",
            "author": {**self.person(commit.author), "username": commit.author},
            "committer": {**self.person(commit.committer), "username": commit.committer},
            "added": [],
            "removed": [],
            "modified": [f"src/{change.id}.txt" for change in commit.changes],
        }

    def deployment(self, repo: Repository, deployment: Deployment) -> Json:
        api = f"{self.url}/repos/{repo.full_name}"
        return {
            "url": f"{api}/deployments/{deployment.id}",
            "id": deployment.id,
            "node_id": f"DE_{deployment.id}",
            "sha": deployment.sha,
            "ref": deployment.ref,
            "task": deployment.task,
            "payload": deployment.payload,
            "original_environment": deployment.original_environment,
            "environment": deployment.environment,
            "description": deployment.description,
            "creator": self.user(deployment.by),
            "created_at": iso(deployment.created),
            "updated_at": iso(deployment.updated),
            "statuses_url": f"{api}/deployments/{deployment.id}/statuses",
            "repository_url": api,
            "transient_environment": deployment.transient,
            "production_environment": deployment.production,
            "performed_via_github_app": None,
        }

    def deployment_status(self, repo: Repository, deployment: Deployment, status: DeploymentStatus) -> Json:
        api = f"{self.url}/repos/{repo.full_name}"
        at = f"{api}/deployments/{deployment.id}"
        return {
            "url": f"{at}/statuses/{status.id}",
            "id": status.id,
            "node_id": f"DES_{status.id}",
            "state": status.state,
            "creator": self.user(status.by),
            "description": status.description,
            "environment": status.environment,
            "target_url": status.log_url,
            "created_at": iso(status.at),
            "updated_at": iso(status.at),
            "deployment_url": at,
            "repository_url": api,
            "environment_url": status.environment_url,
            "log_url": status.log_url,
            "performed_via_github_app": None,
        }

    def environment(self, repo: Repository, environment: Environment) -> Json:
        return {
            "id": environment.id,
            "node_id": f"EN_{environment.id}",
            "name": environment.name,
            "url": f"{self.url}/repos/{repo.full_name}/environments/{environment.name}",
            "html_url": f"{self.url}/{repo.full_name}/deployments/activity_log?environments_filter={environment.name}",
            "created_at": iso(environment.created),
            "updated_at": iso(environment.created),
            "protection_rules": [],
            "deployment_branch_policy": None,
        }
