"""The sandbox: Slack, GitHub, GitLab and a helpdesk on loopback with the story in them, and the page to play it on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from integrations.sandbox.page import Gallery, application
from integrations.sandbox.story import World
from integrations.sandbox.wire import Now, Server, utc_now


class Sandbox(World):
    """The four services, ready to play; `page_url` shows them side by side.

    `tickets`: a file of JSON lines `{subject, body, customer: {name, email}, language?}` to put in the helpdesk instead
    of the story's; ValueError names its first wrong line. `port`: the page's (0: a free one), the others are free ones.
    `limits`: whether the stand-ins refuse what the real services' rate limits would, and Slack waits three seconds for
    an answer, as it does; else ten, for a machine that is busy with other tests. `gallery`: what the page shows at
    `/gallery`; there is no such page without it.
    """

    def __init__(
        self,
        now: Now = utc_now,
        tickets: Path | None = None,
        port: int = 0,
        *,
        limits: bool = True,
        gallery: Gallery | None = None,
    ) -> None:
        super().__init__(now, tickets, limits=limits)
        self._gallery = gallery
        self._port = port
        self._page: Server | None = None

    def start(self) -> Sandbox:
        """Raises OSError when the page's port is taken; then nothing was started."""
        page = Server(application(self, self._gallery), self._port)
        self.slack.start()
        self.github.start()
        self.gitlab.start()
        self.zendesk.start()
        if self.story:
            self._talk()
        self._page = page.start()
        return self

    def stop(self) -> None:
        servers = [self.zendesk, self.gitlab, self.github, self.slack, *([self._page] if self._page else [])]
        with ThreadPoolExecutor(len(servers)) as at_once:
            list(at_once.map(lambda server: server.stop(), servers))
        self._page = None

    @property
    def page_url(self) -> str:
        """Where the demo page is, with a slash at the end."""
        if self._page is None:
            raise RuntimeError("the sandbox was not started")
        return f"{self._page.url}/"

    def environment(self) -> dict[str, str]:
        """The environment in which the bot works with this sandbox (see `config/demo.yaml`)."""
        identity = self.slack.workspace.identity
        return {
            "SLACK_BOT_TOKEN": identity.bot_token,
            "SLACK_APP_TOKEN": identity.app_token,
            "SLACK_SIGNING_SECRET": identity.signing_secret,
            "SLACK_API_URL": self.slack.api_url,
            "SANDBOX_GITHUB_URL": self.github.url,
            "SANDBOX_GITHUB_TOKEN": next(iter(self.github.tokens)),
            "SANDBOX_GITLAB_URL": self.gitlab.url,
            "SANDBOX_GITLAB_TOKEN": next(iter(self.gitlab.tokens)),
            "SANDBOX_ZENDESK_URL": self.zendesk.url,
            "SANDBOX_ZENDESK_TOKEN": self.zendesk.token,
        }

    def send_webhooks_to(self, bot_url: str) -> None:
        """Let trackers and helpdesk call the bot at `bot_url`, under the names that `config/demo.yaml` gives them."""
        self.dashboard = f"{bot_url.rstrip('/')}/"
        self.github.webhook_url = f"{bot_url.rstrip('/')}/webhooks/github"
        self.gitlab.webhook_url = f"{bot_url.rstrip('/')}/webhooks/gitlab"
        self.zendesk.webhook_url = f"{bot_url.rstrip('/')}/webhooks/zendesk"
