"""Gifts that a person gets once: for ever, or once a period."""

import hmac
from datetime import datetime

from loyalty import db
from loyalty.bonuses.actions.posting import NewLot, Posting, debt_of, post
from loyalty.bonuses.rules import Kind, Source, gift_lot_dates
from loyalty.customers.actions import lock_customer
from loyalty.errors import NotFound
from loyalty.shop.queries import programme_at, shop
from loyalty.staff.rules import Actor


async def person_hash(customer_id: int) -> str:
    """Who this is, for bonuses given once: a keyed hash of the phone, or of the id where there is no phone.

    It is the same again when the person was erased and comes back, and under any secret of the environment: its
    key lies in the base, with the hashes.
    """
    row = await db.fetch_row("SELECT c.phone, s.person_key FROM customer c, shop s WHERE c.id = $1", customer_id)
    if row is None:
        raise NotFound("customer")
    return hmac.new(row["person_key"], (row["phone"] or f"customer {customer_id}").encode(), "sha256").hexdigest()


@db.use_case
async def grant_welcome(customer_id: int, *, actor: Actor, now: datetime) -> int:
    """Give the welcome bonus, once per person for ever; returns what was given, 0 when it was given before."""
    programme, chain = await programme_at(now), await shop()
    if not programme.welcome_bonus:
        return 0
    await lock_customer(customer_id)
    person = await person_hash(customer_id)
    given = await db.fetch_value(
        "SELECT id FROM once_only_bonus WHERE person = $1 AND kind = 'welcome' AND period = ''", person
    )
    if given is not None:
        return 0
    amount = programme.welcome_bonus
    debt = -min(amount, await debt_of(customer_id))
    dates = gift_lot_dates(programme.welcome_lifetime_days, now, chain.time_zone)
    entry_id, _ = await post(
        Posting(
            customer_id,
            amount,
            Kind.GRANT,
            "welcome",
            f"welcome:{person}",
            actor,
            now,
            chain.time_zone,
            lot=NewLot(amount, dates, Source.WELCOME, repaid=-debt),
            debt=debt,
        )
    )
    await db.execute(
        "INSERT INTO once_only_bonus (person, kind, period, entry_id) VALUES ($1, 'welcome', '', $2)",
        person,
        entry_id,
    )
    return amount
