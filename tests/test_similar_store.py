"""The index of all issues that the trackers have, through the real store: what is found, and what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.model import Kind, Severity, Stage
from bot.similar.terms import terms
from bot.store import index, upkeep
from bot.store.database import Store
from bot.store.indexed import KnownIssue, KnownTerm, TicketTerm
from bot.store.tables import Escalation, Issue, Ticket
from integrations.base import Listed
from tests.conftest import new_store

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
REPO = "acme/shop"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = new_store(tmp_path / "index.db")
    yield made
    made.close()


def listed(number: int, title: str, text: str = "", *, days: int = 30, closed: int | None = None) -> Listed:
    """An issue from so many days ago, closed so many days ago."""
    came = NOW - timedelta(days=days)
    end = None if closed is None else NOW - timedelta(days=closed)
    return Listed(number, f"https://tracker.example/{number}", title, text, end is None, came, end or came, end)


def keep(store: Store, *issues: Listed, project: str = "shop") -> None:
    with store.write() as session:
        for one in issues:
            index.put(session, project, REPO, one)


def found(store: Store, title: str, text: str = "", *projects: str, most: int = 5) -> list[int]:
    with store.read() as session:
        return [one.number for one in index.find(session, title, text, projects or ["shop"], NOW, most)]


def own(session: Session, number: int, title: str) -> Issue:
    """An issue that we filed, which is known."""
    issue = Issue(project="shop", tracker="github", repository=REPO, number=number, title=title, channel="C0SUPPORTDEV")
    issue.kind, issue.severity, issue.stage, issue.created_at = Kind.BUG, Severity.NORMAL, Stage.FILED, NOW
    issue.stage_since = NOW - timedelta(days=20)
    session.add(issue)
    session.flush()
    index.put(session, "shop", REPO, listed(number, title), issue.id)
    return issue


def flag(session: Session, issue: Issue, title: str, words: str, days: int = 20) -> Escalation:
    """A ticket on that issue, flagged so many days ago."""
    at = NOW - timedelta(days=days)
    ticket = Ticket(waiting_since=at, words=words)
    session.add(ticket)
    session.flush()
    escalation = Escalation(ticket_id=ticket.id, issue_id=issue.id, agent="U0ANA", title=title, flagged_at=at)
    session.add(escalation)
    session.flush()
    index.pool(session, escalation.id, title, words)
    return escalation


def terms_left(store: Store, table: type[KnownTerm | TicketTerm]) -> set[str]:
    with store.read() as session:
        return set(session.scalars(sa.select(table.term)))


SHOP = (
    listed(1, "Voucher is refused at checkout", "The code of the newsletter is not accepted."),
    listed(2, "Invoice shows the wrong VAT", "For customers in Denmark, 19 % instead of 25 %."),
    listed(3, "Login loops on Safari", "TypeError: session is undefined\n at guard (app/login.js:12:3)"),
    listed(4, "Export of orders is empty", "The CSV has its header alone."),
)


def test_an_issue_is_found_by_title_text_and_error(store: Store) -> None:
    """Words of the title, of the text, or the same error elsewhere bring an issue up first."""
    keep(store, *SHOP)
    assert found(store, "vouchers refusing")[0] == 1
    assert found(store, "Danish customer complains", "denmark 25 %")[0] == 2
    assert found(store, "White page", "TypeError: session is null")[0] == 3
    assert found(store, "Nothing of that kind zzz") == []
    assert found(store, "") == []


def test_what_is_found_tells_how_it_stands(store: Store) -> None:
    """A closed issue of ours comes with its address, its end and our own record's id."""
    with store.write() as session:
        issue = own(session, 7, "Basket forgets the address")
        seen = replace(listed(7, "Basket forgets the address", closed=2), updated_at=NOW)
        assert index.put(session, "shop", REPO, seen)
        (one,) = index.find(session, "Basket forgets", "", ["shop"], NOW)
        assert (one.url, one.open, one.closed_at) == ("https://tracker.example/7", False, NOW - timedelta(days=2))
        assert one.issue_id == issue.id, "a later look without our id does not lose it"


def test_an_issue_is_kept_as_it_was_told_last(store: Store) -> None:
    """A new title replaces the old one, an older look changes nothing, and the same look twice is told apart."""
    keep(store, listed(1, "Voucher is refused", days=30))
    with store.write() as session:
        assert index.put(session, "shop", REPO, listed(1, "Coupon is refused", days=10))
        assert not index.put(session, "shop", REPO, listed(1, "Coupon is refused", days=10))
        assert not index.put(session, "shop", REPO, listed(1, "Voucher is refused", days=30))
    assert found(store, "coupon") == [1]
    assert found(store, "voucher") == []


def test_the_index_holds_just_the_terms_of_what_it_knows(store: Store) -> None:
    """After changes the rows are those of the last texts; what is dropped leaves none behind."""
    keep(store, *SHOP, replace(SHOP[0], title="Coupon", text="lapsed", updated_at=NOW))
    assert terms_left(store, KnownTerm) >= terms("coupon lapsed").keys()
    assert not terms("voucher").keys() & terms_left(store, KnownTerm)
    with store.write() as session:
        for number in (1, 2, 3, 4, 99):
            index.drop(session, "shop", REPO, number)
    assert terms_left(store, KnownTerm) == set()


