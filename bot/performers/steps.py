"""Effects of a workflow's step: flagging the ticket, and telling the workflow how it ended."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.bridge import steps
from bot.model import UserError
from bot.outbox import Job
from bot.performers.base import Base
from bot.store.tables import Escalation
from bot.texts import Say


class Step(Base):
    """`step:{execution}`: flag what the step asks for, once."""

    def perform(self, job: Job) -> str:
        self.in_time(job)
        try:
            return steps.carry_out(self.bridge, job.payload["draft"]).id
        except UserError as error:
            say = Say(self.bridge.settings.slack.language)
            self.chat.fail(job.payload["execution"], say(error.message, **error.names))
            return ""

    def settle(self, session: Session, job: Job, result: str) -> None:
        if result:
            escalation = session.get_one(Escalation, result)
            self._end(session, job, f"issue:{escalation.issue_id}", result)  # after the issue is filed

    def give_up(self, session: Session, job: Job, error: Exception) -> None:
        self._end(session, job, job.key, "")

    def _end(self, session: Session, job: Job, subject: str, escalation: str) -> None:
        execution = job.payload["execution"]
        key = f"step_done:{execution}:{int(job.since.timestamp())}"
        self.bridge.promise(session, "step_done", key, subject, execution=execution, escalation=escalation)


class StepDone(Base):
    """`step_done:{execution}`: the workflow goes on with the issue's address, or its people read why it cannot."""

    def perform(self, job: Job) -> bool:
        execution, say = job.payload["execution"], Say(self.bridge.settings.slack.language)
        with self.bridge.store.read() as session:
            escalation = session.get(Escalation, job.payload["escalation"]) if job.payload["escalation"] else None
            issue = escalation.issue if escalation else None
        if escalation is None or issue is None:
            self.chat.fail(execution, say("The ticket could not be flagged. Whoever operates Passerelle can see why."))
        elif issue.number is None:
            self.chat.fail(execution, say("The ticket is flagged, but its issue could not be filed yet."))
        else:
            self.chat.complete(execution, {"issue_url": issue.url, "escalation": escalation.id})
        return True
