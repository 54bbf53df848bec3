"""The Slack stand-in, driven by the real slack_sdk and Bolt over loopback, refuses what Slack refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.sandbox.blocks import problems
from integrations.sandbox.slack import SCOPES, SlackStandIn
from integrations.sandbox.wire import Fault, Server


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def workspace(**options: Any) -> SlackStandIn:
    slack = SlackStandIn(options.pop("now", Clock()), **{"posts_per_second": None, **options})
    slack.add_person("U0ANA", "ana", "Ana Moreau", "ana@acme.example", "fr-FR")
    slack.add_person("U0BEN", "ben", "Ben Okafor", "ben@acme.example")
    slack.add_channel("C0SUPPORT", "support", ["U0ANA", "U0BEN"])
    slack.add_channel("C0QUIET", "quiet", ["U0ANA"], with_bot=False)
    slack.add_usergroup("S0AGENTS", "agents", ["U0ANA", "U0BEN"])
    return slack.start()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackStandIn]:
    stand_in = workspace(now=clock)
    yield stand_in
    stand_in.stop()


@pytest.fixture
def client(slack: SlackStandIn) -> WebClient:
    return client_of(slack)


def client_of(slack: SlackStandIn, token: str = "xoxb-sandbox") -> WebClient:
    return WebClient(token, base_url=slack.api_url, retry_handlers=[])


def bolt(slack: SlackStandIn, secret: str = "sandbox-signing-secret") -> App:
    return App(client=client_of(slack), signing_secret=secret, process_before_response=True)


def served(app: App) -> Server:
    """A Bolt app behind an HTTP route."""

    async def events(request: Request) -> Response:
        body, headers = (await request.body()).decode(), dict(request.headers)
        answer = await run_in_threadpool(app.dispatch, BoltRequest(body=body, headers=headers))
        return Response(answer.body, answer.status, {key: value[0] for key, value in answer.headers.items()})

    return Server(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])).start()


def linked(slack: SlackStandIn, app: App) -> SocketModeHandler:
    """A Bolt app connected in Socket Mode."""
    handler = SocketModeHandler(app, "xapp-sandbox")
    before = slack.connections
    handler.connect()
    with slack.changed:
        assert slack.changed.wait_for(lambda: slack.connections > before, timeout=5)
    return handler


def part(slack: SlackStandIn, *handlers: SocketModeHandler) -> None:
    """Ends the links from Slack's side first: the client's own close waits out a read of three seconds."""
    for handler in handlers:
        handler.client.auto_reconnect_enabled = False
    slack.stop()
    for handler in handlers:
        with suppress(AttributeError):  # slack_sdk's own reader may be closing the same socket
            handler.client.disconnect()
        handler.close()


@pytest.fixture(params=["socket", "http"])
def connect(slack: SlackStandIn, request: pytest.FixtureRequest) -> Iterator[Callable[[App], None]]:
    """Connects a Bolt app by either way."""
    closing: list[Callable[[], None]] = []

    def by_socket(app: App) -> None:
        handler = linked(slack, app)
        closing.append(lambda: part(slack, handler))

    def by_http(app: App) -> None:
        server = served(app)
        slack.events_url = f"{server.url}/slack/events"
        closing.append(server.stop)

    yield by_socket if request.param == "socket" else by_http
    for close in closing:
        close()


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


def field(name: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": name, "label": plain(name), "element": {**element, "action_id": name}, **more}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        **{"type": "modal", "callback_id": "flag", "title": plain("Flag"), "submit": plain("Send")},
        **{"blocks": list(blocks), **more},
    }


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id: str, value: str) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(action_id), "value": value}


TITLE = field("title", {"type": "plain_text_input", "max_length": 150})
KIND = field("kind", {"type": "radio_buttons", "options": [option("bug"), option("tooling")]})
FLAG = modal(TITLE, KIND)


def refusal(call: Callable[..., Any], **arguments: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value


# --- a person and a real Bolt app


def test_a_command_opens_a_modal_that_fills_and_is_submitted(
    slack: SlackStandIn, connect: Callable[[App], None]
) -> None:
    """Command, views.open, views.update and view_submission make the round trip, with what the person typed."""
    app, seen = bolt(slack), []

    @app.command("/bug")
    def flag(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        view = client.views_open(trigger_id=body["trigger_id"], view=modal(section("One moment.")))["view"]
        filled = modal(section("The cart is empty."), TITLE, KIND, private_metadata=body["text"])
        client.views_update(view_id=view["id"], hash=view["hash"], view=filled)
        ack()

    @app.view("flag")
    def submitted(ack: Any, view: dict[str, Any], body: dict[str, Any]) -> None:
        seen.append((body["user"]["id"], view["private_metadata"], view["state"]["values"]))
        ack()

    connect(app)
    assert slack.command("U0ANA", "4211", "C0SUPPORT").ok
    (view,) = slack.views("U0ANA")
    assert slack.submit(view["id"], {"title": "Cart is empty", "kind": "bug"}).ok
    assert slack.views("U0ANA") == []
    ((user, metadata, values),) = seen
    assert (user, metadata) == ("U0ANA", "4211")
    assert values["title"]["title"] == {"type": "plain_text_input", "value": "Cart is empty"}
    assert values["kind"]["kind"]["selected_option"]["value"] == "bug"


def test_answers_to_a_submission_are_applied(slack: SlackStandIn, connect: Callable[[App], None]) -> None:
    """Errors stay on the view; update, push and clear change the stack; an answer Slack cannot use is trouble."""
    app = bolt(slack)
    answers = iter(
        [
            {"response_action": "errors", "errors": {"title": "Say what goes wrong."}},
            {"response_action": "errors", "errors": {"nowhere": "No such block."}},
            {"response_action": "update", "view": modal(TITLE, callback_id="flag", private_metadata="again")},
            {"response_action": "push", "view": modal(TITLE)},
            {"response_action": "clear"},
        ]
    )
    app.view("flag")(lambda ack: ack(**next(answers)))
    app.shortcut("flag")(lambda ack, body, client: (client.views_open(trigger_id=body["trigger_id"], view=FLAG), ack()))
    connect(app)
    assert slack.shortcut("U0ANA", "flag").ok
    view_id = slack.views("U0ANA")[0]["id"]
    slack.submit(view_id, {"title": "It", "kind": "bug"})
    assert slack.view(view_id)["errors"] == {"title": "Say what goes wrong."}
    slack.submit(view_id)
    assert list(slack.view(view_id)["errors"]) == [""]
    slack.submit(view_id)
    assert slack.view(view_id)["private_metadata"] == "again"
    assert slack.view(view_id)["state"]["values"]["title"]["title"]["value"] == "It"
    slack.submit(view_id)
    assert len(slack.views("U0ANA")) == 2
    slack.submit(slack.views("U0ANA")[-1]["id"], {"title": "More"})
    assert slack.views("U0ANA") == []


def test_a_pressed_button_edits_its_card(slack: SlackStandIn, connect: Callable[[App], None]) -> None:
    """A press carries the value, the message and a response_url, and only what stands in the message can be pressed."""
    app = bolt(slack)

    @app.action("acknowledge")
    def acknowledge(ack: Any, body: dict[str, Any], client: WebClient, respond: Any) -> None:
        value, message = body["actions"][0]["value"], body["message"]
        client.chat_update(channel=body["channel"]["id"], ts=message["ts"], text=f"{value} seen", blocks=[])
        respond("Thank you.")
        ack()

    connect(app)
    card = [{"type": "actions", "elements": [button("acknowledge", "i1"), button("decline", "i1")]}]
    ts = client_of(slack).chat_postMessage(channel="C0SUPPORT", text="Card", blocks=card)["ts"]
    assert slack.press("U0BEN", "C0SUPPORT", ts, "acknowledge", "i1").ok
    (message,) = slack.messages("C0SUPPORT")
    assert message["text"] == "i1 seen"
    assert "blocks" not in message
    assert message["edited"]["user"] == "U0PASS"
    assert [one["text"] for one in slack.ephemerals("U0BEN")] == ["Thank you."]
    with pytest.raises(LookupError):
        slack.press("U0BEN", "C0SUPPORT", ts, "acknowledge", "i1")


def test_shortcut_on_a_message_suggestions_and_events(slack: SlackStandIn, connect: Callable[[App], None]) -> None:
    """The message shortcut carries the message, an external select asks the app, and the app hears what people say."""
    app, heard = bolt(slack), []
    similar = field("similar", {"type": "external_select", "min_query_length": 2}, optional=True)
    app.event("message")(lambda event: heard.append((event["channel_type"], event["text"])))
    app.options("similar")(lambda ack, payload: ack(options=[option(f"{payload['value']}-1")]))
    app.view("flag")(lambda ack, view: (ack(), heard.append(view["state"]["values"]["similar"]["similar"])))

    @app.shortcut("flag_message")
    def flag(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=modal(similar, private_metadata=body["message"]["text"]))
        ack()

    connect(app)
    ts = slack.say("U0ANA", "C0SUPPORT", "Ticket 4212 again")
    slack.say("U0ANA", "U0PASS", "hello")
    assert heard == [("channel", "Ticket 4212 again"), ("im", "hello")]
    assert slack.message_shortcut("U0ANA", "C0SUPPORT", ts, "flag_message").ok
    (view,) = slack.views("U0ANA")
    assert view["private_metadata"] == "Ticket 4212 again"
    assert slack.suggest(view["id"], "similar", "c") == []
    assert [one["value"] for one in slack.suggest(view["id"], "similar", "cart")] == ["cart-1"]
    assert slack.submit(view["id"], {"similar": "cart-1"}).ok
    assert heard[-1] == {"type": "external_select", "selected_option": option("cart-1")}


def test_an_event_comes_again_under_its_own_id(slack: SlackStandIn, connect: Callable[[App], None]) -> None:
    """A repetition has the same event_id and says which attempt it is."""
    app, heard = bolt(slack), []
    app.event("app_mention")(lambda body, req: heard.append((body["event_id"], req.headers.get("x-slack-retry-num"))))
    connect(app)
    mention = {"type": "app_mention", "user": "U0ANA", "text": "<@U0PASS>", "channel": "C0SUPPORT", "ts": "1.000001"}
    assert slack.event(mention, event_id="Ev1").ok
    assert slack.event(mention, event_id="Ev1", retry=2).ok
    assert [one[0] for one in heard] == ["Ev1", "Ev1"]
    assert heard[1][1] == ["2"]


def test_an_answer_after_the_limit_is_late() -> None:
    """Slack waits its time, tells the person that the command failed, and ignores the rest."""
    slack, go_on = workspace(patience=0.2), threading.Event()
    app = bolt(slack)
    app.command("/bug")(lambda ack: (go_on.wait(10), ack("too late")))
    handler = linked(slack, app)
    answer = slack.command("U0ANA", "", "C0SUPPORT")
    go_on.set()
    part(slack, handler)
    assert answer.late
    assert [one["text"] for one in slack.ephemerals("U0ANA")] == ["/bug failed with the error “operation_timeout”"]


def test_a_wrong_signing_secret_is_refused_by_the_app(slack: SlackStandIn) -> None:
    """Requests are signed with this workspace's secret, and with no other."""
    app = bolt(slack, secret="somebody-else")
    app.command("/bug")(lambda ack: ack())
    server = served(app)
    slack.events_url = f"{server.url}/slack/events"
    answer = slack.command("U0ANA", "", "C0SUPPORT")
    server.stop()
    assert answer.status == 401
    assert "dispatch_failed" in slack.ephemerals("U0ANA")[0]["text"]


