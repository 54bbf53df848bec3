"""Mails are reduced to what their authors wrote, whatever program they come from."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, strategies as st

from integrations.mail import pictures, reduced


@pytest.mark.parametrize(
    ("html", "plain", "own"),
    [
        ("<div>a<div>b</div>c</div><p>d</p>e", "", "a\nb\nc\n\nd\n\ne"),
        ("<ul><li>one</li><li>two</li></ul>", "", "- one\n\n- two"),
        ("<pre>if x:\n    y</pre>", "", "if x:\n    y"),
        ("<!-- hidden --><script>x</script><!--[if mso]><b>mso</b><![endif]-->seen", "", "seen"),
        ("new<div class='gmail_quote'><div>On Monday … wrote:</div>old</div>", "", "new"),
        ("<blockquote type='cite'>nothing of their own</blockquote>", "", "nothing of their own"),
        ("", "Hi\n\n-----Original Message-----\nFrom: a\nold", "Hi"),
        ("", "Hi\n\nDe : Acme <a@acme.example>\nEnvoyé : lundi 2 novembre\nObjet : x\n\nold", "Hi"),
        ("", "Top\n\nOn Mon, 2 Nov 2026 at 10:14, Acme wrote:\n> old\n>\n> older\n\nBelow", "Top\n\nBelow"),
        ("", "Top\n\nOn Mon, 2 Nov 2026 at 10:14, Acme\n<help@acme.example> wrote:\n\nold", "Top"),
        (
            "",
            "On Monday your colleague wrote:\nwait\nand I waited.",
            "On Monday your colleague wrote:\nwait\nand I waited.",
        ),
        ("", "It prints\n> npm start\nand stops", "It prints\n> npm start\nand stops"),
        ("", "Hi\n-- \nZoé\n+33 1 23", "Hi"),
        ("", "a\n--\n" + "b\n" * 20, "a\n--\n" + "b\n" * 19 + "b"),
    ],
)
def test_a_mail_is_reduced_to_its_authors_words(html: str, plain: str, own: str) -> None:
    """Markup, quotations and signatures go; in doubt, words stay."""
    assert reduced(html, plain) == own


@pytest.mark.parametrize(
    "hostile",
    ["<div>" * 70_000, "<!--" * 90_000, "<![CDATA[" * 40_000, "<" * 300_000, "On 10:10 \n" * 40_000, "> \n" * 100_000],
    ids=["deep", "comments", "cdata", "brackets", "attributions", "quotes"],
)
def test_a_hostile_mail_is_read_in_bounded_time(hostile: str) -> None:
    """Unclosed comments cost 105 s before they were taken out first."""
    started = time.process_time()
    reduced(hostile)
    reduced("", hostile)
    assert time.process_time() - started < 5


@given(st.text())
def test_any_text_is_reduced_without_an_error(text: str) -> None:
    """As markup and as plain text."""
    assert len(reduced(text)) + len(reduced("", text)) < 41_000


HEADS = {
    "English": "From: Acme\nSent: Monday, November 2, 2026 10:14 AM\nTo: Zoe",
    "French": "De\u00a0: Acme\nEnvoyé\u00a0: lundi 2 novembre 2026 10:14\nÀ\u00a0: Zoe",
    "German": "Von: Acme\nGesendet: Montag, 2. November 2026 10:14\nAn: Zoe",
    "Spanish": "De: Acme\nEnviado el: lunes, 2 de noviembre de 2026 10:14\nPara: Zoe",
    "Italian": "Da: Acme\nInviato: lunedì 2 novembre 2026 10:14\nA: Zoe",
    "Dutch": "Van: Acme\nVerzonden: maandag 2 november 2026 10:14\nAan: Zoe",
    "Portuguese": "De: Acme\nEnviado: segunda-feira, 2 de novembro de 2026 10:14\nPara: Zoe",
}


@pytest.mark.parametrize("language", list(HEADS))
def test_what_outlook_quotes_is_left_out(language: str) -> None:
    """It names the mail below a line, or below none, and marks no quotation."""
    heads = HEADS[language]
    html = f"<p>New.</p><div><p>{heads.replace(chr(10), '<br>')}<br>Re: x</p></div><p>Old.</p>"
    assert reduced(html) == reduced("", f"New.\n\n{'_' * 32}\n{heads}\n\nOld.") == "New."


def test_what_follows_outlooks_own_mark_is_left_out() -> None:
    """Its telephones and its web page mark where the quoted mail begins, and not where it ends; in any language."""
    head = '<div id="divRplyFwdMsg"><b>Od:</b> Acme<br><b>Wysłano:</b> poniedziałek</div>'
    signature = '<div id="ms-outlook-mobile-signature">Get Outlook for iOS</div>'
    assert reduced(f"<div>New.</div>{signature}<hr>{head}<div>Old.</div>") == "New."
    assert reduced(f"{head}<div>All that there is.</div>").endswith("All that there is.")
    assert pictures(f'<img src="/a" alt="a.gif">{head}<div>Old. <img src="/b"></div>') == [("/a", "a.gif")]


def test_what_gmail_quotes_in_portuguese_is_left_out() -> None:
    """Where its marks were taken out on the way."""
    text = "Novo.\n\nEm seg., 2 de nov. de 2026 às 10:14, Acme <help@acme.example> escreveu:\n\n> Velho."
    assert reduced("", text) == "Novo."


def test_a_customers_own_lines_that_look_like_a_mails_head_stay() -> None:
    """Two of them are no head: in doubt, words stay."""
    text = "The receipt says\nFrom: shop\nDate: 1970\nand the total is wrong."
    assert reduced("", text) == text
