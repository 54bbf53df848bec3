"""From the store's rows to what the views show. Reads relationships, so it runs inside a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot import privacy, shipping
from bot.changes import sign_of
from bot.configuration import Project
from bot.model import ENDS, MEANWHILE, OWED, News, Stage, WriteBack
from bot.slack import views
from bot.store.tables import Escalation, Issue, NewsItem, Round, Ticket, WriteBackRow

Name = Callable[[str], str]
"""From a person's Slack id to how we call them."""


def issue_name(issue: Issue) -> views.IssueName:
    label = f"{issue.repository}#{issue.number}" if issue.number is not None else ""
    return views.IssueName(title=issue.title, label=label, url=issue.url)


def ticket_name(ticket: Ticket) -> views.TicketName:
    helpdesk = (ticket.helpdesk or "").replace("_", " ").title()
    return views.TicketName(number=ticket.number or "", url=ticket.url, helpdesk=helpdesk)


def ticket_facts(ticket: Ticket, now: datetime) -> views.TicketFacts:
    """What an agent may read of a ticket: all of it."""
    return views.TicketFacts(
        ticket=ticket_name(ticket),
        subject=ticket.subject,
        customer=ticket.customer_name or ticket.customer_email,
        organisation=ticket.organisation,
        plan=ticket.plan,
        fields=tuple((name, value) for name, value in ticket.fields),
        language=ticket.language,
        waited=now - ticket.waiting_since,
        words=ticket.words,
        attachments=tuple(ticket.attachments),
        tags=tuple(ticket.tags),
    )


def proof(facts: Mapping[str, Any], name: Name = str) -> views.Proof:
    """What shows a fix, from its record (`shipping.proof`, a word, or why it is out no more)."""
    fixes, heads = facts.get("fixes") or [], [shipping.head_from(head) for head in facts.get("out") or ()]
    last, back = fixes[-1] if fixes else {}, facts.get("back") or {}
    versions = [head for head in heads if head.line == shipping.RELEASES]
    copies = [head.copies[last["sha"]] for head in heads if last and last["sha"] in head.copies]
    copy = copies[-1] if copies else ""
    return views.Proof(
        sha=last.get("sha", ""),
        sha_url=last.get("url", ""),
        pull=last.get("pull"),
        pull_url=last.get("pull_url", ""),
        copy=copy,
        copy_url=f"{last['url'].rpartition('/')[0]}/{copy}" if copy and last.get("url") else "",
        others=tuple(_fix_link(fix) for fix in fixes[:-1]),
        version=versions[-1].name if versions else "",
        version_url=versions[-1].url if versions else "",
        places=tuple(_where(head) for head in heads if shipping.environment_of(head.line)),
        word=facts.get("word", ""),
        by=name(facts["by"]) if facts.get("by") else "",
        back=back.get("why", ""),
        back_by=_where(shipping.head_from(back["head"])) if back.get("head") else None,
    )


def _fix_link(fix: Mapping[str, Any]) -> views.Link:
    named = f"{sign_of(fix.get('pull_url', ''))}{fix['pull']}" if fix.get("pull") else fix["sha"][:7]
    return views.Link(named, fix.get("pull_url") or fix.get("url", ""))


def _where(head: shipping.Head) -> views.Where:
    there = bool(shipping.environment_of(head.line))
    return views.Where(name=head.name, url=head.url, since=head.at if there else None, environment=there)


def news_line(news: NewsItem, name: Name = str) -> views.NewsLine:
    return views.NewsLine(
        news=news.kind,
        issue=issue_name(news.issue),
        reason=news.text,
        proof=proof(news.proof, name),
        by=name(news.by) if news.by and news.kind in MEANWHILE else "",
        answer_id=news.issue_id if news.kind is News.QUESTION and news.stands else "",
        note=news.issue.note if news.kind is News.SHIPPED and news.stands else "",
    )


def before(escalation: Escalation) -> views.Before:
    """How a settled issue of a ticket ended."""
    issue = escalation.issue
    return views.Before(issue=issue_name(issue), declined=issue.stage is Stage.DECLINED, version=version(issue))


