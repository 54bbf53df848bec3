"""Privacy, looked at from outside: what really stands in the tracker and in the channel after a whole loop."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House

WORDS = "Depuis lundi, quand je change"
IDENTITY = ("Camille", "camille.roux@atelier-roux.example", "06 12 34 56 78")
SUPPORT_DEV_CHANNEL = "C0SUPPORTDEV"

HOSTILE = """\
@leo-dev and @acme/everyone, this closes #12, fixes acme/shop#3 and GH-4.
/decline because I say so
/fixed-by deadbeef
<!-- passerelle:issue:0123456789abcdef -->
<!-- a hidden remark
![](https://track.example/beacon.gif) <img src="https://track.example/pixel.png">
<!channel> <@U0LEO> <https://evil.example|your bank>
| a | table | of mine |
```
@passerelle-bot decline not closed
"""


def policy(name: str) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        config["projects"][0]["privacy"] = name

    return change


def tracker(house: House) -> str:
    """All that the tracker holds: every issue with its comments and timeline, as its API shows them."""
    return json.dumps([house.issue(one["number"]) for one in house.github.issues(REPO)], ensure_ascii=False)


def sent_to_tracker(house: House) -> str:
    """All that ever went to the tracker, even what was edited since."""
    calls = [call.body.decode() for call in house.github.wire.calls if call.method != "GET"]
    return "\n".join(json.dumps(json.loads(body), ensure_ascii=False) for body in calls if body)


def channel(house: House) -> str:
    """All that ever went to the Support Dev channel."""
    calls = [call.body.decode() for call in house.slack.wire.calls if SUPPORT_DEV_CHANNEL in call.body.decode()]
    return "\n".join(calls) + json.dumps(house.slack.messages(SUPPORT_DEV_CHANNEL), ensure_ascii=False)


def play(house: House) -> None:
    """The whole loop, with an agent who lets personal data slip into her own words."""
    house.look_up()
    summary = "Camille Roux of Papeterie Nord (camille.roux@atelier-roux.example, 06 12 34 56 78) sees 20 %."
    assert house.submit(title="VAT is wrong for Camille", summary=summary) == {}
    house.press("U0LEO", "acknowledge", SUPPORT_DEV_CHANNEL)
    house.mend()
    assert house.write_back() == {}
    assert house.replies() == ["Hello, it is mended."]


# --- each policy


def test_link_only_lets_nothing_of_the_customer_leave(make_house: Callable[..., House]) -> None:
    """The link, and the agent's own words without whom they are about."""
    house = make_house(policy("link_only"))
    assert "Only your title, your summary and the ticket's link will be carried." in house.look_up()
    play(house)
    for place in (tracker(house), sent_to_tracker(house)):
        for secret in (*IDENTITY, WORDS, "Papeterie Nord", "Le total garde", "facturation", "panier-belgique"):
            assert secret not in place
        assert "/agent/tickets/4211" in place
        assert "sees 20 %" in place


def test_redacted_lets_the_words_leave_without_the_person(house: House) -> None:
    """What happened is told; who it happened to is not."""
    play(house)
    for place in (tracker(house), sent_to_tracker(house)):
        for secret in IDENTITY:
            assert secret not in place
        assert WORDS in place
        assert "VAT is wrong for [customer]" in place


def test_full_lets_all_leave_but_secrets(make_house: Callable[..., House]) -> None:
    """Where customer and Support Dev know each other; a card number or password is nobody's business even so."""
    house = make_house(policy("full"))
    play(house)
    assert "Camille Roux" in tracker(house)
    assert "camille.roux@" in tracker(house).replace("\u200b", "")
    house.flag("U0ANA", "4214", title="No mail arrives")
    house.flag("U0ANA", "4217", title="The card is refused")
    for secret in ("Quai1987!", "4111 1111 1111 1111", "4111111111111111"):
        assert secret not in sent_to_tracker(house).replace("\u200b", "")


@pytest.mark.parametrize("configured", ["redacted", "full"])
def test_a_public_repository_gets_the_link_alone(make_house: Callable[..., House], configured: str) -> None:
    """Whatever is configured; and the form says so before anything is typed."""
    house = make_house(policy(configured))
    house.github.set_visibility(REPO, private=False)
    modal = house.look_up()
    assert "This repository is public: only your title, your summary and the ticket's link will be carried." in modal
    play(house)
    for secret in (*IDENTITY, WORDS, "Papeterie Nord"):
        assert secret not in sent_to_tracker(house)


# --- made public in between


def test_made_public_between_form_and_filing(house: House) -> None:
    """The form was filled for a private repository; what is filed is for a public one."""
    house.look_up()
    house.github.set_visibility(REPO, private=False)
    assert house.submit(title="VAT is wrong") == {}
    assert WORDS not in sent_to_tracker(house)
    assert "/agent/tickets/4211" in tracker(house)


def test_made_public_before_the_table_is_edited(make_house: Callable[..., House]) -> None:
    """A second customer joins: the table is written for what the repository is now, the first customer's row too."""
    house = make_house(policy("full"))
    house.flag("U0ANA", "4211")
    assert "Camille Roux" in house.issue()["comments"][0]["body"]
    house.github.set_visibility(REPO, private=False)
    house.look_up("U0BEN", "4212")
    (known,) = house.slack.suggest(house.slack.views("U0BEN")[-1]["id"], "similar", "")
    assert house.submit("U0BEN", similar=known["value"]) == {}
    table = house.issue()["comments"][0]["body"]
    assert "2 customers wait" in table
    assert not [name for name in ("Camille", "Jonas", "Atelier", "Nordlys") if name in table]


def bared(house: House, person: str = "U0MAYA") -> list[str]:
    return [told for told in house.told(person) if "Everybody can read acme/shop now." in told]


def test_a_repository_made_public_later_is_told_once(house: House) -> None:
    """What stands there already stays: the lead hears which issues, when something is written there again."""
    house.flag("U0ANA", "4211")
    house.flag("U0ANA", "4213", title="The export stops")
    house.github.set_visibility(REPO, private=False)
    house.flag("U0ANA", "4214", title="No mail arrives")
    house.mend()
    (told,) = bared(house)
    assert "2 issues were written there while it was private" in told
    for text in ("acme/shop#1", "acme/shop#2", "Read through them, and delete what nobody else may see"):
        assert text in told
    assert "acme/shop#3" not in told

    house.github.set_visibility(REPO, private=True)
    house.flag("U0ANA", "4212", title="The wrong country")
    assert len(bared(house)) == 1
    house.github.set_visibility(REPO, private=False)
    house.pass_time(minutes=1)
    house.flag("U0ANA", "4215", title="A photo is missing")
    assert len(bared(house)) == 2
    assert "acme/shop#5" in bared(house)[-1]
    assert "acme/shop#6" not in bared(house)[-1]


def test_without_a_lead_the_support_devs_hear_it(make_house: Callable[..., House]) -> None:
    """Somebody always does."""

    def no_leads(config: dict[str, Any]) -> None:
        config["slack"]["leads"] = []

    house = make_house(no_leads)
    house.flag()
    house.github.set_visibility(REPO, private=False)
    house.flag("U0ANA", "4213", title="The export stops")
    assert len(bared(house, "U0LEO")) == 1


def test_what_was_filed_in_public_is_no_news(house: House) -> None:
    """The link alone stands there."""
    house.github.set_visibility(REPO, private=False)
    house.flag()
    house.mend()
    assert bared(house) == []


# --- what colleagues wrote and pasted

REASON = "Camille Roux of Papeterie Nord (camille.roux@atelier-roux.example) has mdp: Quai1987! and an old contract."


def declined(house: House) -> str:
    """Léo declines in Slack, and names the customer; returns all that went to the tracker."""
    house.flag()
    house.press("U0LEO", "decline", SUPPORT_DEV_CHANNEL)
    assert "The reason is also written into the issue" in house.modal("U0LEO")
    assert house.submit("U0LEO", reason=REASON) == {}
    assert "Camille Roux" in house.told()[-1]
    assert "an old contract" in tracker(house)
    return sent_to_tracker(house).replace("\u200b", "")


@pytest.mark.parametrize("name", ["link_only", "redacted", "full"])
def test_a_reason_stands_in_the_issue_as_the_policy_lets_it(make_house: Callable[..., House], name: str) -> None:
    """Agents read it as it was given; a password stands nowhere in the tracker, the customer where `full` allows."""
    sent = declined(make_house(policy(name)))
    assert "Quai1987!" not in sent
    for identity in ("Camille Roux", "camille.roux@"):
        assert (identity in sent) is (name == "full")
    if name == "link_only":
        assert "Atelier" not in sent


def test_no_colleague_is_named_in_public(house: House) -> None:
    """Neither in the issue, nor in the table, nor under a reason."""
    house.github.set_visibility(REPO, private=False)
    sent = declined(house)
    assert "Flagged by an agent, who writes back to the customer." in sent
    assert "Declined from Slack:" in sent
    for name in ("Ana Moreau", "Léo Martin"):
        assert name not in sent


def shared(house: House) -> str:
    """Ben writes of a customer in the chat, and Ana flags his message."""
    text = f"Jonas from Nordlys called, see {house.zendesk.url}/agent/tickets/4212 and my draft for our lawyers"
    ts = house.slack.say("U0BEN", "C0SUPPORT", text)
    house.slack.say("U0ANA", "C0SUPPORT", "He also told me of his divorce.", thread_ts=ts)
    assert house.slack.message_shortcut("U0ANA", "C0SUPPORT", ts, "flag_message").ok
    house.modal()
    assert house.submit(title="VAT is wrong") == {}
    return ts


def private(config: dict[str, Any]) -> None:
    config["projects"].append({**config["projects"][0], "key": "app", "name": "App", "repository": "acme/app"})


@pytest.mark.parametrize("why", ["configured", "public", "another project is public", "the tracker does not tell"])
def test_a_message_is_not_carried_where_the_link_alone_goes(make_house: Callable[..., House], why: str) -> None:
    """What colleagues told each other stays in Slack; who may read it there finds it by its address."""
    changes = {"configured": policy("link_only"), "another project is public": private}
    house = make_house(changes.get(why))
    if why == "public":
        house.github.set_visibility(REPO, private=False)
    if why == "another project is public":
        house.github.add_repo("acme/app", private=False, collaborators=["leo-dev"])
    if why == "the tracker does not tell":
        house.github.wire.faults.append(Fault("refuse", path=f"/repos/{REPO}", status=404, times=1))
    ts = shared(house)
    house.pass_time(minutes=5)
    for secret in ("lawyers", "divorce", "called"):
        assert secret not in sent_to_tracker(house)
    assert f"/archives/C0SUPPORT/p{ts.replace('.', '')}" in tracker(house)


def test_an_address_is_carried_without_what_travels_in_it(make_house: Callable[..., House]) -> None:
    """Without a helpdesk, people paste whatever stands in their browser."""

    def no_helpdesk(config: dict[str, Any]) -> None:
        config["helpdesks"] = {}

    house = make_house(no_helpdesk)
    house.look_up(text="https://ana:hunter2@mail.example/t/77?email=jo@example.com&token=s3cr3t VAT is wrong")
    assert house.submit(words="The invoice says 20 %.") == {}
    assert "https://mail.example/t/77)" in tracker(house)
    for secret in ("hunter2", "jo@example", "s3cr3t"):
        assert secret not in sent_to_tracker(house)


# --- hostile texts


def hostile(house: House) -> str:
    return house.zendesk.open_ticket(
        "@leo-dev closes #12 <!channel>", HOSTILE, "@leo-dev <!channel>", "mallory@example.com", organisation="<!here>"
    )


def test_a_customers_text_does_nothing_in_the_tracker(make_house: Callable[..., House]) -> None:
    """It mentions nobody, closes nothing, commands nothing, loads nothing, and imitates no mark of ours."""
    house = make_house(policy("full"))
    for n in range(12):
        house.github.open_issue(REPO, "leo-dev", f"Something else {n}")
    house.flag("U0ANA", hostile(house))
    issue = house.issue(13)
    text = issue["body"] + "".join(one["body"] for one in issue["comments"])
    assert re.findall(r"(?<!`)@leo-dev|@acme/|#12\b|#3\b|GH-4|!\[\]\(|<img|<!channel|<!-- a hidden", text) == []
    assert re.findall(r"<!--\s*passerelle:(\w+):", text) == ["issue", "customers"]
    assert issue["body"].rstrip().endswith("-->")
    assert "acme/shop" not in [event.get("event") for event in house.issue(12)["timeline"]]
    assert [event for event in house.issue(12)["timeline"] if event["event"] == "cross-referenced"] == []
    assert house.issue(12)["state"] == "open"


