"""Effects of the talk and of triage: what is said stands on both sides, and the tracker shows what was decided."""

from __future__ import annotations

import re

from sqlalchemy.orm import Session

from bot import issue_text, privacy
from bot.model import News, Stage
from bot.outbox import Job
from bot.performers.base import Base
from bot.slack import views
from bot.store import queries
from bot.store.tables import Issue, NewsItem
from bot.store.talk import Remark, Side
from bot.texts import Say
from integrations.base import Place, Unavailable


class Thread(Base):
    """`thread:{news or remark}`: what was said stands in the card's thread."""

    def look(self, job: Job) -> str | None:
        issue = self._issue(job)
        return self.chat.find_reply(issue.channel, issue.card_ts, job.key) if issue.card_ts else None

    def perform(self, job: Job) -> str:
        issue = self._issue(job)
        if not issue.card_ts:
            raise Unavailable("slack", "the issue has no card yet", maybe_done=False)
        post = self._post(job)
        if post is None:
            return ""
        self.in_time(job)
        return self.chat.post(issue.channel, post, job.key, thread_ts=issue.card_ts)

    def settle(self, session: Session, job: Job, result: str) -> None:
        if "remark" in job.payload:
            remark = session.get_one(Remark, job.payload["remark"])
            if remark.side is Side.ISSUE:
                remark.copy = result

    def _post(self, job: Job) -> views.Post | None:
        with self.bridge.store.read() as session:
            if "news" in job.payload:
                news = session.get_one(NewsItem, job.payload["news"])
                kind, by = news.kind, news.by
                text = privacy.redact(news.text, queries.customers(session, news.issue_id)).text
            else:
                remark = session.get_one(Remark, job.payload["remark"])
        if "remark" in job.payload:
            self.people.meet(remark.by)
            with self.bridge.store.read() as session:
                return None if remark.gone else said_post(self, session, remark)
        name = self.people.look_up(by).name if is_person(by) else by
        say = Say(self.bridge.settings.slack.language)
        return views.asked(say, name, text) if kind is News.QUESTION else views.way_around(say, name, text)

    def _issue(self, job: Job) -> Issue:
        with self.bridge.store.read() as session:
            return session.get_one(Issue, job.payload["issue"])


def said_post(self: Base, session: Session, remark: Remark) -> views.Post:
    """What was said, with the name of who said it; an answer calls who asked."""
    say, name = Say(self.bridge.settings.slack.language), self.people.name(session, remark.by)
    text = privacy.redact(remark.text, queries.customers(session, remark.issue_id)).text
    if remark.answers is None:
        return views.remark(say, name, text)
    question = session.get_one(NewsItem, remark.answers)
    asker = question.by
    if not is_person(asker):
        devs = self.bridge.project(question.issue.project).support_devs
        asker = next((dev.slack for dev in devs if dev.tracker.lower() == asker.lower()), "")
    return views.answered(say, name, text, asker)


def is_person(by: str) -> bool:
    """Whether somebody is named by a Slack id, not by a login."""
    return by[:1] in ("U", "W") and by.isalnum() and by.upper() == by


class Comment(Base):
    """`comment:{news or remark}`: what was said in Slack stands in the issue, with the name of who said it, as far as
    the project's policy lets it."""

    def look(self, job: Job) -> tuple[str, Issue] | None:
        issue, _ = self._read(job)
        found = self.bridge.tracker(issue).marked_comment(issue.repository, issue.number or 0, job.key)
        return (found.id, issue) if found else None

    def perform(self, job: Job) -> tuple[str, Issue]:
        issue, what = self._read(job)
        if issue.number is None:
            raise Unavailable(issue.tracker, "the issue is being filed in another project", maybe_done=False)
        written = comment_text(self, issue, what)
        if not written:
            return "", issue
        self.in_time(job)
        return self.bridge.tracker(issue).comment(issue.repository, issue.number, written, job.key).id, issue

    def settle(self, session: Session, job: Job, result: tuple[str, Issue]) -> None:
        copy, issue = result
        if "remark" in job.payload:
            remark = session.get_one(Remark, job.payload["remark"])
            remark.copy = copy
            remark.tracker, remark.repository, remark.number = issue.tracker, issue.repository, issue.number or 0

    def _read(self, job: Job) -> tuple[Issue, NewsItem | Remark]:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
            if "news" in job.payload:
                return issue, session.get_one(NewsItem, job.payload["news"])
            return issue, session.get_one(Remark, job.payload["remark"])