def test_each_delivery_goes_to_one_link_and_links_are_renewed(slack: SlackStandIn) -> None:
    """Two links share the deliveries; after a refresh the app connects again by itself."""
    heard: list[str] = []

    def app_called(name: str) -> App:
        app = bolt(slack)
        app.command("/bug")(lambda ack: (ack(), heard.append(name)))
        return app

    handlers = [linked(slack, app_called(name)) for name in ("first", "second")]
    for _ in range(4):
        assert slack.command("U0ANA", "", "C0SUPPORT").ok
    assert sorted(heard) == ["first", "first", "second", "second"]
    opened = len(slack.wire.calls_to("POST", "/api/apps.connections.open"))
    slack.delivery.disconnect()
    with slack.changed:
        assert slack.changed.wait_for(
            lambda: (
                slack.connections == 2 and len(slack.wire.calls_to("POST", "/api/apps.connections.open")) == opened + 2
            ),
            timeout=10,
        )
    assert slack.command("U0ANA", "", "C0SUPPORT").ok
    part(slack, *handlers)


# --- the Web API alone


def test_tokens_and_scopes_are_checked(slack: SlackStandIn) -> None:
    """Each token opens its own doors, and scopes are told in a header and held to."""
    assert client_of(slack).auth_test()["user_id"] == "U0PASS"
    assert client_of(slack).auth_test().headers["x-oauth-scopes"] == ",".join(SCOPES)
    assert refusal(client_of(slack, "xoxb-other").auth_test).response["error"] == "invalid_auth"
    assert refusal(client_of(slack, "xapp-sandbox").auth_test).response["error"] == "not_allowed_token_type"
    wrong = refusal(client_of(slack).apps_connections_open, app_token="xoxb-sandbox")
    assert wrong.response["error"] == "not_allowed_token_type"
    poor = workspace(scopes=("commands",))
    refused = refusal(client_of(poor).chat_postMessage, channel="C0SUPPORT", text="Hello").response
    poor.stop()
    assert (refused["error"], refused["needed"], refused["provided"]) == ("missing_scope", "chat:write", "commands")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "Hello"}, "channel_not_found"),
        ({"channel": "C0QUIET", "text": "Hello"}, "not_in_channel"),
        ({"channel": "C0SUPPORT", "text": ""}, "no_text"),
        ({"channel": "C0SUPPORT", "text": "a" * 40_001}, "msg_too_long"),
        ({"channel": "C0SUPPORT", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "C0SUPPORT", "text": "x", "blocks": [section("a" * 3000)] * 5}, "msg_blocks_too_long"),
        ({"channel": "C0SUPPORT", "text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"channel": "C0SUPPORT", "text": "x", "blocks": [section("")]}, "invalid_blocks"),
    ],
)
def test_posts_that_slack_refuses(client: WebClient, slack: SlackStandIn, arguments: Any, error: str) -> None:
    """A refused post answers with Slack's own code and leaves nothing."""
    assert refusal(client.chat_postMessage, **arguments).response["error"] == error
    assert slack.messages("C0SUPPORT") == []


