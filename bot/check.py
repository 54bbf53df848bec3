"""`passerelle check`: asks every service whether the bot can do there what it must, with reads alone.

A service that is down, or refuses, is a finding; never an exception.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPException
from importlib.resources import files
from typing import Any

import yaml
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot import shipping
from bot.configuration import Project
from bot.model import UserError
from bot.settings import Settings
from integrations.base import Finding, Helpdesk, MendsHooks, ServiceError, Tracker

_APPS = "https://api.slack.com/apps"


def check(
    settings: Settings,
    trackers: Mapping[str, Tracker],
    helpdesks: Mapping[str, Helpdesk],
    database: Callable[[], list[Finding]] = list,
    offline: bool = False,
) -> list[Finding]:
    """What keeps the bot from working, each finding once; `offline` asks nobody, since `settings` have been read.

    `trackers` and `helpdesks` are by their configured names; `database` tells of the database and its schema.
    """
    if offline:
        return []
    found = [*database(), *_slack(settings)]
    for index, project in enumerate(settings.config.projects):
        found += _project(f"projects[{index}]", project, trackers[project.tracker])
    for name, helpdesk in helpdesks.items():
        found += _asked(f"helpdesks.{name}", helpdesk.check)
    return list(dict.fromkeys(found))


def render(findings: Sequence[Finding]) -> str:
    """The findings as a person reads them in a terminal."""
    if not findings:
        return "All is well: nothing to mend."
    count = "1 thing" if len(findings) == 1 else f"{len(findings)} things"
    return "\n".join([*(f"{each.where}: {each.problem}\n  → {each.mend}" for each in findings), f"{count} to mend."])


def as_json(findings: Sequence[Finding]) -> str:
    """The findings as a script reads them: `{"ok": bool, "findings": [{"where", "problem", "mend"}]}`."""
    told = [{"where": each.where, "problem": each.problem, "mend": each.mend} for each in findings]
    return json.dumps({"ok": not findings, "findings": told}, ensure_ascii=False, indent=2)


def mend_hooks(settings: Settings, trackers: Mapping[str, Tracker]) -> list[str]:
    """Add, complete or switch on again the webhook of each project whose tracker can; a line on each.

    UserError without `web.public_url`, the address that they have to call.
    """
    if settings.config.web is None:
        raise UserError("Webhooks call Passerelle at web.public_url: write it into the configuration first.")
    lines = []
    for project in settings.config.projects:
        tracker = trackers[project.tracker]
        if not isinstance(tracker, MendsHooks):
            lines.append(f"{project.repository}: {project.tracker} is not one where webhooks can be added from here.")
            continue
        address = f"{settings.config.web.public_url.rstrip('/')}/webhooks/{project.tracker}"
        try:
            lines.append(f"{project.repository}: {tracker.mend_hook(project.repository, address)}.")
        except ServiceError as error:
            lines.append(f"{project.repository}: the webhook was not touched, {error.detail or 'no usable answer'}.")
    return lines


# --- trackers and helpdesks -------------------------------------------------------------------------------------------


def _asked(where: str, ask: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return ask()
    except ServiceError as error:
        problem = error.detail or "gave no usable answer"
        return [Finding(where, problem, "Check its address and token; if both are right, try again in a few minutes.")]


def _project(where: str, project: Project, tracker: Tracker) -> list[Finding]:
    found = _asked(
        f"trackers.{project.tracker}", lambda: tracker.check(project.repository, shipping.resources(project))
    )
    if found:
        return found
    found = _asked(f"trackers.{project.tracker}", lambda: _environments(where, project, tracker))
    if project.privacy != "link_only":
        found += _asked(f"trackers.{project.tracker}", lambda: _privacy(where, project, tracker))
    return found


def _environments(where: str, project: Project, tracker: Tracker) -> list[Finding]:
    """Whether what runs on a project's environments can be read; one that never had a deployment may be misspelt."""
    found = []
    for name in project.environment:
        if tracker.deployed(project.repository, name) is None:
            mend = "Check its spelling against the tracker's deployments; if it is new, this ends with its first one."
            found.append(Finding(f"{where}.environment", f"nothing was ever deployed to `{name}`", mend))
    return found


