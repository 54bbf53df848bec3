"""What moved in a helpdesk since the last look, from a list of tickets by their last change. Pure but for that list.

Each look begins a little earlier than the last one ended, for what came into the list late, and leaves out what it told
already. Where times have whole seconds, a ticket can change again in the second of the last look: what stands at the
newest second is told in the next look again. So a ticket may be told twice, and none is missed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from integrations.base import Event, TicketTouched, Watch

EVER = datetime.fromtimestamp(0, UTC)

Touched = Mapping[str, datetime]
"""When each ticket was last changed, by its number."""


def look(
    watch: Watch, newest: Callable[[], datetime], changed: Callable[[datetime], tuple[Touched, bool]], late: timedelta
) -> tuple[list[Event], Watch]:
    """The tickets touched since `watch`. `newest` is when the last change was, `changed` what did since a time, oldest
    first, and whether there is more than it took: the next look then goes on from there, so it must always get further.

    `late` is how long a change may take to stand in the list.
    """
    if not watch.state.get("at"):
        return [], Watch({"at": newest().isoformat()})
    since = datetime.fromisoformat(watch.state["at"])
    told = {number: datetime.fromisoformat(at) for number, at in json.loads(watch.state.get("told", "{}")).items()}
    found, more = changed(since if "more" in watch.state else max(since - late, EVER))
    top = max([since, *found.values()])
    again = since if "again" in watch.state else None
    events = [TicketTouched(number) for number, at in found.items() if told.get(number) != at or at == again]
    kept = {number: at.isoformat() for number, at in {**told, **found}.items() if at >= top - late}
    state = {"at": top.isoformat(), "told": json.dumps(kept, sort_keys=True)}
    return list(events), Watch(state | ({"again": "yes"} if top > since else {}) | ({"more": "yes"} if more else {}))
