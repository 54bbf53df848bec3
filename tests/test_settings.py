"""The configuration: what it holds when it is right, and what an operator reads when it is not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from pydantic import BaseModel

from bot.configuration import Configuration, Digest, Duty, Project, Reminders, SignIn, SupportDev, Web, WriteBacks
from bot.reading import SettingsError
from bot.settings import Environment, Settings, load
from integrations import registry

EXAMPLE = (files("config") / "example.yaml").read_text(encoding="utf-8")
ENVIRON = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "SLACK_CLIENT_SECRET": "client-1",
    "GITHUB_TOKEN": "ghp_1",
    "GITHUB_WEBHOOK_SECRET": "hook-1",
    "ZENDESK_TOKEN": "zd-1",
    "ZENDESK_WEBHOOK_SECRET": "hook-2",
}


def settings(text: str, folder: Path, environ: Mapping[str, str] = ENVIRON) -> Settings:
    file = folder / "passerelle.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ, registry.tracker_config, registry.helpdesk_config)


def refused(text: str, folder: Path, environ: Mapping[str, str] = ENVIRON) -> dict[str, tuple[str, str]]:
    """What is wrong, by its place without the file's folder: (problem, mend)."""
    with pytest.raises(SettingsError) as caught:
        settings(text, folder, environ)
    return {each.where.replace(f"{folder}/", ""): (each.problem, each.mend) for each in caught.value.findings}


def edited(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new)


# --- what is right ----------------------------------------------------------------------------------------------------


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    """Whoever copies the example and sets its variables has a configuration that loads."""
    told = settings(EXAMPLE, tmp_path)
    assert told.channel(told.project("shop")) == "C0SHOPDEV"
    assert told.config.timing.lease == 60.0
    assert told.config.retention.deliveries == 30 * 24 * 3600


def options(model: type[BaseModel], section: Any, at: str) -> list[str]:
    """The options of `model` that `section` does not set."""
    missing = [f"{at}.{name}" for name in model.model_fields if name not in section]
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            missing += options(field.annotation, section.get(name, {}), f"{at}.{name}")
    return missing


def test_the_example_shows_every_option() -> None:
    """An option that the example does not show is one that nobody finds."""
    shown = yaml.safe_load(EXAMPLE.replace("#| ", ""))  # with what is an alternative to something else
    sections: list[tuple[type[BaseModel], Any, str]] = [
        (Configuration, shown, ""),
        (Web, shown["web"], "web"),
        (SignIn, shown["web"]["sign_in"], "web.sign_in"),
        (Reminders, shown["reminders"], "reminders"),
        (WriteBacks, shown["write_backs"], "write_backs"),
        (Project, shown["projects"][0], "projects"),
        (Duty, shown["projects"][0]["duty"], "projects.duty"),
        (SupportDev, shown["projects"][0]["support_devs"][0], "projects.support_devs"),
        (Digest, shown["digests"][0], "digests"),
        (registry.tracker_config("github"), shown["trackers"]["github"], "trackers.github"),
        (registry.helpdesk_config("zendesk"), shown["helpdesks"]["zendesk"], "helpdesks.zendesk"),
    ]
    assert [name for section in sections for name in options(*section)] == []


def test_the_demo_is_a_configuration() -> None:
    """The demo's file loads with the sandbox's addresses alone, whatever else the environment holds."""
    sandbox = {f"SANDBOX_{name}_URL": "http://127.0.0.1:1" for name in ("GITHUB", "GITLAB", "ZENDESK")}
    told = load(
        files("config") / "demo.yaml",
        {"SLACK_BOT_TOKEN": "xoxb-sandbox", "SLACK_APP_TOKEN": "xapp-sandbox", **sandbox},
        registry.tracker_config,
        registry.helpdesk_config,
    )
    shop = told.project("shop")
    assert (shop.shipped_when, shop.privacy, told.channel(shop)) == ("released", "redacted", "C0SUPPORTDEV")
    app = told.project("app")
    assert (app.tracker, app.shipped_when, app.environment) == ("gitlab", "deployed", ("production",))


def test_a_secret_may_hold_what_yaml_would_read(tmp_path: Path) -> None:
    """Values are filled in after the file is parsed, so a secret with a colon or a brace stays as it is."""
    odd = 'a: {b}: "c" # ${HOME}'
    told = settings(EXAMPLE, tmp_path, {**ENVIRON, "GITHUB_TOKEN": odd})
    assert told.config.trackers["github"].config.token.get_secret_value() == odd  # type: ignore[attr-defined]


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    """Printing the settings, or an error about them, tells no secret."""
    environ = {name: f"{value}-hidden" for name, value in ENVIRON.items()}
    environ["DATABASE_URL"] = "postgres://passerelle:hidden@db.example/passerelle"
    assert "hidden" not in repr(settings(EXAMPLE, tmp_path, environ))
    broken = edited("kind: github", "kind: github\n    tokn: 1").replace(
        "channel: C0SUPPORTDEV", 'channel: "${ZENDESK_TOKEN}"'
    )
    assert "hidden" not in str(refused(broken, tmp_path, {**environ, "SLACK_BOT_TOKEN": "hidden"}))


