"""Each kind of digest, from the store to the message: one edition for one reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.bridge.core import Bridge
from bot.configuration import Digest
from bot.slack import summary, views
from bot.slack.people import People
from bot.texts import Say

LATE = timedelta(minutes=15)
"""From when on a digest says that it should have been there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One digest for one reader at one moment."""

    bridge: Bridge
    people: People
    digest: Digest
    say: Say  # the reader's language, and the times of the digest's zone
    person: str = ""  # who gets it; "": a channel
    team: frozenset[str] | None = None  # of the agents whose tickets count; None: everybody's
    since: datetime  # when the last one was
    now: datetime
    due: datetime | None = None  # when it should have been there; None: it was asked for
    first: bool = False  # there was none before


Maker = Callable[[Session, Edition], views.Post | None]
"""What an edition says; None: nothing that is worth a message."""


def _unresolved(session: Session, of: Edition) -> views.Post | None:
    return views.digest(of.say, summary.digest(session, of.people, of.since, of.now))


MAKERS: Mapping[str, Maker] = {
    "unresolved": _unresolved,
    # causes: _causes, which gives causes.causes(session, of.people, of.digest, of.since, of.now) to its view
}
"""By what a digest is about. What is not here is not posted."""
