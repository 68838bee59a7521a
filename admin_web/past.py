"""A programme tried on past receipts, for the pages that offer it."""

from dataclasses import dataclass
from datetime import datetime

from admin_web.forms import Form
from admin_web.i18n import ngettext
from loyalty.clock import business_date
from loyalty.money import money_of
from loyalty.office.queries.what_if import WhatIf, last_months, what_if
from loyalty.shop.rules import Programme

PERIODS = (1, 3, 6, 12, 24)
USUAL = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """What a programme would have cost, also in money: what bonuses pay in the programme they were earned by.

    `cost` is by the programme in force, `would_cost` by the one on trial.
    """

    result: WhatIf
    cost: int
    would_cost: int

    @property
    def difference(self) -> int:
        return self.result.would - self.result.earned


def periods() -> list[tuple[str, str]]:
    """Periods to choose from."""
    return [(str(n), ngettext("%(n)s full month", "%(n)s full months", n) % {"n": n}) for n in PERIODS]


async def tried(programme: Programme, in_force: Programme, form: Form, *, zone: str, now: datetime) -> Trial:
    """The programme on the receipts of the form's period, which ends with the last month that is over."""
    text = form.value("months")
    months = int(text) if text in {str(n) for n in PERIODS} else USUAL
    first, end = last_months(business_date(now, zone), months)
    result = await what_if(programme, first=first, end=end)
    return Trial(result, money_of(result.earned, in_force.bonus_value), money_of(result.would, programme.bonus_value))
