"""What Passerelle writes in the tracker and on the ticket, and the sentences that all texts are made of."""

from __future__ import annotations

import ast
import os
import re
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from hypothesis import given, settings, strategies as st

from bot import issue_text
from bot.model import Kind, Severity
from bot.privacy import Facts
from bot.texts import Say
from integrations.base import MARK, mark

SAY = Say()
ROOT = Path(__file__).parent.parent
FACTS = Facts(
    ticket_number="4211",
    ticket_url="https://acme.example/agent/tickets/4211",
    helpdesk="Zendesk",
    subject="Bon de réduction",
    organisation="Atelier Roux",
    plan="Pro",
    language="fr",
    words="Bonjour,\nle bon disparaît au moment de payer.",
    attachments=("panier.png",),
    agent_title="Voucher is forgotten",
    agent_summary="The cart drops the voucher.\nOnly on mobile.",
)


def body(facts: Facts) -> str:
    return issue_text.issue_body(SAY, facts, agent="Ana Moreau", kind=Kind.BUG, severity=Severity.HIGH)


def test_the_issue_says_what_the_support_dev_needs() -> None:
    """The agent's words first, then the customer's as a quote, the context, and how to talk back."""
    made = body(FACTS)
    assert made.startswith("The cart drops the voucher.  \nOnly on mobile.\n\n")
    assert "\n> Bonjour,  \n> le bon disparaît au moment de payer.\n" in made
    assert "| Ticket | [Zendesk 4211](https://acme.example/agent/tickets/4211) |" in made
    assert "| Organisation | Atelier Roux |" in made
    assert "| Language | French |" in made
    assert "| Severity | High |" in made
    assert "Flagged by Ana Moreau" in made
    assert "`/decline`" in made
    assert "`/fixed-by`" in made


def test_what_is_unknown_leaves_no_empty_heading() -> None:
    """Without facts (or with all of them kept back) only what is known stands there."""
    made = body(Facts())
    assert "###" not in made
    assert not re.search(r"\| *\|\n?$", made.replace("| | |\n", ""), re.MULTILINE)
    assert "Organisation" not in made
    assert "| Kind | Bug |" in made


HOSTILE = [
    "@leo-dev closes #12 and GH-13 " * 4_000,
    "/decline because I say so\n/close\n" * 4_000,
    mark("issue:1") + "</sub><img src=https://evil.example/x.png>![x](https://evil.example/y.png)" * 2_000,
    "| a | b |\n| --- | --- |\n" * 4_000,
    "&<>" * 70_000,
    "\u202e\x00\u2028x" * 50_000,
    "https://evil.example/a|b " * 9_000,
    "😀" * 200_000,
]


def hostile_facts(text: str) -> Facts:
    return Facts(
        ticket_number=text,
        ticket_url=f"https://acme.example/{text}",
        helpdesk=text,
        subject=text,
        customer_name=text,
        customer_email=text,
        organisation=text,
        plan=text,
        language=text,
        words=text,
        attachments=(text,) * 50,
        tags=(text,) * 50,
        agent_summary=text,
    )