def test_refused_blocks_are_named(client: WebClient) -> None:
    """The answer says where in the blocks or the view the mistake is."""
    bad = refusal(client.chat_postMessage, channel="C0SUPPORT", text="x", blocks=[section("")]).response
    assert bad["response_metadata"]["messages"] == [
        "[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]"
    ]
    bad = refusal(client.views_open, trigger_id="1", view=modal(title=plain("a" * 25))).response
    assert bad["error"] == "invalid_arguments"
    assert "[json-pointer:/view/title/text]" in bad["response_metadata"]["messages"][0]


def test_posts_are_limited_per_channel(clock: Clock) -> None:
    """After a burst of three, one post a second and channel; the refusal says when to come back."""
    slack = workspace(now=clock, posts_per_second=1.0)
    client = client_of(slack)
    for _ in range(3):
        client.chat_postMessage(channel="C0SUPPORT", text="x")
    refused = refusal(client.chat_postMessage, channel="C0SUPPORT", text="x").response
    assert (refused.status_code, refused["error"], refused.headers["Retry-After"]) == (429, "ratelimited", "1")
    client.chat_postMessage(channel="U0ANA", text="another channel")
    clock.pass_seconds(1)
    client.chat_postMessage(channel="C0SUPPORT", text="x")
    slack.stop()
    assert len(slack.messages("C0SUPPORT")) == 4
    assert [one["text"] for one in slack.dm("U0ANA")] == ["another channel"]


