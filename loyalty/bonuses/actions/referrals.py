"""Invitations: who came by whose, the gifts of both when the first purchase stands, and taking those back."""

from dataclasses import dataclass
from datetime import datetime

from loyalty import db, wording
from loyalty.bonuses.actions.once_only import Gift, give, person_hash, remember, tell_gift, was_given
from loyalty.bonuses.actions.taking_back import take_back
from loyalty.bonuses.rules import Source, earned_lot_dates
from loyalty.clock import business_date
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.customers.actions.profile import lock_customer
from loyalty.customers.queries import find_by_referral_code
from loyalty.shop.queries import programme_at, shop
from loyalty.shop.rules import Programme
from loyalty.staff.rules import Actor

# Whoever stands above $1 in the chain of invitations; UNION ends it even where the chain bites its tail.
ABOVE = """
WITH RECURSIVE above AS (
    SELECT referrer_id FROM referral WHERE invitee_id = $1
    UNION SELECT r.referrer_id FROM referral r JOIN above ON r.invitee_id = above.referrer_id
)
SELECT EXISTS (SELECT FROM above WHERE referrer_id = $2)
"""
BEGIN = """
INSERT INTO referral (invitee_id, referrer_id, created_at, state, reason)
VALUES ($1, $2, $3, CASE WHEN $4::text IS NULL THEN 'waiting' ELSE 'refused' END, $4)
ON CONFLICT (invitee_id) DO NOTHING RETURNING state
"""


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is the same for every invitation that a sweep looks at."""

    programme: Programme
    zone: str


@db.use_case
async def begin_referral(invitee_id: int, code: str, *, is_new: bool, now: datetime) -> bool:
    """Keep by whose invitation somebody has just registered; returns whether gifts may come of it.

    Before the welcome bonus, which leaves a trace of the person. What cannot be rewarded is kept with its reason: a
    circle, somebody the shop knew already (not `is_new`) or who was here before. One's own invitation and a code of
    nobody leave nothing. A person comes by one invitation, the first.
    """
    programme = await programme_at(now)
    if not programme.referral_bonus and not programme.referral_invitee_bonus:
        return False
    await lock_customer(invitee_id)
    referrer_id = await find_by_referral_code(code)
    if referrer_id is None or referrer_id == invitee_id:
        return False
    reason = await _why_not(invitee_id, referrer_id, is_new=is_new)
    return bool(await db.fetch_value(BEGIN, invitee_id, referrer_id, now, reason) == "waiting")


async def _why_not(invitee_id: int, referrer_id: int, *, is_new: bool) -> str | None:
    if await db.fetch_value(ABOVE, referrer_id, invitee_id):
        return "circle"
    if await db.fetch_value("SELECT EXISTS (SELECT FROM receipt WHERE customer_id = $1)", invitee_id):
        return "has_receipts"
    if not is_new:
        return "known_already"
    traces = "SELECT EXISTS (SELECT FROM once_only_bonus WHERE person = $1)"
    return "was_here_before" if await db.fetch_value(traces, await person_hash(invitee_id)) else None


# The receipts belong to a room above: read in SQL. Without a purchase there is nothing to look at.
BOUGHT = """
SELECT r.invitee_id FROM referral r JOIN customer_facts f ON f.customer_id = r.invitee_id
WHERE r.state = 'waiting' AND f.receipts > 0 ORDER BY r.invitee_id LIMIT $1
"""
FIRST = """
SELECT id, at FROM receipt WHERE customer_id = $1 AND kind = 'sale' AND refunded < total ORDER BY at, id LIMIT 1
"""  # index: receipt_customer
# Index: referral_due.
DUE = "SELECT invitee_id, referrer_id FROM referral WHERE state = 'due' AND due_at <= $1 ORDER BY due_at LIMIT $2"


async def settle_referrals(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Find first purchases of invited people and pay what is due; returns how many invitations moved on.

    Both are paid when the purchase is past its return period and stands; refunded before, the invitation waits for
    another. Safe to run twice, or by two processes at once. One transaction an invitation.
    """
    rules = _Rules(await programme_at(now), (await shop()).time_zone)
    moved = 0
    for row in await db.fetch(BOUGHT, limit):
        moved += await _make_due(row["invitee_id"], rules)
    for row in await db.fetch(DUE, now, limit):
        moved += await _pay(row["invitee_id"], row["referrer_id"], rules, actor=actor, now=now)
    return moved


@db.use_case
async def _make_due(invitee_id: int, rules: _Rules) -> int:
    """The first purchase decides when the gifts are due: when what it earned can be spent."""
    await lock_customer(invitee_id)
    first = await db.fetch_row(FIRST, invitee_id)
    if first is None:
        return 0
    due_at = earned_lot_dates(rules.programme, first["at"], rules.zone).activates_at
    made = await db.fetch_value(
        "UPDATE referral SET state = 'due', receipt_id = $2, due_at = $3"
        " WHERE invitee_id = $1 AND state = 'waiting' RETURNING 1",
        invitee_id,
        first["id"],
        due_at,
    )
    return made or 0


STANDING = """
SELECT r.state, r.due_at, s.refunded < s.total AS stands FROM referral r JOIN receipt s ON s.id = r.receipt_id
WHERE r.invitee_id = $1
"""


