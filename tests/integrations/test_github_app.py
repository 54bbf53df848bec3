"""GitHub entered as an App: how it is configured, its tokens, who it writes as, and what is said when it may not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import SecretStr, ValidationError

from integrations.base import Finding, IssueDraft, NotFound, Unauthorised, Unavailable
from integrations.github import Config, GitHub, health
from integrations.github.wire import Wire
from integrations.sandbox.github import App, GitHubStandIn
from integrations.sandbox.wire import Fault

REPO = "acme/shop"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINTS = "/app/installations/77/access_tokens"


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


KEY = rsa.generate_private_key(65537, 2048)
PEM, OTHER = pem(KEY), pem(rsa.generate_private_key(65537, 2048))
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(clock: Clock) -> Iterator[GitHubStandIn]:
    hub = GitHubStandIn(clock).start()
    hub.add_repo(REPO, collaborators=["leo-dev"])
    yield hub
    hub.stop()


@pytest.fixture
def app(hub: GitHubStandIn) -> App:
    return hub.register_app(4242, PUBLIC, "passerelle", 77)


def config(hub: GitHubStandIn, **changed: object) -> Config:
    return Config.model_validate(
        {"url": hub.url, "app_id": 4242, "private_key": PEM, "installation_id": 77, "webhook_secret": "s", **changed}
    )


def tracker(hub: GitHubStandIn, clock: Clock, **changed: object) -> GitHub:
    return GitHub("github", config(hub, **changed), timeout=2, now=clock)


def minted(hub: GitHubStandIn) -> int:
    return len(hub.wire.calls_to("POST", MINTS))


# --- configuration ----------------------------------------------------------------------------------------------------

ONE_LINE = PEM.replace("\n", "\\n")


@pytest.mark.parametrize("text", [PEM, ONE_LINE, PEM.replace("\n", " "), f"\n{PEM}\n\n"])
def test_a_key_may_come_as_environments_give_it(text: str) -> None:
    """With real line ends, with backslash-n, or on one line: the same key."""
    read = Config(app_id="1", private_key=SecretStr(text), installation_id=2).private_key
    assert read is not None
    assert read.get_secret_value() == PEM


def test_a_key_may_be_a_file(tmp_path: Path) -> None:
    """The path of the .pem file that GitHub gave will do."""
    file = tmp_path / "app.pem"
    file.write_text(PEM)
    read = Config(app_id="Iv23liExample", private_key=SecretStr(str(file)), installation_id=2).private_key
    assert read is not None
    assert read.get_secret_value() == PEM


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Holds neither `token` nor"),
        ({"token": "t", "app_id": 1}, "Holds both `token` and `app_id`"),
        ({"app_id": 1}, "Lacks `private_key` and `installation_id`"),
        ({"app_id": 1, "private_key": PEM}, "Lacks `installation_id`"),
        ({"app_id": "one", "private_key": PEM, "installation_id": 1}, "Is neither the number"),
        ({"app_id": 1, "private_key": "/nowhere/app.pem", "installation_id": 1}, "Names no file"),
        ({"app_id": 1, "private_key": PUBLIC, "installation_id": 1}, "that GitHub's apps sign with"),
        ({"app_id": 1, "private_key": PEM[:400], "installation_id": 1}, "Holds no private key"),
        (
            {"app_id": 1, "private_key": pem(ec.generate_private_key(ec.SECP256R1())), "installation_id": 1},
            "that GitHub's apps sign with",
        ),
    ],
)
def test_half_an_app_is_no_way_in(given: dict[str, object], words: str) -> None:
    """One way, whole: else the sentence says what is lacking or too much, and shows nothing of a key."""
    with pytest.raises(ValidationError, match=words) as refused:
        Config.model_validate(given)
    assert PEM.splitlines()[3] not in str(refused.value)
    assert PUBLIC.splitlines()[3] not in str(refused.value)


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_it_writes_as_the_app(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """Nobody needs an account: issue, labels and comment are the app's, and are found again as its own."""
    shop = tracker(hub, clock)
    assert shop.login() == "passerelle[bot]"
    made = shop.create_issue(REPO, IssueDraft("Basket", "…", labels=("from-support",), assignees=("leo-dev",)), "k1")
    shop.comment(REPO, made.number, "Waiting: 1", "k2")
    shown = hub.issue(REPO, made.number)
    assert (shown["user"]["login"], shown["user"]["type"]) == ("passerelle[bot]", "Bot")
    assert [label["name"] for label in shown["labels"]] == ["from-support"]
    assert [person["login"] for person in shown["assignees"]] == ["leo-dev"]
    assert shop.marked_issue(REPO, "k1", START) == made
    found = shop.marked_comment(REPO, made.number, "k2")
    assert found is not None
    assert found.ours


