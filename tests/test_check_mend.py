"""`passerelle check --mend`: the operator lets Passerelle add its webhook, and switch on one that was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import cli
from integrations.sandbox.gitlab import GitLabStandIn
from tests.conftest import START, House

PROJECT = "acme/apps/shop"
PUBLIC = "https://passerelle.example.com"


@pytest.fixture
def gitlab() -> Iterator[GitLabStandIn]:
    hub = GitLabStandIn(lambda: START)
    hub.add_project(PROJECT, members={"leo-dev": 40})
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def check(make_house: Callable[..., House], gitlab: GitLabStandIn) -> Callable[..., Result]:
    """Runs `passerelle check` for a house with a project on each tracker, with a public address or without."""

    def run(*arguments: str, public: bool = True) -> Result:
        def change(config: dict[str, Any]) -> None:
            config["trackers"]["gitlab"] = {
                "kind": "gitlab",
                "url": gitlab.url,
                "token": "glpat-sandbox",
                "webhook_secret": "sandbox-gitlab-secret",
            }
            app = {"key": "app", "name": "App", "tracker": "gitlab", "repository": PROJECT}
            config["projects"].append({**config["projects"][0], **app})
            config.pop("web", None)
            if public:
                config["web"] = {"public_url": f"{PUBLIC}/"}

        house = make_house(change)
        env = {**house.environ, "PASSERELLE_CONFIG": str(house.folder / "passerelle.yaml"), "COLUMNS": "200"}
        return CliRunner(env=env).invoke(cli, ["check", *arguments], prog_name="passerelle")

    return run


def hooks(gitlab: GitLabStandIn) -> list[str]:
    project = gitlab.find(PROJECT)
    assert project
    return [hook.url for hook in project.hooks]


def test_a_missing_webhook_is_told_with_the_command_that_adds_it(
    check: Callable[..., Result], gitlab: GitLabStandIn
) -> None:
    """Without the option nothing is written anywhere."""
    told = check()
    assert told.exit_code == 1
    assert "no webhook of the project calls Passerelle" in told.stdout
    assert "passerelle check --mend" in told.stdout
    assert hooks(gitlab) == []


def test_the_webhook_is_added_where_it_belongs(check: Callable[..., Result], gitlab: GitLabStandIn) -> None:
    """Once, at the address under which others reach us; what follows finds nothing to mend."""
    mended = check("--mend")
    assert mended.exit_code == 0, mended.stdout
    assert f"{PROJECT}: the webhook was added." in mended.stdout
    assert "acme/shop: github is not one where webhooks can be added from here." in mended.stdout
    assert hooks(gitlab) == [f"{PUBLIC}/webhooks/gitlab"]
    assert f"{PROJECT}: the webhook is there; it needs nothing." in check("--mend").stdout
    assert len(hooks(gitlab)) == 1


def test_a_token_that_may_not_is_told_so(check: Callable[..., Result], gitlab: GitLabStandIn) -> None:
    """The rest of the check goes on."""
    gitlab.set_member(PROJECT, gitlab.login, 20)
    told = check("--mend")
    assert f"{PROJECT}: the webhook was not touched, " in told.stdout
    assert hooks(gitlab) == []


def test_nothing_can_be_mended_without_an_address_or_offline(
    check: Callable[..., Result], gitlab: GitLabStandIn
) -> None:
    """Each says what to do instead."""
    told = check("--mend", public=False)
    assert (told.exit_code, "write it into the configuration first" in told.stderr) == (1, True)
    told = check("--mend", "--offline")
    assert (told.exit_code, "leave one of them out" in told.stderr) == (2, True)
    assert hooks(gitlab) == []


def test_scripts_get_nothing_but_json(check: Callable[..., Result]) -> None:
    """What was mended is told beside it."""
    told = check("--mend", "--json")
    assert told.stdout.startswith("{")
    assert "the webhook was added" in told.stderr
    assert '"hook"' not in told.stdout
