"""Slack's limits on a chart, as its page "Data visualization block" documents them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

MOST = 2
"""Charts in one message."""

_PLOTTED = frozenset({"bar", "area", "line"})


def problems(block: Json) -> Iterator[tuple[str, str]]:
    """What Slack would refuse in a chart's block: where, as a JSON pointer in the block, and why."""
    yield from _text(block, "title", "", 50)
    chart = block.get("chart")
    kind = chart.get("type") if isinstance(chart, dict) else None
    if not isinstance(chart, dict):
        yield "", "missing required field: chart"
    elif kind == "pie":
        yield from _pie(chart)
    elif kind in _PLOTTED:
        yield from _plot(chart)
    else:
        yield "/chart/type", "must be pie, bar, area or line"


def _text(holder: Json, key: str, at: str, most: int, *, needed: bool = True) -> Iterator[tuple[str, str]]:
    value = holder.get(key)
    if value is None:
        if needed:
            yield at, f"missing required field: {key}"
    elif not isinstance(value, str) or not 0 < len(value) <= most:
        yield f"{at}/{key}", f"must be a string of 1 to {most} characters"


def _items(holder: Json, key: str, at: str, most: int) -> Iterator[tuple[str, str]]:
    value = holder.get(key)
    if not isinstance(value, list) or not 0 < len(value) <= most or not all(isinstance(one, dict) for one in value):
        yield f"{at}/{key}", f"must hold 1 to {most} objects"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pie(chart: Json) -> Iterator[tuple[str, str]]:
    if found := list(_items(chart, "segments", "/chart", 6)):
        yield from found
        return
    for i, segment in enumerate(chart["segments"]):
        at = f"/chart/segments/{i}"
        yield from _text(segment, "label", at, 20)
        if not _number(segment.get("value")) or segment["value"] <= 0:
            yield f"{at}/value", "must be greater than 0"


def _plot(chart: Json) -> Iterator[tuple[str, str]]:
    axes = chart.get("axis_config")
    categories = axes.get("categories") if isinstance(axes, dict) else None
    if not isinstance(axes, dict) or not isinstance(categories, list) or not 0 < len(categories) <= 20:
        yield "/chart/axis_config/categories", "must hold 1 to 20 labels"
        return
    if len(set(categories)) < len(categories) or not all(isinstance(one, str) and len(one) <= 20 for one in categories):
        yield "/chart/axis_config/categories", "must hold different labels of at most 20 characters"
    for name in ("x_label", "y_label"):
        yield from _text(axes, name, "/chart/axis_config", 50, needed=False)
    if found := list(_items(chart, "series", "/chart", 6)):
        yield from found
        return
    if len({one.get("name") for one in chart["series"]}) < len(chart["series"]):
        yield "/chart/series", "must have different names"
    for i, series in enumerate(chart["series"]):
        at = f"/chart/series/{i}"
        yield from _text(series, "name", at, 20)
        yield from _items(series, "data", at, 20)
        points = [one for one in series.get("data") or [] if isinstance(one, dict)]
        if [one.get("label") for one in points] != categories:
            yield f"{at}/data", "must have a point for each category, in their order"
        if not all(_number(one.get("value")) for one in points):
            yield f"{at}/data", "must have numbers for values"
