"""In which stretches of an order alone somebody can fit: where a walk along it may begin, and what it may leap over.

Who has not come for a month is not among the first half million by their last visit.
"""

from collections.abc import Iterator

from loyalty.segments.filters import Context, filter_of
from loyalty.segments.filters.labels import SegmentFilter
from loyalty.segments.rules.trees import Condition, Group, Joiner


def stretches(tree: Group, column: str, context: Context) -> tuple[str, ...]:
    """Conditions in SQL on an order's column, no two of which hold at once: whoever meets the tree meets one of them.

    None when the tree says nothing of the column. The tree must be checked; parameters go to the context.
    """
    for condition in _owed(tree, context, ()):
        found = filter_of(condition).stretches(column, condition, context)
        if found:
            return found
    return ()


def _owed(tree: Group, context: Context, within: tuple[int, ...]) -> Iterator[Condition]:
    """Conditions that everybody must meet, those of segments too."""
    if tree.joiner is Joiner.NONE or (tree.joiner is Joiner.ANY and len(tree.parts) > 1):
        return
    for part in tree.parts:
        if isinstance(part, Group):
            yield from _owed(part, context, within)
            continue
        yield part
        segment_id = _only_segment(part)
        if segment_id in context.segments and segment_id not in within:
            yield from _owed(context.segments[segment_id], context, (*within, segment_id))


def _only_segment(condition: Condition) -> int:
    """The one segment that is asked for; 0 for any other question."""
    is_one = condition.field == SegmentFilter.key and condition.operator != "none" and condition.value.isdigit()
    return int(condition.value) if is_one else 0
