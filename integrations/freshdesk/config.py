"""What the configuration says of a Freshdesk account, and which of its tickets an address names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from integrations import addresses

_PATH = re.compile(
    r"(?:/a|/helpdesk|(?:/[a-z]{2}(?:-[a-z]{2,4})?)?/support|/api/v2)/tickets/(?:archived/)?([0-9]{1,18})(?:/[a-z]+)?/?",
    re.IGNORECASE,
)


class Config(BaseModel):
    """One Freshdesk account, as the configuration names it.

    `hosts` are those of its portals, where customers read their tickets. `plan_field` and the values of `fields` are
    keys of a custom field of the company, the contact or the ticket; `hold_status` is the number of the status of a
    ticket that waits for a developer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["freshdesk"]
    url: str
    hosts: addresses.Hosts = ()
    token: SecretStr
    webhook_secret: SecretStr | None = None
    plan_field: str | None = None
    fields: dict[str, str] = {}
    hold_status: int | None = Field(default=7, ge=3)
    pace: float = 0.0

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        return addresses.origin(url, like="https://acme.freshdesk.com")

    @field_validator("hold_status")
    @classmethod
    def _not_an_end(cls, status: int | None) -> int | None:
        if status in (4, 5):
            raise ValueError("must not be the number of Resolved or Closed")
        return status


def number_in(reference: str, url: str, hosts: Iterable[str]) -> str | None:
    """The ticket number that `4211`, `#4211` or an address of the account at `url` or `hosts` names; else None."""
    return addresses.number_in(reference, urlsplit(url).netloc, _PATH, hosts)
