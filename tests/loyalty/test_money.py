import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.errors import Invalid
from loyalty.money import bonuses_of, floor_to_step, money_of, parse_amount, share_of


@pytest.mark.parametrize(
    ("amount", "rate_bp", "share"),
    [
        (100_00, 500, 5_00),
        (9_99, 500, 49),  # 49.95: the shop never overpays
        (1, 500, 0),
        (10**13, 10_000, 10**13),
    ],
)
def test_a_share_is_rounded_down(amount, rate_bp, share):
    assert share_of(amount, rate_bp) == share


@given(st.integers(0, 10**12), st.integers(1, 10_000))
def test_bonuses_never_pay_more_than_they_cost(minor, bonus_value):
    assert money_of(bonuses_of(minor, bonus_value), bonus_value) <= minor


def test_floor_to_step():
    assert [floor_to_step(amount, 100) for amount in (0, 99, 100, 6440)] == [0, 0, 100, 6400]


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1840", 1840_00),
        ("1 840", 1840_00),
        ("1\u202f840,50", 1840_50),
        (" 0.5 ", 50),
        ("12.30", 12_30),
        ("0", 0),
    ],
)
def test_a_typed_sum_is_read_as_a_person_means_it(text, minor):
    assert parse_amount(text, 2, field="total") == minor


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "required"),
        ("   ", "required"),
        ("1e309", "not_a_number"),
        ("1_000", "not_a_number"),
        ("-5", "not_a_number"),
        ("+5", "not_a_number"),
        ("٣٤٥", "not_a_number"),
        ("１２", "not_a_number"),
        ("1,840.50", "not_a_number"),
        ("12.345", "too_precise"),
        ("200,000", "too_precise"),  # two hundred, or two hundred thousand
        ("1.840", "too_precise"),
        ("12.300", "too_precise"),
        ("NaN", "not_a_number"),
        ("9" * 15, "too_large"),
        ("9" * 400, "too_large"),
        ("12\x00", "not_a_number"),
    ],
)
def test_anything_else_is_refused_with_its_reason(text, reason):
    with pytest.raises(Invalid) as refused:
        parse_amount(text, 2, field="total")
    assert (refused.value.field, refused.value.reason) == ("total", reason)


def test_a_currency_without_decimals_takes_none():
    assert parse_amount("1500", 0, field="total") == 1500
    with pytest.raises(Invalid):
        parse_amount("15.5", 0, field="total")
    with pytest.raises(Invalid):
        parse_amount("15.000", 0, field="total")
    assert parse_amount("15.00", 0, field="total") == 15


def test_three_decimals_are_no_grouping_where_a_currency_has_as_many():
    assert parse_amount("12.500", 3, field="total") == 12_500
