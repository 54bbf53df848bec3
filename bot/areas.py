"""The areas that an issue belongs to: its project, the components that its labels name, and its other labels. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import NamedTuple

_COMPONENT = re.compile(r"(?i:component|area|module)\s*(?:::?|/)\s*(\S.*)")
"""`component:x`, `component: x`, `area/x`, and GitLab's scoped `module::x`."""


class Dimension(StrEnum):
    """By what issues are put together to an area."""

    PROJECT = "project"
    COMPONENT = "component"
    LABEL = "label"


class Named(NamedTuple):
    """An area by its name: a project's key, a component without its prefix, a label as it is written."""

    dimension: Dimension
    name: str

    @property
    def key(self) -> tuple[Dimension, str]:
        """The same for every spelling: trackers tell labels apart by their letters alone, not by their case."""
        return self.dimension, self.name.casefold()


def areas(project: str, labels: Iterable[str], own: Collection[str]) -> list[Named]:
    """The areas of an issue, each once. `own` are the labels that Passerelle puts on every issue of the project, which
    tell nothing."""
    left_out = {label.casefold() for label in own}
    found = [Named(Dimension.PROJECT, project)]
    for label in labels:
        if label.strip().casefold() in left_out:
            continue
        component = _COMPONENT.fullmatch(label.strip())
        found.append(
            Named(Dimension.COMPONENT, component[1].strip()) if component else Named(Dimension.LABEL, label.strip())
        )
    return list({one.key: one for one in reversed(found)}.values())[::-1]
