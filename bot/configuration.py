"""The sections of the YAML file as frozen models. What each option means stands in config/example.yaml.

Durations are seconds. A wrong value raises inside pydantic; `bot/reading.py` turns that into a finding.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bot import duty as turns
from bot.cron import trigger
from bot.hours import Hours, Span
from bot.model import Kind, Severity, Stage
from bot.options import (
    Address,
    Agents,
    Channel,
    Clock,
    Cron,
    Day,
    Duration,
    Emoji,
    Environment,
    Group,
    HalfDay,
    Label,
    Login,
    Name,
    Person,
    Repo,
    Weekdays,
    WorkingHours,
    WorkingTime,
    Zone,
    ZoneName,
    distinct,
    several,
)
from bot.reading import nearest, wrong


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


# --- the file's sections ----------------------------------------------------------------------------------------------


class Slack(_Model):
    channel: Channel = Field(description="the id of the channel where cards go, such as C0123ABCD")
    agents: tuple[Agents, ...] | None = None  # None: every full member
    leads: tuple[Person, ...] = ()
    language: Literal["en", "fr"] = "en"
    reaction: Emoji | None = None  # None: reactions are not looked at


class SignIn(_Model):
    """The dashboard, for those who sign in with Slack."""

    client_id: Annotated[str, Field(min_length=1)] = Field(description="the Slack app's client id")
    client_secret: Annotated[SecretStr, Field(min_length=1)] = Field(description="the Slack app's client secret")


class Web(_Model):
    public_url: Address = Field(description="the address under which others reach Passerelle, https://…")
    sign_in: SignIn | None = None  # None: the dashboard is served on this machine alone

    @field_validator("public_url")
    @classmethod
    def _without_path(cls, value: str) -> str:
        if re.search(r"/(slack/events|webhooks|sign-in)(/|$)", value):
            raise wrong(
                "goes on to one of Passerelle's own pages", "Write what stands before /slack/events, /webhooks/…."
            )
        return value


class Connection(_Model):
    """A tracker or helpdesk as configured: `config` is an instance of its adapter's own model."""

    kind: str
    config: BaseModel


class SupportDev(_Model):
    slack: Person = Field(description="the Support Dev's Slack member id, such as U0123ABCD")
    tracker: Login = Field(description="the Support Dev's login in the tracker")


class Duty(_Model):
    """How the turns go round, by the clocks of `timezone`."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    timezone: Zone = ZoneInfo("UTC")
    starts: Day = turns.FIRST_MONDAY  # the first day of the first Support Dev's turn
    handover: Clock = time(9)
    days: Weekdays = frozenset(range(5))  # on others no turn begins
    holidays: tuple[Day, ...] = ()  # nor on these
    group: Group | None = None  # kept in step
    everyone: tuple[HalfDay, ...] = ()  # half-days on which all of `team` are on duty
    team: tuple[Person, ...] = ()  # (): the project's Support Devs


class Project(_Model):
    key: Name = Field(description="a short name of your own, such as shop")
    name: Annotated[str, Field(min_length=1, max_length=75)] = Field(description="what people read, such as Web shop")
    tracker: str = Field(description="one of the names under `trackers`")
    repository: Repo = Field(description="owner/name")
    labels: tuple[Label, ...] = ("from-support",)
    channel: Channel | None = None  # None: slack.channel
    support_devs: Annotated[tuple[SupportDev, ...], Field(min_length=1)] = Field(
        description="at least one, such as [{slack: U0123ABCD, tracker: octocat}]"
    )
    rotation: Literal["none", "daily", "weekly"] = "none"
    duty: Duty | None = None
    shipped_when: Literal["merged", "released", "deployed"] = Field(description="merged, released or deployed")
    prereleases: bool = False
    tags: Annotated[str, Field(min_length=1)] = "*"  # of releases: which tags are this project's
    bare_tags: bool = False
    environment: Annotated[tuple[Environment, ...], BeforeValidator(several), distinct("")] = ()
    environments_needed: Literal["all", "any"] = "all"
    privacy: Literal["link_only", "redacted", "full"] = "redacted"
    issue_types: dict[Literal["bug", "tooling"], Annotated[str, Field(min_length=1, max_length=80)]] = Field(
        default_factory=dict
    )  # by kind, one of the tracker's own
    sync: bool = False  # thread and issue show all that is said on the other side

    @field_validator("tracker")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        trackers: tuple[str, ...] = (info.context or {}).get("trackers", (value,))
        if value not in trackers:
            raise wrong(
                "names no tracker of this file", nearest(value, trackers) if trackers else "Add it to `trackers`."
            )
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.shipped_when == "deployed" and not self.environment:
            raise wrong(
                "is shipped when deployed, and names no environment",
                "Add `environment: production`, spelt as the tracker's deployments have it.",
            )
        if self.shipped_when != "deployed" and self.environment:
            raise wrong(
                f"names an environment, but is shipped when {self.shipped_when}",
                "Write `shipped_when: deployed`, or take `environment` out.",
            )
        return self

    @property
    def takes_turns(self) -> bool:
        """Whether being on duty is kept here; else the first Support Dev has everything."""
        return self.rotation != "none" or self.duty is not None

    def rota(self) -> turns.Rota:
        """Whose turn it is."""
        kept = self.duty or Duty()
        return turns.Rota(
            people=tuple(dict.fromkeys(dev.slack for dev in self.support_devs)),
            every=self.rotation,
            starts=kept.starts,
            handover=kept.handover,
            zone=kept.timezone,
            days=kept.days,
            holidays=frozenset(kept.holidays),
            everyone=kept.everyone,
        )

    @property
    def team(self) -> tuple[str, ...]:
        """Who is on duty together when everyone is."""
        return (self.duty.team if self.duty else ()) or tuple(dict.fromkeys(dev.slack for dev in self.support_devs))


class Digest(_Model):
    """A scheduled summary: to a channel, to a person, or (of a queue) to each Support Dev."""

    name: Name = Field(description="a short name of your own, such as morning")
    about: Literal["unresolved", "queue", "causes"] = "unresolved"
    channel: Channel | None = Field(None, description="the id of the channel it is posted to")
    person: Person | None = None
    cron: Cron = Field(description='minute, hour, day, month, weekday: "0 9 * * mon-fri"')
    timezone: ZoneName = Field(description="an IANA name, such as Europe/Paris")
    language: Literal["en", "fr"] | None = None  # None: slack.language; a person's own where there is one
    days: Weekdays = frozenset(range(7))  # on others there is none
    holidays: tuple[Day, ...] = ()  # nor on these
    projects: tuple[Name, ...] = ()  # (): all
    severities: tuple[Severity, ...] = ()
    kinds: tuple[Kind, ...] = ()
    stages: tuple[Stage, ...] = ()
    team: tuple[Agents, ...] = ()  # of agents whose tickets count; (): everybody's

    def trigger(self) -> CronTrigger:
        """When it is due."""
        return trigger(self.cron, self.timezone)

    def falls_on(self, day: date) -> bool:
        """Whether there is one on that day, in its own zone."""
        return day.weekday() in self.days and day not in self.holidays

    @model_validator(mode="after")
    def _due(self) -> Self:
        if self.channel and self.person:
            raise wrong("names a channel and a person", "Leave one of the two out, or write two digests.")
        if not (self.channel or self.person or self.about == "queue"):
            raise wrong("names nobody who reads it", "Add `channel`, or `person`.")
        return self


class Reminders(_Model):
    """Nudges about one thing, in working time; what is left out is not reminded of."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    triage_after: WorkingTime | None = None  # nobody acknowledged the issue
    answer_after: WorkingTime | None = None  # nobody answered the Support Dev's question
    write_back_after: WorkingTime | None = None  # nobody wrote to the customer
    lead_after: WorkingTime = Span(days=1)  # then the leads hear it, where nothing happened
    working_hours: WorkingHours = (frozenset(range(5)), time(9), time(18))
    timezone: Zone = ZoneInfo("UTC")
    holidays: tuple[Day, ...] = ()

    def hours(self) -> Hours:
        """When people are reminded, and what counts as working time."""
        days, start, end = self.working_hours
        return Hours(start, end, days, self.timezone, frozenset(self.holidays))


