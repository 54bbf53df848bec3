"""What the configuration says of an Intercom workspace, and which conversation an address names. Pure."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from integrations import addresses

_API = re.compile(r"api(\.[a-z]{2})?\.intercom\.io")  # the regions: none for the United States, eu, au
_PATH = re.compile(r"/a/(?:inbox|apps)/[\w-]{1,40}/(?:[\w-]{1,80}/){0,8}conversations?/([0-9]{1,18})/?", re.IGNORECASE)


class Config(BaseModel):
    """One Intercom workspace, as the configuration names it.

    `plan_field` and the values of `fields` are names of an attribute of the company, the contact or the conversation;
    "plan" is also the company's own plan. `hold_days` is for how many days a held conversation is snoozed at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["intercom"]
    url: str = "https://api.intercom.io"
    token: SecretStr
    webhook_secret: SecretStr | None = None
    plan_field: str | None = None
    fields: dict[str, str] = {}
    hold_days: int = Field(default=90, ge=1, le=365)
    pace: float = 0.0

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        return addresses.origin(url, like="https://api.intercom.io, or https://api.eu.intercom.io")


def inbox(url: str) -> str:
    """Where people work, of the region whose API stands at `url`."""
    region = _API.fullmatch(urlsplit(url).netloc.lower())
    return f"https://app{region[1] or ''}.intercom.com" if region else url


def number_in(reference: str, url: str) -> str | None:
    """The conversation that `4211`, `#4211` or an address of the Inbox names; else None."""
    return addresses.number_in(reference, urlsplit(inbox(url)).netloc, _PATH)
