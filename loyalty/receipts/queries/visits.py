"""What a visit is, in SQL: a day with a sale that is not wholly refunded, or with an appointment that came.

It counts once per location and day. Appointments belong to a room above: their table is read here, nothing is imported.
"""

YEAR_DAYS = 365
"""How many days back "over the last year" reaches, today included."""


def visits(whose: str = "true") -> str:
    """What makes visits, of all customers or of those that `whose` tells: customer, location, local day, moment.

    Indexes: receipt_customer, appointment_customer.
    """
    return f"""
        SELECT customer_id, location_id, business_date AS day, at FROM receipt
        WHERE {whose} AND kind = 'sale' AND refunded < total
        UNION ALL
        SELECT customer_id, location_id, business_date, starts_at FROM appointment
        WHERE {whose} AND state = 'came'
    """


def frequency(days: str, first: str, last: str) -> str:
    """Mean tenths of a day between `days` different days from `first` to `last`, rounded half up; 0 below three days.

    All three are expressions of SQL.
    """
    gaps = f"({days} - 1)"
    return f"CASE WHEN {days} >= 3 THEN (20 * ({last} - {first}) + {gaps}) / (2 * {gaps}) ELSE 0 END"
