"""Zendesk's webhook requests: whether one is authentic, and which ticket it names. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from integrations.base import BadSignature, Event, TicketTouched
from integrations.http import header, is_fresh, signed, within

SIGNATURE = "x-zendesk-webhook-signature"
SIGNED_AT = "x-zendesk-webhook-signature-timestamp"
INVOCATION = "x-zendesk-webhook-invocation-id"


def verified(name: str, secret: SecretStr | None, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The invocation's id, or BadSignature: base64(HMAC-SHA256(timestamp + body)), at most five minutes old."""
    if secret is None:
        raise BadSignature(name, "no webhook_secret is configured")
    stamp = header(headers, SIGNED_AT)
    if not stamp or not is_fresh(stamp, now):
        raise BadSignature(name, "the signature's time is missing or more than five minutes off")
    message = stamp.encode("utf-8", "replace") + body
    if not signed(secret.get_secret_value(), message, header(headers, SIGNATURE), "base64"):
        raise BadSignature(name, "the signature does not fit the content")
    return header(headers, INVOCATION) or hashlib.sha256(message).hexdigest()


def events(body: bytes) -> list[Event]:
    """The ticket that an event webhook (`zen:event-type:ticket.…`) or a trigger's own JSON names; else []."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return []
    if not isinstance(payload, dict):
        return []
    if str(payload.get("type", "")).startswith("zen:event-type:ticket."):
        return _touched(within(payload, "detail").get("id"))
    return _touched(within(payload, "ticket").get("id")) or _touched(payload.get("ticket_id"))


def _touched(number: Any) -> list[Event]:
    if isinstance(number, bool) or not isinstance(number, int | str):
        return []
    return [TicketTouched(str(number))] if re.fullmatch(r"[1-9][0-9]{0,17}", str(number)) else []
