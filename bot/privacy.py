"""What may leave the helpdesk, and how untrusted text is shown where it arrives.

Three policies say what leaves; a public repository always gets the ticket's link alone. Whatever leaves is made
harmless: in a tracker's Markdown it mentions nobody, refers to nothing, commands nothing, loads nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from bot.redaction import INVISIBLE, Redacted, redact, without_secrets

__all__ = [
    "Facts", "Policy", "Redacted", "agent_leaving", "bare_address", "effective", "excerpt", "file_name", "harmless",
    "leaving", "plain", "quoted", "reason_leaving", "redact", "without_secrets",
]  # fmt: skip


class Policy(StrEnum):
    """How much of a ticket a project's tracker may see."""

    LINK_ONLY = "link_only"
    REDACTED = "redacted"
    FULL = "full"
    PUBLIC = "public"  # never configured: the link alone, and no colleague's name either


def effective(policy: Policy, public: bool) -> Policy:
    """The policy that holds for a repository: a public one gets the link alone, whatever is configured."""
    return Policy.PUBLIC if public else policy


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a ticket when it is flagged; every field may be empty."""

    ticket_number: str = ""
    ticket_url: str = ""
    helpdesk: str = ""
    subject: str = ""
    customer_name: str = ""
    customer_email: str = ""
    organisation: str = ""
    plan: str = ""
    fields: tuple[tuple[str, str], ...] = ()  # those of the ticket that the configuration names: (name, value)
    language: str = ""
    words: str = ""  # what the customer wrote
    attachments: tuple[str, ...] = ()  # their names
    tags: tuple[str, ...] = ()
    agent_title: str = ""
    agent_summary: str = ""
    files: tuple[tuple[str, str], ...] = ()  # of the Slack thread: their names, and the addresses of their messages


def leaving(facts: Facts, policy: Policy) -> Facts:
    """What of `facts` may leave the helpdesk under `policy` (see `effective`).

    link_only: the ticket's number, link and helpdesk, and the agent's own title and summary without personal data,
    the customer's name or organisation; public: the same. redacted: no name or e-mail address, every text without
    personal data; organisation, plan, language and named fields stay. full: everything but secrets.
    """
    facts = replace(facts, ticket_url=_link(facts))
    if policy is Policy.FULL:
        return _rewritten(facts, lambda text: without_secrets(text).text)
    names: tuple[str, ...] = (facts.customer_name, facts.customer_email)
    if policy is Policy.REDACTED:
        return _rewritten(replace(facts, customer_name="", customer_email=""), lambda text: redact(text, names).text)
    names = (*names, facts.organisation)
    return Facts(
        ticket_number=facts.ticket_number,
        ticket_url=facts.ticket_url,
        helpdesk=facts.helpdesk,
        agent_title=redact(facts.agent_title, names).text,
        agent_summary=redact(facts.agent_summary, names).text,
    )


def reason_leaving(reason: str, names: Iterable[str], policy: Policy) -> str:
    """What of a reason that was given in Slack may stand in the issue. `names`: the names and e-mail addresses of the
    issue's customers; under `link_only` and in public, their organisations too."""
    return without_secrets(reason).text if policy is Policy.FULL else redact(reason, names).text


def agent_leaving(name: str, policy: Policy) -> str:
    """What of a colleague's name may stand in the issue: all of it, but nothing where everybody can read."""
    return "" if policy is Policy.PUBLIC else name


def bare_address(address: str) -> str:
    """A web address without sign-in, query and fragment, where names and tokens travel; "" for anything else."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme in ("http", "https") and host else ""


def _link(facts: Facts) -> str:
    """The ticket's address: as its helpdesk has it, or what is harmless of one that a person pasted."""
    if facts.ticket_number:
        return facts.ticket_url
    address = bare_address(facts.ticket_url)
    return "" if redact(address, (facts.customer_name, facts.customer_email)).counts else address


def _rewritten(facts: Facts, rewrite: Callable[[str], str]) -> Facts:
    return replace(
        facts,
        subject=rewrite(facts.subject),
        organisation=rewrite(facts.organisation),
        plan=rewrite(facts.plan),
        fields=tuple((name, rewrite(value)) for name, value in facts.fields),
        words=rewrite(facts.words),
        attachments=tuple(map(rewrite, facts.attachments)),
        tags=tuple(map(rewrite, facts.tags)),
        agent_title=rewrite(facts.agent_title),
        agent_summary=rewrite(facts.agent_summary),
        files=tuple((rewrite(name), address) for name, address in facts.files),
    )


# --- a tracker's Markdown ---------------------------------------------------------------------------------------------

