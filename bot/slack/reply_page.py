"""The page on which an agent writes back: the facts at once, then what was said in the helpdesk since."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.bridge import write_back as replies
from bot.bridge.core import Bridge
from bot.model import UserError
from bot.slack import shown, views
from bot.store.tables import WriteBackRow
from bot.texts import Say
from integrations.base import FollowsUp, ServiceError, Ticket

log = structlog.get_logger()

SHOWN = 6
"""How many messages since the flagging stand on the page, the latest."""

_PAGE = re.compile(r"([0-9a-f]+)(?::([0-9]{1,6}))?(?::(\S+))?")


def first(bridge: Bridge, say: Say, write_back_id: str) -> views.View:
    """The blank page beside the facts. Raises UserError where nothing can be written here."""
    with bridge.store.read() as session:
        row = replies.opened(bridge, session, write_back_id)
        return views.write_back(say, f"{row.id}:{row.tries}", _form(bridge, row))


def _form(bridge: Bridge, row: WriteBackRow) -> views.WriteBackForm:
    facts = shown.ticket_facts(row.escalation.ticket, bridge.clock.now())
    issue = row.escalation.issue
    return views.WriteBackForm(
        facts=facts,
        news=shown.news_line(row.news),
        reply=row.text,
        promised=issue.promised_on,
    )


def fill(bridge: Bridge, client: WebClient, say: Say, view_id: str, write_back_id: str) -> None:
    """Show how the ticket stands in the helpdesk now. Never repeated: the page is whole without it, and what it could
    not show is looked at before the reply goes out."""
    now = bridge.clock.now()
    try:
        with bridge.store.read() as session:
            row = replies.opened(bridge, session, write_back_id)
            ticket, form, since = row.escalation.ticket, _form(bridge, row), row.escalation.flagged_at
            page = f"{row.id}:{row.tries}"
        helpdesk = bridge.helpdesks[ticket.helpdesk or ""]
        found = helpdesk.ticket(ticket.place)
        # By the helpdesk's clock, where there is something to read it from: the next message is dated by it, too.
        page += f":{max((one.at for one in found.messages if one.public), default=now).isoformat()}"
        whole = replace(form, said=said(found, since), follow_up=_closed(found) and isinstance(helpdesk, FollowsUp))
        client.views_update(view_id=view_id, view=views.write_back(say, page, whole))
    except (UserError, ServiceError, SlackApiError, OSError) as error:
        log.info("page.not_filled", write_back=write_back_id, error=type(error).__name__)


def _closed(found: Ticket) -> bool:
    return found.status == "closed"


def said(found: Ticket, since: datetime) -> tuple[views.Said, ...]:
    """What customer and agents said to each other since then, the latest of it."""
    public = [one for one in found.messages if one.public and one.at > since]
    return tuple(views.Said(one.author, one.text, customer=one.role == "customer") for one in public[-SHOWN:])


def page(metadata: str) -> tuple[str, int, str]:
    """Which write-back a page is for, how many replies were tried before it was opened, and until when it shows the
    ticket (ISO 8601, "" where it does not); an id alone means none."""
    found = _PAGE.fullmatch(metadata)
    if found is None:
        return metadata.partition(":")[0], 0, ""
    return found[1], int(found[2] or 0), _moment(found[3] or "")


def _moment(text: str) -> str:
    try:
        return text if datetime.fromisoformat(text).tzinfo else ""
    except ValueError:
        return ""
