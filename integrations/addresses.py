"""Addresses that people give: of a service in the configuration, and of a ticket in what they paste. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

_NUMBER = re.compile(r"#?([0-9]{1,18})")
_SLACK_LINK = re.compile(r"<([^|>]+)(?:\|[^>]*)?>")


def origin(url: str, like: str) -> str:
    """Scheme and host of a service's address, whatever path was pasted with it; ValueError with a sentence."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"must look like {like}")
    return f"{parts.scheme}://{parts.netloc}"


def number_in(reference: str, host: str, path: re.Pattern[str], also: Iterable[str] = ()) -> str | None:
    """The number that `4211`, `#4211` or an address at `host` names, also in a link as Slack writes it; else None.

    `path` matches an address's whole path, with the number in the one group that it fills; `also` names more hosts.
    """
    reference = reference.strip()
    link = _SLACK_LINK.fullmatch(reference)
    reference = link[1] if link else reference
    found = _NUMBER.fullmatch(reference)
    if found is None:
        parts = _split(reference)
        if parts is None or parts.netloc.lower() not in ("", host.lower(), *also):
            return None
        found = path.fullmatch(parts.path)
    number = int(next(filter(None, found.groups()), "0")) if found else 0
    return str(number) if number else None


def _split(reference: str) -> SplitResult | None:
    try:
        parts = urlsplit(reference if "://" in reference or reference.startswith("/") else f"//{reference}")
    except ValueError:
        return None
    return parts if parts.scheme in ("", "http", "https") else None
