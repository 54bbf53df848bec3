"""What the configuration says of a Zendesk account, and which of its tickets an address names. Pure."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

_NUMBER = re.compile(r"#?([0-9]{1,18})")
_PATH = re.compile(
    r"(?:/agent)?/tickets/([0-9]{1,18})/?|/hc/(?:[a-z-]{2,8}/)?requests/([0-9]{1,18})/?"
    r"|/api/v2/(?:tickets|requests)/([0-9]{1,18})(?:\.json)?/?",
    re.IGNORECASE,
)
_SLACK_LINK = re.compile(r"<([^|>]+)(?:\|[^>]*)?>")


class Config(BaseModel):
    """One Zendesk account, as the configuration names it.

    `plan_field` and the values of `fields` are keys of an organization or user field, or ids of a ticket field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["zendesk"]
    url: str
    email: str
    token: SecretStr
    webhook_secret: SecretStr | None = None
    plan_field: str | None = None
    fields: dict[str, str] = {}
    pace: float = 0.0

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("must look like https://acme.zendesk.com")
        return f"{parts.scheme}://{parts.netloc}"


def number_in(reference: str, url: str) -> str | None:
    """The ticket number that `4211`, `#4211` or an address of the account at `url` names; else None."""
    reference = reference.strip()
    link = _SLACK_LINK.fullmatch(reference)
    reference = link[1] if link else reference
    found = _NUMBER.fullmatch(reference)
    if found is None:
        try:
            parts = urlsplit(reference)
        except ValueError:
            return None
        if parts.netloc.lower() not in ("", urlsplit(url).netloc.lower()) or parts.scheme not in ("", "http", "https"):
            return None
        found = _PATH.fullmatch(parts.path)
    number = str(int(next(filter(None, found.groups())))) if found else "0"
    return None if number == "0" else number