def _privacy(where: str, project: Project, tracker: Tracker) -> list[Finding]:
    if not tracker.repository(project.repository).public:
        return []
    problem = f"{project.repository} is public, so it is treated as link_only, whatever stands here"
    return [Finding(f"{where}.privacy", problem, "Write privacy: link_only, or make the repository private.")]


# --- Slack ------------------------------------------------------------------------------------------------------------


def needed_scopes() -> tuple[str, ...]:
    """The bot scopes that the app's manifest asks for."""
    manifest = yaml.safe_load((files("config") / "slack-manifest.yaml").read_text(encoding="utf-8"))
    return tuple(manifest["oauth_config"]["scopes"]["bot"])


_NO_ANSWER = (SlackClientError, OSError, HTTPException)
_TOKEN = {
    "invalid_auth": "Slack does not know this token",
    "not_authed": "Slack does not know this token",
    "account_inactive": "the app was removed from the workspace, or its bot was deactivated",
    "token_revoked": "the token was revoked",
    "token_expired": "the token has expired",
    "not_allowed_token_type": "this is another kind of token",
    "missing_scope": "the token may not open connections",
}


def _slack(settings: Settings) -> list[Finding]:
    environment = settings.environment
    found: list[Finding] = []
    try:
        bot = _client(settings, environment.slack_bot_token.get_secret_value())
        try:
            found += _scopes(bot.auth_test().headers, settings)
        except SlackApiError as error:
            found.append(_token("SLACK_BOT_TOKEN", error, f"Install the app again at {_APPS} and copy its bot token."))
        else:
            found += [*_channels(settings, bot), *_people(settings, bot), *_groups(settings, bot)]
        if environment.slack_app_token:
            found += _app_token(settings, environment.slack_app_token.get_secret_value())
    except _NO_ANSWER as error:
        code = _code(error) if isinstance(error, SlackApiError) else ""
        problem = f"Slack did not answer as expected ({code or getattr(error, 'reason', None) or type(error).__name__})"
        mend = "Check that this machine reaches the address, then try again in a few minutes."
        found.append(Finding("SLACK_API_URL", problem, mend))
    return found


def _client(settings: Settings, token: str) -> WebClient:
    timeout = math.ceil(settings.config.timing.timeout)
    return WebClient(token, base_url=settings.environment.slack_api_url, timeout=timeout, retry_handlers=[])


def _code(error: SlackApiError) -> str:
    return str(error.response.get("error") or "")


def _token(where: str, error: SlackApiError, mend: str) -> Finding:
    problem = _TOKEN.get(_code(error))
    if problem is None:
        raise error
    return Finding(where, problem, mend)


def _app_token(settings: Settings, token: str) -> list[Finding]:
    try:
        _client(settings, token).apps_connections_open(app_token=token)
    except SlackApiError as error:
        mend = f"At {_APPS}, Basic Information, make an app-level token with connections:write."
        return [_token("SLACK_APP_TOKEN", error, mend)]
    return []


def _scopes(headers: Mapping[str, str], settings: Settings) -> list[Finding]:
    granted = {name.lower(): value for name, value in headers.items()}.get("x-oauth-scopes")
    if granted is None:
        return []
    held = {scope.strip() for scope in granted.split(",")}
    spared = set() if _duty_groups(settings) else {"usergroups:write"}
    missing = [scope for scope in needed_scopes() if scope not in held | spared]
    if not missing:
        return []
    mend = f"Paste config/slack-manifest.yaml as the app's manifest at {_APPS}, then install the app again."
    return [Finding("SLACK_BOT_TOKEN", f"lacks the scope{'s' * (len(missing) > 1)} {', '.join(missing)}", mend)]


