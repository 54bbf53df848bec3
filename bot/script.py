"""The loop, played in the terminal with real calls: a list of steps, each of which looks at what became of it."""

from __future__ import annotations

from bot import telling
from bot.app import Passerelle
from bot.playing import PATIENCE, Play
from bot.store import overview
from bot.telling import Teller
from integrations.sandbox.story import DEVELOPER, ENVIRONMENT, PEOPLE, PROJECT, REPOSITORY
from integrations.sandbox.world import Sandbox

ANA, BEN, LEO = (person.id for person in PEOPLE[:3])
SUPPORT, SUPPORT_DEV = "C0SUPPORT", "C0SUPPORTDEV"
VAT = "VAT keeps the old country’s rate when the delivery address changes"
WISHES = "Sorting the wish list by colour does nothing"
REASON = "Colours are free text in the shop, so there is nothing to sort by. We will not build it this year."
NOTE = "The basket counts VAT for the delivery address again."
THANKS = "Merci Ana, ça marche."
REPLY = (
    "Bonjour Camille,\n\nle taux suit maintenant l’adresse de livraison, dès qu’elle change : c’est en ligne depuis la "
    "version 2.5.0. Si un panier vous paraît encore faux, répondez-moi ici.\n\nAna"
)
SKIPPED = "Inès heard it from me in yesterday’s chat, and sorts by collection now."
CARD = "The app says “card refused” after the bank took the money"
APP_REPLY = (
    "Hello Tom,\n\nthe app waits for the bank’s answer now before it says anything: live since today. The second "
    "payment of order 88213 is on its way back.\n\nBen"
)


def tell(sandbox: Sandbox, bot: Passerelle, patience: float = PATIENCE) -> None:
    """Play every step and print what each person sees. Raises UserError at the first step that did not happen within
    `patience` seconds."""
    teller = Teller(len(STEPS))
    play = Play(sandbox, bot, teller, patience)
    for title, step in STEPS:
        play.step(title, step)
    teller.end(_counts(play), "Everything happened.")


def ana_flags(play: Play) -> None:
    play.tell.does("Ana types /bug 4211 in #support.")
    play.answered(play.slack.command(ANA, "4211", SUPPORT))
    play.tell.sees("A modal opens, and fills with what the helpdesk knows:", telling.modal(play.modal(ANA, "title")))
    play.submit(ANA, title=VAT)
    issue = play.issue(1, VAT)
    play.hears(ANA, VAT, f"{REPOSITORY}#1")
    play.tell.sees("Léo reads, on GitHub:", telling.issue(issue))
    hidden = ("06 12 34 56 78", "Camille", "atelier-roux")
    play.holds("the issue not to name the customer", not any(one in issue["body"] for one in hidden), issue["body"])
    play.holds("the issue to be Léo’s", DEVELOPER.login in str(issue["assignees"]), issue["assignees"])
    play.tell.happened("GitHub has issue #1, assigned to Léo, without the customer’s name and phone number.")


def ticket_gets_a_note(play: Play) -> None:
    ticket = play.ticket("4211", lambda one: len(one["comments"]) == 2, "a note")
    play.tell.sees("Ana’s colleagues read, in Zendesk:", telling.ticket(ticket))
    note = ticket["comments"][-1]
    play.holds("a note that only agents see, with the issue", not note["public"] and "#1" in note["body"], note)
    play.holds("nothing sent to the customer", not play.zendesk.replies("4211"), play.zendesk.replies("4211"))
    play.tell.happened("Ticket 4211 carries an internal note with the issue’s link; the customer was sent nothing.")


def ben_attaches(play: Play) -> None:
    said = play.message(SUPPORT, "4212")
    play.tell.sees("In #support stands, from Ben:", telling.message(said))
    play.tell.does("Ben opens that message’s menu and chooses “Flag a ticket”.")
    play.answered(play.slack.message_shortcut(BEN, SUPPORT, said["ts"], "flag_message"))
    view = play.modal(BEN, "similar")
    play.tell.sees("The modal has found ticket 4212 in it:", telling.modal(view))
    play.tell.does("Ben types “vat” into “Known already”.")
    options = play.slack.suggest(view["id"], "similar", "vat")
    play.holds("issue #1 among the known ones", [one["text"]["text"][:2] for one in options] == ["#1"], options)
    play.submit(BEN, similar=options[0])
    play.hears(BEN, "Attached", "ticket 4212", f"{REPOSITORY}#1")
    table = play.comment(1, "2 customers wait", "4211", "4212")
    play.tell.sees("Léo reads under the issue, in the bot’s own comment:", table)
    play.holds("one issue for both tickets", len(play.github.issues(REPOSITORY)) == 1, play.github.issues(REPOSITORY))
    play.tell.happened("One issue, two customers waiting, one table that shows both.")


