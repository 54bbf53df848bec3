"""A project's webhook that calls us: whether it is there and well, mending it, and asking again for what it lost.

All of it needs the role Maintainer ("Project webhooks API"). A hook of a group calls us as well and is not seen here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.base import NotFound, Rejected, Unauthorised, Unavailable
from integrations.gitlab.answers import Json, path_of, when
from integrations.gitlab.config import Config
from integrations.gitlab.wire import Wire

EVENTS = {  # what a hook has to tell of → GitLab's word for it in the settings
    "issues_events": "Issues events",
    "confidential_issues_events": "Confidential issues events",
    "note_events": "Comments",
    "confidential_note_events": "Confidential comments",
    "merge_requests_events": "Merge request events",
    "push_events": "Push events",
    "tag_push_events": "Tag push events",
    "releases_events": "Releases events",
    "deployment_events": "Deployment events",
}
REFUSED = (NotFound, Unauthorised, Rejected)  # our token may not look after hooks, or the server is too old
_RESENT_MAX = 5  # a minute, of one hook ("Resend a project webhook event")
_TRIES_MAX = 5  # an address that never answers is not asked for ever
_PAGES = 5
_DATES = ("updated_at", "merged_at", "created_at")


def listed(wire: Wire, repo: str) -> list[dict[str, Any]]:
    return list(wire.pages(path_of(repo, "hooks"), limit=3))


def calls(hook: Json, address: str) -> bool:
    return str(hook.get("url", "")).rstrip("/") == address.rstrip("/")


def silent_on(hook: Json) -> list[str]:
    """The events that the hook does not tell of, in the words of GitLab's settings."""
    return [words for event, words in EVENTS.items() if event in hook and not hook[event]]


def is_off(hook: Json) -> bool:
    """GitLab stops a hook that keeps failing ("Auto-disabled webhooks"): `temporarily_disabled`, or `disabled`."""
    return str(hook.get("alert_status") or "executable") != "executable"


# --- mending ----------------------------------------------------------------------------------------------------------


def mend(wire: Wire, repo: str, address: str) -> str:
    """Add the hook for `address`, or complete it and send it a test, which switches a stopped one on again.

    Raises Unauthorised where our token is no Maintainer's.
    """
    hook = next((found for found in listed(wire, repo) if calls(found, address)), None)
    wanted: dict[str, Any] = {"url": address, **dict.fromkeys(EVENTS, True), "push_events_branch_filter": ""}
    if hook is None:
        wire.write("POST", path_of(repo, "hooks"), wanted | _secrets(wire.config), dict)
        return "the webhook was added"
    done = []
    if silent_on(hook):
        wire.write("PUT", path_of(repo, "hooks", hook["id"]), wanted, dict)
        done.append("it tells of everything now")
    if is_off(hook):
        wire.ask("POST", path_of(repo, "hooks", hook["id"], "test", "push_events"), None, {})
        done.append("it was sent a test, which switches it on again")
    return f"the webhook is there; {', '.join(done) or 'it needs nothing'}"


def _secrets(config: Config) -> dict[str, str]:
    given = {"token": config.webhook_secret, "signing_token": config.signing_secret}
    return {key: secret.get_secret_value() for key, secret in given.items() if secret}


# --- what got lost ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One entry of "Get a list of project webhook events"; `delivery` stays the same when it is sent again."""

    id: int
    delivery: str
    arrived: bool
    at: datetime | None  # of what it tells of; the entry itself has no date

    @classmethod
    def of(cls, item: Json) -> _Attempt:
        headers = {str(key).lower(): str(value) for key, value in (item.get("request_headers") or {}).items()}
        delivery = headers.get("idempotency-key") or headers.get("x-gitlab-event-uuid") or str(item["id"])
        status = str(item.get("response_status") or "")
        return cls(int(item["id"]), delivery, status.isdigit() and 200 <= int(status) < 300, _date(item))


def redeliver(wire: Wire, repo: str, address: str, since: datetime) -> int:
    """Ask again for the deliveries to `address` of which every attempt failed, at most 5; how many.

    GitLab keeps them for 7 days and dates them by what they tell of. 0 where our token may not, or the server is older
    than 17.4.
    """
    try:
        found = [hook for hook in listed(wire, repo) if calls(hook, address)]
        lost = [
            path_of(repo, "hooks", hook["id"], "events", each)
            for hook in found
            for each in _lost(wire, repo, hook, since)
        ]
    except REFUSED:
        return 0
    asked = 0
    for event in lost[:_RESENT_MAX]:
        try:
            wire.ask("POST", f"{event}/resend", None, {})
            asked += 1
        except REFUSED:  # 422: nobody answered this time either
            continue
        except Unavailable as pause:  # past the limit of this one address, which holds nothing else up
            if pause.maybe_done and not asked:
                raise
            break
    return asked


def _lost(wire: Wire, repo: str, hook: Json, since: datetime) -> list[int]:
    """One attempt of each delivery that never arrived, oldest first."""
    items = list(wire.pages(path_of(repo, "hooks", hook["id"], "events"), limit=_PAGES))
    attempts = wire.translated(lambda found: [_Attempt.of(item) for item in found], items)
    by_delivery: dict[str, list[_Attempt]] = {}
    for attempt in sorted(attempts, key=lambda each: each.id):
        by_delivery.setdefault(attempt.delivery, []).append(attempt)
    return [
        tries[-1].id
        for tries in by_delivery.values()
        if len(tries) < _TRIES_MAX and not any(each.arrived for each in tries) and _is_new(tries[-1], since)
    ]


def _is_new(attempt: _Attempt, since: datetime) -> bool:
    return attempt.at is None or attempt.at >= since


def _date(item: Json) -> datetime | None:
    """When what it tells of happened, where that is told in a form that can be read."""
    data = item.get("request_data")
    told = (data.get("object_attributes") or data) if isinstance(data, dict) else {}
    texts = [str(told[key]).replace(" UTC", "+00:00") for key in _DATES if isinstance(told, dict) and told.get(key)]
    for text in texts:
        try:
            at = when(text)
        except ValueError:
            continue
        if at is not None and at.tzinfo:
            return at
    return None