def test_history_pages_threads_and_hides_metadata(client: WebClient) -> None:
    """History is newest first and without replies; metadata comes when asked for; pages lead on."""
    mark = {"event_type": "passerelle", "event_payload": {"key": "card:1"}}
    first = client.chat_postMessage(channel="C0SUPPORT", text="one", metadata=mark)["ts"]
    client.chat_postMessage(channel="C0SUPPORT", text="reply", thread_ts=first, metadata=mark)
    client.chat_postMessage(channel="C0SUPPORT", text="two")
    page = client.conversations_history(channel="C0SUPPORT", limit=1)
    assert ([one["text"] for one in page["messages"]], page["has_more"]) == (["two"], True)
    cursor = page["response_metadata"]["next_cursor"]
    (older,) = client.conversations_history(channel="C0SUPPORT", limit=1, cursor=cursor)["messages"]
    assert (older["text"], older["reply_count"], "metadata" in older) == ("one", 1, False)
    assert [m["text"] for m in client.conversations_history(channel="C0SUPPORT", oldest=first)["messages"]] == ["two"]
    asked = client.conversations_replies(channel="C0SUPPORT", ts=first, include_all_metadata=True)["messages"]
    assert [(one["text"], one["metadata"]) for one in asked] == [("one", mark), ("reply", mark)]
    lost = refusal(client.conversations_replies, channel="C0SUPPORT", ts="1.000001")
    assert lost.response["error"] == "thread_not_found"


