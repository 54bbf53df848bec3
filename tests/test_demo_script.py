"""`passerelle demo --script`: plays the whole loop with real calls, and says so only if it happened."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bot import telling
from bot.demo import play
from bot.model import UserError
from bot.script import tell
from integrations.sandbox.wire import Fault

HOSTILE = {
    "SLACK_BOT_TOKEN": "not-a-token",
    "SLACK_APP_TOKEN": "xapp-somebody-elses",
    "SLACK_API_URL": "http://127.0.0.1:9/api/",
    "SANDBOX_GITHUB_URL": "http://127.0.0.1:9",
    "SANDBOX_GITLAB_URL": "http://127.0.0.1:9",
    "SANDBOX_ZENDESK_URL": "http://127.0.0.1:9",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
    "PASSERELLE_CONFIG": "no-such-file.yaml",
    "PORT": "1",
    "LOG_LEVEL": "LOUD",
}


def played(folder: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command, run from an empty folder."""
    return subprocess.run(
        [sys.executable, "-m", "bot", "demo", "--script", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "80", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_script_plays_the_loop_and_prints_what_each_person_sees(tmp_path: Path) -> None:
    """Exit 0, every step in order, each person's own view, and the counts of what each side holds. Somebody's own
    tokens, database and configuration, even wrong ones, are not looked at."""
    result = played(tmp_path, **HOSTILE)
    assert (result.returncode, result.stderr) == (0, "")
    told = result.stdout
    essentials = [
        "1/16 Ana flags a customer’s ticket",
        "Camille Roux · Papeterie Nord · Pro",
        "Filed as acme/shop#1 for ticket 4211.",
        "Vous pouvez me joindre au [phone number].",
        "Passerelle, a note for agents only:",
        "Attached ticket 4212 to acme/shop#1.",
        "2 customers wait for this issue.",
        "Ana Moreau already carried ticket 4211",
        "acme/shop#2 was closed as not planned, without a reason.",
        "Declined: Sorting the wish list by colour does nothing",
        "Fixed, not shipped yet · acme/shop#1",
        "neither Ana nor Ben was told anything",
        "Fixed in v2.5.0: VAT keeps the old country’s rate",
        "Camille reads, in her mailbox:",
        "Skipped: Inès",
        "13/16 Ben’s next ticket is for the app, on GitLab",
        "Project: Web shop Known already",  # the first one is chosen already
        "Filed as acme/shop-app#1 for ticket 4217.",
        "(opened, confidential, from-support, assigned to leo-dev)",
        "She sent me the card she used: [card number]",
        "1 customer waits for this issue.",
        "Fixed, not shipped yet · acme/shop-app#1",
        "Ben was told nothing",
        "Live on production: The app says",
        "acme/shop-app#1 · merged in !1",
        "Tom reads, in his mailbox:",
        "Slack 3 cards in #support-dev; direct messages: Ana 6, Ben 5, Léo 3",
        "GitHub 2 issues with 3 comments",
        "GitLab 1 issue, 1 confidential; 1 fix merged, deployed to production",
        "Zendesk 4 tickets carried; 4 notes, 2 public replies",
        "Passerelle 4 escalations; write-backs: 1 skipped, 3 written",
    ]
    flat, at = " ".join(told.replace("│", " ").split()), 0
    for words in essentials:
        assert words in flat[at:], words
        at = flat.index(words, at)
    assert told.endswith("\nEverything happened.\n")
    assert "\x1b" not in told  # nobody reads colours in a file
    assert max(len(line) for line in told.splitlines()) <= 80
    assert not list(tmp_path.iterdir())


def test_the_script_has_its_own_tickets(tmp_path: Path) -> None:
    """With others it could not tell its story: exit 2."""
    (tmp_path / "tickets.jsonl").write_text("")
    result = played(tmp_path, "--tickets", str(tmp_path / "tickets.jsonl"))
    assert result.returncode == 2
    assert "--tickets" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("service", "fault", "step", "expected"),
    [
        ("github", Fault("refuse", "POST", "/issues$", 503, times=None), "Ana flags", "the issue #1"),
        ("github", Fault("refuse", "GET", "/compare/", 503, times=None), "The fix ships", "a message to Ana"),
        ("gitlab", Fault("refuse", "POST", "/issues$", 503, times=None), "Ben’s next ticket", "GitLab’s issue #1"),
        ("gitlab", Fault("refuse", "GET", "/closed_by$", 503, times=None), "Its fix is merged", "one message with"),
        (
            "zendesk",
            Fault("refuse", "PUT", "/tickets/4211", 503, times=None),
            "The ticket shows",
            "ticket 4211 with a note",
        ),
    ],
)
def test_what_does_not_happen_ends_the_script(
    service: str, fault: Fault, step: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A service that refuses one thing for good: the step that needs it fails, with what was expected and seen."""
    with play() as (sandbox, bot):
        getattr(sandbox, service).wire.faults.append(fault)
        with pytest.raises(UserError) as failure:
            tell(sandbox, bot, patience=2.5)
    assert f"The step “{step}" in str(failure.value)
    assert f"Expected: {expected}" in str(failure.value)
    assert "Seen: " in str(failure.value)
    assert "Everything happened" not in capsys.readouterr().out


def test_a_quote_is_printed_whole_once() -> None:
    """What a customer wrote stands in many views; a reader needs it once. Long lines keep their quote mark."""
    out = io.StringIO()
    teller = telling.Teller(2, Console(file=out, width=40))
    quote = "> Bonjour,\n> le total du panier garde l’ancien taux de TVA depuis lundi.\n> Camille"
    teller.sees("Ana:", f"A title\n{quote}\n[Send]")
    teller.sees("Ben:", f"{quote}\nmore")
    printed = out.getvalue()
    assert printed.count("> Camille") == 1
    assert "  │ > Bonjour,\n  │ > le total du panier garde l’ancien\n  │ > taux de TVA depuis lundi.\n" in printed
    assert printed.endswith("  │ > …\n  │ more\n")


def test_a_view_is_told_with_what_stands_in_it() -> None:
    """Typed text, chosen options, ticked boxes and empty inputs, and the buttons."""
    options = [{"text": {"type": "plain_text", "text": "A second issue"}, "value": "again"}]
    face = {"type": "plain_text", "text": "Label"}
    fields = [
        ({"type": "plain_text_input"}, {"value": "typed"}),
        ({"type": "plain_text_input"}, {"value": None}),
        ({"type": "external_select"}, {"selected_option": options[0]}),
        ({"type": "checkboxes", "options": options}, {"selected_options": []}),
    ]
    view = {
        "title": {"text": "Flag a ticket"},
        "submit": {"text": "File it"},
        "close": {"text": "Cancel"},
        "blocks": [
            {"type": "input", "block_id": str(n), "label": face, "element": element}
            for n, (element, _) in enumerate(fields)
        ],
        "state": {"values": {str(n): {"a": state} for n, (_, state) in enumerate(fields)}},
    }
    assert telling.modal(view).splitlines() == [
        "«Flag a ticket»",
        "Label: typed",
        "Label: ____",
        "Label: A second issue",
        "Label: [ ] A second issue",
        "[File it] [Cancel]",
    ]


def test_markdown_is_told_as_its_page_shows_it() -> None:
    """Marks, escapes and addresses are not what a reader of the issue sees; code and tables are."""
    text = (
        "### Words\n\n> me: \\[phone\\]\n\n| | |\n| --- | --- |\n| Ticket | [4211](http://x.example/1) |\n\n`/decline`"
    )
    assert telling.markdown(f"{text}\n<!-- passerelle:issue:1 -->") == (
        "Words\n\n> me: [phone]\n\n| Ticket | 4211 |\n\n`/decline`"
    )
