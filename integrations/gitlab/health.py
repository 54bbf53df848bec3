"""What `passerelle check` finds out about a token, a project and its webhook, with reads alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from integrations.base import Finding, NotFound, Rejected, ServiceError, Unauthorised, Unavailable
from integrations.gitlab import answers, hooks, shipments
from integrations.gitlab.answers import path_of
from integrations.gitlab.wire import Wire

_DAYS_LEFT = 14  # before a token ends, its operator hears it
_REPORTER = 20  # "Roles and permissions": labels, confidential issues, internal notes, private code
_LISTS = {"issues": "Issues", "merge_requests": "Merge requests", "releases": "Releases", "deployments": "Environments"}


def findings(wire: Wire, repo: str, resources: Sequence[str]) -> list[Finding]:
    """[] when the bot can work in `repo`, and see what ships by `resources`."""
    try:
        found, works = _token(wire)
        if not works:
            return found
        item = wire.get(path_of(repo), dict)
    except Unavailable as error:
        return [_no_answer(wire, error)]
    except (NotFound, Unauthorised):
        mend = "Check its full path, and give the token's account the role Reporter there."
        return [*found, Finding(f"projects: {repo}", "GitLab shows no such project to us", mend)]
    except ServiceError as error:
        return [Finding(f"projects: {repo}", error.detail, "Check the url and the project's full path.")]
    kinds = {resource.partition(":")[0] for resource in resources}
    wanted = [what for what in _LISTS if what in kinds or what in ("issues", "merge_requests")]
    if not answers.has_issues(item):
        wanted.remove("issues")
    about = _about(item, repo, f"projects: {repo}") + _reads(wire, repo, wanted)
    return found + (about or _environments(wire, repo, resources)) + _hooks(wire, repo)


def _no_answer(wire: Wire, error: ServiceError) -> Finding:
    return Finding(f"trackers.{wire.name}.url", error.detail, "Check the url and the network, then try again.")


# --- the token --------------------------------------------------------------------------------------------------------


def _token(wire: Wire) -> tuple[list[Finding], bool]:
    """(what is wrong with it, whether it works at all)."""
    where = f"trackers.{wire.name}.token"
    try:
        wire.get("/user", dict)
    except (Unauthorised, Rejected, NotFound) as error:
        mend = "Make a new token with the scope api and put it in the configuration."
        return [Finding(where, error.detail, mend)], False
    try:
        told = wire.get("/personal_access_tokens/self", dict)
    except (NotFound, Unauthorised, Rejected):  # another kind of token, or a server that does not tell
        return [], True
    found = []
    scopes = told.get("scopes")
    if isinstance(scopes, list) and "api" not in scopes:
        mend = "Make one with the scope api: read_api reads alone."
        found.append(Finding(where, f"the token lacks the scope api; it has {', '.join(map(str, scopes))}", mend))
    return found + _ending(wire, told, where), True


def _ending(wire: Wire, told: dict[str, Any], where: str) -> list[Finding]:
    try:
        last = date.fromisoformat(str(told.get("expires_at") or ""))
    except ValueError:  # it never ends, where the server allows that
        return []
    left = (last - wire.now().date()).days
    if left > _DAYS_LEFT:
        return []
    days = "today" if left <= 0 else "tomorrow" if left == 1 else f"in {left} days"
    mend = "Rotate it in GitLab's settings, Access tokens, and put the new one in the configuration."
    return [Finding(where, f"the token ends {days}, on {last.isoformat()}", mend)]


# --- the project ------------------------------------------------------------------------------------------------------


def _about(item: dict[str, Any], repo: str, where: str) -> list[Finding]:
    found = []
    name = str(item.get("path_with_namespace", repo))
    if name.casefold() != repo.casefold():
        found.append(Finding(where, f"the project is now called {name}", f"Write repository: {name}."))
    if not answers.has_issues(item):
        mend = "Switch on Issues in the project's settings, under General, Visibility."
        found.append(Finding(where, "issues are switched off there", mend))
    if item.get("archived"):
        found.append(Finding(where, "the project is archived", "Unarchive it, or name another project."))
    role = _role(item)
    if role is not None and role < _REPORTER:
        problem = "the token's role there is below Reporter: no labels, no confidential issues, no internal notes"
        found.append(Finding(where, problem, "Give the token's account the role Reporter in the project."))
    return found


def _role(item: dict[str, Any]) -> int | None:
    """The higher of the roles in the project and its groups; None where GitLab tells none (an administrator's)."""
    told = item.get("permissions")
    if not isinstance(told, dict):
        return None
    levels = [int(access["access_level"]) for access in told.values() if access and access.get("access_level")]
    return max(levels, default=None)


def _reads(wire: Wire, repo: str, wanted: list[str]) -> list[Finding]:
    found = []
    for what in wanted:
        words = _LISTS[what]
        try:
            wire.get(path_of(repo, what), list, {"per_page": 1})
        except (Unauthorised, NotFound, Rejected) as error:
            mend = f"Give the token's account the role Reporter, and look at {words} in the project's settings."
            found.append(Finding(f"projects: {repo}", f"we may not list {words.lower()}: {error.detail}", mend))
        except Unavailable as error:
            found.append(Finding(f"trackers.{wire.name}.url", error.detail, "Try again in a few minutes."))
    return found


def _environments(wire: Wire, repo: str, resources: Sequence[str]) -> list[Finding]:
    """Of those that code ships to: one that nobody knows is misspelt, or was never deployed to."""
    wanted = [name for kind, _, name in (resource.partition(":") for resource in resources) if kind == "deployments"]
    found = []
    for name in wanted:
        try:
            if shipments.is_known(wire, repo, name):
                continue
        except ServiceError as error:
            return [_no_answer(wire, error)]
        mend = "Write it as it stands under Operate, Environments, or wait for its first deployment."
        found.append(Finding(f"projects: {repo}", f"no environment there is called {name} or is of that tier", mend))
    return found


# --- the webhook ------------------------------------------------------------------------------------------------------


def _hooks(wire: Wire, repo: str) -> list[Finding]:
    """Of the hooks whose address ends as ours does; nothing where we may not see any, or expect none."""
    if wire.config.webhook_secret is None and wire.config.signing_secret is None:
        return []
    try:
        found = hooks.listed(wire, repo)
    except (*hooks.REFUSED, Unavailable):  # below Maintainer: polling finds the same, later
        return []
    where = f"projects: {repo}"
    ours = [hook for hook in found if str(hook.get("url", "")).rstrip("/").endswith(f"/webhooks/{wire.name}")]
    if not ours:
        mend = (
            "Run `passerelle check --mend`, which adds one, or add it yourself for "
            f"<public_url>/webhooks/{wire.name}; leave it if a group's webhook calls Passerelle."
        )
        return [Finding(where, "no webhook of the project calls Passerelle", mend, hook=True)]
    return [finding for hook in ours for finding in _hook(hook, where)]


def _hook(hook: dict[str, Any], where: str) -> list[Finding]:
    found = []
    if hooks.is_off(hook):
        problem = f"GitLab has stopped the webhook, as it kept failing ({hook['alert_status']})"
        mend = "See that Passerelle answers at its address, then run `passerelle check --mend`, which sends it a test."
        found.append(Finding(where, problem, mend, hook=True))
    silent = hooks.silent_on(hook)
    if silent:
        mend = "Run `passerelle check --mend`, or tick them in the project's settings, Webhooks."
        found.append(Finding(where, f"the webhook does not tell of: {', '.join(silent)}", mend, hook=True))
    return found
