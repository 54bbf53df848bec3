"""`passerelle check`: what is wrong in Slack, the tracker and the helpdesk, found before anybody flags a ticket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.check import as_json, check, needed_scopes, render
from bot.settings import load
from integrations import registry
from integrations.base import Finding, Helpdesk, Tracker
from integrations.sandbox.github import GitHubStandIn
from integrations.sandbox.slack import SCOPES, SlackStandIn
from integrations.sandbox.wire import Fault
from integrations.sandbox.zendesk import ZendeskStandIn
from tests.conftest import demo

DEMO = demo()
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


@dataclass
class World:
    """The services that a configuration talks to."""

    slack: SlackStandIn
    github: GitHubStandIn
    zendesk: ZendeskStandIn
    folder: Path

    def check(self, text: str = DEMO, environ: Mapping[str, str] | None = None, **how: Any) -> list[Finding]:
        file = self.folder / "passerelle.yaml"
        file.write_text(text, encoding="utf-8")
        given = {
            "SLACK_BOT_TOKEN": "xoxb-sandbox",
            "SLACK_APP_TOKEN": "xapp-sandbox",
            "SLACK_API_URL": self.slack.api_url,
            "SANDBOX_GITHUB_URL": self.github.url,
            "SANDBOX_ZENDESK_URL": self.zendesk.url,
            **(environ or {}),
        }
        told = load(file, given, registry.tracker_config, registry.helpdesk_config)
        trackers: dict[str, Tracker] = {
            name: registry.tracker(each.kind).make(name, each.config, 5.0)
            for name, each in told.config.trackers.items()
        }
        helpdesks: dict[str, Helpdesk] = {
            name: registry.helpdesk(each.kind).make(name, each.config, 5.0)
            for name, each in told.config.helpdesks.items()
        }
        return check(told, trackers, helpdesks, **how)


def acme(scopes: tuple[str, ...] = SCOPES) -> SlackStandIn:
    slack = SlackStandIn(scopes=scopes).start()
    slack.add_person("U0ANA", "ana", "Ana Moreau", "ana@acme.example")
    slack.add_person("U0LEO", "leo", "Léo Martin", "leo@acme.example")
    slack.add_person("U0MAYA", "maya", "Maya Lind", "maya@acme.example")
    slack.add_person("U0GONE", "gone", "Gus Gone", "gus@acme.example", deleted=True)
    slack.add_channel("C0SUPPORT", "support", ["U0ANA"])
    slack.add_channel("C0SUPPORTDEV", "support-dev", ["U0LEO"])
    slack.add_channel("C0OTHER", "other", ["U0LEO"], with_bot=False)
    slack.add_usergroup("S0AGENTS", "agents", ["U0ANA"])
    return slack


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[SlackStandIn, GitHubStandIn, ZendeskStandIn]]:
    """Shared, since checking only reads; a test that changes something makes its own."""
    started = acme(), GitHubStandIn().start(), ZendeskStandIn().start()
    started[1].add_repo("acme/shop", private=True)
    yield started
    for service in started:
        service.stop()


@pytest.fixture
def world(services: tuple[SlackStandIn, GitHubStandIn, ZendeskStandIn], tmp_path: Path) -> World:
    return World(*services, tmp_path)


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, render(found)
    return found[0]


def test_nothing_to_mend(world: World) -> None:
    """With everything in place there is no finding."""
    assert world.check() == []


def test_the_manifest_asks_for_no_scope_that_the_app_has_not() -> None:
    """The stand-in's app, which the whole product is tried with, has every scope of the manifest."""
    assert set(needed_scopes()) <= set(SCOPES)


