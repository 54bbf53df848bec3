"""The GitLab stand-in's records as the REST API shows them (field names as in "Issues API", "Notes API" and so on)."""

from __future__ import annotations

from integrations.sandbox.gitlab.records import Group, Issue, Label, Merge, Note, Project, StateEvent
from integrations.sandbox.gitlab.shapes_base import Json, iso
from integrations.sandbox.gitlab.shapes_code import CodeShapes

__all__ = ["Json", "Shapes", "iso"]

TIME_STATS = {
    "time_estimate": 0,
    "total_time_spent": 0,
    "human_time_estimate": None,
    "human_total_time_spent": None,
}


class Shapes(CodeShapes):
    def project(self, project: Project, login: str | None) -> Json:
        group = self.core.group(project.group)
        access = "enabled" if project.issues_enabled else "disabled"
        level = project.level(login)
        return {
            "id": project.id,
            "description": None,
            "name": project.name,
            "name_with_namespace": f"{project.group.replace('/', ' / ')} / {project.name}",
            "path": project.name,
            "path_with_namespace": project.path,
            "created_at": iso(project.created),
            "default_branch": project.default_branch,
            "tag_list": [],
            "topics": [],
            "ssh_url_to_repo": f"git@gitlab.example.com:{project.path}.git",
            "http_url_to_repo": f"{self.web(project)}.git",
            "web_url": self.web(project),
            "namespace": self._namespace(group) if group else None,
            "visibility": project.visibility,
            "archived": project.archived,
            "empty_repo": False,
            "last_activity_at": iso(project.updated),
            "updated_at": iso(project.updated),
            "issues_enabled": project.issues_enabled,
            "issues_access_level": access,
            "merge_requests_enabled": True,
            "merge_requests_access_level": "enabled",
            "repository_access_level": "enabled",
            "environments_access_level": "enabled",
            "releases_access_level": "enabled",
            "jobs_enabled": True,
            "shared_runners_enabled": True,
            "creator_id": self.core.user(self.core.owner(project)).id,
            "import_status": "none",
            "open_issues_count": sum(issue.open for issue in project.issues.values()),
            "autoclose_referenced_issues": True,
            "merge_method": project.merge_method,
            "merge_trains_enabled": False,
            "squash_option": "default_off",
            "permissions": {
                "project_access": {"access_level": level, "notification_level": 3} if level else None,
                "group_access": None,
            },
            "_links": {"self": f"{self.api}/projects/{project.id}"},
        }

    def _namespace(self, group: Group) -> Json:
        name = group.path.rpartition("/")[2]
        facts: Json = {"id": group.id, "name": name, "path": name, "kind": "group", "full_path": group.path}
        return facts | {"parent_id": None, "avatar_url": None, "web_url": f"{self.url}/groups/{group.path}"}

    def group(self, group: Group) -> Json:
        name = group.path.rpartition("/")[2]
        parent = self.core.group(group.path.rpartition("/")[0]) if "/" in group.path else None
        return {
            "id": group.id,
            "web_url": f"{self.url}/groups/{group.path}",
            "name": name,
            "path": name,
            "description": "",
            "visibility": group.visibility,
            "full_name": group.path.replace("/", " / "),
            "full_path": group.path,
            "parent_id": parent.id if parent else None,
            "created_at": None,
        }

    def label(self, label: Label) -> Json:
        return {
            "id": label.id,
            "name": label.name,
            "description": label.description,
            "description_html": label.description or "",
            "text_color": "#FFFFFF",
            "color": label.color,
            "archived": False,
            "subscribed": False,
            "priority": None,
            "is_project_label": True,
        }

    def member(self, login: str, level: int) -> Json:
        return {**(self.person(login) or {}), "access_level": level, "expires_at": None, "membership_state": "active"}

    def _references(self, project: Project, thing: Issue | Merge) -> Json:
        short = self.core.reference(project, thing, project)
        return {"short": short, "relative": short, "full": self.core.reference(project, thing, None)}

    def _api_of(self, issue: Issue) -> str | None:
        home = self.core.home(issue)
        return f"{self.api}/projects/{home.id}/issues/{issue.iid}" if home else None

    def issue(self, project: Project, issue: Issue) -> Json:
        api = f"{self.api}/projects/{project.id}/issues/{issue.iid}"
        original = self._api_of(issue.duplicate_of) if issue.duplicate_of else None
        return {
            "id": issue.id,
            "iid": issue.iid,
            "project_id": project.id,
            "title": issue.title,
            "description": issue.body,
            "state": issue.state,
            "created_at": iso(issue.created),
            "updated_at": iso(issue.updated),
            "closed_at": iso(issue.closed_at),
            "closed_by": self.person(issue.closed_by),
            "labels": sorted(label.name for label in issue.labels),
            "milestone": None,
            "assignees": self.people(issue.assignees),
            "author": self.person(issue.by),
            "type": issue.kind.upper(),
            "assignee": self.person(issue.assignees[0]) if issue.assignees else None,
            "user_notes_count": sum(not note.system for note in issue.notes),
            "merge_requests_count": len(issue.mentioned_by),
            "upvotes": 0,
            "downvotes": 0,
            "due_date": issue.due.isoformat() if issue.due else None,
            "confidential": issue.confidential,
            "discussion_locked": issue.locked or None,
            "issue_type": issue.kind,
            "web_url": self.issue_url(project, issue),
            "time_stats": TIME_STATS,
            "task_completion_status": {"count": 0, "completed_count": 0},
            "blocking_issues_count": 0,
            "has_tasks": False,
            "_links": {
                "self": api,
                "notes": f"{api}/notes",
                "award_emoji": f"{api}/award_emoji",
                "project": f"{self.api}/projects/{project.id}",
                "closed_as_duplicate_of": original,
            },
            "references": self._references(project, issue),
            "severity": "UNKNOWN",
            "moved_to_id": issue.moved_to.id if issue.moved_to else None,
            "imported": False,
            "service_desk_reply_to": None,
        }

    def note(self, project: Project, thing: Issue | Merge, note: Note) -> Json:
        return {
            "id": note.id,
            "type": None,
            "body": note.body,
            "author": self.person(note.by),
            "created_at": iso(note.created),
            "updated_at": iso(note.updated),
            "system": note.system,
            "noteable_id": thing.id,
            "noteable_type": "Issue" if isinstance(thing, Issue) else "MergeRequest",
            "project_id": project.id,
            "resolvable": False,
            "confidential": note.internal,
            "internal": note.internal,
            "imported": False,
            "noteable_iid": thing.iid,
            "commands_changes": {},
        }

    def state_event(self, thing: Issue | Merge, event: StateEvent) -> Json:
        return {
            "id": event.id,
            "user": self.person(event.by),
            "created_at": iso(event.at),
            "resource_type": "Issue" if isinstance(thing, Issue) else "MergeRequest",
            "resource_id": thing.id,
            "source_commit": event.commit,
            "source_merge_request_id": event.merge_id,
            "state": event.state,
        }

    def merge(self, project: Project, merge: Merge) -> Json:
        """As lists show it; `sha` is the source branch's head."""
        return {
            "id": merge.id,
            "iid": merge.iid,
            "project_id": project.id,
            "title": merge.title,
            "description": merge.body,
            "state": merge.state,
            "created_at": iso(merge.created),
            "updated_at": iso(merge.updated),
            "merged_by": self.person(merge.merged_by),
            "merge_user": self.person(merge.merged_by),
            "merged_at": iso(merge.merged_at),
            "closed_by": None,
            "closed_at": iso(merge.closed_at),
            "target_branch": merge.target,
            "source_branch": merge.source,
            "user_notes_count": sum(not note.system for note in merge.notes),
            "upvotes": 0,
            "downvotes": 0,
            "author": self.person(merge.by),
            "assignees": [],
            "assignee": None,
            "reviewers": [],
            "source_project_id": project.id,
            "target_project_id": project.id,
            "labels": [],
            "draft": merge.draft,
            "work_in_progress": merge.draft,
            "milestone": None,
            "merge_when_pipeline_succeeds": False,
            "merge_status": "can_be_merged",
            "detailed_merge_status": "mergeable" if merge.state == "opened" else "not_open",
            "sha": merge.head_sha,
            "merge_commit_sha": merge.merge_sha,
            "squash_commit_sha": merge.squash_sha,
            "discussion_locked": None,
            "should_remove_source_branch": None,
            "force_remove_source_branch": None,
            "reference": f"!{merge.iid}",
            "references": self._references(project, merge),
            "web_url": self.merge_url(project, merge),
            "time_stats": TIME_STATS,
            "squash": merge.squash,
            "squash_on_merge": merge.squash,
            "task_completion_status": {"count": 0, "completed_count": 0},
            "has_conflicts": False,
            "blocking_discussions_resolved": True,
        }

    def whole_merge(self, project: Project, merge: Merge) -> Json:
        """As "Get single MR" shows it."""
        refs = {"base_sha": merge.base_sha, "head_sha": merge.head_sha, "start_sha": merge.base_sha}
        more = {"changes_count": str(len(merge.commits)), "diff_refs": refs, "merge_error": None, "pipeline": None}
        return self.merge(project, merge) | more | {"user": {"can_merge": True}, "first_contribution": False}
