"""What may leave the helpdesk, and what untrusted text can do where it arrives: nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import astuple

import pytest
from hypothesis import assume, example, given, strategies as st
from markdown_it import MarkdownIt

from bot.privacy import (
    Facts,
    Policy,
    agent_leaving,
    effective,
    excerpt,
    harmless,
    leaving,
    plain,
    quoted,
    reason_leaving,
    redact,
    without_secrets,
)
from integrations.base import MARK, mark

FACTS = Facts(
    ticket_number="4211",
    ticket_url="https://acme.zendesk.example/agent/tickets/4211",
    helpdesk="zendesk",
    subject="Remboursement de Zoé Lefèvre",
    customer_name="Zoé Lefèvre",
    customer_email="zoe@client.example",
    organisation="Librairie Lefèvre",
    plan="Pro",
    language="fr",
    words="Bonjour, ma carte 4111 1111 1111 1111 est refusée. Rappelez-moi au 06 12 34 56 78. Zoé",
    attachments=("zoe-lefevre.png",),
    tags=("vip", "zoe@client.example"),
    agent_title="Payment refused for zoe lefevre",
    agent_summary="She (zoe@client.example, 06 12 34 56 78) pays, password: hunter2, and gets an error.",
)

# --- policies ---------------------------------------------------------------------------------------------------------


def test_a_public_repository_gets_the_link_alone() -> None:
    """Whatever is configured, a public repository gets no more than link_only; a private one what is configured."""
    assert {effective(policy, public=True) for policy in Policy} == {Policy.PUBLIC}
    assert leaving(FACTS, Policy.PUBLIC) == leaving(FACTS, Policy.LINK_ONLY)
    assert [effective(policy, public=False) for policy in Policy] == list(Policy)


def test_link_only_lets_the_link_and_the_agents_redacted_words_leave() -> None:
    """The customer's words, identity, organisation, attachments and tags stay in the helpdesk."""
    assert leaving(FACTS, Policy.LINK_ONLY) == Facts(
        ticket_number="4211",
        ticket_url=FACTS.ticket_url,
        helpdesk="zendesk",
        agent_title="Payment refused for [customer]",
        agent_summary="She ([customer], [phone number]) pays, password: [password] and gets an error.",
    )


def test_redacted_keeps_the_story_and_drops_the_person() -> None:
    """Organisation, plan and language stay; name, address, phone and card go, in every field."""
    left = leaving(FACTS, Policy.REDACTED)
    assert (left.customer_name, left.customer_email) == ("", "")
    assert (left.plan, left.language, left.organisation) == ("Pro", "fr", "Librairie [customer]")
    assert left.words == "Bonjour, ma carte [card number] est refusée. Rappelez-moi au [phone number]. [customer]"
    assert left.subject == "Remboursement de [customer]"
    assert left.attachments == ("[customer]-[customer].png",)
    assert left.tags == ("vip", "[customer]")


def test_full_keeps_everything_but_secrets() -> None:
    """Name, address and phone leave under `full`; a card number and a password never do."""
    left = leaving(FACTS, Policy.FULL)
    assert (left.customer_name, left.customer_email) == (FACTS.customer_name, FACTS.customer_email)
    assert "[card number]" in left.words
    assert "06 12 34 56 78" in left.words
    assert "hunter2" not in left.agent_summary


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize(
    ("pasted", "left"),
    [
        ("https://mail.example/t/77", "https://mail.example/t/77"),
        ("https://mail.example:8443/t/77?email=zoe@client.example&token=s3cr3t#zoe", "https://mail.example:8443/t/77"),
        ("https://zoe:hunter2@mail.example/t/77", "https://mail.example/t/77"),
        ("https://zoe%40client.example@mail.example/t/77", "https://mail.example/t/77"),
        ("https://mail.example/zoe@client.example/77", ""),
        ("https://mail.example/zoe-lefevre/77", ""),
        ("javascript:alert(1)", ""),
        ("https://[mail.example/t", ""),
    ],
)
def test_a_pasted_address_leaves_without_what_travels_in_it(policy: Policy, pasted: str, left: str) -> None:
    """Sign-ins, tokens and customers' addresses stand in links that people copy; no policy lets those leave."""
    facts = Facts(ticket_url=pasted, customer_name="Zoé Lefèvre", customer_email="zoe@client.example")
    assert leaving(facts, policy).ticket_url == left


