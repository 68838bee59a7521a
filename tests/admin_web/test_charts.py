"""Charts: scales that end at round numbers, names below their points, words that are escaped."""

import re

import pytest

from admin_web.charts import Series, as_table, bars, columns, lines, share
from admin_web.charts.frame import round_up

NAMES = ["Mon", "Tue", "<b>Wed</b>"]


@pytest.mark.parametrize(
    ("value", "top"), [(0, 100), (1, 2), (2, 2), (3, 4), (5, 10), (7, 10), (41, 50), (101, 200), (400, 400), (401, 500)]
)
def test_a_scale_ends_at_a_round_number_whose_half_is_whole(value, top):
    assert round_up(value) == top
    assert top % 2 == 0


def test_what_people_have_written_is_escaped_and_the_numbers_are_the_readers():
    one = Series("c1", "A & B", [1, 2, 30])
    for drawn in (
        lines(NAMES, [one], label="Over <time>", show=str),
        columns(NAMES, [one, one], label="Over <time>", show=str),
        bars(list(zip(NAMES, one.values, strict=True)), label="Over <time>", show=lambda value: f"{value} ₽"),
        as_table(NAMES, [(one, str)], label="Over <time>", point="Day"),
    ):
        assert "<b>" not in drawn
        assert "<time>" not in drawn
        assert "style=" not in drawn
    assert "<title>Mon\nA &amp; B: 1</title>" in lines(NAMES, [one], label="x", show=str)
    assert "30 ₽" in bars([("Mon", 30)], label="x", show=lambda value: f"{value} ₽")


def test_hours_that_lie_ahead_have_no_point():
    drawn = lines(
        NAMES, [Series("c1", "Today", [4, 2]), Series("c5", "Before", [1, 2, 3], is_past=True)], label="x", show=str
    )
    assert len(re.findall(r"<polyline[^>]*points=\"([^\"]*)\"", drawn)[-1].split()) == 2
    assert "<title>&lt;b&gt;Wed&lt;/b&gt;\nBefore: 3</title>" in drawn


def test_of_many_points_a_few_are_named():
    names = [f"day {number}" for number in range(30)]
    drawn = columns(names, [Series("c1", "A", list(range(30)))], label="x", show=str)
    axis = drawn.split('class="chart-x')[1]
    assert 4 <= len(re.findall(r"<span>day \d+</span>", axis)) <= 6
    assert axis.count("<span>") == 30


def test_what_is_below_zero_lies_on_the_ground_and_says_its_number():
    drawn = columns(["Mon"], [Series("c1", "Earned", [-5])], label="x", show=str)
    assert "bar-fill" not in drawn
    assert "Earned: -5" in drawn


def test_a_share_of_nothing_is_an_empty_bar():
    assert "bar-fill" not in share([("c1", "None", 0)], label="x")
    assert share([("c1", "A: 1", 1), ("c2", "B: 3", 3)], label="x").count("bar-fill") == 2
