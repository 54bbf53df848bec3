"""What a customer sent along: it goes to the issue where policy lets it and the tracker takes files, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.performers.files import TRIES
from bot.privacy import file_name
from bot.store.tables import Effect, EffectState
from integrations.sandbox.wire import Fault
from tests.conftest import REPO, House
from tests.gitlab_shop import MINUTE, SHOP
from tests.hosting.gitlab import OnGitLab

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
LOGO = b"\x89PNG\r\n\x1a\n" + bytes(900)
DOWNLOADS, UPLOADS, NOTES = "^/files/", "/uploads$", "/notes$"

Build = Callable[..., House]


@pytest.fixture
def build(make_house: Build) -> Build:
    """A house whose project is on GitLab; two files came with ticket 4211."""

    def made(privacy: str = "full", *, files: bool = True, gitlab: bool = True) -> House:
        def change(config: dict[str, Any]) -> None:
            if gitlab:
                OnGitLab.configure(config)
            config["projects"][0]["privacy"] = privacy

        house = make_house(change)
        OnGitLab(house.gitlab).begin()
        house.zendesk.records[4211]["audits"][0]["events"][0]["attachments"] = []  # the story's stands elsewhere
        if files:
            house.zendesk.attach("4211", "écran 12.png", PICTURE, "image/png")
            house.zendesk.attach("4211", "facture.pdf", b"%PDF", "application/pdf")
        return house

    return made


def comments(house: House, issue: int = 1) -> list[str]:
    """The notes of the issue that tell of files."""
    notes = [note["body"] for note in house.gitlab.issue(SHOP, issue)["notes"]]
    return [body for body in notes if "<!-- passerelle:files:" in body]


def shown(house: House, comment: str) -> list[bytes]:
    """What the files hold that a comment shows, in its order."""
    kept = {one.url: one.content for one in house.gitlab.uploads(SHOP)}
    return [kept[url] for url in re.findall(r"\]\((/uploads/[^)]+)\)", comment)]


def effect(house: House) -> Effect | None:
    with house.bot.store.read() as session:
        return session.scalar(sa.select(Effect).where(Effect.kind == "files"))


def join(house: House) -> None:
    """Ben puts ticket 4212 on the issue."""
    house.look_up("U0BEN", "4212")
    (known,) = house.slack.suggest(house.slack.views("U0BEN")[-1]["id"], "similar", "")
    assert house.submit("U0BEN", similar=known["value"]) == {}


# --- carried


def test_what_the_customer_sent_stands_in_the_issue(build: Build) -> None:
    """The files themselves, in one internal comment that names the ticket."""
    house = build()
    house.flag()
    [comment] = comments(house)
    assert shown(house, comment) == [PICTURE, b"%PDF"]
    assert "2 files that the customer of [Zendesk 4211](" in comment
    assert "![écran_12](/uploads/" in comment
    assert "[facture.pdf](/uploads/" in comment
    assert all(note["internal"] for note in house.gitlab.issue(SHOP, 1)["notes"] if note["body"] == comment)


def test_a_ticket_that_joins_brings_its_own(build: Build) -> None:
    """A second customer's files follow in a comment of their own."""
    house = build()
    house.flag()
    house.zendesk.attach("4212", "log.txt", b"line", "text/plain")
    join(house)
    first, second = comments(house)
    assert shown(house, second) == [b"line"]
    assert "1 file that the customer of [Zendesk 4212](" in second
    assert shown(house, first) == [PICTURE, b"%PDF"]


def test_agents_files_and_signatures_stay(build: Build) -> None:
    """What an agent put on the ticket is not the customer's, and nobody misses a logo."""
    house = build(files=False)
    house.zendesk.attach("4211", "logo.png", LOGO, "image/png")
    house.zendesk.attach("4211", "trace.log", b"short", "text/plain")
    with house.zendesk.changing():
        agent = house.zendesk.by_email("ana@acme.example")
        assert agent
        house.zendesk.attach("4211", "internal.pdf", b"%PDF", "application/pdf")
        house.zendesk.records[4211]["audits"][-1]["events"][0]["author_id"] = agent["id"]
    house.flag()
    [comment] = comments(house)
    assert shown(house, comment) == [b"short"]
    assert "logo" not in comment
    assert "internal" not in comment


def test_a_logo_of_unknown_size_stays_too(build: Build) -> None:
    """Some helpdesks do not tell sizes: then it is seen when it has come."""
    house = build(files=False)
    house.zendesk.attach("4211", "logo.png", LOGO, "image/png")
    with house.zendesk.changing():
        house.zendesk.records[4211]["audits"][-1]["events"][0]["attachments"][0]["size"] = None
    house.flag()
    assert (comments(house), house.gitlab.uploads(SHOP)) == ([], [])


def test_without_files_nothing_is_written(build: Build) -> None:
    """No comment to say that there is nothing."""
    house = build(files=False)
    house.flag()
    found = effect(house)
    assert found is not None
    assert (found.state, comments(house)) == (EffectState.DONE, [])


