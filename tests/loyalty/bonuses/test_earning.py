from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.bonuses.earning import RULES, Sale, SaleLine, check_rules, earn
from loyalty.errors import Invalid, Refused
from loyalty.shop.rules import Effect, Rounding, RuleSettings, Stacking
from tests.builders import PROGRAMME

SATURDAY = date(2026, 3, 14)


def sale(*bases: int, **changes: object) -> Sale:
    """A sale on a Tuesday at noon; each base is a line of coffee."""
    lines = tuple(SaleLine(base, "coffee", "A-1") for base in bases)
    plain = Sale(lines=lines, tier_id=0, location_id=1, day=date(2026, 3, 10), minute=720)
    return replace(plain, **changes)  # type: ignore[arg-type]


def rule(kind: str, effect: Effect = Effect.MULTIPLY, amount: int = 20_000, *, number: int = 1, **params: Any):
    return RuleSettings(number, kind, kind, effect, amount, params=params)


def given_by(settings: RuleSettings, of: Sale) -> int:
    """What one rule adds to the level's percent, to the hundredth."""
    programme = replace(PROGRAMME, bonus_step=1, rules=(settings,))
    return earn(of, programme).bonuses - earn(of, replace(PROGRAMME, bonus_step=1)).bonuses


@pytest.mark.parametrize(
    ("base", "tier_id", "earned"),
    [
        (1288_00, 0, 64_00),  # 64.40, rounded down once to a whole bonus
        (1288_00, 2, 128_00),
        (19_99, 0, 0),
        (20_00, 0, 1_00),
        (1288_00, 99, 64_00),  # a tier the programme no longer has counts as the base one
    ],
)
def test_a_sale_earns_at_the_rate_of_the_tier(base, tier_id, earned):
    got = earn(sale(base, tier_id=tier_id), PROGRAMME)
    assert got.bonuses == earned
    assert all(award.base == base for award in got.awards)


@pytest.mark.parametrize(
    ("rounding", "earned"), [(Rounding.DOWN, 64_00), (Rounding.NEAREST, 65_00), (Rounding.UP, 65_00)]
)
def test_earnings_are_rounded_once_the_way_the_programme_says(rounding, earned):
    assert earn(sale(644_99, 645_01), replace(PROGRAMME, rounding=rounding)).bonuses == earned  # 64.50 exactly
    assert earn(sale(1288_00), replace(PROGRAMME, rounding=Rounding.NEAREST)).bonuses == 64_00


def test_rules_multiply_the_levels_percent_add_to_it_or_give_a_sum():
    place: dict[str, Any] = {"locations": [1]}
    assert given_by(rule("location", Effect.MULTIPLY, 30_000, **place), sale(1000_00)) == 100_00
    assert given_by(rule("location", Effect.ADD, 200, **place), sale(1000_00)) == 20_00
    assert given_by(rule("location", Effect.FIXED, 150_00, **place), sale(1000_00)) == 150_00
    assert given_by(rule("location", Effect.FIXED, 150_00, **place), sale(0)) == 0  # nothing was paid with money


def test_a_category_rule_gives_only_for_its_lines_and_articles():
    mixed = sale(lines=(SaleLine(300_00, "coffee", "A-1"), SaleLine(200_00, "cakes", "B-7")))
    assert given_by(rule("category", categories=["coffee"], skus=[]), mixed) == 15_00
    assert given_by(rule("category", categories=[], skus=["b-7"]), mixed) == 10_00
    assert given_by(rule("category", categories=["tea"], skus=[]), mixed) == 0


def test_a_location_rule_gives_only_there():
    assert given_by(rule("location", locations=[2, 3]), sale(1000_00)) == 0
    assert given_by(rule("location", locations=[2, 3]), sale(1000_00, location_id=3)) == 50_00


@pytest.mark.parametrize(
    ("day", "minute", "applies"),
    [
        (SATURDAY, 600, True),
        (SATURDAY, 599, False),
        (SATURDAY, 839, True),
        (SATURDAY, 840, False),
        (date(2026, 3, 13), 700, False),
    ],
)
def test_hours_count_from_their_first_minute_and_before_their_last(day, minute, applies):
    hours = rule("weekday_hours", weekdays=[6, 7], from_time=600, until_time=840)
    assert (given_by(hours, sale(1000_00, day=day, minute=minute)) > 0) is applies


