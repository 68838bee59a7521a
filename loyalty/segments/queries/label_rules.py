"""Reading the rules that label customers, and why one of them labelled somebody."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.db import Row, fetch, fetch_row, from_json
from loyalty.errors import NotFound
from loyalty.segments.rules.labels import Target
from loyalty.segments.rules.trees import Group, from_body


@dataclass(frozen=True, slots=True)
class LabelRuleView:
    """A rule. value: the id of the category or class, or basis points. size: to how many it was applied at last."""

    id: int
    name: str
    target: Target
    value: int
    conditions: Group
    position: int
    is_active: bool
    applied_at: datetime | None
    size: int
    archived_at: datetime | None


RULES = """
    SELECT id, name, target, value, conditions, position, is_active, applied_at, size, archived_at FROM label_rule
"""
ON_CARD = """
    SELECT r.id, r.name, r.target, r.value, r.conditions, r.position, r.is_active, r.applied_at, r.size, r.archived_at
    FROM label_rule r WHERE r.id IN (
        SELECT rule_id FROM customer_category WHERE customer_id = $1 AND rule_id IS NOT NULL
        UNION ALL SELECT discount_rule_id FROM customer_facts WHERE customer_id = $1
        UNION ALL SELECT importance_rule_id FROM customer_facts WHERE customer_id = $1)
    ORDER BY r.target, r.position
"""


async def label_rules() -> list[LabelRuleView]:
    """The rules in use, by what they give and in their order."""
    return [_view(row) for row in await fetch(f"{RULES} WHERE archived_at IS NULL ORDER BY target, position, id")]


async def label_rule(rule_id: int) -> LabelRuleView:
    """One rule, in use or not. Raises NotFound("rule")."""
    row = await fetch_row(f"{RULES} WHERE id = $1", rule_id)
    if row is None:
        raise NotFound("rule")
    return _view(row)


async def rules_on_card(customer_id: int) -> list[LabelRuleView]:
    """The rules by which a customer has a category, the discount or the class. Index: customer_category_customer."""
    return [_view(row) for row in await fetch(ON_CARD, customer_id)]


def _view(row: Row) -> LabelRuleView:
    return LabelRuleView(
        **(row | {"target": Target(row["target"]), "conditions": from_body(from_json(row["conditions"]))})
    )