def test_only_own_messages_are_edited(client: WebClient, slack: SlackStandIn) -> None:
    """The bot edits what it wrote, nobody else's words, and blocks it leaves out stay."""
    theirs = slack.say("U0ANA", "C0SUPPORT", "mine")
    own = client.chat_postMessage(channel="C0SUPPORT", text="card", blocks=[section("a")])["ts"]
    client.chat_update(channel="C0SUPPORT", ts=own, text="card 2")
    assert slack.messages("C0SUPPORT")[-1]["blocks"][0]["text"]["text"] == "a"
    refused = refusal(client.chat_update, channel="C0SUPPORT", ts=theirs, text="changed")
    assert refused.response["error"] == "cant_update_message"
    assert refusal(client.chat_update, channel="C0SUPPORT", ts="1.1", text="x").response["error"] == "message_not_found"


def test_people_are_described(client: WebClient, slack: SlackStandIn) -> None:
    """users.info tells guests, strangers and leavers apart, and the language only when asked."""
    slack.add_person("U0GUEST", "guest", "A Guest", "guest@acme.example", guest=True)
    slack.add_person("U0ELSE", "else", "Else Where", "else@other.example", stranger=True)
    slack.add_person("U0GONE", "gone", "Gone Away", "gone@acme.example", deleted=True)
    ana = client.users_info(user="U0ANA", include_locale=True)["user"]
    assert (ana["locale"], ana["tz"], ana["profile"]["email"]) == ("fr-FR", "Europe/Paris", "ana@acme.example")
    assert "locale" not in client.users_info(user="U0ANA")["user"]
    assert client.users_info(user="U0GUEST")["user"]["is_restricted"]
    stranger = client.users_info(user="U0ELSE")["user"]
    assert stranger["is_stranger"]
    assert stranger["team_id"] != client.auth_test()["team_id"]
    assert client.users_info(user="U0GONE")["user"]["deleted"]
    assert client.users_lookupByEmail(email="Ben@acme.example")["user"]["id"] == "U0BEN"
    assert refusal(client.users_info, user="U0NOBODY").response["error"] == "user_not_found"
    assert refusal(client.conversations_open, users="U0GONE").response["error"] == "user_disabled"
    assert client.usergroups_users_list(usergroup="S0AGENTS")["users"] == ["U0ANA", "U0BEN"]
    assert client.conversations_members(channel="C0SUPPORT")["members"] == ["U0ANA", "U0BEN", "U0PASS"]


