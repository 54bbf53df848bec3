"""The day that somebody means: "2026-12-24", "thursday", "jeudi", "tomorrow". Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

from babel import Locale

_NAMES = {
    name.casefold(): number
    for language in ("en", "fr")
    for form in ("wide", "abbreviated")
    for number, raw in Locale(language).days["format"][form].items()
    for name in (raw, raw.rstrip("."))
}
_TOMORROW = frozenset({"tomorrow", "demain"})


def day_in(text: str, today: date) -> date | None:
    """The day that the text's first words name: an ISO date, tomorrow, or a weekday, which is the next such day after
    today. None when they name none."""
    found = re.match(r"\s*(\d{4}-\d{2}-\d{2})(?!\d)", text)
    if found:
        try:
            return date.fromisoformat(found[1])
        except ValueError:
            return None
    if any(char.isdigit() for char in text):  # "Thursday 24": it may be another one
        return None
    for word in re.findall(r"[^\W\d_]+", text.casefold())[:4]:
        if word in _TOMORROW:
            return today + timedelta(days=1)
        if word in _NAMES:
            return today + timedelta(days=(_NAMES[word] - today.weekday() - 1) % 7 + 1)
    return None