def version(issue: Issue) -> str:
    """The release in which an issue shipped, as far as one proves it."""
    standing = _ends(issue)
    return proof(standing[-1].proof).version if standing else ""


def heard(escalation: Escalation) -> bool:
    """Whether this customer has heard the end as it stands now, or need not."""
    ends = [row for row in escalation.write_backs if row.news.stands and row.news.kind in ENDS]
    return bool(ends) and all(row.state not in OWED for row in ends)


def _ends(issue: Issue) -> list[NewsItem]:
    """The news of the issue's end that stands."""
    return [news for news in issue.news if news.stands and news.kind in ENDS]


def waiting(issue: Issue) -> list[Escalation]:
    """The escalations whose customers have not heard the end yet."""
    return [escalation for escalation in issue.escalations if not heard(escalation)]


def card(issue: Issue, project: Project | None, name: Name, now: datetime, *, elsewhere: bool = False) -> views.Card:
    left, other = waiting(issue), issue.successor
    asked = [news for news in issue.news if news.stands and news.kind is News.QUESTION]
    standing = _ends(issue)
    reason = standing[-1].text if standing and issue.stage is Stage.DECLINED else ""
    facts: Mapping[str, Any] = {"fixes": issue.fixes, "out": list(issue.out.values()), "back": issue.back}
    if standing and issue.stage is Stage.SHIPPED:
        facts = standing[-1].proof
    return views.Card(
        issue_id=issue.id,
        issue=issue_name(issue),
        stage=issue.stage,
        kind=issue.kind,
        severity=issue.severity,
        agents=tuple(dict.fromkeys(name(escalation.agent) for escalation in issue.escalations)),
        waiting=len(left),
        longest=max((now - escalation.ticket.waiting_since for escalation in left), default=None),
        waits_for=_missing(issue, project) if project else (),
        shipped_when=project.shipped_when if project else "released",
        proof=proof(facts, name),
        reason=reason,
        who=name(issue.support_dev) if issue.support_dev else "",
        stuck=issue.trouble,
        wanted=issue.wanted,
        elsewhere=elsewhere,
        any_place=project is not None and project.environments_needed == "any",
        joined=issue_name(other) if other else None,
        promised=issue.promised_on,
        question=_unnamed(issue, asked[-1].text) if asked else "",
    )


def _unnamed(issue: Issue, text: str) -> str:
    """A text without the names of the issue's customers: a card stands in a channel."""
    tickets = [escalation.ticket for escalation in issue.escalations]
    names = [name for one in tickets for name in (one.customer_name, one.customer_email, one.organisation) if name]
    return privacy.redact(text, names).text


def _missing(issue: Issue, project: Project) -> tuple[str, ...]:
    """The environments that a fix is still to reach."""
    places = {head["name"] for head in issue.out.values()}
    left = [name for name in project.environment if name not in places]
    return tuple(left)


def row(write_back: WriteBackRow, now: datetime) -> views.Row:
    return views.Row(
        write_back_id=write_back.id,
        facts=ticket_facts(write_back.escalation.ticket, now),
        state=write_back.state,
        reason=write_back.reason,
        noticed=write_back.noticed,
    )


def round_(item: Round, name: Name, now: datetime) -> views.Round:
    """One round as its agent sees it: by issue, their own customers with buttons, those they follow without."""
    grouped: dict[tuple[str, str], tuple[NewsItem, list[views.Row]]] = {}
    for hearing in item.hearings:
        escalation = hearing.escalation
        owner = "" if escalation.agent == item.agent else name(escalation.agent)
        _, rows = grouped.setdefault((hearing.news_id, owner), (hearing.news, []))
        mine = [one for one in escalation.write_backs if one.news_id == hearing.news_id]
        if mine:
            rows.append(row(mine[0], now))
        else:
            rows.append(views.Row(write_back_id="", facts=ticket_facts(escalation.ticket, now), state=WriteBack.HELD))
    issues = [
        views.RoundIssue(news=news_line(news, name), rows=tuple(rows), owner=owner)
        for (_, owner), (news, rows) in grouped.items()
    ]
    return views.Round(id=item.id, issues=tuple(sorted(issues, key=lambda issue: bool(issue.owner))))
