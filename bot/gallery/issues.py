"""The card in each stage, what decides about an issue, the talk under it, and the notices around it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bot.gallery.contents import Contents
from bot.gallery.sample import Made, Sample, show
from bot.model import Kind, Severity, Stage
from bot.slack import views
from bot.slack.views import Card, Proof, Where
from bot.texts import Say

_DAY = date(2026, 12, 3)


def samples(say: Say, of: Contents) -> Made:
    yield from _cards(say, of)
    yield from _fixed(say, of)
    yield from _deciding(say, of)


def _card(say: Say, card: Card) -> Sample:
    return show(views.card, say, card)


def _filed(of: Contents, stage: Stage = Stage.FILED) -> Card:
    return Card(
        issue_id="i1",
        issue=of.issue,
        stage=stage,
        agents=of.agents,
        who=of.support_dev,
        waiting=of.many - 1,
        longest=of.waited,
    )


def _cards(say: Say, of: Contents) -> Made:
    unnumbered = views.IssueName(title=of.title)
    yield "Being filed", _card(say, Card(issue_id="i1", issue=unnumbered, stage=Stage.FILING, agents=of.agents[:1]))
    yield "Not filed", _card(say, Card(issue_id="i1", issue=unnumbered, stage=Stage.FILING, stuck=of.sentence))
    filed = _filed(of)
    yield "Filed", _card(say, filed)
    critical = replace(filed, severity=Severity.CRITICAL, kind=Kind.TOOLING, elsewhere=True, waiting=1)
    yield "Filed: critical, for support’s own tools, other projects", _card(say, critical)
    taken = _filed(of, Stage.ACKNOWLEDGED)
    yield "In hand", _card(say, taken)
    yield "In hand, a question is open", _card(say, replace(taken, question=of.question))
    yield "In hand, a day was named", _card(say, replace(taken, promised=_DAY, elsewhere=True))
    yield "Closed without a reason", _card(say, replace(taken, wanted="reason"))
    yield "Closed without a commit", _card(say, replace(taken, wanted="fix"))
    yield "Gone from the tracker", _card(say, replace(taken, wanted="gone"))
    yield "A duplicate", _card(say, replace(taken, joined=of.other))
    declined = replace(_filed(of, Stage.DECLINED), reason=of.reason)
    yield "Declined", _card(say, declined)
    yield "Declined, and everybody has heard", _card(say, replace(declined, waiting=0, longest=None))
    shipped = replace(_filed(of, Stage.SHIPPED), proof=of.released)
    yield "Shipped in a release", _card(say, shipped)
    yield "Live, and everybody has heard", _card(say, replace(shipped, waiting=0, longest=None, proof=of.deployed))
    word = Proof(word=of.advice, by=of.support_dev)
    yield "Fixed without a commit", _card(say, replace(shipped, proof=word))


def _fixed(say: Say, of: Contents) -> Made:
    fixed = replace(_filed(of, Stage.FIXED), proof=of.merged)
    yield "Fixed, waits for a release", _card(say, fixed)
    yield "Fixed, waits for the branch", _card(say, replace(fixed, shipped_when="merged"))
    deployed = replace(fixed, shipped_when="deployed", waits_for=of.places)
    yield "Fixed, waits for a deployment", _card(say, deployed)
    yield "Fixed, one of several places is enough", _card(say, replace(deployed, any_place=True))
    yield "Fixed, without a proof", _card(say, replace(fixed, proof=Proof()))
    back = Where(name=of.places[0], environment=True)
    for reason in ("reverted", "rolled_back", "deleted", "reopened", "failed"):
        at = Where(name=of.version) if reason == "deleted" else back
        stage = Stage.ACKNOWLEDGED if reason == "reopened" else Stage.FIXED
        gone = replace(fixed, stage=stage, proof=replace(of.merged, back=reason, back_by=at))
        yield f"Out no more: {reason}", _card(say, gone)


def _deciding(say: Say, of: Contents) -> Made:
    projects = [("shop", of.project), ("app", of.other_project)]
    yield "Decline", show(views.decline, say, "i1", of.title, 1)
    yield "Decline, where names may leave", show(views.decline, say, "i1", of.title, of.many, full=True)
    yield "Fixed by", show(views.mark_fixed, say, "i1", of.title)
    yield "To another project", show(views.carry, say, "i1", of.title, projects)
    people = tuple((f"U0DEV{n}", name) for n, name in enumerate([of.support_dev, *of.agents[:3]]))
    plain = views.Change(title=of.title, support_devs=people, severity=Severity.NORMAL)
    yield "Change", show(views.change, say, "i1", plain)
    full = replace(plain, support_dev="U0DEV1", severity=Severity.CRITICAL, promised=_DAY, similar=True)
    yield "Change, with a day named", show(views.change, say, "i1", full)
    yield "A button that does nothing for them", show(views.sentence, say, of.sentence)


def talk(say: Say, of: Contents) -> Made:
    """The card's thread, and the modals of the talk."""
    yield "Asks", show(views.ask, say, "i1", of.title, len(of.agents))
    yield "Answers", show(views.answer, say, "i1", of.title, of.question, public=False)
    yield "Answers, where everybody can read", show(views.answer, say, "i1", of.title, of.question, public=True)
    yield "Tells a way around", show(views.workaround, say, "i1", of.title, of.many)
    yield "In the thread: a question", show(views.asked, say, of.support_dev, of.question)
    yield "In the thread: an answer", show(views.answered, say, of.agents[0], of.advice, "U0LEO")
    yield "In the thread: an answer to the tracker", show(views.answered, say, of.agents[0], of.advice, "")
    yield "In the thread: a way around", show(views.way_around, say, of.support_dev, of.advice)
    yield "In the thread: said in the issue", show(views.remark, say, of.support_dev, of.advice)
    yield "A reply stays in the thread", show(views.offer, say, "i1/1", public=False)
    yield "A reply, where everybody can read", show(views.offer, say, "i1/1", public=True)
    yield "A reply goes to the issue", show(views.brought, say)
    yield "Handed over", show(views.handed, say, of.issue, of.agents[0])
    yield "A day was named", show(views.promised, say, of.issue, of.support_dev, _DAY)


