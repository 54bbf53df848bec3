"""Every sentence a person reads: gettext with named placeholders, and dates, durations and languages in their words."""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal

DOMAIN = "passerelle"

_SLOT = re.compile(r"\{(\w+)\}")


class Say:
    """Speaks to one person: in the language of `locale` where a catalogue exists (else English), in the zone `tz`.

    `locale` is BCP 47 or POSIX ("fr-FR", "fr_FR"), `tz` an IANA name; unknown ones mean "en" and "UTC". Messages are
    whole sentences, literal in the code (babel.cfg extracts them). Values are put in as they are, never parsed again.
    """

    def __init__(self, locale: str = "en", tz: str = "UTC") -> None:
        self._locale, self._catalogue = _catalogue(locale)
        self._zone = zone(tz)

    @property
    def english(self) -> bool:
        """Whether the sentences stay as they are in the code."""
        return self._locale.language == "en"

    def __call__(self, message: str, /, **names: object) -> str:
        """The sentence in the person's language, with its {placeholders} filled."""
        return _fill(self._catalogue.gettext(message), names)

    def repeat(self, message: str, names: Mapping[str, object]) -> str:
        """A sentence that was literal where it was made, and was kept until now."""
        return _fill(self._catalogue.gettext(message), dict(names)) if message else ""

    def many(self, one: str, many: str, n: int, /, **names: object) -> str:
        """The sentence in the form that the number `n` asks for; {n} is that number."""
        return _fill(self._catalogue.ngettext(one, many, n), {"n": self.number(n), **names})

    def pieces(self, message: str, /, **names: Any) -> list[Any]:
        """The sentence in order as its strings and, in place of each {placeholder}, the very object given for it."""
        parts = _SLOT.split(self._catalogue.gettext(message))
        pieces = [names.get(part, "{" + part + "}") if odd % 2 else part for odd, part in enumerate(parts)]
        return [piece for piece in pieces if piece != ""]

    def number(self, n: int) -> str:
        """A number as the language groups its digits: "10,000"."""
        return format_decimal(n, locale=self._locale)

    def listed(self, items: Sequence[str], *, either: bool = False) -> str:
        """Several things in one breath: "a, b and c"; with `either`, "a, b or c"."""
        return format_list(list(items), "or" if either else "standard", locale=self._locale) if items else ""

    def ago(self, delta: timedelta) -> str:
        """A duration in its largest unit: "3 days". Nothing shorter than a minute is told apart."""
        return format_timedelta(max(delta, timedelta(minutes=1)), granularity="minute", locale=self._locale)

    def on(self, at: datetime) -> str:
        """A moment as date and time in the person's own zone. `at` is timezone-aware."""
        say, there = self, at.astimezone(self._zone)
        day, time = format_date(there, locale=self._locale), format_time(there, "short", locale=self._locale)
        return say("{day}, {time}", day=day, time=time)

    def day(self, day: date) -> str:
        """A day with its weekday: "Thursday, December 24, 2026"."""
        return format_date(day, "full", locale=self._locale)

    def short_day(self, day: date) -> str:
        """A day with its weekday, shortly: "Thu, Dec 24"."""
        return format_skeleton("MMMEd", day, locale=self._locale)

    def short_date(self, day: date) -> str:
        """A day without its year: "Dec 24"."""
        return format_skeleton("MMMd", day, locale=self._locale)

    def clock(self, at: datetime) -> str:
        """The time of day in the person's own zone. `at` is timezone-aware."""
        return format_time(at.astimezone(self._zone), "short", locale=self._locale)

    def lately(self, at: datetime) -> str:
        """A moment of the last days in the person's own zone: "Friday, 9:00 AM". `at` is timezone-aware."""
        say, there = self, at.astimezone(self._zone)
        day = format_date(there, "EEEE", locale=self._locale)
        return say("{day}, {time}", day=day, time=self.clock(at))

    def language(self, code: str) -> str:
        """The name of the language with this BCP 47 code: "French"; the code itself when nobody knows it."""
        try:
            name = Locale.parse(code.replace("-", "_")).get_display_name(self._locale)
        except (ValueError, UnknownLocaleError):
            return code
        return name or code


def _fill(template: str, names: dict[str, object]) -> str:
    return _SLOT.sub(lambda slot: str(names.get(slot[1], slot[0])), template)


@lru_cache(maxsize=256)
def _catalogue(name: str) -> tuple[Locale, gettext.NullTranslations]:
    try:
        locale = Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        locale = Locale("en")
    for wanted in (str(locale), locale.language):
        file = resources.files("bot").joinpath("locale", wanted, "LC_MESSAGES", f"{DOMAIN}.mo")
        if file.is_file():
            with file.open("rb") as stream:
                return locale, gettext.GNUTranslations(stream)
    # Without a catalogue the sentences are English, and so must be the durations and dates within them.
    return locale if locale.language == "en" else Locale("en"), gettext.NullTranslations()


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; UTC for one that nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
