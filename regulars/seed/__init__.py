"""A coffee chain that never was: three locations, its people, and customers with two years behind them.

The lives are lived through the shop's own rules in memory and written by COPY, so thousands take seconds; the
same number of customers gives the same shop each time.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from loyalty import db
from loyalty.clock import business_date
from loyalty.customers.rules import NEVER, birthday_code, card_number_for
from loyalty.errors import Refused
from loyalty.ids import fingerprint
from loyalty.shop.actions import add_location, set_programme, update_location, update_shop
from loyalty.shop.queries import locations, programme_at
from loyalty.shop.rules import Programme, Tier
from loyalty.staff.actions import accept_invitation, invite
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import COMMAND, Role
from regulars.seed.life import ZONE, Life
from regulars.seed.names import MadeUp, people

DEMO_LOGINS = (
    ("olga@ladno.example", "coffee-for-olga", "owner"),
    ("marina@ladno.example", "coffee-for-marina", "marketer"),
    ("timur@ladno.example", "coffee-for-timur", "cashier"),
)
"""(e-mail, password, role) of people who may sign in to the demo."""

STAFF = (
    ("olga@ladno.example", "Ольга Котова", Role.OWNER, None),
    ("marina@ladno.example", "Марина Лис", Role.MARKETER, None),
    ("timur@ladno.example", "Тимур Алиев", Role.CASHIER, 0),
    ("sofia@ladno.example", "Софія Гнатюк", Role.CASHIER, 1),
    ("max@ladno.example", "Max Weber", Role.CASHIER, 2),
)
LOCATIONS = (
    ("Тверская, 12", "Москва, Тверская ул., 12", True),
    ("Покровка, 27", "Москва, ул. Покровка, 27", False),
    ("Парк Горького", "Москва, Крымский Вал, 9", False),
)
"""(name, address, whether a burn needs no proof of presence)."""

TIERS = (Tier(0, "Гость", 0, 500), Tier(1, "Свой", 10_000_00, 700), Tier(2, "Родной", 25_000_00, 1000))
YEARS_BACK = timedelta(days=730)
CHUNK = 5_000
NOTES = (
    "Любит овсяное молоко",
    "Аллергия на орехи, предупреждать бариста",
    "Просит не звонить, только писать",
    "Забирает заказы для офиса по пятницам",
)


@dataclass(slots=True)
class Seeded:
    """A made-up customer with everything that belongs to them."""

    id: int
    person: MadeUp
    birthday: Any
    home: int
    cashier_id: int
    life: Life


async def seed(customers: int, *, now: datetime, report: Callable[[str], None]) -> None:
    """Fill an empty base with the demo shop and `customers` people. Raises Refused("not_empty") for any other."""
    if await db.fetch_value("SELECT EXISTS (SELECT FROM customer)"):
        raise Refused("not_empty")
    began = now - YEARS_BACK
    programme = await _open_shop(began)
    staff = {member.email: member.id for member in await staff_list()}
    places = [
        (location.id, staff[email])
        for location in sorted(await locations(), key=lambda location: location.id)
        for email, _, _, index in STAFF
        if index is not None and LOCATIONS[index][0] == location.name
    ]
    random = Random(1840)
    counters = _Counters()
    for first in range(0, customers, CHUNK):
        count = min(CHUNK, customers - first)
        made = [
            _live(random, person, first + number + 1, places=places, programme=programme, now=now)
            for number, person in enumerate(people(random, count, first))
        ]
        await _write(made, counters, random, now)
        report(f"{first + count} of {customers} customers")
    await db.execute("SELECT setval('card_number_seq', $1)", customers)


async def _open_shop(began: datetime) -> Programme:
    """The chain, its locations, programme and people, as of two years ago, through the panel's own actions."""
    await update_shop(
        name="Ладно, кофе", currency="RUB", region="RU", language="ru", time_zone=ZONE, actor=COMMAND, now=began
    )
    opened = []
    for name, address, relaxed in LOCATIONS:
        place = await add_location(name=name, address=address, time_zone=ZONE, actor=COMMAND, now=began)
        if relaxed:
            await update_location(
                place.id, name=name, address=address, time_zone=ZONE, burns_without_code=True, actor=COMMAND, now=began
            )
        opened.append(place.id)
    passwords = {email: password for email, password, _ in DEMO_LOGINS}
    for email, name, role, index in STAFF:
        token = await invite(email, name, role, opened[index] if index is not None else None, actor=COMMAND, now=began)
        if email in passwords:
            await accept_invitation(token, passwords[email], now=began)
    programme = replace(await programme_at(began), tiers=TIERS, lifetime_months=6)
    await set_programme(programme, effective_from=began, actor=COMMAND, now=began)
    return programme


