"""Which stored issues a typed query brings up, and in what order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from bot.similar import Candidate, rank

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def issue(number: int, title: str, *, open: bool = True, days: int = 1) -> Candidate:
    return Candidate(f"id-{number}", str(number), title, open, NOW - timedelta(days=days))


def numbers(typed: str, *candidates: Candidate) -> list[str]:
    return [one.number for one in rank(typed, candidates, NOW)]


def test_an_exact_number_comes_before_every_word() -> None:
    """ "12" and "#12" name issue 12, although other titles speak of a 12."""
    known = (issue(7, "12 items make the basket fail"), issue(12, "Invoice is blank", open=False, days=300))
    assert numbers("12", *known) == ["12", "7"]
    assert numbers(" #12 ", *known) == ["12", "7"]


def test_accents_and_case_do_not_matter() -> None:
    """ "reglement" finds "Règlement refusé", and "RÈGLEMENT" finds "reglement"."""
    assert numbers("reglement", issue(1, "Règlement refusé"), issue(2, "Login loops")) == ["1"]
    assert numbers("RÈGLEMENT", issue(1, "reglement refuse"), issue(2, "Login loops")) == ["1"]


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    """Of two titles that share one word each, the one with the rarer word is first."""
    common = [issue(number, f"Payment fails in case {number}") for number in range(10, 20)]
    assert numbers("payment voucher", *common, issue(1, "Voucher is refused", days=90))[0] == "1"


def test_the_last_word_may_be_unfinished() -> None:
    """While "vouch" is being typed, "Voucher" is already found; once a blank follows, it is a word of its own."""
    assert numbers("vouch", issue(1, "Voucher is refused"), issue(2, "Login loops")) == ["1"]
    assert numbers("vouch ", issue(1, "Voucher is refused"), issue(2, "Login loops")) == []


def test_for_the_same_words_open_goes_before_closed_and_new_before_old() -> None:
    """An old open issue stands before a fresh closed one, and a fresh open one before both."""
    known = (
        issue(1, "Basket empty", open=False, days=0),
        issue(2, "Basket empty", days=400),
        issue(3, "Basket empty", days=2),
    )
    assert numbers("basket", *known) == ["3", "2", "1"]


def test_nothing_typed_brings_the_newest_open_issues() -> None:
    """Before the first letter, closed issues are left out and the newest is on top."""
    known = (issue(1, "A", days=9), issue(2, "B", open=False), issue(3, "C", days=2))
    assert numbers("  ", *known) == ["3", "1"]


@given(st.text(), st.lists(st.text(), max_size=130))
def test_whatever_is_typed_the_answer_fits_slack(typed: str, titles: list[str]) -> None:
    """At most 100 of the candidates come back, each once, for any text typed."""
    candidates = [issue(number, title, open=number % 3 > 0, days=number) for number, title in enumerate(titles, 1)]
    found = rank(typed, candidates, NOW)
    assert len(found) <= 100
    assert len({one.id for one in found}) == len(found)
