"""What RT's scrip posts to us: whether it is authentic, and of which ticket it tells. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from integrations.base import BadSignature, Event
from integrations.http import header, is_fresh, signed
from integrations.rt.answers import touched

SIGNATURE = "x-passerelle-signature"
SIGNED_AT = "x-passerelle-time"


def verify(name: str, secret: str | None, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """An id of the delivery, made of what is signed: hex(HMAC-SHA256(time + "." + body)), at most five minutes old."""
    if secret is None:
        raise BadSignature(name, "no webhook_secret is configured")
    stamp = header(headers, SIGNED_AT)
    if not stamp or not is_fresh(stamp, now):
        raise BadSignature(name, "the signature's time is missing or more than five minutes off")
    message = stamp.encode("utf-8", "replace") + b"." + body
    if not signed(secret, message, header(headers, SIGNATURE)):
        raise BadSignature(name, "the signature does not fit the content")
    return hashlib.sha256(message).hexdigest()


def read(body: bytes) -> list[Event]:
    """The ticket that the scrip names: `{"ticket": 12, "transaction": 345, "type": "Correspond"}`; else []."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return []
    return touched(payload.get("ticket")) if isinstance(payload, dict) else []