def notices(say: Say, of: Contents) -> Made:
    """To agents about what they flagged; to Support Dev and leads about what is missing."""
    ticket, issue, agent = of.ticket, of.issue, of.agents[0]
    yield "Filed", show(views.filed, say, ticket, issue)
    yield "Attached", show(views.attached, say, ticket, issue)
    yield "Attached to a settled issue", show(views.attached, say, ticket, issue, settled=True)
    yield "Followed", show(views.followed, say, ticket, issue, agent)
    yield "Carried already", show(views.yours_already, say, ticket, issue)
    yield "Not filed", show(views.filing_failed, say, ticket, of.title, of.sentence, of.sentence)
    yield "No note on the ticket", show(views.note_failed, say, ticket, issue, of.clause)
    yield "A colleague’s customer joined", show(views.joined, say, ticket, issue, agent, same_ticket=False)
    yield "A colleague follows", show(views.joined, say, ticket, issue, agent, same_ticket=True)
    called = ("U0LEO",) if of.many < 10 else ("U0LEO", "U0ANA", "U0BEN", of.title)
    yield "The reason is wanted", show(views.reason_wanted, say, "i1", issue, of.many, called)
    yield "The fix is wanted", show(views.fix_wanted, say, "i1", issue, 1, called)
    yield "No fix", show(views.unnamed, say, "i1", issue, of.clause)
    yield "Moved", show(views.moved, say, [of.ticket_at(n) for n in range(of.many)], issue)
    yield "A duplicate", show(views.moved, say, [ticket], issue, duplicate=True)
    yield "Gone from the tracker", show(views.gone, say, "i1", issue, of.many)
    yield "A repository was made public", show(views.bared, say, of.repository, [issue, of.other] * (of.many // 2))
    yield "Something is to be mended", show(views.finding, say, of.project, of.repository, of.clause, of.sentence)
