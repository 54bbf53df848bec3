"""The dashboard's pages: what they show, who may see them without signing in, and what bad addresses get."""

from __future__ import annotations

import csv
import io
import re
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from bot.model import Stage
from bot.store.tables import Effect, EffectState, Escalation, Issue, Lane, Ticket
from bot.texts import Say
from bot.web.wording import kind
from integrations.sandbox.wire import Fault, Server
from tests.conftest import House

PATHS = ("/", "/write-backs", "/causes", "/causes.csv", "/times", "/health", "/issues/x", "/style.css", "/sign-in")
NASTY = "<script>alert(1)</script>"

Build = Callable[..., House]


@pytest.fixture
def page(house: House) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=house.server.url, trust_env=False) as client:
        yield client


def read(answer: httpx2.Response) -> str:
    """What stands on a page, as a person reads it."""
    assert answer.status_code == 200, answer.text
    main = re.sub(r"<svg.*?</svg>", "", answer.text.split("<main")[1].split("</main>")[0], flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", main[main.index(">") + 1 :]).split()).replace("&#39;", "'")


def issue_id(house: House, number: int = 1) -> str:
    with house.bot.store.read() as session:
        return session.scalars(sa.select(Issue.id).where(Issue.number == number)).one()


# --- who may see it ---------------------------------------------------------------------------------------------------


def test_it_is_open_on_this_machine(page: httpx2.Client) -> None:
    """Without sign-in, to who sits at the machine."""
    assert "The queue is empty" in read(page.get("/"))
    assert page.get("/sign-in").status_code == 404  # there is nothing to sign in to


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "passerelle.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "10.0.0.7:8000"},
        {"host": "["},
        {"x-forwarded-for": "203.0.113.7"},
        {"x-forwarded-host": "passerelle.example"},
        {"x-forwarded-proto": "https"},
        {"forwarded": "for=203.0.113.7"},
        {"via": "1.1 proxy"},
        {"x-real-ip": "203.0.113.7"},
        {"x-nginx-proxy": "true"},
        {"x-request-id": "4f2a"},
    ],
)
def test_behind_a_proxy_there_is_none(page: httpx2.Client, headers: dict[str, str]) -> None:
    """Through a proxy on the same machine everybody would come from a loopback address."""
    for path in PATHS:
        answer = page.get(path, headers=headers)
        assert (answer.status_code, answer.text) == (404, "Not Found"), path
    assert page.get("/healthz", headers=headers).status_code == 200


