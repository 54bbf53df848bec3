"""The webhook inbox: an authentic delivery is stored once, answered, and read by the worker, however late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.bridge.core import Bridge
from bot.store import queries
from bot.store.tables import Delivery


def store(bridge: Bridge, source: str, sender_id: str, body_hash: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Store a delivery and promise to read it; False when the sender had delivered it before."""
    with bridge.store.write() as session:
        if queries.delivered(session, source, sender_id, body_hash):
            return False
        delivery = Delivery(
            source=source,
            sender_id=sender_id,
            body_hash=body_hash,
            headers=dict(headers),
            body=body,
            received_at=bridge.clock.now(),
            read_at=None,
        )
        session.add(delivery)
        session.flush()
        key = f"delivery:{delivery.id}:{body_hash[:16]}"
        bridge.promise(session, "delivery", key, key, delivery=delivery.id)
        return True


def readiness(bridge: Bridge) -> dict[str, Any]:
    """Whether work can be done and is being done: the schema's problem if any, and the age in seconds of the oldest
    effect that is due and undone."""
    problem = bridge.store.schema_problem()
    if problem:
        return {"schema": problem, "oldest_undone_effect_seconds": 0.0}
    now = bridge.clock.now()
    with bridge.store.read() as session:
        oldest = queries.oldest_due(session, now)
    return {"schema": "", "oldest_undone_effect_seconds": max(0.0, (now - oldest).total_seconds()) if oldest else 0.0}