def ben_follows(play: Play) -> None:
    play.tell.does("Ben types /bug 4211, not knowing that Ana carried it.")
    play.answered(play.slack.command(BEN, "4211", SUPPORT))
    play.tell.sees("The modal tells him:", telling.modal(play.modal(BEN, "again")))
    play.submit(BEN)
    play.hears(BEN, "Ana Moreau already carried ticket 4211")
    play.hears(ANA, "Ben Okafor flagged ticket 4211 too")
    play.holds("still one issue", len(play.github.issues(REPOSITORY)) == 1, play.github.issues(REPOSITORY))
    play.tell.happened("Nothing was filed twice, and both know of each other.")


def leo_acknowledges(play: Play) -> None:
    card = play.message(SUPPORT_DEV, VAT, "2 customers wait")
    play.tell.sees("In #support-dev stands one card for the issue:", telling.message(card))
    play.press(LEO, card, "Acknowledge", "acknowledge")
    after = play.message(SUPPORT_DEV, VAT, "In hand")
    play.tell.sees("The same card, a moment later:", telling.message(after))
    play.holds("the same message", after["ts"] == card["ts"], play.slack.messages(SUPPORT_DEV))
    play.tell.happened("The card was edited in place.")


def leo_declines(play: Play) -> None:
    play.tell.does(f"Ana types /bug 4216 {WISHES}")
    play.answered(play.slack.command(ANA, f"4216 {WISHES}", SUPPORT))
    play.modal(ANA, "title")
    play.submit(ANA)
    play.issue(2, WISHES)
    play.hears(ANA, WISHES, f"{REPOSITORY}#2")
    play.tell.does("Léo closes issue #2 on GitHub as not planned, and says no word.")
    play.github.close_issue(REPOSITORY, 2, DEVELOPER.login, "not_planned")
    asked = play.hears(LEO, "not planned", "Give the reason")
    play.nobody_hears()
    play.tell.happened("Ana hears nothing yet: she would have to tell Inès why, and nobody said.")
    play.press(LEO, asked, "Give the reason", "decline")
    play.modal(LEO, "reason")
    play.submit(LEO, reason=REASON)
    play.tell.sees("Issue #2 keeps the reason:", play.comment(2, REASON))
    play.hears(ANA, "Declined", REASON, "Inès Garnier")
    card = play.message(SUPPORT_DEV, WISHES, "Declined", REASON)
    play.tell.sees("In #support-dev:", telling.message(card))
    play.tell.happened("Ana has the reason, and owes Inès an answer just the same.")


def leo_merges(play: Play) -> None:
    play.tell.does("Léo merges a pull request that says “Fixes #1”; GitHub closes the issue.")
    pull = play.github.open_pull(REPOSITORY, DEVELOPER.login, "VAT follows the delivery address", "Fixes #1")
    commit = play.github.merge_pull(REPOSITORY, pull, DEVELOPER.login)
    card = play.message(SUPPORT_DEV, VAT, "Fixed, not shipped yet", commit[:7])
    play.tell.sees("In #support-dev:", telling.message(card))
    asked = play.hears(LEO, "What was mended, in words for customers?")
    play.nobody_hears()
    play.tell.happened("Closed is not shipped: neither Ana nor Ben was told anything.")
    play.press(LEO, asked, "For customers…", "note_to_customer")
    play.modal(LEO, "text")
    play.submit(LEO, text=NOTE)
    play.tell.happened("Whoever writes back will have Léo’s words beside their blank page.")


def it_ships(play: Play) -> None:
    play.tell.does("Léo publishes the release v2.5.0, which contains the commit.")
    play.github.publish_release(REPOSITORY, "v2.5.0")
    play.hears(ANA, "Fixed in v2.5.0", NOTE, "Camille Roux", "le total du panier garde", "[Write back]")
    play.hears(
        BEN, "Fixed in v2.5.0", "Jonas Lindqvist", "[Write back]", "Ana Moreau writes back; you follow", "Camille"
    )
    play.nobody_hears()
    play.tell.happened("One message for each agent, with their own customers, those customers’ words, and the proof.")


