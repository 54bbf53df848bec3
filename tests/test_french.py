"""Everything in French: each sentence has its translation, numbers and days follow, nothing is cut."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.reasons import clause
from bot.slack import views
from bot.texts import Say
from tests.test_views import FRENCH, everything

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "bot" / "locale" / "fr" / "LC_MESSAGES"
WORDS = {"say": None, "many": (1, 2), "pieces": None, "UserError": None, "FieldError": (2,)}

Forms = tuple[str, ...]


# --- the catalogue ----------------------------------------------------------------------------------------------------


@cache
def written() -> set[Forms]:
    """The sentences of the code, each with its plural where it has one."""
    with (ROOT / "babel.cfg").open() as config:
        mapping, options = parse_mapping_cfg(config)  # type: ignore[no-untyped-call]
    found = extract_from_dir(str(ROOT), mapping, options, keywords=WORDS, directory_filter=_ours)
    return {(message,) if isinstance(message, str) else tuple(message) for _, _, message, _, _ in found}


def _ours(folder: str | os.PathLike[str]) -> bool:
    return Path(folder).is_relative_to(ROOT / "bot")


@cache
def translated() -> dict[Forms, Forms]:
    """The catalogue as it is written: what stands for each sentence."""
    return {_forms(one.id): _forms(one.string) for one in _catalogue() if one.id and not one.fuzzy}


def _catalogue() -> Catalog:
    with (FOLDER / "passerelle.po").open("rb") as file:
        return read_po(file, locale="fr", domain="passerelle")


def _forms(value: Any) -> Forms:
    return (value,) if isinstance(value, str) else tuple(value)


def slots(sentence: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", sentence))


def test_every_sentence_has_a_translation() -> None:
    """Who adds a sentence adds its French: babel.cfg says how."""
    french = translated()
    assert sorted(one for one in written() if not all(french.get(one, ("",)))) == []
    assert sorted(one for one in french if one not in written()) == []
    assert len(french) > 500


def test_a_translation_keeps_its_placeholders() -> None:
    """What is filled into the one is filled into the other, in the singular and in the plural."""
    for english, french in translated().items():
        assert len(english) == len(french), english
        for one, other in zip(english, french, strict=True):
            assert slots(one) == slots(other), english


def test_french_is_set_as_french_is() -> None:
    """Curly apostrophes, a space that does not break before high punctuation and within quotes; nobody shouts."""
    for french in translated().values():
        for sentence in french:
            prose = re.sub(r"`[^`]*`", "", sentence)
            assert "'" not in prose, sentence
            assert "!" not in prose, sentence
            assert not re.search(r" [:;?!%»]|« |«(?!\u00a0)|(?<!\u00a0)»", prose), sentence
            assert not re.search(r"[^\s\u00a0](?:[;?!](?:\s|$)|:(?:\s|$))", prose), sentence


def test_what_is_read_is_what_is_written() -> None:
    """The compiled catalogue is the one that the written one compiles to."""
    compiled = io.BytesIO()
    write_mo(compiled, _catalogue())
    compiled.seek(0)
    with (FOLDER / "passerelle.mo").open("rb") as there:
        kept, made = GNUTranslations(there)._catalog, GNUTranslations(compiled)._catalog  # type: ignore[attr-defined]
    assert {key: value for key, value in kept.items() if key} == {key: value for key, value in made.items() if key}


# --- words, numbers, days ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (0, "0 client attend."),
        (1, "1 client attend."),
        (2, "2 clients attendent."),
        (10_000, "10\u202f000 clients attendent."),
    ],
)
def test_none_is_singular_in_french(n: int, expected: str) -> None:
    """French has its plural from two on, and groups its digits with a thin space."""
    assert FRENCH.many("{n} customer waits.", "{n} customers wait.", n) == expected


def test_moments_days_and_lists_are_french() -> None:
    """Dates, times in 24 hours, durations, languages and lists."""
    assert FRENCH.on(datetime(2026, 3, 2, 13, 5, tzinfo=UTC)) == "2 mars 2026 à 14:05"
    assert FRENCH("Not before {day}.", day=FRENCH.day(date(2026, 12, 24))) == "Pas avant le jeudi 24 décembre 2026."
    waits = [FRENCH.ago(timedelta(days=days)).replace("\u00a0", " ") for days in (0, 1, 3)]
    assert waits == ["1 minute", "1 jour", "3 jours"]
    assert [FRENCH.language(code) for code in ("fr", "en-GB", "de")] == [
        "français",
        "anglais (Royaume-Uni)",
        "allemand",
    ]
    assert (FRENCH.listed(["a", "b", "c"]), FRENCH.listed(["a", "b"], either=True)) == ("a, b et c", "a ou b")


@pytest.mark.parametrize("locale", ["fr", "fr-FR", "fr_CA", "fr-BE"])
def test_every_french_is_french(locale: str) -> None:
    """Whichever French somebody's Slack has."""
    assert Say(locale)("In hand") == "Prise en charge"


def test_nothing_is_cut_that_is_short_in_english() -> None:
    """Titles and buttons of a modal have 24 characters, buttons of a message 75: each stands there whole."""
    whole = {form for forms in translated().values() for form in forms} | {"Passerelle"}
    for what, made in everything(FRENCH, "x"):
        if isinstance(made, dict):
            labels = [made[name]["text"] for name in ("title", "submit", "close") if name in made]
            assert set(labels) <= whole, what
        faces = [one["text"]["text"] for one in _buttons(made.blocks if isinstance(made, views.Post) else made)]
        assert set(faces) <= whole, what


def _buttons(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "button":
            yield node
        node = list(node.values())
    for one in node if isinstance(node, list) else ():
        yield from _buttons(one)


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("no answer within 10 s", "pas de réponse en 10 s"),
        ("Pull request #99 is not merged yet.", "La pull request ou merge request #99 n’est pas encore fusionnée"),
        ("ticket 4211 was deleted", "le ticket 4211 a été supprimé"),
        ("Validation Failed: base: cannot be blank", "Validation Failed: base: cannot be blank"),
    ],
)
def test_reasons_are_said_in_french(detail: str, expected: str) -> None:
    """What our adapters say of a failure; a service's own words are quoted as they are."""
    assert clause(FRENCH, detail) == expected
    assert clause(Say("en"), detail) == detail
