"""What views are made of: words cut to Slack's limits, and addresses that may be linked."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from bot.slack import views
from bot.slack.views import parts
from bot.texts import Say

SAY = Say()


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x.example/a|b>", "ftp://x.example", "https:///x", "https://[", "x" * 9_999]
)
def test_a_strange_address_becomes_bare_words(url: str) -> None:
    """Only http and https addresses are linked."""
    made = views.filed(SAY, views.TicketName(number="4211", url=url), views.IssueName(title="x", label="a/b#1"))
    assert '"link"' not in json.dumps(made.blocks)
    assert "ticket 4211" in made.text


@given(st.text(), st.integers(min_value=1, max_value=200))
def test_nothing_cut_is_too_long(text: str, limit: int) -> None:
    """Cutting keeps to the limit as Slack may count it, and keeps what fits."""
    cutters: list[Callable[[str, int], str]] = [parts.cut, parts.one_line, parts.words, parts.excerpt]
    for cutter in cutters:
        assert parts.units(cutter(text, limit)) <= limit
    assert parts.cut(text, parts.units(text) or 1) == text
    assert "\n" not in parts.one_line(text, limit)
