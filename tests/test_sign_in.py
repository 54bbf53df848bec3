"""Sign in with Slack: who may look at the dashboard, and everything that somebody could forge on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import jwt
import pytest

from bot.web.visitor import COOKIE
from integrations.sandbox.slack.openid import CLIENT_ID, CLIENT_SECRET
from integrations.sandbox.wire import Fault
from tests.conftest import House

PUBLIC = "http://127.0.0.1:8000"
"""Where the house is said to be; tests take the path of it to where it really is."""

Build = Callable[..., House]


def guarded(config: dict[str, Any]) -> None:
    config["web"] = {"public_url": PUBLIC, "sign_in": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}}
    config["slack"]["agents"] = ["U0ANA", "U0BEN"]


@pytest.fixture
def house(make_house: Build) -> House:
    return make_house(guarded)


class Browser:
    """Somebody's browser; `at` follows no redirect by itself."""

    def __init__(self, house: House, **headers: str) -> None:
        self.house = house
        self.client = httpx2.Client(base_url=house.server.url, trust_env=False, headers=headers)

    def get(self, address: str) -> httpx2.Response:
        parts = urlsplit(address)
        return self.client.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)

    def post(self, path: str, origin: str = PUBLIC, **form: str) -> httpx2.Response:
        kind = {"content-type": "application/x-www-form-urlencoded", "origin": origin}
        return self.client.post(path, content=urlencode(form), headers=kind)

    def begin(self, to: str = "/") -> str:
        """Press "Sign in with Slack"; returns where Slack's page is."""
        sent = self.get(f"/sign-in/start?{urlencode({'to': to})}")
        assert sent.status_code == 303
        return sent.headers["location"]

    def sign_in(self, person: str = "U0ANA", to: str = "/") -> httpx2.Response:
        """The whole way; returns what is answered to the one who came back."""
        return self.get(self.house.slack.openid.consent(person, self.begin(to)))

    def token(self) -> str:
        found = re.search(r'name="token" value="(\w+)"', self.get("/health").text)
        assert found
        return found[1]


def refused(answer: httpx2.Response, sentence: str, status: int = 403) -> None:
    """A sentence and a way on; and nobody is signed in."""
    assert answer.status_code == status, answer.text
    assert sentence in answer.text
    assert 'href="/' in answer.text.split("<main")[1]
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert answer.headers["content-security-policy"]


# --- the way in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["U0ANA", "U0LEO", "U0MAYA"])
def test_agents_support_devs_and_leads_sign_in(house: House, person: str) -> None:
    """Whoever may flag, decides or leads sees the page that they wanted, and their name on it."""
    browser = Browser(house)
    asked = browser.get("/health?page=1")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?to=%2Fhealth%3Fpage%3D1"
    page = browser.get(asked.headers["location"])
    assert 'href="/sign-in/start?to=%2Fhealth%3Fpage%3D1"' in page.text
    back = browser.sign_in(person, "/health?page=1")
    assert (back.status_code, back.headers["location"]) == (303, "/health?page=1")
    name = house.slack.workspace.people[person]["real_name"]
    assert name in browser.get("/health?page=1").text


def test_the_cookie_is_for_this_site_alone(house: House) -> None:
    """No script reads it, no other site sends it along with a form, and where the address is https it never goes
    without."""
    sent = Browser(house).sign_in().headers.get_list("set-cookie")
    [session] = [one for one in sent if one.startswith(COOKIE)]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in session.split(";")}
    assert "Secure" not in session  # on a loopback address there is no https


def test_over_https_the_cookie_is_secure(make_house: Build) -> None:
    """What signs somebody in never travels in the clear."""

    def https(config: dict[str, Any]) -> None:
        guarded(config)
        config["web"]["public_url"] = "https://passerelle.example/support"

    house = make_house(https)
    sent = Browser(house).get("/sign-in/start")
    cookie = sent.headers["set-cookie"]
    assert {"Secure", "HttpOnly", "Path=/support"} <= {part.strip() for part in cookie.split(";")}
    asked = dict(parse_qsl(urlsplit(sent.headers["location"]).query))
    assert asked["redirect_uri"] == "https://passerelle.example/support/sign-in/back"
    assert 'href="/support/style.css' in Browser(house).get("/sign-in").text


