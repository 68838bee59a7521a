"""What people have booked, with whom and for what."""

from loyalty.segments.filters.base import (
    Area,
    ChoiceFilter,
    Context,
    FlagFilter,
    HappenedFilter,
    ManyChoicesFilter,
    PeriodFilter,
)
from loyalty.segments.rules.trees import Condition
from loyalty.wording import mark


class NextBooking(PeriodFilter):
    """The next planned appointment. Index: customer_facts_next_booking."""

    key, label, area, column = "next_booking", mark("Next booking"), Area.BOOKINGS, "next_booking"
    moment, ahead = "f.next_booking_at", True

    def sql(self, condition: Condition, context: Context) -> str:
        """One whose time has come since the facts were refreshed is next no more."""
        if condition.operator in ("never", "ever"):
            sign = "<=" if condition.operator == "never" else ">"
            return f"{self.moment} {sign} {context.add(context.now)}::timestamptz"
        period = self.read(condition)
        assert period is not None
        ahead = (
            f"{self.inside(self.moment, period, context)} AND {self.moment} > {context.add(context.now)}::timestamptz"
        )
        return f"NOT ({ahead})" if condition.operator == "not_in" else ahead

    def stretches(self, column: str, condition: Condition, context: Context) -> tuple[str, ...]:  # noqa: ARG002
        """No order by it is walked."""
        return ()


class BookedWith(ChoiceFilter):
    """A planned appointment with somebody. Indexes: appointment_planned, appointment_customer."""

    key, label, area = "booked_with", mark("Upcoming booking with"), Area.BOOKINGS
    source = "team_member"

    def test(self, wanted: list[int], context: Context) -> str:
        """Only what lies ahead."""
        return (
            "EXISTS (SELECT FROM appointment a WHERE a.customer_id = f.customer_id AND a.state = 'planned'"
            f" AND a.starts_at > {context.add(context.now)}::timestamptz"
            f" AND a.team_member_id = ANY({context.add(wanted)}::int[]))"
        )


class Booked(HappenedFilter):
    """Appointments in a period, whatever became of them unless they were cancelled. Index: appointment_customer."""

    key, label, area = "booked", mark("Booking in a period"), Area.BOOKINGS
    happened = "SELECT FROM appointment a WHERE a.customer_id = f.customer_id AND a.state <> 'cancelled'"
    at = "a.starts_at"


class BookedOnline(FlagFilter):
    """Has booked online, ever. Index: appointment_online."""

    key, label, area = "booked_online", mark("Has booked online"), Area.BOOKINGS
    holds = "EXISTS (SELECT FROM appointment a WHERE a.customer_id = f.customer_id AND a.source = 'online')"


class MissedBooking(HappenedFilter):
    """Did not come to an appointment. Index: appointment_customer."""

    key, label, area = "missed", mark("Did not come to a booking"), Area.BOOKINGS
    happened = "SELECT FROM appointment a WHERE a.customer_id = f.customer_id AND a.state = 'no_show'"
    at = "a.starts_at"


class ServedBy(ManyChoicesFilter):
    """Who has served people. Index: the primary key of customer_team_member."""

    key, label, area, column = "served_by", mark("Served by"), Area.BOOKINGS, "team_members"
    source = "team_member"
    with_any = (
        "EXISTS (SELECT FROM customer_team_member p WHERE p.customer_id = f.customer_id AND p.visits > 0"
        " AND p.team_member_id = ANY({wanted}))"
    )


class ServiceFilter(ManyChoicesFilter):
    """Services that people came for. Index: the primary key of customer_service."""

    key, label, area, column = "service", mark("Came for service"), Area.BOOKINGS, "services"
    source = "service"
    with_any = (
        "EXISTS (SELECT FROM customer_service p WHERE p.customer_id = f.customer_id AND p.visits > 0"
        " AND p.service_id = ANY({wanted}))"
    )


class ServiceCategoryFilter(ManyChoicesFilter):
    """Categories of services that people came for. Index: the primary key of customer_service_category."""

    key, label, area = "service_category", mark("Came for service category"), Area.BOOKINGS
    source = "service_category"
    with_any = (
        "EXISTS (SELECT FROM customer_service_category p WHERE p.customer_id = f.customer_id AND p.visits > 0"
        " AND p.service_category_id = ANY({wanted}))"
    )


FILTERS = (NextBooking, BookedWith, Booked, BookedOnline, MissedBooking, ServedBy, ServiceFilter, ServiceCategoryFilter)