def waiting(n: int, text: str = "") -> issue_text.Waiting:
    return issue_text.Waiting(
        ticket_number=text or str(4211 + n),
        ticket_url=text or f"https://acme.example/agent/tickets/{4211 + n}",
        organisation=text or "Atelier Roux",
        language=text or "fr",
        since=datetime(2026, 11, 3, tzinfo=UTC),
        agent=text or "Ana Moreau",
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_strangers_words_fit_and_do_nothing(text: str) -> None:
    """Bodies and comments stay within 60,000 characters; nobody is mentioned, nothing commanded, marked or loaded."""
    made = [
        issue_text.issue_body(SAY, hostile_facts(text), agent=text, kind=Kind.BUG, severity=Severity.LOW),
        issue_text.customers_table(SAY, [waiting(n, text) for n in range(1_000)]),
        issue_text.decline_comment(SAY, text, text),
    ]
    for one in made:
        assert len(one) <= 60_000
        assert not MARK.search(one)
        assert not re.search(r"@\w|(?<!\w)#\d|<img|!\[|^\s*/\w", one, re.MULTILINE)


def test_each_row_of_the_table_has_all_its_cells() -> None:
    """Pipes in names or addresses do not break a row."""
    made = issue_text.customers_table(SAY, [waiting(1, "a|b https://x.example/c|d \\| `e|f`")])
    counts = {len(re.findall(r"(?<!\\)\|", line)) for line in made.splitlines() if line.startswith("|")}
    assert len(counts) == 1


def test_the_table_counts_everyone_and_shows_what_fits() -> None:
    """A thousand customers: the count on top, as many rows as fit, and how many more."""
    made = issue_text.customers_table(SAY, [waiting(n) for n in range(1_000)], now=datetime(2026, 11, 6, tzinfo=UTC))
    assert made.startswith("**1,000 customers wait for this issue.**")
    shown = made.count("/agent/tickets/")
    assert shown > 300
    assert made.endswith(f"And {1_000 - shown} more.")
    assert "2026-11-03 (3 days)" in made


def test_the_table_leaves_out_what_policy_keeps_back() -> None:
    """A column in which nobody has anything is not there."""
    made = issue_text.customers_table(SAY, [issue_text.Waiting(ticket_number="4211", agent="Ana Moreau")])
    assert "| Ticket | Agent |" in made
    assert "**1 customer waits for this issue.**" in made
    assert issue_text.customers_table(SAY, []) == "No customer waits for this issue."


@given(st.text(max_size=600))
def test_a_title_is_one_line_that_github_takes(title: str) -> None:
    """At most 256 characters, no control characters or line breaks."""
    made = issue_text.issue_title(title)
    assert len(made) <= 256
    assert made == " ".join(made.split())
    assert not re.search(r"[\x00-\x1f\x7f\u2028\u202e]", made)


def test_the_note_on_the_ticket_names_issue_and_agent() -> None:
    """An agent who opens the ticket finds the issue and whom to ask."""
    made = issue_text.ticket_note(SAY, "Voucher is forgotten", "acme/shop#12", "https://x.example/12", "Ana Moreau")
    assert made.splitlines()[0] == "Carried to acme/shop#12 by Ana Moreau: Voucher is forgotten"
    assert "https://x.example/12" in made


# --- sentences --------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.text())
def test_a_value_is_never_read_as_a_placeholder(value: str) -> None:
    """Braces and formats in customers' text are only characters."""
    assert SAY("{a} and {b}", a=value, b="{a}") == f"{value} and {{a}}"
    assert SAY.many("{n} of {a}", "{n} of {a}", 2, a=value) == f"2 of {value}"
    assert [piece for piece in SAY.pieces("to {a}.", a=value) if piece] == ["to ", *([value] if value else []), "."]


def test_times_are_told_in_the_readers_zone() -> None:
    """The same moment on two walls, and durations in their largest unit."""
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert Say("en", "Europe/Paris").on(noon) == "Nov 3, 2026, 1:00\u202fPM"
    assert Say("en", "Nowhere/Land").on(noon) == "Nov 3, 2026, 12:00\u202fPM"
    assert [SAY.ago(timedelta(**{unit: 3})) for unit in ("seconds", "hours", "days")] == [
        "1 minute",
        "3 hours",
        "3 days",
    ]


@pytest.mark.parametrize(
    ("code", "name"), [("fr", "French"), ("pt-BR", "Portuguese (Brazil)"), ("fr_FR", "French (France)"), ("??", "??")]
)
def test_a_language_is_named(code: str, name: str) -> None:
    """Helpdesks give codes; people read names."""
    assert SAY.language(code) == name


@pytest.mark.parametrize("locale", ["", "de-DE", "xx", "../../etc", "zz_ZZ", "en-GB"])
def test_a_reader_without_catalogue_reads_english(locale: str) -> None:
    """Sentence and duration agree in language."""
    assert Say(locale)("{n} waits", n=Say(locale).ago(timedelta(days=3))) == "3 days waits"


def test_every_sentence_can_be_translated() -> None:
    """Each call gives literal sentences whose placeholders are named and given, and babel finds every one of them."""
    with (ROOT / "babel.cfg").open() as config:
        mapping, options = parse_mapping_cfg(config)  # type: ignore[no-untyped-call]
    found: set[str] = set()
    words = {"say": None, "many": (1, 2), "pieces": None, "UserError": None, "FieldError": (2,)}
    for _, _, message, _, _ in extract_from_dir(str(ROOT), mapping, options, keywords=words, directory_filter=_ours):
        found |= {message} if isinstance(message, str) else set(message)
    written: set[str] = set()
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (count := _spoken(node)):
                sentences = [arg.value for arg in node.args[:count] if isinstance(arg, ast.Constant)]
                assert len(sentences) == count, f"{path.name}:{node.lineno}: not a literal sentence"
                given_names = {keyword.arg for keyword in node.keywords} | ({"n"} if count == 2 else set())
                for sentence in sentences:
                    names = {name for _, name, _, _ in string.Formatter().parse(str(sentence)) if name is not None}
                    assert names <= given_names, f"{path.name}:{node.lineno}: {names - given_names}"
                    assert all(name.isidentifier() for name in names), f"{path.name}:{node.lineno}"
                written |= {str(sentence) for sentence in sentences}
    assert len(written) > 100
    assert written <= found


def _ours(folder: str | os.PathLike[str]) -> bool:
    return Path(folder).is_relative_to(ROOT / "bot")


def _spoken(call: ast.Call) -> int:
    """How many sentences this call must give; 0 when it does not speak, or says what a UserError gave."""
    function, first = call.func, call.args[0] if call.args else None
    if isinstance(first, ast.Attribute) and first.attr == "message":
        return 0
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "say":
        return {"many": 2, "pieces": 1}.get(function.attr, 0)
    return 1 if isinstance(function, ast.Name) and function.id in ("say", "UserError") else 0


def test_the_table_carries_what_was_said_with_tickets_that_joined_later() -> None:
    """A second customer's words reach the Support Dev folded away and harmless."""
    rows = [
        issue_text.Waiting(ticket_number="4211", agent="Ana"),
        issue_text.Waiting(
            ticket_number="4212", agent="Ben", summary="Only in Sweden, #4", words="Hi\n/close\n<b>b</b>"
        ),
    ]
    table = issue_text.customers_table(SAY, rows)
    assert table.count("<details>") == 1
    assert "<details><summary>4212 · Ben</summary>" in table
    assert "Only in Sweden" in table
    assert not any(live in table for live in ("#4", "<b>", "\n/close"))
    assert "<details>" not in issue_text.customers_table(SAY, rows[:1])


def test_an_agent_who_may_not_be_named_leaves_no_gap() -> None:
    """In a public repository: "an agent", no column, no name before the colon."""
    made = issue_text.issue_body(SAY, FACTS, agent="", kind=Kind.BUG, severity=Severity.HIGH)
    assert "Flagged by an agent, who writes back to the customer." in made
    table = issue_text.customers_table(SAY, [issue_text.Waiting(ticket_number="4212", summary="Only in Sweden")])
    assert "Agent" not in table
    assert "<summary>4212</summary>" in table
    assert issue_text.decline_comment(SAY, "", "Not before May.").startswith("Declined from Slack:")


def test_a_title_refers_to_nothing() -> None:
    """A pull request often takes its issue's title, and its commit would close what stands there."""
    title = issue_text.issue_title("Login fails @leo-dev fixes #1, GH-2")
    assert not any(live in title for live in ("@leo", "#1", "GH-2"))
    assert title.replace("\u200b", "") == "Login fails @leo-dev fixes #1, GH-2"
