"""What a tag's name says of a version: whether it is a pre-release, and which of two is the higher. Pure."""

from __future__ import annotations

import re

# "v1.0.0-rc.1", "2.0b3", "1.4.0-SNAPSHOT"; "1.2.3-4" and "v1-hotfix" are final
_PRERELEASE = re.compile(
    r"\d[-._]?(?:(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly|canary|next|milestone)(?![a-z])|[abcm][-._]?\d)",
    re.IGNORECASE,
)
_VERSION = re.compile(r"\d+(?:\.\d+)+")


def is_prerelease(tag: str) -> bool:
    """Whether the tag itself says so, as semantic versions and Python's do."""
    return bool(_PRERELEASE.search(tag))


def height(tag: str) -> tuple[list[int], bool, list[tuple[int, int, str]]]:
    """Versions in their natural order, a pre-release below what it leads to."""
    version = _VERSION.search(tag)
    numbers = [int(number) for number in (version[0].split(".") if version else re.findall(r"\d+", tag))]
    pieces = [(1, int(piece), "") if piece.isdigit() else (0, 0, piece) for piece in re.findall(r"\d+|\D+", tag)]
    return numbers, not is_prerelease(tag), pieces
