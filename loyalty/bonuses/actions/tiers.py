"""Tiers downwards and by hand. Upwards is the receipt's business, at once; here time passes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from loyalty import db, wording
from loyalty.bonuses.actions.manual import refuse_own_account
from loyalty.bonuses.queries import last_tier_warning, programme_versions, tier_parts
from loyalty.bonuses.rules import (
    LOOKED_AT_EVERY,
    TierStep,
    progress_at,
    rules_since,
    tier_outlook,
    tier_step,
)
from loyalty.clock import business_date, end_of_day
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.customers.actions.profile import lock_customer
from loyalty.customers.rules import NEVER
from loyalty.errors import Invalid
from loyalty.shop.queries import programme_at, shop
from loyalty.shop.rules import DAYS_AT_MOST, Programme, ShopView, Tier, TierBasis
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

# Index: customer_facts_tier_due.
DUE = "SELECT customer_id FROM customer_facts WHERE tier_due_at <= $1 ORDER BY tier_due_at LIMIT $2"

# Index: tier_change_customer.
STANDING = """
SELECT tier_id, tier_until, tier_due_at,
    (SELECT at FROM tier_change WHERE customer_id = $1 ORDER BY id DESC LIMIT 1) AS since
FROM customer_facts WHERE customer_id = $1
"""
MOVE = """
WITH facts AS (
    UPDATE customer_facts SET tier_id = $2::smallint, tier_until = $3::timestamptz, tier_due_at = $4::timestamptz
    WHERE customer_id = $1::bigint
)
INSERT INTO tier_change (customer_id, tier_id, previous_tier_id, staff_id, reason, at)
SELECT $1, $2, $5::smallint, $6::int, $7::text, $8::timestamptz WHERE $2 <> $5 OR $7 = 'by_hand'
"""


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is the same for every customer that a sweep looks at."""

    programme: Programme
    versions: list[tuple[datetime, Programme]]
    chain: ShopView


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a customer stands. tier_until: set by hand until then. since: their last change of tier."""

    tier_id: int
    tier_until: datetime | None
    tier_due_at: datetime | None
    since: datetime | None


async def review_tiers(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Look at the tiers that are due, of at most `limit` customers; returns how many fell, were warned or ended.

    A tier that the window no longer supports is kept for the programme's days of grace, told of before, and falls
    at the end of a local day to what the window supports. A tier by hand ends with its day. Safe to run twice, or
    by two processes at once. One transaction a customer.
    """
    due = await db.fetch(DUE, now, limit)
    if not due:
        return 0
    rules = _Rules(await programme_at(now), await programme_versions(now), await shop())
    done = 0
    for row in due:
        done += await _review(row["customer_id"], rules, actor=actor, now=now)
    return done


@db.use_case
async def set_tier(customer_id: int, tier_id: int, until: date, *, actor: Actor, now: datetime) -> None:
    """Give a tier by hand until the end of the local day `until`, whatever the window says.

    Raises Invalid("tier"), Invalid("until"), NotFound("customer"), Refused("own_account").
    """
    programme, chain = await programme_at(now), await shop()
    if tier_id not in {tier.id for tier in programme.tiers}:
        raise Invalid("tier", "unknown_choice")
    today = business_date(now, chain.time_zone)
    if until < today:
        raise Invalid("until", "in_the_past")
    if until > today + timedelta(days=DAYS_AT_MOST):
        raise Invalid("until", "too_large")
    await lock_customer(customer_id)
    await refuse_own_account(customer_id, actor)
    standing = await _standing(customer_id)
    ends_at = end_of_day(until, chain.time_zone)
    await db.execute(
        MOVE, customer_id, tier_id, ends_at, ends_at, standing.tier_id, actor.staff_id, "by_hand", now
    )  # fmt: skip
    await write_journal(
        actor,
        "tier.set",
        subject_kind="customer",
        subject_id=customer_id,
        now=now,
        tier=tier_id,
        tier_before=standing.tier_id,
        until=until.isoformat(),
    )


