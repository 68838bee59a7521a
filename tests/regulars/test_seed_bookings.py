from datetime import UTC, datetime

from loyalty import db
from loyalty.bookings.queries import service_categories, services, team_members
from loyalty.customers.rules import NEVER
from regulars.seed import seed
from tests.builders import assert_books_agree

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


async def test_a_part_of_the_customers_booked_and_came_or_will(database):
    await seed(300, now=NOW, report=lambda _: None)
    await assert_books_agree(now=NOW)
    assert len(await team_members()) == 4
    assert [one.services for one in await service_categories()] == [2, 2, 2]
    assert all(one.category_id for one in await services())
    counts = await db.fetch(
        "SELECT state, count(*) AS n, count(DISTINCT customer_id) AS who FROM appointment GROUP BY 1"
    )
    states = {row["state"]: row["n"] for row in counts}
    assert set(states) == {"planned", "came", "cancelled", "no_show"}
    assert states["came"] > states["cancelled"] > 0
    assert 0.1 < await db.fetch_value("SELECT count(DISTINCT customer_id) FROM appointment") / 300 < 0.2
    wrong = """
        SELECT count(*) FROM appointment a JOIN customer c ON c.id = a.customer_id
        WHERE a.created_at < c.created_at OR a.created_at > $1 OR a.starts_at < c.created_at
            OR (a.state = 'planned') <> (a.starts_at > $1) OR a.ends_at IS NULL OR a.updated_at > $1
    """
    assert await db.fetch_value(wrong, NOW) == 0
    facts = "SELECT count(*) FILTER (WHERE tips > 0), count(*) FILTER (WHERE next_booking_at <> $1) AS next,"
    row = await db.fetch_row(facts + " count(*) FILTER (WHERE frequency > 0) AS often FROM customer_facts", NEVER)
    assert row is not None
    assert all(row.values())