def test_a_customers_text_does_nothing_in_slack(house: House) -> None:
    """Nobody is called, no link is disguised: neither in the form, nor in the card, nor in the news."""
    number = hostile(house)
    house.flag("U0ANA", number, title="<!channel> <@U0LEO> & <https://evil.example|bank>")
    house.mend()
    assert "<!channel> <@U0LEO>" in house.told()[-1]  # as text to read
    for call in house.slack.wire.calls:
        for text in mrkdwn(call.body.decode()):
            assert not re.search(r"<!|<@U0LEO|<https?://evil\.example", text), text


def mrkdwn(body: str) -> list[str]:
    """Whatever Slack would read as its own markup in a call: texts of messages, and mrkdwn objects."""
    try:
        call = json.loads(body)
    except ValueError:
        return []
    found = [call["text"]] if isinstance(call.get("text"), str) else []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "mrkdwn":
                found.append(node["text"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(call)
    return found


def test_commands_in_a_customers_words_are_not_obeyed(make_house: Callable[..., House]) -> None:
    """Even when the Support Dev quotes them in a comment, and even where the bot's own text is read back."""
    house = make_house(policy("full"))
    house.flag("U0ANA", hostile(house))
    house.github.comment(REPO, 1, "leo-dev", "> /decline because I say so\n\nFunny.")
    house.poll()
    assert house.issue()["state"] == "open"
    assert len(house.told()) == 1


# --- the Support Dev channel


@pytest.mark.parametrize("name", ["link_only", "redacted", "full"])
def test_the_card_shows_no_customer(make_house: Callable[..., House], name: str) -> None:
    """The channel may have guests: who waits and what they wrote stands in the ticket and in the agent's messages."""
    house = make_house(policy(name))
    house.flag()
    house.press("U0LEO", "acknowledge", SUPPORT_DEV_CHANNEL)
    house.mend()
    house.write_back()
    for secret in (*IDENTITY, WORDS, "Papeterie Nord", "Le total garde", "Hello, it is mended."):
        assert secret not in channel(house)
    assert "acme/shop#1" in channel(house)


def test_nothing_of_the_customer_stands_in_the_logs(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids only: no words, no identity, no reply, no token."""
    play(house)
    written = "".join(capsys.readouterr())
    assert "effect.done" in written
    for secret in (*IDENTITY, WORDS, "Hello, it is mended.", "VAT is wrong", "ghp_sandbox", "zd-sandbox", "xoxb-"):
        assert secret not in written


def test_a_reason_given_in_slack_leaves_as_little_as_a_ticket(make_house: Callable[..., House]) -> None:
    """Who declines may name the customer; the issue in a public repository does not, nor who declined."""
    house = make_house()
    house.github.set_visibility(REPO, private=False)
    house.flag()
    house.press("U0LEO", "decline", "C0SUPPORTDEV")
    reason = "Camille Roux (camille.roux@atelier-roux.example, 06 12 34 56 78) asks for what the law forbids."
    assert house.submit("U0LEO", reason=reason) == {}
    comment = next(one["body"] for one in house.issue()["comments"] if "the law forbids" in one["body"])
    assert not [word for word in ("Camille", "Roux", "@atelier", "06 12", "Martin") if word in comment]
    assert reason.split(" (")[0] in house.told()[-1]
