"""What digests say: through the stand-in Slack, with few issues and with many."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.configuration import Digest
from bot.model import Kind, News, Severity, Stage, WriteBack
from bot.store.tables import Escalation, History, Issue, NewsItem, Ticket, WriteBackRow
from integrations.sandbox.blocks import characters
from tests.conftest import House, said

CHANNEL = "C0SUPPORT"
Make = Callable[..., House]


def configured(*digests: dict[str, Any], **web: Any) -> Callable[[dict[str, Any]], None]:
    """A configuration with these digests, each at nine in UTC unless it says otherwise."""

    def change(config: dict[str, Any]) -> None:
        usual = {"name": "morning", "cron": "0 9 * * *", "timezone": "UTC"}
        config["digests"] = [usual | one for one in digests]
        config.update(web)

    return change


def morning(house: House, name: str = "morning") -> None:
    """The clock reaches the digest's slot, and the bot does what is due."""
    house.bot.schedule.tick_digest(wanted(house, name))
    house.settle()


def wanted(house: House, name: str = "morning") -> Digest:
    return next(one for one in house.bot.settings.config.digests if one.name == name)


def posted(house: House, channel: str = CHANNEL) -> list[dict[str, Any]]:
    return [one for one in house.slack.messages(channel) if one.get("bot_id")]


def digest(house: House, channel: str = CHANNEL) -> str:
    """What the newest digest says, without its bare text."""
    return plain(posted(house, channel)[-1])


def plain(message: dict[str, Any]) -> str:
    """What a message says, without its bare text, and with usual spaces."""
    return said({"blocks": message["blocks"]}).replace("\u202f", " ").replace("\xa0", " ")


def section(text: str, name: str) -> str:
    """The lines under a heading that begins like that, the heading too; "" where there is none."""
    lines = text.splitlines()
    begins = next((at for at, line in enumerate(lines) if line.startswith(name)), None)
    if begins is None:
        return ""
    inside = [lines[begins]]
    for line in lines[begins + 1 :]:
        if "#" not in line and " for " not in line:
            break
        inside.append(line)
    return "\n".join(inside)


def add(house: House, number: int, customers: int = 1, agent: str = "U0ANA", **columns: Any) -> str:
    """An issue with its customers, as the bot would have it; returns its id."""
    now = house.clock.now()
    at = columns.pop("created_at", now - timedelta(days=30))
    with house.bot.store.write() as session:
        issue = Issue(
            **{
                "project": "shop",
                "tracker": "github",
                "repository": "acme/shop",
                "number": number,
                "title": f"Bug {number}",
                "kind": Kind.BUG,
                "severity": Severity.NORMAL,
                "stage": Stage.FILED,
                "stage_since": at,
                "support_dev": "U0LEO",
                "channel": "C0SUPPORTDEV",
                **columns,
            },
            created_at=at,
        )
        for n in range(customers):
            ticket = Ticket(number=f"{number}-{n}", subject="x", customer_name=f"Customer {n}", waiting_since=at)
            session.add(Escalation(ticket=ticket, issue=issue, agent=agent, title="x", flagged_at=at))
        session.add(issue)
        session.flush()
        return issue.id


# --- what is unresolved -----------------------------------------------------------------------------------------------


