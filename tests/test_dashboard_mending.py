"""Dead letters on the dashboard: who retries and drops them, and what another site cannot make them do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.store.tables import Effect, EffectState
from bot.web.visitor import COOKIE
from integrations.sandbox.wire import Fault
from tests.conftest import House
from tests.test_sign_in import Browser, guarded

Build = Callable[..., House]


@pytest.fixture
def house(make_house: Build) -> House:
    """A house whose note on a ticket was given up: the helpdesk refused it."""
    return failed(make_house(guarded))


def failed(house: House) -> House:
    fault = Fault("refuse", "PUT", "/tickets/4211", status=422, times=None)
    house.zendesk.wire.faults.append(fault)
    house.flag()
    house.zendesk.wire.faults.remove(fault)
    return house


def letter(house: House) -> Effect:
    with house.bot.store.read() as session:
        return session.scalars(sa.select(Effect).where(Effect.kind == "note")).one()


def signed_in(house: House, person: str) -> Browser:
    browser = Browser(house)
    browser.sign_in(person)
    return browser


@pytest.mark.parametrize("person", ["U0LEO", "U0MAYA"])
def test_a_support_dev_or_lead_retries(house: House, person: str) -> None:
    """What was given up is done after all; the log says who wanted it."""
    browser, effect = signed_in(house, person), letter(house)
    page = browser.get("/health").text
    assert "1 dead letter waits for a person" in page
    assert "Note on a ticket" in page
    with capture_logs() as logs:
        answer = browser.post(f"/dead-letters/{effect.id}", token=browser.token(), act="retry")
    assert (answer.status_code, answer.headers["location"]) == (303, "/health#dead-letters")
    [line] = [one for one in logs if one["event"] == "dead_letter.mended"]
    assert (line["act"], line["effect"], line["by"]) == ("retry", effect.id, person)
    house.pass_time(minutes=2)
    assert letter(house).state is EffectState.DONE
    assert len(house.notes()) == 1
    assert "No dead letters" in browser.get("/health").text


def test_a_lead_drops(house: House) -> None:
    """And it is never done."""
    browser, effect = signed_in(house, "U0MAYA"), letter(house)
    assert browser.post(f"/dead-letters/{effect.id}", token=browser.token(), act="drop").status_code == 303
    house.pass_time(minutes=2)
    assert letter(house).state is EffectState.DROPPED
    assert house.notes() == []


def test_an_agent_only_looks(house: House) -> None:
    """There are no buttons for them, and no form of theirs does it."""
    browser, effect = signed_in(house, "U0ANA"), letter(house)
    page = browser.get("/health").text
    assert 'value="retry"' not in page
    assert "Support Devs and leads retry and drop them." in page
    answer = browser.post(f"/dead-letters/{effect.id}", token=browser.token(), act="drop")
    assert answer.status_code == 403
    assert "Ask one of them" in answer.text
    assert letter(house).state is EffectState.DEAD


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1:8001"])
def test_another_site_cannot_send_the_form(house: House, origin: str) -> None:
    """Not even with the token of the page."""
    browser, effect = signed_in(house, "U0MAYA"), letter(house)
    answer = browser.post(f"/dead-letters/{effect.id}", origin, token=browser.token(), act="drop")
    assert answer.status_code == 403
    assert "Open the page again" in answer.text
    assert letter(house).state is EffectState.DEAD


@pytest.mark.parametrize("address", ["https://Passerelle.Example.com", "https://passerelle.example.com:443/"])
def test_the_address_as_somebody_wrote_it(make_house: Build, address: str) -> None:
    """A browser writes its own pages' origin in small letters, and without the usual port."""

    def change(config: dict[str, Any]) -> None:
        guarded(config)
        config["web"]["public_url"] = address

    house = failed(make_house(change))
    browser, effect = Browser(house), letter(house)
    sent = browser.get("/sign-in/start")  # over http a Secure cookie does not come along by itself
    browser.client.headers["cookie"] = sent.headers["set-cookie"].partition(";")[0]
    back = browser.get(house.slack.openid.consent("U0MAYA", sent.headers["location"]))
    [kept] = [one for one in back.headers.get_list("set-cookie") if one.startswith(COOKIE)]
    browser.client.headers["cookie"] = kept.partition(";")[0]
    form = {"token": browser.token(), "act": "drop"}
    assert browser.post(f"/dead-letters/{effect.id}", "https://evil.example.com", **form).status_code == 403
    assert browser.post(f"/dead-letters/{effect.id}", "https://passerelle.example.com", **form).status_code == 303