def test_threads_share_one_token(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """Eight threads that start at once make one token, not eight."""
    shop = tracker(hub, clock)
    hub.wire.faults.append(Fault("late", "POST", MINTS, seconds=0.2))
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: shop.repository(REPO).full_name, range(16)))
    assert (set(names), minted(hub)) == ({REPO}, 1)


def test_a_token_is_renewed_five_minutes_before_its_end(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """No call is ever made with a token about to end."""
    shop = tracker(hub, clock)
    for minutes, tokens in ((0, 1), (54, 1), (56, 2), (100, 2), (112, 3)):
        clock.at = START + timedelta(minutes=minutes)
        shop.repository(REPO)
        assert minted(hub) == tokens
    assert not [call for call in hub.wire.calls if call.status == 401]


def test_the_old_token_serves_while_no_new_one_can_be_had(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """GitHub's hiccup in the last five minutes stops nobody; after the end it does, and nothing was done."""
    shop = tracker(hub, clock)
    shop.repository(REPO)
    hub.wire.faults.append(Fault("refuse", "POST", MINTS, status=502, times=None))
    clock.at = START + timedelta(minutes=57)
    assert shop.repository(REPO).full_name == REPO
    clock.at = START + timedelta(minutes=61)
    with pytest.raises(Unavailable) as outage:
        shop.create_issue(REPO, IssueDraft("Basket", "…"), "k1")
    assert not outage.value.maybe_done


def test_a_revoked_token_is_replaced_once(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """A 401 has done nothing, so even a write is made again, with a new token, and once only."""
    shop = tracker(hub, clock)
    shop.repository(REPO)
    app.tokens.clear()
    assert shop.create_issue(REPO, IssueDraft("Basket", "…"), "k1").number == 1
    assert (len(hub.issues(REPO)), minted(hub)) == (1, 2)
    hub.wire.faults.append(Fault("refuse", "GET", status=401, body={"message": "Bad credentials"}, times=None))
    with pytest.raises(Unauthorised):
        shop.repository(REPO)
    assert minted(hub) == 3


@pytest.mark.parametrize("seconds", [-180, -60, 60, 90])
def test_a_clock_that_is_a_little_wrong_does_no_harm(hub: GitHubStandIn, app: App, clock: Clock, seconds: int) -> None:
    """Ours may be a minute ahead or some behind."""
    shop = GitHub("github", config(hub), timeout=2, now=lambda: clock.at + timedelta(seconds=seconds))
    assert shop.repository(REPO).full_name == REPO


def test_no_token_and_no_key_is_logged(
    hub: GitHubStandIn, app: App, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Even at DEBUG: neither the installation's token, nor a JWT, nor a line of the key."""
    caplog.set_level(logging.DEBUG)
    shop = tracker(hub, clock)
    shop.login()
    shop.create_issue(REPO, IssueDraft("Basket", "…"), "k1")
    assert len(app.tokens) == 1
    for secret in (*app.tokens, "ghs_", "eyJ", PEM.splitlines()[3]):
        assert secret not in caplog.text
    assert "ghs_" not in repr(vars(shop._wire._tokens))


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"app_id": 1}, "knows no app 1"),
        ({"private_key": OTHER}, "private key is not the GitHub App's"),
        ({"installation_id": 78}, "no installation 78"),
    ],
)
def test_each_wrong_option_is_told_apart(
    hub: GitHubStandIn, app: App, clock: Clock, changed: dict[str, object], words: str
) -> None:
    """Who reads the refusal knows which of the three to mend, from a call and from the check alike."""
    shop = tracker(hub, clock, **changed)
    with pytest.raises(Unauthorised, match=words):
        shop.repository(REPO)
    [found] = shop.check(REPO)
    assert (found.where, words in found.problem) == (f"trackers.github.{next(iter(changed))}", True)