def test_a_helpdesks_own_address_stays_whole() -> None:
    """Some helpdesks name a ticket in the query or the fragment."""
    address = "https://help.acme.example/#ticket/zoom/4211?view=1"
    for policy in Policy:
        assert leaving(Facts(ticket_number="4211", ticket_url=address), policy).ticket_url == address


@pytest.mark.parametrize("policy", [one for one in Policy if one is not Policy.FULL])
def test_a_reason_leaves_without_customers(policy: Policy) -> None:
    """Whoever declines in Slack may name the customer whom it is about."""
    reason = "Zoé Lefèvre (zoe@client.example) shares her password: hunter2 with 06 12 34 56 78."
    names = [FACTS.customer_name, FACTS.customer_email]
    assert reason_leaving(reason, names, policy) == (
        "[customer] ([customer]) shares her password: [password] with [phone number]."
    )


def test_under_full_a_reason_leaves_without_secrets() -> None:
    """Names may stand in the issue; a password never does."""
    assert reason_leaving("Zoé Lefèvre has password: hunter2", ["Zoé Lefèvre"], Policy.FULL) == (
        "Zoé Lefèvre has password: [password]"
    )


def test_a_colleagues_name_is_not_for_everybody() -> None:
    """In a public repository the agent stays unnamed; elsewhere the Support Dev may know whom to ask."""
    assert [agent_leaving("Ana Moreau", policy) for policy in Policy] == ["Ana Moreau"] * 3 + [""]


def _words(text: str) -> set[str]:
    return {word.casefold() for word in re.findall(r"[^\W_]{4,}", text)}


texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=60)


@given(st.builds(Facts, *[texts] * 10, st.tuples(texts), st.tuples(texts), texts, texts))
def test_link_only_never_says_a_word_of_the_customers(facts: Facts) -> None:
    """No word of four letters that only the customer's fields hold is in what leaves."""
    own = [facts.ticket_number, facts.ticket_url, facts.helpdesk, facts.agent_title, facts.agent_summary]
    label_words = _words("card number IBAN token password e-mail address phone customer")
    said = {word for value in astuple(leaving(facts, Policy.LINK_ONLY)) for word in _words(str(value))}
    customers = {word for value in astuple(facts) for word in _words(str(value))}
    assert said & customers <= {word for text in own for word in _words(text)} | label_words


@given(st.from_regex(r"[A-Z][a-zé]{3,9} [A-Z][a-zé]{3,9}", fullmatch=True), texts)
def test_the_customers_name_in_the_agents_words_stays_behind(name: str, around: str) -> None:
    """A name standing alone in the agent's title and summary is gone, whatever its case."""
    assume(not _words(name) & _words("card number token password mail address phone customer iban"))
    assume(not _words(name) & _words(around))
    facts = Facts(customer_name=name, agent_title=f"{name.upper()} cannot pay", agent_summary=f"{around} / {name} /")
    left = leaving(facts, Policy.LINK_ONLY)
    assert not _words(name) & (_words(left.agent_title) | _words(left.agent_summary))


# --- redaction --------------------------------------------------------------------------------------------------------

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MjExIn0.c2lnbmF0dXJlLWhlcmU"