def _look(call: Callable[[], Any], *absent: str) -> dict[str, Any] | None:
    """What Slack says; None for an error code among `absent`, {} without the scope to ask, which is told once."""
    try:
        return dict(call().data)
    except SlackApiError as error:
        if _code(error) == "missing_scope":
            return {}
        if _code(error) in absent:
            return None
        raise


def _channels(settings: Settings, bot: WebClient) -> Iterator[Finding]:
    config = settings.config
    posted = {"slack.channel": config.slack.channel}
    posted |= {f"projects[{i}].channel": each.channel for i, each in enumerate(config.projects) if each.channel}
    posted |= {f"digests[{i}].channel": each.channel for i, each in enumerate(config.digests) if each.channel}
    asked = {f"slack.agents[{i}]": each for i, each in enumerate(config.slack.agents or ()) if each[0] in "CG"}
    posted |= dict([*asked.items()][:1])  # where it is asked who writes to the customers of somebody who is away
    for where, channel in (posted | asked).items():
        answer = _look(lambda channel=channel: bot.conversations_info(channel=channel), "channel_not_found")  # type: ignore[misc]
        if answer is None:
            mend = "Check its id; if it is a private channel, write /invite @Passerelle in it."
            yield Finding(where, f"Slack shows no channel {channel} to the bot", mend)
        elif answer.get("channel", {}).get("is_archived"):
            yield Finding(where, f"the channel {channel} is archived", "Unarchive it, or name another channel.")
        elif where in posted and not answer.get("channel", {}).get("is_member", True):
            yield Finding(where, f"the bot is not in the channel {channel}", "Write /invite @Passerelle in it.")


def _people(settings: Settings, bot: WebClient) -> Iterator[Finding]:
    config = settings.config
    named = [
        *((f"slack.leads[{i}]", each) for i, each in enumerate(config.slack.leads)),
        *((f"slack.agents[{i}]", each) for i, each in enumerate(config.slack.agents or ()) if each[0] in "UW"),
    ]
    for i, project in enumerate(config.projects):
        named += [(f"projects[{i}].support_devs[{j}].slack", each.slack) for j, each in enumerate(project.support_devs)]
        team = project.duty.team if project.duty else ()
        named += [(f"projects[{i}].duty.team[{j}]", each) for j, each in enumerate(team)]
    for where, person in named:
        answer = _look(lambda person=person: bot.users_info(user=person), "user_not_found", "user_not_visible")  # type: ignore[misc]
        user = (answer or {}).get("user", {})
        if answer is None:
            yield Finding(where, f"Slack knows no member {person}", "Copy the id from the person's profile in Slack.")
        elif user.get("deleted"):
            yield Finding(where, f"{person} has left the workspace", "Name somebody else.")
        elif user.get("is_bot"):
            yield Finding(where, f"{person} is an app, not a person", "Name a person.")


def _duty_groups(settings: Settings) -> list[tuple[str, str]]:
    """The user groups that hold whoever is on duty, and where they are named."""
    kept = [(f"projects[{i}].duty.group", each.duty) for i, each in enumerate(settings.config.projects)]
    return [(where, duty.group) for where, duty in kept if duty and duty.group]


def _groups(settings: Settings, bot: WebClient) -> Iterator[Finding]:
    agents = [(f"slack.agents[{i}]", each) for i, each in enumerate(settings.config.slack.agents or ())]
    named = [*((where, each) for where, each in agents if each.startswith("S")), *_duty_groups(settings)]
    answer = _look(bot.usergroups_list) if named else {}
    if not answer:
        return
    known = {group["id"] for group in answer["usergroups"]}
    for where, group in named:
        if group not in known:
            mend = "Copy its id from Slack (People, User groups), and see that it is not disabled."
            yield Finding(where, f"Slack knows no user group {group}", mend)
