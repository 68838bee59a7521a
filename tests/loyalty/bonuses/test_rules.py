from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.bonuses.rules import (
    Lot,
    Taken,
    allocate,
    available,
    burn_limit,
    check_burn,
    earned_lot_dates,
    gift_lot_dates,
    restore,
    reverse,
    still_held,
    total_taken,
)
from loyalty.errors import Refused
from tests.builders import NOW, PROGRAMME

DAY = timedelta(days=1)


def lot(id_: int, remaining: int, *, expires: int | None = None, activates: int = -1) -> Lot:
    """Days from NOW."""
    return Lot(id_, remaining, NOW + activates * DAY, None if expires is None else NOW + expires * DAY)


def test_the_soonest_to_expire_is_spent_first_and_never_expiring_last():
    lots = [lot(1, 50), lot(2, 50, expires=9), lot(3, 50, expires=2), lot(4, 50, expires=9, activates=-5)]
    assert allocate(lots, 170, NOW) == [Taken(3, 50), Taken(4, 50), Taken(2, 50), Taken(1, 20)]


def test_pending_and_expired_bonuses_cannot_be_spent():
    lots = [lot(1, 10, activates=1), lot(2, 20, expires=0), lot(3, 30)]
    assert available(lots, NOW) == 30
    assert allocate(lots, 60, NOW) == [Taken(3, 30)]


lots_of_anyone = st.lists(
    st.builds(
        lot,
        st.integers(1, 10**6),
        st.integers(0, 10**6),
        expires=st.none() | st.integers(-3, 400),
        activates=st.integers(-400, 3),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@given(lots_of_anyone, st.integers(0, 10**7))
def test_no_allocation_takes_more_than_a_lot_has_or_than_is_asked(lots, amount):
    taken = allocate(lots, amount, NOW)
    by_id = {one.id: one for one in lots}
    assert total_taken(taken) == min(amount, available(lots, NOW))
    assert all(0 < part.amount <= by_id[part.lot_id].remaining for part in taken)


@given(lots_of_anyone, st.integers(1, 10**7), st.integers(0, 10**7))
def test_what_a_burn_took_goes_back_exactly(lots, burnt, back):
    by_id = {one.id: one for one in lots}
    burnt_lots = [(by_id[part.lot_id], part.amount) for part in allocate(lots, burnt, NOW)]
    total = sum(amount for _, amount in burnt_lots)
    back = min(back, total)
    first = restore(burnt_lots, back, NOW)
    rest = restore(still_held(burnt_lots, back), total - back, NOW)
    returned: dict[int, int] = {}
    for part in first.to_lots + rest.to_lots:
        returned[part.lot_id] = returned.get(part.lot_id, 0) - part.amount
    assert returned == {one.id: amount for one, amount in burnt_lots}
    assert first.as_new_lot == rest.as_new_lot == 0


def test_what_came_from_an_expired_lot_returns_as_a_new_one():
    burnt_lots = [(lot(1, 0, expires=1), 40), (lot(2, 0, expires=30), 60)]
    back = restore(burnt_lots, 80, NOW + 2 * DAY)
    assert (back.to_lots, back.as_new_lot) == ([Taken(2, -60)], 20)


def test_earned_bonuses_are_taken_from_their_own_lot_then_others_then_as_debt():
    own, other = lot(1, 30, activates=5), lot(2, 20)
    reversal = reverse(own, [own, other], 100, NOW)
    assert (reversal.taken, reversal.debt) == ([Taken(1, 30), Taken(2, 20)], 50)


@pytest.mark.parametrize(
    ("changes", "available_now", "burnt_today", "limit"),
    [
        ({}, 10_000_00, 0, 552_00),  # 30 % of 1 840
        ({}, 100_50, 0, 100_00),  # what there is, to the step
        ({"burn_share_bp": 10_000}, 10_000_00, 0, 1839_00),  # a rouble must be paid
        ({"burn_cap_receipt": 300_00}, 10_000_00, 0, 300_00),
        ({"burn_cap_day": 400_00}, 10_000_00, 350_00, 50_00),
        ({"burn_cap_day": 400_00}, 10_000_00, 500_00, 0),
        ({"bonus_value": 50}, 10_000_00, 0, 1104_00),  # half a rouble a bonus
        ({"bonus_step": 10}, 10_000_00, 0, 552_00),
        ({}, -5_00, 0, 0),
    ],
)
def test_the_most_that_can_be_burnt_is_the_least_of_the_limits(changes, available_now, burnt_today, limit):
    from dataclasses import replace

    programme = replace(PROGRAMME, **changes)
    assert burn_limit(programme, available_now=available_now, total=1840_00, burnt_today=burnt_today) == limit


@pytest.mark.parametrize(
    ("burn", "reason"), [(-100, "burn_not_a_step"), (150, "burn_not_a_step"), (600, "burn_over_limit")]
)
def test_a_burn_outside_the_limit_is_refused(burn, reason):
    with pytest.raises(Refused) as refused:
        check_burn(burn, 500, 100)
    assert refused.value.reason == reason


def test_an_earned_lot_ends_with_the_local_day_after_its_months():
    from dataclasses import replace

    dates = earned_lot_dates(
        replace(PROGRAMME, lifetime_months=1), datetime(2026, 1, 31, 9, tzinfo=UTC), "Europe/Moscow"
    )
    assert dates.expires_at == datetime(2026, 2, 28, 21, tzinfo=UTC)
    delayed = earned_lot_dates(replace(PROGRAMME, activation_delay_days=14), NOW, "Europe/Moscow")
    assert delayed.activates_at == datetime(2026, 3, 23, 21, tzinfo=UTC)
    assert delayed.expires_at == datetime(2027, 3, 24, 21, tzinfo=UTC)
    assert earned_lot_dates(replace(PROGRAMME, lifetime_months=0), NOW, "Europe/Moscow").expires_at is None


def test_a_gift_lives_its_days_to_the_end():
    assert gift_lot_dates(30, NOW, "Europe/Moscow").expires_at == datetime(2026, 4, 9, 21, tzinfo=UTC)
    assert gift_lot_dates(0, NOW, "Europe/Moscow").expires_at is None
