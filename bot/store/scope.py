"""What a report is about: which issues, and whose tickets."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bot.model import Kind, Severity, Stage
from bot.store.tables import Escalation, Issue


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for; empty is everything. `stages` are those at which issues are now."""

    projects: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    kinds: tuple[Kind, ...] = ()
    stages: tuple[Stage, ...] = ()
    agents: frozenset[str] | None = None  # Slack ids; None: everybody's tickets

    def issues(self) -> list[sa.ColumnElement[bool]]:
        """What holds of an issue that is meant."""
        named = (
            (Issue.project, self.projects),
            (Issue.severity, self.severities),
            (Issue.kind, self.kinds),
            (Issue.stage, self.stages),
        )
        return [Issue.joined.is_(None), *(column.in_(values) for column, values in named if values)]

    def escalations(self) -> list[sa.ColumnElement[bool]]:
        """What holds of an escalation that is meant, beside what holds of its issue."""
        theirs = [] if self.agents is None else [Escalation.agent.in_(sorted(self.agents))]
        return [Escalation.taken_off.is_(None), *theirs]