def test_http_of_proxies_is_not_let_in(house: House) -> None:
    """A proxy that adds no header speaks HTTP/1.0 to what is behind it, unless it is told otherwise."""
    with socket.create_connection(("127.0.0.1", house.server.port)) as line:
        line.sendall(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        assert b" 404 " in line.makefile("rb").readline()


def test_with_a_public_address_and_no_sign_in_there_is_none(make_house: Build) -> None:
    """Whoever names a public address has a proxy in front, and one that hides itself looks like this machine."""
    house = make_house(lambda config: config.update(web={"public_url": "https://passerelle.example"}))
    with httpx2.Client(base_url=house.server.url, trust_env=False) as page:
        assert [page.get(path).status_code for path in PATHS] == [404] * len(PATHS)
        assert page.post("/dead-letters/1", content="act=drop").status_code == 404


@pytest.mark.parametrize("who", ["tracker", "helpdesk", "slack"])
def test_where_somebody_elsewhere_is_told_to_call_there_is_none(make_house: Build, who: str) -> None:
    """They come through something in front of us; nginx, as it is installed, adds no header, calls us 127.0.0.1 and
    speaks HTTP/1.1."""

    def elsewhere(config: dict[str, Any]) -> None:
        if who == "tracker":
            config["trackers"]["github"]["url"] = "https://api.github.com"
        if who == "helpdesk":
            config["helpdesks"]["zendesk"]["url"] = "https://acme.zendesk.com"

    house = make_house(elsewhere)
    if who == "slack":
        house.stop_bot()
        house.environ |= {"SLACK_API_URL": "https://slack.com/api/", "SLACK_APP_TOKEN": ""}
        house.bot = house.start_bot()
    with httpx2.Client(base_url=house.server.url, trust_env=False) as page:
        assert [page.get(path).status_code for path in PATHS] == [404] * len(PATHS)


def test_who_only_asks_elsewhere_sees_it_on_this_machine(make_house: Build) -> None:
    """Without webhooks and with Socket Mode nobody comes in from outside."""

    def elsewhere(config: dict[str, Any]) -> None:
        config["trackers"]["github"] |= {"url": "https://api.github.com"}
        config["trackers"]["github"].pop("webhook_secret")

    house = make_house(elsewhere)
    house.stop_bot()
    house.environ |= {"SLACK_API_URL": "https://slack.com/api/"}
    house.bot = house.start_bot()
    assert httpx2.get(house.server.url, trust_env=False).status_code == 200


def test_nothing_foreign_is_let_in(house: House, page: httpx2.Client) -> None:
    """No script, no frame, nothing from elsewhere, nothing kept; and there is nothing of that on the pages."""
    house.flag()
    for path in ("/", "/write-backs", "/causes", "/times", "/health", f"/issues/{issue_id(house)}", "/?page=x"):
        answer = page.get(path)
        headers = answer.headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == ("same-origin" if path == "/health" else "no-referrer")
        assert not re.search(r"<script|<iframe|<style|\sstyle=|\son\w+=|src=", answer.text), path
        assert set(re.findall(r'<link rel="stylesheet" href="([^?"]+)', answer.text)) == {"/style.css"}


# --- the pages --------------------------------------------------------------------------------------------------------


def test_the_queue(house: House, page: httpx2.Client) -> None:
    """Who waits for what, those first that weigh most; narrowed by a form that any browser can send."""
    house.flag("U0ANA", "4211", title="VAT is wrong on invoices", severity="high")
    house.flag("U0BEN", "4212", title="Login loops", severity="low", kind="tooling")
    house.clock.advance(timedelta(hours=1))
    whole = read(page.get("/"))
    assert "2 issues in the queue" in whole
    assert "Flagged 1 hour ago" in whole  # its customer has waited for two days, as the issue's page says
    assert "Waiting for" not in whole
    assert re.search(r"VAT is wrong on invoices acme/shop#1 Filed High Customers 1 .*Login loops", whole)
    assert "Support tooling" in whole
    for query, found in (
        ("severity=high", "VAT"),
        ("kind=tooling", "Login"),
        ("words=login", "Login"),
        ("words=4211", "VAT"),
        ("words=%232", "Login"),
        ("severity=low,normal&stage=filed,fixed", "Login"),
        ("severity=critical&severity=high", "VAT"),
        ("stage=filed&severity=high&project=shop&words=vat", "VAT"),
    ):
        shown = read(page.get(f"/?{query}"))
        assert ("VAT is wrong" in shown, "Login loops" in shown) == (found == "VAT", found == "Login"), query
    several = page.get("/?severity=low&severity=high").text
    assert '<option value="low,high" selected>High, Low</option>' in several
    assert "Nothing fits" in read(page.get("/?words=nobody"))
    assert "Nothing fits" in read(page.get("/?stage=declined"))


def test_of_what_shipped_the_queue_has_what_is_still_owed(house: House, page: httpx2.Client) -> None:
    """Also when other stages are chosen with it, as a digest's filters may; who was written to does not wait."""
    house.flag("U0ANA", "4211", title="VAT is wrong on invoices")
    house.flag("U0BEN", "4212", title="Login loops")
    house.mend(1)
    for query in ("stage=shipped", "stage=filed,shipped"):
        assert "VAT is wrong" in read(page.get(f"/?{query}")), query
    house.write_back()
    assert "Nothing fits" in read(page.get("/?stage=shipped"))
    mixed = read(page.get("/?stage=filed,shipped"))
    assert "1 issue in the queue" in mixed
    assert "Login loops" in mixed


def test_one_issue_from_the_flag_to_the_customers_answer(house: House, page: httpx2.Client) -> None:
    """Facts, proof with its addresses, who waits, what became of each piece of news, and the whole story."""
    house.flag()
    house.mend()
    address = f"/issues/{issue_id(house)}"
    shown = read(page.get(address))
    assert "VAT is wrong on invoices Shipped acme/shop#1" in shown
    assert "Waits for the agents to write back." in shown
    assert "1 customer waits" in shown
    assert "It shipped: Due" in shown
    assert "ticket 4211" in shown
    house.write_back()
    shown = read(page.get(address))
    assert "Nobody waits any more." in shown
    assert "It shipped: Written" in shown
    house.zendesk.customer_writes("4211", "Parfait, merci.")
    house.pass_time(hours=1)
    house.press("U0ANA", "works")
    shown = read(page.get(address))
    assert "It shipped: Written" in shown
    assert "The customer says that it works" in shown[: shown.index("History")]
    story = shown[shown.index("History") :]
    order = [
        story.index(word)
        for word in ("The customer says", "Customer written to", "The agent was told", "Shipped", "Fixed", "Flagged")
    ]
    assert order == sorted(order)
    links = set(re.findall(r'href="(http[^"]+)"', page.get(address).text))
    assert {"/pull/2", "/releases/tag/v2.5.0", "/issues/1", "/tickets/4211"} <= {
        match[0] for one in links if (match := re.search(r"/(pull|releases/tag|issues|tickets)/[\w.]+$", one))
    }


def test_what_took_a_fix_back_is_no_proof(house: House, page: httpx2.Client) -> None:
    """Of an issue that was opened again the page says that it is not fixed, and why."""
    house.flag()
    house.mend()
    address = f"/issues/{issue_id(house)}"
    assert "Proof merged in #2" in read(page.get(address))
    house.github.reopen_issue("acme/shop", 1, "leo-dev")
    house.poll()
    shown = read(page.get(address))
    assert "Not fixed after all opened again" in shown
    assert "Proof" not in shown


def test_write_backs_by_agent(house: House, page: httpx2.Client) -> None:
    """Who owes what, and which of it is in doubt or on hold."""
    assert "every customer has heard" in read(page.get("/write-backs"))
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="Login loops")
    house.mend(1, "")
    house.mend(2, "v2.5.0")
    house.zendesk.wire.faults.append(Fault("drop", "PUT", "/tickets/4212", times=None))
    house.write_back("U0BEN")
    for _ in range(4):
        house.pass_time(minutes=2)
    shown = read(page.get("/write-backs"))
    assert "1 to be written" in shown
    assert "1 may or may not have gone out" in shown
    assert "look at the ticket" in shown
    assert "Login loops" not in read(page.get("/write-backs?agent=U0ANA"))
    assert "Login loops" in read(page.get("/write-backs?state=uncertain"))
    assert "Of Ben Okafor" in read(page.get("/write-backs?agent=U0BEN"))
    house.github.reopen_issue("acme/shop", 1, "leo-dev")
    house.poll()
    shown = read(page.get("/write-backs?state=held"))
    assert "1 on hold, because the news does not hold now" in shown
    assert "VAT is wrong" in shown
    assert "Nothing fits" in read(page.get("/write-backs?agent=nobody"))


