"""Ready-made things for tests, made through the same doors as in the shop. `NOW` is a Tuesday at noon in Moscow."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.queries import HoldView
from loyalty.campaigns.actions.drafting import Chosen, add_draft
from loyalty.campaigns.actions.starting import launch_campaign, start_campaign
from loyalty.campaigns.rules.drafts import Acknowledgement, CampaignDraft, acknowledgement
from loyalty.conversations.content import Content
from loyalty.conversations.rules import CARD_OPEN
from loyalty.customers.actions.accounts import know_account, link_account
from loyalty.customers.actions.profile import add_customer
from loyalty.customers.queries import CustomerView
from loyalty.customers.rules import Profile, Via
from loyalty.ids import new_key
from loyalty.office.queries.verify import verify
from loyalty.receipts.actions.holds import place_hold
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.queries import quote_for
from loyalty.receipts.rules.sales import Quote, ReceiptDraft, ReceiptSource, Recorded
from loyalty.shop.queries import programme_at
from loyalty.shop.rules import Programme, Tier
from loyalty.staff.rules import COMMAND, Actor, ActorKind, Role
from loyalty.tasks.actions import add_task
from loyalty.tasks.rules import TaskDraft, TaskOrigin

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PROGRAMME = Programme(
    tiers=(Tier(0, "Base", 0, 500), Tier(1, "Silver", 10_000_00, 700), Tier(2, "Gold", 50_000_00, 1000))
)

EVERYBODY = Chosen()

_numbers = count(1)


async def a_location(*, name: str = "Tverskaya, 12", time_zone: str = "Europe/Moscow", burns: bool = True) -> int:
    """An open location; `burns`: it asks for no proof of presence."""
    location_id: int = await db.fetch_value(
        "INSERT INTO location (name, address, time_zone, burns_without_code, is_open, created_at)"
        " VALUES ($1, '', $2, $3, true, $4) RETURNING id",
        name,
        time_zone,
        burns,
        NOW,
    )
    return location_id


async def a_cashier(*, phone: str | None = None) -> Actor:
    """A person of the panel who serves customers."""
    staff_id = await db.fetch_value(
        "INSERT INTO staff_member (email, name, role, phone, sessions_from, is_active, created_at)"
        " VALUES ($1, 'Timur', 'cashier', $2, $3, true, $3) RETURNING id",
        f"cashier{next(_numbers)}@example.com",
        phone,
        NOW,
    )
    return Actor(ActorKind.STAFF, staff_id, phone)


async def a_colleague(role: Role = Role.MARKETER, *, name: str = "Marina", language: str | None = "en") -> Actor:
    """A person of the panel with an open account."""
    staff_id = await db.fetch_value(
        "INSERT INTO staff_member (email, name, role, language, sessions_from, is_active, created_at)"
        " VALUES ($1, $2, $3, $4, $5, true, $5) RETURNING id",
        f"colleague{next(_numbers)}@example.com",
        name,
        role.value,
        language,
        NOW,
    )
    return Actor(ActorKind.STAFF, staff_id)


def id_of(actor: Actor) -> int:
    """The account of somebody of the panel."""
    assert actor.staff_id is not None
    return actor.staff_id


async def a_task(
    title: str = "Call back",
    *,
    key: str | None = None,
    origin: TaskOrigin = TaskOrigin.HAND,
    actor: Actor = COMMAND,
    now: datetime = NOW,
    **more: Any,
) -> int:
    """An open task; `more` as the draft names it. Returns its id."""
    return await add_task(TaskDraft(title, **more), key=key or new_key(), origin=origin, actor=actor, now=now)


async def a_customer(
    *, name: str = "Мария Соколова", phone: str | None = None, birthday: date | None = None, bonuses: int = 0
) -> CustomerView:
    """Somebody with a phone of their own; `bonuses` (hundredths) were credited by hand at NOW."""
    number = phone or f"+7916{next(_numbers):07d}"
    profile = Profile(name, number, None, None, birthday, "ru", None)
    customer = await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=NOW)
    if bonuses:
        await adjust(customer.id, bonuses, "gift", key=new_key(), actor=COMMAND, now=NOW)
    return customer


async def a_programme(**changes: object) -> Programme:
    """Put a programme with these changes in force, over three tiers."""
    programme = replace(PROGRAMME, **changes)  # type: ignore[arg-type]
    await db.execute("UPDATE programme SET body = $1::jsonb", db.to_json(programme.to_body()))
    return await programme_at(NOW)


async def a_quote(
    customer_id: int, location_id: int, *, total: int, burn: int = 0, now: datetime = NOW, **more: Any
) -> Quote:
    """What a sale would move, as a till is told it."""
    draft = ReceiptDraft(ReceiptSource.TILL, location_id, "quote", customer_id, total, burn, **more)
    return await quote_for(draft, now=now)


async def a_sale(
    customer_id: int,
    location_id: int,
    total: int,
    *,
    burn: int = 0,
    key: str | None = None,
    actor: Actor = COMMAND,
    now: datetime = NOW,
    **more: Any,
) -> Recorded:
    """A recorded sale of `total` minor units; `more` as the draft names it."""
    draft = ReceiptDraft(ReceiptSource.TILL, location_id, key or new_key(), customer_id, total, burn, **more)
    return await record_receipt(draft, actor=actor, now=now)


async def a_hold(
    customer_id: int,
    location_id: int,
    total: int,
    amount: int,
    *,
    key: str | None = None,
    ask: bool = False,
    now: datetime = NOW,
    **more: Any,
) -> HoldView:
    """Bonuses set aside for a sale of `total`, or asked for in the chat."""
    draft = ReceiptDraft(ReceiptSource.API, location_id, key or new_key(), customer_id, total, amount, **more)
    return await place_hold(draft, ask=ask, actor=COMMAND, now=now)


async def assert_books_agree(*, now: datetime = NOW) -> None:
    """The whole ledger, computed again, says what the caches say."""
    proof = await verify(now=now)
    assert [difference.describe() for difference in proof.differences] == []


async def an_account(
    customer_id: int | None = None, *, name: str = "Мария", username: str | None = "maria", now: datetime = NOW
) -> int:
    """A Telegram account with an empty chat; its person's, when there is one."""
    address = str(next(_numbers) + 10**9)
    account = await know_account("telegram", address, name=name, username=username, language="ru", now=now)
    await db.execute(
        "INSERT INTO conversation (account_id, session, last_message_at) VALUES ($1, '{}', $2)", account.id, now
    )
    if customer_id is not None:
        await link_account(account.id, customer_id, actor=COMMAND, now=now)
    return account.id


