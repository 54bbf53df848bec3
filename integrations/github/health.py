"""What `passerelle check` finds out about a token or a GitHub App, and a repository, with reads alone."""

from __future__ import annotations

from typing import Any

from integrations.base import Finding, NotFound, Rejected, ServiceError, Unauthorised, Unavailable
from integrations.github.answers import path_of
from integrations.github.tokens import UNSUSPEND, AppRefused
from integrations.github.wire import Wire

_NEEDED = {  # what to list → the fine-grained permission that allows it
    "issues": "Issues: read and write",
    "pulls": "Pull requests: read",
    "releases": "Contents: read",
    "deployments": "Deployments: read",
}
_LEVELS = ("read", "write", "admin")
_PERMISSIONS = {  # of an app → what it needs at least, and GitHub's word for it
    "issues": ("write", "Issues: read and write"),
    "pull_requests": ("read", "Pull requests: read"),
    "contents": ("read", "Contents: read"),
    "metadata": ("read", "Metadata: read"),
    "deployments": ("read", "Deployments: read"),
}
_EVENTS = ("issues", "issue_comment", "pull_request", "release", "push", "create", "delete", "repository")


def findings(wire: Wire, repo: str, deployments: bool = False) -> list[Finding]:
    """[] when the bot can work in `repo`; `deployments`: it has to read those, too.

    What only a write would show (Issues: write) is judged by a token's role there, or an app's permissions.
    """
    try:
        found = _app(wire, repo, deployments) if wire.app else _token(wire)
        if found:
            return found
    except Unavailable as error:
        return [_no_answer(wire, error)]
    where = f"projects: {repo}"
    try:
        item = wire.get(path_of(repo), dict)
    except (Unauthorised, NotFound):
        mend = _INVITE if wire.app is None else _INSTALL
        return [Finding(where, "GitHub shows no such repository to us", mend)]
    except Unavailable as error:
        return [_no_answer(wire, error)]
    except ServiceError as error:
        return [Finding(where, error.detail, "Check the url and the repository's name.")]
    if wire.app:  # what it may do is told by its permissions; GitHub shows an app no role
        return _about({**item, "permissions": None}, repo, where)
    wanted = [what for what in _NEEDED if what != "deployments" or deployments]
    if not item.get("has_issues", True):
        wanted.remove("issues")
    return _about(item, repo, where) + _reads(wire, repo, wanted)


_INVITE = "Check its spelling, invite the bot's account to it, and let the token see it."
_INSTALL = "Check its spelling, and that the GitHub App is installed on it."


def _no_answer(wire: Wire, error: ServiceError) -> Finding:
    return Finding(f"trackers.{wire.name}.url", error.detail, "Check the url and the network, then try again.")


def _token(wire: Wire) -> list[Finding]:
    try:
        wire.get("/user", dict)
    except Unauthorised as error:
        mend = "Make a new token on GitHub and put it in the configuration."
        return [Finding(f"trackers.{wire.name}.token", error.detail, mend)]
    except ServiceError as error:
        return [_no_answer(wire, error)]
    return []


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


def _reads(wire: Wire, repo: str, wanted: list[str]) -> list[Finding]:
    found = []
    for what in wanted:
        try:
            wire.get(f"{path_of(repo, what)}?per_page=1", list)
        except (Unauthorised, NotFound, Rejected) as error:
            mend = f"Give the token the permission {_NEEDED[what]} (a classic token: the scope repo)."
            found.append(Finding(f"trackers.{wire.name}.token", f"it may not list {what}: {error.detail}", mend))
        except Unavailable as error:
            found.append(Finding(f"trackers.{wire.name}.url", error.detail, "Try again in a few minutes."))
    return found


# --- as a GitHub App --------------------------------------------------------------------------------------------------


def _app(wire: Wire, repo: str, deployments: bool) -> list[Finding]:
    """What is wrong with the app, its installation, and whether that holds `repo`."""
    section = f"trackers.{wire.name}"
    try:
        held = wire.get(f"/app/installations/{wire.config.installation_id}", dict, as_app=True)
    except AppRefused as refused:
        return [Finding(f"{section}.{refused.key}", refused.detail, refused.mend)]
    except ServiceError as error:
        return [_no_answer(wire, error)]
    if held.get("suspended_at"):
        return [Finding(f"{section}.installation_id", "the app's installation is suspended", UNSUSPEND)]
    found = _permissions(held, section, deployments)
    if wire.config.webhook_secret is not None:
        found += _events(held, section)
    return found + _installed(wire, repo, str(held.get("html_url", "")))


def _permissions(held: dict[str, Any], section: str, deployments: bool) -> list[Finding]:
    given = held.get("permissions") or {}
    lacking = [
        words
        for name, (level, words) in _PERMISSIONS.items()
        if (deployments or name != "deployments") and given.get(name) not in _LEVELS[_LEVELS.index(level) :]
    ]
    if not lacking:
        return []
    mend = "Set it in the app's settings, Permissions & events; then accept it where the app is installed"
    mend = f"{mend}: {held['html_url']}." if held.get("html_url") else f"{mend}."
    return [Finding(f"{section}.app_id", f"the GitHub App lacks the permission {words}", mend) for words in lacking]


def _events(held: dict[str, Any], section: str) -> list[Finding]:
    wanted = [*_EVENTS, *(["deployment_status"] if "deployments" in (held.get("permissions") or {}) else [])]
    lacking = [event for event in wanted if event not in (held.get("events") or ())]
    if not lacking:
        return []
    problem = f"the GitHub App's webhook does not tell of: {', '.join(lacking)}"
    mend = "Tick them in the app's settings, Permissions & events; until then polling finds the same, later."
    return [Finding(f"{section}.app_id", problem, mend)]


def _installed(wire: Wire, repo: str, page: str) -> list[Finding]:
    """Also of a public repository, which anybody can read, and nobody but those installed can write to."""
    try:
        there = wire.get(path_of(repo, "installation"), lambda found: int(found["id"]), as_app=True)
    except NotFound:
        there = 0
    except ServiceError as error:
        return [_no_answer(wire, error)]
    if there == wire.config.installation_id:
        return []
    if there:
        problem = f"the repository belongs to another installation of the app, {there}"
        return [Finding(f"projects: {repo}", problem, "Name that one, or add a second tracker for it.")]
    mend = f"Check its spelling, and add it at {page}, under Repository access." if page else _INSTALL
    return [Finding(f"projects: {repo}", "the GitHub App is not installed on this repository", mend)]
