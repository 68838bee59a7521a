"""What owners do: endpoints made, switched on and off, removed; deliveries sent again."""

import secrets
from collections.abc import Collection
from datetime import datetime

from loyalty import db
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor, clean_name
from loyalty.webhooks.queries import delivery
from loyalty.webhooks.rules import Event, EventType, State, Topic, clean_url

ADD = """
INSERT INTO webhook_endpoint (name, url, topics, salt, is_active, given_up, created_at, created_by_id)
VALUES ($1, $2, $3::jsonb, $4, true, 0, $5, $6) RETURNING id
"""


@db.use_case
async def add_endpoint(
    name: str, url: str, topics: Collection[Topic], *, allow_local: bool, actor: Actor, now: datetime
) -> int:
    """Let a program listen; returns its id. Raises Invalid("name" | "url"), Invalid("topics", "required") for none."""
    called, address = clean_name(name), clean_url(url, allow_local=allow_local)
    if not topics:
        raise Invalid("topics", "required")
    listed = db.to_json(sorted(set(topics)))
    endpoint_id: int = await db.fetch_value(ADD, called, address, listed, _salt(), now, actor.staff_id)
    await write_journal(
        actor, "webhook.added", now=now, subject_kind="webhook", subject_id=endpoint_id, topics=sorted(set(topics))
    )
    return endpoint_id


@db.use_case
async def switch_endpoint(endpoint_id: int, *, on: bool, actor: Actor, now: datetime) -> None:
    """Tell a program again, or no more. Twice is once. Raises NotFound("webhook").

    What happens while it is off is never told to it; what was waiting goes on when it is on again.
    """
    if await _locked(endpoint_id) == on:
        return
    await db.execute(
        "UPDATE webhook_endpoint SET is_active = $2, given_up = 0, stopped_at = NULL WHERE id = $1", endpoint_id, on
    )
    await write_journal(
        actor,
        "webhook.switched_on" if on else "webhook.switched_off",
        now=now,
        subject_kind="webhook",
        subject_id=endpoint_id,
    )
    db.wake("webhooks")


@db.use_case
async def renew_secret(endpoint_id: int, *, actor: Actor, now: datetime) -> None:
    """Give an endpoint another secret; the old one signs nothing from the next call on. Raises NotFound("webhook")."""
    await _locked(endpoint_id)
    await db.execute("UPDATE webhook_endpoint SET salt = $2 WHERE id = $1", endpoint_id, _salt())
    await write_journal(actor, "webhook.secret_renewed", now=now, subject_kind="webhook", subject_id=endpoint_id)


@db.use_case
async def remove_endpoint(endpoint_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget an endpoint, and what was told to it. Raises NotFound("webhook")."""
    await _locked(endpoint_id)
    await db.execute("DELETE FROM webhook_endpoint WHERE id = $1", endpoint_id)
    await write_journal(actor, "webhook.removed", now=now, subject_kind="webhook", subject_id=endpoint_id)


TEST = """
WITH told AS (
    INSERT INTO webhook_event (key, type, data, at, is_spread)
    VALUES (gen_random_uuid(), $2, jsonb_build_object('endpoint_id', $1::int), $3::timestamptz, true) RETURNING id
)
INSERT INTO webhook_delivery (event_id, endpoint_id, state, attempts, due_at)
SELECT id, $1, 'due', 0, $3 FROM told RETURNING id
"""


@db.use_case
async def send_test(endpoint_id: int, *, now: datetime) -> int:
    """Tell one endpoint a `webhook.test`; returns the delivery.

    Raises NotFound("webhook"), Refused("webhook_is_off").
    """
    if not await _locked(endpoint_id):
        raise Refused("webhook_is_off")
    delivery_id: int = await db.fetch_value(TEST, endpoint_id, EventType.TEST.value, now)
    db.wake("webhooks")
    return delivery_id


@db.use_case
async def send_again(endpoint_id: int, delivery_id: int, *, now: datetime) -> Event:
    """Tell an event once more, whatever became of it, with all its tries before it. A delivery under way goes on.

    Raises NotFound("delivery").
    """
    chosen = await delivery(endpoint_id, delivery_id)
    await db.execute(
        "UPDATE webhook_delivery SET state = 'due', attempts = 0, due_at = $2"
        " WHERE id = $1 AND state IN ('done', 'failed', 'given_up')",
        delivery_id,
        now,
    )
    db.wake("webhooks")
    return chosen.event


@db.use_case
async def send_all_again(endpoint_id: int, *, actor: Actor, now: datetime) -> int:
    """Tell everything once more that did not arrive; returns how much. Raises NotFound("webhook")."""
    await _locked(endpoint_id)
    again = await db.fetch(
        "UPDATE webhook_delivery SET state = 'due', attempts = 0, due_at = $2"
        " WHERE endpoint_id = $1 AND state = ANY($3::text[]) RETURNING id",
        endpoint_id,
        now,
        [State.FAILED.value, State.GIVEN_UP.value],
    )
    if again:
        await write_journal(
            actor, "webhook.sent_again", now=now, subject_kind="webhook", subject_id=endpoint_id, count=len(again)
        )
    db.wake("webhooks")
    return len(again)


async def _locked(endpoint_id: int) -> bool:
    """Hold an endpoint; whether it is on."""
    row = await db.fetch_row("SELECT is_active FROM webhook_endpoint WHERE id = $1 FOR NO KEY UPDATE", endpoint_id)
    if row is None:
        raise NotFound("webhook")
    return bool(row["is_active"])


def _salt() -> str:
    return secrets.token_hex(16)
