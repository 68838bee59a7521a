"""Where along an order somebody can be who meets a tree: never too little, and less than all where the tree says so."""

from datetime import UTC, datetime

import pytest

from loyalty.segments.filters import Context, checked, compile_tree
from loyalty.segments.queries.stretches import stretches
from loyalty.segments.rules.trees import tree_from

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LAST_VISIT = "f.last_visit_at"
LOST = tree_from("visits:between:5..,last_visit:not_in:last-30")
OFTEN = tree_from("segment:any:2,any(visits:between:20..)")
"""Segment 2 asks for itself through segment 1."""


def found(text: str, column: str = LAST_VISIT) -> tuple[str, ...]:
    segments = {1: OFTEN, 2: tree_from("segment:any:1"), 3: LOST}
    context = Context(NOW, NOW.date(), "Europe/Moscow", compile_tree, segments)
    return stretches(checked(tree_from(text)), column, context)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ("visits:between:5..", ()),
        ("last_visit:never", ("f.last_visit_at = TIMESTAMPTZ '1970-01-01 00:00+00'",)),
        ("last_visit:ever", ("f.last_visit_at > TIMESTAMPTZ '1970-01-01 00:00+00'",)),
        (
            "gender:any:f,last_visit:in:older-30",
            ("f.last_visit_at < $1::timestamptz AND f.last_visit_at > TIMESTAMPTZ '1970-01-01 00:00+00'",),
        ),
        ("last_visit:not_in:last-30", ("f.last_visit_at < $1::timestamptz", "f.last_visit_at >= $2::timestamptz")),
        (
            "last_visit:not_in:..2026-01-31",
            ("f.last_visit_at <= TIMESTAMPTZ '1970-01-01 00:00+00'", "f.last_visit_at >= $1::timestamptz"),
        ),
        ("last_visit:not_in:2026-01-01..", ("f.last_visit_at < $1::timestamptz",)),
        # Nothing that the tree says elsewhere than in its trunk must hold.
        ("any(last_visit:never,visits:between:5..)", ()),
        ("none(last_visit:never)", ()),
        ("any(last_visit:never)", ("f.last_visit_at = TIMESTAMPTZ '1970-01-01 00:00+00'",)),
        # A segment's conditions are the look's own, where it is the only one that is asked for.
        ("segment:any:3", ("f.last_visit_at < $1::timestamptz", "f.last_visit_at >= $2::timestamptz")),
        ("segment:any:3.1", ()),
        ("segment:none:3", ()),
        ("segment:any:1", ()),
    ],
)
def test_stretches_of_the_last_visit(tree, expected):
    assert found(tree) == expected


@pytest.mark.parametrize(
    ("tree", "column", "expected"),
    [
        ("visits:between:5..9", "f.visits", ("f.visits >= $1::bigint AND f.visits <= $2::bigint",)),
        ("segment:any:1", "f.visits", ("f.visits >= $1::bigint",)),
        (
            "created:not_in:last-7",
            "f.created_at",
            ("f.created_at < $1::timestamptz", "f.created_at >= $2::timestamptz"),
        ),
        ("age:between:20..30,expiring:in:next-7,balance:between:..0", "f.balance", ("f.balance <= $1::bigint",)),
        ("next_booking:not_in:next-7", "f.next_booking_at", ()),
    ],
)
def test_stretches_of_other_orders(tree, column, expected):
    assert found(tree, column) == expected


def test_periods_before_the_beginning_of_time_leave_each_moment_in_one_stretch():
    never = "TIMESTAMPTZ '1970-01-01 00:00+00'"
    assert found("last_visit:not_in:1950-01-01..1960-01-01") == (
        f"f.last_visit_at <= {never}",
        f"f.last_visit_at > {never}",
    )
