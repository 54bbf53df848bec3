"""Every view and message: within Slack's limits whatever people write, harmless, and saying what it must."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from bot.model import Kind, News, Severity, Stage, WriteBack
from bot.slack import views
from bot.slack.views import digest as digests, parts
from bot.texts import Say
from integrations.sandbox.blocks import problems

SAY = Say("en", "Europe/Paris")
FRENCH = Say("fr", "Europe/Paris")
HOSTILE = {
    "plain": "The cart forgets the voucher",
    "empty": "",
    "blank": " \n\t ",
    "300 characters": "Checkout fails when the voucher holds an accent " * 7,
    "200 kB": "The page stays white after paying. " * 5_900,
    "one long word": "a" * 200_000,
    "markup": "<!channel> <@U0LEO> <!here|x> <https://evil.example|bank> *bold* `code` & @everyone > " * 60,
    "ampersands": "&<>" * 5_000,
    "emoji": "👩‍👩‍👧‍👦🇫🇷🤷🏽‍♀️" * 2_000,
    "right to left": "\u202eالقسيمة لا تعمل\u202c \u2066עברית\u2069 " * 500,
    "control": "a\x00b\x1b[31m\u2028c\ud800d\r\n" * 500,
    "braces": "{name} {0} {a.__class__} %s %(n)s {" * 20,
    "quotes": '"\\"' * 5_000,
}


def facts(text: str, n: int = 1) -> views.TicketFacts:
    return views.TicketFacts(
        ticket=views.TicketName(
            number=text[:5_000] or "4211",
            url=f"https://acme.example/tickets/{4210 + n}?q={'&' * (350 if n % 2 else 900)}",
            helpdesk=text,
        ),
        subject=text,
        customer=text,
        organisation=text,
        plan=text,
        language=text[:50_000] or "fr",
        waited=timedelta(days=n),
        words=text,
        attachments=(text,) * 30,
        tags=(text,) * 30,
    )


def everything(say: Say, text: str) -> Iterator[tuple[str, Any]]:
    """Each view and message, with `text` wherever people or services decide what stands there."""
    issue = views.IssueName(title=text, label=text, url="https://github.example/acme/shop/issues/12?" + "&" * 350)
    proof = views.Proof(
        sha="3f2a91c0",
        sha_url=text,
        pull=412,
        pull_url="https://x.example/",
        version=text,
        copy=text,
        others=(views.Link(text, text),) * 9,
    )
    places = tuple(
        views.Where(name=text, url=text, environment=True, since=datetime(2026, 11, 3, 12, tzinfo=UTC))
        for _ in range(3)
    )
    proofs = [
        proof,
        views.Proof(sha="3f2a91c0", places=places),
        views.Proof(word=text, by=text),
        *(
            views.Proof(back=back, back_by=places[0])
            for back in ("reverted", "rolled_back", "failed", "deleted", "reopened")
        ),
    ]
    ticket = facts(text).ticket
    form = views.FlagForm(
        before=views.Before(issue=issue, version=text),
        facts=facts(text),
        note=text,
        link_only=True,
        public=("Web shop",),
        redacted={"card number": 1, "e-mail address": 2, "fingerprint": 1},
        already=views.Already(issue=issue, by=text),
        projects=tuple((f"p{n}", text) for n in range(150)),
        similar=True,
        files=(text,) * 30,
        initial={"title": text, "summary": text, "kind": text},
    )
    yield "looking", views.flag_looking(say, "d1", ticket)
    left = views.Left(draft_id="d0", number=text, title=text)
    yield "ask ticket", views.flag_ask_ticket(say, "d1", text, left)
    yield "offer", views.flag_offer(say, "d1", ticket)
    yield "no offer", views.flag_not_yours(say)
    under = views.Card(issue_id="i1", issue=issue, stage=Stage.FIXED, waiting=9, shipped_when="deployed")
    yield "under a link", views.Post("a link", views.preview(say, under, text))
    yield "form", views.flag_form(say, "d1", form)
    pasted = {"words": text, "customer": text}
    yield "form without facts", views.flag_form(say, "d1", views.FlagForm(note=text, initial=pasted))
    yield "refused flag", views.flag_refused(say, f"No ticket: {text}")
    yield "decline", views.decline(say, "i1", text, 3)
    yield "finding", views.finding(say, text, text, text, text)
    yield "carry", views.carry(say, "i1", text, [(f"p{n}", text) for n in range(150)])
    yield "mark fixed", views.mark_fixed(say, "i1", text)
    yield "moved", views.moved(say, [ticket] * 90, issue)
    yield "gone", views.gone(say, "i1", issue, 4)
    yield "unnamed", views.unnamed(say, "i1", issue, text)
    yield "joined card", views.card(say, views.Card(issue_id="i1", issue=issue, stage=Stage.FILED, joined=issue))
    yield "gone card", views.card(say, views.Card(issue_id="i1", issue=issue, stage=Stage.FILED, wanted="gone"))
    yield "skip", views.skip(say, "w1", facts(text))
    for n, (news, shown) in enumerate(product(News, proofs)):
        line = views.NewsLine(news=news, issue=issue, reason=text, proof=shown)
        yield f"write back {news} {n}", views.write_back(say, "w1", views.WriteBackForm(facts=facts(text), news=line))
    for n, (stage, shown) in enumerate(product(Stage, proofs)):
        data = views.Card(
            issue_id="i1", issue=issue, stage=stage, agents=(text,) * 30, waiting=9, reason=text, proof=shown
        )
        yield f"card {stage} {n}", views.card(say, data)
    waits = views.Card(issue_id="i1", issue=issue, stage=Stage.FIXED, shipped_when="deployed", waits_for=(text,) * 30)
    yield "card that waits", views.card(say, waits)
    yield "stuck card", views.card(say, views.Card(issue_id="i1", issue=issue, stage=Stage.FILING, stuck=text))
    for n in (1, 8, 50, 400):
        yield f"round of {n}", views.round_(say, a_round(n, text))
    many = tuple(a_round(5, text).issues[0] for _ in range(60))
    yield "round of 60 issues", views.round_(say, views.Round(issues=many))
    row = views.Row(write_back_id="w1", facts=facts(text))
    yield "bared", views.bared(say, f"acme/{text}", [issue] * 90)
    yield "delayed", views.delayed(say, a_round(1, text).issues[0].rows[0], text)
    yield "sentence", views.sentence(say, f"No. {text}")
    yield "uncertain", views.uncertain(say, row, issue)
    yield "refused", views.refused(say, row, text, text)
    yield "filed", views.filed(say, ticket, issue)
    yield "attached", views.attached(say, ticket, issue)
    yield "followed", views.followed(say, ticket, issue, text)
    yield "yours", views.yours_already(say, ticket, issue)
    yield "failed", views.filing_failed(say, ticket, text, text, text)
    yield "joined", views.joined(say, ticket, issue, text, same_ticket=False)
    yield "joined same", views.joined(say, ticket, issue, text, same_ticket=True)
    yield "reason wanted", views.reason_wanted(say, "i1", issue, 4, ("U0LEO", text))
    yield "fix wanted", views.fix_wanted(say, "i1", issue, 4, ("U0LEO", text))
    ranked = (digests.DigestLine(issue=issue, age=timedelta(days=3), customers=4),) * 40
    now = datetime(2026, 11, 3, 12, tzinfo=UTC)
    everything = digests.Digest(
        since=now, now=now, open=40, new_count=40, owed_count=9,
        named={"promised": ranked, "new": ranked, "crowded": ranked, "oldest": ranked, "fixed": ranked},
        owed=(digests.Owing(text, 3, timedelta(days=2)),) * 40,
    )  # fmt: skip
    yield "digest", digests.digest(say, everything)
    for who in (views.Abilities(), views.Abilities(flags=True), views.Abilities(decides=(text,) * 9, leads=True)):
        yield f"help {who.flags} {who.leads}", views.help_(say, "/bug", who)
    mine = [
        views.MineLine(issue=issue, stage=Stage.SHIPPED, facts=facts(text, n), write_back_id=f"w{n}" if n % 2 else "")
        for n in range(200)
    ]
    yield "mine", views.mine(say, mine)
    history = (views.HistoryLine(at=datetime(2026, 11, 3, 12, tzinfo=UTC), what=text, by=text),) * 100
    status = views.Status(issue=issue, stage=Stage.FIXED, ticket=ticket, agent=text, proof=proof, history=history)
    yield "status", views.status(say, status)


def a_round(n: int, text: str = "", *, owner: str = "", news: News = News.SHIPPED) -> views.Round:
    issue = views.IssueName(title=text or "Voucher is forgotten", label="acme/shop#12", url="https://x.example/12")
    line = views.NewsLine(
        news=news,
        issue=issue,
        reason=text,
        proof=views.Proof(sha="3f2a91c0", pull=412, pull_url="https://x.example/412", version="v2.18.0"),
    )
    rows = tuple(
        views.Row(
            write_back_id=f"w{i}",
            facts=facts(text, i)
            if text
            else views.TicketFacts(
                ticket=views.TicketName(number=str(4211 + i), url=f"https://acme.example/tickets/{4211 + i}"),
                customer=f"Camille Roux {i}",
                language="fr",
                waited=timedelta(days=3),
                words="Bonjour,\n\nle bon de réduction disparaît du panier au moment de payer. " * 20,
            ),
        )
        for i in range(n)
    )
    return views.Round(issues=(views.RoundIssue(news=line, rows=rows, owner=owner),))


def texts(value: Any, kind: str = "") -> Iterator[str]:
    """The texts of all objects of that type ("" = of any), over all depths."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str) and (not kind or value.get("type") == kind):
            yield value["text"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item, kind)


