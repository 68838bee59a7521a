"""When and where people come."""

from loyalty.segments.filters.base import (
    Area,
    ChoiceFilter,
    Context,
    ManyChoicesFilter,
    PeriodFilter,
    RangeFilter,
    Unit,
)
from loyalty.segments.rules.trees import Condition
from loyalty.wording import mark


class Visits(RangeFilter):
    """Days with a receipt or an appointment that came, once per location and day."""

    key, label, area, column = "visits", mark("Visits"), Area.VISITS, "visits"
    fact = "f.visits"


class Frequency(RangeFilter):
    """Mean days between visits over the last year; unknown with fewer than three days."""

    key, label, area, column = "frequency", mark("Days between visits"), Area.VISITS, "frequency"
    unit, fact, known_from = Unit.GAP, "f.frequency", 1


class LastVisit(PeriodFilter):
    """The newest one."""

    key, label, area, column = "last_visit", mark("Last visit"), Area.VISITS, "last_visit"
    moment = "f.last_visit_at"


class FirstVisit(PeriodFilter):
    """The oldest one. Index: customer_facts_last_visit, because who came first then has not come last before."""

    key, label, area, column = "first_visit", mark("First visit"), Area.VISITS, "first_visit"
    moment = "f.first_visit_at"

    def sql(self, condition: Condition, context: Context) -> str:
        """Asks of the last visit what the index can look up."""
        found, period = super().sql(condition, context), self.read(condition)
        begins = period.bounds(context.now, context.today, context.zone)[0] if period else None
        if condition.operator != "in" or begins is None:
            return found
        return f"{found} AND f.last_visit_at >= {context.add(begins)}::timestamptz"


class VisitedLocation(ManyChoicesFilter):
    """Where people have been. Index: the primary key of customer_location."""

    key, label, area, column = "visited_location", mark("Visited location"), Area.VISITS, "locations"
    source = "location"
    with_any = (
        "EXISTS (SELECT FROM customer_location p WHERE p.customer_id = f.customer_id AND p.visits > 0"
        " AND p.location_id = ANY({wanted}))"
    )


class Locations(RangeFilter):
    """At how many locations people have been."""

    key, label, area, column = "locations", mark("Number of locations visited"), Area.VISITS, "locations"
    fact = "f.locations"


class HomeLocation(ChoiceFilter):
    """Where people belong, with or without a visit. Index: customer_home_location."""

    key, label, area, column = "home_location", mark("Belongs to location"), Area.VISITS, "home_location"
    source = "location"
    with_any = "EXISTS (SELECT FROM customer c WHERE c.id = f.customer_id AND c.home_location_id = ANY({wanted}))"


FILTERS = (Visits, Frequency, LastVisit, FirstVisit, VisitedLocation, Locations, HomeLocation)