def test_ten_are_carried_and_the_rest_named(build: Build) -> None:
    """In the order in which they came."""
    house = build(files=False)
    for count in range(12):
        house.zendesk.attach("4211", f"log-{count}.txt", b"%d" % count, "text/plain")
    house.flag()
    [comment] = comments(house)
    assert shown(house, comment) == [b"%d" % count for count in range(10)]
    assert re.search(r"2 files are in \[Zendesk 4211\]\(http\S+/agent/tickets/4211\) alone: log.*10.*11", comment)


# --- where it may not


@pytest.mark.parametrize("privacy", ["redacted", "link_only"])
def test_other_policies_carry_no_file(build: Build, privacy: str) -> None:
    """Nobody can take personal data out of a picture; it is not even downloaded."""
    house = build(privacy)
    house.flag()
    assert (effect(house), comments(house), house.gitlab.uploads(SHOP)) == (None, [], [])
    assert house.zendesk.wire.calls_to("GET", "/files/.*") == []


def test_a_public_project_gets_none(build: Build) -> None:
    """Whatever is configured; nothing is downloaded either."""
    house = build()
    house.gitlab.set_visibility(SHOP, "public")
    house.flag()
    assert (comments(house), house.gitlab.uploads(SHOP)) == ([], [])
    assert house.zendesk.wire.calls_to("GET", "/files/.*") == []


def test_made_public_between_two_tries(build: Build) -> None:
    """One file had gone already: no comment leads to it, and the other one stays."""
    house = build()
    second = list(house.zendesk.files)[-1]
    house.zendesk.wire.faults.append(Fault("refuse", "GET", f"^/files/{second}", status=503, times=None))
    house.flag()
    house.gitlab.set_visibility(SHOP, "public")
    uploaded = len(house.gitlab.uploads(SHOP))
    house.pass_time(minutes=2)
    found = effect(house)
    assert found is not None
    assert (found.state, comments(house), len(house.gitlab.uploads(SHOP))) == (EffectState.DONE, [], uploaded)


def test_made_public_while_the_ticket_is_read(build: Build) -> None:
    """It is asked again right before each file goes."""
    house = build()
    house.look_up()

    def meanwhile(answered: Any) -> Any:
        if effect(house).attempts:  # type: ignore[union-attr]  # the issue has its number, and the files are begun
            house.gitlab.set_visibility(SHOP, "public")
        return answered

    house.zendesk.wire.spoil = meanwhile
    assert house.submit(title="VAT is wrong on invoices") == {}
    found = effect(house)
    assert found is not None
    assert len(house.zendesk.wire.calls_to("GET", "/files/.*")) == 2
    assert (found.state, comments(house), house.gitlab.uploads(SHOP)) == (EffectState.DONE, [], [])


def test_an_issue_that_all_members_read_gets_none(build: Build) -> None:
    """Somebody opened it to more people than it was filed for."""
    house = build()
    house.flag()
    house.clock.advance(MINUTE)
    house.gitlab.edit_issue(SHOP, 1, "leo-dev", {"confidential": False})
    house.poll()
    house.zendesk.attach("4212", "log.txt", b"line", "text/plain")
    join(house)
    assert "2 customers wait" in house.gitlab.issue(SHOP, 1)["description"]
    assert (len(comments(house)), len(house.gitlab.uploads(SHOP))) == (1, 2)


def test_github_has_no_place_for_files(build: Build) -> None:
    """Their names stand in the issue, beside the ticket's link."""
    house = build(gitlab=False)
    house.flag()
    assert effect(house) is None
    assert "facture.pdf" in house.github.issue(REPO, 1)["body"]
    assert house.zendesk.wire.calls_to("GET", "/files/.*") == []


# --- what goes wrong


def test_a_file_that_is_gone_is_named(build: Build) -> None:
    """The others come all the same."""
    house = build()
    house.zendesk.wire.faults.append(Fault("refuse", "GET", DOWNLOADS, status=404))
    house.flag()
    [comment] = comments(house)
    assert shown(house, comment) == [b"%PDF"]
    assert re.search(r"1 file is in \[Zendesk 4211\]\(\S+\) alone: écran 12\.png", comment)


def test_a_file_that_the_tracker_refuses_is_named(build: Build) -> None:
    """Too large for the server, say."""
    house = build()
    house.gitlab.wire.faults.append(Fault("refuse", "POST", UPLOADS, status=413))
    house.flag()
    [comment] = comments(house)
    assert shown(house, comment) == [b"%PDF"]
    assert "écran 12.png" in comment


def test_a_file_over_ten_megabytes_is_named(build: Build) -> None:
    """Nothing larger is held in memory."""
    house = build(files=False)
    house.zendesk.attach("4211", "film.mp4", bytes(10 * 1024 * 1024 + 1), "video/mp4")
    house.flag()
    [comment] = comments(house)
    assert (shown(house, comment), house.gitlab.uploads(SHOP)) == ([], [])
    assert "1 file is in [Zendesk 4211]" in comment