def buttons(value: Any) -> list[tuple[str, str]]:
    """(action_id, value) of each button, top to bottom."""
    if isinstance(value, dict):
        own = [(value["action_id"], value.get("value", ""))] if value.get("type") == "button" else []
        return own + buttons(list(value.values()))
    return [found for item in value for found in buttons(item)] if isinstance(value, list) else []


def inputs(view: Any) -> dict[str, Any]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


@pytest.mark.parametrize("say", [SAY, FRENCH], ids=["english", "french"])
@pytest.mark.parametrize("name", HOSTILE)
def test_slack_takes_every_view_whatever_people_write(name: str, say: Say) -> None:
    """No limit is passed, no call to a channel survives, and a message always has its plain text."""
    for what, made in everything(say, HOSTILE[name]):
        blocks = made.blocks if isinstance(made, views.Post) else made["blocks"]
        assert problems(made.blocks if isinstance(made, views.Post) else made) == [], what
        assert blocks, what
        json.dumps(blocks).encode()
        assert not any("<!" in text or "<@" in text for text in texts(blocks, "mrkdwn")), what
        if isinstance(made, views.Post):
            assert 0 < parts.units(made.text) <= 3_000, what
            assert "<" not in made.text, what
            assert parts.size(blocks) <= 13_200, what