@db.use_case
async def clear_tier(customer_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a tier by hand back: from now on the window decides. Twice is once. Raises NotFound("customer")."""
    rules = _Rules(await programme_at(now), [], await shop())
    await lock_customer(customer_id)
    await refuse_own_account(customer_id, actor)
    standing = await _standing(customer_id)
    if standing.tier_until is None:
        return
    tier = await _supported(customer_id, rules, now)
    await _move(customer_id, standing, tier, "hand_ended", rules, actor=actor, now=now)
    await write_journal(
        actor,
        "tier.cleared",
        subject_kind="customer",
        subject_id=customer_id,
        now=now,
        tier=tier.id,
        tier_before=standing.tier_id,
    )


@db.use_case
async def follow_visits(customer_id: int, *, actor: Actor, now: datetime) -> None:
    """Where visits count, raise the tier that one without a receipt has reached; one that fell away the sweep looks at.

    Joins the caller's transaction, which holds the customer's lock. Twice is once; a tier by hand stays.
    """
    rules = _Rules(await programme_at(now), [], await shop())
    if rules.programme.tier_basis is not TierBasis.VISITS:
        return
    standing = await _standing(customer_id)
    by_hand = standing.tier_until is not None and standing.tier_until > now
    tier = await _supported(customer_id, rules, now)
    if tier.threshold > rules.programme.tier(standing.tier_id).threshold and not by_hand:
        await _move(customer_id, standing, tier, "threshold", rules, actor=actor, now=now)
    elif standing.tier_id:
        await _look_again(customer_id, now)


@db.use_case
async def _review(customer_id: int, rules: _Rules, *, actor: Actor, now: datetime) -> int:
    """Whether anything became of one customer's tier. Read after the lock: another sweep may have been here."""
    await lock_customer(customer_id)
    standing = await _standing(customer_id)
    if standing.tier_due_at is None or standing.tier_due_at > now:
        return 0
    if standing.tier_until is not None and standing.tier_until > now:
        await _look_again(customer_id, standing.tier_until)
        return 0
    is_known = standing.tier_id in {tier.id for tier in rules.programme.tiers}
    if standing.tier_until is not None or not is_known:
        reason = "window" if standing.tier_until is None else "hand_ended"
        tier = await _supported(customer_id, rules, now)
        await _move(customer_id, standing, tier, reason, rules, actor=actor, now=now)
        return 1
    return await _review_by_window(customer_id, standing, rules, actor=actor, now=now)


async def _review_by_window(
    customer_id: int, standing: _Standing, rules: _Rules, *, actor: Actor, now: datetime
) -> int:
    programme, zone = rules.programme, rules.chain.time_zone
    tier = programme.tier(standing.tier_id)
    parts = await tier_parts(customer_id, programme, now=now)
    held_since = max(standing.since or NEVER, rules_since(rules.versions, tier))
    outlook = tier_outlook(programme, tier, parts, now, zone, held_since=held_since)
    if outlook is None:
        await _look_again(customer_id, None)
        return 0
    recipient = await recipient_of(customer_id, "tier_falling")
    step, falls_on, due_at = tier_step(
        outlook,
        programme,
        now,
        zone,
        warned=await last_tier_warning(customer_id),
        can_be_told=recipient is not None,
    )
    if step is TierStep.FALL:
        supported = programme.tier_for(max(0, progress_at(parts, now)))
        await _move(customer_id, standing, supported, "window", rules, actor=actor, now=now)
        return 1
    if step is TierStep.WARN and recipient is not None:
        left = max(0, progress_at(parts, end_of_day(falls_on, zone)))
        key = f"tier_falling:{customer_id}:{falls_on.isoformat()}"
        values = _warning(tier, left, falls_on, rules, recipient.language)
        await tell_customer(recipient, values, dedupe_key=key, now=now)
    await _look_again(customer_id, min(due_at, now + LOOKED_AT_EVERY))
    return int(step is TierStep.WARN)


def _warning(tier: Tier, left: int, falls_on: date, rules: _Rules, language: str) -> dict[str, str]:
    """What the tier will be after `falls_on`, when the window holds `left`, and what would keep it."""
    missing, by_visits = tier.threshold - left, rules.programme.tier_basis is TierBasis.VISITS
    money = wording.money(missing, rules.chain.currency, rules.chain.exponent, language)
    return {
        "tier": tier.name,
        "to": rules.programme.tier_for(left).name,
        "until": wording.day(falls_on, language),
        "sum": "" if by_visits else money,
        "visits": wording.visits_in_words(missing, language) if by_visits else "",
    }


async def _supported(customer_id: int, rules: _Rules, now: datetime) -> Tier:
    """What the window supports at `now`."""
    parts = await tier_parts(customer_id, rules.programme, now=now)
    return rules.programme.tier_for(max(0, progress_at(parts, now)))


async def _move(
    customer_id: int, standing: _Standing, tier: Tier, reason: str, rules: _Rules, *, actor: Actor, now: datetime
) -> None:
    """Put a customer on a tier by the window; the next sweep finds out how long it lasts."""
    await db.execute(
        MOVE,
        customer_id,
        tier.id,
        None,
        None if tier == rules.programme.tiers[0] else now,
        standing.tier_id,
        actor.staff_id,
        reason,
        now,
    )


async def _look_again(customer_id: int, at: datetime | None) -> None:
    await db.execute("UPDATE customer_facts SET tier_due_at = $2 WHERE customer_id = $1", customer_id, at)


async def _standing(customer_id: int) -> _Standing:
    row = await db.fetch_row(STANDING, customer_id)
    assert row is not None, "the caller has locked the customer"
    return _Standing(**row)
