"""What the demo page shows of GitLab, as JSON: read from the stand-in as the Support Dev would see it."""

from __future__ import annotations

import re
from typing import Any

from integrations.sandbox.gitlab.records import Deployment, Project
from integrations.sandbox.story import DEVELOPER, ENVIRONMENT, PROJECT, World

Json = dict[str, Any]

NOT_PLANNED = "not planned"
"""The label that says why an issue was closed, as GitLab keeps no reason."""


def gitlab(world: World) -> Json:
    """Issues oldest first, deployments newest first, and how many merged fixes do not run on the environment."""
    hub = world.gitlab
    merges = {one["id"]: one["iid"] for one in hub.merges(PROJECT)}
    with hub.lock:
        project = _project(world)
        ran = _succeeded(project)
        merged = [one for one in project.merges.values() if one.state == "merged"]
        running = project.history.reachable(ran[-1].sha) if ran else set()
        waiting = [one for one in merged if one.landed[-1] not in running]
        back = earlier(project)
        deployments = [_deployment(project, one, before) for one, before in zip(ran, [None, *ran], strict=False)]
    return {
        "key": "gitlab",
        "name": "GitLab",
        "url": hub.url,
        "repository": PROJECT,
        "person": DEVELOPER.short,
        "bot": hub.login,
        "issues": [_issue(hub.issue(PROJECT, one["iid"]), merges) for one in reversed(hub.issues(PROJECT))],
        "environment": ENVIRONMENT,
        "deployments": deployments[::-1],
        "back": back.sha[:8] if back else "",
        "merged": len(merged),
        "waiting": len(waiting),
    }


def earlier(project: Project) -> Deployment | None:
    """What a roll-back brings: the last that ran of a commit before the one that runs now; None where there is none."""
    ran = _succeeded(project)
    if not ran:
        return None
    before = project.history.reachable(ran[-1].sha) - {ran[-1].sha}
    return next((one for one in reversed(ran) if one.sha in before), None)


def _project(world: World) -> Project:
    project = world.gitlab.find(PROJECT)
    if project is None:
        raise LookupError(f"no project {PROJECT}")
    return project


def _succeeded(project: Project) -> list[Deployment]:
    """Oldest first."""
    there = project.deployments
    return [one for one in there if one.environment.name == ENVIRONMENT and one.status == "success"]


def _deployment(project: Project, one: Deployment, before: Deployment | None) -> Json:
    """`back`: it brought a commit that is older than the one that ran before it."""
    older = project.history.reachable(before.sha) - {before.sha} if before else set()
    at = one.finished.isoformat() if one.finished else None
    return {"id": one.id, "sha": one.sha[:8], "at": at, "back": one.sha in older}


def _issue(issue: Json, merges: dict[int, int]) -> Json:
    """`merges`: iids of merge requests by their ids."""
    said = [note for note in issue["notes"] if not note["system"]]
    comments = [
        {
            "id": one["id"],
            "author": one["author"]["username"],
            "text": one["body"],
            "at": one["created_at"],
            "internal": one["internal"],
        }
        for one in said
    ]
    told = [_line(one["id"], one["author"], one["body"], one["created_at"]) for one in issue["notes"] if one["system"]]
    told += [_line(one["id"], one["user"], _ended(one, merges), one["created_at"]) for one in issue["state_events"]]
    closed = issue["state"] == "closed"
    return {
        "number": issue["iid"],
        "title": issue["title"],
        "body": issue["description"] or "",
        "open": not closed,
        "reason": ("not_planned" if NOT_PLANNED in issue["labels"] else "closed") if closed else None,
        "confidential": issue["confidential"],
        "labels": issue["labels"],
        "assignees": [user["username"] for user in issue["assignees"]],
        "author": issue["author"]["username"],
        "created_at": issue["created_at"],
        "comments": comments,
        "events": told,
    }


def _line(number: int, author: Json, text: str, at: str) -> Json:
    """One line of the activity in words (the tracker's Markdown)."""
    return {
        "id": f"e{number}",
        "author": author["username"],
        "event": re.sub(r"\b([0-9a-f]{40})\b", _short, text),
        "at": at,
    }


def _short(match: re.Match[str]) -> str:
    return f"`{match[1][:8]}`"


def _ended(event: Json, merges: dict[int, int]) -> str:
    """A state event in words."""
    text = f"{event['state']} this"
    if merge := merges.get(event["source_merge_request_id"]):
        return f"{text} with merge request !{merge}"
    return f"{text} with {event['source_commit']}" if event["source_commit"] else text
