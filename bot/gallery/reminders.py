"""What people are reminded of, and what their leads hear."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from bot.gallery.contents import NOW, Contents
from bot.gallery.sample import Made, Sample, show
from bot.model import Stage, WriteBack
from bot.slack import views
from bot.slack.views import Card, RoundIssue, Row, reminders
from bot.slack.views.reminders import Waits
from bot.texts import Say

_DAY = date(2026, 11, 16)
_UNTIL = NOW + timedelta(hours=19, minutes=-20)


def samples(say: Say, of: Contents) -> Made:
    yield from _own(say, of)
    yield from _leads(say, of)
    yield from _later(say, of)


def _waits(of: Contents, what: str) -> Waits:
    return Waits(
        what=what,
        subject="i1",
        issue_id="i1",
        issue=of.issue,
        age=of.waited,
        waiting=of.many - 1,
        by=of.support_dev,
        text=of.question if what == "answer" else "",
        day=_DAY,
        customer=of.customers[0],
        reminded=of.agents[:1],
    )


def _round(of: Contents, n: int) -> views.Round:
    rows = tuple(Row(write_back_id=f"w{i}", facts=of.facts(i)) for i in range(n))
    return views.Round(issues=(RoundIssue(news=of.news(), rows=rows),))


def _doubtful(of: Contents, n: int) -> Waits:
    return replace(_waits(of, "write_back"), waiting=0, unclear=n, unclear_for=of.waited)


def _unclear_round(of: Contents, due: int, unclear: int) -> views.Round:
    """The same where the helpdesk did not answer clearly what became of the reply to the last ones."""
    [issue] = _round(of, due + unclear).issues
    rows = [*issue.rows[:due], *(replace(row, state=WriteBack.UNCERTAIN) for row in issue.rows[due:])]
    return views.Round(issues=(replace(issue, rows=tuple(rows)),))


def _all(of: Contents) -> list[Waits]:
    found = [_waits(of, what) for what in ("triage", "answer", "promise", "write_back")]
    return [*found, replace(found[0], issue=of.other, waiting=1)] * max(1, of.many // 5)


def _own(say: Say, of: Contents) -> Made:
    yield "Nobody took it", show(reminders.untaken, say, _waits(of, "triage"))
    yield "Nobody answered", show(reminders.unanswered, say, _waits(of, "answer"))
    yield "The day is over", show(reminders.overdue, say, replace(_waits(of, "promise"), by=""))
    yield "The day that somebody named before is over", show(reminders.overdue, say, _waits(of, "promise"))
    owed = _waits(of, "write_back")
    yield "Nobody wrote to the customer", show(reminders.unwritten, say, replace(owed, waiting=1), _round(of, 1))
    yield "Nobody wrote to many", show(reminders.unwritten, say, replace(owed, waiting=of.many), _round(of, of.many))
    yield "Nobody looked at the ticket", show(reminders.unwritten, say, _doubtful(of, 1), _unclear_round(of, 0, 1))
    both = replace(_doubtful(of, 2), waiting=2)
    yield "Nobody wrote to some, nor looked at others", show(reminders.unwritten, say, both, _unclear_round(of, 2, 2))
    items = [*_all(of), _doubtful(of, 1)]
    yield "Many things at once", show(reminders.several, say, items[: reminders.LISTED], len(items))


def _leads(say: Say, of: Contents) -> Made:
    for name, what in {"nobody took it": "triage", "nobody answered": "answer", "the day is over": "promise"}.items():
        yield f"To a lead: {name}", _late(say, _waits(of, what))
    later = replace(_waits(of, "triage"), reminded=(), later=of.agents[:1])
    yield "To a lead: who has it put it off", _late(say, later)
    owed = replace(_waits(of, "write_back"), waiting=2)
    yield "To a lead: nobody wrote", show(reminders.unwritten_by, say, owed, _round(of, 2))
    doubt = replace(_doubtful(of, 2), waiting=1)
    yield "To a lead: nobody looked at the ticket", show(reminders.unwritten_by, say, doubt, _unclear_round(of, 1, 2))
    gone = replace(owed, reminded=of.agents[1:2], gone=of.agents[:1], waiting=of.many)
    yield "To a lead: the agent has left", show(reminders.unwritten_by, say, gone, _round(of, of.many))
    yield "To a lead: many things", _late(say, *_all(of), doubt)


def _late(say: Say, *items: Waits) -> Sample:
    return show(reminders.late, say, items[: reminders.LISTED], len(items))


def _later(say: Say, of: Contents) -> Made:
    yield "Later, from the card", show(reminders.snoozed, say, of.issue, _UNTIL)
    told = reminders.untaken(say, _waits(of, "triage"))
    blocks = [{**block, "block_id": str(n)} for n, block in enumerate(told.blocks)]
    yield "Later, in the reminder", show(reminders.put_off, say, told.text, blocks, "1", _UNTIL)
    card = Card(issue_id="i1", issue=of.issue, stage=Stage.FILED, waiting=of.many - 1, longest=of.waited, reminds=True)
    yield "The card, where people are reminded", show(views.card, say, card)
