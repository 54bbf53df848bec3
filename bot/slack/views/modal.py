"""The modals: what they show and ask. Inputs have the field's name as `block_id` and `action_id`.

A first view shows no input that wants a default, since Slack keeps the old state of an input that an update repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.model import Kind, Severity
from bot.slack.views.facts import (
    Before,
    FlagForm,
    Left,
    TicketFacts,
    about,
    kind_word,
    left_out,
    severity_word,
)
from bot.slack.views.parts import (
    Block,
    Bold,
    Piece,
    TicketName,
    actions,
    button,
    cut,
    excerpt,
    filled,
    lines,
    one_line,
    small,
    words,
)
from bot.texts import Say

EXCERPT = 600
View = dict[str, Any]


def flag_looking(say: Say, draft_id: str, what: TicketName) -> View:
    """The view that opens at once, while the helpdesk is asked."""
    number, helpdesk = one_line(what.number, 40), one_line(what.helpdesk, 40)
    if number and helpdesk:
        text = say("Looking up ticket {number} in {helpdesk}…", number=number, helpdesk=helpdesk)
    elif number:
        text = say("Looking up ticket {number}…", number=number)
    else:
        text = say("One moment…")
    return modal(say, "flag", _flag_title(say), draft_id, [lines([text])])


def flag_ask_ticket(say: Say, draft_id: str, note: str | None = None, left: Left | None = None) -> View:
    """Asks which ticket; `note` is a sentence about the last try. `left` can be gone on with instead."""
    blocks = [lines([note])] if note else []
    blocks.append(typed(say("Ticket"), "ticket", placeholder=say("Its number or its address")))
    if left is not None:
        blocks += [lines([_left(say, left)]), actions(button(say("Go on with it"), "go_on", left.draft_id))]
    return modal(say, "flag", _flag_title(say), draft_id, blocks, submit=say("Look it up"))


def _left(say: Say, left: Left) -> str:
    number, title = one_line(left.number, 40), one_line(left.title, 100)
    if number and title:
        return say("You had begun to write about ticket {number}: “{title}”.", number=number, title=title)
    if number:
        return say("You had begun to write about ticket {number}.", number=number)
    return say("You had begun to write: “{title}”.", title=title) if title else say("You had begun to write something.")


def flag_form(say: Say, draft_id: str, form: FlagForm) -> View:
    """The form itself, filled with what is known."""
    blocks = [lines([cut(form.note, 1_000)])] if form.note else []
    if form.facts:
        blocks.append(lines(*about(say, form.facts), quote=excerpt(form.facts.words, EXCERPT)))
    blocks += [lines(warning) for warning in _warnings(say, form)]
    blocks += [lines(_before(say, form.before))] if form.before else []
    blocks += _already(say, form)
    blocks += [_telling(block) for block in _inputs(say, form)]
    blocks += [small(_files(say, form.files))] if form.files else []
    submit = say("File it")
    if form.already:
        submit = say("All right") if form.already.own else say("Follow")
    return modal(say, "flag", _flag_title(say), draft_id, blocks, submit=submit)


def flag_refused(say: Say, sentence: str, draft_id: str = "") -> View:
    """Says why this cannot be flagged, and the next step; with the draft's id, it can be tried again from here."""
    again = say("Try again") if draft_id else ""
    return modal(say, "flag", _flag_title(say), draft_id, [lines([words(sentence, 2_900)])], submit=again)


def sentence(say: Say, text: str) -> View:
    """One sentence for whoever pressed a button: why it does nothing for them, and the next step."""
    return modal(say, "", "Passerelle", "", [lines([words(text, 2_900)])])


def decline(say: Say, issue_id: str, title: str, waiting: int, *, full: bool = False) -> View:
    """Asks the Support Dev for the reason. `full`: the project's policy lets customers' names leave."""
    hear = say.many(
        "{n} customer waits. Their agent will read this reason and write back.",
        "{n} customers wait. Their agents will read this reason and write back.",
        waiting,
    )
    reason = typed(say("Reason"), "reason", long=True, placeholder=say("Why not, in words an agent can pass on"))
    also = say("The reason is also written into the issue, without customers' names.")
    also = say("The reason is also written into the issue.") if full else also
    blocks = [lines([Bold(one_line(title))], [hear]), reason, small(also)]
    return modal(say, "decline", say("Decline"), issue_id, blocks, submit=say("Decline"))


