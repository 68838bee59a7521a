"""Purchases at some locations."""

from loyalty.bonuses.earning.base import EarningRule, Field, FieldKind, Params, Sale, SaleLine


def covers(params: Params, sale: Sale, line: SaleLine) -> bool:  # noqa: ARG001  every rule is asked alike
    """Every line of a sale there."""
    return sale.location_id in params["locations"]


RULE = EarningRule("location", (Field("locations", FieldKind.LOCATIONS),), covers)
