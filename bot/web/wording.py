"""How the pages call what only operators know: kinds of calls, looks, jobs, and why things are as they are. Pure."""

from __future__ import annotations

from bot.model import ANSWERED, MERGED, SUPERSEDED, TAKEN_OFF
from bot.reasons import clause
from bot.shipping import BRANCH, RELEASES, environment_of
from bot.store.tables import Effect
from bot.texts import Say


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
        "note": say("Note on a ticket"),
        "reply": say("Reply to a customer"),
        "ticket": say("Look at a ticket"),
        "facts": say("Learn a ticket’s facts"),
        "card": say("Card in Slack"),
        "told": say("Message of news"),
        "round": say("Message of news, kept current"),
        "notice": say("Direct message"),
        "digest": say("Digest"),
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
    return f"{service}: {clause(say, detail)}"
