"""The customer's first purchase; the next one counts as first when that was taken back wholly."""

from loyalty.bonuses.earning.base import EarningRule, Params, Sale, SaleLine


def covers(params: Params, sale: Sale, line: SaleLine) -> bool:  # noqa: ARG001  every rule is asked alike
    """Every line of it."""
    return sale.is_first


RULE = EarningRule("first_purchase", (), covers)
