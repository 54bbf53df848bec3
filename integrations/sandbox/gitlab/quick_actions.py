"""Quick actions: lines of a text that GitLab obeys and cuts out ("GitLab quick actions"). Pure."""

from __future__ import annotations

import re

Command = tuple[str, str]  # name without slash, and what follows

NAMES = (
    "approve|assign|assign_reviewer|award|blocked_by|blocks|clear_health_status|clear_weight|clone|close|confidential|"
    "convert_to_ticket|copy_metadata|create_merge_request|done|draft|due|duplicate|epic|estimate|health_status|"
    "iteration|label|labels|link|lock|merge|milestone|move|promote|promote_to|promote_to_incident|publish|react|ready|"
    "reassign|rebase|relabel|relate|remove_contacts|remove_due_date|remove_email|remove_epic|remove_estimate|"
    "remove_iteration|remove_milestone|remove_parent|remove_time_spent|reopen|request_changes|set_parent|severity|"
    "shrug|spend|spend_time|submit_review|subscribe|tableflip|tag|target_branch|timeline|title|todo|type|unassign|"
    "unlabel|unlink|unlock|unsubscribe|weight|zoom"
)
_LINE = re.compile(rf"^/({NAMES})(?:[ \t]+(.*))?[ \t]*$")
_FENCE = re.compile(r"^(`{3,}|~{3,})")


def split(text: str) -> tuple[str, list[Command]]:
    """A text without its quick actions, and these. Lines in code blocks, quotes and lists are left alone."""
    kept: list[str] = []
    commands: list[Command] = []
    fence = ""
    for line in text.split("\n"):
        bar = _FENCE.match(line)
        if bar and (not fence or line.startswith(fence)):
            fence = "" if fence else bar[1]
        found = _LINE.match(line.rstrip("\r")) if not fence else None
        if found:
            commands.append((found[1], (found[2] or "").strip()))
        else:
            kept.append(line)
    return ("\n".join(kept).strip() if commands else text), commands