def test_slack_is_asked_for_no_more_than_who_it_is(house: House) -> None:
    """One scope, our own workspace, and an address to come back to that the configuration names."""
    asked = dict(parse_qsl(urlsplit(Browser(house).begin()).query))
    assert asked["scope"] == "openid"
    assert asked["team"] == house.slack.workspace.identity.team_id
    assert asked["redirect_uri"] == f"{PUBLIC}/sign-in/back"
    assert len(asked["state"]) >= 32
    assert asked["state"] != asked["nonce"]


# --- forged and foreign -----------------------------------------------------------------------------------------------


def test_a_forged_state_is_refused(house: House) -> None:
    """Who is sent here with somebody else's code does not become that somebody."""
    browser = Browser(house)
    back = house.slack.openid.consent("U0ANA", browser.begin())
    forged = re.sub(r"state=[^&]+", "state=forged", back)
    refused(browser.get(forged), "does not belong to this sign-in")


def test_another_browsers_sign_in_is_refused(house: House) -> None:
    """The state alone is worth nothing: it is bound to the browser that began."""
    back = house.slack.openid.consent("U0ANA", Browser(house).begin())
    refused(Browser(house).get(back), "did not begin this sign-in")
    other = Browser(house)
    other.begin()
    refused(other.get(back), "does not belong to this sign-in")


def test_a_replayed_state_is_refused(house: House) -> None:
    """Coming back a second time does nothing, even for who kept the cookie: Slack's code is worth nothing any more."""
    browser = Browser(house)
    back = house.slack.openid.consent("U0ANA", browser.begin())
    kept = browser.client.cookies["passerelle_sign_in"]
    assert browser.get(back).status_code == 303
    refused(browser.get(back), "did not begin this sign-in, or ended it already")
    thief = Browser(house)
    thief.client.cookies.set("passerelle_sign_in", kept)
    refused(thief.get(back), "Slack did not confirm the sign-in: invalid_code")


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"nonce": "another"}, "is not for this sign-in"),
        ({"nonce": None}, "is not for this sign-in"),
        ({"exp": 1_000_000_000}, "is not for this sign-in"),
        ({"exp": None}, "is not signed as it must be"),
        ({"aud": "another.app"}, "is not signed as it must be"),
        ({"iss": "https://evil.example"}, "is not signed as it must be"),
        ({"https://slack.com/team_id": "T0OTHER"}, "another workspace"),
        ({"https://slack.com/team_id": None}, "another workspace"),
        ({"https://slack.com/team_id": "T0OTHER", "https://slack.com/enterprise_id": "E0OTHER"}, "another workspace"),
    ],
)
def test_a_wrong_claim_is_refused(house: House, claims: dict[str, Any], sentence: str) -> None:
    """Slack's signature alone is not enough: it must be for us, for now, for this sign-in and for our workspace."""
    house.slack.openid.claims = claims
    refused(Browser(house).sign_in(), sentence)


def test_an_app_of_the_whole_organisation(house: House) -> None:
    """Installed for all of an Enterprise organisation, it has its id for a workspace's; people sign in to one of its
    workspaces, which Slack lets them choose."""
    workspace = house.slack.workspace
    workspace.identity = replace(workspace.identity, team_id="E0ACME")
    workspace.people["U0ANA"]["enterprise_user"] = {"enterprise_id": "E0ACME", "teams": ["T0ACME"]}
    house.slack.openid.claims = {"https://slack.com/enterprise_id": "E0ACME"}
    browser = Browser(house)
    assert "team=" not in browser.begin()
    assert browser.sign_in().headers["location"] == "/"
    assert browser.get("/").status_code == 200


