"""The sections of the YAML file as frozen models. What each option means stands in config/example.yaml.

Durations are seconds. A wrong value raises inside pydantic; `bot/reading.py` turns that into a finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bot import duty as turns
from bot.cron import trigger
from bot.reading import nearest, wrong


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


# --- small types ------------------------------------------------------------------------------------------------------


def _shape(pattern: str, problem: str, mend: str) -> AfterValidator:
    def hold(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise wrong(problem, mend)
        return value

    return AfterValidator(hold)


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: Any) -> float:
    if isinstance(value, float):
        return value
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", value.strip()) if isinstance(value, str) else None
    if found is None or float(found[1]) == 0:
        raise wrong("is not a duration", "Write a number and its unit: 250ms, 10s, 5m, 4h or 30d.")
    return float(found[1]) * _UNITS[found[2]]


def web_address(value: str) -> str:
    """`value` without a slash at its end, if it is https, or http on this machine alone; else what is wrong."""
    parts = urlsplit(value)
    loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise wrong("is not a safe address", "Write the whole address, starting with https://.")
    return value.rstrip("/")


_T = TypeVar("_T")


def _read(parse: Callable[[str], _T], mend: str) -> BeforeValidator:
    """What `parse` makes of the text; its ValueError, a clause, becomes a finding."""

    def hold(value: Any) -> Any:
        if isinstance(value, int | float):  # YAML reads 10:30 as a number
            raise wrong("is read as a number", "Put it between quotes.")
        try:
            return parse(value) if isinstance(value, str) else value
        except ValueError as error:
            raise wrong(str(error), mend) from None

    return BeforeValidator(hold)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is a time zone that does not exist") from None


Duration = Annotated[float, BeforeValidator(_seconds)]
Zone = Annotated[ZoneInfo, _read(_zone, "Write an IANA name, such as Europe/Paris.")]
Clock = Annotated[time, _read(turns.clock, 'Write hours and minutes between quotes, such as "09:00".')]
Weekdays = Annotated[frozenset[int], _read(turns.days, "Write days such as mon-fri, or mon,wed,fri.")]
HalfDay = Annotated[
    turns.Window,
    _read(turns.window, 'Write a weekday or a date, and hours: "thu 14:00-18:00" or "2026-06-04 09:00-13:00".'),
]
Address = Annotated[str, AfterValidator(web_address)]
_COPY = "Copy it from Slack: open its details; the id stands at the very end."
Channel = Annotated[str, _shape(r"[CG][A-Z0-9]{2,}", "is not a Slack channel's id (they start with C or G)", _COPY)]
Person = Annotated[
    str,
    _shape(
        r"[UW][A-Z0-9]{2,}",
        "is not a Slack member's id (they start with U or W)",
        "Copy it from Slack: open the profile, ⋮, Copy member ID.",
    ),
]
Agents = Annotated[
    str,
    _shape(
        r"[SCGUW][A-Z0-9]{2,}",
        "is not the id of a user group (S…), a channel (C…) or a member (U…)",
        "Copy the id from Slack; names and @handles do not work here.",
    ),
]
Group = Annotated[
    str,
    _shape(
        r"S[A-Z0-9]{2,}",
        "is not a user group's id (they start with S)",
        "Copy it from Slack: People, User groups, ⋮, Copy group ID.",
    ),
]
Name = Annotated[
    str,
    _shape(
        r"[a-z0-9][a-z0-9_-]{0,39}",
        "is not a short name",
        "Use at most 40 small letters, digits, - and _; it becomes part of addresses.",
    ),
]
Repo = Annotated[
    str,
    _shape(
        r"[^/\s:]+(/[^/\s:]+)+", "is not a repository's name", "Write owner/name, without https:// and without .git."
    ),
]
Login = Annotated[str, _shape(r"[^@\s]+", "is not a login", "Write the login alone, without @.")]
Emoji = Annotated[
    str, _shape(r"[a-z0-9_+'-]{1,100}", "is not an emoji's name", "Write its name alone, without colons: bug")
]
Label = Annotated[str, Field(min_length=1, max_length=50)]
Environment = Annotated[str, Field(min_length=1, max_length=255)]


def _several(value: Any) -> Any:
    """One name, or a list of them."""
    return (value,) if isinstance(value, str) else value


def _distinct(field: str) -> AfterValidator:
    """No two of the items have the same `field`; "": no two are the same."""

    def hold(items: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [getattr(item, field) if field else item for item in items]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise wrong(f"holds {f'the {field} ' if field else ''}`{twice[0]}` twice", "Give each one of its own.")
        return items

    return AfterValidator(hold)


# --- the file's sections ----------------------------------------------------------------------------------------------


class Slack(_Model):
    channel: Channel = Field(description="the id of the channel where cards go, such as C0123ABCD")
    agents: tuple[Agents, ...] | None = None  # None: every full member
    leads: tuple[Person, ...] = ()
    language: Literal["en", "fr"] = "en"
    reaction: Emoji | None = None  # None: reactions are not looked at


class Web(_Model):
    public_url: Address = Field(description="the address under which others reach Passerelle, https://…")


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
    starts: date = turns.FIRST_MONDAY  # the first day of the first Support Dev's turn
    handover: Clock = time(9)
    days: Weekdays = frozenset(range(5))  # on others no turn begins
    holidays: tuple[date, ...] = ()  # nor on these
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
    environment: Annotated[tuple[Environment, ...], BeforeValidator(_several), _distinct("")] = ()
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
    name: Name = Field(description="a short name of your own, such as morning")
    channel: Channel = Field(description="the id of the channel it is posted to")
    cron: str = Field(description='minute, hour, day, month, weekday: "0 9 * * mon-fri"')
    timezone: str = Field(description="an IANA name, such as Europe/Paris")

    def trigger(self) -> CronTrigger:
        """When it is due."""
        return trigger(self.cron, self.timezone)

    @model_validator(mode="after")
    def _due(self) -> Self:
        try:
            self.trigger()
        except ValueError as error:
            mend = 'Write, for example, cron: "0 9 * * mon-fri" and timezone: Europe/Paris.'
            raise wrong(str(error), mend) from None
        return self


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
    projects: Annotated[tuple[Project, ...], Field(min_length=1), _distinct("key")] = Field(
        description="at least one; config/example.yaml shows it"
    )
    digests: Annotated[tuple[Digest, ...], _distinct("name")] = ()
    retention: Retention = Retention()
    timing: Timing = Timing()

    @field_validator("helpdesks")
    @classmethod
    def _no_tracker(cls, value: dict[str, Connection], info: ValidationInfo) -> dict[str, Connection]:
        for name in sorted(set(value) & set(info.data.get("trackers", {}))):
            raise wrong(
                f"holds `{name}`, which is a tracker's name too", "Rename one: /webhooks/<name> needs one each."
            )
        return value