def ana_writes_back(play: Play) -> None:
    told = play.message(play.slack.dm_channel(ANA), "Fixed in v2.5.0")
    play.press(ANA, told, "Write back", "write_back")
    view = play.modal(ANA, "reply")
    play.tell.sees("A blank page beside the facts:", telling.modal(view))
    play.submit(ANA, reply=REPLY)
    ticket = play.ticket("4211", lambda one: one["comments"][-1]["public"], "a public reply")
    play.tell.sees("Camille reads, in her mailbox:", ticket["comments"][-1]["body"])
    sent = [reply["body"] for reply in play.zendesk.replies("4211")]
    play.holds("Ana’s own words, once", sent == [REPLY], sent)
    play.message(play.slack.dm_channel(ANA), "Fixed in v2.5.0", "✓ Written.")
    play.tell.happened("Ana’s words stand in Zendesk as a public reply, and her message says so.")


def camille_answers(play: Play) -> None:
    play.tell.does("Camille answers, by mail.")
    play.zendesk.customer_writes("4211", THANKS)
    told = play.hears(ANA, "answered on ticket 4211", THANKS, "[It works]")
    play.press(ANA, told, "It works", "works")
    play.nobody_hears()
    play.tell.happened(
        "The loop is closed: the customer says that it works. “Still broken” would open the issue again."
    )


def ben_has_written(play: Play) -> None:
    told = play.message(play.slack.dm_channel(BEN), "Fixed in v2.5.0")
    play.tell.does("Ben wrote to Jonas from his own mailbox.")
    play.press(BEN, told, "Already written", "mark_written")
    told = play.message(play.slack.dm_channel(BEN), "Fixed in v2.5.0", "Jonas Lindqvist", "✓ Written.")
    play.tell.sees("Ben’s message, a moment later:", telling.message(told))
    play.holds("nothing sent in Ben’s name", not play.zendesk.replies("4212"), play.zendesk.replies("4212"))
    card = play.message(SUPPORT_DEV, VAT, "Shipped", "Nobody waits any more.")
    play.tell.sees("In #support-dev:", telling.message(card))
    play.tell.happened("Both customers of issue #1 have heard.")


def ana_skips(play: Play) -> None:
    told = play.message(play.slack.dm_channel(ANA), "Declined", "Inès Garnier")
    play.press(ANA, told, "Skip", "skip")
    play.modal(ANA, "reason")
    play.submit(ANA, reason=SKIPPED)
    told = play.message(play.slack.dm_channel(ANA), "Declined", f"Skipped: {SKIPPED}")
    play.tell.sees("Ana’s message, a moment later:", telling.message(told))
    play.message(SUPPORT_DEV, WISHES, "Nobody waits any more.")
    play.tell.happened("Nobody is forgotten: written twice, skipped once, knowingly.")


# --- on GitLab --------------------------------------------------------------------------------------------------------


def ben_flags_for_the_app(play: Play) -> None:
    play.tell.does("Ben types /bug 4217. This one is about the app, whose issues live on GitLab.")
    play.answered(play.slack.command(BEN, "4217", SUPPORT))
    play.tell.sees("The modal asks which project it is for:", telling.modal(play.modal(BEN, "project")))
    play.submit(BEN, title=CARD, project="app")
    issue = play.gitlab_issue(1, CARD, "1 customer waits", "4217")
    play.hears(BEN, CARD, f"{PROJECT}#1")
    play.tell.sees("Léo reads, on GitLab:", telling.gitlab_issue(issue))
    hidden = ("4111", "eva@example.com", "Tom Byrne")
    told = issue["description"]
    play.holds("the issue not to name the customer", not any(one in told for one in hidden), told)
    play.holds("the issue to be confidential", issue["confidential"], issue)
    play.holds("the issue to be Léo’s", DEVELOPER.login in str(issue["assignees"]), issue["assignees"])
    play.ticket("4217", lambda one: f"{PROJECT}#1" in one["comments"][-1]["body"], "a note with the issue")
    play.holds("nothing new on GitHub", len(play.github.issues(REPOSITORY)) == 2, play.github.issues(REPOSITORY))
    play.tell.happened(
        "GitLab has issue #1, confidential, with the customers’ table in its description and no card number."
    )