def test_what_slack_did_not_sign_is_refused(house: House) -> None:
    """A token under the name of Slack's key that another key signed."""
    house.slack.openid.forging = True
    refused(Browser(house).sign_in(), "is not signed as it must be")


@pytest.mark.parametrize("person", ["U0GUEST", "U0NEW"])
def test_who_is_not_configured_is_refused(house: House, person: str) -> None:
    """Guests, and members who neither flag nor decide nor lead."""
    if person == "U0NEW":
        house.slack.add_person("U0NEW", "new", "Nina New", "nina@acme.example")
    refused(Browser(house).sign_in(person), "Ask your lead to add you")


def test_a_stranger_of_a_shared_channel_is_refused(house: House) -> None:
    """Their own workspace's Slack signs for them, not ours."""
    house.slack.add_person("U0EVE", "eve", "Eve Other", "eve@other.example", stranger=True)
    refused(Browser(house).sign_in("U0EVE"), "another workspace")


def test_who_says_no_at_slack_reads_what_to_do(house: House) -> None:
    """Cancel is an answer too."""
    browser = Browser(house)
    refused(browser.get(house.slack.openid.decline(browser.begin())), "You did not allow the sign-in")


@pytest.mark.parametrize("reason", ["invalid_code", "bad_client_secret", "<script>"])
def test_a_refused_code_is_said(house: House, reason: str) -> None:
    """Slack's reason stands in the sentence, as text."""
    house.slack.openid.refusal = reason
    answer = Browser(house).sign_in()
    refused(answer, "Slack did not confirm the sign-in")
    assert "<script" not in answer.text


@pytest.mark.parametrize("how", ["drop", "refuse", "error_after"])
@pytest.mark.parametrize("path", ["openid.connect.token", "openid/connect/keys"])
def test_while_slack_is_away_there_is_a_sentence(house: House, how: Any, path: str) -> None:
    """Nobody is signed in, and can begin again."""
    browser = Browser(house)
    back = house.slack.openid.consent("U0ANA", browser.begin())
    house.slack.wire.faults.append(Fault(how, path=path))
    refused(browser.get(back), "Slack does not answer now")
    assert browser.sign_in().status_code == 303


def test_what_is_no_set_of_keys_is_no_answer(house: House) -> None:
    """Slack may answer 200 and say that it is broken."""
    browser = Browser(house)
    back = house.slack.openid.consent("U0ANA", browser.begin())
    broken = {"ok": False, "error": "fatal_error"}
    house.slack.wire.faults.append(Fault("refuse", path="openid/connect/keys", status=200, body=broken))
    refused(browser.get(back), "Slack does not answer now")
    assert browser.sign_in().status_code == 303


@pytest.mark.parametrize("query", ["", "?state=", "?code=x", "?state=%ff&code=%00", "?error=access_denied"])
def test_coming_back_from_nowhere_is_a_sentence(house: House, query: str) -> None:
    """Whatever stands in the address."""
    refused(Browser(house).get(f"/sign-in/back{query}"), "did not begin this sign-in")


# --- afterwards -------------------------------------------------------------------------------------------------------


def test_a_session_ends_after_twelve_hours(house: House) -> None:
    """And the page to sign in says so."""
    browser = Browser(house)
    browser.sign_in()
    house.pass_time(hours=11, minutes=59)
    assert browser.get("/write-backs").status_code == 200
    house.pass_time(minutes=2)
    out = browser.get("/write-backs")
    assert out.headers["location"] == "/sign-in?to=%2Fwrite-backs&ended=1"
    assert "lasts twelve hours" in browser.get(out.headers["location"]).text


def test_a_sign_in_that_took_too_long_is_refused(house: House) -> None:
    """Ten minutes at Slack are enough."""
    browser = Browser(house)
    address = browser.begin()
    house.pass_time(minutes=11)
    refused(browser.get(house.slack.openid.consent("U0ANA", address)), "took too long")


