"""Which stored issues a typed query brings up, in what order; and what a text is found by."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from hypothesis import given, strategies as st

from bot.similar import Candidate, rank
from bot.similar.scoring import Times, favour, issue_weights, telling
from bot.similar.terms import stem, terms

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


# --- what a text is found by ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Payments are refused", "payment refusing"),
        ("Le règlement est refusé", "les réglements refusées"),
        ("Invoices exported twice", "the invoice exports twice"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    """Plurals, tenses, genders and accents do not part two texts, in English and in French."""
    assert terms(one).keys() == terms(other).keys()


def test_words_that_everybody_uses_are_left_out() -> None:
    """Articles and pronouns of both languages find nothing."""
    assert terms("It is what it is, and that was the one") == Counter({"one": 1})
    assert terms("Il y a une erreur dans le panier").keys() == terms("erreur panier").keys()


TRACES = [
    ("TypeError: cart is undefined", "In French too: TypeError: cart is null"),
    ("it says PaymentException: order 4211 of 'Ana' failed", "PaymentException: order 17 of 'Ben' failed"),
    ("at checkout (app/src/basket.js:12:3)", "basket.js:99"),
    ('File "shop/totals.py", line 12, in total', "    shop/totals.py:13: in total"),
    ("net::ERR_CONNECTION_RESET", "the page says ERR_CONNECTION_RESET."),
    ("HTTP 502", "status: 502"),
    ("https://shop.example/fr/orders/4211/pay?token=abc", "http://test.example/en/orders/17/pay#top"),
    ("SAP code 0x80070005", "0x80070005"),
]


@pytest.mark.parametrize(("one", "other"), TRACES)
def test_traces_of_machines_are_kept_whole(one: str, other: str) -> None:
    """The same error, frame, code or page is one rare term, whatever number, name or host stands in it."""
    signs = {term for term in terms(one).keys() & terms(other).keys() if term[0] in "!@#/"}
    assert len(signs) == 1


def test_an_address_is_found_by_its_path_alone() -> None:
    """Host and query of an address tell nothing, and may be a customer's."""
    found = terms("see https://acme.example/checkout/basket?email=ana@acme.example")
    assert found.keys() == {"/checkout/basket", *terms("see checkout basket")}


def test_scripts_without_blanks_are_found_by_pairs() -> None:
    """A long Japanese sentence shares terms with a short one that is part of it."""
    assert terms("決済画面").keys() < terms("昨日から決済画面が開きません").keys()


@given(st.text(st.characters()) | st.text(alphabet="aéE:/. \n\"'#@!01_-<>(){}Error").map(lambda text: text * 50))
def test_any_text_has_a_bounded_number_of_short_terms(text: str) -> None:
    """Whatever is given, reading never fails, and what comes out fits the index."""
    found = terms(text)
    assert len(found) <= 400
    assert all(len(term.encode()) > 0 and len(term) <= 40 and "\0" not in term and found[term] > 0 for term in found)


@pytest.mark.parametrize(
    "piece", ["a", "http://", "http://a/", "TypeError: ", "A-", "a.b", '"', "0x", "\u0130", "é\u0301", "/"]
)
def test_a_hostile_text_is_read_in_no_time(piece: str) -> None:
    """A megabyte of anything is read in well under a second: no pattern goes over it again and again."""
    began = perf_counter()
    terms(piece * (1_000_000 // len(piece)))
    assert perf_counter() - began < 2


# --- how much it counts -----------------------------------------------------------------------------------------------


def test_a_title_counts_more_than_a_text() -> None:
    """A word of the title weighs more than one of the text, however short, and one that is in both most."""
    weights = issue_weights("cart voucher", "voucher login")
    assert weights[stem("voucher")] > weights[stem("cart")] > weights[stem("login")] > 0
    assert issue_weights("cart", "login")["cart"] > issue_weights("cart", "login")["login"]


def test_the_rarest_words_are_looked_up() -> None:
    """At most thirty terms are looked up, those that few issues have; what none has is left out."""
    known = {f"word{n}": n for n in range(1, 60)}
    chosen = telling({**dict.fromkeys(known, 1.0), "unheard": 1.0}, known, 1000)
    assert list(chosen) == [f"word{n}" for n in range(1, 31)]


def test_words_that_most_issues_have_are_left_out_of_a_long_question() -> None:
    """Of thirty words that half of a large tracker has, only as many are looked up as can be read in time."""
    known = {f"common{n}": 5000 for n in range(30)}
    chosen = telling({**dict.fromkeys(known, 1.0), "rare": 1.0}, {**known, "rare": 3}, 10_000)
    assert next(iter(chosen)) == "rare"
    assert sum({**known, "rare": 3}[term] for term in chosen) <= 20_000
    assert len(chosen) == 4


def test_the_time_speaks_for_what_is_open_and_lately_touched() -> None:
    """Touched today before touched last year; open before closed, and closed yesterday before closed long ago."""

    def worth(touched: int, closed: int | None = None) -> float:
        ended = None if closed is None else NOW - timedelta(days=closed)
        return favour(Times(NOW - timedelta(days=touched), ended), NOW)

    assert worth(0) > worth(365) > worth(365, 200) > worth(500, 500) > 0
    assert worth(1, 1) > worth(365, 365)
    assert worth(-3) == worth(0), "a clock that is ahead changes nothing"
