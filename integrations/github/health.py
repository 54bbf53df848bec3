"""What `passerelle check` finds out about a token and a repository, with reads alone."""

from __future__ import annotations

from typing import Any

from integrations.base import Finding, NotFound, Rejected, ServiceError, Unauthorised, Unavailable
from integrations.github.answers import path_of
from integrations.github.wire import Wire

_NEEDED = {  # what to list → the fine-grained permission that allows it
    "issues": "Issues: read and write",
    "pulls": "Pull requests: read",
    "releases": "Contents: read",
}


def findings(wire: Wire, repo: str) -> list[Finding]:
    """[] when the bot can work in `repo`. What only a write would show (Issues: write) is judged by our role there."""
    token, where = f"trackers.{wire.name}.token", f"projects: {repo}"
    try:
        wire.get("/user", dict)
    except Unauthorised as error:
        return [Finding(token, error.detail, "Make a new token on GitHub and put it in the configuration.")]
    except ServiceError as error:
        return [Finding(f"trackers.{wire.name}.url", error.detail, "Check the url and the network, then try again.")]
    try:
        item = wire.get(path_of(repo), dict)
    except (Unauthorised, NotFound):
        return [Finding(where, "GitHub shows no such repository to this token", _INVITE)]
    except Unavailable as error:
        return [Finding(f"trackers.{wire.name}.url", error.detail, "Check the url and the network, then try again.")]
    except ServiceError as error:
        return [Finding(where, error.detail, "Check the url and the repository's name.")]
    return _about(item, repo, where) + _reads(wire, repo, token, bool(item.get("has_issues", True)))


_INVITE = "Check its spelling, invite the bot's account to it, and let the token see it."


def _about(item: dict[str, Any], repo: str, where: str) -> list[Finding]:
    found = []
    name = str(item.get("full_name", repo))
    if name.casefold() != repo.casefold():
        found.append(Finding(where, f"the repository is now called {name}", f"Write repository: {name}."))
    if not item.get("has_issues", True):
        mend = "Switch on Issues in the repository's settings, under Features."
        found.append(Finding(where, "issues are switched off there", mend))
    if item.get("archived"):
        found.append(Finding(where, "the repository is archived", "Unarchive it, or name another repository."))
    role = item.get("permissions")
    if isinstance(role, dict) and not any(role.get(name) for name in ("triage", "push", "maintain", "admin")):
        mend = "Give the bot's account the role Triage or Write in the repository."
        found.append(Finding(where, "the bot's account may only read there: no labels, no assignees", mend))
    return found


def _reads(wire: Wire, repo: str, token: str, issues: bool) -> list[Finding]:
    found = []
    for what, permission in _NEEDED.items():
        if what == "issues" and not issues:
            continue
        try:
            wire.get(f"{path_of(repo, what)}?per_page=1", list)
        except (Unauthorised, NotFound, Rejected) as error:
            mend = f"Give the token the permission {permission} (a classic token: the scope repo)."
            found.append(Finding(token, f"it may not list {what}: {error.detail}", mend))
        except Unavailable as error:
            found.append(Finding(f"trackers.{wire.name}.url", error.detail, "Try again in a few minutes."))
    return found
