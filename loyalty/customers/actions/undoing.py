"""Labels that were given or taken for many go back to what they were, where nobody has changed them since.

Each function joins a transaction that holds the customers and keeps a journal of its own; it returns who changed. What
a rule had given is the rule's again while the rule is in force; else it would have been taken by now.
"""

from collections.abc import Sequence
from datetime import datetime

from loyalty import db
from loyalty.staff.rules import Actor

UNDO_GIVE = """
WITH part AS (
    SELECT part.id, part.at, r.id AS rule
    FROM unnest($2::bigint[], $3::timestamptz[], $4::int[]) part (id, at, rule)
        LEFT JOIN label_rule r ON r.id = part.rule AND r.is_active AND r.archived_at IS NULL
), back AS (
    UPDATE customer_category c SET rule_id = part.rule, staff_id = NULL FROM part
    WHERE c.category_id = $1 AND c.customer_id = part.id AND c.added_at = part.at AND c.rule_id IS NULL
        AND part.rule IS NOT NULL
    RETURNING c.customer_id
), gone AS (
    DELETE FROM customer_category c USING part
    WHERE c.category_id = $1 AND c.customer_id = part.id AND c.added_at = part.at AND c.rule_id IS NULL
        AND part.rule IS NULL
    RETURNING c.customer_id
)
SELECT customer_id FROM back UNION ALL SELECT customer_id FROM gone
"""
UNDO_TAKE = """
INSERT INTO customer_category (category_id, customer_id, rule_id, staff_id, added_at)
SELECT $1, c.id, NULL, $3, $4 FROM customer c
WHERE c.id = ANY($2::bigint[]) AND c.merged_into_id IS NULL AND c.erased_at IS NULL
ON CONFLICT (category_id, customer_id) DO NOTHING RETURNING customer_id
"""
# Held shared, as by whoever sets one: no class is archived while people come into it.
CLASSES = "SELECT id FROM importance_class WHERE id = ANY($1::int[]) AND archived_at IS NULL ORDER BY id FOR SHARE"
# Who it is comes first, by the primary key: the statistics do not know yet how many the class has got, and the index on
# it would be walked anew for each few.
UNDO_IMPORTANCE = """
WITH held AS MATERIALIZED (
    SELECT customer_id, importance_id, importance_rule_id FROM customer_facts WHERE customer_id = ANY($1::bigint[])
), part AS MATERIALIZED (
    SELECT part.id, part.class, part.rule, r.id AS live
    FROM unnest($1, $3::int[], $4::int[]) part (id, class, rule)
        JOIN held ON held.customer_id = part.id AND held.importance_id = $2 AND held.importance_rule_id = 0
        LEFT JOIN label_rule r ON r.id = part.rule AND r.is_active AND r.archived_at IS NULL
    WHERE part.class = 0 OR part.class = ANY($5::int[])
)
UPDATE customer_facts f SET importance_id = CASE WHEN part.rule = 0 OR part.live IS NOT NULL THEN part.class ELSE 0 END,
    importance_rule_id = coalesce(part.live, 0)
FROM part WHERE f.customer_id = part.id
RETURNING f.customer_id
"""


async def undo_give(
    category_id: int, held: Sequence[int], given_at: Sequence[datetime], rules: Sequence[int | None]
) -> list[int]:
    """Take a category from those who have it by hand since just then. rules: whose it was before."""
    rows = await db.fetch(UNDO_GIVE, category_id, list(held), list(given_at), list(rules))
    return [row["customer_id"] for row in rows]


async def undo_take(category_id: int, held: Sequence[int], *, actor: Actor, now: datetime) -> list[int]:
    """Give a category back to those who have not got it since."""
    return [row["customer_id"] for row in await db.fetch(UNDO_TAKE, category_id, list(held), actor.staff_id, now)]


async def undo_importance(held: Sequence[int], class_id: int, before: Sequence[int], rules: Sequence[int]) -> list[int]:
    """Put those who are in the class by hand into the one they had before; one that is archived takes nobody."""
    live = [row["id"] for row in await db.fetch(CLASSES, sorted(set(before)))]
    rows = await db.fetch(UNDO_IMPORTANCE, list(held), class_id, list(before), list(rules), live)
    return [row["customer_id"] for row in rows]