def test_the_same_data_gives_the_same_view() -> None:
    """An unchanged card must not be edited, so a view depends on its data alone."""
    assert list(everything(SAY, "x")) == list(everything(Say("en", "Europe/Paris"), "x"))


def test_inputs_carry_their_name_twice_and_buttons_an_id() -> None:
    """The listeners find a field by one name, and the thing meant by a button in its value."""
    for what, made in everything(SAY, "x"):
        blocks = made.blocks if isinstance(made, views.Post) else made["blocks"]
        for block in blocks:
            if block["type"] == "input":
                assert block["block_id"] == block["element"]["action_id"], what
        for action, value in buttons(blocks):
            assert value or action == "open", what


def test_the_first_view_asks_nothing() -> None:
    """Slack keeps the state of an input that an update repeats, so the first view has none and cannot be submitted."""
    view = views.flag_looking(SAY, "d1", views.TicketName(number="4211", helpdesk="Zendesk"))
    assert inputs(view) == {}
    assert "submit" not in view
    assert view["private_metadata"] == "d1"
    assert list(texts(view["blocks"])) == ["Looking up ticket 4211 in Zendesk…"]


def test_a_known_ticket_asks_only_what_nobody_knows() -> None:
    """With facts, one project and nothing similar, the form leaves out words, customer, project and similar."""
    view = views.flag_form(SAY, "d1", views.FlagForm(facts=facts("x"), projects=(("shop", "Web shop"),)))
    assert list(inputs(view)) == ["title", "summary", "kind", "severity"]
    assert inputs(view)["kind"]["element"]["initial_option"]["value"] == Kind.BUG
    assert inputs(view)["severity"]["element"]["initial_option"]["value"] == Severity.NORMAL


def test_without_a_helpdesk_the_words_are_pasted() -> None:
    """The form asks for the customer's words, and keeps what the agent typed before."""
    note = "Zendesk does not answer. You can paste the customer's words below."
    form = views.FlagForm(note=note, projects=(("shop", "Shop"), ("app", "App")), initial={"title": "It breaks"})
    view = views.flag_form(SAY, "d1", form)
    assert {"words", "customer", "project"} <= set(inputs(view))
    assert inputs(view)["title"]["element"]["initial_value"] == "It breaks"
    assert note in list(texts(view["blocks"]))


def test_the_form_warns_before_anything_leaves() -> None:
    """A public repository and what will be redacted are said in the form."""
    form = views.FlagForm(
        facts=facts("x"), link_only=True, public=("Shop",), redacted={"card number": 1, "e-mail address": 2}
    )
    said = " ".join(texts(views.flag_form(SAY, "d1", form)["blocks"]))
    assert "Will be left out: 1 card number and 2 e-mail addresses." in said
    assert "This repository is public" in said


