"""Plots as inline SVG: their geometry here, their marks in templates/parts.html. What they show stands beside them in
words, too. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROW = 100.0
"""How long the longest bar of a row is; the page stretches it."""

COLUMN, GAP, HEIGHT = 38, 6, 64
"""Of a histogram: how wide a bar is with the room beside it, that room, and how high the highest bar is."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str
    n: int


def rows(several: Sequence[Sequence[int]]) -> list[list[Bar]]:
    """For each row its bars, one after the other, all rows to one scale."""
    longest = max((sum(row) for row in several), default=0) or 1
    made = []
    for row in several:
        bars, x = list[Bar](), 0.0
        for n in row:
            width = n / longest * ROW
            bars.append(Bar(round(x, 2), 0, round(width, 2), 10, "", n))
            x += width
        made.append(bars)
    return made


def histogram(counts: Sequence[tuple[str, int]]) -> list[Bar]:
    """Upright bars over their labels; what is there at all can be seen."""
    highest = max((n for _, n in counts), default=0) or 1
    bars = []
    for place, (label, n) in enumerate(counts):
        height = round(max(2.0, n / highest * HEIGHT) if n else 0.0, 1)
        bars.append(Bar(place * COLUMN, HEIGHT - height, COLUMN - GAP, height, label, n))
    return bars