def test_a_trigger_is_good_once_and_for_three_seconds(client: WebClient, slack: SlackStandIn, clock: Clock) -> None:
    """views.open names each way in which a trigger is no longer good."""
    used, old = (slack.workspace.new_trigger("U0ANA") for _ in range(2))
    client.views_open(trigger_id=used, view=FLAG)
    assert refusal(client.views_open, trigger_id=used, view=FLAG).response["error"] == "exchanged_trigger_id"
    clock.pass_seconds(3.1)
    assert refusal(client.views_open, trigger_id=old, view=FLAG).response["error"] == "expired_trigger_id"
    assert refusal(client.views_open, trigger_id="none", view=FLAG).response["error"] == "invalid_trigger_id"


def opened(client: WebClient, slack: SlackStandIn, view: dict[str, Any]) -> dict[str, Any]:
    return client.views_open(trigger_id=slack.workspace.new_trigger("U0ANA"), view=view)["view"]  # type: ignore[no-any-return]


def test_an_update_keeps_what_stands_in_the_same_input(client: WebClient, slack: SlackStandIn) -> None:
    """An input with its old ids ignores a new initial value; one with new ids takes it."""
    view = opened(client, slack, modal(TITLE))
    filled = {"type": "plain_text_input", "initial_value": "Cart is empty"}
    client.views_update(view_id=view["id"], view=modal(field("title", filled), field("summary", filled)))
    values = slack.view(view["id"])["state"]["values"]
    assert values["title"]["title"]["value"] is None
    assert values["summary"]["summary"]["value"] == "Cart is empty"


def test_an_update_needs_the_hash_and_an_open_view(client: WebClient, slack: SlackStandIn) -> None:
    """An old hash is a conflict, and a closed view is not found."""
    view = opened(client, slack, FLAG)
    client.views_update(view_id=view["id"], hash=view["hash"], view=FLAG)
    stale = refusal(client.views_update, view_id=view["id"], hash=view["hash"], view=FLAG)
    assert stale.response["error"] == "hash_conflict"
    slack.close_view(view["id"])
    assert refusal(client.views_update, view_id=view["id"], view=FLAG).response["error"] == "not_found"


def test_slacks_own_client_keeps_bad_entries_from_the_app(client: WebClient, slack: SlackStandIn) -> None:
    """An empty required input, a title too long and an option that is not offered never leave the modal."""
    view = opened(client, slack, FLAG)
    assert set(slack.submit(view["id"]).body["errors"]) == {"title", "kind"}
    assert set(slack.submit(view["id"], {"title": "a" * 151, "kind": "bug"}).body["errors"]) == {"title"}
    with pytest.raises(ValueError, match="offers"):
        slack.submit(view["id"], {"kind": "wish"})


def test_a_response_url_is_good_five_times_and_half_an_hour(slack: SlackStandIn, clock: Clock) -> None:
    """The sixth use and one after 30 minutes are refused; replace_original edits the message that was pressed."""
    ts = client_of(slack).chat_postMessage(channel="C0SUPPORT", text="before")["ts"]
    urls = [slack.base_url + slack.workspace.new_response_url("U0ANA", "C0SUPPORT", ts) for _ in range(2)]
    answers = [httpx2.post(urls[0], json={"replace_original": True, "text": f"after {n}"}) for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert answers[5].json()["error"] == "used_url"
    assert [one["text"] for one in slack.messages("C0SUPPORT")] == ["after 4"]
    clock.pass_seconds(1801)
    assert httpx2.post(urls[1], json={"text": "late"}).json()["error"] == "expired_url"


def test_home_tab_is_published_and_pressed(slack: SlackStandIn, connect: Callable[[App], None]) -> None:
    """Opening the home tab tells the app, whose view then stands there with its buttons."""
    app, pressed = bolt(slack), []
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button("works", "w1")]}]}
    app.event("app_home_opened")(lambda event, client: client.views_publish(user_id=event["user"], view=home))
    app.action("works")(lambda ack, body: (ack(), pressed.append((body["view"]["type"], body["actions"][0]["value"]))))
    connect(app)
    shown = slack.open_home("U0ANA")
    assert shown is not None
    assert slack.press_in_view(shown["id"], "works", "w1").ok
    assert pressed == [("home", "w1")]


