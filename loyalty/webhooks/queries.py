"""Reads of endpoints and of what became of telling them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.errors import NotFound
from loyalty.webhooks.rules import Event, State, Topic, Trouble

RECENT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class EndpointView:
    """Who listens, without their secret. `stopped_at`: we switched it off, because too much was given up.

    waiting: deliveries that will be tried, or tried again; failed: those of them that were tried in vain. lost: those
    given up.
    """

    id: int
    name: str
    url: str
    topics: frozenset[Topic]
    salt: str
    is_active: bool
    stopped_at: datetime | None
    created_at: datetime
    waiting: int
    failed: int
    lost: int


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One event on its way to one endpoint. `status` and `trouble` are of the last try; `due_at` of the next."""

    id: int
    endpoint_id: int
    state: State
    attempts: int
    due_at: datetime
    tried_at: datetime | None
    status: int | None
    trouble: Trouble | None
    event: Event


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Deliveries, newest first; `next_before` continues, None at the end."""

    deliveries: list[DeliveryView]
    next_before: int | None


# A handful of rows; the counts by webhook_delivery_endpoint.
ENDPOINTS = """
SELECT e.id, e.name, e.url, e.topics, e.salt, e.is_active, e.stopped_at, e.created_at, d.waiting, d.failed,
    d.lost
FROM webhook_endpoint e CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state IN ('due', 'leased', 'failed')) AS waiting,
        count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'given_up') AS lost
    FROM webhook_delivery WHERE endpoint_id = e.id
) d
"""

DELIVERY = """
SELECT d.id, d.endpoint_id, d.state, d.attempts, d.due_at, d.tried_at, d.status, d.trouble, e.key, e.type, e.at, e.data
FROM webhook_delivery d JOIN webhook_event e ON e.id = d.event_id
"""
# Index: webhook_delivery_endpoint, backwards.
DELIVERIES = f"""
{DELIVERY} WHERE d.endpoint_id = $1 AND ($2::bigint IS NULL OR d.id < $2) AND ($3::text IS NULL OR d.state = $3)
ORDER BY d.id DESC LIMIT $4
"""


async def endpoints() -> list[EndpointView]:
    """All of them, those that are switched off last."""
    return [_endpoint_view(row) for row in await db.fetch(f"{ENDPOINTS} ORDER BY e.is_active DESC, e.id DESC")]


async def endpoint(endpoint_id: int) -> EndpointView:
    """One of them. Raises NotFound("webhook")."""
    row = await db.fetch_row(f"{ENDPOINTS} WHERE e.id = $1", endpoint_id)
    if row is None:
        raise NotFound("webhook")
    return _endpoint_view(row)


async def deliveries(
    endpoint_id: int, *, state: State | None = None, before: int | None = None, limit: int = RECENT_LIMIT
) -> DeliveryPage:
    """What was told to an endpoint, newest first."""
    rows = await db.fetch(DELIVERIES, endpoint_id, before, state.value if state else None, limit + 1)
    shown = [_delivery_view(row) for row in rows[:limit]]
    return DeliveryPage(shown, shown[-1].id if len(rows) > limit else None)


async def delivery(endpoint_id: int, delivery_id: int) -> DeliveryView:
    """One of an endpoint's deliveries. Raises NotFound("delivery")."""
    row = await db.fetch_row(f"{DELIVERY} WHERE d.id = $1 AND d.endpoint_id = $2", delivery_id, endpoint_id)
    if row is None:
        raise NotFound("delivery")
    return _delivery_view(row)


def event_of(row: db.Row) -> Event:
    """The event in a row that has its columns."""
    return Event(key=row["key"].hex, type=row["type"], at=row["at"], data=db.from_json(row["data"]))


def _endpoint_view(row: db.Row) -> EndpointView:
    topics = frozenset(Topic(topic) for topic in db.from_json(row["topics"]))
    return EndpointView(**{**row, "topics": topics})


def _delivery_view(row: db.Row) -> DeliveryView:
    known: dict[str, Any] = {name: row[name] for name in ("id", "endpoint_id", "attempts", "due_at", "tried_at")}
    trouble = Trouble(row["trouble"]) if row["trouble"] else None
    return DeliveryView(**known, state=State(row["state"]), status=row["status"], trouble=trouble, event=event_of(row))
