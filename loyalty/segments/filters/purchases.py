"""What people have bought and paid."""

from loyalty.segments.filters.base import Area, RangeFilter, Unit
from loyalty.wording import mark


class Sold(RangeFilter):
    """Receipts after discounts, before bonuses, net of refunds."""

    key, label, area, column = "sold", mark("Spent"), Area.PURCHASES, "sold"
    unit, fact, lowest = Unit.MONEY, "f.sold", -1


class Paid(RangeFilter):
    """The money part of what was sold."""

    key, label, area, column = "paid", mark("Paid in money"), Area.PURCHASES, "paid"
    unit, fact, lowest = Unit.MONEY, "f.paid", -1


class Receipts(RangeFilter):
    """Sales that are not wholly refunded."""

    key, label, area, column = "receipts", mark("Receipts"), Area.PURCHASES, "receipts"
    fact = "f.receipts"


class AverageReceipt(RangeFilter):
    """What was sold by the number of receipts, without a remainder."""

    key, label, area, column = "average_receipt", mark("Average receipt"), Area.PURCHASES, "average_receipt"
    unit, fact = Unit.MONEY, "(f.sold / greatest(f.receipts, 1))"
    unknown = "(f.receipts = 0)"


class Tips(RangeFilter):
    """Of appointments that came."""

    key, label, area, column = "tips", mark("Tips"), Area.PURCHASES, "tips"
    unit, fact = Unit.MONEY, "f.tips"


class Discount(RangeFilter):
    """The personal one."""

    key, label, area, column = "discount", mark("Personal discount"), Area.PURCHASES, "discount"
    unit, fact = Unit.SHARE, "f.discount_bp"


FILTERS = (Sold, Paid, Receipts, AverageReceipt, Tips, Discount)