def test_each_issue_stands_where_it_matters_most_and_once(make_house: Make) -> None:
    """Promised before new, new before crowded, crowded before old; what is fixed stands by itself."""
    house = make_house(configured({"channel": CHANNEL}))
    now = house.clock.now()
    today = now.date()
    add(house, 1, 9, promised_on=today - timedelta(days=2), created_at=now - timedelta(hours=2))
    add(house, 2, promised_on=today + timedelta(days=2))
    add(house, 3, 5, created_at=now - timedelta(hours=3))
    add(house, 4, 4)
    add(house, 5, created_at=now - timedelta(days=90))
    add(house, 6, 7, stage=Stage.FIXED, created_at=now - timedelta(days=100))
    add(house, 7, stage=Stage.SHIPPED, stage_since=now - timedelta(hours=1))

    morning(house)

    text = digest(house)
    title, summary = text.splitlines()[:2]
    assert title == "6 open issues"
    assert summary == "27 customers wait. Since Sunday, 9:00 AM, 2 issues came and 1 left the list."
    promised = section(text, "Promised: 2 · 1 overdue")
    assert promised.index("shop#1 ") < promised.index("shop#2 ")
    assert "overdue: promised for Sat, Feb 28" in promised
    assert "promised for Wed, Mar 4" in promised
    assert section(text, "New: 2").count("\n") == 1
    assert "shop#3 Bug 3 · 5 customers" in section(text, "New: 2")
    assert section(text, "Most customers waiting").count("#") == 1
    assert "shop#4 " in section(text, "Most customers waiting")
    assert "shop#5 " in section(text, "Waiting longest")
    assert "shop#6 " in section(text, "Fixed, not shipped yet: 1 · 7 customers")
    assert "shop#7 Bug 7 · Shipped" in section(text, "Off the list: 1 shipped")
    assert [text.count(f"shop#{number} ") for number in range(1, 8)] == [1] * 7


def test_who_has_to_write_back_stands_with_how_many_and_how_long(make_house: Make) -> None:
    """Shipped is not done: each agent with their customers, and since when the first waits."""
    house = make_house(configured({"channel": CHANNEL}))
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4213", title="The export is empty")
    house.mend(1)
    house.clock.advance(timedelta(days=3))
    morning(house)
    assert section(digest(house), "To write back to: 1 customer").endswith("Ana Moreau: 1, the first for 3 days")
    house.write_back()
    house.clock.advance(timedelta(days=1))
    morning(house)
    assert "To write back to" not in digest(house)


def test_what_left_since_the_last_one_stands_there_once(make_house: Make) -> None:
    """Shipped, declined, or the same as another; the next digest does not say it again."""
    house = make_house(configured({"channel": CHANNEL}))
    now = house.clock.now()
    kept = add(house, 1)
    add(house, 2, stage=Stage.DECLINED, stage_since=now - timedelta(hours=5))
    joined = add(house, 3, 0, joined=kept)
    with house.bot.store.write() as session:
        session.add(History(issue_id=joined, at=now - timedelta(hours=4), what="duplicate"))
    morning(house)
    gone = section(digest(house), "Off the list: 1 declined and 1 the same as another")
    assert "shop#2 Bug 2 · Declined" in gone
    assert "shop#3 Bug 3 · the same as acme/shop#1" in gone
    house.clock.advance(timedelta(days=1))
    morning(house)
    assert "Off the list" not in digest(house)
    assert "Nothing came and nothing left since Monday, 9:00 AM." in digest(house)


def test_an_empty_digest_is_one_warm_line(make_house: Make) -> None:
    """Nothing to do is worth saying, shortly."""
    house = make_house(configured({"channel": CHANNEL}))
    morning(house)
    assert digest(house) == "Nothing waits today: no open escalations, and every customer has heard."


def test_what_nobody_waits_for_is_not_on_the_list(make_house: Make) -> None:
    """An issue whose tickets were all taken off, and one that joined another, are nobody's business."""
    house = make_house(configured({"channel": CHANNEL}))
    one = add(house, 1)
    add(house, 2, joined=one)
    with house.bot.store.write() as session:
        session.execute(sa.update(Escalation).values(taken_off=house.clock.now()))
    morning(house)
    assert "Nothing waits today" in digest(house)


FILTERS = [
    ({"projects": ["shop"]}, "Web shop", {1, 3, 4, 5, 6}),
    ({"severities": ["critical", "high"]}, "Critical · High", {3}),
    ({"kinds": ["tooling"]}, "Support tooling", {4}),
    ({"stages": ["acknowledged", "fixed"]}, "In hand · Fixed, not shipped yet", {5, 6}),
    ({"team": ["U0BEN"]}, "one team’s tickets", {6}),
]