@pytest.mark.parametrize("given", ["postgres://u:p@db.example/x", "postgresql://u:p@db.example/x"])
def test_a_platform_s_database_address_is_accepted(given: str) -> None:
    """Hosting platforms write postgres:// or postgresql://; both mean the one driver we have."""
    read = Environment.read({"DATABASE_URL": given})
    assert read.database_url.get_secret_value() == "postgresql+psycopg://u:p@db.example/x"


def test_an_empty_variable_is_as_good_as_none() -> None:
    """A panel that sets every variable, some to nothing, gets the defaults."""
    assert Environment.read({"DATABASE_URL": "", "PORT": " ", "SLACK_API_URL": ""}) == Environment()


# --- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("channel: C0SUPPORTDEV", "chanel: C0SUPPORTDEV", "slack.chanel", "Did you mean `channel`?"),
        ("repository: acme/shop", "repo: acme/shop", "projects[0].repo", "Did you mean `repository`?"),
        ("    pace: 1", "    pce: 1", "trackers.github.pce", "Did you mean `pace`?"),
        ("kind: github", "kind: githb", "trackers.github.kind", "github"),
        ("https://api.github.com", "https://github.com/acme", "trackers.github.url", "https://api.github.com"),
        ("https://api.github.com", "api.github.com", "trackers.github.url", "/api/v3"),
        ("//acme.zendesk", "//acme..zendesk", "helpdesks.zendesk.url", "the dots in its host"),
        ("//api.github.com", "//api.github.com:port", "trackers.github.url", "can be called"),
        ("    kind: zendesk\n", "", "helpdesks.zendesk.kind", "is missing"),
        ("tracker: github", "tracker: gitlab", "projects[0].tracker", "names no tracker"),
        ("acme/shop", "https://github.com/acme/shop", "projects[0].repository", "owner/name"),
        ("channel: C0SUPPORTDEV", 'channel: "#support-dev"', "slack.channel", "Slack channel's id"),
        ("[S0AGENTS]", '[S0AGENTS, "@ana"]', "slack.agents[1]", "user group"),
        ("slack: U0LEO", "slack: leo", "projects[0].support_devs[0].slack", "Copy member ID"),
        ("language: en", "language: de", "slack.language", "'en' or 'fr'"),
        ("shipped_when: released", "shipped_when: deployed", "projects[0]", "names no environment"),
        ("#| environment:", "environment:", "projects[0]", "Write `shipped_when: deployed`"),
        ("shipped_when: released", "shipped_when: soon", "projects[0].shipped_when", "'released' or 'deployed'"),
        ('tags: "*"', 'tags: "*"\n    environment: [eu, eu]', "projects[0].environment", "`eu` twice"),
        ("rotation: weekly", "rotation: monthly", "projects[0].rotation", "'daily' or 'weekly'"),
        ("      timezone: Europe", "      timezone: Eur", "projects[0].duty.timezone", "`Eur/Paris`, a time zone"),
        ('handover: "09:00"', "handover: 10:30", "projects[0].duty.handover", "between quotes"),
        ('handover: "09:00"', 'handover: "25:00"', "projects[0].duty.handover", "25:00"),
        ("days: mon-fri", "days: mon-fry", "projects[0].duty.days", "fry"),
        ('"thu 14:00-18:00"', '"thu 18:00-14:00"', "projects[0].duty.everyone[0]", "before it begins"),
        ("group: S0ONDUTY", "group: C0ONDUTY", "projects[0].duty.group", "start with S"),
        ("https://passerelle.example.com", "http://passerelle.example.com", "web.public_url", "https://"),
        (": https://passerelle.example.com", ": https://p.example/slack/events", "web.public_url", "stands before"),
        ("lease: 60s", "lease: 60", "timing.lease", "unit"),
        ("lease: 60s", "lease: 0s", "timing.lease", "unit"),
        ("quiet: 30s", "quiet: 5s", "timing", "longer than `timeout`"),
        ("\n    timezone: Europe/Paris", "\n    timezone: Paris", "digests[0].timezone", "`Paris`, a time zone"),
        (
            "[critical, high,",
            "[critical, hihg,",
            "digests[0].severities[1]",
            "Write 'critical', 'high', 'normal' or 'low'",
        ),
        ("holidays: [2026-12-25", "holidays: [25.12.2026", "digests[0].holidays[0]", "`25.12.2026`, which is no day"),
        ("holidays: [2026-12-25", "holidays: [2026-12-25T09:00:00", "digests[0].holidays[0]", "the day alone"),
        ("mon-fri 09:00-18:00", "9-18", "reminders.working_hours", "`9-18`, which is not days and hours"),
        ("mon-fri 09:00-18:00", "mon-fri 9-18", "reminders.working_hours", "`9`, which is no time"),
        ('"0 9 * * mon-fri"', '"0 9 * * mon-fry"', "digests[0].cron", "fry"),
        ('"0 9 * * mon-fri"', "9", "digests[0].cron", "between quotes"),
        ("    channel: C0SUPPORT\n", "", "digests[0]", "names nobody who reads it"),
        ("    #| person: U0MAYA", "    person: U0MAYA", "digests[0]", "a channel and a person"),
        ("projects: [shop]", "projects: [shpo]", "digests", "`shpo`"),
        ("triage_after: 1d", "triage_after: soon", "reminders.triage_after", "is not an amount"),
        ("triage_after: 1d", "triage_after: 1", "reminders.triage_after", "a number and its unit"),
        ("channel: C0SUPPORTDEV", "channel: #support-dev", "slack.channel", "between quotes if it begins with #"),
        ("leads: [U0MAYA]", "leads:", "slack.leads", "holds nothing"),
        ('"${GITHUB_TOKEN}"', "$GITHUB_TOKEN", "trackers.github.token", '"${NAME}"'),
        ("  workers: 4", "  workers: 64", "timing.workers", "32 or less"),
        ("mon-fri 09:00-18:00", "mon-fri 18:00-09:00", "reminders.working_hours", "ends before it begins"),
        ("0 9 * *", "0 9 1 *", "digests[0].cron", "one of the two has to be *"),
        ("0 9 * *", "60 9 * *", "digests[0].cron", "minute"),
        ("  zendesk:\n", "  github:\n", "helpdesks", "tracker's name too"),
        ("\nweb:", "\nreminder: {write_back_after: 4h}\nweb:", "reminder", "is not an option"),
    ],
)
def test_each_mistake_is_named_with_its_mend(tmp_path: Path, old: str, new: str, where: str, words: str) -> None:
    """The operator reads which key is wrong, why, and what to write instead."""
    found = refused(edited(old, new), tmp_path)
    assert words in " ".join(found[f"passerelle.yaml: {where}"])


