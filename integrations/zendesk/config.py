"""What the configuration says of a Zendesk account, and which of its tickets an address names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from integrations import addresses

_PATH = re.compile(
    r"(?:/agent)?/tickets/([0-9]{1,18})(?:/[\w/-]{0,80})?|(?:/hc(?:/[a-z0-9-]{2,12})?)?/requests/([0-9]{1,18})/?"
    r"|/api/v2/(?:tickets|requests)/([0-9]{1,18})(?:\.json)?/?",
    re.IGNORECASE,
)


class Config(BaseModel):
    """One Zendesk account, as the configuration names it.

    `plan_field` and the values of `fields` are keys of an organization or user field, or ids of a ticket field. `hosts`
    are those of its brands and its own domain, where customers see their requests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["zendesk"]
    url: str
    hosts: addresses.Hosts = ()
    email: str
    token: SecretStr
    webhook_secret: SecretStr | None = None
    plan_field: str | None = None
    fields: dict[str, str] = {}
    pace: float = 0.0

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        return addresses.origin(url, like="https://acme.zendesk.com")


def number_in(reference: str, url: str, hosts: Iterable[str]) -> str | None:
    """The ticket number that `4211`, `#4211` or an address of the account at `url` or `hosts` names; else None."""
    return addresses.number_in(reference, urlsplit(url).netloc, _PATH, hosts)
