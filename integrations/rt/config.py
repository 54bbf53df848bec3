"""What the configuration says of a Request Tracker, and which of its tickets an address names. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from integrations import addresses
from integrations.base import TicketStatus

# A custom field's name, as it can stand in a search: `CF.{name}`.
FieldName = Annotated[str, Field(pattern=r"^[^{}'\"\\]{1,200}$")]

_NUMBER = re.compile(r"#?([0-9]{1,18})")
_PATH = re.compile(r"/(?:REST/2\.0/)?(?:ticket|t)/([0-9]{1,18})(?:/history)?/?", re.IGNORECASE)
_PAGE = re.compile(r"/(?:Ticket/[A-Za-z]+\.html|SelfService/Display\.html|m/ticket/[a-z]+)", re.IGNORECASE)
_STATUSES: dict[str, TicketStatus] = {
    "open": "open",
    "new": "open",
    "stalled": "held",
    "resolved": "solved",
    "rejected": "spam",
}


class Config(BaseModel):
    """One Request Tracker, as the configuration names it.

    `statuses` says what each status of its lifecycles means to us; one that is not named is open. The first that is
    held, and the first that is open, are those that a ticket is set to. `plan_field` and the values of `fields` are
    custom fields of tickets or of users, `tag_field` is one of tickets with many values, `mark_field` one of
    transactions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["rt"]
    url: str
    token: SecretStr
    webhook_secret: SecretStr | None = None
    mark_field: FieldName = "Passerelle"
    tag_field: FieldName | None = None
    plan_field: FieldName | None = None
    fields: dict[str, FieldName] = {}
    statuses: dict[str, TicketStatus] = _STATUSES
    pace: float = 0.0

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("must look like https://rt.acme.example, with the path below which it is served, if any")
        path = parts.path.removesuffix("/index.html").removesuffix("/REST/2.0").rstrip("/")
        return f"{parts.scheme}://{parts.netloc}{path}"

    def status(self, theirs: str) -> TicketStatus:
        """What a status of theirs is in our words."""
        return self.statuses.get(theirs, "open")

    def theirs(self, status: TicketStatus) -> str:
        """The status to set for ours; "" where they have none."""
        return next((theirs for theirs, ours in self.statuses.items() if ours == status), "")


def number_in(reference: str, url: str) -> str | None:
    """The ticket number that `123`, `#123` or an address of the Request Tracker at `url` names; else None."""
    reference = addresses.plain(reference)
    found = _NUMBER.fullmatch(reference)
    number = found[1] if found else _in_address(reference, url)
    number = str(int(number))
    return None if number == "0" else number


def _in_address(reference: str, url: str) -> str:
    here, parts = urlsplit(url), addresses.split(reference)
    if parts is None or parts.netloc.lower() not in ("", here.netloc.lower()):
        return "0"
    if not parts.path.startswith(f"{here.path}/"):
        return "0"
    path = parts.path.removeprefix(here.path)
    found = _PATH.fullmatch(path)
    if found:
        return found[1]
    named = parse_qs(parts.query).get("id", [""])[0] if _PAGE.fullmatch(path) else ""
    return named if re.fullmatch(r"[0-9]{1,18}", named) else "0"