def test_why_a_reply_is_still_due(house: House, page: httpx2.Client) -> None:
    """The helpdesk refused it: a lead reads so, too."""
    house.flag()
    house.mend()
    house.zendesk.wire.faults.append(Fault("refuse", "PUT", "/tickets/4211", status=422, times=None))
    house.write_back()
    house.pass_time(minutes=2)
    assert "Due The last try: it refuses (HTTP 422)" in read(page.get("/write-backs"))


def test_causes_and_their_csv(house: House, page: httpx2.Client) -> None:
    """What hurts most with customers' own words and the issues as the plan; the same for a spreadsheet."""
    assert "Nobody waits" in read(page.get("/causes"))
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="Login loops")
    house.clock.advance(timedelta(minutes=1))
    shown = read(page.get("/causes"))
    assert "Web shop 2 tickets" in shown
    assert "VAT is wrong on invoices" in shown
    answer = page.get("/causes.csv?by=month")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "causes.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["area"], row["tickets"], row["2026-03-01"]) for row in rows] == [("shop", "2", "2"), ("", "0", "0")]


def test_a_digests_link_to_the_causes_is_narrowed_as_the_digest_is(make_house: Build) -> None:
    """Several projects, kinds and severities at once; the page says what it leaves out, and the form keeps it."""
    house = make_house(gitlab=True)
    house.flag("U0ANA", "4211", title="VAT is wrong on invoices", severity="high", project="shop")
    house.flag("U0BEN", "4212", title="Login loops", severity="low", project="app")
    house.clock.advance(timedelta(minutes=1))
    with httpx2.Client(base_url=house.server.url, trust_env=False) as page:
        both = read(page.get("/causes?project=shop&project=app&kind=bug&kind=tooling"))
        assert "VAT is wrong" in both
        assert "Login loops" in both
        answer = page.get("/causes?project=shop&project=app&severity=high&severity=critical")
        assert "Only: High · Critical · Show all" in read(answer)
        assert "VAT is wrong" in answer.text
        assert "Login loops" not in answer.text
        assert '<input type="hidden" name="severity" value="high,critical">' in answer.text
        rows = list(csv.DictReader(io.StringIO(page.get("/causes.csv?project=shop&project=app&severity=low").text)))
        assert [row["area"] for row in rows if row["tickets"] == "1"] == ["app"]
        assert page.get("/times?project=shop&project=app").status_code == 200


