"""Addresses that people give: of a service in the configuration, and of a ticket in what they paste. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

_NUMBER = re.compile(r"#?([0-9]{1,18})")
_SLACK_LINK = re.compile(r"<([^|>]+)(?:\|[^>]*)?>")


def origin(url: str, like: str) -> str:
    """Scheme and host of a service's address, whatever path was pasted with it; ValueError with a sentence."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"must look like {like}")
    return f"{parts.scheme}://{parts.netloc}"


def _bare(hosts: tuple[str, ...]) -> tuple[str, ...]:
    if not all(re.fullmatch(r"[\w-]+(\.[\w-]+)+", host) for host in hosts):
        raise ValueError("must be hosts alone, such as support.acme.com")
    return tuple(host.lower() for host in hosts)


Hosts = Annotated[tuple[str, ...], AfterValidator(_bare)]
"""Hosts as a configuration names them, in lower case."""


def number_in(reference: str, host: str, path: re.Pattern[str], also: Iterable[str] = ()) -> str | None:
    """The number that `4211`, `#4211` or an address at `host` names, also in a link as Slack writes it; else None.

    `path` matches an address's whole path, with the number in the one group that it fills; `also` names more hosts.
    """
    reference = plain(reference)
    found = _NUMBER.fullmatch(reference)
    if found is None:
        parts = split(reference)
        if parts is None or parts.netloc.lower() not in ("", host.lower(), *also):
            return None
        found = path.fullmatch(parts.path)
    number = int(next(filter(None, found.groups()), "0")) if found else 0
    return str(number) if number else None


def plain(reference: str) -> str:
    """What was pasted, without spaces around it, and not as a link that Slack made of it."""
    link = _SLACK_LINK.fullmatch(reference.strip())
    return link[1] if link else reference.strip()


def split(reference: str) -> SplitResult | None:
    """The parts of a web address, or of one without its https or its host; None for what is none."""
    try:
        parts = urlsplit(reference if "://" in reference or reference.startswith("/") else f"//{reference}")
    except ValueError:
        return None
    return parts if parts.scheme in ("", "http", "https") else None
