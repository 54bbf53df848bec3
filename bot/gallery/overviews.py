"""What `/bug` answers, and who is on duty."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from bot.gallery.contents import NOW, Contents
from bot.gallery.sample import Made, show
from bot.model import Severity, Stage
from bot.slack import views
from bot.slack.views import duty as turns
from bot.slack.views.parts import Person
from bot.texts import Say

_WORDS = (
    "flagged", "attached", "unlinked", "followed", "filed", "acknowledged", "fixed", "shipped", "declined", "reopened",
    "taken_back", "moved", "duplicate", "gone", "parted", "refiled", "carried", "reason_wanted", "fix_wanted",
    "adopted", "asked", "answered", "workaround", "handed", "promised", "merged", "severity:critical", "severity:high",
    "severity:normal", "severity:low", "told", "due", "held", "sending", "written", "uncertain", "skipped", "refused",
)  # fmt: skip


def samples(say: Say, of: Contents) -> Made:
    for name, who in {
        "a stranger": views.Abilities(),
        "an agent": views.Abilities(flags=True),
        "a Support Dev": views.Abilities(flags=True, decides=(of.project, of.other_project)),
        "a lead": views.Abilities(leads=True),
    }.items():
        yield f"Help for {name}", show(views.help_, say, "/bug", who)
    yield from _mine(say, of)
    yield from _status(say, of)
    yield from _links(say, of)
    yield "One sentence", show(views.said, of.sentence)


def _mine(say: Say, of: Contents) -> Made:
    yield "Mine: nothing", show(views.mine, say, [])
    stages = (Stage.SHIPPED, Stage.FILED, Stage.ACKNOWLEDGED, Stage.FIXED, Stage.DECLINED)
    rows = [
        views.MineLine(
            issue=of.issue if n % 2 else of.other,
            stage=stages[n % 5],
            facts=of.facts(n),
            write_back_id=f"w{n}" if n % 5 in (0, 4) else "",
        )
        for n in range(of.many)
    ]
    yield "Mine", show(views.mine, say, rows)
    yield "Mine, none due", show(views.mine, say, [row for row in rows if not row.write_back_id])


def _status(say: Say, of: Contents) -> Made:
    for at in range(0, len(_WORDS), 13):
        history = tuple(
            views.HistoryLine(at=NOW - timedelta(hours=40 - n), what=what, by=of.agents[0] if n % 2 else "")
            for n, what in enumerate(_WORDS[at : at + 13])
        )
        shown = views.Status(
            issue=of.issue, stage=Stage.SHIPPED, ticket=of.ticket, agent=of.agents[0], waiting=of.many * at,
            proof=of.released, history=history, write_back_id="w1" if at else "",
        )  # fmt: skip
        yield f"Status, with history from “{_WORDS[at]}”", show(views.status, say, shown)
    yield "Status of nothing known", show(views.nothing_known, say, of.label)
    yield "Status of nothing", show(views.nothing_known, say, "")


def _links(say: Say, of: Contents) -> Made:
    linked, unlinked = views.Linked(ticket=of.ticket, issue=of.issue), views.Unlinked(ticket=of.ticket, issue=of.issue)
    for name, one in {
        "Linked": replace(linked, others=(of.other,)),
        "Linked to a settled issue": replace(linked, settled=True),
        "Linked: a colleague’s": replace(linked, owner=of.agents[0]),
        "Linked already": replace(linked, already=True),
    }.items():
        yield name, show(views.linked, say, one)
    yield "Unlinked", show(views.unlinked, say, replace(unlinked, excused=1))
    full = replace(unlinked, excused=of.many, told=True, quoted=True, others=(of.other,) * of.many, informed=of.agents)
    yield "Unlinked, with all that follows", show(views.unlinked, say, full)
    yield "Taken off by another", show(views.taken_off, say, of.ticket, of.issue, of.agents[0], 2)


# --- on duty ----------------------------------------------------------------------------------------------------------


def duty(say: Say, of: Contents) -> Made:
    """The rota, and what who is on duty finds."""
    until = NOW + timedelta(days=5)
    two = (
        turns.OnDuty(
            project=of.project, person=of.support_dev, until=until, then=of.agents[0],
            together=((NOW + timedelta(days=1), NOW + timedelta(days=1, hours=4)),),
        ),
        turns.OnDuty(project=of.other_project, person=Person("U0LEO")),
    )  # fmt: skip
    yield "Who is on duty", show(turns.duty, say, two)
    one_day = turns.Shifted(
        project=of.project, first=date(2026, 12, 24), last=date(2026, 12, 24), before=of.support_dev, after=of.agents[0]
    )
    days = turns.Shifted(
        project=of.project, first=date(2026, 12, 24), last=date(2026, 12, 28), before=of.agents[0], after=of.support_dev
    )
    notes = [turns.shifted(say, one_day), turns.shifted(say, days)]
    notes.append(turns.everyone_planned(say, of.project, date(2026, 12, 1), "14:00", "18:00"))
    yield "Who is on duty, just changed", show(turns.duty, say, two, notes, "/bug")
    changed = [(one_day, True), (days, False), (days, True)] * (of.many // 3)
    yield "Somebody changed your days", show(turns.arranged, say, of.agents[0], changed)
    yield from _found(say, of)


def _found(say: Say, of: Contents) -> Made:
    until = NOW + timedelta(days=5)
    opens = tuple(
        turns.Open(
            issue=of.issue if n % 2 else of.other,
            stage=Stage.FILED if n % 2 else Stage.ACKNOWLEDGED,
            severity=list(Severity)[n % 4],
            age=of.waited + timedelta(hours=n),
            wanted=n % 3 == 0,
            waiting=n,
        )
        for n in range(of.many)
    )
    quiet = turns.HandOver(project=of.other_project, until=None)
    full = turns.HandOver(
        project=of.project, until=until, count=len(opens), oldest=of.waited, untaken=2, wanted=1, issues=opens
    )
    yield "You are on duty", show(turns.on_duty, say, [full, quiet])
    yield "A new issue is yours", show(turns.yours, say, opens[:1])
    yield "New issues are yours", show(turns.yours, say, opens)
    people = ("U0LEO", "U0ANA", "U0BEN")
    yield "Everyone on Support", show(turns.everyone, say, of.project, until, people, full)
