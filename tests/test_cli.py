"""The command line as operators and their scripts use it: its words, its JSON, its exit codes, and no secrets."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from bot.__main__ import cli
from tests.conftest import REPO, START, House

SECRETS = ("xoxb-sandbox", "xapp-sandbox", "sandbox-signing-secret", "ghp_sandbox", "zd-sandbox", "sandbox-webhook")
VAT = "VAT is wrong on invoices"

Cli = Callable[..., Result]


@pytest.fixture
def passerelle(tmp_path: Path) -> Iterator[Cli]:
    """Runs a command in this house's environment (or another); its output never holds a secret."""

    def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
        empty = dict.fromkeys(("DATABASE_URL", "PASSERELLE_CONFIG", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"))
        result = CliRunner(env={**empty, "COLUMNS": "80", **(env or {})}).invoke(cli, arguments, prog_name="passerelle")
        assert not [secret for secret in SECRETS if secret in result.output + result.stderr]
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    yield run
    structlog.reset_defaults()  # the commands bound their logs to an output that is closed now
    logging.basicConfig(force=True)


@pytest.fixture
def operate(house: House, passerelle: Cli) -> Cli:
    """Runs a command as the operator of the house does."""
    return lambda *arguments: passerelle(*arguments, env=environment(house))


def environment(house: House) -> dict[str, str]:
    return {**house.environ, "PASSERELLE_CONFIG": str(house.folder / "passerelle.yaml")}


def parsed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def played(house: House) -> None:
    """Ana's issue ships, and she has written back; Ben's, a minute younger, waits."""
    house.flag()
    house.pass_time(minutes=1)
    house.flag("U0BEN", "4212", title="Danish VAT")
    house.mend(number=1)
    told = house.slack.dm("U0ANA")[-1]
    house.slack.press("U0ANA", house.slack.dm_channel("U0ANA"), told["ts"], "mark_written")
    house.settle()


def test_list_tells_scripts_each_escalation(house: House, operate: Cli) -> None:
    """`list --json` has the shape that the contract promises, oldest first."""
    played(house)
    first, second = parsed(operate("list", "--json"))
    issue = house.issue(1)
    assert {key: first[key] for key in ("agent", "kind", "severity", "title", "flagged_at")} == {
        "agent": "U0ANA",
        "kind": "bug",
        "severity": "normal",
        "title": VAT,
        "flagged_at": START.isoformat(),
    }
    assert first["ticket"] == {
        "id": "4211",
        "url": f"{house.zendesk.url}/agent/tickets/4211",
        "helpdesk": "zendesk",
    }
    assert {**first["issue"], "id": ""} == {
        "id": "",
        "project": "shop",
        "number": 1,
        "url": issue["html_url"],
        "stage": "shipped",
    }
    assert [(one["news"], one["state"]) for one in first["write_backs"]] == [("shipped", "written")]
    assert first["id"] != first["issue"]["id"] != first["write_backs"][0]["id"]
    assert (second["agent"], second["ticket"]["id"], second["write_backs"]) == ("U0BEN", "4212", [])


def test_list_can_be_narrowed(house: House, operate: Cli) -> None:
    """By the issue's stage and by project; nothing found is no error."""
    played(house)
    assert [one["ticket"]["id"] for one in parsed(operate("list", "--json", "--stage", "filed"))] == ["4212"]
    assert len(parsed(operate("list", "--json", "--project", "shop"))) == 2
    assert parsed(operate("list", "--json", "--stage", "declined")) == []
    assert operate("list", "--stage", "declined").output == "There are none.\n"


@pytest.mark.parametrize(("option", "known"), [("--stage", "'filed', 'acknowledged'"), ("--project", "shop")])
def test_list_names_what_it_knows(operate: Cli, option: str, known: str) -> None:
    """A stage or project that there is not: exit 2, with those there are."""
    result = operate("list", option, "nowhere")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nowhere" in result.stderr
    assert known in result.stderr


def test_a_configured_project_may_have_no_issues_yet(operate: Cli) -> None:
    """It is known from the configuration, and its list is empty."""
    assert parsed(operate("list", "--json", "--project", "shop")) == []


def test_list_fits_a_terminal(house: House, operate: Cli) -> None:
    """Within 80 columns, aligned, with ids whole and long titles cut."""
    house.flag(title="A very long title that says " + "much and " * 10)
    house.pass_time(minutes=1)
    house.flag("U0BEN", "4212", title="Danish VAT [sic]")
    result = operate("list")
    head, *rows = result.output.splitlines()
    assert max(map(len, result.output.splitlines())) <= 80
    ids = [one["id"] for one in parsed(operate("list", "--json"))]
    assert [row.split()[0] for row in rows] == ids
    assert {row.index("acme/shop#") for row in rows} == {head.index("ISSUE")}
    assert "…" in rows[0]
    assert rows[1].endswith("Danish VAT [sic]")


def test_show_knows_an_escalation_by_all_its_names(house: House, operate: Cli) -> None:
    """Its id, its ticket's number or any of its addresses, its issue's id, name or address."""
    played(house)
    one = parsed(operate("list", "--json"))[0]
    names = [
        one["id"],
        "4211",
        one["ticket"]["url"],
        f"{house.zendesk.url}/hc/requests/4211?page=2",
        one["issue"]["id"],
        "acme/shop#1",
        "Acme/Shop#1",
        "shop#1",
        "#1",
        one["issue"]["url"],
        f"{one['issue']['url']}/#issuecomment-1",
    ]
    for name in names:
        assert parsed(operate("show", name, "--json"))["id"] == one["id"], name


def test_show_tells_the_whole_history(house: House, operate: Cli) -> None:
    """What happened to it and to its issue, in order, with who did it and the proof; nothing of other tickets."""
    played(house)
    shown = parsed(operate("show", "4211", "--json"))
    assert [line["what"] for line in shown["history"]] == ["flagged", "filed", "fixed", "shipped", "told", "written"]
    assert shown["history"][0]["by"] == "U0ANA"
    assert [line["what"] for line in shown["history"] if "proof" in line] == ["fixed", "shipped"]
    proof = next(line["proof"] for line in shown["history"] if line["what"] == "shipped")
    assert proof["out"][0]["name"] == "v2.5.0"
    listed = parsed(operate("list", "--json"))[0]
    assert {key: shown[key] for key in listed} == listed

    page = operate("show", "4211").output
    assert "2026-03-02 09:00  Flagged (Ana Moreau)" in page
    assert "Shipped: merged in #3" in page
    assert "shipped: written" in page


def test_show_names_the_others_on_the_same_issue(house: House, operate: Cli) -> None:
    """An issue's name shows who filed it; the tickets attached later are named."""
    house.flag()
    house.pass_time(minutes=1)
    house.slack.command("U0BEN", "4212", "C0SUPPORT")
    house.bot.listeners.settle()
    view = house.slack.views("U0BEN")[-1]
    known = house.slack.suggest(view["id"], "similar", "vat")
    house.slack.submit(view["id"], {"title": "Danish VAT", "similar": known[0]})
    house.settle()
    first, second = parsed(operate("list", "--json"))
    assert first["issue"] == second["issue"]
    assert parsed(operate("show", "acme/shop#1", "--json"))["others"] == [second["id"]]
    assert f"{second['id']}  ticket 4212  acme/shop#1" in operate("show", "acme/shop#1").output
    assert [line["what"] for line in parsed(operate("show", "4212", "--json"))["history"]] == ["filed", "attached"]


@pytest.mark.parametrize("name", ["4299", "acme/shop#99", "0000000000000000", "https://example.com/4211", "#", "²"])
def test_show_says_when_there_is_none(house: House, operate: Cli, name: str) -> None:
    """Exit 1, and the sentence says where to look."""
    house.flag()
    result = operate("show", name, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert name in result.stderr
    assert "passerelle list" in result.stderr


def test_a_dead_letter_is_retried(house: House, operate: Cli) -> None:
    """Issues switched off: the issue cannot be filed. Switched on again, a retry files it, once."""
    house.github.set_issues_enabled(REPO, False)
    house.flag()
    dead = next(one for one in parsed(operate("outbox", "list", "--json")) if one["state"] == "dead")
    assert dead["kind"] == "issue"
    assert set(dead) == {"id", "key", "kind", "state", "attempts", "next_at", "error"}
    assert datetime.fromisoformat(dead["next_at"]).tzinfo is not None
    assert operate("outbox", "list").output.startswith(f"{dead['id']}  dead  {dead['key']}")
    assert "issues" in dead["error"].lower()

    house.github.set_issues_enabled(REPO, True)
    retried = parsed(operate("outbox", "retry", str(dead["id"]), "--json"))
    assert (retried["id"], retried["state"], retried["attempts"]) == (dead["id"], "doubt", 0)
    house.clock.advance(max(datetime.now(UTC) - house.clock.now(), START - START))  # the command has the real time
    house.settle()
    assert [one["title"] for one in house.github.issues(REPO)] == [VAT]
    assert operate("outbox", "list").output == "Nothing is waiting.\n"


def test_a_dead_letter_is_dropped(house: House, operate: Cli) -> None:
    """A note that a closed ticket does not take: it is not waited for any more, nor dropped or retried again."""
    house.zendesk.close("4211")
    house.flag()
    dead = parsed(operate("outbox", "list", "--json"))[0]
    assert operate("outbox", "drop", str(dead["id"])).output == f"{dead['key']} is dropped.\n"
    assert dead["id"] not in [one["id"] for one in parsed(operate("outbox", "list", "--json"))]
    for again in ("drop", "retry"):
        result = operate("outbox", again, str(dead["id"]))
        assert result.exit_code == 1
        assert "dropped" in result.stderr


def test_a_flagged_ticket_is_not_dropped(house: House, operate: Cli) -> None:
    """Whoever flagged it waits for its issue: the cause is mended and it is retried."""
    house.github.set_issues_enabled(REPO, False)
    house.flag()
    dead = parsed(operate("outbox", "list", "--json"))[0]
    result = operate("outbox", "drop", str(dead["id"]))
    assert result.exit_code == 1
    assert "retry it" in result.stderr


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_an_effect_that_there_is_not(operate: Cli, command: str) -> None:
    """Exit 1 with the next step; something that is no number is wrong usage."""
    result = operate("outbox", command, "999")
    assert result.exit_code == 1
    assert "`passerelle outbox list` shows them" in result.stderr
    assert operate("outbox", command, "soon").exit_code == 2


def test_a_database_that_was_never_made_ready(passerelle: Cli, tmp_path: Path) -> None:
    """Exit 1 and the command that makes it ready; after that, it is empty."""
    env = {"DATABASE_URL": f"sqlite:///{tmp_path}/new.db"}
    result = passerelle("list", env=env)
    assert result.exit_code == 1
    assert f"{tmp_path}/new.db" in result.stderr
    assert "`passerelle migrate`" in result.stderr
    assert not list(tmp_path.iterdir())  # looking makes none
    assert passerelle("migrate", env=env).exit_code == 0
    assert parsed(passerelle("list", "--json", env=env)) == []


def test_a_database_that_cannot_be_opened(passerelle: Cli, tmp_path: Path) -> None:
    """Exit 1, why, and what to check; `check` says the same."""
    result = passerelle("list", env={"DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/passerelle.db"})
    assert result.exit_code == 1
    assert "DATABASE_URL" in result.stderr
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"x" * 9000)
    for file, why in (("broken.db", "file is not a database"), ("nowhere/passerelle.db", "unable to open")):
        result = passerelle("migrate", env={"DATABASE_URL": f"sqlite:///{tmp_path}/{file}"})
        assert result.exit_code == 1
        assert why in result.stderr
        assert "Name Passerelle's own file" in result.stderr


@pytest.mark.parametrize(("file", "why"), [("broken.db", "file is not a database"), ("nowhere/new.db", "its folder")])
def test_check_finds_a_database_that_run_could_not_use(
    house: House, passerelle: Cli, tmp_path: Path, file: str, why: str
) -> None:
    """Whoever checks before they run hears of it then."""
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"x" * 9000)
    env = {**environment(house), "DATABASE_URL": f"sqlite:///{tmp_path}/{file}"}
    result = passerelle("check", "--json", env=env)
    assert result.exit_code == 1
    found = json.loads(result.stdout)["findings"]
    assert [why in each["problem"] for each in found if each["where"] == "DATABASE_URL"] == [True]


def test_a_path_is_no_address_of_a_database(passerelle: Cli) -> None:
    """Exit 2, and how the address of a file is written."""
    result = passerelle("list", env={"DATABASE_URL": "passerelle.db"})
    assert result.exit_code == 2
    assert "sqlite:///passerelle.db" in result.stderr


def ran(house: House, **changes: str) -> subprocess.CompletedProcess[str]:
    """`passerelle run` as a process of its own, which is expected to end by itself."""
    env = {**os.environ, **environment(house), **changes}
    return subprocess.run(
        [sys.executable, "-m", "bot", "run"], env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_run_refuses_a_misspelt_key(make_house: Callable[..., House]) -> None:
    """Exit 2, and the key is named."""
    house = make_house()
    text = (house.folder / "passerelle.yaml").read_text()
    (house.folder / "passerelle.yaml").write_text(text.replace("support_devs:", "suport_devs:"))
    result = ran(house)
    assert result.returncode == 2
    assert "suport_devs" in result.stderr
    assert "Traceback" not in result.stderr


def test_run_refuses_an_unset_variable(house: House) -> None:
    """Exit 2, naming the key that asks for it and the variable."""
    result = ran(house, SANDBOX_GITHUB_URL="")
    assert result.returncode == 2
    assert "trackers.github.url" in result.stderr
    assert "SANDBOX_GITHUB_URL" in result.stderr


def test_run_without_a_configuration(house: House, tmp_path: Path) -> None:
    """Exit 2, and how to get one."""
    result = ran(house, PASSERELLE_CONFIG=str(tmp_path / "none.yaml"))
    assert result.returncode == 2
    assert "none.yaml" in result.stderr
    assert "config/example.yaml" in result.stderr


def test_run_on_a_taken_port(house: House) -> None:
    """Exit 1, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = ran(house, PORT=port)
    assert result.returncode == 1
    assert f"Port {port} cannot be used (Address already in use)" in result.stderr.splitlines()[-1]
    assert not [secret for secret in SECRETS if secret in result.stdout + result.stderr]


def test_check_misses_a_project_whose_issues_are_not_settled(house: House, operate: Cli) -> None:
    """Renaming a project would leave its customers without news; `check` says which name to bring back."""
    house.flag()
    file = house.folder / "passerelle.yaml"
    file.write_text(file.read_text().replace("key: shop", "key: store"))
    result = operate("check")
    assert result.exit_code == 1
    assert "1 open issues belong to the project shop (acme/shop on github)" in " ".join(result.output.split())


def test_check_tells_of_a_user_group_that_may_not_be_changed(make_house: Callable[..., House], passerelle: Cli) -> None:
    """Slack refused when it was to be kept in step; no read could have told that."""
    house = make_house(lambda config: config["projects"][0].update(duty={"group": "S0ONDUTY"}))
    house.slack.add_usergroup("S0ONDUTY", "onduty", ["U0MAYA"], locked=True)
    house.bot.schedule.tick_duty()
    house.settle()
    result = passerelle("check", env=environment(house))
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "projects[0].duty.group: Slack does not let the bot change the user group S0ONDUTY" in said


@pytest.mark.parametrize("command", [["run"], ["list"], ["check", "--offline"], ["migrate"]])
def test_another_database_than_sqlite_is_refused(house: House, passerelle: Cli, command: list[str]) -> None:
    """PostgreSQL comes later: said at once, with what to write instead."""
    result = passerelle(*command, env={**environment(house), "DATABASE_URL": "postgres://somebody@db.example/x"})
    assert result.exit_code == 2
    assert "sqlite:///passerelle.db" in " ".join((result.output + result.stderr).split())
