from datetime import UTC, datetime

from loyalty import db
from loyalty.office.queries.odd import OddKind, Period, odd_groups
from loyalty.segments.queries.segments import members, segments, sizes_of
from loyalty.shop.queries import locations
from regulars.seed import seed
from regulars.seed.records import ZONE

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


async def test_segments_have_people_who_were_customers_by_then(database):
    await seed(300, now=NOW, report=lambda _: None)
    found = await segments()
    assert [one.is_at_till for one in found].count(True) == 2
    for one in found:
        assert one.size
        if one.conditions is not None:
            assert len(await sizes_of(one.id)) > 7
            continue
        people, _ = await members(one.id)
        assert len(people) == one.size > 2
        assert all(one.created_at <= person.added_at < NOW and person.staff_name for person in people)
    early = "SELECT count(*) FROM segment_member m JOIN customer c ON c.id = m.customer_id WHERE added_at < created_at"
    assert await db.fetch_value(early) == 0


async def test_locations_have_cash_registers_and_a_month_has_odd_operations(database):
    await seed(300, now=NOW, report=lambda _: None)
    places = sorted(await locations(), key=lambda place: place.id)
    assert [len(place.fiscal_drives) for place in places] == [2, 1, 0]
    assert [place.hours is not None for place in places] == [True, True, False]
    found = await odd_groups(Period.until(NOW.date(), 30, ZONE))
    assert found[OddKind.RELAXED]
    assert found[OddKind.HOURS]
    assert found[OddKind.MANUAL]
