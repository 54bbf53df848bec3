"""Which adapters there are: the built-in ones, listed here, and those that other packages bring.

Another package brings one by an entry point in the group `passerelle.trackers` or `passerelle.helpdesks`, named by its
kind, that points to an `Adapter`. It is loaded only when the configuration names that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from integrations import freshdesk, github, gitlab, intercom, rt, zammad, zendesk
from integrations.base import Helpdesk, Tracker

Role = TypeVar("Role")


@dataclass(frozen=True, slots=True)
class Adapter(Generic[Role]):
    """A kind of service: its entry in the YAML, `kind` included, and how to make one.

    `make` takes the configured name, an instance of `config`, and the time-out of one call in seconds.
    """

    config: type[BaseModel]
    make: Callable[[str, Any, float], Role]


TRACKERS: Mapping[str, Adapter[Tracker]] = {
    "github": Adapter(github.Config, github.GitHub),
    "gitlab": Adapter(gitlab.Config, gitlab.GitLab),
}
HELPDESKS: Mapping[str, Adapter[Helpdesk]] = {
    "freshdesk": Adapter(freshdesk.Config, freshdesk.Freshdesk),
    "intercom": Adapter(intercom.Config, intercom.Intercom),
    "rt": Adapter(rt.Config, rt.RT),
    "zammad": Adapter(zammad.Config, zammad.Zammad),
    "zendesk": Adapter(zendesk.Config, zendesk.Zendesk),
}


def tracker(kind: str) -> Adapter[Tracker]:
    """The tracker adapter of that kind; LookupError with a sentence when there is none or it cannot be loaded."""
    return TRACKERS.get(kind) or _plugged_in("passerelle.trackers", kind, tuple(TRACKERS))


def helpdesk(kind: str) -> Adapter[Helpdesk]:
    """The helpdesk adapter of that kind; LookupError with a sentence when there is none or it cannot be loaded."""
    return HELPDESKS.get(kind) or _plugged_in("passerelle.helpdesks", kind, tuple(HELPDESKS))


def tracker_config(kind: str) -> type[BaseModel]:
    """The model of such a tracker's entry in the YAML; LookupError as `tracker`."""
    return tracker(kind).config


def helpdesk_config(kind: str) -> type[BaseModel]:
    """The model of such a helpdesk's entry in the YAML; LookupError as `helpdesk`."""
    return helpdesk(kind).config


def _plugged_in(group: str, kind: str, built_in: tuple[str, ...]) -> Adapter[Any]:
    points = entry_points(group=group)
    if kind not in points.names:
        raise LookupError(f"Write one of: {', '.join(sorted({*built_in, *points.names}))}.")
    try:
        adapter = points[kind].load()
    except (ImportError, AttributeError) as error:
        raise LookupError(f"Its package does not load ({type(error).__name__}); install it again.") from error
    if not isinstance(adapter, Adapter):
        raise LookupError("Its package's entry point is no adapter; ask its author for a newer version.")
    return adapter
