"""What people have on account, and what became of it."""

from loyalty.segments.filters.base import Area, ChoiceFilter, HappenedFilter, RangeFilter, Unit
from loyalty.wording import mark


class Balance(RangeFilter):
    """The sum of the ledger; below zero it is debt."""

    key, label, area, column = "balance", mark("Bonuses"), Area.BONUSES, "balance"
    unit, fact, lowest = Unit.BONUSES, "f.balance", -1


class Debt(RangeFilter):
    """What refunds took back and lots could not cover."""

    key, label, area, column = "debt", mark("Bonus debt"), Area.BONUSES, "debt"
    unit, fact = Unit.BONUSES, "f.debt"


class Earned(RangeFilter):
    """Ever credited, less what refunds took back."""

    key, label, area, column = "earned", mark("Bonuses earned"), Area.BONUSES, "earned"
    unit, fact = Unit.BONUSES, "f.earned"


class Burnt(RangeFilter):
    """Ever spent, less what refunds gave back."""

    key, label, area, column = "burnt", mark("Bonuses spent"), Area.BONUSES, "burnt"
    unit, fact = Unit.BONUSES, "f.burnt"


class Expired(RangeFilter):
    """Ever lost to time."""

    key, label, area, column = "expired", mark("Bonuses expired"), Area.BONUSES, "expired"
    unit, fact = Unit.BONUSES, "f.expired"


class Expiring(HappenedFilter):
    """Some bonuses expire in a period. Indexes: bonus_lot_expiring, bonus_lot_open."""

    key, label, area = "expiring", mark("Bonuses expire"), Area.BONUSES
    ahead = True
    happened, at = "SELECT FROM bonus_lot l WHERE l.customer_id = f.customer_id AND l.remaining > 0", "l.expires_at"


class TierFilter(ChoiceFilter):
    """The level of the programme."""

    key, label, area, column = "tier", mark("Level"), Area.BONUSES, "tier"
    source = "tier"
    with_any = "f.tier_id = ANY({wanted})"


FILTERS = (Balance, Debt, Earned, Burnt, Expired, Expiring, TierFilter)
