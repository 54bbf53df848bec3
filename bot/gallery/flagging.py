"""From the first word to the form: the modal `flag` in all that it can be, and what stands in the channel."""

from __future__ import annotations

from dataclasses import replace

from bot.gallery.contents import Contents
from bot.gallery.sample import Made, Sample, show
from bot.model import Stage
from bot.redaction import CARD, CUSTOMER, EMAIL, IBAN, PASSWORD, PHONE, TOKEN
from bot.slack import views
from bot.slack.views import FlagForm, Left, TicketName
from bot.texts import Say

_KINDS = (CARD, IBAN, TOKEN, PASSWORD, EMAIL, PHONE, CUSTOMER, "another")


def samples(say: Say, of: Contents) -> Made:
    yield from _before_the_form(say, of)
    yield from _forms(say, of)
    yield from _offers(say, of)


def _before_the_form(say: Say, of: Contents) -> Made:
    yield "Opens at once", show(views.flag_looking, say, "d1", of.ticket)
    yield "Without a helpdesk’s name", show(views.flag_looking, say, "d1", TicketName(number=of.number))
    yield "Without a number", show(views.flag_looking, say, "d1", TicketName())
    yield "Asks which ticket", show(views.flag_ask_ticket, say, "d1")
    yield "Asks again", show(views.flag_ask_ticket, say, "d1", of.sentence)
    left = Left(draft_id="d0", number=of.number, title=of.title)
    yield "A draft was left", show(views.flag_ask_ticket, say, "d1", None, left)
    for name, one in (
        ("A draft without a title", replace(left, title="")),
        ("A draft without a number", replace(left, number="")),
        ("A draft of neither", Left(draft_id="d0")),
    ):
        yield name, show(views.flag_ask_ticket, say, "d1", None, one)
    yield "Refused", show(views.flag_refused, say, of.sentence)
    yield "Refused, to be tried again", show(views.flag_refused, say, of.sentence, "d1")


def _forms(say: Say, of: Contents) -> Made:
    form = FlagForm(facts=of.facts())
    yield "One project, nothing alike", _form(say, form)
    chosen = {"title": of.title, "summary": of.advice, "severity": "high", "project": "app"}
    two = (("shop", of.project), ("app", of.other_project))
    yield "Two projects, filled", _form(say, replace(form, projects=two, similar=True, initial=chosen))
    yield "Likely duplicates", show(views.renewed, _view(say, replace(form, similar=True)), _alike(say, of))
    redacted = {kind: 1 if of.many < 10 else n for n, kind in enumerate(_KINDS, 1)}
    yield (
        "Public, with things left out",
        _form(say, replace(form, link_only=True, public=(of.project,), redacted=redacted)),
    )
    yield "Some projects are public", _form(say, replace(form, public=(of.project, of.other_project), projects=two))
    yield "Link only, with files from the thread", _form(say, replace(form, link_only=True, files=of.files))
    already = views.Already(issue=of.issue, by=of.agents[0])
    yield "A colleague carried it", _form(say, replace(form, already=already, similar=True))
    yield "Carried already by oneself", _form(say, replace(form, already=replace(already, own=True)))
    for name, before in (
        ("Shipped before", views.Before(issue=of.issue, version=of.version)),
        ("Shipped before, without a version", views.Before(issue=of.issue)),
        ("Declined before", views.Before(issue=of.issue, declined=True)),
    ):
        yield name, _form(say, replace(form, before=before))
    pasted = {"ticket": of.number, "words": of.said, "customer": of.customers[0]}
    yield "The helpdesk did not answer", _form(say, FlagForm(note=of.sentence, similar=True))
    yield "Words were pasted", _form(say, FlagForm(initial=pasted))


def _view(say: Say, form: FlagForm) -> views.View:
    return views.flag_form(say, "d1", form)


def _form(say: Say, form: FlagForm) -> Sample:
    return show(views.flag_form, say, "d1", form)


def _alike(say: Say, of: Contents) -> list[views.Block]:
    waiting = 2 if of.many < 10 else of.many
    found = (
        views.Likely(reference="i1", issue=of.issue, stage=Stage.ACKNOWLEDGED, waiting=waiting),
        views.Likely(reference="i2", issue=of.other, stage=Stage.SHIPPED, version=of.version),
        views.Likely(reference="i3", issue=of.other, stage=Stage.SHIPPED),
        views.Likely(reference="i4", issue=of.other),
        views.Likely(reference="i5", issue=of.other, open=False),
    )
    return views.likely(say, found)


def _offers(say: Say, of: Contents) -> Made:
    yield "Offered to one person in the channel", show(views.flag_offer, say, "d1", of.ticket)
    yield "Offered without a ticket", show(views.flag_offer, say, "d1", TicketName())
    yield "Not for them", show(views.flag_not_yours, say)
    waiting = views.Card(issue_id="i1", issue=of.issue, stage=Stage.FIXED, waiting=of.many, proof=of.merged)
    yield "Under a link", show(views.preview, say, waiting, of.title)
    shipped = views.Card(issue_id="i1", issue=of.issue, stage=Stage.SHIPPED)
    yield "Under a link that shows no title", show(views.preview, say, shipped, "")
    yield "Likely duplicates by themselves", show(views.likely, say, [views.Likely(reference="i1", issue=of.issue)])