@pytest.mark.parametrize(
    ("day", "minute", "applies"),
    [
        (SATURDAY, 22 * 60, True),
        (date(2026, 3, 15), 60, True),  # the night that began on Saturday
        (SATURDAY, 60, False),  # the night that began on Friday
        (date(2026, 3, 15), 22 * 60, False),
    ],
)
def test_hours_over_midnight_belong_to_the_day_they_began_on(day, minute, applies):
    night = rule("weekday_hours", weekdays=[6], from_time=21 * 60, until_time=2 * 60)
    assert (given_by(night, sale(1000_00, day=day, minute=minute)) > 0) is applies


@pytest.mark.parametrize(
    ("birthday", "day", "applies"),
    [
        (date(1990, 3, 13), date(2026, 3, 10), True),
        (date(1990, 3, 14), date(2026, 3, 10), False),
        (date(1990, 3, 5), date(2026, 3, 10), True),
        (date(1990, 3, 4), date(2026, 3, 10), False),
        (date(1990, 1, 1), date(2025, 12, 30), True),  # over the new year
        (date(1990, 12, 30), date(2026, 1, 3), True),
        (date(1992, 2, 29), date(2026, 2, 28), True),
        (date(1992, 2, 29), date(2026, 3, 6), False),
        (None, date(2026, 3, 10), False),
    ],
)
def test_a_birthday_rule_gives_on_the_days_around_it(birthday, day, applies):
    around = rule("birthday", days_before=3, days_after=5)
    assert (given_by(around, sale(1000_00, birthday=birthday, day=day)) > 0) is applies


def test_the_first_purchase_is_the_first():
    assert given_by(rule("first_purchase", Effect.FIXED, 100_00), sale(1000_00, is_first=True)) == 100_00
    assert given_by(rule("first_purchase", Effect.FIXED, 100_00), sale(1000_00)) == 0


CODE: dict[str, Any] = {
    "code": "SPRING",
    "from_day": "2026-03-01",
    "until_day": "2026-03-31",
    "customer_limit": 1,
    "total_limit": 3,
}


def test_a_promo_code_gives_what_it_promises():
    assert given_by_code(promo_code="SPRING", promo_uses=(0, 2)) == 100_00


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"promo_code": "SUMMER"}, "promo_code_unknown"),
        ({"promo_code": "SPRING", "promo_uses": (1, 1)}, "promo_code_was_used"),
        ({"promo_code": "SPRING", "promo_uses": (0, 3)}, "promo_code_is_over"),
        ({"promo_code": "SPRING", "day": date(2026, 4, 1)}, "promo_code_not_now"),
        ({"promo_code": "SPRING", "day": date(2026, 2, 28)}, "promo_code_not_now"),
    ],
)
def test_a_promo_code_that_gives_nothing_says_why(changes, reason):
    with pytest.raises(Refused) as refused:
        given_by_code(**changes)
    assert refused.value.reason == reason


def given_by_code(**changes: object) -> int:
    programme = replace(PROGRAMME, rules=(rule("promo_code", Effect.FIXED, 100_00, **CODE),))
    return earn(sale(1000_00, **changes), programme).bonuses - 50_00


def test_the_best_rule_wins_or_all_add_up():
    rules = (
        rule("location", Effect.ADD, 300, number=1, locations=[1]),
        rule("category", Effect.MULTIPLY, 20_000, number=2, categories=["coffee"], skus=[]),
    )
    best = earn(sale(1000_00), replace(PROGRAMME, rules=rules, stacking=Stacking.BEST))
    assert best.bonuses == 100_00
    assert [(award.rule, award.bonuses) for award in best.awards] == [("tier_percent", 50_00), ("category", 50_00)]
    both = earn(sale(1000_00), replace(PROGRAMME, rules=rules, stacking=Stacking.SUM))
    assert both.bonuses == 130_00
    assert [award.rule_id for award in both.awards] == [None, 1, 2]


def test_of_two_equal_rules_the_first_in_order_wins():
    rules = tuple(rule("location", Effect.ADD, 300, number=number, locations=[1]) for number in (7, 3))
    assert earn(sale(1000_00), replace(PROGRAMME, rules=rules)).awards[-1].rule_id == 7


