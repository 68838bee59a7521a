"""The programme of the demo: plain percents at first, and some months ago rules on top of them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from loyalty.bonuses.actions.programme import change_programme
from loyalty.clock import business_date, start_of_day
from loyalty.shop.actions import set_programme
from loyalty.shop.queries import programme_at
from loyalty.shop.rules import Effect, Programme, RuleSettings, Tier
from loyalty.staff.rules import COMMAND
from regulars.seed.goods import BEANS, GIFT_CARDS
from regulars.seed.records import ZONE

TIERS = (Tier(0, "Гость", 0, 500), Tier(1, "Свой", 10_000_00, 700), Tier(2, "Родной", 25_000_00, 1000))
CHANGED_AGO = timedelta(days=150)
"""So long ago the second version came into force."""
PROMO_CODE = "SPRING"
PROMO_LIMIT = 200
WORKDAYS = [1, 2, 3, 4, 5]
# Ids below zero are given when the version is made.
RULES = (
    RuleSettings(
        -1,
        "weekday_hours",
        "Счастливые часы",
        Effect.MULTIPLY,
        20_000,
        params={"weekdays": WORKDAYS, "from_time": 14 * 60, "until_time": 17 * 60},
    ),
    RuleSettings(-2, "category", "Зёрна домой", Effect.ADD, 500, params={"categories": [BEANS], "skus": []}),
    RuleSettings(
        -3, "birthday", "В день рождения вдвое", Effect.MULTIPLY, 20_000, params={"days_before": 3, "days_after": 3}
    ),
    RuleSettings(-4, "first_purchase", "За первую покупку", Effect.FIXED, 100_00),
    RuleSettings(
        -5,
        "promo_code",
        "Промокод SPRING",
        Effect.FIXED,
        150_00,
        params={
            "code": PROMO_CODE,
            "from_day": None,
            "until_day": None,
            "customer_limit": 1,
            "total_limit": PROMO_LIMIT,
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the programme that was written, and since when it is in force."""

    id: int
    since: datetime
    programme: Programme


@dataclass(slots=True)
class Rules:
    """The versions, oldest first; how often the promo code was used so far, and bonuses set aside in vain."""

    versions: tuple[Version, ...]
    promo_uses: int = 0
    holds_in_vain: int = 0

    def at(self, moment: datetime) -> Version:
        """The version in force."""
        return next(version for version in reversed(self.versions) if version.since <= moment)

    @property
    def newest(self) -> Version:
        return self.versions[-1]


async def write_programme(began: datetime, now: datetime) -> Rules:
    """Both versions, through the panel's own actions, each as of its day."""
    first = replace(await programme_at(began), tiers=TIERS, lifetime_months=6)
    first_id = await set_programme(first, effective_from=began, actor=COMMAND, now=began)
    second = replace(
        first,
        rules=RULES,
        excluded_categories=(GIFT_CARDS,),
        birthday_bonus=300_00,
        birthday_days_before=3,
        referral_bonus=200_00,
        referral_invitee_bonus=100_00,
        claim_auto_total=500_00,
        manual_credit_alone=500_00,
    )
    since = start_of_day(business_date(now - CHANGED_AGO, ZONE), ZONE)
    second_id = await change_programme(
        second, effective_from=since, seen_version=first_id, actor=COMMAND, now=since - timedelta(hours=5)
    )
    in_force = await programme_at(since)
    return Rules((Version(first_id, began, first), Version(second_id, since, in_force)))