@pytest.mark.parametrize(("filters", "words", "left"), FILTERS)
def test_a_filter_holds_everywhere_in_the_digest(
    make_house: Make, filters: dict[str, Any], words: str, left: set[int]
) -> None:
    """Lists, counts, write-backs, what left, and the whole list: all of it is of those issues alone."""
    house = make_house(configured({"channel": CHANNEL, **filters}), gitlab=True)
    now = house.clock.now()
    add(house, 1)
    add(house, 2, project="app")
    add(house, 3, severity=Severity.HIGH)
    add(house, 4, kind=Kind.TOOLING)
    add(house, 5, stage=Stage.ACKNOWLEDGED)
    add(house, 6, stage=Stage.FIXED, agent="U0BEN")
    add(house, 12, project="app", agent="U0MAYA", stage=Stage.SHIPPED, stage_since=now - timedelta(hours=1))
    owe(house, 12, "U0MAYA")
    morning(house)
    text = digest(house)
    assert f"Only: {words}" in text
    assert text.startswith(f"{len(left)} open issue")
    assert {number for number in range(1, 13) if f"shop#{number} " in text.partition("Off the list")[0]} <= left
    assert ("Off the list: 1 shipped" in text) == ("stages" in filters)
    assert "To write back to" not in text
    house.press("U0ANA", "digest_list", CHANNEL)
    assert {number for number in range(1, 13) if f"shop#{number} " in house.modal()} == left


def owe(house: House, number: int, agent: str, state: WriteBack = WriteBack.DUE) -> None:
    """The customers of that issue wait for news of its end."""
    with house.bot.store.write() as session:
        issue = session.scalars(sa.select(Issue).where(Issue.number == number)).one()
        news = NewsItem(issue_id=issue.id, kind=News.SHIPPED, cause=f"c{number}", at=house.clock.now())
        session.add(news)
        session.flush()
        for escalation in issue.escalations:
            session.add(
                WriteBackRow(
                    escalation_id=escalation.id, news_id=news.id, agent=agent, due_at=house.clock.now(), state=state
                )
            )


def test_of_write_backs_those_of_the_team_alone_count(make_house: Make) -> None:
    """Both teams are on one issue: each reads of its own agents."""
    house = make_house(configured({"channel": CHANNEL, "team": ["U0BEN"]}))
    house.bot.schedule.tick_polls()
    house.flag("U0ANA", "4211")
    with house.bot.store.write() as session:
        ticket = Ticket(subject="x", customer_name="Jonas", waiting_since=house.clock.now())
        issue = session.scalars(sa.select(Issue)).one()
        session.add(
            Escalation(ticket=ticket, issue=issue, agent="U0BEN", title="x", flagged_at=house.clock.now()),
        )
    house.mend()
    house.clock.advance(timedelta(hours=1))
    morning(house)
    owed = section(digest(house), "To write back to: 1 customer")
    assert "Ben Okafor" in owed
    assert "Ana Moreau" not in owed


def test_a_team_is_whoever_its_groups_and_channels_hold(make_house: Make) -> None:
    """Ids of a user group, a channel and a person; also who only follows a ticket flagged it."""
    house = make_house(configured({"channel": CHANNEL, "team": ["S0BACK", "U0MAYA"]}))
    house.slack.workspace.usergroups["S0BACK"] = {"id": "S0BACK", "handle": "back", "users": ["U0BEN"]}
    house.flag("U0ANA", "4211")
    house.flag("U0ANA", "4213", title="The export is empty")
    house.flag("U0BEN", "4211")
    morning(house)
    text = digest(house)
    assert text.startswith("1 open issue")
    assert "VAT is wrong" in text


# --- who reads it -----------------------------------------------------------------------------------------------------


def test_a_person_gets_theirs_directly_and_in_their_language(make_house: Make) -> None:
    """Not in the channel, in French for Léo, and with the times of the digest's own zone."""
    house = make_house(configured({"person": "U0LEO", "timezone": "America/New_York", "cron": "0 4 * * *"}))
    house.slack.workspace.people["U0LEO"]["locale"] = "fr-FR"
    add(house, 1, created_at=house.clock.now() - timedelta(hours=1))
    morning(house)
    assert posted(house) == []
    [told] = house.told("U0LEO")
    assert "1 issue ouverte" in told
    assert "Depuis dimanche à 04:00, 1 issue est arrivée" in told


def test_a_channel_has_its_own_language(make_house: Make) -> None:
    """One digest in French, whatever the house speaks."""
    house = make_house(configured({"channel": CHANNEL, "language": "fr"}))
    add(house, 1)
    morning(house)
    assert "1 issue ouverte" in digest(house)