GONE = [
    ("ma carte 4111 1111 1111 1111, merci", "ma carte [card number], merci"),
    ("card 4111-1111-1111-1111 / Amex 3782 822463 10005", "card [card number] / Amex [card number]"),
    ("4111\u200b1111\u200b1111\u200b1111", "[card number]"),
    ("12 4111 1111 1111 1111 999", "12 [card number] 999"),
    ("CVV: 123", "CVV: [card number]"),
    ("IBAN FR76 3000 6000 0112 3456 7890 189 merci", "IBAN [IBAN] merci"),
    ("DE89 3704 0044 0532 0130 00 et GB82WEST12345698765432.", "[IBAN] et [IBAN]."),
    ("mot de passe : hunter2", "mot de passe : [password]"),
    ("motdepasse: hunter2", "motdepasse: [password]"),
    ("Mot de passe : « deux mots »", "Mot de passe : [password]"),
    ("mdp: abc, puis rien", "mdp: [password] puis rien"),
    ('{"password":"a b c","x":1}', '{"password":[password],"x":1}'),
    ("pwd=abc&user=1", "pwd=[password]&user=1"),
    ("my password is hunter2", "my password is [password]"),
    ("https://zoe:s3cr@t@shop.example/a", "https://[password]@shop.example/a"),
    ("https://shop.example/reset?token=abc&step=2", "https://shop.example/reset?token=[token]&step=2"),
    ("clé sk-abcdefghijklmnop1234 ici", "clé [token] ici"),
    ("ghp_abcdefghij xoxb-123456-abcdef glpat-abcdefghij12", "[token] [token] [token]"),
    ("AKIAIOSFODNN7EXAMPLE", "[token]"),
    (f"jeton {JWT}.", "jeton [token]"),
    ("Authorization: Bearer 0a1b2c3d4e5f60718293a4b5", "Authorization: Bearer [token]"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- ok", "[token] ok"),
    ("écrire à zoe.l+x@client.example.", "écrire à [e-mail address]."),
    ("a_b@client.example et o'neil@client.example", "[e-mail address] et [e-mail address]"),
    ("?mail=zoe%40client.example&a=1", "?mail=[e-mail address]&a=1"),
    ("06 12 34 56 78, 06.12.34.56.78, 0612345678", "[phone number], [phone number], [phone number]"),
    ("+33 6 12 34 56 78 / +33 (0)6 12 34 56 78 / 0033612345678", "[phone number] / [phone number] / [phone number]"),
    ("call +44 20 7946 0958 or +1 (415) 555-2671", "call [phone number] or [phone number]"),
    ("(415) 555-2671 or 415-555-2671", "[phone number] or [phone number]"),
    ("tél : 020 7946 0958", "tél : [phone number]"),
]


@pytest.mark.parametrize(("text", "expected"), GONE)
def test_personal_data_and_secrets_are_taken_out(text: str, expected: str) -> None:
    """Each form in which people write such things is replaced by what it was."""
    assert redact(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "Commande n° 0612345678, ticket 4211, facture F-2026-00417",
        "order 1234567890123456 and order #0123456789",
        "2026-11-03 09:12:44 +0200, 2026-11-03T09:12:44+02:00, 01.02.2026 12:30, 03/11/2026 09:00",
        "v1.2.3, 10.4.12.1, Chrome/131.0.6778.86, lodash@4.17.21, logo@2x.png",
        "192.168.100.12:8080 answers 504 after 30 000 ms",
        "SIRET 732 829 320 00074, EAN 3017620422003, 48.85661400000001",
        "550e8400-e29b-41d4-a716-446655440000, commit 4f3d918a0b1c2d3e4f5061728394a5b6c7d8e9f0",
        "my password is wrong, le mot de passe est refusé, the token is missing, key customers-facing-checkout",
        "at 1700000000000 the basket held 12 345 678 items for 1 234 567,89 €",
        "task-list-of-the-checkout-page, 👩‍💻 👨‍👩‍👧",
    ],
)
def test_other_numbers_and_words_stay(text: str) -> None:
    """Order numbers, dates, versions, addresses of machines and plain sentences are what the Support Dev needs."""
    assert redact(text).text == text


def test_counts_say_what_was_taken_out() -> None:
    """The preview can say how many of each kind there were."""
    assert redact("a@b.example, c@d.example, 06 12 34 56 78, mdp: x").counts == {
        "e-mail address": 2,
        "phone number": 1,
        "password": 1,
    }


def test_names_are_found_by_whole_words_without_case_or_accents() -> None:
    """ "ZOE" is Zoé; "zoetrope" is not; a particle is nobody's name."""
    names = ("Zoé de La Tour", "zoe@client.example")
    text = "ZOE, Zoe\u0301 et zoé_tour (zoe@client.example) : zoetrope, la page de garde"
    assert redact(text, names).text == (
        "[customer], [customer] et [customer]_[customer] ([customer]) : zoetrope, la page de garde"
    )


def test_full_policy_leaves_addresses_and_phones() -> None:
    """Only secrets are taken out by `without_secrets`."""
    text = "zoe@client.example, 06 12 34 56 78, mdp: x"
    assert without_secrets(text).text == "zoe@client.example, 06 12 34 56 78, mdp: [password]"