@db.use_case
async def _pay(invitee_id: int, referrer_id: int, rules: _Rules, *, actor: Actor, now: datetime) -> int:
    for one in sorted((invitee_id, referrer_id)):
        await lock_customer(one)
    # Read after the locks: another sweep may have paid, a refund may have taken the purchase back.
    referral = await db.fetch_row(STANDING, invitee_id)
    if referral is None or referral["state"] != "due" or referral["due_at"] > now:
        return 0
    if not referral["stands"]:
        await _set(invitee_id, "waiting")
        return 1
    person = await person_hash(invitee_id)
    reason = await _why_not_paid(person, referrer_id, rules, now)
    if reason is not None:
        await _set(invitee_id, "refused", reason=reason)
        return 1
    programme = rules.programme
    days = programme.referral_lifetime_days
    for_both = (
        (referrer_id, Gift(programme.referral_bonus, "referral", f"referral:{invitee_id}", Source.REFERRAL, days)),
        (invitee_id, Gift(programme.referral_invitee_bonus, "invited", f"invited:{invitee_id}", Source.REFERRAL, days)),
    )
    paid: list[int | None] = []
    for customer_id, gift in for_both:
        if not gift.amount:
            paid.append(None)
            continue
        entry_id, balance = await give(customer_id, gift, actor=actor, now=now, zone=rules.zone)
        await tell_gift(customer_id, gift, balance, now=now, zone=rules.zone)
        paid.append(entry_id)
    await remember(person, "referral", "", paid[1] or paid[0] or 0)
    await _set(invitee_id, "paid", entry_id=paid[0], invitee_entry_id=paid[1])
    return 1


# Index: referral_referrer.
PAID_SINCE = """
SELECT count(*) FROM referral r JOIN bonus_entry e ON e.id = coalesce(r.entry_id, r.invitee_entry_id)
WHERE r.referrer_id = $1 AND r.state = 'paid' AND e.business_date >= $2
"""


async def _why_not_paid(person: str, referrer_id: int, rules: _Rules, now: datetime) -> str | None:
    programme = rules.programme
    if not programme.referral_bonus and not programme.referral_invitee_bonus:
        return "switched_off"
    if await was_given(person, "referral"):
        return "was_here_before"
    first_of_month = business_date(now, rules.zone).replace(day=1)
    if programme.referral_cap_month:
        paid = await db.fetch_value(PAID_SINCE, referrer_id, first_of_month)
        if paid >= programme.referral_cap_month:
            return "cap_of_month"
    return None


async def _set(
    invitee_id: int,
    state: str,
    *,
    reason: str | None = None,
    entry_id: int | None = None,
    invitee_entry_id: int | None = None,
) -> None:
    await db.execute(
        "UPDATE referral SET state = $2::text, reason = $3, due_at = NULL, entry_id = $4, invitee_entry_id = $5,"
        " receipt_id = CASE WHEN $2::text = 'waiting' THEN NULL ELSE receipt_id END WHERE invitee_id = $1",
        invitee_id,
        state,
        reason,
        entry_id,
        invitee_entry_id,
    )


TAKEN_BACK = """
SELECT r.invitee_id, r.referrer_id FROM referral r JOIN receipt s ON s.id = r.receipt_id
WHERE r.state = 'paid' AND s.refunded = s.total ORDER BY r.invitee_id LIMIT $1
"""


async def undo_referrals(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Take back the gifts of invitations whose purchase was wholly refunded; returns how many were undone.

    A job and no part of the refund: the other customer must be locked too, and both by rising id.
    """
    rules = _Rules(await programme_at(now), (await shop()).time_zone)
    undone = 0
    for row in await db.fetch(TAKEN_BACK, limit):
        undone += await _undo(row["invitee_id"], row["referrer_id"], rules, actor=actor, now=now)
    return undone


@db.use_case
async def _undo(invitee_id: int, referrer_id: int, rules: _Rules, *, actor: Actor, now: datetime) -> int:
    for one in sorted((invitee_id, referrer_id)):
        await lock_customer(one)
    referral = await db.fetch_row(
        "SELECT state, entry_id, invitee_entry_id FROM referral WHERE invitee_id = $1", invitee_id
    )
    if referral is None or referral["state"] != "paid":
        return 0
    for entry_id in (referral["entry_id"], referral["invitee_entry_id"]):
        if entry_id is not None:
            await _take_back(entry_id, rules, actor=actor, now=now)
    await db.execute("UPDATE referral SET state = 'undone' WHERE invitee_id = $1", invitee_id)
    return 1


async def _take_back(entry_id: int, rules: _Rules, *, actor: Actor, now: datetime) -> None:
    """Take a gift back, and tell whoever had it."""
    key = f"referral_undone:{entry_id}"
    back = await take_back(
        entry_id, "referral_undone", key, policy=rules.programme.debt_policy, actor=actor, now=now, zone=rules.zone
    )
    recipient = await recipient_of(back.customer_id, "referral_undone") if back else None
    if back is None or recipient is None:
        return
    language = recipient.language
    values = {
        "amount": wording.bonuses_in_words(back.amount, language),
        "balance": wording.bonuses_in_words(max(0, back.balance), language),
    }
    await tell_customer(recipient, values, dedupe_key=key, now=now)