def test_a_ticket_already_carried_is_followed() -> None:
    """The form says by whom and where; following needs no title, and a second issue is an explicit choice."""
    issue = views.IssueName(title="Voucher", label="acme/shop#12", url="https://x.example/12")
    view = views.flag_form(SAY, "d1", views.FlagForm(facts=facts("x"), already=views.Already(issue=issue, by="Ana")))
    said = "".join(texts(view["blocks"]))
    assert "Already carried to acme/shop#12 by Ana. Submitting makes you follow it." in said
    assert view["submit"]["text"] == "Follow"
    assert inputs(view)["title"]["optional"]
    assert inputs(view)["again"]["element"]["options"][0]["value"] == "again"


def test_the_write_back_page_is_blank_beside_the_facts() -> None:
    """No words are put in the agent's mouth; the customer's own, the version and the proof stand beside."""
    data = a_round(1).issues[0]
    view = views.write_back(SAY, "w0", views.WriteBackForm(facts=data.rows[0].facts, news=data.news))
    said = "".join(texts(view["blocks"]))
    assert "initial_value" not in inputs(view)["reply"]["element"]
    assert "Fixed in v2.18.0: Voucher is forgotten" in said
    assert "merged in #412 (3f2a91c) · in v2.18.0" in said
    assert "le bon de réduction disparaît" in said
    assert "This goes to Camille Roux 0 as a public reply on ticket 4211, in your words." in said


def test_a_french_customer_is_named_in_the_readers_language() -> None:
    """The customer's words stay French; all around them is the agent's English."""
    said = "".join(texts(views.round_(SAY, a_round(1)).blocks))
    assert "Bonjour,\nle bon de réduction" in said
    assert "French · waited 3 days" in said


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage.FILING, []),
        (Stage.FILED, ["acknowledge", "mark_fixed", "ask", "workaround", "change", "decline"]),
        (Stage.ACKNOWLEDGED, ["mark_fixed", "ask", "workaround", "change", "decline"]),
        (Stage.FIXED, ["mark_fixed", "ask", "workaround", "change", "decline"]),
        (Stage.SHIPPED, []),
        (Stage.DECLINED, []),
    ],
)
def test_the_card_offers_what_its_stage_allows(stage: Stage, expected: list[str]) -> None:
    """Only buttons that would do something, each with the issue's id, and the way to the issue."""
    issue = views.IssueName(title="Voucher", label="acme/shop#12", url="https://x.example/12")
    made = views.card(SAY, views.Card(issue_id="i1", issue=issue, stage=stage, waiting=1))
    assert buttons(made.blocks) == [*((action, "i1") for action in expected), ("open", "")]


def test_the_card_says_what_comes_next() -> None:
    """Fixed is not shipped: the card names the commit that a release must contain."""
    issue = views.IssueName(title="Voucher", label="acme/shop#12", url="https://x.example/12")
    fixed = views.Card(
        issue_id="i1",
        issue=issue,
        stage=Stage.FIXED,
        agents=("Ana", "Ben"),
        waiting=2,
        longest=timedelta(days=3),
        proof=views.Proof(sha="3f2a91cdeadbeef"),
    )
    said = views.card(SAY, fixed).text
    assert "Waits for a release that contains 3f2a91c." in said
    assert "From Ana, Ben. 2 customers wait, the longest for 3 days." in said


@pytest.mark.parametrize("n", [1, 3, 8, 50, 400])
def test_a_round_accounts_for_every_customer(n: int) -> None:
    """Each is shown, or a button shows them all; the first ones have their buttons."""
    made = views.round_(SAY, replace(a_round(n), id="r1"))
    said = "\n".join(texts(made.blocks))
    shown = sum(any(f"Camille Roux {i}{end}" in said for end in "\n *") for i in range(n))
    left = n - shown
    assert ("crowd", "r1") in buttons(made.blocks) or left == 0
    can_write = [value for action, value in buttons(made.blocks) if action == "write_back"]
    assert can_write == [f"w{i}" for i in range(len(can_write))]
    assert len(can_write) >= min(n, 8)
    assert shown >= min(n, 20)


def test_a_follower_hears_but_has_no_buttons() -> None:
    """Those who follow are told who writes back."""
    made = views.round_(SAY, a_round(2, owner="Ana"))
    assert buttons(made.blocks) == []
    assert "Ana writes back; you follow." in made.text


