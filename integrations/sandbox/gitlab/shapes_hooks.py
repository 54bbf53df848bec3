"""The GitLab stand-in's records as its webhooks tell them ("Webhook events")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from integrations.sandbox.github.history import Commit
from integrations.sandbox.gitlab.records import Deployment, Issue, Label, Merge, Note, Project, Release
from integrations.sandbox.gitlab.shapes_base import BaseShapes, Json, told

STATE_IDS = {"opened": 1, "closed": 2, "merged": 3, "locked": 4}
NO_COMMIT = "0" * 40


class HookShapes(BaseShapes):
    def _event(self, project: Project, kind: str, by: str, event_type: str = "") -> Json:
        return {
            "object_kind": kind,
            "event_type": event_type or kind,
            "user": self.told_person(by),
            "project": self.told_project(project),
            "repository": self.told_repository(project),
        }

    def told_label(self, project: Project, label: Label) -> Json:
        facts: Json = {"id": label.id, "title": label.name, "color": label.color, "description": label.description}
        return facts | {"project_id": project.id, "group_id": None, "type": "ProjectLabel", "template": False}

    def _changed(self, project: Project, changes: Mapping[str, tuple[Any, Any]]) -> Json:
        def show(value: Any) -> Any:
            if isinstance(value, list):
                return [self.told_label(project, one) if isinstance(one, Label) else one for one in value]
            return value.isoformat() if type(value) is date else told(value)

        return {key: {"previous": show(was), "current": show(now)} for key, (was, now) in changes.items()}

    def told_issue(self, project: Project, issue: Issue) -> Json:
        assignees = [self.core.user(login).id for login in issue.assignees]
        return {
            "id": issue.id,
            "iid": issue.iid,
            "title": issue.title,
            "description": issue.body,
            "author_id": self.core.user(issue.by).id,
            "assignee_id": assignees[0] if assignees else None,
            "assignee_ids": assignees,
            "project_id": project.id,
            "created_at": told(issue.created),
            "updated_at": told(issue.updated),
            "closed_at": told(issue.closed_at),
            "confidential": issue.confidential,
            "discussion_locked": issue.locked,
            "due_date": issue.due.isoformat() if issue.due else None,
            "moved_to_id": issue.moved_to.id if issue.moved_to else None,
            "duplicated_to_id": issue.duplicate_of.id if issue.duplicate_of else None,
            "milestone_id": None,
            "state": issue.state,
            "state_id": STATE_IDS[issue.state],
            "type": issue.kind.replace("_", " ").title(),
            "severity": "unknown",
            "url": self.issue_url(project, issue),
            "labels": [self.told_label(project, label) for label in issue.labels],
        }

    def issue_event(
        self, project: Project, issue: Issue, by: str, action: str, changes: Mapping[str, tuple[Any, Any]]
    ) -> Json:
        """Its `object_kind` is "issue" for confidential ones, too; the `event_type` tells."""
        event = self._event(project, "issue", by, "confidential_issue" if issue.confidential else "issue")
        attributes = self.told_issue(project, issue) | {"action": action}
        event |= {"object_attributes": attributes, "labels": attributes["labels"]}
        event["changes"] = self._changed(project, changes)
        if issue.assignees:
            event["assignees"] = [self.told_person(login) for login in issue.assignees]
        return event

    def note_event(
        self, project: Project, thing: Issue | Merge, note: Note, by: str, action: str, confidential: bool
    ) -> Json:
        page = self.issue_url(project, thing) if isinstance(thing, Issue) else self.merge_url(project, thing)
        event = self._event(project, "note", by, "confidential_note" if confidential else "note")
        event["project_id"] = project.id
        event["object_attributes"] = {
            "id": note.id,
            "note": note.body,
            "description": note.body,
            "noteable_type": "Issue" if isinstance(thing, Issue) else "MergeRequest",
            "noteable_id": thing.id,
            "author_id": self.core.user(note.by).id,
            "created_at": told(note.created),
            "updated_at": told(note.updated),
            "project_id": project.id,
            "commit_id": None,
            "system": note.system,
            "internal": note.internal,
            "action": action,
            "url": f"{page}#note_{note.id}",
        }
        if isinstance(thing, Issue):
            event["issue"] = self.told_issue(project, thing)
        else:
            event["merge_request"] = self.told_merge(project, thing)
        return event

    def told_merge(self, project: Project, merge: Merge) -> Json:
        there = self.told_project(project)
        head = project.history.commits[merge.head_sha]
        return {
            "id": merge.id,
            "iid": merge.iid,
            "title": merge.title,
            "description": merge.body,
            "source_branch": merge.source,
            "target_branch": merge.target,
            "source_project_id": project.id,
            "target_project_id": project.id,
            "author_id": self.core.user(merge.by).id,
            "assignee_ids": [],
            "state": merge.state,
            "state_id": STATE_IDS[merge.state],
            "created_at": told(merge.created),
            "updated_at": told(merge.updated),
            "merge_commit_sha": merge.merge_sha,
            "draft": merge.draft,
            "work_in_progress": merge.draft,
            "merge_status": "can_be_merged",
            "detailed_merge_status": "not_open" if merge.state != "opened" else "mergeable",
            "url": self.merge_url(project, merge),
            "source": there,
            "target": there,
            "last_commit": self.told_commit(project, head),
            "labels": [],
        }

    def merge_event(self, project: Project, merge: Merge, by: str, action: str, more: Mapping[str, Any]) -> Json:
        event = self._event(project, "merge_request", by)
        event["object_attributes"] = self.told_merge(project, merge) | {"action": action, **more}
        before = {"opened": 1, "merged": 1, "closed": 1}[merge.state]
        now = STATE_IDS[merge.state]
        changes = {"state_id": (before, now)} if now != before else {}
        return event | {"labels": [], "changes": self._changed(project, changes)}

    def push_event(
        self, project: Project, ref: str, before: str, after: str, new: list[Commit], count: int, by: str
    ) -> Json:
        kind, user = "tag_push" if ref.startswith("refs/tags/") else "push", self.core.user(by)
        tip = project.history.peel(after)
        return {
            "object_kind": kind,
            "event_name": kind,
            "before": before,
            "after": after,
            "ref": ref,
            "ref_protected": ref.partition("/heads/")[2] in project.protected_branches,
            "checkout_sha": tip.sha if tip else None,
            "message": None,
            "user_id": user.id,
            "user_name": user.name,
            "user_username": user.username,
            "user_email": None,
            "user_avatar": None,
            "project_id": project.id,
            "project": self.told_project(project),
            "repository": self.told_repository(project),
            "commits": [
                {**self.told_commit(project, one), "added": [], "modified": ["src/shop.py"], "removed": []}
                for one in new
            ],
            "total_commits_count": count,
            "push_options": {},
        }

    def release_event(self, project: Project, release: Release, action: str) -> Json:
        commit = project.history.commits.get(release.sha)
        return {
            "object_kind": "release",
            "id": release.id,
            "created_at": told(release.created),
            "released_at": told(release.released),
            "description": release.body,
            "name": release.name,
            "tag": release.tag,
            "action": action,
            "project": self.told_project(project),
            "url": f"{self.web(project)}/-/releases/{release.tag}",
            "assets": {"count": 4, "links": [], "sources": []},
            "commit": self.told_commit(project, commit) if commit else None,
        }

    def deployment_event(self, project: Project, deployment: Deployment) -> Json:
        commit, web = project.history.commits[deployment.sha], self.web(project)
        return {
            "object_kind": "deployment",
            "status": deployment.status,
            "status_changed_at": deployment.updated.strftime("%Y-%m-%d %H:%M:%S %z"),
            "deployment_id": deployment.id,
            "deployable_id": deployment.job,
            "deployable_url": f"{web}/-/jobs/{deployment.job}" if deployment.job else None,
            "environment": deployment.environment.name,
            "environment_tier": deployment.environment.tier,
            "environment_slug": deployment.environment.name.replace("/", "-"),
            "environment_external_url": deployment.environment.url,
            "project": self.told_project(project),
            "short_sha": deployment.sha[:8],
            "user": self.told_person(deployment.by),
            "user_url": f"{self.url}/{deployment.by}",
            "commit_url": self.commit_url(project, deployment.sha),
            "commit_title": commit.subject,
            "ref": deployment.ref,
        }

    def pipeline_event(self, project: Project, deployment: Deployment) -> Json:
        commit = project.history.commits[deployment.sha]
        status = "running" if deployment.status == "created" else deployment.status
        place = {
            "name": deployment.environment.name,
            "action": "start",
            "deployment_tier": deployment.environment.tier,
        }
        job = {"id": deployment.job, "stage": "deploy", "name": "deploy", "status": status, "environment": place}
        return {
            "object_kind": "pipeline",
            "object_attributes": {
                "id": deployment.pipeline,
                "iid": deployment.iid,
                "ref": deployment.ref,
                "tag": deployment.tag,
                "sha": deployment.sha,
                "before_sha": NO_COMMIT,
                "source": "push",
                "status": status,
                "detailed_status": status,
                "stages": ["deploy"],
                "created_at": told(deployment.created),
                "finished_at": told(deployment.finished),
                "url": f"{self.web(project)}/-/pipelines/{deployment.pipeline}",
            },
            "merge_request": None,
            "user": self.told_person(deployment.by),
            "project": self.told_project(project),
            "commit": self.told_commit(project, commit),
            "builds": [job],
        }