def test_a_gitlab_is_named_with_its_whole_address(tmp_path: Path) -> None:
    """A host alone would fail at the first call, with a reason that nobody reads."""
    gitlab = 'kind: gitlab\n    url: gitlab.acme.example\n    token: "${GITHUB_TOKEN}"'
    found = refused(edited("  #| gitlab:\n", f"  gitlab:\n    {gitlab}\n"), tmp_path)
    assert "https://gitlab.acme.example" in found["passerelle.yaml: trackers.gitlab.url"][0]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Nobody has to mend, start and read ten times."""
    text = edited("\n  language: en", "\n  language: de").replace("kind: zendesk", "kind: zendsk")
    found = refused(text, tmp_path, {**ENVIRON, "SLACK_BOT_TOKEN": "xapp-swapped", "PORT": "http"})
    assert list(found) == [
        "PORT",
        "SLACK_BOT_TOKEN",
        "passerelle.yaml: helpdesks.zendesk.kind",
        "passerelle.yaml: slack.language",
    ]


def test_one_mistake_deep_inside_is_told_once(tmp_path: Path) -> None:
    """The sections around a mistake are not called empty or missing on its account."""
    found = refused(edited("tracker: leo-dev", 'tracker: "@leo-dev"'), tmp_path)
    assert list(found) == ["passerelle.yaml: projects[0].support_devs[0].tracker"]


def test_two_projects_need_two_keys(tmp_path: Path) -> None:
    """A key names one project for ever, so two cannot share it."""
    data = yaml.safe_load(EXAMPLE)
    data["projects"] *= 2
    assert "`shop` twice" in refused(yaml.safe_dump(data), tmp_path)["passerelle.yaml: projects"][0]


def test_a_variable_that_is_not_set_is_named_with_its_key(tmp_path: Path) -> None:
    """An unset ${NAME} tells both the key that asks for it and the name to set."""
    environ = {name: value for name, value in ENVIRON.items() if name != "ZENDESK_TOKEN"}
    assert refused(EXAMPLE, tmp_path, environ) == {
        "passerelle.yaml: helpdesks.zendesk.token": (
            "asks for ${ZENDESK_TOKEN}, which is not set",
            "Set the environment variable ZENDESK_TOKEN.",
        )
    }


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("slack:\n  channel: {C0", "passerelle.yaml, line 2, column 15", "not closed"),
        ("slack:\n  channel: C0\n language: en", "passerelle.yaml, line 3, column 2", "indented otherwise"),
        ("slack:\n\tchannel: C0", "passerelle.yaml, line 2, column 1", "with a tab"),
        ("slack: {channel: * *}", "passerelle.yaml, line 1, column 19", "begins with `*`"),
        ("slack: {}\nweb: {}\nslack: {}", "passerelle.yaml, line 3, column 1", "stands twice"),
        ("- slack", "passerelle.yaml", "no sections"),
        ("", "passerelle.yaml", "no sections"),
    ],
)
def test_what_is_no_configuration_at_all(tmp_path: Path, text: str, where: str, problem: str) -> None:
    """A file that cannot be understood is named with the line, when there is one."""
    assert problem in refused(text, tmp_path)[where][0]


def test_a_missing_file_says_where_one_is_expected(tmp_path: Path) -> None:
    """Without a file, the operator learns which one was looked for and how to name another."""
    environ = {**ENVIRON, "PASSERELLE_CONFIG": str(tmp_path / "nowhere.yaml")}
    with pytest.raises(SettingsError) as caught:
        load(None, environ, registry.tracker_config, registry.helpdesk_config)
    (found,) = caught.value.findings
    assert found.where.endswith("nowhere.yaml")
    assert "PASSERELLE_CONFIG" in found.mend


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    """Whoever names the folder is told to name the file, not to look for permissions."""
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, ENVIRON, registry.tracker_config, registry.helpdesk_config)
    (found,) = caught.value.findings
    assert (found.problem, found.mend) == ("is a folder", "Set PASSERELLE_CONFIG to the file in it.")


def test_a_variable_s_line_end_is_no_part_of_the_token(tmp_path: Path) -> None:
    """A file of variables that was written on Windows gives each a carriage return; white space alone is nothing."""
    told = settings(EXAMPLE, tmp_path, {**ENVIRON, "GITHUB_TOKEN": "ghp_1\r"})
    assert told.config.trackers["github"].config.token.get_secret_value() == "ghp_1"  # type: ignore[attr-defined]
    found = refused(EXAMPLE, tmp_path, {**ENVIRON, "GITHUB_TOKEN": "\r"})
    assert "which is not set" in found["passerelle.yaml: trackers.github.token"][0]


@pytest.mark.parametrize("odd", ["“t0ken”", "t0\nken", "t0\u200bken", "tökén"])
def test_a_token_that_no_header_can_carry_is_refused(tmp_path: Path, odd: str) -> None:
    """Curly quotes come along when a token is copied out of a document; the first call would fail on them."""
    environ = {**ENVIRON, "SLACK_BOT_TOKEN": f"xoxb-{odd}", "GITHUB_TOKEN": odd, "ZENDESK_TOKEN": odd}
    found = refused(EXAMPLE, tmp_path, environ)
    named = ("SLACK_BOT_TOKEN", "passerelle.yaml: trackers.github.token", "passerelle.yaml: helpdesks.zendesk.token")
    assert {where: problem for where, (problem, _) in found.items()} == dict.fromkeys(
        named, "holds a character that no token has"
    )


def test_slack_needs_a_token_and_a_way_in(tmp_path: Path) -> None:
    """Without a bot token, or without any way for Slack to reach the bot, nothing could work."""
    environ = {name: value for name, value in ENVIRON.items() if name not in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")}
    assert list(refused(EXAMPLE, tmp_path, environ)) == ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]
    assert settings(EXAMPLE, tmp_path, {**environ, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"})


# --- when a digest is due ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 9 * * 1", "Mon"),
        ("0 9 * * 0", "Sun"),
        ("0 9 * * 7", "Sun"),
        ("0 9 * * 1-5", "Mon Tue Wed Thu Fri"),
        ("0 9 * * mon-fri", "Mon Tue Wed Thu Fri"),
        ("0 9 * * 5-7", "Fri Sat Sun"),
        ("0 9 * * */2", "Tue Thu Sat Sun"),
        ("0 9 * * sat,MON", "Mon Sat"),
        ("0 9 * * *", "Mon Tue Wed Thu Fri Sat Sun"),
    ],
)
def test_weekdays_are_read_as_cron_reads_them(cron: str, days: str) -> None:
    """Numbers count from Sunday, names mean themselves, over one whole week from a Monday."""
    paris = ZoneInfo("Europe/Paris")
    trigger = Digest(name="morning", channel="C0SUPPORT", cron=cron, timezone="Europe/Paris").trigger()
    due: list[str] = []
    at = datetime(2026, 11, 2, tzinfo=paris)
    while (at := trigger.get_next_fire_time(None if not due else at, at)) < datetime(2026, 11, 9, tzinfo=paris):
        assert at.hour == 9
        due.append(at.strftime("%a"))
    assert " ".join(due) == days