def test_a_form_without_its_token_does_nothing(house: House) -> None:
    """Nor with somebody else's, or that of an earlier session of one's own."""
    browser, effect = signed_in(house, "U0MAYA"), letter(house)
    other, earlier = signed_in(house, "U0LEO").token(), browser.token()
    browser.sign_in("U0MAYA")
    for form in ({}, {"token": ""}, {"token": "é"}, {"token": other}, {"token": earlier}, {"token": "x" * 20_000}):
        assert browser.post(f"/dead-letters/{effect.id}", act="drop", **form).status_code == 403, form
    assert letter(house).state is EffectState.DEAD


def test_nobody_who_is_not_signed_in_sends_it(house: House) -> None:
    """They are shown where to sign in."""
    effect = letter(house)
    answer = Browser(house).post(f"/dead-letters/{effect.id}", token="x", act="drop")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?to=%2F")
    assert letter(house).state is EffectState.DEAD


@pytest.mark.parametrize(
    ("number", "act", "status"),
    [("999999", "retry", 404), ("x", "retry", 404), ("9" * 30, "drop", 404), ("{id}", "explode", 404)],
)
def test_a_letter_that_is_none(house: House, number: str, act: str, status: int) -> None:
    """A sentence, and nothing is done."""
    browser, effect = signed_in(house, "U0MAYA"), letter(house)
    answer = browser.post(f"/dead-letters/{number.format(id=effect.id)}", token=browser.token(), act=act)
    assert answer.status_code == status
    assert "no such dead letter" in answer.text
    assert letter(house).state is EffectState.DEAD


def test_two_people_look_at_the_same_page(house: House) -> None:
    """The second one reads that it is done; what is under way is not dropped from beneath."""
    first, second, effect = signed_in(house, "U0MAYA"), signed_in(house, "U0LEO"), letter(house)
    token = second.token()
    assert first.post(f"/dead-letters/{effect.id}", token=first.token(), act="retry").status_code == 303
    answer = second.post(f"/dead-letters/{effect.id}", token=token, act="drop")
    assert answer.status_code == 409
    assert "Somebody dealt with it already" in answer.text
    assert letter(house).state is not EffectState.DROPPED


def test_a_flagged_ticket_is_never_dropped(house: House) -> None:
    """Its issue can be retried alone."""
    with house.bot.store.write() as session:
        session.execute(sa.update(Effect).where(Effect.kind == "issue").values(state=EffectState.DEAD))
        number = session.scalars(sa.select(Effect.id).where(Effect.kind == "issue")).one()
    browser = signed_in(house, "U0MAYA")
    assert browser.get("/health").text.count('value="drop"') == 1  # the note's
    answer = browser.post(f"/dead-letters/{number}", token=browser.token(), act="drop")
    assert answer.status_code == 409
    assert "Mend the cause, then retry it" in answer.text


def test_on_this_machine_the_form_belongs_to_the_browser(make_house: Build) -> None:
    """Without sign-in, another site in the same browser cannot send it either."""
    house = failed(make_house())
    effect, url = letter(house), house.server.url
    kind = {"content-type": "application/x-www-form-urlencoded"}
    with httpx2.Client(base_url=url, trust_env=False, headers=kind) as page:

        def send(origin: str, token: str) -> int:
            form, headers = f"act=drop&token={token}", {"origin": origin}
            return page.post(f"/dead-letters/{effect.id}", content=form, headers=headers).status_code

        found: Any = re.search(r'name="token" value="(\w+)"', page.get("/health").text)
        assert send(url, "x") == 403
        assert send("https://evil.example", found[1]) == 403
        assert letter(house).state is EffectState.DEAD
        again: Any = re.search(r'name="token" value="(\w+)"', page.get("/health").text)
        assert again[1] == found[1]  # a page opened before still works
        assert send(url, found[1]) == 303
    assert letter(house).state is EffectState.DROPPED