def test_no_cell_is_a_formula(house: House, page: httpx2.Client) -> None:
    """A label or a customer's words that a spreadsheet would carry out."""
    house.flag()
    with house.bot.store.write() as session:
        session.execute(sa.update(Issue).values(labels=["=HYPERLINK(1)"]))
        session.execute(sa.update(Ticket).values(words="@SUM(1+1)"))
    [row] = [one for one in csv.DictReader(io.StringIO(page.get("/causes.csv").text)) if "HYPER" in one["area"]]
    assert (row["area"], row["words"]) == ("'=HYPERLINK(1)", "'@SUM(1+1)")


def test_times(house: House, page: httpx2.Client) -> None:
    """Distributions with the same facts in words: beside each plot, and in its name for who cannot see it."""
    assert "Nothing ended in this time yet" in read(page.get("/times"))
    house.flag()
    house.clock.advance(timedelta(hours=30))
    house.mend()
    house.clock.advance(timedelta(hours=2))
    house.write_back()
    house.clock.advance(timedelta(minutes=1))
    shown = read(page.get("/times"))
    assert "From flagged to shipped 1 customer Half within 30 hours" in shown
    assert "From told to written back 1 customer Half within 2 hours" in shown
    assert 'aria-label="How many took less than so long: 4 h: 1."' in page.get("/times").text
    working = read(page.get("/times?time=working&days=30"))
    assert "A working day is from 09:00 to 18:00, by the clocks of UTC." in working
    assert "From flagged to shipped 1 customer Half within 2 working days" in working


def test_each_kind_of_call_has_a_word(house: House) -> None:
    """Whoever adds a kind of effect says what it is on the page of health."""
    kinds = list(house.bot._performers())
    assert [one for one in kinds if kind(Say(), one) == one] == []
    assert len(kinds) > 30


def test_health(house: House, page: httpx2.Client) -> None:
    """What came in, what is under way, which lanes are closed, the last looks, and what happened by the clock."""
    house.hear_webhooks()
    house.flag()
    house.poll()
    with house.bot.store.write() as session:
        session.add(Lane(name="slack:C0SUPPORT", open_at=house.clock.now() + timedelta(minutes=5)))
        session.add(Effect(kind="card", key="x", subject="x", next_at=house.clock.now(), since=house.clock.now()))
    shown = read(page.get("/health"))
    assert "No dead letters" in shown
    assert "Card in Slack Waits for its turn Number 1" in shown
    assert re.search(r"github Read \d+ Not read yet 0", shown)
    assert "Web shop Releases Done" in shown
    assert "slack:C0SUPPORT: closed until Mar 2, 2026, 9:05 AM" in shown
    assert "Polling the trackers Mar 2, 2026" in shown


