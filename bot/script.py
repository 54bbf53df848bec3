"""The loop, played in the terminal with real calls."""

from __future__ import annotations

from bot.app import Passerelle
from integrations.sandbox.world import Sandbox


def tell(sandbox: Sandbox, bot: Passerelle) -> None:
    """Play every step and print what each person sees. Raises UserError at the first step that did not happen."""
    raise NotImplementedError
