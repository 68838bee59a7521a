"""What happens to people by the calendar, or once: they register, have a birthday, come into a segment."""

from datetime import timedelta

from loyalty.campaigns.triggers.base import Asking, Param, Trigger
from loyalty.clock import business_date

DAYS_LATE = 3


class Registered(Trigger):
    """Somebody registers, wherever; who came with a file did not. Index: customer_facts_created."""

    key = "registered"
    via = "EXISTS (SELECT FROM customer c WHERE c.id = f.customer_id AND c.created_via <> 'import')"

    def found(self, asking: Asking) -> str:
        """Once in a life."""
        earliest, now = asking.add(asking.earliest, "timestamptz"), asking.add(asking.now, "timestamptz")
        return f"""SELECT f.customer_id, 'registered' AS key FROM customer_facts f
            WHERE f.created_at > {earliest} AND f.created_at <= {now} AND {self.via}"""

    def past(self, asking: Asking, since: str, until: str) -> str:
        """Who did."""
        return f"""SELECT f.customer_id, f.created_at AS at FROM customer_facts f
            WHERE f.created_at > {since} AND f.created_at <= {until} AND {self.via}"""


class Birthday(Trigger):
    """A birthday comes, or is so many days ahead; 29 February is kept on the 28th where there is none.

    The day itself begins at the shop's midnight. Index: customer_facts_birthday.
    """

    key = "birthday"
    params = (Param("days", 0, 30, 0),)
    every_seconds = 60
    # Of each of these days the codes of those who keep their birthday on it.
    codes = """(SELECT day, (extract(month FROM day) * 100 + extract(day FROM day))::smallint AS code FROM {days}
        UNION ALL SELECT day, 229::smallint FROM {days} WHERE extract(month FROM day) = 2 AND extract(day FROM day) = 28
            AND extract(day FROM day + 1) <> 29)"""

    def found(self, asking: Asking) -> str:
        """Once a year."""
        today = asking.context.today
        # What was due before the day of switching on does not count.
        first = max(today - timedelta(days=DAYS_LATE - 1), business_date(asking.since, asking.context.zone))
        ahead = timedelta(days=asking.params["days"])
        days = [first + ahead + timedelta(days=number) for number in range((today - first).days + 1)]
        codes = self.codes.format(days=f"unnest({asking.add(days, 'date[]')}) day")
        return f"""SELECT f.customer_id, 'birthday:' || extract(year FROM due.day) AS key FROM {codes} due
            JOIN customer_facts f ON f.birthday_code = due.code AND f.birthday_code <> 0"""

    def past(self, asking: Asking, since: str, until: str) -> str:
        """Whose was."""
        zone, ahead = asking.add(asking.context.zone, "text"), asking.add(asking.params["days"], "int")
        days = f"""(SELECT series.day::date + {ahead} AS day FROM generate_series(
            ({since} AT TIME ZONE {zone})::date + 1, ({until} AT TIME ZONE {zone})::date, INTERVAL '1 day')
            series (day)) days"""
        return f"""SELECT f.customer_id, ((due.day - {ahead})::timestamp AT TIME ZONE {zone}) AS at
            FROM {self.codes.format(days=days)} due
            JOIN customer_facts f ON f.birthday_code = due.code AND f.birthday_code <> 0"""


class Segment(Trigger):
    """Somebody comes into a segment: by hand at a moment, by its conditions whenever they first meet them.

    Who is in one of conditions when it is switched on was there before. Indexes: segment_member_added; those of the
    conditions.
    """

    key = "segment"
    params = (Param("segment", 1, 2**31 - 1, 0),)
    every_seconds = 60
    marks_at_start = True

    def found(self, asking: Asking) -> str:
        """By hand once a day at most, so that two automations cannot hand somebody to and fro; else once in a life."""
        wanted = asking.params["segment"]
        if wanted in asking.context.segments:
            fits = asking.context.compile_tree(asking.context.segments[wanted], asking.context)
            return f"SELECT f.customer_id, 'segment:{wanted:d}' AS key FROM customer_facts f WHERE ({fits})"
        segment, earliest = asking.add(wanted, "int"), asking.add(asking.earliest, "timestamptz")
        day = f"to_char(m.added_at AT TIME ZONE {asking.add(asking.context.zone, 'text')}, 'YYYY-MM-DD')"
        return f"""SELECT m.customer_id, 'segment:{wanted:d}:' || {day} AS key
            FROM segment_member m WHERE m.segment_id = {segment} AND m.added_at > {earliest}"""

    def past(self, asking: Asking, since: str, until: str) -> str | None:
        """Who was put in by hand and still is; when somebody first met conditions nobody has written down."""
        wanted = asking.params["segment"]
        if wanted in asking.context.segments:
            return None
        return f"""SELECT m.customer_id, m.added_at AS at FROM segment_member m
            WHERE m.segment_id = {asking.add(wanted, "int")} AND m.added_at > {since} AND m.added_at <= {until}"""


TRIGGERS = (Registered, Birthday, Segment)