# --- strange addresses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/?stage=nonsense", 400, "“nonsense” is nothing to choose"),
        ("/?severity=<script>", 400, "nothing to choose"),
        ("/?severity=low,x", 400, "“x” is nothing to choose"),
        ("/?kind=x", 400, "nothing to choose"),
        ("/?project=x", 400, "nothing to choose"),
        ("/?page=x", 400, "There is no page"),
        ("/?page=0", 400, "There is no page"),
        ("/?page=-1", 400, "There is no page"),
        ("/?page=%D9%A1", 400, "There is no page"),
        ("/?page=99999999999999999999", 400, "There is no page"),
        ("/?page=7", 404, "the last one is 1"),
        ("/?words=" + "long " * 100, 400, "too long to search for"),
        ("/?words=%00%ff", 200, "Nothing fits"),
        ("/?words=%25_%5C", 200, "Nothing fits"),
        ("/?words=1+2+3+4+5+6+7+8", 200, "Nothing fits"),
        ("/issues/nothing", 404, "no such issue here"),
        ("/issues/" + "x" * 3000, 404, "no such issue here"),
        ("/issues/%00", 404, "no such issue here"),
        ("/write-backs?state=x", 400, "nothing to choose"),
        ("/write-backs?page=9", 404, "the last one is 1"),
        ("/write-backs?agent=" + "x" * 200, 400, "too long"),
        ("/causes?by=year", 400, "nothing to choose"),
        ("/causes.csv?project=x", 400, "nothing to choose"),
        ("/times?days=3", 400, "nothing to choose"),
        ("/times?time=x", 400, "nothing to choose"),
        ("/health?page=3", 404, "the last one is 1"),
    ],
)
def test_a_strange_address_gets_a_sentence_and_a_way_on(
    house: House, page: httpx2.Client, path: str, status: int, sentence: str
) -> None:
    """Never a fault of ours; what stood in the address stands there as text."""
    answer = page.get(path)
    assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    assert "<script" not in answer.text
    assert 'href="/"' in answer.text.split("<main")[1]


def test_while_the_database_is_away_there_is_a_sentence(house: House, page: httpx2.Client) -> None:
    """Not a page of ours that is half."""
    with house.bot.store.write() as session:
        session.execute(sa.text("ALTER TABLE escalation RENAME TO elsewhere"))
    answer = page.get("/")
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text


def test_what_customers_write_is_text(house: House, page: httpx2.Client) -> None:
    """Wherever it stands: titles, names, words, labels, addresses, reasons."""
    house.flag("U0ANA", "4211", title=f"VAT {NASTY}")
    with house.bot.store.write() as session:
        address = 'javascript:alert(1)//"><script>alert(2)</script>'
        names = {"customer_name": NASTY, "organisation": NASTY, "language": NASTY, "url": address}
        session.execute(sa.update(Ticket).values(words=f"Hello {NASTY}", **names))
        session.execute(sa.update(Issue).values(labels=[NASTY], url=address, trouble=NASTY))
        session.execute(sa.update(Effect).values(error=f"zendesk: {NASTY}", state=EffectState.DEAD))
        session.add(Lane(name=NASTY, open_at=house.clock.now() + timedelta(minutes=5)))
    house.github.close_issue("acme/shop", 1, "leo-dev", reason="not_planned")
    pages = ["/", "/write-backs", "/causes", "/times", "/health", f"/issues/{issue_id(house)}", f"/?words={NASTY}"]
    for path in pages:
        answer = page.get(path)
        assert answer.status_code == 200, path
        assert "<script" not in answer.text, path
        assert "javascript:" not in re.sub(r">[^<]*<", "><", answer.text), path
    assert "&lt;script&gt;" in page.get("/").text


