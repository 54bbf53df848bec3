"""What the demo page's three panes show, as JSON: read from the stand-ins as a person would see them."""

from __future__ import annotations

import re
from typing import Any

from integrations.sandbox.panes_gitlab import gitlab
from integrations.sandbox.story import BOT, CHANNELS, DEVELOPER, PEOPLE, REPOSITORY, World

Json = dict[str, Any]

_TOLD = {"closed", "reopened", "cross-referenced"}


def state(world: World) -> Json:
    """All that the page needs to draw itself; its `version` is the one that was current before reading."""
    version = world.version
    names = {person.id: person.name for person in PEOPLE} | {BOT.id: BOT.name}
    return {
        "version": version,
        "people": [
            {"id": one.id, "name": one.name, "short": one.short, "title": one.title, "role": one.role, "dm": one.dm}
            for one in PEOPLE
        ],
        "bot": {"id": BOT.id, "name": BOT.name},
        "channels": [{"id": id, "name": name} for id, name in CHANNELS.items()],
        "names": {"users": names, "channels": CHANNELS},
        "story": {"agent": PEOPLE[0].short, "developer": DEVELOPER.short, "ticket": world.first_ticket},
        "dashboard": world.dashboard,
        "chat": chat(world),
        "trackers": [github(world), gitlab(world)],
        "helpdesk": helpdesk(world),
    }


# --- chat -------------------------------------------------------------------------------------------------------------


def chat(world: World) -> Json:
    """Messages by conversation; open modals and what only they see, by person."""
    slack = world.slack
    conversations = [*CHANNELS, *(person.dm for person in PEOPLE)]
    return {
        "messages": {id: slack.messages(id) for id in conversations},
        "ephemerals": {person.id: slack.ephemerals(person.id) for person in PEOPLE},
        "views": {person.id: slack.views(person.id) for person in PEOPLE},
    }


# --- GitHub -----------------------------------------------------------------------------------------------------------


def github(world: World) -> Json:
    """Issues oldest first, releases newest first, and how many merged fixes no release contains yet."""
    hub = world.github
    merged = [pull for pull in hub.pulls(REPOSITORY) if pull["merged_at"]]
    releases = [one for one in hub.releases(REPOSITORY) if not one["draft"]]
    return {
        "key": "github",
        "name": "GitHub",
        "url": hub.url,
        "repository": REPOSITORY,
        "person": DEVELOPER.short,
        "bot": hub.login,
        "issues": [_issue(hub.issue(REPOSITORY, one["number"])) for one in reversed(hub.issues(REPOSITORY))],
        "releases": [
            {"tag": one["tag_name"], "name": one["name"] or "", "at": one["published_at"]} for one in releases
        ],
        "next": next_tag(releases[0]["tag_name"] if releases else ""),
        "merged": len(merged),
        "waiting": len([pull for pull in merged if not _released(world, pull["merge_commit_sha"], releases)]),
    }


def next_tag(tag: str) -> str:
    """The tag a Support Dev would likely give next: the last number of `tag` raised by one."""
    match = re.fullmatch(r"(.*?)(\d+)", tag)
    return f"{match[1]}{int(match[2]) + 1}" if match else "v1.0.0"


def _released(world: World, sha: str, releases: list[Json]) -> bool:
    repo = world.github.find(REPOSITORY)
    if repo is None:
        return False
    with world.github.lock:
        heads = [repo.history.tags[one["tag_name"]] for one in releases if one["tag_name"] in repo.history.tags]
        return any(sha in repo.history.reachable(head) for head in heads)


def _issue(issue: Json) -> Json:
    comments = [
        {"id": one["id"], "author": one["user"]["login"], "text": one["body"], "at": one["created_at"]}
        for one in issue["comments"]
    ]
    return {
        "number": issue["number"],
        "title": issue["title"],
        "body": issue["body"] or "",
        "open": issue["state"] == "open",
        "reason": issue["state_reason"],
        "labels": [label["name"] for label in issue["labels"]],
        "assignees": [user["login"] for user in issue["assignees"]],
        "author": issue["user"]["login"],
        "created_at": issue["created_at"],
        "comments": comments,
        "events": [_event(number, one) for number, one in enumerate(issue["timeline"]) if one["event"] in _TOLD],
    }


def _event(number: int, happening: Json) -> Json:
    """One line of the timeline in words (the tracker's Markdown)."""
    if happening["event"] == "cross-referenced":
        source = happening["source"]["issue"]
        kind = "pull request " if "pull_request" in source else "#"
        text = f"mentioned this in {kind}{source['number']}"
    elif happening["event"] == "reopened":
        text = "reopened this"
    else:
        reason = str(happening.get("state_reason") or "completed").replace("_", " ")
        sha = happening.get("commit_id")
        text = f"closed this as {reason}" + (f" in `{sha[:7]}`" if sha else "")
    return {"id": f"e{number}", "author": happening["actor"]["login"], "event": text, "at": happening["created_at"]}


# --- helpdesk ---------------------------------------------------------------------------------------------------------


def helpdesk(world: World) -> Json:
    return {"url": world.zendesk.url, "tickets": [_ticket(world, one) for one in world.zendesk.tickets()]}


def _ticket(world: World, ticket: Json) -> Json:
    """A ticket as an agent sees it. `answered`: somebody replied to the customer since the world began."""
    turns = ticket["comments"]
    started = world.started.strftime("%Y-%m-%dT%H:%M:%SZ")
    replies = [one for one in turns if one["public"] and one["role"] != "customer"]
    return {
        "number": ticket["number"],
        "subject": ticket["subject"],
        "status": ticket["status"],
        "customer": ticket["customer"],
        "language": ticket["language"],
        "tags": ticket["tags"],
        "answered": any(one["at"] >= started for one in replies),
        "messages": [{**one, "id": number, "text": one["body"]} for number, one in enumerate(turns)],
    }