def carry(say: Say, issue_id: str, title: str, projects: Sequence[tuple[str, str]]) -> View:
    """Asks the Support Dev which project an issue belongs to."""
    project = select(say("Project"), "project", list(projects), projects[0][0])
    what = say("It is filed there, the old one is closed with a pointer to it, and everybody who waits stays on it.")
    blocks = [lines([Bold(one_line(title))]), project, small(what)]
    return modal(say, "carry", say("Another project"), issue_id, blocks, submit=say("Carry"))


def mark_fixed(say: Say, issue_id: str, title: str) -> View:
    """Asks the Support Dev which commit fixes an issue, or what was done without one."""
    reference = typed(
        say("Commit, pull or merge request"),
        "reference",
        placeholder=say("#412 or 3f2a91c, with spaces between"),
        hint=say("I watch where it ships, and tell the agents when it is out."),
        optional=True,
    )
    word = typed(
        say("Or, fixed without a commit"),
        "text",
        long=True,
        placeholder=say("What was done: a setting, a dependency, data put right"),
        hint=say("The agents hear at once that it is fixed, with your name and these words as the proof."),
        optional=True,
    )
    return modal(
        say,
        "mark_fixed",
        say("Fixed by…"),
        issue_id,
        [lines([Bold(one_line(title))]), reference, word],
        submit=say("Save"),
    )


def skip(say: Say, write_back_id: str, facts: TicketFacts) -> View:
    """Asks the agent why this customer need not hear."""
    reason = typed(say("Why no answer is needed"), "reason", long=True)
    return modal(say, "skip", say("Skip"), write_back_id, [lines(*about(say, facts)), reason], submit=say("Skip"))


def _flag_title(say: Say) -> str:
    return say("Flag a ticket")


def _warnings(say: Say, form: FlagForm) -> list[list[Piece]]:
    warnings: list[list[Piece]] = []
    if form.link_only and form.public:
        warnings.append(
            [say("This repository is public: only your title, your summary and the ticket's link will be carried.")]
        )
    elif form.link_only:
        warnings.append([say("Only your title, your summary and the ticket's link will be carried.")])
    elif form.public:
        warnings.append(
            [
                say(
                    "Public repository: {projects}. There, only your title, your summary and the ticket's link will be "
                    "carried.",
                    projects=say.listed([one_line(name, 75) for name in form.public]),
                )
            ]
        )
    if left := left_out(say, form.redacted):
        warnings.append([say("Will be left out: {details}.", details=left)])
    return warnings


def _before(say: Say, before: Before) -> list[Piece]:
    issue, version = before.issue.link, one_line(before.version, 60)
    if before.declined:
        return say.pieces(
            "This ticket was carried to {issue}, which was declined. Filing makes a new issue.", issue=issue
        )
    if not version:
        return say.pieces(
            "This ticket was carried to {issue}, which has shipped. Filing makes a new issue.", issue=issue
        )
    return say.pieces(
        "This ticket was carried to {issue}, shipped in {version}. Filing makes a new issue.",
        issue=issue,
        version=version,
    )


def _already(say: Say, form: FlagForm) -> list[Block]:
    if not form.already:
        return []
    sentence = say.pieces(
        "Already carried to {issue} by {agent}. Submitting makes you follow it.",
        issue=form.already.issue.link,
        agent=one_line(form.already.by, 80),
    )
    if form.already.own:
        sentence = say.pieces(
            "You carried this ticket to {issue} already; I will tell you when it ships.", issue=form.already.issue.link
        )
    again = {"text": face(say("File a second issue for this ticket"), 75), "value": "again"}
    element = {"type": "checkboxes", "action_id": "again", "options": [again]}
    return [lines(sentence), labelled(say("Something else"), "again", element, optional=True)]


