"""What makes a rule sound that labels customers: a category, a personal discount or a class of importance. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from loyalty.errors import Invalid
from loyalty.segments.rules.trees import Group
from loyalty.shop.rules import clean_line

NAME_LENGTH = 60
RULES_AT_MOST = 50
HIGHEST_DISCOUNT_BP = 10_000


class Target(StrEnum):
    """What a rule gives."""

    CATEGORY = "category"
    DISCOUNT = "discount"
    IMPORTANCE = "importance"


@dataclass(frozen=True, slots=True)
class LabelRuleDraft:
    """A rule as somebody wants it. value: the id of the category or class, or basis points of the discount."""

    name: str
    target: Target
    value: int
    conditions: Group
    is_active: bool = True


def checked(draft: LabelRuleDraft) -> LabelRuleDraft:
    """The draft as it is kept. Raises Invalid("name" | "value" | "filter")."""
    if draft.target is Target.DISCOUNT and not 0 < draft.value <= HIGHEST_DISCOUNT_BP:
        raise Invalid("value", "not_a_share")
    if draft.value <= 0:
        raise Invalid("value", "required")
    if not draft.conditions.parts:
        raise Invalid("filter", "required")
    return LabelRuleDraft(
        clean_line("name", draft.name, NAME_LENGTH), draft.target, draft.value, draft.conditions, draft.is_active
    )
