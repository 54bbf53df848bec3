"""How the pages call what only operators know: kinds of calls, looks, jobs, and why things are as they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.model import ANSWERED, MERGED, SUPERSEDED, TAKEN_OFF, Confirmation
from bot.reasons import clause
from bot.shipping import BRANCH, RELEASES, environment_of
from bot.store.tables import Effect
from bot.store.times import Milestone
from bot.texts import Say
from bot.web.charts import Bar

HOUR, DAY = 3600.0, 86400.0


def kind(say: Say, word: str) -> str:
    """What a kind of effect does; an unknown word stays as it is."""
    return {
        "issue": say("File an issue"),
        "customers": say("Table of customers in an issue"),
        "decline": say("Decline in the tracker"),
        "close": say("Close an issue"),
        "pointer": say("Point to another issue"),
        "hint": say("Tell what a command needs"),
        "comment": say("Comment on an issue"),
        "thread": say("Message in a card’s thread"),
        "reword": say("Change an issue"),
        "assign": say("Assign an issue"),
        "due": say("Due date of an issue"),
        "merge": say("Close as a duplicate"),
        "step": say("Step of a workflow"),
        "step_done": say("End of a workflow’s step"),
        "look": say("Look at an issue"),
        "glance": say("Glance at an issue"),
        "named": say("Look for a named fix"),
        "prove": say("Is a fix out"),
        "examine": say("What came out"),
        "poll": say("Poll a tracker"),
        "check": say("Check the access"),
        "mirror": say("Known issues"),
        "redeliver": say("Ask for lost webhooks"),
        "delivery": say("Read a webhook"),
        "files": say("A customer’s files to an issue"),
        "note": say("Note on a ticket"),
        "reply": say("Reply to a customer"),
        "ticket": say("Look at a ticket"),
        "facts": say("Learn a ticket’s facts"),
        "card": say("Card in Slack"),
        "told": say("Message of news"),
        "round": say("Message of news, kept current"),
        "notice": say("Direct message"),
        "digest": say("Digest"),
        "reminder": say("Reminder"),
        "reopen": say("Open an issue again"),
        "confirmed": say("Message of a customer’s answer, kept current"),
        "watch": say("Poll a helpdesk"),
        "hold": say("Ticket on hold"),
        "there": say("Look whether an agent is there"),
        "offer": say("Ask who takes over"),
        "group": say("User group on duty"),
        "yours": say("Word to who is on duty"),
        "everyone": say("Word to the whole team"),
    }.get(word, word)


def looked(say: Say, effect: Effect) -> str:
    """What of a tracker an effect looks at."""
    resource = str(effect.payload.get("watch") or effect.payload.get("resource") or "")
    what, at, elsewhere = resource.partition("@")
    if effect.kind != "poll":
        return kind(say, effect.kind)
    named = (
        {
            "issues": say("Issues"),
            "tags": say("Tags"),
            RELEASES: say("Releases"),
            BRANCH: say("Default branch"),
        }.get(what)
        or environment_of(what)
        or what
    )
    return f"{named} · {elsewhere}" if at else named


def slot(say: Say, job: str) -> str:
    """What a scheduled job does; an unknown word stays as it is."""
    name, colon, rest = job.partition(":")
    if name == "digest" and colon:
        return say("Digest “{name}”", name=rest)
    return {
        "poll": say("Polling the trackers"),
        "redeliver": say("Asking for lost webhooks"),
        "glances": say("Glancing at issues that wait"),
        "mirror": say("Learning the trackers’ issues"),
        "reminders": say("Reminding of what waits"),
        "checks": say("Checking the access"),
        "forget": say("Forgetting what is old"),
    }.get(job, job)


def why(say: Say, reason: str) -> str:
    """Why something failed, or was skipped; somebody’s own words stay as they are."""
    said = {
        ANSWERED: say("somebody answered before"),
        TAKEN_OFF: say("the ticket was taken off the issue"),
        MERGED: say("its ticket went into another one"),
        SUPERSEDED: say("newer news came first"),
    }
    service, colon, detail = reason.partition(": ")
    if reason in said or not colon:
        return said.get(reason, clause(say, reason))
    return say("{news}: {state}", news=service, state=clause(say, detail))


def confirmed(say: Say, word: Confirmation) -> str:
    """What the customer says after a reply; "" as long as nobody can know."""
    return {
        Confirmation.WAITING: "",
        Confirmation.ANSWERED: say("The customer answered"),
        Confirmation.WORKS: say("The customer says that it works"),
        Confirmation.STILL_BROKEN: say("The customer says that it is still broken"),
        Confirmation.SILENT: say("No word from the customer"),
    }[word]


def bucket(say: Say, name: str) -> str:
    """The end of a histogram's bar, short enough to stand under it."""
    return {
        "1h": say("1 h"),
        "4h": say("4 h"),
        "1d": say("1 d"),
        "3d": say("3 d"),
        "1w": say("1 wk"),
        "2w": say("2 wk"),
        "1mo": say("1 mo"),
        "more": say("more"),
    }.get(name, name)


def lasted(say: Say, seconds: float) -> str:
    """Clock time in words: fine enough to tell two of them apart."""
    if seconds < HOUR:
        return say.ago(timedelta(seconds=seconds))
    if seconds < 2 * DAY:
        return say.many("{n} hour", "{n} hours", round(seconds / HOUR))
    return say.many("{n} day", "{n} days", round(seconds / DAY))


def worked(say: Say, seconds: float, day: float) -> str:
    """Working time in words, where a working day has so many seconds."""
    if seconds < day:
        return lasted(say, seconds)
    return say.many("{n} working day", "{n} working days", round(seconds / day))


def step(say: Say, first: Milestone, last: Milestone) -> str:
    """What lies between two milestones."""
    return {
        (Milestone.FLAGGED, Milestone.SHIPPED): say("From flagged to shipped"),
        (Milestone.FLAGGED, Milestone.WRITTEN): say("From flagged to written back"),
        (Milestone.FLAGGED, Milestone.ACKNOWLEDGED): say("From flagged to taken in hand"),
        (Milestone.ACKNOWLEDGED, Milestone.FIXED): say("From taken in hand to fixed"),
        (Milestone.FIXED, Milestone.SHIPPED): say("From fixed to shipped"),
        (Milestone.SHIPPED, Milestone.TOLD): say("From shipped to told"),
        (Milestone.TOLD, Milestone.WRITTEN): say("From told to written back"),
        (Milestone.WRITTEN, Milestone.CONFIRMED): say("From written back to the customer’s word"),
    }.get((first, last), f"{first} → {last}")


def told(say: Say, bars: Sequence[Bar]) -> str:
    """A histogram as who cannot see it hears it."""
    counted = [say("{label}: {n}", label=bar.label, n=say.number(bar.n)) for bar in bars if bar.n]
    return say("How many took less than so long: {counted}.", counted=", ".join(counted))
