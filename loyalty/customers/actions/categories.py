"""What changes about categories, and who has them. Each use case is one transaction with one line in the journal."""

from collections.abc import Sequence
from datetime import datetime

from tortoise.exceptions import IntegrityError

from loyalty import db
from loyalty.customers.actions.profile import lock_customers
from loyalty.customers.labels import CATEGORIES_AT_MOST, CategoryDraft, checked, checked_ids
from loyalty.customers.models import Category
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

ADD = """
INSERT INTO category (name, color, created_by_id, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (lower(name)) WHERE archived_at IS NULL DO NOTHING RETURNING id
"""
# What a rule gave is by hand from now on, and stays when the rule gives it no more.
GIVE = """
WITH had AS (
    SELECT customer_id, rule_id FROM customer_category WHERE category_id = $1 AND customer_id = ANY($2::bigint[])
), given AS (
    INSERT INTO customer_category (category_id, customer_id, rule_id, staff_id, added_at)
    SELECT $1, c.id, NULL, $3, $4 FROM customer c
    WHERE c.id = ANY($2) AND c.merged_into_id IS NULL AND c.erased_at IS NULL
    ON CONFLICT (category_id, customer_id) DO UPDATE
        SET rule_id = NULL, staff_id = excluded.staff_id, added_at = excluded.added_at
        WHERE customer_category.rule_id IS NOT NULL
    RETURNING customer_id
)
SELECT given.customer_id, had.rule_id FROM given LEFT JOIN had USING (customer_id) ORDER BY 1
"""
# What a rule gives is the rule's to take: it would give it again.
TAKE = """
DELETE FROM customer_category WHERE category_id = $1 AND customer_id = ANY($2::bigint[]) AND rule_id IS NULL
RETURNING customer_id
"""


@db.use_case
async def add_category(draft: CategoryDraft, *, actor: Actor, now: datetime) -> int:
    """Make a category; returns its id. Raises Invalid for a field, Refused("too_many_categories")."""
    draft = checked(draft)
    if await Category.filter(archived_at=None).count() >= CATEGORIES_AT_MOST:
        raise Refused("too_many_categories", limit=CATEGORIES_AT_MOST)
    category_id: int | None = await db.fetch_value(ADD, draft.name, draft.color, actor.staff_id, now)
    if category_id is None:
        raise Invalid("name", "label_taken")
    await write_journal(actor, "category.added", now=now, subject_kind="category", subject_id=category_id)
    return category_id


@db.use_case
async def change_category(category_id: int, draft: CategoryDraft, *, actor: Actor, now: datetime) -> None:
    """Call it otherwise, or give it another colour. The same again is nothing.

    Raises NotFound("category"), Invalid for a field, Invalid("name", "label_taken").
    """
    draft = checked(draft)
    row = await _locked(category_id)
    wanted = {"name": draft.name, "color": draft.color}
    changed = {field: value for field, value in wanted.items() if getattr(row, field) != value}
    if not changed:
        return
    row.update_from_dict(changed)
    try:
        await row.save(update_fields=list(changed))
    except IntegrityError as error:
        raise Invalid("name", "label_taken") from error
    await write_journal(
        actor, "category.changed", now=now, subject_kind="category", subject_id=category_id, fields=sorted(changed)
    )


@db.use_case
async def archive_category(category_id: int, *, actor: Actor, now: datetime) -> None:
    """Put a category away with whoever has it; its name is free again. Twice is once. Raises NotFound("category")."""
    row = await _locked(category_id)
    if row.archived_at is not None:
        return
    row.archived_at = now
    await row.save(update_fields=["archived_at"])
    await write_journal(actor, "category.archived", now=now, subject_kind="category", subject_id=category_id)


@db.use_case
async def restore_category(category_id: int, *, actor: Actor, now: datetime) -> None:
    """Use an archived category again, with those who had it. Twice is once.

    Raises NotFound("category"), Refused("label_taken") when another one was given its name meanwhile.
    """
    row = await _locked(category_id)
    if row.archived_at is None:
        return
    row.archived_at = None
    try:
        await row.save(update_fields=["archived_at"])
    except IntegrityError as error:
        raise Refused("label_taken") from error
    await write_journal(actor, "category.restored", now=now, subject_kind="category", subject_id=category_id)


@db.use_case
async def give_category(category_id: int, customer_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Give a category by hand to up to PER_CALL customers; returns to how many it was new. Twice is once.

    What a rule gave becomes by hand. Merged and erased cards are left out, deleted ones are not.
    Raises NotFound("category"), Refused("category_is_archived"), Invalid("customers", "too_many").
    """
    ids = await lock_customers(checked_ids(list(customer_ids)))
    given = await put_category(category_id, ids, actor=actor, now=now)
    await _note("category.given", category_id, list(given), actor=actor, now=now)
    return len(given)


async def put_category(category_id: int, held: Sequence[int], *, actor: Actor, now: datetime) -> dict[int, int | None]:
    """Give a category by hand to customers whom the caller holds: to whom it was new, and which rule had given it.

    Joins the caller's transaction, which keeps a journal of its own. Raises NotFound("category"),
    Refused("category_is_archived").
    """
    await _usable(category_id)
    rows = await db.fetch(GIVE, category_id, list(held), actor.staff_id, now)
    return {row["customer_id"]: row["rule_id"] for row in rows}


@db.use_case
async def make_and_give(draft: CategoryDraft, customer_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Make a category and give it at once, both or neither; returns its id. Raises like both."""
    category_id = await add_category(draft, actor=actor, now=now)
    await give_category(category_id, customer_ids, actor=actor, now=now)
    return category_id


@db.use_case
async def take_category(category_id: int, customer_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Take a category that was given by hand; returns from how many. Twice is once.

    From one whom a rule gives it, it is not taken: the rule would give it again. Raises like `give_category`, and
    Refused("category_is_by_rule") when one customer is named and a rule gave it.
    """
    ids = await lock_customers(checked_ids(list(customer_ids)))
    taken = await drop_category(category_id, ids)
    if not taken and len(ids) == 1 and await _has(category_id, ids[0]):
        raise Refused("category_is_by_rule")
    await _note("category.taken", category_id, taken, actor=actor, now=now)
    return len(taken)


async def drop_category(category_id: int, held: Sequence[int]) -> list[int]:
    """Take a category that was given by hand from customers whom the caller holds; from whom. As `put_category`."""
    await _usable(category_id)
    return [row["customer_id"] for row in await db.fetch(TAKE, category_id, list(held))]


async def _note(action: str, category_id: int, changed: list[int], *, actor: Actor, now: datetime) -> None:
    """One line of an act: about the customer, or about the category when there are several."""
    if len(changed) == 1:
        await write_journal(
            actor, action, now=now, subject_kind="customer", subject_id=changed[0], category=category_id
        )
    elif changed:
        await write_journal(
            actor, action, now=now, subject_kind="category", subject_id=category_id, customers=len(changed)
        )


async def _has(category_id: int, customer_id: int) -> bool:
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM customer_category WHERE category_id = $1 AND customer_id = $2)",
            category_id,
            customer_id,
        )
    )


async def _usable(category_id: int) -> None:
    row = await Category.get_or_none(id=category_id)
    if row is None:
        raise NotFound("category")
    if row.archived_at is not None:
        raise Refused("category_is_archived")


async def _locked(category_id: int) -> Category:
    row = await Category.filter(id=category_id).select_for_update(no_key=True).first()
    if row is None:
        raise NotFound("category")
    return row
