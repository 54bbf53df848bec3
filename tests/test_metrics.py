"""What Prometheus reads is so: after real doings, with two projects, through outages, and whoever knocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as families

from integrations.sandbox.wire import Fault
from tests.conftest import House
from tests.test_web import hook, post

OPERATING = Path(__file__).parents[1] / "docs" / "operating.md"


class Scrape:
    """One answer of `/metrics`, as Prometheus's own parser reads it."""

    def __init__(self, house: House) -> None:
        answer = httpx2.get(f"{house.server.url}/metrics", timeout=10)
        assert answer.status_code == 200
        self.text = answer.text
        self.families = {family.name: family for family in families(answer.text)}
        self.samples = {
            (sample.name.removeprefix("passerelle_"), *sorted(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """The value of one sample; 0 when there is none, as of a count that never was."""
        return self.samples.get((name, *sorted(labels.items())), 0.0)

    def has(self, name: str) -> bool:
        return any(key[0] == name for key in self.samples)


@contextmanager
def between(house: House) -> Iterator[Callable[..., float]]:
    """How much a count of the process rose inside the block: other tests of this process count, too."""
    before, after = Scrape(house), []
    yield lambda name, **labels: after[0](name, **labels) - before(name, **labels)
    after.append(Scrape(house))


def test_the_loop_can_be_followed(house: House) -> None:
    """From the filing to the write-back: the issue's stage, what is owed and since when, and what was called for it."""
    with between(house) as rose:
        house.flag()
        assert Scrape(house)("issues", project="shop", stage="filed") == 1
        house.mend()
        house.pass_time(hours=2)
        now = Scrape(house)
        assert (now("issues", project="shop", stage="filed"), now("issues", project="shop", stage="shipped")) == (0, 1)
        assert now("write_backs", state="due") == 1
        assert now("write_back_oldest_due_seconds") == 7200
        house.write_back()
        now = Scrape(house)
        assert (now("write_backs", state="due"), now("write_backs", state="written")) == (0, 1)
        assert now("write_back_oldest_due_seconds") == 0
    assert rose("effects_tried_total", kind="issue", outcome="done") == 1
    assert rose("effects_tried_total", kind="reply", outcome="done") == 1
    writes = len(house.github.wire.calls_to("POST", "/repos/.*")) + len(house.github.wire.calls_to("PATCH", "/.*"))
    assert rose("api_calls_total", service="github", method="write", outcome="ok") == writes
    assert rose("api_call_duration_seconds_count", service="github", method="write") == writes
    assert rose("api_calls_total", service="zendesk", method="write", outcome="ok") >= 2
    slack = [call for call in house.slack.wire.calls if call.path.startswith("/api/")]
    counted = sum(rose("api_calls_total", service="slack", method=one, outcome="ok") for one in ("read", "write"))
    assert counted == len(slack)
    assert rose("slack_ack_duration_seconds_count", transport="http") >= 4
    assert rose("slack_ack_duration_seconds_bucket", transport="http", le="3.0") >= 4


def test_two_projects_are_told_apart(make_house: Callable[..., House]) -> None:
    """Issues and looks are each project's own; calls are each service's, with the limit that it told."""
    house = make_house(gitlab=True)
    with between(house) as rose:
        house.flag(project="app")
        house.poll()
    now = Scrape(house)
    assert (now("issues", project="app", stage="filed"), now("issues", project="shop", stage="filed")) == (1, 0)
    assert ("issues", ("project", "shop"), ("stage", "declined")) in now.samples
    assert rose("api_calls_total", service="gitlab", method="write", outcome="ok") >= 1
    house.clock.advance(timedelta(seconds=90))
    now = Scrape(house)
    assert now("reconciliation_age_seconds", project="shop", resource="issues") == 90
    assert now("reconciliation_age_seconds", project="app", resource="issues") == 90


def test_an_outage_shows(house: House) -> None:
    """Calls fail and wait, the lane and the looks too; when it is over, nothing is left of it but the counts."""
    house.poll()
    with between(house) as rose:
        house.github.wire.faults.append(Fault("refuse", times=None, status=503))
        house.flag()
        house.poll()
        house.pass_time(minutes=20)
        now = Scrape(house)
        assert (now("effects", kind="issue", state="doubt") + now("effects", kind="issue", state="ready")) == 1
        assert now("reconciliation_age_seconds", project="shop", resource="issues") >= 1200
        assert now("dead_letters") == 0
    assert rose("api_calls_total", service="github", method="read", outcome="unavailable") >= 1
    assert rose("effects_tried_total", kind="issue", outcome="again") >= 1
    house.github.wire.faults.clear()
    house.pass_time(minutes=20)
    house.poll()
    now = Scrape(house)
    assert not any(key[0] == "effects" for key in now.samples)
    assert now("reconciliation_age_seconds", project="shop", resource="issues") == 0


def test_what_is_refused_and_what_is_limited_are_two_things(house: House) -> None:
    """A refusal ends as a dead letter; a rate limit closes the lane and is counted as one."""
    with between(house) as rose:
        house.github.wire.faults.append(Fault("refuse", "POST", "/issues$", status=422, body={"message": "no"}))
        house.flag()
        assert Scrape(house)("dead_letters") == 1
        assert Scrape(house)("effects", kind="issue", state="dead") == 1
        limited = Fault("refuse", "POST", "chat.postMessage", status=429, headers={"Retry-After": "30"})
        house.slack.wire.faults.append(limited)
        house.flag(person="U0BEN", text="4212", title="Another")
        assert Scrape(house)("lanes_closed", service="slack") >= 1
    assert rose("effects_tried_total", kind="issue", outcome="given_up") == 1
    assert rose("api_calls_total", service="github", method="write", outcome="refused") == 1
    assert rose("api_calls_total", service="slack", method="write", outcome="limited") == 1


def test_what_a_service_still_allows_is_told(house: House) -> None:
    """As the headers of its last answer had it: by the resource where GitHub names one that we know."""
    for told, resource, name in ((41, "core", "core"), (7, "made-up", "other")):
        headers = {"X-RateLimit-Remaining": str(told), "X-RateLimit-Resource": resource}
        house.github.wire.faults = [Fault("refuse", "GET", times=None, status=503, headers=headers)]
        house.poll()
        assert Scrape(house)("api_limit_remaining", service="github", resource=name) == told
    house.zendesk.wire.faults.append(Fault("refuse", "GET", status=429, headers={"X-Rate-Limit-Remaining": "0"}))
    house.look_up()
    now = Scrape(house)
    assert now.samples[("api_limit_remaining", ("resource", "all"), ("service", "zendesk"))] == 0


def test_what_is_due_and_undone_has_an_age(house: House) -> None:
    """Where nobody works, the oldest promised call gets older: the alert stands on it."""
    assert Scrape(house)("effect_oldest_undone_seconds") == 0
    house.slack.command("U0ANA", "4211", "C0SUPPORT")
    house.bot.listeners.settle()
    house.slack.submit(house.slack.views("U0ANA")[-1]["id"], {"title": "VAT is wrong"})
    house.clock.advance(timedelta(seconds=1000))
    assert Scrape(house)("effect_oldest_undone_seconds") == 1000


def test_deliveries_are_counted_by_their_source(house: House) -> None:
    """Kept, read or unread, and when the last came; what was refused leaves nothing but a counter."""
    with between(house) as rose:
        assert hook(house, b'{"action": "opened"}') == 202
        assert hook(house, b'{"action": "opened"}', delivery="d-2") == 202
        now = Scrape(house)
        assert (
            now("deliveries", source="github", state="unread"),
            now("deliveries", source="github", state="read"),
        ) == (
            2,
            0,
        )
        assert now("delivery_last_timestamp_seconds", source="github") == house.clock.now().timestamp()
        house.settle()
        assert Scrape(house)("deliveries", source="github", state="read") == 2
        assert post(house, "/webhooks/zendesk", b"{}", {}) == 401
        assert post(house, "/slack/events", b"command=%2Fbug", {}) == 401
    assert rose("webhook_ack_duration_seconds_count", source="github") == 2
    assert rose("webhooks_refused_total", source="zendesk") == 1
    assert rose("slack_requests_refused_total") == 1


def test_nobody_outside_can_make_a_series(house: House) -> None:
    """However many names are knocked at, there is one counter for all of them."""
    before = Scrape(house)
    for n in range(20):
        assert post(house, f"/webhooks/made-up-{n}", b"{}", {}) == 404
    after = Scrape(house)
    assert after.samples.keys() == before.samples.keys()
    assert after("webhooks_unknown_total") == before("webhooks_unknown_total") + 20


def test_no_word_of_a_customer_is_in_it(house: House) -> None:
    """Neither names nor addresses, titles or tickets."""
    house.flag(title="Cart of Céleste breaks")
    house.mend()
    found = Scrape(house)
    labels = {value for family in found.families.values() for one in family.samples for value in one.labels.values()}
    for word in ("Céleste", "acme/shop", "U0ANA", "C0SUPPORT", str(house.zendesk.ticket("4211")["subject"]), "@"):
        assert word not in found.text
    assert not {"4211", "1"} & labels


def test_a_scrape_works_while_the_database_does_not(house: House) -> None:
    """Then `passerelle_up` is 0, the store's figures are absent, and what the process did is told all the same."""
    house.flag()
    with house.bot.store.write() as session:
        session.execute(sa.text("ALTER TABLE issue RENAME TO gone"))
    away = Scrape(house)
    assert (away.samples[("up",)], away.has("issues"), away.has("dead_letters")) == (0, False, False)
    assert away("effects_tried_total", kind="issue", outcome="done") >= 1
    assert away.has("api_calls_total")
    with house.bot.store.write() as session:
        session.execute(sa.text("ALTER TABLE gone RENAME TO issue"))
    back = Scrape(house)
    assert (back("up"), back("issues", project="shop", stage="filed")) == (1, 1)


def test_a_scrape_is_a_few_statements_and_each_has_its_index(house: House) -> None:
    """However much there is: none walks through a table, and their number does not grow."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        asked.append((statement, parameters))

    house.flag()
    hook(house)
    sa.event.listen(house.bot.store.engine, "before_cursor_execute", note)
    Scrape(house)
    sa.event.remove(house.bot.store.engine, "before_cursor_execute", note)
    selects = [one for one in asked if one[0].startswith("SELECT")]
    assert len(selects) <= 8
    for statement, parameters in selects:
        with house.bot.store.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        walks = [str(step[3]) for step in plan if str(step[3]).startswith("SCAN") and "COVERING INDEX" not in step[3]]
        assert walks in ([], ["SCAN lane"]), (statement, walks)  # there are few lanes


def test_digests_are_counted_by_their_names(make_house: Callable[..., House]) -> None:
    """One that is posted is one more; the others stay where they are."""

    def two(config: dict[str, Any]) -> None:
        daily = {"channel": "C0SUPPORT", "timezone": "Europe/Paris"}
        config["digests"] = [
            {**daily, "name": "noon", "cron": "0 12 * * *"},
            {**daily, "name": "six", "cron": "0 18 * * *"},
        ]

    house = make_house(two)
    house.bot.schedule.tick_polls()
    house.flag()
    house.pass_time(hours=2, minutes=10)
    house.bot.schedule.tick_digests()
    house.settle()
    now = Scrape(house)
    assert (now("digests_posted_total", digest="noon"), now("digests_posted_total", digest="six")) == (1, 0)
    house.clock.advance(timedelta(hours=6))
    house.bot.schedule.tick_digests()
    house.clock.advance(timedelta(hours=4))  # Slack could not be reached until it was of no use any more
    house.settle()
    assert Scrape(house)("digests_posted_total", digest="six") == 0


def test_both_forms_of_text_are_spoken(house: House) -> None:
    """Prometheus asks for OpenMetrics and gets it; a browser gets plain text."""
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = httpx2.get(f"{house.server.url}/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert "passerelle_up" in {family.name for family in open_metrics(answer.text)}
    assert httpx2.get(f"{house.server.url}/metrics").headers["content-type"].startswith("text/plain")


def test_names_follow_prometheus_and_the_page(house: House) -> None:
    """Seconds, totals, a sentence for each; docs/operating.md names all of them, and no other, and its alerts too."""
    house.flag()
    house.poll()
    hook(house)
    page = OPERATING.read_text(encoding="utf-8").split("\n## Metrics\n")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| `(passerelle_\w+)", page, re.M))
    there = {family.name + ("_total" if family.type == "counter" else "") for family in Scrape(house).families.values()}
    ours = {name for name in there if name.startswith("passerelle_")}
    assert ours - told == set()
    assert told - ours <= {"passerelle_api_limit_remaining"}  # of services that tell one
    for family in Scrape(house).families.values():
        assert family.documentation
        assert not any(word in family.name for word in ("_age_minutes", "_ms", "millis"))
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
    (alerts,) = [
        one for text in re.findall(r"```yaml\n(.*?)```", page, re.S) if "groups" in (one := yaml.safe_load(text))
    ]
    asked = {name for rule in alerts["groups"][0]["rules"] for name in re.findall(r"passerelle_\w+", rule["expr"])}
    assert len(alerts["groups"][0]["rules"]) == 3
    assert asked <= ours
