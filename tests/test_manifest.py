"""The Slack app's manifest, held against what the bot registers, draws and calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.slack.listeners import Listeners
from bot.slack.views import FlagForm, flag_form
from bot.texts import Say
from bot.web.sign_in import BACK

ROOT = Path(__file__).parents[1]
MANIFEST: dict[str, Any] = yaml.safe_load((files("config") / "slack-manifest.yaml").read_text(encoding="utf-8"))
FEATURES = MANIFEST["features"]

SCOPES: dict[str, set[str]] = {
    # Each Web API method that the bot calls, with the bot scopes that its page at docs.slack.dev/reference/methods
    # names for what we do with it: in public and private channels, and in direct messages with one person.
    "apps_connections_open": set(),  # an app-level token's connections:write
    "auth_test": set(),
    "chat_delete": {"chat:write"},
    "chat_getPermalink": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_unfurl": {"links:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history", "im:history"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_members": {"channels:read", "groups:read"},
    "conversations_open": {"im:write"},
    "conversations_replies": {"channels:history", "groups:history"},
    "functions_completeError": set(),
    "functions_completeSuccess": set(),
    "usergroups_list": {"usergroups:read"},
    "usergroups_users_list": {"usergroups:read"},
    "usergroups_users_update": {"usergroups:write"},
    "users_info": {"users:read", "users:read.email"},
    "users_lookupByEmail": {"users:read.email"},
    "views_open": set(),
    "views_publish": set(),
    "views_push": set(),
    "views_update": set(),
}

HEARS: dict[str, set[str]] = {
    # Each event that the bot hears, with the bot scope that its page at docs.slack.dev/reference/events names.
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "function_executed": set(),
    "link_shared": {"links:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "reaction_added": {"reactions:read"},
}

FAMILIES = (
    *("apps_", "auth_", "chat_", "conversations_", "files_", "functions_", "reactions_", "usergroups_", "users_"),
    "views_",
)


class Register:
    """Takes the place of Bolt's app, and remembers what was registered for which name."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {}

    def __getattr__(self, sort: str) -> Any:
        return lambda name, **how: self.names.setdefault(sort, set()).add(name) or (lambda listener: listener)


@pytest.fixture(scope="module")
def registered() -> dict[str, set[str]]:
    register, nobody = Register(), Any
    listeners = Listeners(register, nobody, nobody)  # type: ignore[arg-type]
    listeners.close()
    return register.names


def syntax(*folders: str) -> Iterator[ast.AST]:
    for folder in folders:
        for path in [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py")):
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def called() -> set[str]:
    """The Web API methods that the bot's code names on a Slack client."""
    clients = ("client", "bot", "self.client", "_client(")
    return {
        node.attr
        for node in syntax("bot/slack", "bot/performers", "bot/check.py", "bot/app.py")
        if isinstance(node, ast.Attribute) and node.attr.startswith(FAMILIES)
        if ast.unparse(node.value).startswith(clients)
    }


def constants(function: str, position: int) -> set[str]:
    """The words that the views give to `function` at this position."""
    return {
        node.args[position].value
        for node in syntax("bot/slack/views")
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function and len(node.args) > position
        if isinstance(node.args[position], ast.Constant)
    }


def test_asks_for_the_scopes_it_needs_and_no_more() -> None:
    """Every method that the code calls is granted, and no scope is asked for in vain."""
    assert called() == set(SCOPES)
    needed = {"commands"}.union(*SCOPES.values(), *HEARS.values())
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed
    assert set(MANIFEST["oauth_config"]["scopes"]) == {"bot", "user"}


def test_people_sign_in_with_one_scope_and_come_back_to_where_they_are_heard() -> None:
    """The dashboard asks Slack for who somebody is, at the address that Slack is told."""
    assert MANIFEST["oauth_config"]["scopes"]["user"] == ["openid"]
    [address] = MANIFEST["oauth_config"]["redirect_urls"]
    assert address.startswith("https://")
    assert address.endswith(BACK)


def test_offers_what_is_listened_to(registered: dict[str, set[str]]) -> None:
    """The commands and shortcuts that Slack offers are those that the bot answers."""
    assert {one["command"] for one in FEATURES["slash_commands"]} == registered["command"]
    assert {one["callback_id"] for one in FEATURES["shortcuts"]} == registered["shortcut"]
    sorts = {one["callback_id"]: one["type"] for one in FEATURES["shortcuts"]}
    assert sorts == {"flag": "global", "flag_message": "message", "to_issue": "message"}


def test_interactivity_is_on(registered: dict[str, set[str]]) -> None:
    """Without it Slack would deliver no button, modal or option to the bot."""
    assert registered["action"]
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True


def test_subscribes_to_no_event_that_nobody_hears(registered: dict[str, set[str]]) -> None:
    """Events are subscribed to if and only if there is a listener for them."""
    subscribed = MANIFEST["settings"].get("event_subscriptions", {}).get("bot_events", [])
    kinds = {"message": {"message.channels", "message.groups"}}  # by the kind of conversation
    names = registered.get("event", set()) | registered.get("message", set())
    heard = {kind for name in names for kind in kinds.get(name, {name})}
    assert set(subscribed) == set(HEARS) == heard | {"function_executed"}


def test_offers_the_steps_that_are_carried_out(registered: dict[str, set[str]]) -> None:
    """Workflow Builder has a step if and only if there is a listener for it, and Slack takes what it says of it."""
    assert set(MANIFEST["functions"]) == registered["function"]
    assert MANIFEST["settings"]["org_deploy_enabled"] is True
    assert MANIFEST["settings"]["function_runtime"] == "remote"
    for function in MANIFEST["functions"].values():
        for name, parameter in [*function["input_parameters"].items(), *function["output_parameters"].items()]:
            assert parameter["name"] == name


def test_links_are_heard_of_on_few_domains() -> None:
    """Slack takes at most five, and no addresses or wildcards."""
    domains = FEATURES["unfurl_domains"]
    assert 0 < len(domains) <= 5
    assert all("/" not in domain and "*" not in domain for domain in domains)


def test_what_is_typed_is_heard(registered: dict[str, set[str]]) -> None:
    """Inputs that tell what is typed into them have a listener, and no others wait for that."""
    blocks = flag_form(Say("en"), "d1", FlagForm())["blocks"]
    assert {block["block_id"] for block in blocks if block.get("dispatch_action")} == registered["block_action"]
    assert registered["view_closed"] == {"flag"}


def test_speaks_through_socket_mode_unless_told_otherwise() -> None:
    """The manifest works without a public address; Slack refuses direct messages while the messages tab is off."""
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert FEATURES["app_home"]["messages_tab_enabled"] is True
    assert FEATURES["app_home"]["home_tab_enabled"] is True


def test_every_button_and_modal_has_its_listener(registered: dict[str, set[str]]) -> None:
    """Whatever a person can press or send is taken, and nothing is waited for that never comes."""
    chosen = constants("choice", 1) | constants("search_input", 0)  # what tells at once, in the Home tab
    assert constants("button", 1) | chosen | {"open"} == registered["action"]
    sent = constants("modal", 1) - {""}  # a modal that can only be closed
    assert sent == registered["view"]


def test_names_are_short_enough_for_slack() -> None:
    """Slack refuses a manifest with longer ones ("App manifest reference")."""
    information = MANIFEST["display_information"]
    assert len(information["name"]) <= 35
    assert len(information["description"]) <= 140
    for shortcut in FEATURES["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