def test_a_suspended_installation_is_told(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """Both the token in hand and a new one are refused; unsuspended, it goes on."""
    shop = tracker(hub, clock)
    shop.repository(REPO)
    app.suspended = True
    for asked in (shop, tracker(hub, clock)):
        with pytest.raises(Unauthorised, match="suspended"):
            asked.repository(REPO)
    assert ["Unsuspend" in found.mend for found in shop.check(REPO)] == [True]
    app.suspended = False
    assert shop.repository(REPO).full_name == REPO


def test_an_uninstalled_app_is_told(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """The token in hand dies with the installation, and no other can be had."""
    shop = tracker(hub, clock)
    shop.repository(REPO)
    app.installed = False
    with pytest.raises(Unauthorised, match="no installation 77"):
        shop.repository(REPO)


def test_a_clock_that_is_very_wrong_is_told(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """It looks like a wrong key, and is none."""
    shop = GitHub("github", config(hub), timeout=2, now=lambda: clock.at + timedelta(hours=2))
    assert [found.mend for found in shop.check(REPO)] == ["Set this machine's clock."]


def test_a_missing_permission_is_named(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """By the call that wanted it."""
    app.permissions["issues"] = "read"
    with pytest.raises(Unauthorised, match=r"no permission for this \(wanted: issues=write\)"):
        tracker(hub, clock).create_issue(REPO, IssueDraft("Basket", "…"), "k1")


# --- the check --------------------------------------------------------------------------------------------------------


def findings(hub: GitHubStandIn, clock: Clock, deployments: bool = True, **changed: object) -> list[Finding]:
    return health.findings(Wire("github", config(hub, **changed), 2, clock), REPO, deployments)


def test_a_healthy_app_has_nothing_to_mend(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """With the manifest's permissions and events, installed on the repository; and all of it by reads."""
    assert findings(hub, clock) == []
    assert [call.path for call in hub.wire.calls if call.method != "GET"] == [MINTS]


def test_each_lacking_permission_is_a_finding(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """Deployments only where a project needs them."""
    app.permissions = {"metadata": "read", "issues": "read", "contents": "write"}
    assert [found.problem.rpartition("permission ")[2] for found in findings(hub, clock, deployments=False)] == [
        "Issues: read and write",
        "Pull requests: read",
    ]
    assert "the GitHub App lacks the permission Deployments: read" in [each.problem for each in findings(hub, clock)]


def test_events_matter_where_webhooks_are_heard(hub: GitHubStandIn, app: App, clock: Clock) -> None:
    """Without a webhook secret nobody listens, and polling does."""
    app.events.remove("release")
    assert [found.problem.rpartition(": ")[2] for found in findings(hub, clock)] == ["release"]
    assert findings(hub, clock, webhook_secret=None) == []


@pytest.mark.parametrize("private", [True, False])
def test_a_repository_outside_the_installation_is_told(
    hub: GitHubStandIn, app: App, clock: Clock, private: bool
) -> None:
    """Also a public one, which could be read all the same; the mend says where to add it."""
    hub.set_visibility(REPO, private)
    app.repositories = ["acme/other"]
    [found] = findings(hub, clock)
    assert found.where == f"projects: {REPO}"
    assert "/settings/installations/77" in found.mend
    with pytest.raises((NotFound, Unauthorised)):
        tracker(hub, clock).create_issue(REPO, IssueDraft("Basket", "…"), "k1")


def test_a_token_may_need_deployments_too(hub: GitHubStandIn) -> None:
    """For a plain token the deployments are listed, when a project needs them."""
    hub.wire.faults.append(
        Fault(
            "refuse",
            "GET",
            "/deployments",
            403,
            {"message": "Resource not accessible by personal access token"},
            times=None,
        )
    )
    wire = Wire("github", Config(url=hub.url, token=SecretStr("ghp_sandbox")), 2)
    assert health.findings(wire, REPO) == []
    assert ["Deployments: read" in found.mend for found in health.findings(wire, REPO, deployments=True)] == [True]