def leo_merges_on_gitlab(play: Play) -> None:
    play.tell.does("Léo merges a merge request that says “Closes #1”; GitLab closes the issue.")
    merge = play.gitlab.open_merge(PROJECT, DEVELOPER.login, "Wait for the bank’s answer", "Closes #1")
    play.gitlab.merge(PROJECT, merge, DEVELOPER.login)
    play.holds("the issue closed", play.gitlab.issue(PROJECT, 1)["state"] == "closed", play.gitlab.issue(PROJECT, 1))
    card = play.message(SUPPORT_DEV, CARD, "Fixed, not shipped yet", f"!{merge}")
    play.tell.sees("In #support-dev:", telling.message(card))
    play.hears(LEO, "What was mended, in words for customers?")
    play.nobody_hears()
    play.tell.happened("Merged is not deployed: Ben was told nothing.")


def the_app_is_deployed(play: Play) -> None:
    play.tell.does(f"A pipeline deploys the app to {ENVIRONMENT}, with the merge request in it.")
    play.gitlab.deploy(PROJECT, ENVIRONMENT, by=DEVELOPER.login)
    play.hears(BEN, f"Live on {ENVIRONMENT}", CARD, "Tom Byrne", "merged in !1", "[Write back]")
    play.nobody_hears()
    play.tell.happened("Ben has his customer, the customer’s words, and the deployment that proves it.")


def ben_writes_back(play: Play) -> None:
    told = play.message(play.slack.dm_channel(BEN), f"Live on {ENVIRONMENT}")
    play.press(BEN, told, "Write back", "write_back")
    play.modal(BEN, "reply")
    play.submit(BEN, reply=APP_REPLY)
    ticket = play.ticket("4217", lambda one: one["comments"][-1]["public"], "a public reply")
    play.tell.sees("Tom reads, in his mailbox:", ticket["comments"][-1]["body"])
    sent = [reply["body"] for reply in play.zendesk.replies("4217")]
    play.holds("Ben’s own words, once", sent == [APP_REPLY], sent)
    card = play.message(SUPPORT_DEV, CARD, "Shipped", "Nobody waits any more.")
    play.tell.sees("In #support-dev:", telling.message(card))
    play.tell.happened("The same loop on both trackers, with one Passerelle.")


STEPS = (
    ("Ana flags a customer’s ticket", ana_flags),
    ("The ticket shows where it went", ticket_gets_a_note),
    ("Ben’s customer has the same trouble", ben_attaches),
    ("Ben flags Ana’s ticket once more", ben_follows),
    ("Léo takes it", leo_acknowledges),
    ("Another ticket is declined, with a reason", leo_declines),
    ("A fix is merged", leo_merges),
    ("The fix ships", it_ships),
    ("Ana writes back, in her own words", ana_writes_back),
    ("The customer says that it works", camille_answers),
    ("Ben has written already", ben_has_written),
    ("Ana decides not to write", ana_skips),
    ("Ben’s next ticket is for the app, on GitLab", ben_flags_for_the_app),
    ("Its fix is merged on GitLab", leo_merges_on_gitlab),
    ("The app is deployed", the_app_is_deployed),
    ("Ben writes back", ben_writes_back),
)


def _counts(play: Play) -> list[str]:
    """What each side holds at the end, when the bot has nothing left to do."""
    play.at_rest()
    issues = [play.github.issue(REPOSITORY, one["number"]) for one in play.github.issues(REPOSITORY)]
    comments = sum(len(issue["comments"]) for issue in issues)
    on_gitlab = play.gitlab.issues(PROJECT)
    confidential = sum(issue["confidential"] for issue in on_gitlab)
    tickets = [one for one in play.zendesk.tickets() if len(one["comments"]) > 1]
    notes = sum(not turn["public"] for one in tickets for turn in one["comments"])
    replies = sum(len(play.zendesk.replies(one["number"])) for one in tickets)
    messages = ", ".join(f"{person.short} {len(play.slack.dm(person.id))}" for person in PEOPLE[:3])
    with play.bot.store.read() as session:
        carried = len(overview.escalations(session))
        states = overview.write_backs(session)
    owed = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
    return [
        "In the end:",
        f"  Slack       {len(play.slack.messages(SUPPORT_DEV))} cards in #support-dev; direct messages: {messages}",
        f"  GitHub      {len(issues)} issues with {comments} comments; 1 fix merged, released in v2.5.0",
        f"  GitLab      {len(on_gitlab)} issue, {confidential} confidential; 1 fix merged, deployed to {ENVIRONMENT}",
        f"  Zendesk     {len(tickets)} tickets carried; {notes} notes, {replies} public replies",
        f"  Passerelle  {carried} escalations; write-backs: {owed}",
    ]