def test_a_rule_that_is_off_gives_nothing():
    off = replace(rule("location", locations=[1]), is_on=False)
    assert given_by(off, sale(1000_00)) == 0


@pytest.mark.parametrize(
    ("caps", "already", "earned"),
    [
        ({"earn_cap_receipt": 30_00}, {}, 30_00),
        ({"earn_cap_day": 60_00}, {"earned_today": 45_00}, 15_00),
        ({"earn_cap_month": 60_00}, {"earned_month": 70_00}, 0),
        ({"earn_cap_receipt": 30_50}, {}, 30_00),  # never half a step
    ],
)
def test_caps_cut_what_a_receipt_earns(caps, already, earned):
    got = earn(sale(1000_00, **already), replace(PROGRAMME, **caps))
    assert got.bonuses == earned == sum(award.bonuses for award in got.awards) == sum(got.lines)


BASES = st.lists(st.integers(0, 10**8), min_size=1, max_size=8)
SETTINGS = st.lists(
    st.one_of(
        st.builds(lambda amount: (Effect.MULTIPLY, amount), st.integers(10_001, 100_000)),
        st.builds(lambda amount: (Effect.ADD, amount), st.integers(1, 10_000)),
        st.builds(lambda amount: (Effect.FIXED, amount), st.integers(1, 10**6)),
    ),
    max_size=4,
)


@given(BASES, SETTINGS, st.sampled_from(Rounding), st.sampled_from(Stacking), st.sampled_from((1, 10, 100, 500)))
def test_awards_and_lines_each_sum_up_to_what_was_earned(bases, effects, rounding, stacking, step):
    rules = tuple(
        rule("location", effect, amount, number=number, locations=[1])
        for number, (effect, amount) in enumerate(effects, start=1)
    )
    programme = replace(PROGRAMME, rules=rules, rounding=rounding, stacking=stacking, bonus_step=step)
    got = earn(sale(*bases), programme)
    assert got.bonuses % step == 0
    assert got.bonuses == sum(got.lines) == sum(award.bonuses for award in got.awards)
    assert all(line == 0 for line, base in zip(got.lines, bases, strict=True) if not base)
    assert min([*got.lines, *(award.bonuses for award in got.awards)], default=0) >= 0


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (rule("lottery"), "kind"),
        (rule("location", locations=[]), "locations"),
        (rule("location", locations=["1"]), "locations"),
        (rule("location", locations=[True]), "locations"),
        (rule("location"), "locations"),
        (rule("location", locations=[1], colour="red"), "colour"),
        (rule("location", amount=10_000, locations=[1]), "amount"),
        (rule("location", Effect.ADD, 10_001, locations=[1]), "amount"),
        (rule("location", Effect.FIXED, 0, locations=[1]), "amount"),
        (rule("category", categories=[], skus=[]), "categories"),
        (rule("category", categories=["Coffee"], skus=[]), "categories"),
        (rule("weekday_hours", weekdays=[8], from_time=0, until_time=60), "weekdays"),
        (rule("weekday_hours", weekdays=[1], from_time=0, until_time=1441), "until_time"),
        (rule("birthday", days_before=-1, days_after=0), "days_before"),
        (rule("promo_code", **{**CODE, "code": "spring"}), "code"),
        (rule("promo_code", **{**CODE, "from_day": "1 March"}), "from_day"),
        (replace(rule("first_purchase"), name=""), "name"),
    ],
)
def test_a_rule_nobody_can_live_by_is_refused(settings, field):
    with pytest.raises(Invalid) as refused:
        check_rules(replace(PROGRAMME, rules=(settings,)))
    assert (refused.value.field, refused.value.details["rule"]) == (field, 1)


def test_two_rules_cannot_have_one_promo_code():
    codes = tuple(rule("promo_code", number=number, **CODE) for number in (1, 2))
    with pytest.raises(Invalid) as refused:
        check_rules(replace(PROGRAMME, rules=codes))
    assert refused.value.reason == "code_is_taken"


def test_every_kind_of_rule_is_listed_under_its_name():
    assert {kind: rule.kind for kind, rule in RULES.items()} == {kind: kind for kind in RULES}