_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>")


def comment_text(self: Base, issue: Issue, what: NewsItem | Remark) -> str:
    """A comment's Markdown: who says what, after the policy of this moment; "" where nothing may be said by itself.
    Raises ServiceErrors."""
    policy, text, by = self.policy(issue), what.text, what.by
    kind = what.kind.value if isinstance(what, NewsItem) else "answer" if what.answers else "remark"
    if isinstance(what, Remark):
        if what.synced and policy in (privacy.Policy.PUBLIC, privacy.Policy.LINK_ONLY):
            return ""
        if what.answers is None:  # as Slack has it
            public = policy is privacy.Policy.PUBLIC
            text = self.people.in_words(_MENTION.sub("@…", text) if public else text)
    if not text:
        return ""
    name = self.people.look_up(by).name if is_person(by) else by
    with self.bridge.store.read() as session:
        customers = queries.customers(session, issue.id)
    say = Say(self.bridge.settings.slack.language)
    text = issue_text.worded(say, privacy.reason_leaving(text, customers, policy))
    return issue_text.said_comment(say, kind, privacy.agent_leaving(name, policy), text)


class Reword(Base):
    """`reword:{remark}`: what was edited or deleted on one side is so on the other. Doing it again changes nothing."""

    def perform(self, job: Job) -> bool:
        with self.bridge.store.read() as session:
            remark = session.get_one(Remark, job.payload["remark"])
            issue = session.get_one(Issue, remark.issue_id)
            post = said_post(self, session, remark)
        if not remark.copy:  # not brought over yet: it will be as it is now
            return False
        if remark.side is Side.ISSUE:
            if remark.gone:
                self.chat.delete(issue.channel, remark.copy)
            else:
                self.chat.update(issue.channel, remark.copy, post, f"thread:{remark.id}")
            return True
        tracker = self.bridge.trackers[remark.tracker]
        if remark.gone:
            tracker.delete_comment(remark.repository, remark.number, remark.copy)
            return True
        text = comment_text(self, issue, remark)
        if text:
            self.in_time(job)
            tracker.edit_comment(remark.repository, remark.number, remark.copy, text, f"comment:{remark.id}")
        return True


class Assign(Base):
    """`assign:{issue}`: the tracker shows who has the issue."""

    def perform(self, job: Job) -> bool:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
        devs = self.bridge.project(issue.project).support_devs
        logins = tuple(dev.tracker for dev in devs if dev.slack == issue.support_dev)
        tracker = self.bridge.tracker(issue)
        logins = tracker.assignable(issue.repository, logins)
        if not logins:
            return False
        self.in_time(job)
        tracker.assign(issue.repository, issue.number or 0, logins)
        return True


class Due(Base):
    """`due:{issue}`: the tracker shows what was promised for when, where it knows due dates."""

    def perform(self, job: Job) -> bool:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
        self.bridge.tracker(issue).due(issue.repository, issue.number or 0, issue.promised_on)
        return True


class Merge(Base):
    """`merge:{issue}:{other}:…`: the tracker closes the issue as a duplicate; the look that follows takes its customers
    along."""

    def perform(self, job: Job) -> bool:
        with self.bridge.store.read() as session:
            issue = session.get_one(Issue, job.payload["issue"])
            other = session.get_one(Issue, job.payload["other"])
        if issue.joined is not None or issue.stage in (Stage.SHIPPED, Stage.DECLINED) or other.number is None:
            return False
        place = Place(other.repository, other.number)
        self.in_time(job)
        self.bridge.tracker(issue).close_as_duplicate(issue.repository, issue.number or 0, place)
        return True

    def settle(self, session: Session, job: Job, result: bool) -> None:
        if result:
            self.bridge.look_at(session, session.get_one(Issue, job.payload["issue"]))
