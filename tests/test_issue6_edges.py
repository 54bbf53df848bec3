"""Digests, reminders and the dashboard at their edges: what came back to its agent, who left, what was taken out of the
configuration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import yaml

from bot import exporting
from bot.store.tables import Effect, EffectState
from integrations.sandbox.wire import Fault
from tests.conftest import House
from tests.test_digest import configured, morning
from tests.test_doubt import PERHAPS
from tests.test_reminders import at, march, reminders, reminding
from tests.test_sign_in import Browser, guarded

__all__ = ["reminding"]

Build = Callable[..., House]


def dead(house: House) -> list[str]:
    with house.bot.store.read() as session:
        return list(session.scalars(sa.select(Effect.key).where(Effect.state == EffectState.DEAD)))


# --- nobody is forgotten ----------------------------------------------------------------------------------------------


def test_a_reply_that_may_have_gone_out_is_brought_up(reminding: Build) -> None:
    """The agent heard so at once; where they do not look at the ticket, they hear it again, and then the lead."""
    house = reminding()
    house.flag()
    house.mend()
    house.zendesk.wire.faults.append(Fault("refuse", "PUT", r"/tickets/4211\.json", status=502))
    house.write_back()
    house.pass_time(minutes=5)
    at(house, march(2, 11))
    assert reminders(house, "U0ANA") == []
    at(house, march(2, 14))
    [text] = reminders(house, "U0ANA")
    assert PERHAPS in text.lower(), text
    at(house, march(4, 14))
    at(house, march(6, 14))
    assert (len(reminders(house, "U0MAYA")), len(reminders(house, "U0ANA"))) == (1, 2)


def test_what_is_due_again_is_brought_up_again(reminding: Build) -> None:
    """Ana and Maya were reminded, then Ana's reply was refused: its steps begin anew, and not at once."""
    house = reminding()
    house.flag()
    house.mend()
    for day in (2, 3, 4):
        at(house, march(day, 17))
    assert (len(reminders(house, "U0ANA")), len(reminders(house, "U0MAYA"))) == (2, 1)
    house.zendesk.wire.faults.append(Fault("refuse", "PUT", r"/tickets/4211\.json", status=422))
    house.write_back()
    at(house, march(6, 10))
    assert (len(reminders(house, "U0ANA")), len(reminders(house, "U0MAYA"))) == (2, 1)
    at(house, march(6, 17))
    assert len(reminders(house, "U0ANA")) == 3
    at(house, march(9, 17))
    assert len(reminders(house, "U0MAYA")) == 2


def test_who_takes_over_is_reminded_too(reminding: Build) -> None:
    """Everybody was reminded of Ana's customer before Ben got it: he hears in his turn, after his own time."""
    house = reminding()
    house.flag()
    house.mend()
    for day in (2, 3, 4):
        at(house, march(day, 17))
    house.press("U0ANA", "hand_over")
    assert house.submit(to="U0BEN") == {}
    at(house, march(4, 17, 30))
    assert reminders(house, "U0BEN") == []
    at(house, march(6, 17))
    assert len(reminders(house, "U0BEN")) == 1


def test_customers_of_a_project_that_is_configured_no_more_are_not_forgotten(reminding: Build) -> None:
    """Their agent can still write to them, so is reminded to."""
    house = reminding()
    house.flag()
    house.mend()
    house.stop_bot()
    file = house.folder / "passerelle.yaml"
    config = yaml.safe_load(file.read_text())
    config["projects"][0].update(key="other", name="Other", repository="acme/other")
    file.write_text(yaml.safe_dump(config))
    house.bot = house.start_bot()
    at(house, march(3, 17))
    at(house, march(4, 17))
    assert len(reminders(house, "U0ANA")) == len(reminders(house, "U0MAYA")) == 1
    house.write_back()
    assert len(house.replies()) == 1


# --- who left ---------------------------------------------------------------------------------------------------------


def test_a_digest_for_somebody_who_left_is_no_dead_letter(make_house: Build) -> None:
    """Nobody is to mend it every morning; who is back gets the next one."""
    house = make_house(configured({"person": "U0LEO"}))
    house.flag()
    leo = house.slack.workspace.people["U0LEO"]
    for leo["deleted"] in (True, True, False):
        house.clock.advance(timedelta(days=1))
        morning(house)
    assert dead(house) == []
    assert len(house.told("U0LEO")) == 1


# --- the dashboard ----------------------------------------------------------------------------------------------------


def test_who_signed_out_is_out_with_every_copy_of_the_cookie(make_house: Build) -> None:
    """What was copied from a browser opens nothing once its owner has left; other browsers of theirs stay."""
    house = make_house(guarded)
    browser, other, copied = Browser(house), Browser(house), Browser(house)
    browser.sign_in()
    other.sign_in()
    copied.client.cookies.update(dict(browser.client.cookies))
    assert copied.get("/").status_code == 200
    assert browser.post("/sign-out", token=browser.token()).status_code == 303
    assert copied.get("/").headers["location"].startswith("/sign-in?")
    assert other.get("/").status_code == 200


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('VAT;=HYPERLINK("https://evil.example")', 'VAT;\'=HYPERLINK("https://evil.example")'),
        ("one\t+two", "one\t'+two"),
        ("a; @b;c - d", "a; '@b;c - d"),
        ("VAT\n=1+1", "VAT\n'=1+1"),
        ("\r\n=1+1", "'\r\n'=1+1"),
    ],
)
def test_a_formula_within_a_text_is_defused(text: str, shown: str) -> None:
    """A French spreadsheet begins a new cell at a semicolon, and knows no quotes that begin in the midst of one: a line
    break within them begins a new line."""
    assert exporting.cell(text) == shown