def test_a_changed_cookie_is_none(house: House) -> None:
    """Neither one that was changed, nor one of another purpose, nor one that nobody signed."""
    browser = Browser(house)
    browser.begin()
    other = browser.client.cookies["passerelle_sign_in"]
    browser.sign_in()
    good = browser.client.cookies[COOKIE]
    head, body, sign = good.split(".")
    bare = jwt.encode({"person": "U0MAYA", "session": "x", "until": 9e9}, "", "none")
    mine = jwt.encode({"person": "U0MAYA", "session": "x", "until": 9e9}, CLIENT_SECRET * 2, "HS256")
    for forged in (f"{head}.{body}x.{sign}", f"{head}.{body}.{sign[:-2]}", other, bare, mine, "x", "", "é"):
        thief = httpx2.Client(base_url=house.server.url, trust_env=False)
        answer = thief.get("/", headers={"cookie": f"{COOKIE}={forged}".encode()})
        assert answer.status_code == 303, forged
        assert "/sign-in?" in answer.headers["location"]


def test_who_is_taken_out_of_the_team_is_out_at_once(house: House) -> None:
    """A session is worth no more than its person's rights, which are looked at again."""
    browser = Browser(house)
    browser.sign_in("U0ANA")
    assert browser.get("/").status_code == 200
    house.slack.workspace.people["U0ANA"]["deleted"] = True
    house.pass_time(hours=2)
    answer = browser.get("/")
    assert answer.status_code == 403
    assert "Ask your lead to add you" in answer.text
    assert "VAT" not in answer.text


@pytest.mark.parametrize(
    "to",
    [
        *("https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)"),
        *("/\t/evil.example", "http:evil.example", " //evil.example", "/%0d%0aSet-Cookie:x", "///evil.example"),
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(house: House, to: str) -> None:
    """Only to a page of ours."""
    location = Browser(house).sign_in(to=to).headers["location"]
    assert location.startswith("/")
    assert urlsplit(location).netloc == ""
    assert location in ("/", "/%0d%0aSet-Cookie:x")


def test_signing_out(house: House) -> None:
    """By a form that only one's own page has; then one signs in again."""
    browser = Browser(house)
    browser.sign_in()
    token = browser.token()
    assert browser.post("/sign-out", token="another").status_code == 403
    assert browser.get("/").status_code == 200
    out = browser.post("/sign-out", token=token)
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("why", ["not allowed any more", "Slack is away"])
def test_signing_out_is_always_possible(house: House, why: str) -> None:
    """For who may not look any more, to sign in as somebody else; and while nobody can say who it is."""
    browser = Browser(house)
    browser.sign_in()
    token, kept = browser.token(), browser.client.cookies[COOKIE]
    house.slack.workspace.people["U0ANA"]["deleted"] = why != "Slack is away"
    house.pass_time(hours=2)
    if why == "Slack is away":
        house.slack.wire.faults.append(Fault("refuse", path="users.info", status=503, times=None))
        assert browser.get("/").status_code == 503
    out = browser.post("/sign-out", token=token)
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in browser.client.cookies
    house.slack.wire.faults.clear()
    house.slack.workspace.people["U0ANA"]["deleted"] = False
    house.pass_time(hours=2)
    assert httpx2.get(house.server.url, headers={"cookie": f"{COOKIE}={kept}"}).status_code == 303


def test_where_people_sign_in_nobody_is_let_in_for_being_near(house: House) -> None:
    """On this very machine, too."""
    for path in ("/", "/write-backs", "/causes", "/causes.csv", "/times", "/health", "/issues/x"):
        assert Browser(house).get(path).status_code == 303


def test_in_french(house: House) -> None:
    """Before one is known by the browser's language, then by Slack's."""
    assert "Se connecter avec Slack" in Browser(house, **{"accept-language": "fr-FR,fr;q=0.9"}).get("/sign-in").text
    house.slack.workspace.people["U0ANA"]["locale"] = "fr-FR"
    browser = Browser(house, **{"accept-language": "en"})
    browser.sign_in()
    assert 'lang="fr"' in browser.get("/").text