class WriteBacks(_Model):
    """How each write-back is carried to its end."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    hold: bool = False  # tickets stand on hold in the helpdesk while they wait for a developer
    silent_after: Duration = 14 * 86400.0  # after that long, a customer's next word is not waited for
    reopen_within: Duration = 60 * 86400.0  # of an issue's end; later, "still broken" files a new one
    hand_over_after: WorkingTime | None = None  # of an agent's silence; None: only where they are away or gone
    away: tuple[Emoji, ...] = ("palm_tree", "face_with_thermometer")  # status emoji of somebody on leave


class Retention(_Model):
    deliveries: Duration = 30 * 86400.0
    customer_context: Duration = 180 * 86400.0


class Timing(_Model):
    timeout: Duration = 10.0  # of one call to a service
    lease: Duration = 60.0  # how long a worker holds an effect
    quiet: Duration = 30.0  # after an ambiguous end, before looking
    poll: Duration = 60.0  # between two looks at a tracker
    workers: Annotated[int, Field(ge=1, le=32)] = 4  # threads

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lease <= self.timeout or self.quiet <= self.timeout:
            raise wrong(
                "has a lease or a quiet period no longer than the timeout",
                "Make `lease` and `quiet` longer than `timeout`, or a call still under way could be made again.",
            )
        return self


class Configuration(_Model):
    """The YAML file. A feature is on if and only if its section exists."""

    slack: Slack = Field(description="a section with at least `channel`")
    web: Web | None = None
    trackers: Annotated[dict[Name, Connection], Field(min_length=1)] = Field(
        description='at least one, such as github: {kind: github, token: "${GITHUB_TOKEN}"}'
    )
    helpdesks: dict[Name, Connection] = Field(default_factory=dict)
    projects: Annotated[tuple[Project, ...], Field(min_length=1), distinct("key")] = Field(
        description="at least one; config/example.yaml shows it"
    )
    digests: Annotated[tuple[Digest, ...], distinct("name")] = ()
    reminders: Reminders | None = None  # None: nobody is reminded
    write_backs: WriteBacks = WriteBacks()
    retention: Retention = Retention()
    timing: Timing = Timing()

    @field_validator("digests")
    @classmethod
    def _of_projects(cls, value: tuple[Digest, ...], info: ValidationInfo) -> tuple[Digest, ...]:
        known = [one.key for one in info.data.get("projects", ())]
        for digest in value:
            for key in digest.projects:
                if known and key not in known:
                    raise wrong(f"names the project `{key}`, which is not in this file", nearest(key, known))
        return value

    @field_validator("helpdesks")
    @classmethod
    def _no_tracker(cls, value: dict[str, Connection], info: ValidationInfo) -> dict[str, Connection]:
        for name in sorted(set(value) & set(info.data.get("trackers", {}))):
            raise wrong(
                f"holds `{name}`, which is a tracker's name too", "Rename one: /webhooks/<name> needs one each."
            )
        return value