def _check_digit(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A card number as a network issues it, written with one kind of gap at any places."""
    start, length = draw(
        st.sampled_from([("4", 13), ("4", 16), ("4", 19), ("37", 15), ("36", 14), ("55", 16), ("62", 19)])
    )
    body = start + draw(st.text("0123456789", min_size=length - 1 - len(start), max_size=length - 1 - len(start)))
    number = body + _check_digit(body)
    gap = draw(st.sampled_from(["", " ", "-", "\u00a0", "\u200b", " - ", "–"]))
    gaps = draw(st.lists(st.booleans(), min_size=length, max_size=length))
    return "".join(digit + (gap if cut else "") for digit, cut in zip(number, gaps, strict=True)).strip(
        " -–\u00a0\u200b"
    )


before_card = st.text(st.characters(codec="utf-8", exclude_categories=("Nd", "Cs")), max_size=30)


@given(before_card, cards(), before_card)
@example("carte n°", "4111 1111 1111 1111", "!")
def test_no_card_number_is_left(before: str, card: str, after: str) -> None:
    """However a card number is grouped and whatever stands around it, its digits are gone."""
    digits = re.sub(r"\D", "", card)
    assert digits not in re.sub(r"[^0-9]", "", redact(f"{before}{card} {after}").text)


@given(texts, st.emails(), texts)
def test_no_email_address_is_left(before: str, email: str, after: str) -> None:
    """An address between any texts is gone, and nothing that looks like one is left."""
    left = redact(f"{before} {email} {after}").text
    assert email not in left
    assert not re.search(r"[A-Za-z0-9]@[A-Za-z0-9-]+\.[A-Za-z]{2,}", left.replace("@2x.", ""))


FRAGMENTS = ["[token]", "[e-mail address]", "password: ", "token=", "+33 ", "06 12", "@", "\u200d", "key ", "://", "12"]
pieces = st.lists(st.one_of(texts, st.sampled_from(FRAGMENTS + [text for text, _ in GONE])), max_size=8)


@given(pieces, st.lists(texts, max_size=2))
def test_redacting_twice_changes_nothing(parts: list[str], names: list[str]) -> None:
    """What is redacted stays as it is, names that look like labels included."""
    once = redact("".join(parts), names).text
    again = redact(once, names)
    assert (again.text, again.counts) == (once, {})


# --- Markdown ---------------------------------------------------------------------------------------------------------

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

ATTACKS = [
    "@octocat", "@acme/all", "#12", "acme/shop#12", "GH-12", "gl-3", "!7", "&3", "$4", "%5", '~"bug"', "closes #12",
    "https://github.com/acme/shop/issues/12", "http://a.example/x_y*z?q=1&r=2", "www.example.com", "HTTPS://X.example",
    "/close", "/decline no", "  /assign @octocat", "@passerelle-bot decline", "![](https://evil.example/p.png)",
    "[x](javascript:alert(1))", "<img src=x>", "<b>", "</div>", mark("issue:1"), "<!--", "-->", "[[_TOC_]]", "[TOC]",
    "[vulnerability:12]", "# Title", "- item", "1. one", "2) two", "+ a", "* b", "> quote", "```", "~~~", "    code",
    "\tcode", "---", "===", "| a | b |\n|---|---|", ":-", "a\n:-", "**bold**", "_it_", "~~no~~", "`", "``", "\\",
    "&#64;a", "&lt;", "\u202eevil", "\x00", "\u200b", "\u2028", "\r", "\r\n", "\n", "\n\n", " ", "[a]",
    "[a]: http://x.example", "<https://x.example>", "- [ ] task", "^alert#1", "*iteration:1", "$`x`$", "[^1]", "://",
    "x@y.example",
]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(ATTACKS), st.text(max_size=10)), max_size=10).map("".join)


LIVE = re.compile(r"@[\w-]|[#!$%&~^]\d|(?i:g[hl]-\d)|\[\[|(?i:\[toc)|(?i:\[[a-z_]+:\d)")


def _shown(markdown: str, wrapped_in: str = "") -> str:
    """The text a reader sees; fails on anything but paragraphs of text and code spans, and on a live reference."""
    shown = ""
    for block in PARSER.parse(markdown):
        assert block.type.removesuffix("_open").removesuffix("_close") in {"paragraph", "inline", wrapped_in}, markdown
        for child in block.children or []:
            assert child.type in {"text", "softbreak", "hardbreak", "code_inline"}, (child.type, markdown)
            shown += child.content
        text = "".join(child.content if child.type == "text" else "\n" for child in block.children or [])
        assert not LIVE.search(text), markdown
        assert not re.search(r"://|(?i:www\.)", text), markdown
    return shown


def _letters(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", "", text)


@given(hostile)
@example("`http://a.example\\`http://b.example")
def test_untrusted_text_is_shown_as_written_and_does_nothing(text: str) -> None:
    """A Markdown parser sees paragraphs of plain text without a live mention or reference, and nothing is lost."""
    assert _letters(_shown(harmless(text))) == _letters(text)


@given(hostile)
def test_the_raw_text_holds_no_command_and_no_mark(text: str) -> None:
    """What is read from the raw text (quick actions, our commands, our marks) is not in it."""
    safe = harmless(text)
    assert not MARK.search(safe)
    assert not re.search(r"[<>\x00\u202a-\u202e\u2066-\u2069]", safe)
    assert not any(re.match(r"\s*(/|@\w)", line) for line in safe.splitlines())


@given(hostile, st.integers(min_value=1, max_value=60))
def test_a_quotation_stays_one_and_has_a_known_size(text: str, limit: int) -> None:
    """Whatever is in it, the quote is one blockquote, six times the limit and two characters at most."""
    shown, _ = quoted(text, limit)
    _shown(shown, "blockquote")
    assert len(shown) <= 6 * limit + 2
    assert all(line.startswith(">") for line in shown.splitlines())


def test_a_quotation_says_whether_it_was_cut() -> None:
    """A text of the limit's length is whole; one character more, and the caller can say that it was cut."""
    assert quoted("rien ne va", 10) == ("> rien ne va", False)
    assert quoted("rien ne va\nplus", 10) == ("> rien ne va", True)


def test_lines_stay_lines() -> None:
    """A multi-line message keeps its lines and its indentation."""
    assert harmless("Bonjour,\r\n  rien ne va\n\nZoé") == "Bonjour,  \n\u00a0\u00a0rien ne va  \n  \nZoé"


def test_an_address_can_still_be_copied() -> None:
    """An address stands whole in a code span, without the full stop after it."""
    assert harmless("voir https://shop.example/a_b?x=1&y=*.") == "voir `https://shop.example/a_b?x=1&y=`\\*."


# --- Slack ------------------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.sampled_from(["<!channel>", "<@U0ANA>", "<https://x.example|a>", "@here", "@Channel", "&lt;", "a"])
    ).map("".join)
)
def test_slack_text_calls_nobody(text: str) -> None:
    """No raw angle bracket and no bare @here is left, and the reader sees what was written."""
    safe = plain(text)
    assert not re.search(r"[<>]", safe)
    assert not re.search(r"(?i)@(here|channel|everyone)", safe)
    seen = safe.replace("\u200b", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert seen == text


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Le panier\n  est vide", 40, "Le panier est vide"),
        ("Le panier est vide depuis hier", 20, "Le panier est vide…"),
        ("Le panier est vide depuis", 19, "Le panier est vide…"),
        ("anticonstitutionnellement", 10, "anticonst…"),
    ],
)
def test_an_excerpt_ends_at_a_word(text: str, limit: int, expected: str) -> None:
    """A long text is cut at a word where there is one, on one line, within the limit."""
    assert excerpt(text, limit) == expected


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_an_excerpt_keeps_its_limit(text: str, limit: int) -> None:
    """No excerpt is longer than asked for."""
    assert len(excerpt(text, limit)) <= limit


