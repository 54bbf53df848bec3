"""How a tracker's list of issues is read on from a time, page by page, so that none is missed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from integrations.base import Listed, Listing

T = TypeVar("T")

_PAGES = 10  # in one go, where what they show are hardly issues
_SECOND = timedelta(seconds=1)


def gathered(
    pages: Iterable[tuple[Sequence[T], bool]],
    read: Callable[[T], tuple[datetime, Listed | None]],
    since: datetime | None,
    most: int,
) -> Listing:
    """The issues of `pages`, which begin at `since`, oldest update first, and each tell whether there is another.

    `read` tells when an item was updated, and the issue that it is, if it is one. About `most` issues; the second of
    `since` is always read to its end, or to the end of the pages, for who asks on from `reached` is to get further.
    """
    found: list[Listed] = []
    reached = since
    for count, (items, following) in enumerate(pages, start=1):
        for item in items:
            if len(found) >= most and _further(reached, since):
                return Listing(tuple(found), True, reached)
            at, listed = read(item)
            reached = max(reached or at, at)
            if listed is not None:
                found.append(listed)
        if not following:
            return Listing(tuple(found), False, reached)
        if _further(reached, since) and (len(found) >= most or count >= _PAGES):
            return Listing(tuple(found), True, reached)
    return Listing(tuple(found), True, reached + _SECOND if reached else None)


def _further(reached: datetime | None, since: datetime | None) -> bool:
    """Whether asking on from there asks something else: trackers compare whole seconds."""
    return reached is not None and (since is None or reached.replace(microsecond=0) > since.replace(microsecond=0))
