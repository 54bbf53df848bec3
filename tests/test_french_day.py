"""A whole day of French speakers shows no English; whoever reads, reads their own language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from bot import issue_text
from tests.conftest import REPO, House, said
from tests.test_french import translated
from tests.test_home import open_home, press, view as home_of
from tests.test_talk import ask
from tests.test_triage import bot_comments, comment
from tests.test_views import FRENCH

CARDS, SUPPORT = "C0SUPPORTDEV", "C0SUPPORT"
TEAM = {"U0ANA": "Ana Moreau", "U0BEN": "Ben Okafor", "U0LEO": "Léo Martin", "U0MAYA": "Maya Lindgren"}


@cache
def english() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """The sentences that French says otherwise: as they are, and those of some length as patterns."""
    french = {form for forms in translated().values() for form in forms}
    other = {one for ids, forms in translated().items() for one in ids if one not in french and ids != forms}
    long = [one for one in other if len(re.sub(r"\{\w+\}|\W", "", one)) >= 9]
    patterns = [".+?".join(map(re.escape, re.split(r"\{\w+\}", one))) for one in long]
    return frozenset(other), tuple(re.compile(rf"(?<!\w){one}(?!\w)") for one in patterns)


class Reader:
    """Reads, at each step of the day, all that the bot shows, and keeps what is English."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.read: set[str] = set()
        self.foreign: set[str] = set()

    def look(self) -> None:
        slack = self.house.slack
        self.house.bot.listeners.settle()
        for channel in (CARDS, SUPPORT, *map(slack.dm_channel, TEAM)):
            for message in slack.messages(channel):
                self.take(said(message) if message.get("blocks") else "")
                for under in message.get("attachments", []):
                    self.take(said(under))
        for person in TEAM:
            for whisper in slack.ephemerals(person):
                self.take(said(whisper))
            for shown in slack.views(person):
                self.take(
                    said(shown), *(shown[name]["text"] for name in ("title", "submit", "close") if shown.get(name))
                )
                self.take(*shown.get("errors", {}).values())
            if person in slack.workspace.homes:
                self.take(said(home_of(self.house, person)))
        for listed in self.house.github.issues(REPO):
            issue = self.house.issue(listed["number"])
            ours = [one["body"] for one in issue["comments"] if one["user"]["login"] == "passerelle-bot"]
            self.take(issue["body"], *ours)
        for ticket in ("4211", "4212", "4213", "4214"):
            self.take(*self.house.notes(ticket))

    def take(self, *texts: str) -> None:
        whole, patterns = english()
        for text in texts:
            for line in text.splitlines():
                if line in self.read:
                    continue
                self.read.add(line)
                if line.strip() in whole or any(pattern.search(line) for pattern in patterns):
                    self.foreign.add(line)


@pytest.fixture
def french(make_house: Callable[..., House]) -> House:
    """A house whose channels and people are French, with two Support Devs who take turns."""

    def change(config: dict[str, Any]) -> None:
        config["slack"]["language"] = "fr"
        devs = [{"slack": "U0LEO", "tracker": "leo-dev"}, {"slack": "U0MAYA", "tracker": "maya-dev"}]
        duty = {"timezone": "Europe/Paris", "starts": "2026-03-02"}
        config["projects"][0] |= {"support_devs": devs, "rotation": "weekly", "duty": duty}

    house = make_house(change)
    for person, name in TEAM.items():
        first = name.split()[0]
        house.slack.add_person(person, first, name, f"{first.lower()}@acme.example", "fr-FR")
    house.slack.unfurl("127.0.0.1", "github.example")
    return house


def test_a_whole_day_shows_no_english(french: House) -> None:
    """Flag, talk, ship, write back, decline, reopen, withdraw, duty, home, help: whatever anybody reads is French."""
    house, reader = french, Reader(french)
    for part in (_flagging, _talking, _shipping, _declining, _falling_back, _asking, _at_home):
        for _ in part(house):
            reader.look()
    assert reader.foreign == set()
    assert len(reader.read) > 300


def _flagging(house: House) -> Iterator[None]:
    house.look_up("U0ANA", "")
    yield
    house.submit("U0ANA", ticket="9999999")
    yield
    house.look_up()
    yield
    assert house.submit(title=" ") != {}
    yield
    assert house.submit(title="Le taux de TVA est faux") == {}
    house.look_up("U0BEN", "4211")
    yield
    assert house.submit("U0BEN") == {}
    house.look_up("U0BEN", "4212")
    yield
    [found] = house.slack.suggest(house.slack.views("U0BEN")[-1]["id"], "similar", "TVA")
    assert house.submit("U0BEN", similar=found["value"]) == {}
    house.slack.say("U0BEN", SUPPORT, f"Des nouvelles de <{house.issue()['html_url']}> ?")
    yield


