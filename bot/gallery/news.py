"""What agents hear when there is news, in each state of its write-backs, and the modals to write back."""

from __future__ import annotations

from dataclasses import replace

from bot.gallery.contents import NOW, Contents
from bot.gallery.sample import Made, Sample, show
from bot.model import ANSWERED, MERGED, SUPERSEDED, TAKEN_OFF, Confirmation, News, WriteBack
from bot.slack import views
from bot.slack.views import NewsLine, Proof, Round, RoundIssue, Row, Where, confirm, crowd, handing
from bot.texts import Say


def samples(say: Say, of: Contents) -> Made:
    yield from _rounds(say, of)
    yield from _states(say, of)
    yield from _meantime(say, of)
    yield from _taken_back(say, of)
    yield from _writing(say, of)
    yield from _confirming(say, of)
    yield from _many(say, of)


def _round(say: Say, *issues: RoundIssue) -> Sample:
    return show(views.round_, say, Round(issues=issues))


def _rows(of: Contents, n: int = 1, state: WriteBack = WriteBack.DUE, reason: str = "") -> tuple[Row, ...]:
    return tuple(Row(write_back_id=f"w{i}", facts=of.facts(i), state=state, reason=reason) for i in range(n))


def _rounds(say: Say, of: Contents) -> Made:
    shipped = of.news()
    yield "Shipped, one customer", _round(say, RoundIssue(news=shipped, rows=_rows(of)))
    noted = RoundIssue(news=replace(shipped, note=of.advice), rows=_rows(of))
    yield "Shipped, with words for customers", _round(say, noted)
    yield "Shipped, as many as there are", _round(say, RoundIssue(news=shipped, rows=_rows(of, of.many)))
    yield "Shipped, for who follows", _round(say, RoundIssue(news=shipped, rows=_rows(of, 2), owner=of.agents[0]))
    live = of.news(proof=of.deployed)
    yield "Live on environments", _round(say, RoundIssue(news=live, rows=_rows(of)))
    yield "Merged", _round(say, RoundIssue(news=of.news(proof=of.merged), rows=_rows(of)))
    word = of.news(proof=Proof(word=of.advice, by=of.support_dev))
    yield "Fixed without a commit", _round(say, RoundIssue(news=word, rows=_rows(of)))
    declined = of.news(News.DECLINED, Proof(), of.reason)
    yield "Declined", _round(say, RoundIssue(news=declined, rows=_rows(of, 2)))
    second = replace(shipped, issue=of.other)
    own, followed = (
        RoundIssue(news=shipped, rows=_rows(of)),
        RoundIssue(news=second, rows=_rows(of), owner=of.agents[0]),
    )
    yield "Two fixes in one release", _round(say, own, followed)
    where = (own, RoundIssue(news=replace(live, issue=of.other), rows=_rows(of)))
    yield "News of several kinds", _round(say, *where, RoundIssue(news=declined, rows=_rows(of)))
    lived = RoundIssue(news=live, rows=_rows(of))
    yield "Two fixes live", _round(say, lived, RoundIssue(news=replace(live, issue=of.other), rows=_rows(of)))


def _states(say: Say, of: Contents) -> Made:
    for state in WriteBack:
        if state is not WriteBack.DUE:
            yield f"Write-back {state}", _round(say, RoundIssue(news=of.news(), rows=_rows(of, 1, state)))
    for reason in (of.advice, ANSWERED, MERGED, SUPERSEDED, TAKEN_OFF):
        rows = _rows(of, 1, WriteBack.SKIPPED, reason)
        name = "with a reason" if reason == of.advice else reason.replace("_", " ")
        yield f"Write-back skipped: {name}", _round(say, RoundIssue(news=of.news(), rows=rows))
    mixed = (*_rows(of, 1, WriteBack.WRITTEN), *_rows(of, 2), *_rows(of, 1, WriteBack.HELD))
    yield "Some written, some due, one on hold", _round(say, RoundIssue(news=of.news(), rows=mixed))


def _meantime(say: Say, of: Contents) -> Made:
    question = of.news(News.QUESTION, Proof(), of.question, by=of.support_dev, answer_id="i1")
    yield "A question", _round(say, RoundIssue(news=question, rows=_rows(of)))
    answered = replace(question, answer_id="")
    rows = _rows(of, 1, WriteBack.SKIPPED, ANSWERED)
    yield "A question that is answered", _round(say, RoundIssue(news=answered, rows=rows))
    around = of.news(News.WORKAROUND, Proof(), of.advice, by=of.support_dev)
    yield "A way around", _round(say, RoundIssue(news=around, rows=_rows(of, 2)))


def _back(of: Contents, back: str, by: Where | None) -> NewsLine:
    return of.news(News.ROLLED_BACK, replace(of.merged, back=back, back_by=by))


