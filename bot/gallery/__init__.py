"""The gallery: every message, modal and Home tab of `bot/slack/views` in each state, filled with invented contents.

The demo's page shows it, and tests/test_gallery.py holds all of it against Slack's limits. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.gallery import digests, flagging, home, issues, news, overviews, reminders
from bot.gallery.contents import CONTENTS, NOW
from bot.gallery.sample import Sample
from bot.texts import Say

__all__ = ["LANGUAGES", "NOW", "Sample", "gallery", "samples"]

LANGUAGES = {"en": "English", "fr": "Français"}

_ROOMS = (
    ("Flagging a ticket", flagging.samples),
    ("The card, and deciding about an issue", issues.samples),
    ("The talk", issues.talk),
    ("News and write-backs", news.samples),
    ("What people are told", issues.notices),
    ("Reminders", reminders.samples),
    ("Overviews and answers", overviews.samples),
    ("On duty", overviews.duty),
    ("Digests", digests.samples),
    ("The Home tab", home.samples),
)


def samples(language: str) -> Iterator[Sample]:
    """Every sample in that language, room by room."""
    say = Say(language, "Europe/Paris")
    for section, of in _ROOMS:
        for name, contents in CONTENTS.items():
            for title, made in of(say, contents):
                yield made.placed(section=section, title=title, contents=name, language=language)


def gallery(language: str) -> list[dict[str, Any]]:
    """The same as plain data, for a page; an unknown language is English."""
    return [sample.data for sample in samples(language if language in LANGUAGES else "en")]
