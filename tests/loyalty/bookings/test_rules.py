from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from loyalty.bookings.rules import (
    SERVICES_AT_MOST,
    AppointmentDraft,
    Changes,
    Guest,
    ServiceDraft,
    State,
    TeamMemberDraft,
    checked,
    checked_member,
    checked_service,
    local_moment,
)
from loyalty.errors import Invalid
from tests.builders import NOW

ZONE = "Europe/Moscow"


def a_draft(**more):
    about: dict[str, Any] = {"location_id": 1, "starts_at": NOW, "customer_id": 7}
    return AppointmentDraft(**about | more)


@pytest.mark.parametrize(
    ("more", "field", "reason"),
    [
        ({"customer_id": None}, "customer_id", "no_guest"),
        ({"guest": Guest("+79160000001")}, "customer_id", "no_guest"),
        ({"starts_at": datetime(1999, 12, 31, tzinfo=UTC)}, "starts_at", "too_far_away"),
        ({"starts_at": NOW + timedelta(days=733)}, "starts_at", "too_far_away"),
        ({"ends_at": NOW}, "ends_at", "ends_before_it_begins"),
        ({"ends_at": NOW + timedelta(days=32)}, "ends_at", "too_far_away"),
        ({"tips": -1}, "tips", "must_not_be_negative"),
        ({"tips": 10**13 + 1}, "tips", "too_large"),
        ({"service_ids": tuple(range(SERVICES_AT_MOST + 1))}, "service_ids", "too_many"),
        ({"external_id": ""}, "external_id", "not_a_key"),
        ({"external_id": "x" * 65}, "external_id", "not_a_key"),
        ({"external_id": "a\nb"}, "external_id", "not_a_key"),
        ({"state": State.CAME, "starts_at": NOW + timedelta(days=1)}, "state", "not_yet_begun"),
        ({"state": State.NO_SHOW, "starts_at": NOW + timedelta(days=1)}, "state", "not_yet_begun"),
    ],
)
def test_an_appointment_that_cannot_be_is_refused_by_its_field(more, field, reason):
    with pytest.raises(Invalid, match=reason) as refused:
        checked(a_draft(**more), ZONE, NOW)
    assert refused.value.field == field


def test_who_comes_early_has_come_on_the_local_day_and_not_before():
    # Five past midnight in Moscow is still the day before in UTC.
    tonight = datetime(2026, 3, 10, 21, 5, tzinfo=UTC)
    early = datetime(2026, 3, 10, 21, 1, tzinfo=UTC)
    draft = a_draft(state=State.CAME, starts_at=tonight + timedelta(hours=20))
    assert checked(draft, ZONE, early).state is State.CAME
    with pytest.raises(Invalid):
        checked(draft, ZONE, early - timedelta(minutes=2))


def test_services_stand_once_each_in_order_and_moments_have_whole_seconds():
    draft = checked(a_draft(service_ids=(3, 1, 3), starts_at=NOW.replace(microsecond=7)), ZONE, NOW)
    assert draft.service_ids == (1, 3)
    assert draft.starts_at == NOW


def test_the_same_body_has_the_same_hash_however_it_was_written():
    local = NOW.astimezone(UTC).replace(tzinfo=None)
    first = a_draft(service_ids=(1, 2))
    same = a_draft(service_ids=(2, 1), starts_at=local.replace(tzinfo=UTC))
    assert first.body_hash() == same.body_hash()
    assert first.body_hash() != a_draft(service_ids=(1,)).body_hash()
    assert first.body_hash() != a_draft(service_ids=(1, 2), tips=1).body_hash()


def test_changes_touch_the_named_fields_alone():
    before = a_draft(tips=500, team_member_id=3)
    after = Changes(frozenset({"state", "team_member_id"}), state=State.CAME).over(before)
    assert (after.state, after.team_member_id, after.tips) == (State.CAME, None, 500)


def test_wall_clock_times_are_read_at_the_place():
    assert local_moment(date(2026, 3, 10), time(12), ZONE) == NOW
    # Berlin skips 2:30 on the last Sunday of March, and has it twice on that of October.
    assert local_moment(date(2026, 3, 29), time(2, 30), "Europe/Berlin") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert local_moment(date(2026, 10, 25), time(2, 30), "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(("name", "reason"), [(" \u200b ", "required"), ("x" * 101, "too_long")])
def test_names_are_lines_that_can_be_read(name, reason):
    with pytest.raises(Invalid, match=reason):
        checked_member(TeamMemberDraft(name))
    assert checked_service(ServiceDraft(" Latte \n art ")).name == "Latte art"
