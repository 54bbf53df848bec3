"""A stand-in for GitHub: its REST API, a corner of its GraphQL API and its webhooks, over a git-like history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.applications import Starlette

from integrations.sandbox.github.apps import PERMISSIONS, App
from integrations.sandbox.github.hooks import Delivery
from integrations.sandbox.github.hub import Hub
from integrations.sandbox.github.rest import Door, Token
from integrations.sandbox.github.routes import Routes
from integrations.sandbox.wire import Now, Server, Wire, utc_now

__all__ = ["App", "Delivery", "GitHubStandIn", "Token"]


class GitHubStandIn(Hub):
    """GitHub on loopback. What people do are methods (see `Hub`); what programs do comes over HTTP at `url`.

    `login` is the account that `token` belongs to; it may push in every repository added here. More accounts:
    `tokens["ghp_other"] = Token("someone", scopes=("repo",))`.
    """

    def __init__(
        self,
        now: Now = utc_now,
        *,
        token: str = "ghp_sandbox",  # noqa: S107 (a stand-in's, no secret)
        login: str = "passerelle-bot",
        webhook_secret: str = "sandbox-webhook-secret",  # noqa: S107
    ) -> None:
        super().__init__(now, webhook_secret, login)
        self.login = login
        self.tokens = {token: Token(login)}
        self._door = Door(self, self.tokens)
        self.wire = Wire(Starlette(routes=Routes(self, self._door).table()), now)
        self.app = self.wire
        self._server: Server | None = None

    def start(self, port: int = 0) -> GitHubStandIn:
        """Listen on 127.0.0.1:`port` (0: a free one). May be started again after `stop`; nothing is forgotten."""
        self._server = Server(self.app, port).start()
        self.shapes.url = self._server.url
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def url(self) -> str:
        """The API's base; pages (`html_url`) lie under the same address."""
        return self.shapes.url

    def register_app(
        self,
        app_id: int | str,
        key: str,
        slug: str,
        installation_id: int,
        permissions: Mapping[str, str] = PERMISSIONS,
        repositories: Sequence[str] | None = None,
        now: Now | None = None,
    ) -> App:
        """A GitHub App, installed on `repositories` (None: all); `key` is PEM text, private or public.

        `now` is whose clock judges its JWTs and dates its tokens; None: the stand-in's. Change the fields of what comes
        back to suspend, uninstall or restrict it; `tokens.clear()` revokes its tokens.
        """
        return self._door.apps.register(app_id, key, slug, installation_id, permissions, repositories, now)

    # --- webhooks -----------------------------------------------------------------------------------------------------

    @property
    def webhook_url(self) -> str | None:
        """Where webhooks go; None: nowhere, and none are recorded (but see `hold_webhooks`)."""
        return self.hooks.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.hooks.url = url

    @property
    def hold_webhooks(self) -> bool:
        """While set, webhooks are recorded in `deliveries` and not sent; `redeliver` sends one of them."""
        return self.hooks.hold

    @hold_webhooks.setter
    def hold_webhooks(self, hold: bool) -> None:
        self.hooks.hold = hold

    @property
    def deliveries(self) -> list[Delivery]:
        return list(self.hooks.deliveries)

    def redeliver(self, delivery_id: str) -> None:
        """Send a recorded delivery once more, with its own id; LookupError when there is none."""
        self.hooks.redeliver(delivery_id)

    def webhooks_settled(self, timeout: float = 10.0) -> bool:
        """Wait until all queued webhooks were sent and answered; False when `timeout` seconds did not do."""
        return self.hooks.settled(timeout)

    # --- rate limits --------------------------------------------------------------------------------------------------

    @property
    def writes_per_minute(self) -> int | None:
        """How many writes a minute before the secondary rate limit refuses; None: any number."""
        return self._door.writes_per_minute

    @writes_per_minute.setter
    def writes_per_minute(self, number: int | None) -> None:
        self._door.writes_per_minute = number

    @property
    def requests_per_hour(self) -> int:
        return self._door.requests_per_hour

    @requests_per_hour.setter
    def requests_per_hour(self, number: int) -> None:
        self._door.requests_per_hour = number
