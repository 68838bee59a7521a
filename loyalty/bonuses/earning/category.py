"""Goods of some categories, or single articles by their number."""

from loyalty.bonuses.earning.base import EarningRule, Field, FieldKind, Params, Sale, SaleLine


def covers(params: Params, sale: Sale, line: SaleLine) -> bool:  # noqa: ARG001  every rule is asked alike
    """A line whose category or article is on the list."""
    return line.category in params["categories"] or line.sku.lower() in params["skus"]


RULE = EarningRule("category", (Field("categories", FieldKind.WORDS), Field("skus", FieldKind.WORDS)), covers)
