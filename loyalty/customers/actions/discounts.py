"""Personal discounts by hand: given, taken away, and given back as they were."""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.profile import lock_customer, tell_change
from loyalty.customers.models import CustomerFacts
from loyalty.customers.queries import customer
from loyalty.errors import Invalid, Refused
from loyalty.money import WHOLE_BP
from loyalty.staff.actions import write_journal
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import Actor

SET = "discount.set"
DISCOUNTS = """
WITH former AS (
    SELECT customer_id, discount_bp, discount_rule_id FROM customer_facts WHERE customer_id = ANY($1::bigint[])
), changed AS (
    UPDATE customer_facts f SET discount_bp = part.share, discount_rule_id = 0
    FROM unnest($1::bigint[], $2::int[]) part (id, share)
    WHERE f.customer_id = part.id AND (f.discount_bp <> part.share OR f.discount_rule_id <> 0) RETURNING f.customer_id
)
SELECT former.* FROM former JOIN changed USING (customer_id)
"""
# A rule's discount is the rule's again while the rule is in force; else it would have been taken by now.
UNDO_DISCOUNTS = """
UPDATE customer_facts f SET discount_rule_id = coalesce(r.id, 0),
    discount_bp = CASE WHEN part.rule = 0 OR r.id IS NOT NULL THEN part.before ELSE 0 END
FROM unnest($1::bigint[], $2::int[], $3::int[], $4::int[]) part (id, given, before, rule)
    LEFT JOIN label_rule r ON r.id = part.rule AND r.is_active AND r.archived_at IS NULL
WHERE f.customer_id = part.id AND f.discount_bp = part.given AND f.discount_rule_id = 0 RETURNING f.customer_id
"""
BY_RULE = "SELECT customer_id FROM customer_facts WHERE customer_id = ANY($1::bigint[]) AND discount_rule_id <> 0"
OF_PHONE = "SELECT id FROM customer WHERE id = ANY($1::bigint[]) AND phone = $2"


def check_share(discount_bp: int) -> int:
    """The share in basis points. Raises Invalid("discount")."""
    if not 0 <= discount_bp <= WHOLE_BP:
        raise Invalid("discount", "not_a_share")
    return discount_bp


@db.use_case
async def set_discount(customer_id: int, discount_bp: int, *, actor: Actor, now: datetime) -> bool:
    """Give a personal discount in basis points, from the next quote on; 0 takes it away. False: it is so already.

    Raises Invalid("discount"), NotFound("customer"), Refused("own_account"), Refused("discount_is_by_rule") when a rule
    gave what is to be taken away: it would give it again.
    """
    check_share(discount_bp)
    await lock_customer(customer_id)
    before = await customer(customer_id)
    if actor.phone is not None and actor.phone == before.phone:
        raise Refused("own_account")
    rule_id = await db.fetch_value("SELECT discount_rule_id FROM customer_facts WHERE customer_id = $1", customer_id)
    if rule_id and not discount_bp:
        raise Refused("discount_is_by_rule")
    if before.discount_bp == discount_bp and not rule_id:
        return False
    # What a rule gave is by hand from now on.
    await CustomerFacts.filter(customer_id=customer_id).update(discount_bp=discount_bp, discount_rule_id=0)
    details = {"discount_bp": discount_bp, "discount_bp_before": before.discount_bp}
    if rule_id:
        details["rule_id_before"] = rule_id
    await write_journal(actor, SET, subject_kind="customer", subject_id=customer_id, now=now, **details)
    await tell_change(customer_id, ["discount_bp"], now)
    return True


@db.use_case
async def undo_discount(customer_id: int, *, actor: Actor, now: datetime) -> None:
    """Give back the discount that the last one set on this card had replaced, a rule's as the rule's.

    Raises NotFound("customer"), Refused("own_account"), Refused("changed_since") when it is another one by now, or
    none was set.
    """
    await lock_customer(customer_id)
    person = await customer(customer_id)
    if actor.phone is not None and actor.phone == person.phone:
        raise Refused("own_account")
    filters = JournalFilters(action=SET, subject_kind="customer", subject_id=customer_id)
    lines = (await journal_page(filters, limit=1)).lines
    if not lines:
        raise Refused("changed_since")
    was = lines[0].details
    former = (customer_id, was["discount_bp"], was["discount_bp_before"], was.get("rule_id_before", 0))
    if not await undo_discounts([former]):
        raise Refused("changed_since")
    await write_journal(actor, "discount.undone", subject_kind="customer", subject_id=customer_id, now=now)
    await tell_change(customer_id, ["discount_bp"], now)


async def put_discounts(shares: Sequence[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """Give discounts by hand, (customer, basis points) each: who changed, and their discount and its rule before.

    Joins a transaction that holds the customers and keeps a journal of its own, as does `undo_discounts`.
    """
    rows = await db.fetch(DISCOUNTS, [one for one, _ in shares], [share for _, share in shares])
    return {row["customer_id"]: (row["discount_bp"], row["discount_rule_id"]) for row in rows}


async def undo_discounts(former: Sequence[tuple[int, int, int, int]]) -> list[int]:
    """Give back (customer, given, before, rule before) where nobody has changed it since; who that was."""
    ids, given, before, rules = ([one[place] for one in former] for place in range(4))
    return [row["customer_id"] for row in await db.fetch(UNDO_DISCOUNTS, ids, given, before, rules)]


async def refused_discounts(held: Sequence[int], discount_bp: int, actor: Actor) -> dict[int, str]:
    """Whom `set_discount` would refuse this share, and why."""
    of_rule = await db.fetch(BY_RULE, list(held)) if not discount_bp else []
    refused = {row["customer_id"]: "discount_is_by_rule" for row in of_rule}
    own = await db.fetch(OF_PHONE, list(held), actor.phone) if actor.phone is not None else []
    return refused | {row["id"]: "own_account" for row in own}
