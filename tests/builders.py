"""Ready-made things for tests, made through the same doors as in the shop. `NOW` is a Tuesday at noon in Moscow."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count

from loyalty import db
from loyalty.bonuses.actions import adjust
from loyalty.customers.actions import add_customer
from loyalty.customers.queries import CustomerView
from loyalty.customers.rules import Profile, Via
from loyalty.ids import new_key
from loyalty.office.queries import verify
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.queries import till
from loyalty.receipts.rules import Quote, ReceiptDraft, ReceiptSource, Recorded, quote
from loyalty.shop.queries import programme_at
from loyalty.shop.rules import Programme, Tier
from loyalty.staff.rules import COMMAND, Actor, ActorKind

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PROGRAMME = Programme(
    tiers=(Tier(0, "Base", 0, 500), Tier(1, "Silver", 10_000_00, 700), Tier(2, "Gold", 50_000_00, 1000))
)

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


async def a_quote(customer_id: int, location_id: int, *, total: int, burn: int) -> Quote:
    """What a sale at NOW would move, as a till is told it."""
    return quote(await till(customer_id, location_id, now=NOW), total=total, burn=burn, now=NOW)


async def a_sale(
    customer_id: int,
    location_id: int,
    total: int,
    *,
    burn: int = 0,
    key: str | None = None,
    actor: Actor = COMMAND,
    now: datetime = NOW,
) -> Recorded:
    """A recorded sale of `total` minor units."""
    draft = ReceiptDraft(ReceiptSource.TILL, location_id, key or new_key(), customer_id, total, burn)
    return await record_receipt(draft, actor=actor, now=now)


async def assert_books_agree(*, now: datetime = NOW) -> None:
    """The whole ledger, computed again, says what the caches say."""
    proof = await verify(now=now)
    assert [difference.describe() for difference in proof.differences] == []
