"""Which stored issues a typed query may mean, best first. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

MOST = 100  # Slack takes no more options (Slack, "external_select")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored issue that a ticket could be attached to."""

    id: str
    number: str  # "" until it is filed
    title: str
    open: bool
    updated_at: datetime


def rank(typed: str, candidates: Sequence[Candidate], now: datetime) -> list[Candidate]:
    """At most 100 candidates for what was typed so far, best first; the newest open ones when nothing was.

    An issue's exact number ("12", "#12") comes first. Then words shared with the title, the rare ones weighing more;
    the last word may be unfinished. For the same words, open goes before closed and new before old.
    """
    if not typed.strip():
        return sorted((c for c in candidates if c.open), key=lambda c: c.updated_at, reverse=True)[:MOST]
    words = _words(typed)
    unfinished = words[-1] if words and typed[-1:].isalnum() else None
    titles = [frozenset(_words(candidate.title)) for candidate in candidates]
    common = Counter(word for title in titles for word in title)
    number = re.fullmatch(r"\s*#?0*([1-9][0-9]*)\s*", typed)
    exact = number[1] if number else None

    scored = []
    for candidate, title in zip(candidates, titles, strict=True):
        overlap = sum(_weight(word, title, common, len(candidates), word == unfinished) for word in set(words))
        if candidate.number == exact or overlap:
            age = max(0.0, (now - candidate.updated_at).total_seconds() / 86400)
            favour = 1 + 0.3 * candidate.open + 0.2 * 0.5 ** (age / 30)
            scored.append(
                (candidate.number == exact, overlap * favour, candidate.open, candidate.updated_at, candidate)
            )
    scored.sort(key=lambda row: row[:4], reverse=True)
    return [row[4] for row in scored[:MOST]]


def _weight(word: str, title: frozenset[str], common: Counter[str], total: int, unfinished: bool) -> float:
    """What one typed word is worth for a title: more the fewer titles have it, half for an unfinished word."""
    if word in title:
        return math.log(1 + total / common[word])
    if unfinished and (meant := [known for known in title if known.startswith(word)]):
        return max(math.log(1 + total / common[known]) for known in meant) / 2
    return 0.0


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[^\W_]+", "".join(char for char in decomposed if not unicodedata.combining(char)))