def _talking(house: House) -> Iterator[None]:
    house.press("U0LEO", "acknowledge", CARDS)
    ask(house)
    yield
    house.press("U0ANA", "answer")
    yield
    assert house.submit(text="C’est pour la Belgique.") == {}
    house.reply("U0LEO", "Merci, je regarde.")
    yield
    for action, fields in (("workaround", {"text": "Exportez en CSV."}), ("change", {"severity": "high"})):
        house.press("U0LEO", action, CARDS)
        yield
        assert house.submit("U0LEO", **fields) == {}
    for command in ("/decline", "/fixed-by", "/fixed-by 99", "/promise bientôt", "/promise 2026-03-20", "/severity ?"):
        comment(house, command)
    assert len(bot_comments(house)) > 5
    yield


def _shipping(house: House) -> Iterator[None]:
    house.press("U0LEO", "mark_fixed", CARDS)
    yield
    assert house.submit("U0LEO", reference="99") == {}
    house.mend(release="")
    yield
    house.github.publish_release(REPO, "v2.5.0")
    house.poll()
    yield
    house.press("U0ANA", "write_back")
    yield
    assert house.submit(reply="Bonjour, c’est réparé.") == {}
    house.press("U0BEN", "skip")
    yield
    assert house.submit("U0BEN", reason="Client parti.") == {}
    yield


def _declining(house: House) -> Iterator[None]:
    house.flag("U0ANA", "4213", title="L’export s’arrête")
    for person in ("U0LEO", "U0MAYA"):
        house.press(person, "decline", CARDS)
    yield
    assert house.submit("U0LEO", reason="Pas avant mai.") == {}
    assert house.submit("U0MAYA", reason="Pas avant mai.") != {}
    yield
    house.flag("U0BEN", "4214", title="La liste est vide")
    house.github.close_issue(REPO, 4, "leo-dev", "not_planned")
    house.poll()
    yield


def _falling_back(house: House) -> Iterator[None]:
    house.github.delete_release(REPO, "v2.5.0")
    house.poll()
    yield
    house.github.reopen_issue(REPO, 1, "leo-dev")
    house.poll()
    yield


def _asking(house: House) -> Iterator[None]:
    for text in (
        *("help", "mine", "status 4211", "status 1", "status", "digest", "link", "unlink", "link 4211 acme/shop#3"),
        *("link 4212 acme/shop#1", "unlink 4212", "unlink 4212 acme/shop#1", "duty", "duty quoi donc", "duty undo"),
        *("duty me", "duty off 2026-03-10", "duty everyone 2026-03-05 14:00-18:00", "duty off 2026-02-31"),
    ):
        for person in TEAM:
            assert house.slack.command(person, text, SUPPORT).ok
            house.settle()
            yield
    for days in (3, 1, 3):
        house.pass_time(days=days)
        house.bot.schedule.tick_duty()
        house.settle()
        yield


def _at_home(house: House) -> Iterator[None]:
    for person in TEAM:
        open_home(house, person)
        yield
    for tab in ("home_queue", "home_team", "home_mine"):
        press(house, tab, person="U0MAYA")
        yield
    press(house, "home_stage", "declined", "U0MAYA")
    yield


def test_each_reads_in_their_own_language(make_house: Callable[..., House]) -> None:
    """In an English channel a French agent is told in French, and the card stays English; a German reads English."""
    house = make_house()
    house.slack.add_person("U0ANA", "Ana", "Ana Moreau", "ana@acme.example", "fr-FR")
    house.slack.add_person("U0BEN", "Ben", "Ben Okafor", "ben@acme.example", "de-DE")
    house.flag("U0ANA", "4211")
    house.flag("U0BEN", "4212", title="The wrong country")
    assert "Issue créée pour le ticket 4211" in house.told("U0ANA")[-1]
    assert "Filed as acme/shop#2 for ticket 4212." in house.told("U0BEN")[-1]
    assert "Waits for somebody to take it." in house.card()
    assert "Flagged by Ana Moreau, who writes back to the customer." in house.issue()["body"]
    assert "| Language | French |" in house.issue()["body"]


def test_the_issue_is_french_where_the_channels_are(french: House) -> None:
    """Text, customers' table and note follow `slack.language`; the customer's language stands by name."""
    french.flag("U0ANA", "4211", title="Le taux de TVA est faux")
    body = french.issue()["body"]
    assert "Signalée par Ana Moreau, qui répond au client." in body
    assert "| Langue | français |" in body
    assert r"Vous pouvez me joindre au \[numéro de téléphone\]." in body
    table = next(one["body"] for one in french.issue()["comments"] if "customers:" in one["body"])
    assert "**1 client attend cette issue.**" in table
    assert french.notes()[-1].startswith(f"Transmis dans {REPO}#1 par Ana Moreau\u00a0: Le taux de TVA est faux")
    assert issue_text.decline_comment(FRENCH, "", "Pas avant mai.").startswith("Refusée depuis Slack\u00a0:")


def test_the_reader_knows_english(house: House) -> None:
    """What the day in French is held against finds English in a card, a notice, an issue and a note."""
    reader = Reader(house)
    house.flag()
    reader.look()
    for sentence in (
        "Waits for somebody to take it.",
        "I will tell you when it ships.",
        "who writes back to the customer.",
    ):
        assert any(sentence in line for line in reader.foreign), sentence
    assert any(line.startswith("Carried to acme/shop#1") for line in reader.foreign)