def _live(
    random: Random,
    person: MadeUp,
    customer_id: int,
    *,
    places: list[tuple[int, int]],
    programme: Programme,
    now: datetime,
) -> Seeded:
    began = now - YEARS_BACK
    favourite = random.choice(places)
    own = random.sample(places, len(places))
    own.sort(key=lambda place: place != favourite)
    # More people join as the word spreads.
    joined = began + (now - timedelta(hours=1) - began) * random.random() ** 0.7
    joined = joined.replace(microsecond=0)
    birthday = None
    if random.random() < 0.8:
        birthday = (now - timedelta(days=random.randint(16 * 365, 65 * 365))).date()
    life = Life(random, programme, own, joined)
    life.live(now)
    return Seeded(customer_id, person, birthday, *favourite, life)


class _Counters:
    """Ids given out so far."""

    def __init__(self) -> None:
        self.receipt = self.entry = self.lot = 0


async def _write(made: list[Seeded], counters: _Counters, random: Random, now: datetime) -> None:
    """Number a chunk in the order of time and COPY it, parents before children, in one transaction."""
    _number(made, counters)
    async with db.transaction():
        await _write_people(made, random, now)
        await _write_receipts(made)
        await _write_ledger(made)
        for table in ("customer", "receipt", "bonus_entry", "bonus_lot"):
            # Tables of ours, not words of a stranger.
            await db.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")  # noqa: S608


def _number(made: list[Seeded], counters: _Counters) -> None:
    for receipt in sorted((r for one in made for r in one.life.receipts), key=lambda receipt: receipt.at):
        counters.receipt += 1
        receipt.id = counters.receipt
    # The sort is stable: entries of one customer at one moment keep their order, and with it their balances.
    for entry in sorted((e for one in made for e in one.life.entries), key=lambda entry: entry.at):
        counters.entry += 1
        entry.id = counters.entry
        if entry.lot is not None:
            counters.lot += 1
            entry.lot.id = counters.lot


async def _write_people(made: list[Seeded], random: Random, now: datetime) -> None:
    await db.copy_rows(
        "customer",
        [
            "id",
            "name",
            "phone",
            "card_number",
            "gender",
            "birthday",
            "language",
            "home_location_id",
            "created_at",
            "created_via",
            "created_by_id",
        ],
        [
            (
                one.id,
                one.person.name,
                one.person.phone,
                card_number_for(one.id),
                one.person.gender,
                one.birthday,
                one.person.language,
                one.home,
                one.life.joined,
                "cashier",
                one.cashier_id,
            )
            for one in made
        ],
    )
    facts = [_facts(one) for one in made]
    await db.copy_rows("customer_facts", list(facts[0]), [tuple(row.values()) for row in facts])
    await db.copy_rows(
        "registration_step",
        ["customer_id", "step", "via", "at"],
        [(one.id, "added", "cashier", one.life.joined) for one in made],
    )
    await db.copy_rows(
        "consent",
        ["customer_id", "topic", "granted", "source", "text_version", "at"],
        [
            (one.id, topic, topic == "terms" or one.id % 5 != 0, "cashier", "2024-01", one.life.joined)
            for one in made
            for topic in ("terms", "marketing")
        ],
    )
    await db.copy_rows(
        "note",
        ["customer_id", "staff_id", "text", "created_at"],
        [
            (one.id, one.cashier_id, random.choice(NOTES), min(now, one.life.joined + timedelta(days=20)))
            for one in made
            if one.id % 20 == 0
        ],
    )
    await db.copy_rows(
        "customer_location",
        ["location_id", "customer_id", "visits", "last_visit_at"],
        [
            (location_id, one.id, len(days), max(moment for receipt_day in days.values() for moment in receipt_day))
            for one in made
            for location_id, days in _days(one).items()
        ],
    )


def _days(one: Seeded) -> dict[int, dict[Any, list[datetime]]]:
    """Location -> day -> moments of sales that still stand."""
    found: dict[int, dict[Any, list[datetime]]] = {}
    for receipt in one.life.receipts:
        if receipt.kind == "sale":
            days = found.setdefault(receipt.location_id, {})
            if receipt.refunded < receipt.total:
                days.setdefault(business_date(receipt.at, ZONE), []).append(receipt.at)
    return {location_id: days for location_id, days in found.items() if days}


