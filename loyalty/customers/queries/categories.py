"""Reads of categories and classes of importance: all of them with their sizes, those of one customer."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.db import fetch, fetch_row
from loyalty.errors import NotFound


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A category. size: people of the base who have it; by_hand: those of them to whom somebody gave it.

    rules: the names of the rules that give it. archived_at: nobody is given it any more.
    """

    id: int
    name: str
    color: str
    created_at: datetime
    archived_at: datetime | None
    size: int = 0
    by_hand: int = 0
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CategoryChip:
    """A category beside a customer. rule: the name of the rule that gave it; None: by hand, or not theirs."""

    id: int
    name: str
    color: str
    is_in: bool
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class ImportanceView:
    """A class of importance; the higher its rank, the more. size: people of the base who are in it."""

    id: int
    name: str
    rank: int
    archived_at: datetime | None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Importance:
    """How much a customer matters. id 0: in no class. rule: the name of the rule that set it; None: by hand."""

    id: int
    name: str
    rule: str | None


# Who has a label and is not in the base: the few of them are taken off the count of all, which then reads narrow rows
# alone. An erasure takes labels away. Indexes: customer_deleted, customer_merged_into.
HIDDEN = "(SELECT id FROM customer WHERE deleted_at IS NOT NULL OR merged_into_id IS NOT NULL) hidden"
CATEGORIES = f"""
SELECT c.id, c.name, c.color, c.created_at, c.archived_at, coalesce(sizes.size, 0)::bigint AS size,
    coalesce(sizes.by_hand, 0)::bigint AS by_hand,
    ARRAY(SELECT r.name FROM label_rule r WHERE r.target = 'category' AND r.value = c.id AND r.archived_at IS NULL
        ORDER BY lower(r.name)) AS rules
FROM category c LEFT JOIN (
    SELECT category_id, sum(size) AS size, sum(by_hand) AS by_hand FROM (
        SELECT category_id, count(*) AS size, count(*) FILTER (WHERE rule_id IS NULL) AS by_hand
        FROM customer_category WHERE $1::bool GROUP BY 1
        UNION ALL
        SELECT p.category_id, -count(*), -count(*) FILTER (WHERE p.rule_id IS NULL)
        FROM customer_category p JOIN {HIDDEN} ON hidden.id = p.customer_id WHERE $1::bool GROUP BY 1
    ) part GROUP BY 1
) sizes ON sizes.category_id = c.id
ORDER BY c.archived_at IS NOT NULL, lower(c.name), c.id
"""
ONE_CATEGORY = "SELECT id, name, color, created_at, archived_at FROM category WHERE id = $1"
# Index: customer_category_customer; the categories themselves are a handful.
CHIPS = """
SELECT c.id, c.name, c.color, p.customer_id IS NOT NULL AS is_in, r.name AS rule
FROM category c
    LEFT JOIN customer_category p ON p.category_id = c.id AND p.customer_id = $1
    LEFT JOIN label_rule r ON r.id = p.rule_id
WHERE c.archived_at IS NULL ORDER BY lower(c.name), c.id
"""
# Index: customer_facts_importance, which alone is read to count all.
CLASSES = f"""
SELECT i.id, i.name, i.rank, i.archived_at, coalesce(sizes.size, 0)::bigint AS size
FROM importance_class i LEFT JOIN (
    SELECT importance_id, sum(size) AS size FROM (
        SELECT importance_id, count(*) AS size FROM customer_facts WHERE $1::bool AND importance_id > 0 GROUP BY 1
        UNION ALL
        SELECT f.importance_id, -count(*) FROM customer_facts f JOIN {HIDDEN} ON hidden.id = f.customer_id
        WHERE $1::bool AND f.importance_id > 0 GROUP BY 1
    ) part GROUP BY 1
) sizes ON sizes.importance_id = i.id
ORDER BY i.archived_at IS NOT NULL, i.rank, i.id
"""
# Both by the primary key.
IMPORTANCE_OF = """
SELECT f.importance_id AS id, coalesce(i.name, '') AS name, r.name AS rule
FROM customer_facts f
    LEFT JOIN importance_class i ON i.id = f.importance_id
    LEFT JOIN label_rule r ON r.id = f.importance_rule_id
WHERE f.customer_id = $1
"""


async def categories(*, sized: bool = True) -> list[CategoryView]:
    """All categories by name, archived ones last. Without `sized` nobody is counted: a large base takes its time."""
    return [CategoryView(**{**row, "rules": tuple(row["rules"])}) for row in await fetch(CATEGORIES, sized)]


async def category(category_id: int) -> CategoryView:
    """One category without its sizes, archived or not. Raises NotFound("category")."""
    row = await fetch_row(ONE_CATEGORY, category_id)
    if row is None:
        raise NotFound("category")
    return CategoryView(**row)


async def category_chips(customer_id: int) -> list[CategoryChip]:
    """Categories in use by name, and whether the customer has each."""
    return [CategoryChip(**row) for row in await fetch(CHIPS, customer_id)]


async def importance_classes(*, sized: bool = True) -> list[ImportanceView]:
    """All classes from the least on, archived ones last. Without `sized` nobody is counted."""
    return [ImportanceView(**row) for row in await fetch(CLASSES, sized)]


async def importance_of(customer_id: int) -> Importance:
    """The class of a customer. Raises NotFound("customer")."""
    row = await fetch_row(IMPORTANCE_OF, customer_id)
    if row is None:
        raise NotFound("customer")
    return Importance(**row)