def _inputs(say: Say, form: FlagForm) -> list[Block]:
    given = form.initial.get
    fields = [
        typed(
            say("Title"),
            "title",
            initial=given("title", ""),
            placeholder=say("What goes wrong, in one line"),
            optional=form.already is not None or form.similar,
            hint=_without_title(say, form),
        ),
        typed(
            say("What goes wrong"),
            "summary",
            long=True,
            initial=given("summary", ""),
            placeholder=say("Steps, what was expected, what you tried"),
            optional=True,
        ),
    ]
    if form.facts is None:
        ticket = typed(
            say("Ticket"),
            "ticket",
            initial=given("ticket", ""),
            placeholder=say("Its number or its address"),
            optional=True,
        )
        fields.insert(0, ticket)
        fields.append(typed(say("The customer's words"), "words", long=True, initial=given("words", ""), optional=True))
        fields.append(typed(say("Customer"), "customer", initial=given("customer", ""), optional=True))
    kinds = [(kind.value, kind_word(say, kind)) for kind in Kind]
    severities = [(severity.value, severity_word(say, severity)) for severity in Severity]
    fields.append(select(say("Kind"), "kind", kinds, given("kind", Kind.BUG.value)))
    fields.append(select(say("Severity"), "severity", severities, given("severity", Severity.NORMAL.value)))
    if len(form.projects) > 1:
        fields.append(select(say("Project"), "project", form.projects, given("project", form.projects[0][0])))
    if form.similar:
        fields.append(_similar(say))
    return fields


def _telling(block: Block) -> Block:
    """An input for words tells what is typed as it is typed, so that a modal closed by accident loses nothing."""
    if block["block_id"] not in ("title", "summary", "words"):
        return block
    when = {"dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]}}
    return {**block, "dispatch_action": True, "element": {**block["element"], **when}}


def _files(say: Say, names: Sequence[str]) -> str:
    shown = say.listed([one_line(name, 60) for name in names[:5]])
    return say.many(
        "{n} file from the Slack thread is named in the issue, and stays in Slack: {names}",
        "{n} files from the Slack thread are named in the issue, and stay in Slack: {names}",
        len(names),
        names=shown,
    )


def _without_title(say: Say, form: FlagForm) -> str:
    """When a title is not needed."""
    if form.already:
        return say("Only needed for a second issue.")
    return say("Not needed when you choose a known issue below.") if form.similar else ""


def _similar(say: Say) -> Block:
    element = {
        "type": "external_select",
        "action_id": "similar",
        "min_query_length": 0,
        "placeholder": face(say("Find an issue to attach to"), 150),
    }
    return labelled(say("Known already"), "similar", element, optional=True)


def select(label: str, name: str, values: list[tuple[str, str]] | tuple[tuple[str, str], ...], chosen: str) -> Block:
    options = [{"text": face(one_line(text, 75) or value, 75), "value": value} for value, text in values[:100]]
    initial = next((option for option in options if option["value"] == chosen), options[0])
    element = {"type": "static_select", "action_id": name, "options": options, "initial_option": initial}
    return labelled(label, name, element)


def typed(
    label: str,
    name: str,
    *,
    long: bool = False,
    initial: str = "",
    placeholder: str = "",
    hint: str = "",
    optional: bool = False,
) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "multiline": long}
    if initial:
        element["initial_value"] = words(initial, 3_000) if long else one_line(initial, 3_000)
    if placeholder:
        element["placeholder"] = face(placeholder, 150)
    block = labelled(label, name, element, optional=optional)
    return {**block, "hint": face(hint, 2_000)} if hint else block


def labelled(label: str, name: str, element: Block, *, optional: bool = False) -> Block:
    return {"type": "input", "block_id": name, "label": face(label, 2_000), "element": element, "optional": optional}


def face(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": cut(text, limit), "emoji": False}


def modal(say: Say, callback: str, title: str, metadata: str, blocks: list[Block], *, submit: str = "") -> View:
    view: View = {
        "type": "modal",
        **({"callback_id": callback} if callback else {}),
        "title": face(title, 24),
        "close": face(say("Cancel") if submit else say("Close"), 24),
        "private_metadata": metadata,
        **({"notify_on_close": True} if callback == "flag" else {}),
        "blocks": filled(blocks),
    }
    return {**view, "submit": face(submit, 24)} if submit else view