def _taken_back(say: Say, of: Contents) -> Made:
    release, place = Where(name=of.version), Where(name=of.places[0], environment=True, since=NOW)
    for name, line in {
        "Rolled back": _back(of, "rolled_back", place),
        "Reverted in a release": _back(of, "reverted", release),
        "Reverted on an environment": _back(of, "reverted", place),
        "Reverted": _back(of, "reverted", None),
        "A release was withdrawn": _back(of, "deleted", release),
        "Opened again": _back(of, "reopened", None),
        "No longer live": _back(of, "failed", None),
    }.items():
        yield name, _round(say, RoundIssue(news=line, rows=_rows(of, min(of.many, 4))))
    both = [
        RoundIssue(news=replace(_back(of, "failed", place), issue=one), rows=_rows(of)) for one in (of.issue, of.other)
    ]
    yield "Two fixes out no more", _round(say, *both)


def _writing(say: Say, of: Contents) -> Made:
    for name, line in {
        "shipped": of.news(),
        "live": of.news(proof=of.deployed),
        "declined": of.news(News.DECLINED, Proof(), of.reason),
        "a question": of.news(News.QUESTION, Proof(), of.question, by=of.support_dev),
        "a way around": of.news(News.WORKAROUND, Proof(), of.advice, by=of.support_dev),
        "rolled back": _back(of, "rolled_back", Where(name=of.places[0], environment=True)),
    }.items():
        form = views.WriteBackForm(facts=of.facts(), news=line, reply=of.reply if name == "live" else "")
        yield f"Write back: {name}", show(views.write_back, say, "w1", form)
    nameless = views.WriteBackForm(facts=replace(of.facts(), customer=""), news=of.news())
    yield "Write back to nobody known by name", show(views.write_back, say, "w1", nameless)
    told = tuple(views.Said(of.agents[0] if n % 2 else of.facts(n).customer, of.facts(n).words) for n in range(3))
    whole = views.WriteBackForm(
        facts=of.facts(), news=replace(of.news(), note=of.advice), promised=NOW.date(), said=told, follow_up=True
    )
    yield "Write back, with all there is", show(views.write_back, say, "w1", whole)
    yield "Skip", show(views.skip, say, "w1", of.facts())
    row = _rows(of)[0]
    yield "Unclear whether it went out", show(views.uncertain, say, row, of.issue)
    yield "Refused", show(views.refused, say, row, of.clause, of.reply)
    yield "Refused, the words are gone", show(views.refused, say, row, of.clause, "")
    yield "Still on its way", show(views.delayed, say, row, of.clause)


def _confirming(say: Say, of: Contents) -> Made:
    facts, words = of.facts(), of.facts().words
    yield "The customer answered", show(confirm.heard, say, "w1", facts, of.news(), words)
    for state in (Confirmation.WORKS, Confirmation.STILL_BROKEN):
        yield f"The customer answered: {state}", show(confirm.heard, say, "w1", facts, of.news(), words, state)
    yield "Still broken", show(confirm.still_broken, say, "w1", facts, of.news(), words)
    yield "Still broken, to the Support Dev", show(confirm.broken, say, of.issue, of.agents[0], of.many)
    yield "Still broken, a new issue", show(confirm.broken_again, say, of.other, of.issue, of.agents[0])
    yield "Still broken, and it cannot be opened", show(confirm.unopened, say, of.issue, of.agents[0])
    yield "Words for customers wanted", show(confirm.note_wanted, say, "i1", of.issue, of.many, "/note-to-customer")
    yield "Words for customers", show(confirm.note_to_customer, say, "i1", of.issue, of.advice)
    said = (views.Said(of.agents[0], of.reply), views.Said(facts.customer, words, customer=True))
    yield "Something was said meanwhile", show(confirm.changed, say, "w1", facts, said, of.reply)
    yield "Answered meanwhile", show(confirm.changed, say, "w1", facts, said, of.reply, taken=True)


def _many(say: Say, of: Contents) -> Made:
    shipped, facts = of.news(), of.facts()
    rows = _rows(of, of.many)
    issues = (RoundIssue(news=shipped, rows=(*_rows(of, 2, WriteBack.WRITTEN), *rows)),)
    yield "All customers of a round", show(crowd.crowd, say, "r1", 0, issues)
    yield "All customers of a round, the last page", show(crowd.crowd, say, "r1", 9, issues)
    yield "One reply to several", show(crowd.write_many, say, [f"w{n}:0" for n in range(of.many)], shipped, rows)
    yield "Hand over", show(handing.hand_over, say, "w1", facts)
    customers = [(of.facts(n).ticket, of.issue) for n in range(of.many)]
    ids = [f"e{n}" for n in range(of.many)]
    yield "Somebody has to take them", show(handing.offer, say, of.agents[0], "", customers, "U1", ids)
    yield "Somebody asks who takes them", show(handing.offer, say, of.agents[0], of.agents[0], customers, "U1", ids)
    offered = handing.offer(say, of.agents[0], "", customers, "U1", ids)
    yield "To a lead: the channel could not be asked", show(handing.unoffered, say, offered)
    yield "Somebody took them", show(handing.taken, say, of.agents[0], of.many)
    yield "Handed over", show(handing.handed_over, say, facts.ticket, of.issue, of.agents[0], of.support_dev, due=True)
    yield "Handed over by itself", show(handing.handed_over, say, facts.ticket, of.issue, of.agents[0], "", due=False)
