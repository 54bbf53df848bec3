"""The composition root: the only place that constructs things."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from slack_bolt import App as Bolt, BoltContext
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette

from bot.bridge.core import Bridge
from bot.clock import Clock
from bot.outbox import Outbox, Performer
from bot.performers import (
    confirming,
    digest,
    duty,
    files,
    handing,
    helpdesk,
    looks,
    reminders,
    slack,
    steps,
    talk,
    tracker,
)
from bot.scheduler import Schedule
from bot.settings import Settings
from bot.slack.chat import Chat
from bot.slack.listeners import Listeners
from bot.slack.people import People
from bot.store.database import Store
from bot.web import routes
from bot.web.dashboard import Dashboard
from bot.web.metrics import Metrics
from bot.worker import Worker
from integrations import registry
from integrations.base import Helpdesk, Tracker

log = structlog.get_logger()


class Passerelle:
    """Everything one process needs, built from the settings; nothing is started by building it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        config, environment = settings.config, settings.environment
        self.settings = settings
        self.clock = clock or Clock()
        self.store = Store(environment.database_url.get_secret_value())
        timeout = config.timing.timeout
        token = environment.slack_bot_token.get_secret_value()
        self.chat = Chat(token, environment.slack_api_url, timeout)
        self.people = People(self.chat, self.store, self.clock, config.slack.agents, config.slack.language)
        self.bridge = Bridge(
            store=self.store,
            clock=self.clock,
            settings=config,
            trackers=trackers(settings),
            helpdesks=helpdesks(settings),
            look_up=self.people.look_up,
            may_flag=self.people.may_flag,
        )
        self.metrics = Metrics(self.bridge)
        self.outbox = Outbox(
            self.store,
            self.clock,
            self._performers(),
            lease=timedelta(seconds=config.timing.lease),
            quiet=timedelta(seconds=config.timing.quiet),
            pace=self._pace,
            tried=self.metrics.tried,
        )
        self.worker = Worker(self.store, self.outbox, config.timing.workers)
        self.schedule = Schedule(self.bridge)
        self.bolt = self._bolt(token)
        self.listeners = Listeners(self.bolt, self.bridge, self.people)
        self._socket: Any = None
        secret = environment.slack_signing_secret.get_secret_value()
        self.web: Starlette = routes.build(self.bridge, self.bolt, secret, self.metrics)
        dashboard = Dashboard(self.bridge, self.people, self.chat.team, environment)
        self.web.router.routes.extend(dashboard.routes())

    def _bolt(self, token: str) -> Bolt:
        # Who we are is known from the configuration: asking Slack first would cost the trigger its three seconds.
        bolt = Bolt(
            name="passerelle",  # without one, Bolt reads the sources of all that called it
            client=self.chat.client,
            authorize=lambda: AuthorizeResult(
                enterprise_id=None, team_id=None, bot_token=token, bot_id="", bot_user_id=""
            ),
            process_before_response=True,
            request_verification_enabled=False,  # `web.routes` verifies, against our own clock
        )
        bolt.use(self._counted)
        return bolt

    def _counted(self, context: BoltContext, next_: Callable[[], Any]) -> Any:
        """Listeners call Slack by the client whose calls are counted; Bolt made one of its own for each request."""
        context["client"] = self.chat.client
        return next_()

    def _performers(self) -> Mapping[str, Performer]:
        kinds: dict[str, Any] = {
            "issue": tracker.FileIssue,
            "customers": tracker.CustomersTable,
            "decline": tracker.Decline,
            "close": tracker.Close,
            "pointer": tracker.Pointer,
            "hint": tracker.Hint,
            "comment": talk.Comment,
            "thread": talk.Thread,
            "reword": talk.Reword,
            "assign": talk.Assign,
            "due": talk.Due,
            "merge": talk.Merge,
            "step": steps.Step,
            "step_done": steps.StepDone,
            "look": looks.LookAtIssue,
            "glance": looks.Glance,
            "named": looks.FixNamed,
            "prove": looks.Prove,
            "examine": looks.Examine,
            "poll": looks.Poll,
            "check": looks.Check,
            "mirror": looks.Mirror,
            "redeliver": looks.Redeliver,
            "delivery": looks.ReadDelivery,
            "files": files.FilesOfTicket,
            "note": helpdesk.Note,
            "reply": helpdesk.Reply,
            "ticket": helpdesk.LookAtTicket,
            "watch": helpdesk.WatchHelpdesk,
            "hold": helpdesk.Hold,
            "there": handing.LookForAgent,
            "offer": handing.Offer,
            "reopen": confirming.Reopen,
            "confirmed": confirming.Confirmed,
            "facts": helpdesk.LearnTicket,
            "card": slack.Card,
            "told": slack.Told,
            "round": slack.RefreshRound,
            "notice": slack.Notice,
            "reminder": reminders.Reminder,
            "digest": partial(digest.Digest, posted=self.metrics.posted),
            "group": duty.Group,
            "yours": duty.Yours,
            "everyone": duty.Everyone,
        }
        return {kind: make(self.bridge, self.chat, self.people) for kind, make in kinds.items()}

    def _pace(self, lane: str) -> float:
        services: list[Tracker | Helpdesk] = [*self.bridge.trackers.values(), *self.bridge.helpdesks.values()]
        return next((service.pace for service in services if service.lane == lane), 0.0)

    def start_work(self) -> None:
        self.worker.start()
        self.schedule.start()

    def stop_work(self) -> None:
        self.schedule.stop()
        self.worker.stop()

    def connect(self) -> None:
        """Keep Socket Mode connected, from a thread of its own: Slack being away must not keep the rest from work."""
        app_token = self.settings.environment.slack_app_token.get_secret_value()
        if app_token:
            threading.Thread(target=self._connect, args=(app_token,), name="socket", daemon=True).start()

    def _connect(self, app_token: str) -> None:
        waiting = threading.Event()
        while True:
            handler: Any = _Socket(self.bolt, app_token)
            handler.metrics = self.metrics
            try:
                handler.connect()
                self._socket = handler
                log.info("slack.connected")
                return
            except (SlackApiError, OSError) as error:
                log.error("slack.not_connected", error=type(error).__name__)
                handler.close()
                waiting.wait(5)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self.listeners.close()
        self.store.close()


class _Socket(SocketModeHandler):
    """Socket Mode, whose answers are timed."""

    metrics: Metrics

    def handle(self, client: Any, req: Any) -> None:
        with self.metrics.answering_slack("socket"):
            super().handle(client, req)

    def close(self) -> None:
        with suppress(AttributeError):  # slack_sdk's reader ends the same socket where Slack closes it at that moment
            self.client.disconnect()
        super().close()  # type: ignore[no-untyped-call]


def trackers(settings: Settings) -> dict[str, Tracker]:
    timeout = settings.config.timing.timeout
    return {
        name: registry.tracker(one.kind).make(name, one.config, timeout)
        for name, one in settings.config.trackers.items()
    }


def helpdesks(settings: Settings) -> dict[str, Helpdesk]:
    timeout = settings.config.timing.timeout
    return {
        name: registry.helpdesk(one.kind).make(name, one.config, timeout)
        for name, one in settings.config.helpdesks.items()
    }
