"""Cards that may be one person's: at once in a small base, of last night in a large one."""

from datetime import timedelta
from itertools import count

import pytest

from loyalty import db
from loyalty.office.actions.duplicates import look_for_duplicates_nightly
from loyalty.office.actions.merging import merge_cards
from loyalty.office.queries import duplicates as looking
from loyalty.office.queries.duplicates import duplicates
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location

_numbers = count(165550200)


async def two(name: str = "Пётр Иванов") -> tuple[int, int]:
    """Two cards of one name and birthday."""
    ids = [(await a_customer(name=name, phone=f"+79{next(_numbers)}")).id for _ in range(2)]
    await db.execute("UPDATE customer SET birthday = '1990-05-14' WHERE id = ANY($1::bigint[])", ids)
    return ids[0], ids[1]


@pytest.fixture
def large(monkeypatch, database):
    """Any base counts as one in which nobody should wait."""
    monkeypatch.setattr(looking, "SMALL", 0)


async def test_a_small_base_is_looked_through_at_once_and_not_at_night(database):
    one, other = await two()
    found = await duplicates()
    assert [(pair.by, pair.one.id, pair.other.id) for pair in found.pairs] == [("name", one, other)]
    assert (found.looked_at, found.is_awaited) == (None, False)
    assert await look_for_duplicates_nightly(now=NOW) == 0
    assert await db.fetch_value("SELECT count(*) FROM duplicate_look") == 0


async def test_a_large_one_shows_what_the_last_night_found_as_it_is_by_now(large):
    one, other = await two()
    third, fourth = await two("Анна Ким")
    assert (await duplicates()).is_awaited
    assert await look_for_duplicates_nightly(now=NOW) == 2
    found = await duplicates()
    assert [(pair.one.id, pair.other.id) for pair in found.pairs] == [(one, other), (third, fourth)]
    assert (found.looked_at, found.is_awaited) == (NOW, False)
    await merge_cards(other, one, actor=COMMAND, now=NOW)
    await db.execute("UPDATE customer SET name = 'Анна Петрова' WHERE id = $1", third)
    assert [pair.one.name for pair in (await duplicates()).pairs] == ["Анна Петрова"]


async def test_a_night_looks_once_and_forgets_what_the_one_before_found(large):
    one, other = await two()
    assert await look_for_duplicates_nightly(now=NOW) == 1
    assert await look_for_duplicates_nightly(now=NOW + timedelta(hours=1)) == 0
    await merge_cards(other, one, actor=COMMAND, now=NOW)
    tomorrow = NOW + timedelta(days=1)
    assert await look_for_duplicates_nightly(now=tomorrow) == 0
    assert await db.fetch_value("SELECT count(*) FROM duplicate_look") == 1
    found = await duplicates()
    assert (found.pairs, found.looked_at) == ([], tomorrow)


async def test_whose_rights_end_with_a_location_sees_pairs_of_which_both_are_reached(large):
    here, there = await a_location(), await a_location(name="There")
    one, other = await two()
    await look_for_duplicates_nightly(now=NOW)
    await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", one, here)
    assert (await duplicates(within={here})).pairs == []
    await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", other, here)
    assert len((await duplicates(within={here})).pairs) == 1
    assert (await duplicates(within={there})).pairs == []
