"""Each kind of digest, from the store to the message: one edition for one reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from bot.slack import causes, summary
from bot.slack.summary import Edition
from bot.slack.views import Post, causes as pages, digest, morning

__all__ = ["MAKERS", "Edition", "Maker", "without_chart"]

Maker = Callable[[Session, Edition], Post | None]
"""What an edition says; None: nothing that is worth a message."""


def _unresolved(session: Session, of: Edition) -> Post | None:
    return digest.digest(of.say, summary.digest(session, of))


def _queue(session: Session, of: Edition) -> Post | None:
    """Not when there is nothing to do and nothing changed since somebody was told so."""
    data = summary.queue(session, of)
    if not (data.open or any(data.gone.values()) or of.first):
        return None
    return morning.queue(of.say, data)


def _causes(session: Session, of: Edition) -> Post | None:
    return pages.causes(of.say, causes.causes(session, of))


MAKERS: Mapping[str, Maker] = {
    "unresolved": _unresolved,
    "queue": _queue,
    "causes": _causes,
}
"""By what a digest is about. What is not here is not posted."""


def without_chart(post: Post) -> Post:
    """The same where Slack does not take charts; what they show stands in words too."""
    return Post(post.text, [block for block in post.blocks if block["type"] != "data_visualization"])
