"""A stand-in for GitLab: its REST API and its webhooks, over a git-like history."""

from __future__ import annotations

from starlette.applications import Starlette

from integrations.sandbox.gitlab.asked import Token
from integrations.sandbox.gitlab.hooks import Delivery
from integrations.sandbox.gitlab.hub import Hub
from integrations.sandbox.gitlab.rest import Door
from integrations.sandbox.gitlab.routes import Routes
from integrations.sandbox.wire import Now, Server, Wire, utc_now

__all__ = ["Delivery", "GitLabStandIn", "Token"]

SIGNING_SECRET = "whsec_c2FuZGJveC1naXRsYWItc2lnbmluZy1zZWNyZXQtMzI="  # noqa: S105 (a stand-in's, no secret)


class GitLabStandIn(Hub):
    """GitLab on loopback. What people do are methods (see `Hub`); what programs do comes over HTTP, to `url`/api/v4.

    `login` is the account that `token` belongs to; it is a maintainer of every project added here. More accounts:
    `tokens["glpat-other"] = Token("someone", scopes=("read_api",), expires_at=date(2026, 12, 1))`.
    Webhooks carry `webhook_secret` as plain token and are signed with `signing_secret`, each unless it is None.
    """

    def __init__(
        self,
        now: Now = utc_now,
        *,
        token: str = "glpat-sandbox",  # noqa: S107 (a stand-in's, no secret)
        login: str = "passerelle-bot",
        webhook_secret: str | None = "sandbox-gitlab-secret",  # noqa: S107
        signing_secret: str | None = SIGNING_SECRET,
    ) -> None:
        super().__init__(now, webhook_secret, signing_secret, login)
        self.login = login
        self.tokens = {token: Token(login)}
        self._door = Door(self, self.tokens)
        self.wire = Wire(Starlette(routes=Routes(self, self._door).table()), now)
        self.app = self.wire
        self._server: Server | None = None

    def start(self, port: int = 0) -> GitLabStandIn:
        """Listen on 127.0.0.1:`port` (0: a free one). May be started again after `stop`; nothing is forgotten."""
        self._server = Server(self.app, port).start()
        self.shapes.url = self.hooks.instance = self._server.url
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def url(self) -> str:
        """The instance's base: pages (`web_url`) lie under it, and the API at /api/v4."""
        return self.shapes.url

    # --- webhooks -----------------------------------------------------------------------------------------------------

    @property
    def webhook_url(self) -> str | None:
        """Where every project's webhook goes; None: the projects have none, but what the API made."""
        return self.webhook_address

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        with self.lock:
            self.webhook_address = url
            for project in self.projects():
                self.hook_up(project)

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
        """Send a recorded delivery once more, with its own key; LookupError when there is none."""
        self.hooks.redeliver(delivery_id)

    def webhooks_settled(self, timeout: float = 10.0) -> bool:
        """Wait until all queued webhooks were sent and answered; False when `timeout` seconds did not do."""
        return self.hooks.settled(timeout)

    # --- rate limits --------------------------------------------------------------------------------------------------

    def limit(self, *, requests: int | None = None, issues: int | None = None, notes: int | None = None) -> None:
        """How many a minute before 429: of all requests, of new issues, of new notes. None: any number."""
        self._door.requests_per_minute = requests
        self._door.issues_per_minute = issues
        self._door.notes_per_minute = notes