# --- many -------------------------------------------------------------------------------------------------------------


def crowd(house: House, customers: int, issues: int, first: int = 1) -> None:
    """So many tickets on so many issues."""
    now = house.clock.now()
    with house.bot.store.write() as session:
        for number in range(first, first + issues):
            issue = Issue(
                **{"project": "shop", "tracker": "github", "repository": "acme/shop", "number": number},
                **{"title": f"Bug {number}", "kind": "bug", "severity": "normal", "stage": Stage.FILED},
                **{"stage_since": now, "created_at": now, "channel": "C0SUPPORTDEV"},
            )
            for each in range(customers // issues):
                ticket = Ticket(
                    helpdesk="zendesk", number=f"{number}-{each}", waiting_since=now - timedelta(hours=each)
                )
                one = Escalation(ticket=ticket, issue=issue, agent="U0ANA", title=issue.title, flagged_at=now)
                session.add(one)


def test_long_lists_have_pages(house: House, page: httpx2.Client) -> None:
    """Each row once, over all pages; the way on and back is a link that keeps what was chosen."""
    crowd(house, 120, 120)
    seen: list[str] = []
    address = "/?severity=normal"
    while address:
        answer = page.get(address)
        seen += re.findall(r">Bug (\d+)<", answer.text)
        further = re.search(r'rel="next" href="([^"]+)"', answer.text)
        address = further[1].replace("&amp;", "&") if further else ""
        assert not address or "severity=normal" in address
    assert sorted(map(int, seen)) == list(range(1, 121))
    assert "51 to 100 of 120" in read(page.get("/?page=2"))


def test_a_choice_leads_to_the_list_that_it_changes(house: House, page: httpx2.Client) -> None:
    """On a phone the list stands far below the agents, the history below the customers."""
    house.flag()
    house.mend()
    led = re.findall(r'href="(/write-backs\?[^"]+)"', page.get("/write-backs").text)
    assert led == ["/write-backs?state=due#list", "/write-backs?agent=U0ANA#list"]
    crowd(house, 60, 1, first=7)
    shown = page.get(f"/issues/{issue_id(house, 7)}").text
    assert re.findall(r'rel="next" href="[^#"]+([^"]+)"', shown) == ["#customers"]


def test_an_issue_with_many_customers_has_pages_of_them(house: House, page: httpx2.Client) -> None:
    """Those who wait longest first."""
    crowd(house, 60, 1)
    first = read(page.get(f"/issues/{issue_id(house)}"))
    assert "60 customers wait, the longest for 2 days" in first
    assert "ticket 1-59" in first
    assert "ticket 1-0 " not in first
    assert "ticket 1-0 " in read(page.get(f"/issues/{issue_id(house)}?customers=3"))


def test_a_page_costs_as_many_queries_with_many_rows_as_with_few(house: House, page: httpx2.Client) -> None:
    """None for each row."""
    sent: list[str] = []
    sa.event.listen(house.bot.store.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))

    def counted() -> dict[str, int]:
        paths = ("/", "/write-backs", "/causes", "/times", "/health", f"/issues/{issue_id(house)}")
        found = {}
        for path in paths:
            sent.clear()
            assert page.get(path).status_code == 200
            found[path] = sum(statement.lstrip().startswith("SELECT") for statement in sent)
        return found

    crowd(house, 2, 1)
    few = counted()
    crowd(house, 300, 60, first=2)
    many = counted()
    assert all(many[path] <= few[path] for path in many if path != "/causes"), (few, many)
    assert max(many.values()) <= 14, many


def test_another_server_on_the_machine_is_as_open(house: House) -> None:
    """IPv4's loopback by another name."""
    server = Server(house.bot.web).start()
    try:
        answer = httpx2.get(f"http://localhost:{server.port}/", trust_env=False)
        assert answer.status_code == 200
    finally:
        server.stop()