def _facts(one: Seeded) -> dict[str, Any]:
    life = one.life
    sales = [receipt for receipt in life.receipts if receipt.kind == "sale" and receipt.refunded < receipt.total]
    signs = {"sale": 1, "refund": -1}
    totals = {"earned": 0, "burnt": 0, "expired": 0}
    for entry in life.entries:
        if entry.kind in ("burn", "restore_burn"):
            totals["burnt"] -= entry.amount
        elif entry.kind == "expire":
            totals["expired"] -= entry.amount
        else:
            totals["earned"] += entry.amount
    return {
        "customer_id": one.id,
        "created_at": life.joined,
        "sold": sum(signs[receipt.kind] * receipt.total for receipt in life.receipts),
        "paid": sum(signs[receipt.kind] * receipt.paid for receipt in life.receipts),
        "receipts": len(sales),
        "visits": sum(len(days) for days in _days(one).values()),
        "first_visit_at": min((receipt.at for receipt in sales), default=NEVER),
        "last_visit_at": max((receipt.at for receipt in sales), default=NEVER),
        "balance": life.balance,
        "debt": 0,
        **totals,
        "tier_id": life.tier_id,
        "birthday_code": birthday_code(one.birthday),
    }


async def _write_receipts(made: list[Seeded]) -> None:
    rows = sorted(((receipt, one.id) for one in made for receipt in one.life.receipts), key=lambda row: row[0].id)
    await db.copy_rows(
        "receipt",
        [
            "id",
            "kind",
            "source",
            "location_id",
            "external_id",
            "customer_id",
            "original_id",
            "total",
            "paid",
            "burnt",
            "earned",
            "refunded",
            "awards",
            "presence",
            "staff_id",
            "at",
            "business_date",
            "body_hash",
            "answer",
        ],
        [
            (
                r.id,
                r.kind,
                "till",
                r.location_id,
                f"seed-{r.id}",
                customer_id,
                r.original.id if r.original else None,
                r.total,
                r.paid,
                r.burnt,
                r.earned,
                r.refunded,
                db.to_json(r.awards),
                "relaxed" if r.burnt and r.kind == "sale" else None,
                r.staff_id,
                r.at,
                business_date(r.at, ZONE),
                r.body_hash(customer_id),
                db.to_json(r.answer()),
            )
            for r, customer_id in rows
        ],
    )
    await db.copy_rows(
        "tier_change",
        ["customer_id", "tier_id", "previous_tier_id", "receipt_id", "reason", "at"],
        [
            (one.id, tier_id, previous, receipt.id, "threshold", at)
            for one in made
            for at, tier_id, previous, receipt in one.life.tiers
        ],
    )


async def _write_ledger(made: list[Seeded]) -> None:
    entries = sorted(((entry, one) for one in made for entry in one.life.entries), key=lambda row: row[0].id)
    await db.copy_rows(
        "bonus_entry",
        [
            "id",
            "customer_id",
            "amount",
            "balance_after",
            "kind",
            "event",
            "operation_id",
            "actor_kind",
            "staff_id",
            "location_id",
            "receipt_id",
            "corrects_id",
            "at",
            "business_date",
        ],
        [
            (
                e.id,
                one.id,
                e.amount,
                e.balance_after,
                e.kind.value,
                e.event,
                f"seed:{e.id}",
                "staff" if e.staff_id else "job",
                e.staff_id,
                e.location_id,
                e.receipt.id if e.receipt else None,
                e.corrects.id if e.corrects else None,
                e.at,
                business_date(e.at, ZONE),
            )
            for e, one in entries
        ],
    )
    await db.copy_rows(
        "bonus_entry_comment", ["entry_id", "text"], [(e.id, e.comment) for e, _ in entries if e.comment is not None]
    )
    await db.copy_rows(
        "bonus_lot",
        ["id", "customer_id", "entry_id", "amount", "remaining", "activates_at", "expires_at", "source"],
        [
            (
                e.lot.id,
                one.id,
                e.id,
                e.lot.amount,
                e.lot.remaining,
                e.lot.activates_at,
                e.lot.expires_at,
                e.lot.source.value,
            )
            for e, one in entries
            if e.lot is not None
        ],
    )
    await db.copy_rows(
        "bonus_allocation",
        ["entry_id", "lot_id", "amount"],
        [(e.id, lot.id, part) for e, _ in entries for lot, part in e.taken],
    )
    await db.copy_rows(
        "once_only_bonus",
        ["person", "kind", "period", "entry_id"],
        [(fingerprint({"seed": one.id}), "welcome", "", one.life.entries[0].id) for one in made],
    )
