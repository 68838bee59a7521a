"""Some days of the week, between two times of the location's clock."""

from loyalty.bonuses.earning.base import EarningRule, Field, FieldKind, Params, Sale, SaleLine


def covers(params: Params, sale: Sale, line: SaleLine) -> bool:  # noqa: ARG001  every rule is asked alike
    """Every line of a sale at such a time, from the first minute on and before the last.

    Hours that end before they begin go over midnight, and belong to the day on which they began.
    """
    begin, end, weekday = params["from_time"], params["until_time"], sale.day.isoweekday()
    if begin < end:
        return weekday in params["weekdays"] and begin <= sale.minute < end
    if sale.minute >= begin:
        return weekday in params["weekdays"]
    return sale.minute < end and (weekday - 2) % 7 + 1 in params["weekdays"]


RULE = EarningRule(
    "weekday_hours",
    (
        Field("weekdays", FieldKind.WEEKDAYS),
        Field("from_time", FieldKind.TIME),
        Field("until_time", FieldKind.TIME),
    ),
    covers,
)
