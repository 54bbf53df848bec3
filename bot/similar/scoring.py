"""How likely an issue is what a ticket speaks of: BM25 of its title, its text and the tickets on it, then time. Pure.

The numbers were found with `benchmarks/similar.py` on the halves of its sets that are there for that. The usual lengths
are fixed, so that what a text weighs never depends on the others, and adding one touches no other row.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from bot.similar.terms import terms

ASKED = 30  # terms of a query that are looked up
READ = 2  # rows that are read, for each issue that there is
LEAST = 2000  # rows that are read in any case
COVER = 0.6  # what an issue gains that has all that is asked, beside how much it has of it
CROWD = 0.4  # what each further ticket takes from the weight of all: many say everything once
BEND = 4.0  # BM25's k1: the weight at which a term counts half of what it can

_TITLE, _TITLE_LENGTH, _TITLE_PULL = 5.0, 5, 0.6  # weight, the usual number of terms, how much length takes away
_TEXT, _TEXT_LENGTH, _TEXT_PULL = 1.0, 40, 0.9
_TICKET, _TICKET_LENGTH, _TICKET_PULL, _TICKET_TITLE = 0.7, 55, 0.7, 3
_ASKED_TITLE, _ASKED_TEXT, _ASKED_BEND = 6.0, 3, 5.0  # of a text, no more than three mentions count


@dataclass(frozen=True, slots=True)
class Times:
    """When something happened to an issue."""

    touched: datetime  # the latest of: created, closed, a ticket came
    closed: datetime | None  # None while it is open


def issue_weights(title: str, text: str) -> dict[str, float]:
    """How much each term is of an issue's title and text, by which the index finds it."""
    head, body = terms(title), terms(text)
    short = _TITLE / _stretch(head.total(), _TITLE_LENGTH, _TITLE_PULL)
    long = _TEXT / _stretch(body.total(), _TEXT_LENGTH, _TEXT_PULL)
    return {term: round(short * head[term] + long * body[term], 4) for term in head | body}


def ticket_weights(title: str, text: str) -> dict[str, float]:
    """How much each term is of a ticket that is on an issue: its title as the agent gave it, and its words."""
    found = Counter({term: _TICKET_TITLE * count for term, count in terms(title).items()}) + terms(text)
    each = _TICKET / _stretch(found.total(), _TICKET_LENGTH, _TICKET_PULL)
    return {term: round(each * count, 4) for term, count in found.items()}


def asked(title: str, text: str) -> dict[str, float]:
    """How much each term is asked for by what somebody is about to flag; a title says more than a text."""
    head, body = terms(title), terms(text)
    weights = {term: _ASKED_TITLE * head[term] + min(body[term], _ASKED_TEXT) for term in head | body}
    return {term: weight / (weight + _ASKED_BEND) for term, weight in weights.items()}


def telling(wanted: Mapping[str, float], known: Mapping[str, int], total: int) -> dict[str, float]:
    """The terms to look up, at most 30, and what each can count: those that few of the `total` issues have.

    `known`: how many issues have a term. Those that none has are left out, and the least telling, once reading them all
    would take too long.
    """
    counts = {term: min(known[term], total) for term in wanted if known.get(term)}
    worth = {term: wanted[term] * math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in counts.items()}
    first = sorted(worth, key=lambda term: (-worth[term], term))[:ASKED]
    rows = accumulate(counts[term] for term in first)
    return {term: worth[term] for term, read in zip(first, rows, strict=True) if read <= max(READ * total, LEAST)}


def favour(times: Times, now: datetime) -> float:
    """What likeness is multiplied with: more for an issue touched in the last days, less for one long closed."""
    fresh = 1 + 0.5 / (1 + _days(now - times.touched) / 7)
    if times.closed is None:
        return fresh
    long_closed = 1 - math.exp2(-_days(now - times.closed) / 120)
    return fresh * (1 - 0.6 * long_closed)


def _stretch(length: int, usual: int, pull: float) -> float:
    """How much more text there is than usual; less than a quarter of that does not make its words weightier still."""
    return 1 - pull + pull * max(length / usual, 0.25)


def _days(span: timedelta) -> float:
    return max(0.0, span.total_seconds() / 86400)