def test_the_dashboard_is_one_click_away_where_there_is_one(make_house: Make) -> None:
    """With sign-in configured, the address of the same list, filters and all; else no such button."""
    web = {"public_url": "https://p.acme.example", "sign_in": {"client_id": "1.2", "client_secret": "s"}}
    filters = {"channel": CHANNEL, "projects": ["shop"], "severities": ["high", "low"], "stages": ["filed"]}
    house = make_house(configured(filters, {"name": "all", "channel": CHANNEL}, web=web))
    add(house, 1, severity=Severity.HIGH)
    morning(house)
    morning(house, "all")
    found = [one["url"] for message in posted(house) for one in buttons(message) if one["action_id"] == "open"]
    query = "project=shop&severity=high&severity=low&stage=filed"
    assert found == [f"https://p.acme.example/?{query}", "https://p.acme.example/"]


def buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [one for block in message["blocks"] if block["type"] == "actions" for one in block["elements"]]
    return [*rows, *(block["accessory"] for block in message["blocks"] if "accessory" in block)]


def test_no_dashboard_without_sign_in(make_house: Make) -> None:
    """Where nobody can sign in, nobody is sent."""
    house = make_house(configured({"channel": CHANNEL}))
    add(house, 1)
    morning(house)
    assert [one["action_id"] for one in buttons(posted(house)[-1])] == ["digest_list"]


def test_a_late_digest_says_when_it_was_due(make_house: Make) -> None:
    """Slack was away at nine: it comes at ten, once, and says so; one in time does not."""
    house = make_house(configured({"channel": CHANNEL}))
    add(house, 1)
    house.bot.schedule.tick_polls()
    house.clock.advance(timedelta(hours=1))
    morning(house)
    assert "It was due at 9:00 AM, and could not be posted then." in digest(house)
    house.clock.advance(timedelta(hours=23))
    morning(house)
    assert "It was due" not in digest(house)
    assert len(posted(house)) == 2


# --- the picture ------------------------------------------------------------------------------------------------------


def flowing(house: House) -> None:
    now = house.clock.now()
    add(house, 1, created_at=now - timedelta(days=15))
    add(house, 2, created_at=now - timedelta(days=8))
    add(house, 3, created_at=now - timedelta(days=9), stage=Stage.SHIPPED, stage_since=now - timedelta(hours=30))


def test_the_picture_says_what_stands_in_words_too(make_house: Make) -> None:
    """Slack's own chart: what came and what was settled, week by week."""
    house = make_house(configured({"channel": CHANNEL}))
    flowing(house)
    morning(house)
    [chart] = [block for block in posted(house)[-1]["blocks"] if block["type"] == "data_visualization"]
    came, settled = ([point["value"] for point in one["data"]] for one in chart["chart"]["series"])
    assert came == [1, 2, 0, 0][: len(came)]
    assert settled == [0, 0, 1, 0][: len(settled)]
    assert chart["chart"]["axis_config"]["categories"] == ["Feb 9", "Feb 16", "Feb 23", "Mar 2"]
    assert "New/settled by week: Feb 9: 1/0 · Feb 16: 2/0 · Feb 23: 0/1 · Mar 2: 0/0" in digest(house)


def test_where_slack_takes_no_charts_the_digest_comes_without(make_house: Make) -> None:
    """It is posted once all the same, and the next one is not tried with a chart again."""
    house = make_house(configured({"channel": CHANNEL}))
    house.slack.workspace.charts = False
    flowing(house)
    morning(house)
    house.clock.advance(timedelta(days=1))
    morning(house)
    assert len(posted(house)) == 2
    assert all("data_visualization" not in str(one["blocks"]) for one in posted(house))
    assert "New/settled by week" in digest(house)
    assert len(house.slack.wire.calls_to("POST", "/api/chat.postMessage")) == 3


# --- the whole list, and asking for it --------------------------------------------------------------------------------