_GAP = "\u200b"  # zero-width space: seen by nobody, and no name or number goes on across it
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")
_ADDRESS = re.compile(r"(?i:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://|(?<![a-z0-9.-])www\.)[^\s<>`|\"\u200b]+")
_REFERENCE = re.compile(
    r"@|#|[!$%~^*&](?=[\w\"{])"  # people, issues, and GitLab's merge requests, snippets, labels, alerts, epics
    r"|(?i:g[hl]-)(?=\d)|(?i:\[(?=\[|toc|[a-z_]{1,30}:))|:(?=//)|(?i:www)(?=\.)"
)
_ESCAPES = str.maketrans(
    {char: f"\\{char}" for char in "\\`*_[]~|$"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"},
)
_LINE_START = re.compile(r"[-+=:/]|\d{1,9}(?=[.)])")


def harmless(text: str) -> str:
    """Untrusted text as GitHub's and GitLab's Markdown that shows it as it was written, and does nothing.

    - References (`@name`, `#12`, `GH-12`, `!12`) get a zero-width space: both trackers look for them in the rendered
      text, where a backslash or an entity is gone again.
    - Markdown's own characters get a backslash. `<`, `>` and `&` become entities instead, so that a look-alike of our
      marks is none in the raw text either, where marks are looked for.
    - A line's first `/` gets a backslash: GitLab's quick actions and our own commands are read from the raw text.
    - An address stands in a code span: it can be copied, and is neither loaded, linked, nor a cross-reference.
    - Control and direction characters are removed. Lines stay lines.
    """
    lines = _cleaned(text).split("\n")
    return "  \n".join(_harmless_line(line) for line in lines)  # two blanks: GitLab would join the lines


def _cleaned(text: str) -> str:
    return INVISIBLE.sub("", _CONTROL.sub("", _LINE_END.sub("\n", text)))


def _harmless_line(line: str) -> str:
    body = line.lstrip()
    indent = line[: len(line) - len(body)].replace("\t", "    ")
    shown, at = [], 0
    for found in _ADDRESS.finditer(body):
        address = found.group().rstrip(".,;:!?'\")]}*_~")
        shown += [_inert(body[at : found.start()]), f"`{address}`"]
        at = found.start() + len(address)
    shown.append(_inert(body[at:].rstrip()))
    start = _LINE_START.match(body)
    if start and start.group().isdecimal():
        shown[0] = shown[0].replace(start.group(), start.group() + "\\", 1)
    elif start:
        shown[0] = "\\" + shown[0]
    return "\u00a0" * len(indent) + "".join(shown)


def _inert(text: str) -> str:
    return _REFERENCE.sub(lambda found: found.group() + _GAP, text).translate(_ESCAPES)


def quoted(text: str, limit: int) -> tuple[str, bool]:
    """The first `limit` characters of untrusted text as a harmless Markdown quotation, and whether any were left out.

    The quotation is at most six times as long as what it quotes (an ampersand's entity is), plus two characters.
    """
    whole = _cleaned(text).strip()
    return "> " + harmless(whole[:limit].rstrip()).replace("\n", "\n> "), len(whole) > limit


# --- files ------------------------------------------------------------------------------------------------------------


def file_name(name: str, limit: int = 100) -> str:
    """An untrusted file's name without secrets, of letters, marks, digits and `._+-` alone: it is shown as it is in
    Markdown, and names no path. At most `limit` characters, of which its ending stays."""
    plain = unicodedata.normalize("NFC", without_secrets(name[-4 * limit :]).text)
    kept = "".join(char if unicodedata.category(char)[0] in "LMN" or char in "._+-" else "_" for char in plain)
    stem, dot, ending = re.sub(r"_{2,}", "_", kept).strip("._+-").rpartition(".")
    stem, ending = (stem, f"{dot}{ending}") if dot and len(ending) <= 10 else (f"{stem}{dot}{ending}", "")
    return f"{stem[: limit - len(ending)]}{ending}" or "file"


# --- Slack ------------------------------------------------------------------------------------------------------------

_CALL = re.compile(r"(?i:@(?=here|channel|everyone|group))")


def plain(text: str) -> str:
    """Untrusted text for Slack's mrkdwn: `<!channel>`, `<@U…>`, `<link|…>` and a bare @here are text and call nobody.

    `&`, `<` and `>` are the three characters to escape (Slack, "Formatting text for app surfaces").
    """
    escaped = _cleaned(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _CALL.sub(lambda found: found.group() + _GAP, escaped)


def excerpt(text: str, limit: int) -> str:
    """The beginning of a text on one line, at most `limit` characters, cut at a word with "…"."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: max(0, limit - 1)]
    if not line[len(cut)].isspace() and " " in cut[limit // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return (cut.rstrip(" .,;:–—-") + "…")[:limit]