def test_a_passing_failure_is_waited_for(build: Build) -> None:
    """Of the download, then of the upload: in the end both files stand there."""
    house = build()
    house.zendesk.wire.faults.append(Fault("refuse", "GET", DOWNLOADS, status=503, times=2))
    house.gitlab.wire.faults.append(Fault("refuse", "POST", UPLOADS, status=502))
    house.flag()
    assert comments(house) == []
    for _ in range(4):
        house.pass_time(seconds=60)
    [comment] = comments(house)
    assert shown(house, comment) == [PICTURE, b"%PDF"]


def test_a_failure_that_does_not_pass_ends_in_names(build: Build) -> None:
    """After some tries: the Support Dev hears where the files are, and the tracker's store does not fill up."""
    house = build()
    house.gitlab.wire.faults.append(Fault("refuse", "POST", UPLOADS, status=500, times=None))
    house.flag()
    for _ in range(TRIES + 2):
        house.pass_time(minutes=2)
    [comment] = comments(house)
    assert re.search(r"2 files are in \[Zendesk 4211\]\(\S+\) alone: écran 12\.png, facture\.pdf", comment)
    assert len(house.gitlab.wire.calls_to("POST", ".*/uploads")) == TRIES + 1


@pytest.mark.parametrize("how", ["drop_after", "drop"])
def test_a_comment_in_doubt_is_written_once(build: Build, how: Any) -> None:
    """It is looked for before it is repeated; only a copy of a file may stay behind unseen."""
    house = build()
    house.gitlab.wire.faults.append(Fault(how, "POST", NOTES))
    house.flag()
    house.pass_time(minutes=2)
    [comment] = comments(house)
    assert shown(house, comment) == [PICTURE, b"%PDF"]
    assert len(house.gitlab.uploads(SHOP)) == (2 if how == "drop_after" else 4)


def test_a_helpdesk_that_is_away_holds_up_nothing_else(build: Build) -> None:
    """The table is kept and the issue can be declined; the files come when it is back."""
    house = build()
    house.flag()  # while all is well, so that the ticket is known
    house.zendesk.attach("4212", "log.txt", b"line", "text/plain")
    house.look_up("U0BEN", "4212")
    house.zendesk.wire.faults.append(Fault("refuse", status=429, headers={"Retry-After": "300"}, times=None))
    (known,) = house.slack.suggest(house.slack.views("U0BEN")[-1]["id"], "similar", "")
    assert house.submit("U0BEN", similar=known["value"]) == {}
    house.pass_time(seconds=10)
    assert "2 customers wait for this issue." in house.gitlab.issue(SHOP, 1)["description"]
    assert len(comments(house)) == 1
    house.zendesk.wire.faults.clear()
    house.pass_time(minutes=30)
    assert shown(house, comments(house)[1]) == [b"line"]


def test_taken_off_and_put_back(build: Build) -> None:
    """What was carried is looked for, and not carried twice."""
    house = build()
    house.flag()
    for words in ("unlink 4211", "link 4211 #1"):
        assert house.slack.command("U0ANA", words, "C0SUPPORT").ok
        house.clock.advance(MINUTE)
        house.settle()
    assert "1 customer waits" in house.gitlab.issue(SHOP, 1)["description"]
    first, again = house.notes()
    assert first == again  # it was announced anew
    assert (len(comments(house)), len(house.gitlab.uploads(SHOP))) == (1, 2)


def test_taken_off_before_the_files_went(build: Build) -> None:
    """Then they stay, and go once it is put back."""
    house = build()
    house.zendesk.wire.faults.append(Fault("refuse", "GET", DOWNLOADS, status=503))
    house.flag()
    assert house.slack.command("U0ANA", "unlink 4211", "C0SUPPORT").ok
    house.pass_time(minutes=2)
    assert (comments(house), house.gitlab.uploads(SHOP)) == ([], [])
    assert house.slack.command("U0ANA", "link 4211 #1", "C0SUPPORT").ok
    house.settle()
    [comment] = comments(house)
    assert shown(house, comment) == [PICTURE, b"%PDF"]


# --- names


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("facture.pdf", "facture.pdf"),
        ("Capture d’écran 2026-03-02.png", "Capture_d_écran_2026-03-02.png"),
        ("../../etc/passwd", "etc_passwd"),
        ("C:\\Users\\nora\\log.txt", "C_Users_nora_log.txt"),
        ("](https://evil.example) ![x.png", "https_evil.example_x.png"),
        ("@leo-dev #12 !3 /close.txt", "leo-dev_12_3_close.txt"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("line\nbreak\x00.txt", "line_break_.txt"),
        ("4111 1111 1111 1111.txt", "card_number_.txt"),
        ("लेख.txt", "लेख.txt"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_names_are_made_harmless(given: str, kept: str) -> None:
    """Shown as they are in Markdown, they do nothing and name no path."""
    assert file_name(given) == kept


def test_a_long_name_keeps_its_ending() -> None:
    """By which its reader knows what it is."""
    assert file_name("a" * 5_000 + ".tar.gz") == "a" * 97 + ".gz"
    assert len(file_name("." + "b" * 5_000)) == 100