def test_the_whole_list_has_its_pages(make_house: Make) -> None:
    """Stage by stage, twenty on a page, further and back."""
    house = make_house(configured({"channel": CHANNEL}))
    for number in range(1, 46):
        add(house, number, stage=Stage.FIXED if number <= 5 else Stage.FILED)
    morning(house)
    house.press("U0ANA", "digest_list", CHANNEL)
    first = house.modal()
    assert "Fixed, not shipped yet · 5" in first
    assert "Filed · 40" in first
    assert "1 to 20 of 45" in first
    seen = numbers(first)
    for _ in range(2):
        view = house.slack.views("U0ANA")[-1]
        assert house.slack.press_in_view(view["id"], "digest_further").ok
        seen += numbers(house.modal())
    assert "41 to 45 of 45" in house.modal()
    assert sorted(seen) == list(range(1, 46))


def numbers(text: str) -> list[int]:
    return [int(line.split("#")[1].split()[0]) for line in text.splitlines() if "shop#" in line]


def test_a_guest_cannot_open_the_list(make_house: Make) -> None:
    """Who may not see, reads a sentence."""
    house = make_house(configured({"channel": CHANNEL}))
    add(house, 1)
    morning(house)
    house.slack.workspace.conversations[CHANNEL].members.append("U0GUEST")
    house.press("U0GUEST", "digest_list", CHANNEL)
    assert "shop#1" not in house.modal("U0GUEST")


def test_asking_for_a_digest_by_its_name(make_house: Make) -> None:
    """`/bug digest` is the first of what is unresolved, `/bug digest queue` that one, and a title stays a title."""
    house = make_house(
        configured({"name": "queue", "about": "queue"}, {"name": "high", "channel": CHANNEL, "severities": ["high"]})
    )
    add(house, 1)
    add(house, 2, severity=Severity.HIGH)
    house.slack.command("U0LEO", "digest", CHANNEL)
    assert "1 open issue" in house.whispered("U0LEO")
    house.slack.command("U0LEO", "digest queue", CHANNEL)
    assert "Your queue: 2 issues" in house.whispered("U0LEO")


# --- many -------------------------------------------------------------------------------------------------------------


def test_a_thousand_issues_fit_and_are_quick(make_house: Make) -> None:
    """Fifty blocks and 13,200 characters are never passed, and the list opens within Slack's three seconds."""
    house = make_house(configured({"channel": CHANNEL}, {"name": "queue", "about": "queue"}))
    now = house.clock.now()
    rows = [
        {
            "id": f"{n:016x}", "project": "shop", "tracker": "github", "repository": "acme/shop", "number": n,
            "url": f"https://github.example/acme/shop/issues/{n}", "title": f"{n} " + "long words & <more> " * 12,
            "kind": Kind.BUG, "severity": list(Severity)[n % 4], "stage": list(Stage)[n % 6],
            "stage_since": now - timedelta(hours=n), "support_dev": "U0LEO", "channel": "C0SUPPORTDEV",
            "created_at": now - timedelta(hours=n), "promised_on": now.date() if n % 7 == 0 else None,
        }
        for n in range(1, 1_001)
    ]  # fmt: skip
    with house.bot.store.write() as session:
        session.execute(sa.insert(Issue), rows)
        for row in rows:
            for customer in range(1 + row["number"] % 3):
                id = f"{row['number']:08x}{customer:08x}"
                at = row["created_at"]
                session.execute(sa.insert(Ticket), [{"id": id, "waiting_since": at}])
                carried = {"id": id, "ticket_id": id, "issue_id": row["id"], "agent": "U0ANA", "title": "x"}
                session.execute(sa.insert(Escalation), [{**carried, "flagged_at": at}])
    morning(house)
    morning(house, "queue")
    for message in (posted(house)[-1], house.slack.dm("U0LEO")[-1]):
        assert len(message["blocks"]) <= 50
        assert characters(message["blocks"]) <= 13_200
        assert buttons(message)[-1]["action_id"] == "acknowledge" or buttons(message)[0]["action_id"] == "digest_list"
    assert digest(house).startswith("667 open issues")
    begun = time.monotonic()
    house.press("U0ANA", "digest_list", CHANNEL)
    assert time.monotonic() - begun < 3
    assert "1 to 20 of 667" in house.modal()