# --- size -------------------------------------------------------------------------------------------------------------

BOMBS = [
    "a", "4", "1 ", "4111 ", "@", "a@", "-eyJ", "eyJaaaaa.", "password ", "password: ", "password is ", "token ",
    "token", "-----BEGIN PRIVATE KEY-----", "://", "://a:", "FR76 ", "+1 ", "06 12 ", "?a", "tel ", "sk-", "(", "+1(1",
    "www.", "[", "`", "[token]", "@xn--", "\n", " ", "a\u200d", "\u200d", "http://", "zoe ", "-", "@a-a.", "<", "&a",
    "password: '", "a.", '"', "secret=", "order ", "\u00a0", "!@",
]  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_hostile_text_takes_time_in_proportion_to_its_length(bomb: str) -> None:
    """Eight times the text takes far less than the 64 times that a quadratic pattern would take."""

    def seconds(size: int, run: Callable[[str], object]) -> float:
        text, best = (bomb * size)[:size], float("inf")
        for _ in range(3):
            start = time.thread_time()
            run(text)
            best = min(best, time.thread_time() - start)
        return best

    for run in (lambda text: redact(text, ["Zoé Lefèvre"]), harmless, plain):
        assert seconds(40_000, run) < 24 * seconds(5_000, run) + 0.01


def test_a_name_within_an_address_hides_no_address() -> None:
    """Another address that carries the customer's name goes whole, domain and all."""
    found = redact("Write to camille.roux@firm.example, please.", ["Camille Roux", "camille@home.example"])
    assert found.text == "Write to [e-mail address], please."
