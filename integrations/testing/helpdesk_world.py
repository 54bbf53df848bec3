"""What the contract suite of helpdesks needs of the other side: a customer, an agent, and the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from integrations.base import Helpdesk, TicketStatus

DeskTrouble = Literal["refused", "failed", "failed after", "dropped", "dropped after", "limited"]


class Said(NamedTuple):
    """One message as the helpdesk keeps it."""

    author: str
    public: bool
    text: str


class HelpdeskWorld(Protocol):
    """The people's side of a helpdesk that holds no ticket yet. Ana (ana@acme.example) is an agent in it.

    Where the helpdesk tells times to the second, each thing that people do is to happen a second after the last.
    """

    def open_ticket(
        self, subject: str, body: str, *, html: bool = False, language: str = "", tags: Sequence[str] = ()
    ) -> str:
        """A mail of Zoé Martin (zoe@customer.example, of Globex, plan gold) becomes a ticket; returns its number."""
        ...

    def customer_writes(self, number: str, text: str) -> None: ...

    def agent_writes(self, number: str, text: str, public: bool) -> None:
        """Ana writes, by hand."""
        ...

    def imitate(self, number: str, key: str) -> None:
        """The customer does all that a customer can to make a message of theirs look as if it carried `key`."""
        ...

    def close(self, number: str) -> None:
        """The ticket takes no more messages, where the helpdesk knows such; else it is as closed as it can be."""
        ...

    def set_status(self, number: str, status: TicketStatus) -> None:
        """An agent sets it by hand; one that the helpdesk does not know is not asked for."""
        ...

    def status(self, number: str) -> TicketStatus: ...

    def assign(self, number: str, email: str) -> None:
        """The agent of that address takes the ticket."""
        ...

    def merge(self, number: str, into: str) -> None:
        """An agent merges the ticket into another."""
        ...

    def attach(self, number: str, name: str, content: bytes) -> None:
        """The customer sends a message with a file, an image."""
        ...

    def delete(self, number: str) -> None: ...

    def said(self, number: str) -> list[Said]:
        """All messages of a ticket, oldest first."""
        ...

    def received(self, number: str) -> list[str]:
        """What reached the customer."""
        ...

    def tags(self, number: str) -> list[str]: ...

    def addresses(self, number: str) -> list[str]:
        """Each form of a ticket's address that a person may paste."""
        ...

    def trouble(self, kind: DeskTrouble) -> None:
        """What happens to the next write, once: `after` means that the work is done first; limited: for 7 seconds."""
        ...

    def trouble_reading(self, times: int) -> None:
        """The next so many reads end in a dropped line."""
        ...

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Each request is answered so from now on, and nothing is done; see `Wire.answer`."""
        ...

    def spoil(self, how: Callable[[Any], Any] | None) -> None:
        """Each JSON that is answered is what `how` makes of it, until told otherwise; see `Wire.spoil`."""
        ...

    def writes(self) -> int:
        """How many writes have reached the wire, whatever became of them."""
        ...

    def with_wrong_token(self) -> Helpdesk: ...

    def without_secret(self) -> Helpdesk: ...

    def unreachable(self) -> Helpdesk:
        """An adapter whose address nobody listens on."""
        ...

    def delivery(self, number: str, at: datetime) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook request about a ticket, as the service sends and signs it at `at`; with an id
        of its own, where the service gives it one."""
        ...