def test_one_fix_with_followed_customers_is_one_fix() -> None:
    """An agent's own customers and a colleague's may wait for the same issue: the news stands in the title, once."""
    mine, followed = a_round(1).issues[0], a_round(1, owner="Ana").issues[0]
    made = views.round_(SAY, views.Round(issues=(mine, followed)))
    assert made.text.startswith("Fixed in v2.18.0: Voucher is forgotten\n")
    assert made.text.count("Fixed in v2.18.0") == 1
    assert str(made.blocks).count("Fixed in v2.18.0") == 1


def test_what_is_done_in_a_round_has_no_buttons() -> None:
    """Written and skipped customers stay listed with their state, after those still due."""
    rows = a_round(3).issues[0].rows
    states = (WriteBack.WRITTEN, WriteBack.SKIPPED, WriteBack.DUE)
    data = views.RoundIssue(
        news=a_round(1).issues[0].news,
        rows=tuple(
            views.Row(write_back_id=row.write_back_id, facts=row.facts, state=state, reason="He phoned")
            for row, state in zip(rows, states, strict=True)
        ),
    )
    made = views.round_(SAY, views.Round(issues=(data,)))
    acts = ("write_back", "mark_written", "skip", "hand_over")
    assert buttons(made.blocks) == [(action, "w2") for action in acts]
    assert "✓ Written." in made.text
    assert "Skipped: He phoned" in made.text


def test_several_fixes_of_one_release_are_one_message() -> None:
    """The headline counts them, and each stands with its own customers."""
    first, second = a_round(1).issues[0], a_round(2).issues[0]
    other = replace(second, news=replace(second.news, issue=replace(second.news.issue, title="Stock counts twice")))
    made = views.round_(SAY, views.Round(issues=(first, other)))
    assert made.text.startswith("2 fixes in v2.18.0\n")
    for title in ("Voucher is forgotten", "Stock counts twice"):
        assert "".join(texts(made.blocks)).count(f"Fixed in v2.18.0: {title}") == 1


def test_a_refused_reply_is_kept_whole() -> None:
    """An agent can copy every word of what the helpdesk did not take."""
    reply = " ".join(f"word{n}" for n in range(330))
    row = views.Row(write_back_id="w1", facts=facts("x"))
    made = views.refused(SAY, row, "the ticket is closed.", reply)
    kept = " ".join(" ".join(texts(made.blocks)).split())
    assert all(f"word{n}" in kept for n in range(330))
    assert buttons(made.blocks) == [("write_back", "w1")]


def test_an_uncertain_reply_is_for_the_agent_to_look_at() -> None:
    """Nothing is sent again by itself: the agent looks and chooses."""
    row = views.Row(write_back_id="w1", facts=a_round(1).issues[0].rows[0].facts)
    made = views.uncertain(SAY, row, views.IssueName(title="Voucher", label="acme/shop#12"))
    assert buttons(made.blocks) == [("mark_written", "w1"), ("write_back", "w1"), ("skip", "w1")]
    assert "may or may not have gone out" in made.text


def test_the_support_dev_is_called_and_told_how_to_answer() -> None:
    """A missing reason has its button; the named people are notified, strangers' text is not."""
    issue = views.IssueName(title="Voucher", label="acme/shop#12", url="https://x.example/12")
    made = views.reason_wanted(SAY, "i1", issue, 2, ("U0LEO", "<!channel>"))
    assert '{"type": "user", "user_id": "U0LEO"}' in json.dumps(made.blocks)
    assert json.dumps(made.blocks).count('"type": "user"') == 1
    assert buttons(made.blocks) == [("decline", "i1")]
    assert buttons(views.fix_wanted(SAY, "i1", issue, 1).blocks) == [("mark_fixed", "i1")]


def test_an_empty_digest_is_one_line() -> None:
    """Nothing to do is said once, warmly."""
    now = datetime(2026, 11, 3, 12, tzinfo=UTC)
    made = digests.digest(SAY, digests.Digest(since=now, now=now))
    assert made.text == "Nothing waits today: no open escalations, and every customer has heard."
    assert len(made.blocks) == 1


def test_mine_puts_the_owed_answers_first() -> None:
    """Each customer owed an answer has the button, before all that merely waits."""
    issue = views.IssueName(title="Voucher", label="acme/shop#12")
    waiting = views.MineLine(issue=issue, stage=Stage.FILED, facts=facts("x"))
    due = views.MineLine(issue=issue, stage=Stage.SHIPPED, facts=facts("y"), write_back_id="w7")
    made = views.mine(SAY, [waiting, due])
    assert made.text.startswith("1 customer to write back to")
    assert made.blocks[1]["accessory"]["value"] == "w7"
    assert "Flag a ticket with /bug" in views.mine(SAY, []).text
