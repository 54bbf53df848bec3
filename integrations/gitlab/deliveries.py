"""GitLab's webhook requests: whether one is authentic, and what it means to us. Pure: no clock, no network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.base import MARK, BadSignature, CodeTouched, Event, IssueTouched
from integrations.gitlab import wording
from integrations.gitlab.config import Config, signing_key

_TOLERANCE = 300.0  # seconds a signature holds ("Standard Webhooks")


def verified(service: str, config: Config, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Check `webhook-signature` and `X-Gitlab-Token`, and return the delivery's id ("Webhooks").

    What the request brings and we have the secret for must be right, and it must bring one of the two.
    """
    if not config.webhook_secret and not config.signing_secret:
        raise BadSignature(service, "neither webhook_secret nor signing_secret is configured")
    found = {key.lower(): value for key, value in headers.items()}
    token = config.webhook_secret.get_secret_value() if config.webhook_secret else ""
    signed = config.signing_secret is not None and "webhook-signature" in found
    checks = []
    if config.signing_secret and signed:
        checks.append(_is_signed(signing_key(config.signing_secret), found, body, now))
    if token and "x-gitlab-token" in found:
        checks.append(hmac.compare_digest(token.encode(), found["x-gitlab-token"].encode(errors="replace")))
    if not checks or not all(checks):
        raise BadSignature(service, "the signature or token is missing, wrong or too old")
    names = (
        ("webhook-id",) if signed else ("idempotency-key", "webhook-id", "x-gitlab-event-uuid")
    )  # one that is signed
    delivery = next((found[name] for name in names if found.get(name)), "")
    if not delivery:
        raise BadSignature(service, "the delivery has no id")
    return delivery


def _is_signed(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """`v1,<base64 HMAC-SHA256 of id.time.body>`, one of several ("Standard Webhooks")."""
    stamp, delivery = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if not delivery or not re.fullmatch(r"\d{1,12}", stamp) or abs(now.timestamp() - int(stamp)) > _TOLERANCE:
        return False
    told = f"{delivery}.{stamp}.".encode(errors="replace") + body
    right = b"v1," + base64.b64encode(hmac.new(key, told, hashlib.sha256).digest())
    given = [each.encode(errors="replace") for each in headers["webhook-signature"].split()]
    return any(hmac.compare_digest(right, each) for each in given)


def read(body: bytes) -> list[Event]:
    """What a delivery says was touched; [] for what does not concern us, or cannot be read ("Webhook events")."""
    payload = _payload(body)
    kind, repo = _text(payload, "object_kind"), _text(_member(payload, "project"), "path_with_namespace")
    if not re.fullmatch(r"[^/\s]+(?:/[^/\s]+)+", repo):
        return []
    if kind in ("issue", "work_item"):
        return _issue(repo, _member(payload, "object_attributes"))
    if kind == "note":
        return _issue(repo, _member(payload, "issue"))
    if kind == "merge_request":
        change = _member(payload, "object_attributes")
        return named(repo, change) if _text(change, "state") == "merged" else []
    return [CodeTouched(repo, resource) for resource in _resources(kind, payload)]


def _issue(repo: str, issue: Any) -> list[Event]:
    number = _member(issue, "iid")
    if type(number) is not int or number < 1:
        return []
    return [IssueTouched(repo, number, tuple(MARK.findall(_text(issue, "description"))))]


def named(repo: str, change: Any) -> list[Event]:
    """The issues that a merged merge request says it fixes, and the merge requests whose change it brings elsewhere."""
    title, body = _text(change, "title"), _text(change, "description")
    fixed = [IssueTouched(place.repository, place.number) for place in wording.closing(title, body, repo)]
    brought = [IssueTouched(place.repository, place.number, pull=True) for place in wording.copied(title, body, repo)]
    return list(dict.fromkeys([*fixed, *brought]))


def _resources(kind: str, payload: Any) -> list[str]:
    """What code ships by that this event tells of. Pipelines and jobs ship nothing: deployments do."""
    if kind == "release":
        return ["releases"]
    if kind == "tag_push":
        return ["tags"]
    if kind == "deployment":
        names = (_text(payload, "environment"), _text(payload, "environment_tier"))
        return [f"deployments:{name}" for name in dict.fromkeys(names) if name]
    main = _text(_member(payload, "project"), "default_branch")
    return ["branch"] if kind == "push" and main and _text(payload, "ref") == f"refs/heads/{main}" else []


def _payload(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _member(found: object, key: str) -> Any:
    return found.get(key) if isinstance(found, dict) else None


def _text(found: object, key: str) -> str:
    value = _member(found, key)
    return value if isinstance(value, str) else ""
