"""Sign in with Slack at the stand-in: PyJWT's own client believes it, and every wrong request is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import jwt
import pytest

from integrations.sandbox.slack import SlackError, SlackStandIn
from integrations.sandbox.slack.openid import CLIENT_ID, CLIENT_SECRET

BACK = "http://127.0.0.1:8000/sign-in/done"


class Clock:
    def __init__(self) -> None:
        self.at = datetime.now(UTC)  # PyJWT holds tokens against the machine's clock

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackStandIn]:
    stand_in = SlackStandIn(clock)
    stand_in.add_person("U0ANA", "ana", "Ana Moreau", "ana@acme.example", "fr-FR")
    stand_in.add_person("U0EVE", "eve", "Eve <Other>", "eve@other.example", stranger=True)
    stand_in.add_person("U0OUT", "out", "Otto Out", "otto@acme.example", deleted=True)
    stand_in.start()
    yield stand_in
    stand_in.stop()


def address(slack: SlackStandIn, **change: str) -> str:
    asked = {"client_id": CLIENT_ID, "response_type": "code", "redirect_uri": BACK, "scope": "openid profile"}
    asked |= {"state": "s-1", "nonce": "n-1"} | change
    return f"{slack.base_url}/openid/connect/authorize?{urlencode(asked)}"


def answered(where: str) -> dict[str, str]:
    assert where.startswith(f"{BACK}?")
    return dict(parse_qsl(urlsplit(where).query))


def exchange(slack: SlackStandIn, code: str, **change: str) -> dict[str, Any]:
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "code": code, "redirect_uri": BACK}
    form |= {"grant_type": "authorization_code"} | change
    return dict(httpx2.post(f"{slack.api_url}openid.connect.token", data=form).json())


def code(slack: SlackStandIn, user: str = "U0ANA", **change: str) -> str:
    return answered(slack.sign_in(user, address(slack, **change)))["code"]


def believed(slack: SlackStandIn, id_token: str) -> dict[str, Any]:
    """What the token says, checked by the published keys."""
    keys = jwt.PyJWKClient(f"{slack.base_url}/openid/connect/keys")
    key = keys.get_signing_key_from_jwt(id_token)
    return dict(jwt.decode(id_token, key, ["RS256"], audience=CLIENT_ID, issuer=slack.base_url))


def test_a_person_signs_in_on_the_page(slack: SlackStandIn) -> None:
    """The page lists who is there, bots and people who left aside; who is chosen comes back with code and state."""
    page = httpx2.get(address(slack)).text
    assert 'value="U0ANA">Ana Moreau<' in page
    assert "Eve &lt;Other&gt; (of another workspace)" in page
    assert "U0OUT" not in page
    assert "U0PASS" not in page
    chosen = httpx2.post(address(slack), data={"user": "U0ANA"})
    back = answered(chosen.headers["location"])
    assert back["state"] == "s-1"
    token = exchange(slack, back["code"])
    assert (token["ok"], token["token_type"]) == (True, "Bearer")
    said = believed(slack, token["id_token"])
    assert (said["sub"], said["nonce"], said["exp"] - said["iat"]) == ("U0ANA", "n-1", 300)
    assert (said["https://slack.com/user_id"], said["https://slack.com/team_id"]) == ("U0ANA", "T0ACME")
    assert said["name"] == "Ana Moreau"
    assert "email" not in said


def test_who_cancels_comes_back_without_a_code(slack: SlackStandIn) -> None:
    """The app hears access_denied, with its state."""
    chosen = httpx2.post(address(slack), data={"user": ""})
    assert answered(chosen.headers["location"]) == {"error": "access_denied", "state": "s-1"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"response_type": "token"}, "invalid_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"redirect_uri": "javascript:alert(1)"}, "bad_redirect_uri"),
    ],
)
def test_a_wrong_address_leads_nowhere(slack: SlackStandIn, change: dict[str, str], error: str) -> None:
    """Slack shows its own page and sends nobody on."""
    for answer in (httpx2.get(address(slack, **change)), httpx2.post(address(slack, **change), data={"user": "U0ANA"})):
        assert answer.status_code == 400
        assert error in answer.text


def test_a_code_is_good_once_for_ten_minutes_and_for_its_own_address(slack: SlackStandIn, clock: Clock) -> None:
    """Whatever else is tried answers Slack's error code, and a code that was tried is spent."""
    spent = code(slack)
    assert exchange(slack, spent, redirect_uri="http://127.0.0.1:8000/")["error"] == "bad_redirect_uri"
    assert exchange(slack, spent)["error"] == "invalid_code"
    assert exchange(slack, code(slack), client_secret="wrong")["error"] == "bad_client_secret"
    assert exchange(slack, code(slack), client_id="1.2")["error"] == "invalid_client_id"
    assert exchange(slack, code(slack), grant_type="password")["error"] == "invalid_grant_type"
    late = code(slack)
    clock.at += timedelta(minutes=10, seconds=1)
    assert exchange(slack, late) == {"ok": False, "error": "invalid_code"}


