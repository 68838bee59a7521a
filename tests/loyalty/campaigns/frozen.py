"""A campaign as its rows lie in the base once it has run: people, what became of their messages, a control group."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loyalty import db
from loyalty.ids import new_key
from tests.builders import NOW, a_customer, a_message, an_account

CAMPAIGN = """
INSERT INTO campaign (key, name, topic, texts, channels, state, acknowledged_version, acknowledged_language,
    acknowledged_text, created_at, resumed_at, resumed_from, started_at, finished_at, place, total, skipped, queued,
    sent, delivered, read, failed, unknown, cancelled, counted_at, control_bp, control, window_days, bonus, bonus_days,
    buttons)
VALUES ($1, 'Come in', 'marketing', '{"ru": "Ждём"}', 'telegram', $2, 1, 'ru', '', $3, $3, 0, $3, $4, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, $3, 5000, 0, $5, $6, $7, $8::jsonb) RETURNING id
"""
PERSON = """
INSERT INTO recipient (campaign_id, customer_id, state, reason, account_id, message_id) VALUES ($1, $2, $3, $4, $5, $6)
"""
COUNT = """
UPDATE campaign SET total = found.total, skipped = found.skipped, control = found.control
FROM (SELECT count(*) AS total, count(*) FILTER (WHERE state = 'skipped') AS skipped,
    count(*) FILTER (WHERE state = 'control') AS control FROM recipient WHERE campaign_id = $1) found WHERE id = $1
"""


async def a_campaign(
    *,
    state: str = "finished",
    at: datetime = NOW,
    window: int = 7,
    bonus: int = 0,
    bonus_days: int = 0,
    buttons: Sequence[str] = (),
) -> int:
    """One that began at a moment and, if it has ended, did so an hour later. buttons: where each of them leads."""
    links = [{"kind": "link", "labels": {"ru": "Меню"}, "url": url} for url in buttons]
    ended = at + timedelta(hours=1) if state in {"finished", "cancelled"} else None
    campaign_id: int = await db.fetch_value(
        CAMPAIGN, new_key(), state, at, ended, window, bonus, bonus_days, db.to_json(links)
    )
    return campaign_id


async def chat_of(customer_id: int) -> int:
    """Where they are written to, which is not their phone; a new chat of theirs where there was none."""
    found: int | None = await db.fetch_value(
        "SELECT min(id) FROM messenger_account WHERE customer_id = $1 AND channel NOT IN ('sms', 'email')", customer_id
    )
    return found or await an_account(customer_id)


async def a_recipient(
    campaign_id: int,
    status: str = "sent",
    *,
    customer_id: int | None = None,
    reason: str | None = None,
    at: datetime = NOW,
    has_bonus: bool = False,
) -> int:
    """Somebody of it: `control`, `skipped`, `waiting`, or with a message of this status; returns the customer.

    has_bonus: their bonus is due where it was sent.
    """
    person = (await a_customer()).id if customer_id is None else customer_id
    account_id = await chat_of(person)
    message_id, state = None, status
    if status not in {"control", "skipped", "waiting"}:
        message_id = await a_message(account_id, "Ждём", kind="bulk", status=status, now=at)
        await db.execute("UPDATE message SET topic = 'marketing' WHERE id = $1", message_id)
        is_open = status in {"queued", "delayed", "leased", "sending"}
        is_due = has_bonus and status in {"sent", "delivered", "read", "unknown"}
        state = "queued" if is_open else "due" if is_due else "done"
    whom = None if state == "skipped" else account_id
    await db.execute(PERSON, campaign_id, person, state, reason, whom, message_id)
    await db.execute(COUNT, campaign_id)
    return person
