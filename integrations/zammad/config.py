"""What the configuration says of a Zammad, and which of its tickets an address names. Pure."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from integrations import addresses

_NUMBER = re.compile(r"(?:\[?Ticket)?#?([0-9]{1,18})\]?", re.IGNORECASE)
_ADDRESS = re.compile(  # of the path and, behind its "#", of the page
    r"/(?:index\.html)?#ticket/zoom/([0-9]{1,18})(?:/[0-9]*|/nav/[a-z]+)?/?"
    r"|/(?:desktop|mobile)/tickets?/([0-9]{1,18})(?:/[^#]*)?(?:#.*)?|/api/v1/tickets/([0-9]{1,18})/?"
)
_BY_NUMBER = re.compile(r"/(?:index\.html)?#ticket/zoom/number/([0-9]{1,18})/?")
_ID = "id-"  # before the id that stands in addresses, which is not the number that people know


class Config(BaseModel):
    """One Zammad, as the configuration names it.

    `plan_field` and the values of `fields` are names of attributes of the ticket, the customer or the organisation, as
    Manage, Objects has them. A ticket that waits gets the state `hold_status` (None: it keeps its own); where that
    is a pending one, with a reminder after `hold_days`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["zammad"]
    url: str
    token: SecretStr
    webhook_secret: SecretStr | None = None
    plan_field: str | None = None
    fields: dict[str, str] = {}
    hold_status: str | None = "pending reminder"
    hold_days: int = Field(14, ge=1, le=365)
    pace: float = 0.0

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        return addresses.origin(url, "https://support.acme.example")


def number_in(reference: str, url: str) -> str | None:
    """The number that `4211`, `#4211`, `Ticket#4211` names, or an address at `url`; "id-" and the id where that holds
    one instead; else None."""
    reference, before = addresses.plain(reference), ""
    found = _NUMBER.fullmatch(reference)
    if found is None:
        parts = addresses.split(reference)
        if parts is None or parts.netloc.lower() != urlsplit(url).netloc.lower():
            return None
        place = f"{parts.path or '/'}#{parts.fragment}" if parts.fragment else parts.path
        found = _BY_NUMBER.fullmatch(place)
        if found is None:
            found, before = _ADDRESS.fullmatch(place), _ID
    number = next(filter(None, found.groups()), "0") if found else "0"
    return f"{before}{number}" if int(number) else None


def id_in(number: str) -> int:
    """The id that `number_in` read from an address; 0 where it is a number, or nothing."""
    found = number.removeprefix(_ID)
    return int(found) if found != number and found.isascii() and found.isdigit() and len(found) < 19 else 0