@pytest.mark.parametrize(
    ("environ", "where", "words"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "SLACK_BOT_TOKEN", "does not know this token"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "SLACK_APP_TOKEN", "does not know this token"),
        ({"SLACK_API_URL": f"{NOWHERE}/api/"}, "SLACK_API_URL", "Connection refused"),
        ({"SANDBOX_GITHUB_URL": NOWHERE}, "trackers.github.url", "the network"),
        ({"SANDBOX_ZENDESK_URL": NOWHERE}, "helpdesks.zendesk.url", "this machine reaches it"),
    ],
)
def test_a_wrong_token_or_address(world: World, environ: dict[str, str], where: str, words: str) -> None:
    """What the environment has wrong, or the line, is one finding, named after it."""
    found = only(world.check(environ=environ))
    assert found.where == where
    assert words in f"{found.problem} {found.mend}"


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("channel: C0SUPPORTDEV", "channel: C0NOWHERE", "slack.channel", "/invite"),
        ("channel: C0SUPPORTDEV", "channel: C0OTHER", "slack.channel", "/invite"),
        ("channel: C0SUPPORT,", "channel: C0OTHER,", "digests[0].channel", "/invite"),
        ("slack: U0LEO", "slack: U0NOBODY", "projects[0].support_devs[0].slack", "knows no member"),
        ("slack: U0LEO", "slack: U0GONE", "projects[0].support_devs[0].slack", "has left"),
        ("slack: U0LEO", "slack: U0PASS", "projects[0].support_devs[0].slack", "not a person"),
        ("leads: [U0MAYA]", "leads: [U0MAYA, U0GONE]", "slack.leads[1]", "has left"),
        ("agents: [C0SUPPORT]", "agents: [S0AGENTS, S0NONE]", "slack.agents[1]", "user group S0NONE"),
        ("agents: [C0SUPPORT]", "agents: [C0SUPPORT, C0NONE]", "slack.agents[1]", "no channel C0NONE"),
        ("agents: [C0SUPPORT]", "agents: [U0ANA, C0OTHER]", "slack.agents[1]", "/invite"),
        ("agents: [C0SUPPORT]", "agents: [U0ANA, U0NONE]", "slack.agents[1]", "knows no member"),
        ("token: ghp_sandbox", "token: ghp_wrong", "trackers.github.token", "token"),
        ("token: zd-sandbox", "token: zd-wrong", "helpdesks.zendesk.token", "token"),
        ("repository: acme/shop", "repository: acme/gone", "projects: acme/gone", "no such repository"),
    ],
)
def test_a_wrong_entry_is_named(world: World, old: str, new: str, where: str, words: str) -> None:
    """An entry that its service does not know as written is one finding, with its key."""
    assert old in DEMO
    found = only(world.check(DEMO.replace(old, new)))
    assert found.where == where
    assert words in f"{found.problem} {found.mend}"


@pytest.mark.parametrize("missing", ["chat:write", "users:read", "channels:read"])
def test_a_missing_scope_is_told_once(world: World, missing: str) -> None:
    """A scope that the app lacks is named, and what could not be asked without it makes no second finding."""
    world.slack = acme(tuple(scope for scope in SCOPES if scope != missing))
    found = only(world.check())
    world.slack.stop()
    assert (found.where, found.problem) == ("SLACK_BOT_TOKEN", f"lacks the scope {missing}")


def on_duty(group: str) -> str:
    """The demo with a user group that is kept in step."""
    return DEMO.replace(
        "    shipped_when: released", f"    duty: {{group: {group}, team: [U0GONE]}}\n    shipped_when: released"
    )


def test_a_user_group_is_looked_at_where_one_is_kept_in_step(world: World) -> None:
    """Whether it is there, and whether the bot may change it; without one, that scope is not missed."""
    world.slack = acme(tuple(scope for scope in SCOPES if scope != "usergroups:write"))
    assert world.check() == []
    found = {each.where: each.problem for each in world.check(on_duty("S0NONE"))}
    world.slack.stop()
    assert found == {
        "SLACK_BOT_TOKEN": "lacks the scope usergroups:write",
        "projects[0].duty.group": "Slack knows no user group S0NONE",
        "projects[0].duty.team[0]": "U0GONE has left the workspace",
    }