def test_only_the_asked_projects_are_searched(store: Store) -> None:
    """An issue of another project is not named, even where that one has many more."""
    keep(store, *(listed(n, f"Voucher refused, case {n}") for n in range(100, 400)), project="other")
    keep(store, *SHOP)
    assert found(store, "voucher refused")[0] == 1
    assert set(found(store, "voucher refused")) <= {1, 2, 3, 4}
    assert 1 in found(store, "voucher refused", "", "shop", "other", most=500)
    assert found(store, "voucher refused", "", "third") == []


def test_open_and_lately_touched_goes_first(store: Store) -> None:
    """For the same words: open before long closed, and where a ticket came yesterday before where none did."""
    keep(store, listed(1, "Basket is empty", days=400, closed=390), listed(2, "Basket is empty", days=400))
    assert found(store, "basket is empty") == [2, 1]
    with store.write() as session:
        flag(session, own(session, 3, "Basket is empty"), "Basket", "", days=1)
    assert found(store, "basket is empty") == [3, 2, 1]


def test_tickets_lead_to_their_issue_wherever_it_goes(store: Store) -> None:
    """A customer's other words find the issue, and once another issue took its place, that one instead."""
    with store.write() as session:
        issue, other = own(session, 5, "Race in session renewal"), own(session, 6, "Token renewal")
        escalation = flag(session, issue, "Kicked out", "la page me déconnecte sans arrêt")
    assert found(store, "Client déconnecté") == [5]
    with store.write() as session:
        session.get_one(Issue, issue.id).joined = other.id
        session.get_one(Escalation, escalation.id).issue_id = other.id
    assert found(store, "Client déconnecté") == [6]
    assert found(store, "race renewal") == [6], "what was joined to another is not named"


def test_more_tickets_of_the_same_words_weigh_more(store: Store) -> None:
    """The issue that two customers described so goes before the one that one did."""
    with store.write() as session:
        one, two = own(session, 5, "First"), own(session, 6, "Second")
        flag(session, two, "a", "déconnecté")
        flag(session, two, "b", "déconnecté")
        flag(session, one, "c", "déconnecté")
    assert found(store, "déconnecté") == [6, 5]


def test_forgetting_a_customer_leaves_no_term_of_theirs(store: Store) -> None:
    """Retention takes a ticket's terms with its words; tickets that are still owed something keep theirs."""
    with store.write() as session:
        done, waiting = own(session, 5, "Race in renewal"), own(session, 6, "Token")
        done.stage = Stage.SHIPPED
        flag(session, done, "Kicked out", "Madame Lenoir est déconnectée")
        flag(session, waiting, "Slow", "attente interminable")
    with store.write() as session:
        upkeep.forget_customers(session, NOW - timedelta(days=10))
    assert terms_left(store, TicketTerm) == terms("Slow, attente interminable").keys()
    assert found(store, "Lenoir déconnectée") == []
    assert found(store, "renewal") == [5], "the tracker's own text stays"


def test_telling_a_ticket_again_replaces_its_terms(store: Store) -> None:
    """A draft that was corrected leaves nothing of the first wording."""
    with store.write() as session:
        escalation = flag(session, own(session, 5, "Race"), "Kicked", "secret")
        index.pool(session, escalation.id, "Calm", "")
    assert terms_left(store, TicketTerm) == terms("calm").keys()


def test_an_issue_of_ours_is_known_in_one_place(store: Store) -> None:
    """Carried to another project, its record belongs to the new issue; the tickets' words lead there."""
    with store.write() as session:
        issue = own(session, 5, "Race")
        flag(session, issue, "Kicked", "déconnectée")
        index.put(session, "desk", "acme/desk", listed(1, "Race, carried"), issue.id)
        (one,) = index.find(session, "déconnectée", "", ["shop", "desk"], NOW)
        assert (one.project, one.number, one.issue_id) == ("desk", 1, issue.id)
        index.own(session, index.at(session, "shop", REPO, 5) or one, issue.id)
        (one,) = index.find(session, "déconnectée", "", ["shop", "desk"], NOW)
        assert (one.project, one.number) == ("shop", 5)
        assert index.at(session, "shop", REPO, 6) is None


def test_many_at_once_keep_one_row(store: Store) -> None:
    """The same issues told by eight threads at once are each known once, as told last."""

    def tell(turn: int) -> None:
        for number in (1, 2, 3):
            with store.write() as session:
                seen = listed(number, f"Voucher refused turn{turn}", days=30 - turn)
                index.put(session, "shop", REPO, seen)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(16)))
    with store.read() as session:
        rows = session.execute(sa.select(KnownIssue.number, KnownIssue.title).order_by(KnownIssue.number)).all()
    assert [tuple(row) for row in rows] == [(number, "Voucher refused turn15") for number in (1, 2, 3)]
    assert terms_left(store, KnownTerm) == terms("voucher refused turn15").keys()


def test_a_hostile_text_can_be_kept_and_asked(store: Store) -> None:
    """Quotes, wildcards, NULs, halves of characters and a hundred thousand different words are text like any other."""
    words = " ".join(f"w{n}" for n in range(100_000))
    broken = "TypeError: \x00\ud83d is nothing"
    keep(store, listed(1, f"'; DROP TABLE known_term; -- %_ {broken}", broken + words), listed(2, "x" * 5000, "y" * 99))
    assert found(store, "' OR 1=1; drop table %", words)[0] == 1
