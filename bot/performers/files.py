"""Effects of files: what a customer sent along goes to the issue, where policy lets it and the tracker takes files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from mimetypes import guess_type
from typing import TypeVar

from bot import issue_text, privacy
from bot.outbox import Job
from bot.performers.base import Base
from bot.performers.tracker import facts_of
from bot.privacy import Policy
from bot.store.tables import Escalation, Issue, Ticket
from bot.texts import Say
from integrations.base import (
    Attachment,
    Helpdesk,
    NotFound,
    Rejected,
    TakesFiles,
    Unauthorised,
    Unavailable,
)

T = TypeVar("T")

MOST = 10
"""Files of one ticket that are carried; the others are named."""

TINY = 5_000
"""Bytes: a smaller image is the logo in a signature, or a letter's ornament."""

TRIES = 6
"""Tries, over about a minute, after which a file that does not come is named instead."""


class FilesOfTicket(Base):
    """`files:{escalation}`: a comment shows what the customer sent, and names what could not be had. What was uploaded
    before a crash is uploaded again, and the first copy then stands in no comment; the comment is written once."""

    def perform(self, job: Job) -> bool:
        with self.bridge.store.read() as session:
            escalation = session.get_one(Escalation, job.payload["escalation"])
            issue, ticket = escalation.issue, escalation.ticket
            facts = privacy.leaving(facts_of(ticket, escalation), Policy.FULL)
        if issue.number is None:
            raise Unavailable(issue.tracker, "the issue is being filed in another project", maybe_done=False)
        tracker = self.bridge.tracker(issue)
        if escalation.taken_off is not None or not isinstance(tracker, TakesFiles) or not self._allowed(issue):
            return False
        if tracker.marked_comment(issue.repository, issue.number, job.key) is not None:
            return True
        helpdesk = self.bridge.helpdesks[ticket.helpdesk or ""]
        shown, left = self._brought(job, issue, tracker, helpdesk, sent(helpdesk, ticket))
        if not (shown or left) or not self._allowed(issue):
            return False
        say = Say(self.bridge.settings.slack.language)
        text = issue_text.files_comment(say, facts, shown, left)
        self.in_time(job)
        tracker.comment(issue.repository, issue.number, text, job.key)
        return True

    def _allowed(self, issue: Issue) -> bool:
        return self.policy(issue) is Policy.FULL

    def _brought(
        self, job: Job, issue: Issue, tracker: TakesFiles, helpdesk: Helpdesk, files: Sequence[Attachment]
    ) -> tuple[list[str], list[str]]:
        """The Markdown of the files that are with the tracker now, and the names of those that are not."""
        shown: list[str] = []
        left: list[str] = []
        for file in files:
            made: str | None = ""
            if len(shown) < MOST and (not shown or self._room(job)):
                made = self._bring(job, issue, tracker, helpdesk, file)
            if made:
                shown.append(made)
            elif made is not None:
                left.append(privacy.without_secrets(file.name).text)
        return shown, left

    def _room(self, job: Job) -> bool:
        """Whether the lease has time for another file; else it is named, so that all this comes to an end."""
        return self.bridge.clock.now() + 2 * timedelta(seconds=self.bridge.settings.timing.timeout) <= job.until

    def _bring(self, job: Job, issue: Issue, tracker: TakesFiles, helpdesk: Helpdesk, file: Attachment) -> str | None:
        """The Markdown that shows the file, "" for one that cannot be had, None for one that nobody misses."""
        try:
            content = asked(lambda: helpdesk.download(file))
            if is_ornament(file, len(content)):
                return None
            if not self._allowed(issue):  # asked for each: nothing goes to a project made public meanwhile
                return ""
            return tracker.attach(issue.repository, privacy.file_name(file.name), content)
        except (NotFound, Rejected, Unauthorised):
            return ""
        except Unavailable:
            if job.attempts < TRIES:
                raise
            return ""


def sent(helpdesk: Helpdesk, ticket: Ticket) -> list[Attachment]:
    """What the customer sent with the ticket, oldest first; nothing of a ticket that is gone, another's now, or spam.
    Raises ServiceErrors."""
    try:
        found = asked(lambda: helpdesk.ticket(ticket.place))
    except NotFound:
        return []
    if found.number != ticket.place or found.status == "spam":
        return []
    theirs = [file for message in found.messages if message.role == "customer" for file in message.attachments]
    return [file for file in dict.fromkeys(theirs) if not is_ornament(file, file.size)]


def is_ornament(file: Attachment, size: int) -> bool:
    """Whether it is an image too small to show anything; one of unknown size is not."""
    kind = file.content_type or guess_type(file.name)[0] or ""
    return kind.lower().startswith("image/") and 0 < size < TINY


def asked(ask: Callable[[], T]) -> T:
    """What the helpdesk answers. When it names a time to come back, that is not the tracker's, whose lane this is."""
    try:
        return ask()
    except Unavailable as error:
        raise Unavailable(error.service, error.detail, maybe_done=False) from error
