"""The GitLab stand-in's commits, tags, releases, environments, deployments and hooks as the REST API shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

from integrations.sandbox.github.history import Commit
from integrations.sandbox.github.patches import Changes
from integrations.sandbox.gitlab.hooks import REDACTED, Attempt, Hook
from integrations.sandbox.gitlab.records import Deployment, Environment, Project, Release
from integrations.sandbox.gitlab.shapes_base import Json, iso
from integrations.sandbox.gitlab.shapes_hooks import HookShapes


def _git_time(at: datetime) -> str:
    """Commits' times keep their zone, which here is always UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


class CodeShapes(HookShapes):
    def commit(self, project: Project, commit: Commit) -> Json:
        author, committer = self.core.user(commit.author), self.core.user(commit.committer)
        trailers = dict(re.findall(r"^([A-Z][\w-]*): (.+)$", commit.message.rpartition("\n\n")[2], re.MULTILINE))
        return {
            "id": commit.sha,
            "short_id": commit.sha[:8],
            "created_at": _git_time(commit.at),
            "parent_ids": list(commit.parents),
            "title": commit.subject,
            "message": commit.message,
            "author_name": author.name,
            "author_email": author.email,
            "authored_date": _git_time(commit.authored),
            "committer_name": committer.name,
            "committer_email": committer.email,
            "committed_date": _git_time(commit.at),
            "trailers": trailers,
            "extended_trailers": {key: [value] for key, value in trailers.items()},
            "web_url": self.commit_url(project, commit.sha),
        }

    def whole_commit(self, project: Project, commit: Commit) -> Json:
        lines = len(commit.changes)
        stats = {"additions": lines, "deletions": lines, "total": 2 * lines}
        more = {"stats": stats, "status": None, "project_id": project.id, "last_pipeline": None}
        return self.commit(project, commit) | more

    @staticmethod
    def diffs(changes: Changes, sha: str) -> list[Json]:
        """One for each file; `diff` begins with its first hunk."""
        found = []
        for change in changes:
            name = f"src/{change.id}.txt"
            hunk = change.diff(sha).partition("@@")
            facts: Json = {"diff": hunk[1] + hunk[2], "new_path": name, "old_path": name, "a_mode": "100644"}
            facts |= {"b_mode": "100644", "new_file": False, "renamed_file": False, "deleted_file": False}
            found.append(facts | {"generated_file": False, "collapsed": False, "too_large": False})
        return found

    def tag(self, project: Project, name: str) -> Json:
        annotated = project.history.annotated.get(name)
        release = next((release for release in project.releases if release.tag == name), None)
        return {
            "name": name,
            "message": annotated.message if annotated else "",
            "target": project.history.tip(name),
            "commit": self.commit(project, project.history.commits[project.history.tags[name]]),
            "release": {"tag_name": name, "description": release.body} if release else None,
            "protected": any(_fits(pattern, name) for pattern in project.protected_tags),
            "created_at": iso(annotated.at) if annotated else None,
        }

    def branch(self, project: Project, name: str) -> Json:
        sha, main = project.history.branches[name], project.history.branches[project.default_branch]
        protected = name in project.protected_branches
        return {
            "name": name,
            "commit": self.commit(project, project.history.commits[sha]),
            "merged": name != project.default_branch and not project.history.between(main, sha),
            "protected": protected,
            "developers_can_push": False,
            "developers_can_merge": False,
            "can_push": True,
            "default": name == project.default_branch,
            "web_url": f"{self.web(project)}/-/tree/{name}",
        }

    def release(self, project: Project, release: Release) -> Json:
        """Its `commit` is what the tag named when the release was made."""
        commit, tag = project.history.commits.get(release.sha), quote(release.tag, safe="")
        page = f"{self.web(project)}/-/releases/{tag}"
        return {
            "tag_name": release.tag,
            "name": release.name,
            "description": release.body,
            "description_html": "",
            "created_at": iso(release.created),
            "released_at": iso(release.released),
            "upcoming_release": release.released > self.core.now(),
            "author": self.person(release.by),
            "commit": self.commit(project, commit) if commit else None,
            "milestones": [],
            "commit_path": f"/{project.path}/-/commit/{release.sha}",
            "tag_path": f"/{project.path}/-/tags/{release.tag}",
            "assets": {"count": 4, "sources": [], "links": []},
            "evidences": [],
            "_links": {"self": page, "edit_url": f"{page}/edit"},
        }

    def environment(self, project: Project, place: Environment) -> Json:
        return {
            "id": place.id,
            "name": place.name,
            "slug": place.name.replace("/", "-"),
            "external_url": place.url,
            "created_at": iso(place.created),
            "updated_at": iso(place.updated),
            "description": None,
            "tier": place.tier,
            "state": place.state,
            "auto_stop_at": None,
        }

    def deployment(self, project: Project, deployment: Deployment) -> Json:
        place = deployment.environment
        return {
            "id": deployment.id,
            "iid": deployment.iid,
            "ref": deployment.ref,
            "sha": deployment.sha,
            "created_at": iso(deployment.created),
            "updated_at": iso(deployment.updated),
            "user": self.person(deployment.by),
            "environment": self.environment(project, place),
            "deployable": self._job(project, deployment) if deployment.job else None,
            "status": deployment.status,
        }

    def _job(self, project: Project, deployment: Deployment) -> Json:
        web = self.web(project)
        pipeline = {
            "id": deployment.pipeline,
            "iid": deployment.iid,
            "project_id": project.id,
            "sha": deployment.sha,
            "ref": deployment.ref,
            "status": deployment.status,
            "source": "push",
            "created_at": iso(deployment.created),
            "updated_at": iso(deployment.updated),
            "web_url": f"{web}/-/pipelines/{deployment.pipeline}",
        }
        return {
            "id": deployment.job,
            "status": deployment.status,
            "stage": "deploy",
            "name": "deploy",
            "ref": deployment.ref,
            "tag": deployment.tag,
            "created_at": iso(deployment.created),
            "started_at": iso(deployment.created),
            "finished_at": iso(deployment.finished),
            "user": self.person(deployment.by),
            "commit": self.commit(project, project.history.commits[deployment.sha]),
            "pipeline": pipeline,
            "web_url": f"{web}/-/jobs/{deployment.job}",
        }

    def hook(self, hook: Hook, project: Project) -> Json:
        """Tokens are never shown; that there is one, newer versions tell."""
        return {
            "id": hook.id,
            "url": hook.url,
            "name": hook.name,
            "description": hook.description,
            "created_at": iso(hook.created),
            "project_id": project.id,
            **hook.flags,
            "push_events_branch_filter": hook.branch_filter,
            "branch_filter_strategy": "wildcard",
            "enable_ssl_verification": hook.ssl,
            "repository_update_events": False,
            "alert_status": hook.status(self.core.now()),
            "disabled_until": iso(hook.disabled_until),
            "url_variables": [],
            "custom_headers": [],
            "custom_webhook_template": None,
        }

    def attempt(self, attempt: Attempt) -> Json:
        headers = {key: REDACTED if key == "X-Gitlab-Token" else value for key, value in attempt.headers.items()}
        return {
            "id": attempt.id,
            "url": attempt.delivery.hook.url,
            "trigger": attempt.delivery.trigger,
            "request_headers": headers,
            "request_data": attempt.delivery.data,
            "response_headers": {},
            "response_body": "",
            "execution_duration": 0.1,
            "response_status": str(attempt.status) if attempt.status else "internal error",
        }


def _fits(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), name) is not None
