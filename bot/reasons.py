"""Why a service did not do it, in a person's language: what the adapters say in English, for a log, said again. Pure.

What a service says itself (`GitHub: Validation Failed`) is a quotation, and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.texts import Say

_SAID: tuple[tuple[str, Callable[[Say, str], str]], ...] = (
    (r"no answer within (\S+) s", lambda say, n: say("no answer within {n} s", n=n)),
    (r"no answer(?: in time| \(.*\))", lambda say, _: say("no answer in time")),
    (r"it took more than (\S+) s to send its answer", lambda say, n: say("no answer within {n} s", n=n)),
    (r"it cannot be reached \(.*\)", lambda say, _: say("it cannot be reached")),
    (r"(?:cannot connect|nobody answers at its address)", lambda say, _: say("it cannot be reached")),
    (r"the line (?:dropped|broke|was dropped before an answer came)", lambda say, _: say("the line dropped")),
    (r"(?:rate limit|too many requests)", lambda say, _: say("too many requests")),
    (r"(?:it failed \(HTTP |status |answered )(\d+)\)?", lambda say, n: say("it failed (HTTP {status})", status=n)),
    (r"it refuses \(HTTP (\d+)\)", lambda say, n: say("it refuses (HTTP {status})", status=n)),
    (r"it refuses our credentials \(HTTP (\d+)\)", lambda say, _: say("it does not recognise our credentials")),
    (r"it does not recognise our email and token", lambda say, _: say("it does not recognise our credentials")),
    (r"it does not exist, or is hidden from us", lambda say, _: say("it does not exist, or is hidden from us")),
    (r"ticket (\S+) was deleted", lambda say, n: say("ticket {number} was deleted", number=n)),
    (
        r"ticket (\S+) is closed and takes no more messages: .*",
        lambda say, n: say(
            "ticket {number} is closed and takes no more messages: create a follow-up in the helpdesk and write there",
            number=n,
        ),
    ),
    (
        r"the message on ticket (\S+) was kept as an internal note, .*",
        lambda say, n: say(
            "the message on ticket {number} was kept as an internal note, and the customer did not get it: give "
            "Passerelle’s account in the helpdesk the right to make public comments",
            number=n,
        ),
    ),
    (
        r"it did not confirm what it wrote to ticket (\S+)",
        lambda say, n: say("it did not confirm what it wrote to ticket {number}", number=n),
    ),
    (
        r"(?:pull|merge) request (\S+) is not merged yet",
        lambda say, n: say("pull or merge request {number} is not merged yet", number=n),
    ),
    (
        r"name a commit \(7 or more characters of its sha\) or a (?:pull|merge) request .*",
        lambda say, _: say("name a commit (7 or more characters of its sha), or a pull or merge request"),
    ),
    (r"the services were too slow for one try", lambda say, _: say("the services were too slow for one try")),
    (
        r"the helpdesk did not say clearly whether it has the reply",
        lambda say, _: say("the helpdesk did not say clearly whether it has the reply"),
    ),
)


def clause(say: Say, detail: str) -> str:
    """The reason in the reader's language where it is one of ours, its first letter as it was; in English it stays."""
    if say.english:
        return detail
    for pattern, speak in _SAID:
        if found := re.fullmatch(pattern, detail.rstrip("."), re.IGNORECASE):
            made = speak(say, found[1] if found.re.groups else "")
            return made[0].upper() + made[1:] if detail[0].isupper() else made
    return detail