def test_the_client_may_say_its_secret_by_basic_and_ask_who_it_is(slack: SlackStandIn) -> None:
    """userInfo answers the bearer of the access token, with the e-mail when that was asked for, and nobody else."""
    form = {"code": code(slack, "U0ANA", scope="openid email"), "redirect_uri": BACK}
    url = f"{slack.api_url}openid.connect.token"
    assert httpx2.post(url, data=form, auth=(CLIENT_ID, "wrong")).json()["error"] == "bad_client_secret"
    token = httpx2.post(url, data=form, auth=(CLIENT_ID, CLIENT_SECRET)).json()["access_token"]
    info = f"{slack.api_url}openid.connect.userInfo"
    for answer in (
        httpx2.post(info, data={"token": token}),
        httpx2.get(info, headers={"Authorization": f"Bearer {token}"}),
    ):
        said = answer.json()
        assert (said["ok"], said["sub"], said["email"]) == (True, "U0ANA", "ana@acme.example")
        assert said["https://slack.com/team_id"] == "T0ACME"
    assert httpx2.get(info).json()["error"] == "not_authed"
    assert httpx2.get(info, headers={"Authorization": "Bearer xoxp-other"}).json()["error"] == "invalid_auth"


def test_pkce_is_held_when_it_was_asked_for(slack: SlackStandIn) -> None:
    """Without the verifier that belongs to the challenge, there is no token (RFC 7636, appendix B's example)."""
    asked = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
    assert exchange(slack, code(slack, **asked))["error"] == "invalid_code_verifier"
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert exchange(slack, code(slack, **asked), code_verifier=verifier)["ok"]


def test_the_switches_make_what_an_app_must_refuse(slack: SlackStandIn) -> None:
    """A foreign workspace, a refused code, a wrong nonce, another audience and a forged signature can all be had."""
    foreign = believed(slack, exchange(slack, code(slack, "U0EVE"))["id_token"])
    assert foreign["https://slack.com/team_id"] == "T0OTHER"
    slack.openid.refusal = "invalid_code"
    assert exchange(slack, code(slack)) == {"ok": False, "error": "invalid_code"}
    slack.openid.refusal = ""
    slack.openid.claims = {"nonce": "n-2", "https://slack.com/user_id": None}
    said = believed(slack, exchange(slack, code(slack))["id_token"])
    assert said["nonce"] == "n-2"
    assert "https://slack.com/user_id" not in said
    slack.openid.claims = {"aud": "another-app"}
    with pytest.raises(jwt.InvalidAudienceError):
        believed(slack, exchange(slack, code(slack))["id_token"])
    slack.openid.claims, slack.openid.forging = {}, True
    with pytest.raises(jwt.InvalidSignatureError):
        believed(slack, exchange(slack, code(slack))["id_token"])
    with pytest.raises(SlackError, match="account_inactive"):
        slack.sign_in("U0OUT", address(slack))


def test_an_openid_client_finds_its_way(slack: SlackStandIn) -> None:
    """The configuration's addresses are all of the issuer."""
    found = httpx2.get(f"{slack.base_url}/.well-known/openid-configuration").json()
    assert found["issuer"] == slack.base_url
    assert found["token_endpoint"] == f"{slack.api_url}openid.connect.token"
    assert httpx2.get(found["jwks_uri"]).json()["keys"][0]["use"] == "sig"
