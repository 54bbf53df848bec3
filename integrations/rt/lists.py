"""RT's lists, read to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrations.base import Unavailable
from integrations.http import HttpClient, Params, dicts

PAGE = 100  # the most that one page holds


def page(http: HttpClient, path: str, params: Params) -> list[dict[str, Any]]:
    """One page of a list; Unavailable when the answer is none."""
    answer = http.get(path, {"per_page": PAGE, **params})
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        raise Unavailable(http.service, "its answer has no `items`; is `url` right?", maybe_done=False)
    return dicts(answer, "items")


def rows(http: HttpClient, path: str, params: Params, most: int = 100) -> Iterator[dict[str, Any]]:
    """All that a list holds, over at most so many pages. What we may not see is left out of a page, so only an empty
    one is the last for certain."""
    for at in range(1, most + 1):
        found = page(http, path, {**params, "page": at})
        if not found:
            return
        yield from found
