"""One view as it looks with certain contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.slack.views import Post

Made = Iterator[tuple[str, "Sample"]]
"""The samples of a room with their titles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    view: str  # the function that made it: "modal.flag_form"
    kind: str  # message | modal | home
    blocks: list[dict[str, Any]]
    text: str = ""  # of a message, where blocks are not shown
    frame: dict[str, Any]  # of a view, all but its blocks
    section: str = ""
    title: str = ""
    contents: str = ""  # ordinary | longest | hostile
    language: str = ""

    def placed(self, *, section: str, title: str, contents: str, language: str) -> Sample:
        return replace(self, section=section, title=title, contents=contents, language=language)

    @property
    def data(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def whole(self) -> Any:
        """As Slack gets it: a message's blocks, or a view."""
        return self.blocks if self.kind == "message" else {**self.frame, "blocks": self.blocks}


def show(make: Callable[..., Any], *given: Any, **more: Any) -> Sample:
    """What the view `make` makes of this: a message, a modal or a Home tab, as the thing itself tells."""
    made = make(*given, **more)
    view = f"{make.__module__.rpartition('.')[2]}.{make.__name__}"
    if isinstance(made, Post):
        return Sample(view=view, kind="message", blocks=made.blocks, text=made.text, frame={})
    if isinstance(made, list):  # blocks that stand under somebody else's message
        return Sample(view=view, kind="message", blocks=made, frame={})
    frame = {name: value for name, value in made.items() if name != "blocks"}
    return Sample(view=view, kind=str(made["type"]), blocks=made["blocks"], frame=frame)
