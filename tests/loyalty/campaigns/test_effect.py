"""What a campaign brought: two groups compared, and when nothing may be said."""

from random import Random

import pytest

from loyalty.campaigns.effect import LEAST_BUYERS, LEAST_PEOPLE, Arm, Effect, Verdict, estimate


def arm(paid: list[int]) -> Arm:
    return Arm(
        len(paid),
        sum(1 for one in paid if one),
        sum(paid),
        sum(one**2 for one in paid),
        sum(one**3 for one in paid),
    )


def some(people: int, share: float, each: int, seed: int = 1) -> list[int]:
    """So many people, of whom a share paid about so much."""
    random = Random(seed)
    return [round(each * random.uniform(0.5, 1.5)) if random.random() < share else 0 for _ in range(people)]


def test_a_large_difference_is_earned_a_negative_one_is_lost_and_none_is_unclear():
    better, plain = some(1000, 0.3, 500_00), some(1000, 0.1, 500_00, seed=2)
    effect = estimate(arm(better), arm(plain))
    assert effect.verdict is Verdict.EARNED
    assert effect.difference == sum(better) - sum(plain)
    assert effect.low is not None
    assert effect.high is not None
    assert 0 < effect.low < effect.difference < effect.high
    turned = estimate(arm(plain), arm(better))
    assert (turned.verdict, turned.difference, turned.low, turned.high) == (
        Verdict.LOST,
        -effect.difference,
        -effect.high,
        -effect.low,
    )
    assert estimate(arm(plain), arm(some(1000, 0.1, 500_00, seed=3))).verdict is Verdict.UNCLEAR


def test_the_difference_is_for_everybody_who_was_to_be_written_to_whatever_the_size_of_the_control_group():
    effect = estimate(arm([300] * 300 + [0] * 600), arm([300] * 100 + [0] * 300))
    # 100 against 75 each, for nine hundred.
    assert (effect.difference, effect.verdict) == (22_500, Verdict.EARNED)
    assert effect.margin is not None
    assert effect.difference is not None
    assert abs(effect.margin - 13_300) < 1_000
    assert effect.low == effect.difference - effect.margin or effect.low == effect.difference - effect.margin + 1


@pytest.mark.parametrize("people", [0, 1, 2, LEAST_PEOPLE - 1])
def test_small_groups_say_nothing_however_different_they_are(people):
    large = arm([100_00] * 1000 + [90_00] * 1000)
    assert estimate(arm([1] * people), large) == Effect(Verdict.TOO_SMALL)
    assert estimate(large, arm([1] * people)) == Effect(Verdict.TOO_SMALL)


def test_few_buyers_say_nothing():
    plain = arm(some(2000, 0.3, 500_00))
    few = arm([500_00] * (LEAST_BUYERS - 1) + [0] * 1971)
    assert estimate(plain, few).verdict is Verdict.TOO_SMALL
    assert estimate(few, plain).verdict is Verdict.TOO_SMALL
    assert estimate(arm([0] * 2000), arm([0] * 2000)).verdict is Verdict.TOO_SMALL


def test_one_rich_buyer_carries_no_verdict():
    paid = some(2000, 0.3, 500_00)
    assert estimate(arm([*paid, 900_000_00]), arm(paid)).verdict is Verdict.TOO_SMALL
    assert estimate(arm(paid), arm([*paid, 900_000_00])).verdict is Verdict.TOO_SMALL


def test_who_all_paid_the_same_leave_nothing_to_compare():
    assert estimate(arm([500] * 200), arm([500] * 200)).verdict is Verdict.TOO_SMALL


def test_sums_are_exact_however_large():
    paid = [10**9 + one for one in some(500, 0.6, 900_00)]
    effect = estimate(arm(paid), arm([10**9 + one for one in some(500, 0.6, 900_00, seed=9)]))
    small = estimate(arm([one - 10**9 for one in paid]), arm(some(500, 0.6, 900_00, seed=9)))
    # All of them a great deal more: the difference and its interval are the same.
    assert (effect.difference, effect.low, effect.high) == (small.difference, small.low, small.high)