@pytest.mark.parametrize(
    ("change", "repository", "where", "words"),
    [
        (
            lambda hub: hub.set_issues_enabled("acme/silent", False),
            "acme/silent",
            "projects: acme/silent",
            "Switch on Issues",
        ),
        (lambda hub: hub.delete_repo("acme/lost"), "acme/lost", "projects: acme/lost", "no such repository"),
        (lambda hub: hub.set_archived("acme/old", True), "acme/old", "projects: acme/old", "archived"),
        (lambda hub: hub.set_visibility("acme/open", False), "acme/open", "projects[0].privacy", "link_only"),
    ],
)
def test_a_repository_that_changed(
    world: World, change: Callable[[Any], None], repository: str, where: str, words: str
) -> None:
    """What happened to the repository since the configuration was written is told with its mend."""
    world.github.add_repo(repository, private=True)
    change(world.github)
    found = only(world.check(DEMO.replace("acme/shop", repository)))
    assert found.where == where
    assert words in f"{found.problem} {found.mend}"


def test_a_public_repository_with_the_link_alone_is_fine(world: World) -> None:
    """A public repository is no finding once the configuration says what happens there."""
    world.github.add_repo("acme/public", private=False)
    text = DEMO.replace("acme/shop", "acme/public")
    assert world.check(text.replace("privacy: redacted", "privacy: link_only")) == []


@pytest.mark.parametrize("how", ["refuse", "drop"])
def test_slack_breaking_off_midway_is_one_finding(world: World, how: Any) -> None:
    """When Slack stops answering after the first call, the operator reads that, and no traceback."""
    world.slack.wire.faults.append(Fault(how, path="conversations.info"))
    assert only(world.check()).where == "SLACK_API_URL"
    assert world.check() == []


def test_nobody_is_asked_offline(world: World) -> None:
    """Offline, the configuration alone is looked at: wrong tokens stay unknown and no request is made."""
    wires = (world.slack.wire, world.github.wire, world.zendesk.wire)
    before = [len(wire.calls) for wire in wires]
    assert world.check(DEMO.replace("token: ghp_sandbox", "token: ghp_wrong"), offline=True) == []
    assert [len(wire.calls) for wire in wires] == before


def test_the_database_s_findings_stand_with_the_others(world: World) -> None:
    """What the store finds out about itself is told too."""
    behind = Finding("DATABASE_URL", "the schema is older than this version", "Run passerelle migrate.")
    assert world.check(database=lambda: [behind]) == [behind]


def test_findings_for_people_and_for_scripts() -> None:
    """The same findings read well in a terminal, and parse as the contract's JSON."""
    found = [Finding("slack.channel", "the bot is not in it", "Write /invite @Passerelle in it.")]
    assert render(found).splitlines() == [
        "slack.channel: the bot is not in it",
        "  → Write /invite @Passerelle in it.",
        "1 thing to mend.",
    ]
    assert json.loads(as_json(found)) == {
        "ok": False,
        "findings": [
            {"where": "slack.channel", "problem": "the bot is not in it", "mend": "Write /invite @Passerelle in it."}
        ],
    }
    assert json.loads(as_json([])) == {"ok": True, "findings": []}


def deployed(world: World) -> str:
    return DEMO.replace("shipped_when: released", "shipped_when: deployed\n    environment: [production, qa]")


def test_an_environment_without_a_deployment_may_be_misspelt(world: World) -> None:
    """What never ran anywhere would make every fix wait for ever."""
    world.github.deploy("acme/shop", "production")
    (found,) = world.check(deployed(world))
    assert found.where == "projects[0].environment"
    assert "`qa`" in found.problem


def test_deployments_that_may_not_be_read_are_found(world: World) -> None:
    """The permission is named that the token lacks."""
    world.github.wire.faults.append(Fault("refuse", "GET", "/deployments", status=403, times=None))
    (found,) = world.check(deployed(world))
    assert found.where == "trackers.github.token"
    assert "Deployments: read" in found.mend
