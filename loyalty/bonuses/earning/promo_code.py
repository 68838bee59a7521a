"""A code that the customer names at the till, with its days and limits."""

from datetime import date

from loyalty.bonuses.earning.base import EarningRule, Field, FieldKind, Params, Sale, SaleLine
from loyalty.errors import Refused


def covers(params: Params, sale: Sale, line: SaleLine) -> bool:  # noqa: ARG001  every rule is asked alike
    """Every line of a sale with this code. Whether it may be used is asked of `check` before."""
    return bool(sale.promo_code == params["code"])


def check(params: Params, sale: Sale) -> None:
    """Raise Refused unless the code may be used on this sale."""
    first, last = params["from_day"], params["until_day"]
    if (first and sale.day < date.fromisoformat(first)) or (last and sale.day > date.fromisoformat(last)):
        raise Refused("promo_code_not_now")
    by_customer, by_all = sale.promo_uses
    if params["customer_limit"] and by_customer >= params["customer_limit"]:
        raise Refused("promo_code_was_used")
    if params["total_limit"] and by_all >= params["total_limit"]:
        raise Refused("promo_code_is_over")


RULE = EarningRule(
    "promo_code",
    (
        Field("code", FieldKind.CODE),
        Field("from_day", FieldKind.DAY),
        Field("until_day", FieldKind.DAY),
        Field("customer_limit", FieldKind.NUMBER, 0, 1_000),
        Field("total_limit", FieldKind.NUMBER, 0, 10_000_000),
    ),
    covers,
)
