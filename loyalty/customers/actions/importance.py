"""What changes about classes of importance, and who is in them."""

from collections.abc import Sequence
from datetime import datetime

from tortoise.exceptions import IntegrityError

from loyalty import db
from loyalty.customers.actions.profile import lock_customers
from loyalty.customers.labels import CLASSES_AT_MOST, NO_IMPORTANCE, checked_ids, clean_label
from loyalty.customers.models import ImportanceClass
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor

MOVES = (-1, 1)
HIGHEST_ID = 2**15 - 1
# Of a few rows: whoever makes, orders or archives a class takes all in use, so that ranks stay apart.
IN_USE = "SELECT id, rank FROM importance_class WHERE archived_at IS NULL ORDER BY id FOR NO KEY UPDATE"
ADD = """
INSERT INTO importance_class (name, rank) VALUES ($1, $2)
ON CONFLICT (lower(name)) WHERE archived_at IS NULL DO NOTHING RETURNING id
"""
# Index: customer_facts_importance.
PEOPLE = """
SELECT count(*) FROM customer_facts WHERE importance_id = $1 AND importance_id > 0 AND NOT is_hidden
"""
# What a rule set is by hand from now on.
SET = """
WITH former AS (
    SELECT customer_id, importance_id, importance_rule_id FROM customer_facts WHERE customer_id = ANY($1::bigint[])
), changed AS (
    UPDATE customer_facts f SET importance_id = $2, importance_rule_id = 0
    FROM customer c
    WHERE f.customer_id = ANY($1) AND c.id = f.customer_id AND c.merged_into_id IS NULL AND c.erased_at IS NULL
        AND (f.importance_id <> $2 OR f.importance_rule_id <> 0)
    RETURNING f.customer_id
)
SELECT former.* FROM changed JOIN former USING (customer_id) ORDER BY 1
"""


@db.use_case
async def add_class(name: str, *, actor: Actor, now: datetime) -> int:
    """Make a class above all others; returns its id.

    Raises Invalid("name"), Refused("too_many_classes") from CLASSES_AT_MOST in use on.
    """
    name = clean_label(name)
    used = await db.fetch(IN_USE)
    if len(used) >= CLASSES_AT_MOST:
        raise Refused("too_many_classes", limit=CLASSES_AT_MOST)
    rank = max((row["rank"] for row in used), default=0) + 1
    class_id: int | None = await db.fetch_value(ADD, name, rank)
    if class_id is None:
        raise Invalid("name", "label_taken")
    await write_journal(actor, "importance.added", now=now, subject_kind="importance", subject_id=class_id)
    return class_id


@db.use_case
async def rename_class(class_id: int, name: str, *, actor: Actor, now: datetime) -> None:
    """Call a class otherwise. The same again is nothing.

    Raises NotFound("importance"), Invalid("name").
    """
    name = clean_label(name)
    row = await _locked(class_id)
    if row.name == name:
        return
    row.name = name
    try:
        await row.save(update_fields=["name"])
    except IntegrityError as error:
        raise Invalid("name", "label_taken") from error
    await write_journal(actor, "importance.changed", now=now, subject_kind="importance", subject_id=class_id)


@db.use_case
async def move_class(class_id: int, step: int, *, actor: Actor, now: datetime) -> None:
    """Change places with the class above (+1) or below (-1); at an end nothing happens. Raises NotFound."""
    used = sorted(await db.fetch(IN_USE), key=lambda row: (row["rank"], row["id"]))
    order = [row["id"] for row in used]
    if class_id not in order or step not in MOVES:
        raise NotFound("importance")
    place = order.index(class_id)
    if not 0 <= place + step < len(order):
        return
    order[place], order[place + step] = order[place + step], order[place]
    await db.execute(
        "UPDATE importance_class i SET rank = part.rank"
        " FROM unnest($1::smallint[]) WITH ORDINALITY part (id, rank) WHERE i.id = part.id",
        order,
    )
    await write_journal(actor, "importance.moved", now=now, subject_kind="importance", subject_id=class_id, step=step)


@db.use_case
async def archive_class(class_id: int, *, actor: Actor, now: datetime) -> None:
    """Put away a class that nobody is in. Twice is once.

    Raises NotFound("importance"), Refused("importance_in_use", customers=...).
    """
    row = await _locked(class_id)
    if row.archived_at is not None:
        return
    # Behind the lock: whoever sets the class holds it, too, until they are done.
    people = await db.fetch_value(PEOPLE, class_id)
    if people:
        raise Refused("importance_in_use", customers=people)
    row.archived_at = now
    await row.save(update_fields=["archived_at"])
    await write_journal(actor, "importance.archived", now=now, subject_kind="importance", subject_id=class_id)


@db.use_case
async def restore_class(class_id: int, *, actor: Actor, now: datetime) -> None:
    """Use an archived class again, at the place it had. Twice is once.

    Raises NotFound("importance"), Refused("label_taken" | "too_many_classes").
    """
    if len(await db.fetch(IN_USE)) >= CLASSES_AT_MOST:
        raise Refused("too_many_classes", limit=CLASSES_AT_MOST)
    row = await _locked(class_id)
    if row.archived_at is None:
        return
    row.archived_at = None
    try:
        await row.save(update_fields=["archived_at"])
    except IntegrityError as error:
        raise Refused("label_taken") from error
    await write_journal(actor, "importance.restored", now=now, subject_kind="importance", subject_id=class_id)


@db.use_case
async def set_importance(customer_ids: Sequence[int], class_id: int, *, actor: Actor, now: datetime) -> int:
    """Put up to PER_CALL customers into a class by hand, 0 for none; returns how many changed. Twice is once.

    Merged and erased cards are left out. Raises NotFound("importance"), Refused("importance_is_archived"),
    Invalid("customers", "too_many").
    """
    ids = await lock_customers(checked_ids(list(customer_ids)))
    changed = list(await put_importance(ids, class_id))
    if len(changed) == 1:
        await write_journal(
            actor, "importance.set", now=now, subject_kind="customer", subject_id=changed[0], importance=class_id
        )
    elif changed:
        await write_journal(
            actor,
            "importance.set",
            now=now,
            subject_kind="importance",
            subject_id=class_id,
            customers=len(changed),
        )
    return len(changed)


async def put_importance(held: Sequence[int], class_id: int) -> dict[int, tuple[int, int]]:
    """Put customers whom the caller holds into a class by hand: who changed, and their class and its rule before.

    Joins the caller's transaction, which keeps a journal of its own. Raises NotFound("importance"),
    Refused("importance_is_archived").
    """
    if class_id != NO_IMPORTANCE:
        await _usable(class_id)
    rows = await db.fetch(SET, list(held), class_id)
    return {row["customer_id"]: (row["importance_id"], row["importance_rule_id"]) for row in rows}


async def _usable(class_id: int) -> None:
    """Hold the class shared until the transaction ends: it is not archived while people come into it."""
    if not 0 < class_id <= HIGHEST_ID:
        raise NotFound("importance")
    row = await db.fetch_row("SELECT archived_at FROM importance_class WHERE id = $1 FOR SHARE", class_id)
    if row is None:
        raise NotFound("importance")
    if row["archived_at"] is not None:
        raise Refused("importance_is_archived")


async def _locked(class_id: int) -> ImportanceClass:
    row = await ImportanceClass.filter(id=class_id).select_for_update(no_key=True).first()
    if row is None:
        raise NotFound("importance")
    return row
