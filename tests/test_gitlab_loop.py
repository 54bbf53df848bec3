"""The loop on GitLab: the same as on GitHub, through Slack and GitLab's own wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from integrations.sandbox.gitlab import GitLabStandIn
from tests.conftest import START, House

PROJECT = "acme/apps/shop"
MINUTE = timedelta(minutes=1)

Build = Callable[..., House]


class GitLabHouse:
    """The house with a GitLab beside its GitHub; the shop's issues live there."""

    def __init__(self, make_house: Build, gitlab: GitLabStandIn, **project: Any) -> None:
        def change(config: dict[str, Any]) -> None:
            config["trackers"]["gitlab"] = {
                "kind": "gitlab",
                "url": gitlab.url,
                "token": "glpat-sandbox",
                "webhook_secret": "sandbox-gitlab-secret",
                "pace": 0,
            }
            config["projects"][0] |= {"tracker": "gitlab", "repository": PROJECT, **project}

        self.gitlab = gitlab
        self.house = make_house(change)

    def mend(self, body: str = "Closes #1", base: str = "main", method: str = "merge") -> str:
        """The Support Dev merges a merge request, and the bot hears of it."""
        iid = self.gitlab.open_merge(PROJECT, "leo-dev", "Round VAT per line", body, base)
        self.house.clock.advance(MINUTE)
        sha = self.gitlab.merge(PROJECT, iid, "leo-dev", method)  # type: ignore[arg-type]
        self.house.poll()
        return sha

    def release(self, tag: str, **how: Any) -> None:
        self.house.clock.advance(MINUTE)
        self.gitlab.publish_release(PROJECT, tag, **how)
        self.house.poll()


@pytest.fixture
def clock_time() -> dict[str, Any]:
    return {"now": lambda: START}


@pytest.fixture
def gitlab(clock_time: dict[str, Any]) -> Iterator[GitLabStandIn]:
    hub = GitLabStandIn(lambda: clock_time["now"]())
    hub.add_project(PROJECT, members={"leo-dev": 40})
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def build(make_house: Build, gitlab: GitLabStandIn, clock_time: dict[str, Any]) -> Callable[..., GitLabHouse]:
    def made(**project: Any) -> GitLabHouse:
        found = GitLabHouse(make_house, gitlab, **project)
        clock_time["now"] = found.house.clock.now
        return found

    return made


def test_from_the_ticket_to_the_reply(build: Callable[..., GitLabHouse]) -> None:
    """Flagged, filed as a confidential issue, merged, released, told with proof, written back; the table stands in the
    description."""
    made = build()
    house, gitlab = made.house, made.gitlab
    house.flag()
    house.poll()
    issue = gitlab.issue(PROJECT, 1)
    assert issue["confidential"] is True
    assert "1 customer waits for this issue." in issue["description"]
    assert f"Filed as {PROJECT}#1" in house.told()[-1]
    made.mend()
    assert "Fixed, not shipped yet" in house.card()
    assert len(house.told()) == 1
    made.release("v2.5.0")
    told = house.told()[-1]
    assert "Fixed in v2.5.0: VAT is wrong on invoices" in told
    assert "merged in !1" in told
    assert house.write_back() == {}
    assert house.replies() == ["Hello, it is mended."]
    assert "Nobody waits any more" in house.card()


@pytest.mark.parametrize("method", ["merge", "squash", "ff", "rebase", "train"])
def test_each_way_to_merge(build: Callable[..., GitLabHouse], method: str) -> None:
    """However it was merged, the release of another branch is none, and that of its own is."""
    made = build()
    house = made.house
    house.flag()
    made.gitlab.branch(PROJECT, "before", "main")
    made.mend(method=method)
    made.release("v2.4.1", target="before")
    assert [one for one in house.told() if "Fixed in" in one] == []
    made.release("v2.5.0")
    assert "Fixed in v2.5.0" in house.told()[-1]


def test_a_release_with_a_date_to_come_is_none_yet(build: Callable[..., GitLabHouse]) -> None:
    """It counts from that day on."""
    made = build()
    house = made.house
    house.flag()
    made.mend()
    made.release("v2.5.0", released_at=house.clock.now() + timedelta(days=1))
    assert [one for one in house.told() if "Fixed in" in one] == []
    house.clock.advance(timedelta(days=1))
    house.poll()
    house.bot.schedule.tick_polls()
    house.settle()
    assert "Fixed in v2.5.0" in house.told()[-1]


