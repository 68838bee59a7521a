"""Some days around the customer's birthday."""

from datetime import timedelta

from loyalty.bonuses.earning.base import EarningRule, Field, FieldKind, Params, Sale, SaleLine
from loyalty.clock import birthday_in


def covers(params: Params, sale: Sale, line: SaleLine) -> bool:  # noqa: ARG001  every rule is asked alike
    """Every line of a sale within the days before and after the birthday, also across the new year."""
    if sale.birthday is None:
        return False
    before, after = timedelta(days=params["days_before"]), timedelta(days=params["days_after"])
    years = (sale.day.year - 1, sale.day.year, sale.day.year + 1)
    return any(
        -before <= sale.day - birthday_in(sale.birthday, year) <= after
        for year in years
        if year >= sale.birthday.year + 1
    )


RULE = EarningRule(
    "birthday",
    (
        Field("days_before", FieldKind.NUMBER, 0, 60),
        Field("days_after", FieldKind.NUMBER, 0, 60),
    ),
    covers,
)
