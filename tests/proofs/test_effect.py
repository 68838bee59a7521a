"""How often the interval of a campaign's effect holds, and that it is silent where it could not.

Revenue is what a shop sees: most buy nothing, the rest a sum with a long tail. 2,000 campaigns of 2,000 people a group
under REGULARS_PROVE=1; a hundred with wide bounds without it.
"""

from math import exp, log
from random import Random

import pytest

from loyalty.campaigns.effect import LEAST_BUYERS, LEAST_PEOPLE, Arm, Effect, Verdict, compare, estimate
from tests.proofs.conftest import FULL, sized

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1200)]

CAMPAIGNS = sized(100, 2_000)
PEOPLE = 2_000
LEAST, MOST = (0.93, 0.97) if FULL else (0.86, 1.0)
"""What share of the intervals must hold the truth: in a hundred campaigns, chance alone makes some points."""
SHOPS = {
    "seldom and alike": (0.05, 0.6),
    "now and then, some much more": (0.12, 1.0),
    "often": (0.4, 0.8),
    "nearly everybody": (0.8, 0.5),
}
"""Share of people who buy in the window, and how far apart their sums are: the spread of their logarithms."""
MEDIAN = 600_00


def drawn(random: Random, people: int, share: float, spread: float, *, up: float = 1.0) -> Arm:
    """A group of which a share bought for a log-normal sum."""
    buyers = total = squares = cubes = 0
    middle = log(MEDIAN)
    for _ in range(people):
        if random.random() < share:
            paid = round(random.lognormvariate(middle, spread) * up)
            buyers += paid > 0
            total += paid
            squares += paid**2
            cubes += paid**3
    return Arm(people, buyers, total, squares, cubes)


def mean(share: float, spread: float, up: float = 1.0) -> float:
    """What a person of such a group pays on average, in truth."""
    return share * exp(log(MEDIAN) + spread**2 / 2) * up


def campaigns(
    seed: int, shop: str, sizes: tuple[int, int], *, more: float = 1.0, up: float = 1.0, count: int = CAMPAIGNS
) -> list[Effect]:
    """Effects as they are estimated: (treated, control) people; `more` times the buyers, who pay `up` times as much."""
    random, (share, spread) = Random(f"{seed} {shop}"), SHOPS[shop]
    return [
        estimate(drawn(random, sizes[0], share * more, spread, up=up), drawn(random, sizes[1], share, spread))
        for _ in range(count)
    ]


def held(effects: list[Effect], truth: float) -> float:
    """In what share of those of which something is said the truth lies in the interval."""
    told = [one for one in effects if one.low is not None and one.high is not None]
    return sum(one.low <= truth <= one.high for one in told) / len(told)  # type: ignore[operator]


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize(("more", "up"), [(1.1, 1.0), (1.2, 1.15), (0.8, 1.0)], ids=["some more", "far more", "less"])
def test_the_interval_holds_the_effect_as_often_as_it_says(shop, more, up):
    share, spread = SHOPS[shop]
    effects = campaigns(1, shop, (PEOPLE, PEOPLE), more=more, up=up)
    truth = (mean(share * more, spread, up) - mean(share, spread)) * PEOPLE
    # Groups like these are large enough to say something of nearly all of them.
    assert sum(one.verdict is Verdict.TOO_SMALL for one in effects) < CAMPAIGNS // 10
    assert LEAST <= held(effects, truth) <= MOST


@pytest.mark.parametrize("shop", SHOPS)
def test_where_there_is_no_effect_it_cannot_tell(shop):
    effects = campaigns(2, shop, (PEOPLE, PEOPLE))
    silent = sum(one.verdict in {Verdict.UNCLEAR, Verdict.TOO_SMALL} for one in effects)
    assert silent / CAMPAIGNS >= LEAST


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("wordings", [2, 3])
def test_of_wordings_that_do_not_differ_none_is_called_the_better(shop, wordings):
    """The best of those that were drawn is looked for, and yet it is named as seldom as any interval may miss."""
    random, (share, spread) = Random(f"7 {shop} {wordings}"), SHOPS[shop]
    named = 0
    for _ in range(CAMPAIGNS):
        pairs = compare([drawn(random, PEOPLE, share, spread) for _ in range(wordings)])
        named += any(one.verdict is Verdict.EARNED for one in pairs)
    assert 1 - named / CAMPAIGNS >= LEAST


@pytest.mark.parametrize("shop", SHOPS)
def test_all_intervals_of_three_wordings_hold_together_as_often_as_one_says(shop):
    random, (share, spread) = Random(f"8 {shop}"), SHOPS[shop]
    more = (1.0, 1.05, 1.2)
    truths = [mean(share * one, spread) for one in more]
    held_all = 0
    for _ in range(CAMPAIGNS):
        pairs = compare([drawn(random, PEOPLE, share * one, spread) for one in more])
        held_all += all(
            one.low is None or one.high is None or one.low <= truths[one.first] - truths[one.other] <= one.high
            for one in pairs
        )
    assert held_all / CAMPAIGNS >= LEAST


@pytest.mark.parametrize("sizes", [(3_600, 400), (1_600, 400)], ids=["a tenth", "a fifth"])
def test_a_small_control_group_holds_it_too_where_anything_is_said(sizes):
    share, spread = SHOPS["often"]
    effects = campaigns(3, "often", sizes, more=1.1)
    assert LEAST <= held(effects, (mean(share * 1.1, spread) - mean(share, spread)) * sizes[0]) <= MOST


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("people", [1, 10, 50, LEAST_PEOPLE - 1])
def test_groups_too_small_to_be_trusted_never_say_anything(shop, people):
    for sizes in ((people, people), (PEOPLE, people), (people, PEOPLE)):
        effects = campaigns(4, shop, sizes, more=1.5, up=3.0, count=sized(10, 200))
        assert {one.verdict for one in effects} == {Verdict.TOO_SMALL}


def test_few_buyers_never_say_anything_however_many_the_people():
    random = Random(5)
    for _ in range(CAMPAIGNS):
        many = drawn(random, PEOPLE, 0.3, 0.8)
        paid = [round(random.lognormvariate(log(MEDIAN), 0.8)) for _ in range(LEAST_BUYERS - 1)]
        few = Arm(PEOPLE, len(paid), sum(paid), sum(one**2 for one in paid), sum(one**3 for one in paid))
        assert estimate(many, few).verdict is Verdict.TOO_SMALL


@pytest.mark.parametrize("spread", [2.0, 2.5])
def test_a_sum_that_a_few_carry_is_not_trusted_when_groups_differ_in_size(spread):
    random, said = Random(6), 0
    for _ in range(sized(40, 400)):
        effect = estimate(drawn(random, 1_800, 0.1, spread), drawn(random, 200, 0.1, spread))
        said += effect.verdict is not Verdict.TOO_SMALL
    assert said == 0
