"""What the shop has written on people: categories, segments, how much they matter."""

from typing import Any

from loyalty.segments.filters.base import Area, ChoiceFilter, Context, ManyChoicesFilter
from loyalty.wording import mark


class CategoryFilter(ManyChoicesFilter):
    """Categories, given by hand or by a rule. Index: the primary key of customer_category."""

    key, label, area, column = "category", mark("Category"), Area.LABELS, "categories"
    source = "category"
    with_any = (
        "EXISTS (SELECT FROM customer_category p WHERE p.customer_id = f.customer_id AND p.category_id = ANY({wanted}))"
    )


class SegmentFilter(ManyChoicesFilter):
    """Segments: the members of those filled by hand, and whoever meets the conditions of the others.

    Index: the primary key of segment_member.
    """

    key, label, area, column = "segment", mark("Segment"), Area.LABELS, "segments"
    source = "segment"
    with_any = (
        "EXISTS (SELECT FROM segment_member p WHERE p.customer_id = f.customer_id AND p.segment_id = ANY({wanted}))"
    )

    def test(self, wanted: list[Any], context: Context) -> str:
        """A segment that asks for itself, through whatever others, has nobody by that."""
        by_hand = [one for one in wanted if one not in context.segments]
        tests = [super().test(by_hand, context)] if by_hand else []
        for one in wanted:
            if one in context.segments and one not in context.within:
                before, context.within = context.within, (*context.within, one)
                tests.append(context.compile_tree(context.segments[one], context))
                context.within = before
        return f"({' OR '.join(tests) or 'false'})"


class Importance(ChoiceFilter):
    """The class of importance; 0 is none. Index: customer_facts_importance."""

    key, label, area, column = "importance", mark("Importance"), Area.LABELS, "importance"
    source = "importance"
    with_any = "f.importance_id = ANY({wanted})"


FILTERS = (CategoryFilter, SegmentFilter, Importance)
