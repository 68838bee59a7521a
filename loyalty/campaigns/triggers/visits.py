"""What happens to people as they come and go: they buy, stay away, are booked, say what they think."""

from datetime import timedelta

from loyalty.campaigns.rules.automations import LATE_WITHIN
from loyalty.campaigns.triggers.base import Asking, Param, Trigger

EVER = "TIMESTAMPTZ '1970-01-01 00:00+00'"


class Receipt(Trigger):
    """Somebody buys, for at least so much; with `visit`, when that makes it their visit of this number.

    Goes by the receipts' ids. Sales from files are no purchases of now.
    """

    key = "receipt"
    params = (Param("minimum", 0, 10**12, 0, is_money=True), Param("visit", 0, 1_000, 0))
    table = "receipt"
    sales = "r.kind = 'sale' AND r.refunded < r.total AND r.source <> 'import'"

    def found(self, asking: Asking) -> str:
        """Once for each receipt; of a visit by its number once in a life."""
        minimum, visit = asking.add(asking.params["minimum"], "bigint"), asking.params["visit"]
        key = "'visit:' || f.visits" if visit else "'receipt:' || r.id"
        counted = f"AND f.visits = {asking.add(visit, 'int')}" if visit else ""
        return f"""SELECT r.customer_id, {key} AS key FROM receipt r
            JOIN customer_facts f ON f.customer_id = r.customer_id
            WHERE {asking.rows} AND {self.sales} AND r.total >= {minimum} {counted}"""

    def past(self, asking: Asking, since: str, until: str) -> str:
        """Who did. A visit is a day at a location."""
        minimum, visit = asking.add(asking.params["minimum"], "bigint"), asking.params["visit"]
        if not visit:
            return f"""SELECT r.customer_id, r.at FROM receipt r
                WHERE {self.sales} AND r.total >= {minimum} AND r.at > {since} AND r.at <= {until}"""
        return f"""SELECT nth.customer_id, nth.at FROM (
                SELECT day.customer_id, day.at, day.most,
                    row_number() OVER (PARTITION BY day.customer_id ORDER BY day.at) AS number
                FROM (SELECT r.customer_id, min(r.at) AS at, max(r.total) AS most FROM receipt r
                    WHERE r.kind = 'sale' AND r.refunded < r.total AND r.at <= {until}
                    GROUP BY r.customer_id, r.business_date, r.location_id) day) nth
            WHERE nth.number = {asking.add(visit, "int")} AND nth.most >= {minimum} AND nth.at > {since}"""

    def still(self) -> str:
        """The money was not given back meanwhile. A visit stays one."""
        return """r.key NOT LIKE 'receipt:%' OR EXISTS (SELECT FROM receipt sale
            WHERE sale.id = substr(r.key, 9)::bigint AND sale.refunded < sale.total)"""


class NoVisit(Trigger):
    """Somebody has not come for so many days. Index: customer_facts_last_visit."""

    key = "no_visit"
    params = (Param("days", 1, 1_000, 30),)
    every_seconds = 60

    def found(self, asking: Asking) -> str:
        """Once for each last visit: who comes back and stays away again is another case."""
        days = timedelta(days=asking.params["days"])
        # Who had stayed away so long before it was switched on stays away.
        earliest = asking.add(asking.earliest - days, "timestamptz")
        return f"""SELECT f.customer_id, 'no_visit:' || extract(epoch FROM f.last_visit_at)::bigint AS key
            FROM customer_facts f WHERE f.last_visit_at > {earliest} AND f.last_visit_at > {EVER}
                AND f.last_visit_at <= {asking.add(asking.now - days, "timestamptz")}"""

    def past(self, asking: Asking, since: str, until: str) -> str:
        """Whose next purchase came later than that, or has not come."""
        days = f"make_interval(days => {asking.add(asking.params['days'], 'int')})"
        return f"""SELECT gap.customer_id, gap.at + {days} AS at FROM (
                SELECT r.customer_id, r.at, lead(r.at) OVER (PARTITION BY r.customer_id ORDER BY r.at) AS following
                FROM receipt r WHERE r.kind = 'sale' AND r.refunded < r.total
                    AND r.at > {since} - {days} AND r.at <= {until}) gap
            WHERE gap.at + {days} <= {until} AND (gap.following IS NULL OR gap.following > gap.at + {days})"""


class Booking(Trigger):
    """Somebody is booked for tomorrow, by the location's day and the shop's midnight. Index: appointment_starts."""

    key = "booking"
    every_seconds = 60

    def found(self, asking: Asking) -> str:
        """Once for each appointment; one that is made today for tomorrow, too."""
        tomorrow = asking.add(asking.context.today + timedelta(days=1), "date")
        now, soon = asking.now, asking.now + LATE_WITHIN
        return f"""SELECT r.customer_id, 'booking:' || r.id AS key FROM appointment r
            WHERE r.state = 'planned' AND r.starts_at > {asking.add(now, "timestamptz")}
                AND r.starts_at <= {asking.add(soon, "timestamptz")} AND r.business_date = {tomorrow}"""

    def past(self, asking: Asking, since: str, until: str) -> str:
        """Who was, unless it was called off: when, nobody knows."""
        zone = asking.add(asking.context.zone, "text")
        before = f"((r.business_date - 1)::timestamp AT TIME ZONE {zone})"
        return f"""SELECT r.customer_id, greatest({before}, r.created_at) AS at FROM appointment r
            WHERE r.state <> 'cancelled' AND r.starts_at > {since} AND r.starts_at <= {until} + INTERVAL '3 days'
                AND {before} > {since} AND {before} <= {until} AND r.created_at < r.starts_at"""

    def still(self) -> str:
        """It is still to come, and nobody has called it off."""
        return """EXISTS (SELECT FROM appointment one
            WHERE one.id = substr(r.key, 9)::bigint AND one.state = 'planned' AND one.starts_at > {now})"""


class LowScore(Trigger):
    """Somebody gives a score of so much at most. Index: survey_answer_time."""

    key = "low_nps"
    params = (Param("score", 0, 10, 6),)

    def found(self, asking: Asking) -> str:
        """Once for each answer."""
        score, earliest = asking.add(asking.params["score"], "int"), asking.add(asking.earliest, "timestamptz")
        return f"""SELECT a.customer_id, 'answer:' || a.invitation_id AS key FROM survey_answer a
            WHERE a.answered_at > {earliest} AND a.score <= {score}"""

    def past(self, asking: Asking, since: str, until: str) -> str:
        """Who did."""
        return f"""SELECT a.customer_id, a.answered_at AS at FROM survey_answer a
            WHERE a.answered_at > {since} AND a.answered_at <= {until}
                AND a.score <= {asking.add(asking.params["score"], "int")}"""


TRIGGERS = (Receipt, NoVisit, LowScore, Booking)