def test_faults_reach_the_client(client: WebClient, slack: SlackStandIn) -> None:
    """Told to do the work and fail, it does both: the message stands although the caller saw an error."""
    slack.wire.faults.append(Fault("error_after", path="chat.postMessage", status=500))
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel="C0SUPPORT", text="once")
    assert [one["text"] for one in slack.messages("C0SUPPORT")] == ["once"]


# --- block limits


@pytest.mark.parametrize(
    ("blocks", "where"),
    [
        ([section("a" * 3001)], "/blocks/0/text/text"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "/blocks/0/text"),
        ([{"type": "header", "text": plain("a" * 151)}], "/blocks/0/text/text"),
        ([{"type": "wheel"}], "/blocks/0/type"),
        ([{**section("a"), "block_id": "b"}, {**section("c"), "block_id": "b"}], "/blocks/1/block_id"),
        ([section("a")] * 51, "/blocks"),
        ([{"type": "section", "fields": [plain("a")] * 11}], "/blocks/0/fields"),
        ([{"type": "actions", "elements": [button(str(n), "v") for n in range(26)]}], "/blocks/0/elements"),
        ([{"type": "actions", "elements": [button("a", "v"), button("a", "w")]}], "/blocks/0"),
        ([{"type": "actions", "elements": [button("a", "v" * 2001)]}], "/blocks/0/elements/0/value"),
        ([{"type": "actions", "elements": [button("a" * 76, "v")]}], "/blocks/0/elements/0/text/text"),
        ([{"type": "context", "elements": []}], "/blocks/0/elements"),
        ([{"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}], "/blocks/0/elements/0/type"),
        (modal(TITLE, submit=None), "/view"),
        (modal(*[section("a")] * 101), "/view/blocks"),
        (modal(private_metadata="a" * 3001), "/view/private_metadata"),
        (modal(state={}), "/view"),
        (modal({"type": "markdown", "text": "x"}), "/view/blocks/0/type"),
        (modal(field("a", {"type": "static_select", "options": []})), "/view/blocks/0/element/options"),
        (modal(field("a", button("a", "v"))), "/view/blocks/0/element/type"),
        (
            modal(field("a", {"type": "static_select", "options": [option("x" * 76)]})),
            "/view/blocks/0/element/options/0/text/text",
        ),
        (
            modal(field("a", {"type": "static_select", "options": [option("a")], "initial_option": option("b")})),
            "/view/blocks/0/element",
        ),
    ],
)
def test_each_block_limit_is_held(blocks: Any, where: str) -> None:
    """One mistake gives one problem, and the problem points at it."""
    (problem,) = problems(blocks)
    assert problem.endswith(f"[json-pointer:{where}]")


JUNK: tuple[Any, ...] = (None, 1, "", [], {}, "x" * 5000, [None], {"type": []})


def spoiled(value: Any) -> Iterator[Any]:
    """The same value with each of its parts, in turn, replaced by junk."""
    yield from JUNK
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        for part in spoiled(value[key]):
            copied = value.copy()
            copied[key] = part
            yield copied


def test_malformed_blocks_are_problems_not_crashes() -> None:
    """Whatever stands in a view, checking it ends in sentences."""
    pick = {"type": "static_select", "option_groups": [{"label": plain("a"), "options": [option("a")]}]}
    view = modal(TITLE, KIND, {**section("a"), "accessory": pick}, {"type": "actions", "elements": [button("a", "v")]})
    assert problems(view) == []
    for bad in spoiled(view):
        assert isinstance(problems(bad), list)


def test_what_fits_has_no_problems() -> None:
    """Blocks at their limits are fine."""
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": "<!channel>"}]}
    cells = [[{"type": "raw_text", "text": "a"}] * 20] * 100
    assert problems([section("a" * 3000)] * 49 + [{"type": "rich_text", "elements": [words]}]) == []
    assert problems([{"type": "table", "rows": cells}, {"type": "divider"}]) == []
    assert problems(modal(TITLE, KIND, section("a"))) == []