def test_deployed_and_rolled_back(build: Callable[..., GitLabHouse]) -> None:
    """A newer deployment of an older commit: held."""
    made = build(shipped_when="deployed", environment="production")
    house, gitlab = made.house, made.gitlab
    house.flag()
    gitlab.branch(PROJECT, "before", "main")
    made.mend()
    house.clock.advance(MINUTE)
    gitlab.deploy(PROJECT, "production", "main")
    house.poll()
    assert "Live on production" in house.told()[-1]
    house.clock.advance(MINUTE)
    gitlab.deploy(PROJECT, "production", "before")
    house.poll()
    assert "no longer on production" in house.card()
    assert "On hold" in house.told()[-1]


def test_a_cherry_pick_and_a_revert(build: Callable[..., GitLabHouse]) -> None:
    """The stable branch has a copy; then main takes the change out again."""
    made = build()
    house, gitlab = made.house, made.gitlab
    house.flag()
    gitlab.branch(PROJECT, "stable", "main")
    sha = made.mend(method="squash")
    gitlab.cherry_pick(PROJECT, "stable", sha, trailer=True)
    made.release("v2.4.1", target="stable")
    assert "Fixed in v2.4.1" in house.told()[-1]
    gitlab.revert_merge(PROJECT, 1, "leo-dev")
    made.release("v2.5.0")
    assert "Fixed, not shipped yet" in house.card()


def test_commands_begin_with_the_bots_name(build: Callable[..., GitLabHouse]) -> None:
    """A leading slash is GitLab's own."""
    made = build()
    house, gitlab = made.house, made.gitlab
    house.flag()
    made.mend(body="")
    gitlab.comment(PROJECT, 1, "leo-dev", "@passerelle-bot fixed-by !1")
    house.poll()
    made.release("v2.5.0")
    assert "Fixed in v2.5.0" in house.told()[-1]


def test_declined_in_slack_is_closed_with_its_label(build: Callable[..., GitLabHouse]) -> None:
    """GitLab keeps no reason: a label says that it will not be done, and the reason stands in an internal note."""
    made = build()
    house, gitlab = made.house, made.gitlab
    house.flag()
    house.press("U0LEO", "decline", "C0SUPPORTDEV")
    assert house.submit("U0LEO", reason="It is meant to be so.") == {}
    issue = gitlab.issue(PROJECT, 1)
    assert issue["state"] == "closed"
    assert "not planned" in issue["labels"]
    assert "It is meant to be so." in house.told()[-1]


def test_moved_to_another_project(build: Callable[..., GitLabHouse]) -> None:
    """The agent hears where it is, once."""
    made = build()
    house, gitlab = made.house, made.gitlab
    house.flag()
    house.poll()
    gitlab.add_project("acme/apps/api", members={"leo-dev": 40})
    number = gitlab.move_issue(PROJECT, 1, "acme/apps/api", "leo-dev")
    house.poll()
    house.poll()
    news = [one for one in house.told() if f"What you flagged is followed in acme/apps/api#{number} now." in one]
    assert len(news) == 1


def test_carried_from_github_to_gitlab(make_house: Build, gitlab: GitLabStandIn, clock_time: dict[str, Any]) -> None:
    """It belongs to the other project: filed there with its customers, the old one closed with a pointer; the agent is
    told once, and hears it when it ships there."""

    def both(config: dict[str, Any]) -> None:
        config["trackers"]["gitlab"] = {"kind": "gitlab", "url": gitlab.url, "token": "glpat-sandbox", "pace": 0}
        shop = config["projects"][0]
        config["projects"].append({**shop, "key": "app", "name": "App", "tracker": "gitlab", "repository": PROJECT})

    house = make_house(both)
    clock_time["now"] = house.clock.now
    house.flag(project="shop")
    house.poll()
    house.press("U0LEO", "carry", "C0SUPPORTDEV")
    assert house.submit("U0LEO", project="app") == {}
    filed = gitlab.issue(PROJECT, 1)
    assert "1 customer waits" in filed["description"]
    old = house.issue()
    assert (old["state"], old["state_reason"]) == ("closed", "not_planned")
    assert f"Carried to {PROJECT}#1, where its customers wait" in old["comments"][-1]["body"]
    assert "4211" not in old["comments"][-1]["body"]
    assert [one for one in house.told() if f"Filed as {PROJECT}#1" in one] == [house.told()[-1]]
    assert f"{PROJECT}#1" in house.card()
    assert f"{PROJECT}#1" in house.notes()[-1]
    house.poll()
    iid = gitlab.open_merge(PROJECT, "leo-dev", "Round VAT per line", "Closes #1")
    house.clock.advance(MINUTE)
    gitlab.merge(PROJECT, iid, "leo-dev")
    house.poll()
    house.clock.advance(MINUTE)
    gitlab.publish_release(PROJECT, "v2.5.0")
    house.poll()
    assert "Fixed in v2.5.0" in house.told()[-1]
    assert [one for one in house.told("U0LEO") if "in words for customers" not in one] == []


