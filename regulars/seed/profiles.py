"""Made-up people as the base keeps them: who they are, how they came, what they agreed to, how often they come."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from loyalty import db
from loyalty.clock import business_date
from loyalty.conversations.channels import EMAIL, SMS, TELEGRAM, WHATSAPP
from loyalty.customers.rules import NEVER, Via, birthday_code, card_number_for
from regulars.seed.accounts import consents_of, wants_offers
from regulars.seed.life import Seeded
from regulars.seed.places import email_of
from regulars.seed.records import ZONE

TERMS_ON_PAPER = "2024-01"
NOTES = (
    "Любит овсяное молоко",
    "Аллергия на орехи, предупреждать бариста",
    "Просит не звонить, только писать",
    "Забирает заказы для офиса по пятницам",
)


async def write_people(made: list[Seeded], random: Random, now: datetime) -> None:
    """COPY the people of a chunk: profiles, facts, the way in, consents, notes, visits."""
    await db.copy_rows(
        "customer",
        [
            "id",
            "name",
            "phone",
            "phone_verified_at",
            "email",
            "card_number",
            "gender",
            "birthday",
            "language",
            "home_location_id",
            "created_at",
            "created_via",
            "created_by_id",
            "updated_at",
            "birthday_set_at",
            "referral_code",
        ],
        [
            (
                one.id,
                one.person.name,
                one.person.phone,
                _proven_at(one),
                email_of(one),
                card_number_for(one.id),
                one.person.gender,
                one.birthday,
                one.person.language,
                one.home.id,
                one.life.joined,
                _via(one),
                None if one.came_by_chat else one.home.cashier_id,
                one.life.joined,
                one.life.joined if one.birthday else None,
                one.referral_code,
            )
            for one in made
        ],
    )
    days = {one.id: _days(one) for one in made}
    facts = [_facts(one, days[one.id]) for one in made]
    await db.copy_rows("customer_facts", list(facts[0]), [tuple(row.values()) for row in facts])
    await db.copy_rows(
        "registration_step", ["customer_id", "step", "via", "at"], [row for one in made for row in _steps(one)]
    )
    await db.copy_rows(
        "consent",
        ["customer_id", "topic", "granted", "source", "text_version", "at"],
        [row for one in made for row in _consents(one, now)],
    )
    await db.copy_rows(
        "note",
        ["customer_id", "staff_id", "text", "created_at"],
        [
            (one.id, one.home.cashier_id, random.choice(NOTES), min(now, one.life.joined + timedelta(days=20)))
            for one in made
            if one.id % 20 == 0
        ],
    )
    await db.copy_rows(
        "customer_location",
        ["location_id", "customer_id", "visits", "last_visit_at"],
        [
            (location_id, one.id, len(moments), max(moment for of_day in moments.values() for moment in of_day))
            for one in made
            for location_id, moments in days[one.id].items()
        ],
    )


def _via(one: Seeded) -> str:
    return Via(one.accounts[0].channel).value if one.came_by_chat else Via.CASHIER.value


def _proven_at(one: Seeded) -> datetime | None:
    """When a messenger vouched for the phone; of a number that was typed, nobody did."""
    return next((at for account in one.accounts for step, at in account.moments if step == "phone"), None) and (
        one.accounts[0].linked_at
    )


def _steps(one: Seeded) -> Iterator[tuple[Any, ...]]:
    """Registration steps, as rows: what the bot keeps, and what a till does."""
    if not one.came_by_chat:
        yield one.id, "added", "cashier", one.life.joined
    for account in one.accounts:
        for step, at in account.moments:
            # A birthday that was not told is no step.
            if step != "birthday" or one.birthday is not None:
                yield one.id, step, account.channel, at
        yield one.id, "registered", account.channel, account.linked_at


def _consents(one: Seeded, now: datetime) -> Iterator[tuple[Any, ...]]:
    """Consents, as rows: chat and till ask for both topics, and hear the same."""
    wants_news = wants_offers(one.id)
    if not one.came_by_chat:
        yield one.id, "terms", True, "cashier", TERMS_ON_PAPER, one.life.joined
        yield one.id, "marketing", wants_news, "cashier", TERMS_ON_PAPER, one.life.joined
    yield from consents_of(one, now)


def _days(one: Seeded) -> dict[int, dict[Any, list[datetime]]]:
    """Location -> day -> moments of sales that still stand."""
    found: dict[int, dict[Any, list[datetime]]] = {}
    for receipt in one.life.receipts:
        if receipt.kind == "sale":
            days = found.setdefault(receipt.location_id, {})
            if receipt.refunded < receipt.total:
                days.setdefault(business_date(receipt.at, ZONE), []).append(receipt.at)
    return {location_id: days for location_id, days in found.items() if days}


def _facts(one: Seeded, days: dict[int, dict[Any, list[datetime]]]) -> dict[str, Any]:
    life = one.life
    sales = [receipt for receipt in life.receipts if receipt.kind == "sale" and receipt.refunded < receipt.total]
    signs = {"sale": 1, "refund": -1}
    reached = {account.channel for account in (*one.accounts, *one.places) if account.blocked_at is None}
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
        "visits": sum(len(moments) for moments in days.values()),
        "first_visit_at": min((receipt.at for receipt in sales), default=NEVER),
        "last_visit_at": max((receipt.at for receipt in sales), default=NEVER),
        "balance": life.balance,
        "debt": life.debt,
        **totals,
        "tier_id": life.standing.tier.id,
        "tier_until": life.standing.until,
        # The first sweep finds out how long it lasts.
        "tier_due_at": life.standing.until or (life.standing.moves[-1].at if life.standing.tier.id else None),
        "discount_bp": life.discount_bp,
        "birthday_code": birthday_code(one.birthday),
        "telegram": TELEGRAM in reached,
        "whatsapp": WHATSAPP in reached,
        "sms": SMS in reached,
        "email": EMAIL in reached,
    }
