"""A mail reduced to what its author wrote: plain text, without markup, quoted history and signature.

When in doubt, words stay: a customer's own words lost would cost more than a quotation kept.
"""

# ruff: noqa: SIM905 (word lists of one word a line read worse)
from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import getaddresses
from html.parser import HTMLParser
from mimetypes import guess_type

MOST = 20_000  # characters of one message's text
_MOST_RAW = 400_000  # characters that are looked at; a mail larger than that is quoted history and styles

_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_UNSEEN = frozenset("script style head title template noscript".split())
_BLOCKS = frozenset(
    "address article blockquote dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header li main ol p pre section "
    "table tr ul".split()
)
_QUOTE_NAMES = frozenset(
    "gmail_quote gmail_extra gmail_attr gmail_signature gmail_signature_prefix yahoo_quoted moz-cite-prefix "
    "moz-signature protonmail_quote protonmail_signature_block ms-outlook-mobile-signature "
    "mail-editor-reference-message-container freshdesk_quote".split()
)
_BEGINS = ("appendonsend", "divRplyFwdMsg")  # ids: Outlook's history begins there, and goes on to the end
# Taken out beforehand: the parser looks through all the rest again for each comment that never ends.
_DECLARATION = re.compile(r"<!--(?:.*?-->|.*)|<[!?][^>]*(?:>|\Z)", re.DOTALL)
# An attribution counts only with a clock time or an address in it: "On Monday your colleague wrote:" may be the
# customer's own sentence.
_ATTRIBUTION = re.compile(
    r"^[ \t]*(?:On|Le|Am|El|Il|Op|Em)\b(?=[^\n]{0,200}\n?[^\n]{0,200}?(?:\d{1,2}[:h.]\d{2}|@))"
    r"[^\n]{0,200}(?:\n[^\n]{1,200}){0,2}?"
    r"(?:wrote|a\s+écrit|schrieb[^\n:]{0,100}|escribió|escreveu|ha\s+scritto|schreef[^\n:]{0,100})\s?:[ \t]*$",
    re.MULTILINE,
)
_QUOTED = re.compile(r"\n*(?:>[^\n]*\n*)+")
_SEPARATOR = re.compile(
    r"^[ \t]*-{2,10} ?(?:Original Message|Message d['’]origine|Message original|Ursprüngliche Nachricht|"
    r"Forwarded message|Message transféré) ?-{2,10}[ \t]*$"
    # Three lines of a mail's head; two may be the customer's own.
    r"|^(?:_{5,80}[ \t]*\n)?(?:From|De|Von|Da|Van)[ \u00a0]?:[^\n]{1,200}\n"
    r"(?:Sent|Date|Envoyé|Gesendet|Enviad[oa](?: el| em)?|Inviato|Verzonden|Datum|Data|Fecha)[ \u00a0]?:[^\n]{1,200}\n"
    r"(?:To|Cc|Subject|À|Objet|An|Betreff|Para|Asunto|Assunto|A|Oggetto|Aan|Onderwerp)[ \u00a0]?:",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_LONGEST_SIGNATURE = 10  # lines
_PICTURE = re.compile("\ue000([0-9]{1,6})\ue001")  # holds a picture's place while a text is read


def reduced(html: str, plain: str = "") -> str:
    """What the author wrote, from the HTML when there is some; cut at `MOST` characters, and saying so."""
    html, plain = _DECLARATION.sub("", html[:_MOST_RAW]), plain[:_MOST_RAW]
    whole = _tidy(_read(html, quotes=True) if html.strip() else plain)
    own = _tidy(_read(html, quotes=False)) if html.strip() else whole
    own = _tidy(_without_signature(_without_history(own))) or whole
    if len(own) <= MOST:
        return own
    return f"{own[:MOST].rstrip()}\n[… {len(own) - MOST} more characters stand in the ticket]"


def pictures(html: str) -> list[tuple[str, str]]:
    """The pictures in what the author wrote, each by its address and a name for it; mail programs send those of the
    quoted history along again."""
    reader = _Reader(quotes=False, places=True)
    reader.feed(_DECLARATION.sub("", html[:_MOST_RAW]))
    reader.close()
    own = _without_signature(_without_history(_tidy("".join(reader.parts))))
    shown = [reader.pictures[int(place)] for place in _PICTURE.findall(own) if int(place) < len(reader.pictures)]
    return [
        (address, name if (guess_type(name)[0] or "").startswith("image/") else f"picture-{count}.png")
        for count, (address, name) in enumerate(shown, start=1)
    ]


def addresses_in(heads: Iterable[str]) -> set[str]:
    """The addresses that stand in such lines as a mail's To and Cc, in lower case."""
    return {address.lower() for _, address in getaddresses(list(heads)) if address}


class _Reader(HTMLParser):
    """Collects what a reader would see, in one pass however deep the markup is nested."""

    def __init__(self, quotes: bool, places: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.pictures: list[tuple[str, str]] = []  # address, and what stands in its place
        self._quotes, self._places = quotes, places  # of quotations and pictures: whether they are shown
        self._open: list[tuple[str, bool]] = []
        self._counts: dict[str, int] = {}
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            hides = tag in _UNSEEN or (not self._quotes and _is_quote(tag, attrs))
            self._open.append((tag, hides))
            self._counts[tag] = self._counts.get(tag, 0) + 1
            self._hidden += hides
        if not self._quotes and dict(attrs).get("id") in _BEGINS:
            self._hidden += 1
        if not self._hidden and (tag in _BLOCKS or tag in ("br", "hr")):
            self.parts.append("\n- " if tag == "li" else "\n")
        elif self._places and not self._hidden and tag == "img":
            known = dict(attrs)
            self.parts.append(f"\ue000{len(self.pictures)}\ue001")
            self.pictures.append((known.get("src") or "", known.get("alt") or ""))

    def handle_endtag(self, tag: str) -> None:
        if not self._counts.get(tag):
            return
        was_hidden = bool(self._hidden)
        while self._open:
            closed, hides = self._open.pop()
            self._counts[closed] -= 1
            self._hidden -= hides
            if closed == tag:
                break
        if not was_hidden and tag in _BLOCKS:
            self.parts.append("\n\n" if tag == "p" else "\n")
        elif not was_hidden and tag in ("td", "th"):
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if not self._counts.get("pre"):
            data = re.sub(r"\s+", " ", data)
            if not self.parts or self.parts[-1].endswith(("\n", " ")):
                data = data.lstrip(" ")
        if data:
            self.parts.append(data)


def _is_quote(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    known = dict(attrs)
    if tag == "blockquote" and known.get("type") == "cite":
        return True
    return not _QUOTE_NAMES.isdisjoint(f"{known.get('class') or ''} {known.get('id') or ''}".split())


def _read(html: str, quotes: bool) -> str:
    reader = _Reader(quotes)
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)


def _without_history(text: str) -> str:
    separator = _SEPARATOR.search(text)
    if separator is not None:
        text = text[: separator.start()]
    kept, position = [], 0
    for found in _ATTRIBUTION.finditer(text):
        if found.start() < position:
            continue
        kept.append(text[position : found.start()])
        # Some people answer below the quotation: then only the quoted lines go.
        quoted = _QUOTED.match(text, found.end())
        if quoted is None:
            return "".join(kept)
        position = quoted.end()
    return "".join([*kept, text[position:]])


def _without_signature(text: str) -> str:
    marks = list(_SIGNATURE.finditer(text))
    if not marks or text.count("\n", marks[-1].end()) > _LONGEST_SIGNATURE:
        return text
    return text[: marks[-1].start()]


def _tidy(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").replace("\u200b", "").replace("\0", "")
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n").rstrip()