def test_a_token_near_its_end_is_announced(build: Callable[..., GitLabHouse]) -> None:
    """To the lead, two weeks before, once a week; `passerelle check` says the same."""
    made = build()
    house, gitlab = made.house, made.gitlab
    ends = (house.clock.now() + timedelta(days=16)).date()
    gitlab.tokens["glpat-sandbox"] = replace(gitlab.tokens["glpat-sandbox"], expires_at=ends)
    for _ in range(2):
        house.bot.schedule.tick_checks()
        house.settle()
        house.clock.advance(timedelta(days=1))
    assert [one for one in house.told("U0MAYA") if "token" in one] == []
    for _ in range(4):
        house.clock.advance(timedelta(days=1))
        house.bot.schedule.tick_checks()
        house.settle()
    (told,) = [one for one in house.told("U0MAYA") if "token" in one]
    assert "Something is to be mended, or Web shop will miss news:" in told
    assert "trackers.gitlab.token" in told


def test_a_backport_counts_at_once_whatever_issue_has_its_number(build: Callable[..., GitLabHouse]) -> None:
    """Merge requests are numbered apart from issues: !1 mends #2, and !2 brings it to the stable branch."""
    made = build()
    house, gitlab = made.house, made.gitlab
    gitlab.branch(PROJECT, "stable", "main")
    for ticket in ("4211", "4212"):
        house.flag(text=ticket)
    made.mend("Closes #2")
    made.mend("Backport of !1.", base="stable")
    made.release("v2.4.1", target="stable")
    assert ["Fixed in v2.4.1" in told for told in house.told()].count(True) == 1


def test_the_talk_goes_on_gitlab_too(build: Callable[..., GitLabHouse]) -> None:
    """A question and its answer as internal notes, a day as the due date, the kind as the issue's type, who has it as
    assignee."""
    made = build(issue_types={"bug": "incident"})
    house, gitlab = made.house, made.gitlab
    house.flag()
    assert gitlab.issue(PROJECT, 1)["issue_type"] == "incident"
    assert "`@passerelle-bot ask` and a question to support" in gitlab.issue(PROJECT, 1)["description"]
    gitlab.comment(PROJECT, 1, "leo-dev", "@passerelle-bot ask Which country is it?")
    gitlab.comment(PROJECT, 1, "leo-dev", "@passerelle-bot promise 2026-03-12")
    house.poll()
    assert "Léo Martin asks. Answer if you know it, or ask your customer first:" in "\n".join(house.told())
    assert "not before Thursday, 12 March 2026" in "\n".join(house.told())
    house.press("U0ANA", "answer")
    assert house.submit(text="Belgium.") == {}
    found = gitlab.issue(PROJECT, 1)
    assert found["due_date"] == "2026-03-12"
    assert [one["username"] for one in found["assignees"]] == ["leo-dev"]
    answer = next(note for note in found["notes"] if "answers from Slack" in note["body"])
    assert "> Belgium." in answer["body"]
    assert answer["internal"] is True


def test_old_commands_are_not_obeyed_again_after_a_move(build: Callable[..., GitLabHouse]) -> None:
    """GitLab copies comments along under new ids: what was said, taken back or told before is not done once more."""
    made = build()
    house, gitlab = made.house, made.gitlab
    house.flag()
    for text in ("tell I look at it.", "workaround Export as CSV.", "decline Not before May."):
        house.clock.advance(MINUTE)
        gitlab.comment(PROJECT, 1, "leo-dev", f"@passerelle-bot {text}")
        house.poll()
    house.clock.advance(MINUTE)
    gitlab.reopen_issue(PROJECT, 1, "leo-dev")
    house.poll()
    gitlab.add_project("acme/apps/api", members={"leo-dev": 40})
    house.clock.advance(timedelta(hours=1))
    number = gitlab.move_issue(PROJECT, 1, "acme/apps/api", "leo-dev")
    house.poll()
    house.poll()
    assert gitlab.issue("acme/apps/api", number)["state"] == "opened"
    assert "In hand" in house.card()
    assert len([one for one in house.told() if "Export as CSV" in one]) == 1
    assert len([one for one in house.thread() if "I look at it." in one]) == 1
