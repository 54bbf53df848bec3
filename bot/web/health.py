"""The page that shows how the house itself is, and what an operator can do about what was given up."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from bot import outbox
from bot.bridge.core import Bridge
from bot.model import UserError
from bot.store import condition
from bot.store.tables import Effect, EffectState
from bot.web.asked import Paging, Refused
from bot.web.pages import ROWS, Facts, Look
from bot.web.visitor import Visitor

log = structlog.get_logger()

ACTS = {"retry": outbox.retry, "drop": outbox.drop}


def health(look: Look) -> Facts:
    """Deliveries, effects, dead letters, lanes, looks at the trackers, and what happened by the clock."""
    session, now = look.session, look.bridge.clock.now()
    piles = condition.piles(session)
    count = sum(pile.count for pile in piles if pile.state is EffectState.DEAD)
    paging = Paging(look.asked.page(), ROWS, count).held()
    return {
        "deliveries": condition.deliveries(session),
        "piles": piles,
        "finished": condition.finished(session),
        "dead": condition.dead(session, ROWS, (paging.page - 1) * ROWS) if count else [],
        "paging": paging,
        "about": about,
        "projects": {project.key: project.name for project in look.bridge.settings.projects},
        "lanes": condition.closed(session, now),
        "looks": condition.looks(session),
        "slots": condition.slots(session),
    }


def about(effect: Effect) -> str:
    """The id of the issue that an effect is about, "" where it is about none."""
    return str(effect.payload.get("issue") or "")


def mend(bridge: Bridge, visitor: Visitor, effect_id: str, act: str) -> None:
    """Retry or drop a dead letter, for somebody who may. Raises Refused."""
    if not visitor.may_mend:
        raise Refused(
            403, UserError("Only Support Devs and leads retry and drop dead letters. Ask one of them to do it.")
        )
    if not (effect_id.isascii() and effect_id.isdigit() and len(effect_id) < 19 and act in ACTS):
        raise Refused(404, UserError("There is no such dead letter any more."))
    with bridge.store.write() as session:
        _still_dead(session, int(effect_id))
        try:
            effect = ACTS[act](session, bridge.clock, int(effect_id))
        except UserError as error:
            raise Refused(409, error) from error
        kind, key = effect.kind, effect.key
    log.info("dead_letter.mended", act=act, effect=int(effect_id), kind=kind, key=key, by=visitor.known_as)


def _still_dead(session: Session, effect_id: int) -> None:
    """Two people may look at the same page."""
    effect = session.get(Effect, effect_id, with_for_update=True)
    if effect is None:
        raise Refused(404, UserError("There is no such dead letter any more."))
    if effect.state is not EffectState.DEAD:
        raise Refused(409, UserError("Somebody dealt with it already. Look at the page again."))