async def a_message(
    account_id: int,
    text: str = "",
    *,
    kind: str = "text",
    status: str = "received",
    reason: str | None = None,
    content: Content | None = None,
    now: datetime = NOW,
) -> int:
    """A line of a chat, said by its person unless `status` is one of ours; returns its id."""
    is_heard = status == "received"
    message_id: int = await db.fetch_value(
        "INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, reason, priority,"
        " dedupe_key, created_at, due_at, sent_at, leased_until, attempts)"
        " SELECT id, customer_id, channel, $2, $3, $4::jsonb, $5, $6, 0, $7, $8, $9, $10, $11, 0 FROM messenger_account"
        " WHERE id = $1 RETURNING id",
        account_id,
        "in" if is_heard else "out",
        kind,
        db.to_json((content or Content(text=text)).to_body()),
        status,
        reason,
        None if is_heard else new_key(),
        now,
        None if is_heard else now,
        now if status in {"sent", "delivered", "read"} else None,
        now if status in {"leased", "sending"} else None,
    )
    return message_id


async def a_waiting_chat(account_id: int, text: str = "", *, kind: str = "text", now: datetime = NOW) -> None:
    """Its person said something that staff are to look at."""
    await a_message(account_id, text, kind=kind, now=now)
    await db.execute(
        "UPDATE conversation SET waiting_since = $2, heard_at = $2, last_message_at = $2, state = 'open',"
        " unread = unread + 1 WHERE account_id = $1",
        account_id,
        now,
    )


async def a_picture(account_id: int, body: bytes, *, mime: str, kind: str = "photo", now: datetime = NOW) -> int:
    """A stored picture or file of a chat; returns its id."""
    message_id = await a_message(account_id, kind=kind, now=now)
    media_id: int = await db.fetch_value(
        "INSERT INTO media (message_id, file_id, mime, size, body, state, due_at, attempts)"
        " VALUES ($1, 'f', $2, $3, $4, 'stored', $5, 1) RETURNING id",
        message_id,
        mime,
        len(body),
        body,
        now,
    )
    return media_id


async def an_open_card(customer_id: int, *, now: datetime = NOW) -> int:
    """The customer looks at their card in a new chat since `now`; returns the account."""
    account_id = await an_account(customer_id, now=now)
    message_id = await a_message(account_id, kind="card", status="sent", now=now)
    await db.execute(
        "INSERT INTO shown_card (message_id, customer_id, closes_at, due_at) VALUES ($1, $2, $3, $3)",
        message_id,
        customer_id,
        now + CARD_OPEN,
    )
    return account_id


async def a_campaign(
    draft: CampaignDraft,
    chosen: Chosen = EVERYBODY,
    *,
    working: Collection[str] = ("telegram", "whatsapp"),
    acknowledged: Acknowledgement | None = None,
    key: str | None = None,
    actor: Actor = COMMAND,
    now: datetime = NOW,
) -> int:
    """A campaign that was written, launched and, where its time has come, begun; its id."""
    campaign_id = await add_draft(draft, chosen, key=key or new_key(), actor=actor, now=now)
    said = acknowledged or acknowledgement("ru")
    await launch_campaign(campaign_id, said, working=working, actor=actor, now=now)
    await start_campaign(campaign_id, now=now)
    return campaign_id
