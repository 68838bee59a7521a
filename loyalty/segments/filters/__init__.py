"""What can be asked of customers, a family a file. `FILTERS` lists them; the same engine serves table and segments.

A filter is one small class: its name, operators, value and SQL. A tree of conditions is put together here. Pure.
"""

from collections.abc import Iterable

from loyalty.errors import Invalid
from loyalty.segments.filters import (
    bonuses,
    bookings,
    campaigns,
    labels,
    messengers,
    origin,
    person,
    purchases,
    surveys,
    visits,
)
from loyalty.segments.filters.base import Area, Context, Filter, Kind, Unit
from loyalty.segments.rules.trees import Condition, Group, Joiner

FAMILIES = (labels, purchases, visits, bonuses, bookings, surveys, person, messengers, campaigns, origin)
FILTERS: dict[str, Filter] = {one.key: one() for family in FAMILIES for one in family.FILTERS}
"""Every filter by its key, in the order of their list."""

__all__ = [
    "FILTERS",
    "Area",
    "Context",
    "Filter",
    "Kind",
    "Unit",
    "checked",
    "compile_tree",
    "filter_of",
    "segment_ids",
]


def filter_of(condition: Condition) -> Filter:
    """The filter that a condition names. Raises Invalid("filter", "unknown_filter")."""
    found = FILTERS.get(condition.field)
    if found is None:
        raise Invalid("filter", "unknown_filter")
    return found


def checked(tree: Group) -> Group:
    """The tree, when each condition can be asked.

    Raises Invalid("filter", reason, of=key): of the filter whose condition is wrong.
    """
    for condition in tree.conditions:
        one = filter_of(condition)
        try:
            one.check(condition)
        except Invalid as error:
            raise Invalid("filter", error.reason, of=one.key, **error.details) from error
    return tree


def compile_tree(tree: Group, context: Context) -> str:
    """The tree as one condition in SQL on `customer_facts f`, never NULL. The tree must be `checked`."""
    parts = [_compiled(part, context) for part in tree.parts]
    match tree.joiner:
        case Joiner.ALL:
            return " AND ".join(parts) or "true"
        case Joiner.ANY:
            return " OR ".join(parts) or "true"
        case Joiner.NONE:
            return " AND ".join(f"NOT {part}" for part in parts) or "true"


def segment_ids(trees: Iterable[Group]) -> set[int]:
    """Every segment that these trees ask for."""
    return {
        int(one)
        for tree in trees
        for condition in tree.conditions
        if condition.field == labels.SegmentFilter.key
        for one in condition.value.split(".")
        if one
    }


def _compiled(part: Condition | Group, context: Context) -> str:
    if isinstance(part, Group):
        return f"({compile_tree(part, context)})"
    return f"({filter_of(part).sql(part, context)})"
