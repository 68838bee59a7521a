"""What makes a task sound, when it is due, when its assignee is told."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.errors import Invalid
from loyalty.staff.rules import Role
from loyalty.tasks.rules import (
    AHEAD,
    CODE_LENGTH,
    Due,
    Reminding,
    Sight,
    TaskDraft,
    checked,
    due_of,
    is_code,
    new_code,
    remind_moment,
    reminding_of,
    sight_of,
)

ZONE = "Europe/Moscow"
NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)  # noon there


def test_words_are_kept_without_what_cannot_be_seen():
    kept = checked(TaskDraft("  Call\u200b Maria \n back ", " First line \r\n\n\u202esecond  line\x00 "), NOW)
    assert (kept.title, kept.details) == ("Call Maria back", "First line\n\nsecond line")


@pytest.mark.parametrize(
    ("draft", "field", "reason"),
    [
        (TaskDraft(" \u200b "), "title", "required"),
        (TaskDraft("x" * 201), "title", "too_long"),
        (TaskDraft("x", "y" * 4001), "details", "too_long"),
        (TaskDraft("x", due_at=NOW + AHEAD + timedelta(days=1)), "due_at", "not_within_years"),
        (TaskDraft("x", remind_at=datetime(1999, 12, 31, tzinfo=UTC)), "remind_at", "not_within_years"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(draft, field, reason):
    with pytest.raises(Invalid) as caught:
        checked(draft, NOW)
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_moments_are_whole_seconds_and_a_checked_draft_stays_as_it_is():
    kept = checked(TaskDraft("x", due_at=NOW + timedelta(microseconds=5)), NOW)
    assert kept.due_at == NOW
    assert asdict(checked(kept, NOW)) == asdict(kept)


@pytest.mark.parametrize(
    ("due_at", "due"),
    [
        (None, Due.ANY_TIME),
        (NOW, Due.OVERDUE),
        (NOW + timedelta(seconds=1), Due.TODAY),
        (datetime(2026, 3, 10, 20, 59, tzinfo=UTC), Due.TODAY),  # 23:59 there
        (datetime(2026, 3, 10, 21, 0, tzinfo=UTC), Due.LATER),
    ],
)
def test_today_ends_at_the_midnight_of_the_shop(due_at, due):
    assert due_of(due_at, NOW, ZONE) is due


def test_the_evening_before_is_of_the_local_day_before():
    due_at = datetime(2026, 3, 10, 21, 30, tzinfo=UTC)  # 00:30 on the 11th there
    assert remind_moment(Reminding.EVENING_BEFORE, due_at, ZONE) == datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
    assert remind_moment(Reminding.AT_DUE, due_at, ZONE) == due_at
    assert remind_moment(Reminding.HOUR_BEFORE, due_at, ZONE) == due_at - timedelta(hours=1)
    assert remind_moment(Reminding.NONE, None, ZONE) is None


@pytest.mark.parametrize("chosen", [Reminding.AT_DUE, Reminding.HOUR_BEFORE, Reminding.EVENING_BEFORE])
def test_what_counts_from_the_due_time_asks_for_one(chosen):
    with pytest.raises(Invalid) as caught:
        remind_moment(chosen, None, ZONE)
    assert (caught.value.field, caught.value.reason) == ("remind", "needs_a_due_time")


@pytest.mark.parametrize("chosen", [Reminding.AT_DUE, Reminding.HOUR_BEFORE, Reminding.EVENING_BEFORE])
def test_a_moment_is_shown_as_the_choice_that_led_to_it(chosen):
    due_at = NOW + timedelta(days=3)
    assert reminding_of(remind_moment(chosen, due_at, ZONE), due_at, ZONE) is chosen
    assert reminding_of(due_at + timedelta(minutes=1), due_at, ZONE) is Reminding.OWN
    assert reminding_of(due_at, None, ZONE) is Reminding.OWN
    assert reminding_of(None, due_at, ZONE) is Reminding.NONE


def test_who_shares_tasks_out_sees_all_and_a_cashier_their_own():
    assert {role: sight_of(role) for role in Role} == {
        Role.OWNER: Sight.ALL,
        Role.MARKETER: Sight.ALL,
        Role.SUPPORT: Sight.ALL,
        Role.ANALYST: Sight.FREE,
        Role.CASHIER: Sight.OWN,
    }


def test_codes_are_their_own_and_known_by_their_form():
    codes = {new_code() for _ in range(50)}
    assert len(codes) == 50
    assert all(is_code(code) for code in codes)
    assert not any(is_code(text) for text in ("", "A" * (CODE_LENGTH + 1), "A" * (CODE_LENGTH - 1) + "0"))
