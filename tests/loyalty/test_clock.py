from datetime import UTC, date, datetime

import pytest

from loyalty.clock import add_months, business_date, end_of_day


@pytest.mark.parametrize(
    ("day", "months", "result"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 15), 12, date(2027, 12, 15)),
    ],
)
def test_months_are_clamped_to_their_length(day, months, result):
    assert add_months(day, months) == result


def test_the_business_day_is_the_shops():
    night = datetime(2026, 3, 9, 21, 30, tzinfo=UTC)
    assert business_date(night, "Europe/Moscow") == date(2026, 3, 10)
    assert business_date(night, "Europe/Lisbon") == date(2026, 3, 9)


def test_a_day_ends_at_local_midnight_also_when_clocks_change():
    assert end_of_day(date(2026, 3, 28), "Europe/Kyiv") == datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert end_of_day(date(2026, 3, 29), "Europe/Kyiv") == datetime(2026, 3, 29, 21, tzinfo=UTC)
