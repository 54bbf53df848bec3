"""User groups, by their methods' pages in Slack's reference."""

from __future__ import annotations

from integrations.sandbox.slack.workspace import Json, SlackError, Workspace


def listed(workspace: Workspace, args: Json) -> Json:
    """usergroups.list"""
    hidden = set() if args.get("include_users") in (True, 1, "1", "true", "True") else {"users"}
    groups = workspace.usergroups.values()
    return {"usergroups": [{key: value for key, value in group.items() if key not in hidden} for group in groups]}


def users(workspace: Workspace, args: Json) -> Json:
    """usergroups.users.list"""
    return {"users": _group(workspace, args)["users"]}


def update(workspace: Workspace, args: Json) -> Json:
    """usergroups.users.update: these members, at least one, in place of those before."""
    group = _group(workspace, args)
    given = [user for user in str(args.get("users") or "").split(",") if user]
    if not given:
        raise SlackError("no_users_provided")
    if any(user not in workspace.people or workspace.people[user]["deleted"] for user in given):
        raise SlackError("invalid_users")
    if group["id"] in workspace.locked_groups:
        raise SlackError("permission_denied")
    group |= {"users": given, "user_count": len(given)}
    return {"usergroup": group}


def _group(workspace: Workspace, args: Json) -> Json:
    group = workspace.usergroups.get(str(args.get("usergroup") or ""))
    if group is None:
        raise SlackError("no_such_subteam")
    return group
