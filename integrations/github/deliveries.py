"""GitHub's webhook requests: whether one is authentic, and what it means to us. Pure: no clock, no network."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr

from integrations.base import MARK, BadSignature, CodeTouched, Event, IssueTouched
from integrations.github import wording


def verified(service: str, secret: SecretStr | None, headers: Mapping[str, str], body: bytes) -> str:
    """Check X-Hub-Signature-256 and return X-GitHub-Delivery ("Validating webhook deliveries")."""
    found = _lower(headers)
    if secret is None or not secret.get_secret_value():
        raise BadSignature(service, "no webhook_secret is configured")
    digest = hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
    given = found.get("x-hub-signature-256", "")
    if not hmac.compare_digest(f"sha256={digest}".encode(), given.encode(errors="replace")):
        raise BadSignature(service, "the signature is missing or wrong")
    delivery = found.get("x-github-delivery", "")
    if not delivery:
        raise BadSignature(service, "X-GitHub-Delivery is missing")
    return delivery


def read(headers: Mapping[str, str], body: bytes) -> list[Event]:
    """What a delivery says was touched; [] for what does not concern us, or cannot be read."""
    event = _lower(headers).get("x-github-event", "")
    payload = _payload(body)
    repo = _text(_member(payload, "repository"), "full_name")
    if not re.fullmatch(r"[^/\s]+/[^/\s]+", repo):
        return []
    if event in ("issues", "issue_comment"):
        return _issue(repo, _member(payload, "issue"))
    if event == "pull_request":
        return _pull(repo, _member(payload, "pull_request"))
    resource = _resource(event, payload)
    return [CodeTouched(repo, resource)] if resource else []


def _issue(repo: str, issue: Any) -> list[Event]:
    number = _member(issue, "number")
    if type(number) is not int or number < 1 or _member(issue, "pull_request"):
        return []
    return [IssueTouched(repo, number, tuple(MARK.findall(_text(issue, "body"))))]


def _pull(repo: str, pull: Any) -> list[Event]:
    return named(repo, pull) if _text(pull, "merged_at") else []


def named(repo: str, pull: Any) -> list[Event]:
    """The issues that a merged pull request says it fixes, and the pull requests whose change it brings elsewhere."""
    title, body = _text(pull, "title"), _text(pull, "body")
    places = wording.closing(title, body, repo) + wording.copied(title, body, repo)
    return [IssueTouched(place.repository, place.number) for place in dict.fromkeys(places)]


def _resource(event: str, payload: Any) -> str:
    """What code ships by that this event tells of ("Webhook events and payloads"); "" for none."""
    if event == "release":
        return "releases"
    if event == "deployment_status":
        environment = _text(_member(payload, "deployment"), "environment")
        environment = environment or _text(_member(payload, "deployment_status"), "environment")
        return f"deployments:{environment}" if environment else ""
    if event in ("create", "delete"):
        return "tags" if _member(payload, "ref_type") == "tag" else ""
    if event != "push":
        return ""
    ref, main = _text(payload, "ref"), _text(_member(payload, "repository"), "default_branch")
    if ref.startswith("refs/tags/"):
        return "tags"
    return "branch" if main and ref == f"refs/heads/{main}" else ""


def _payload(body: bytes) -> object:
    """A delivery's JSON, sent plainly or as the form field `payload`; None when it cannot be read."""
    try:
        if body.startswith(b"payload="):
            body = parse_qs(body.decode(), max_num_fields=10)["payload"][0].encode()
        return json.loads(body)
    except (ValueError, KeyError, RecursionError):
        return None


def _member(found: object, key: str) -> Any:
    return found.get(key) if isinstance(found, dict) else None


def _text(found: object, key: str) -> str:
    value = _member(found, key)
    return value if isinstance(value, str) else ""


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in headers.items()}
