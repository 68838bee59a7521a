from datetime import UTC, datetime, timedelta

import pytest

from loyalty.db import fetch, fetch_value
from loyalty.errors import Invalid, NotFound
from loyalty.staff.actions import add_key, note_key_use, revoke_key
from loyalty.staff.queries import JournalFilters, api_key, api_key_by, api_keys, journal_page
from loyalty.staff.rules import COMMAND, KEY_LENGTH, KEY_PREFIX, Scope

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("database")


async def a_key(name="Bakery", scopes=(Scope.RECEIPTS_WRITE,), places=None):
    return await add_key(name, scopes, places, actor=COMMAND, now=NOW)


async def a_known_key(name="Bakery"):
    found = await api_key_by(await a_key(name))
    assert found is not None
    return found


async def test_a_key_is_kept_as_its_hash_and_found_by_its_text():
    key = await a_key(places=[3, 1, 3])
    assert (len(key), key[:3]) == (KEY_LENGTH, "rk_")
    assert key not in str(await fetch("SELECT * FROM api_key"))
    found = await api_key_by(key)
    assert found is not None
    assert (found.name, found.prefix, found.scopes) == ("Bakery", key[:KEY_PREFIX], frozenset({Scope.RECEIPTS_WRITE}))
    assert (found.location_ids, found.reaches(3), found.reaches(2)) == (frozenset({1, 3}), True, False)
    assert found == await api_key(found.id)
    assert await api_key_by(key[:-1] + "A" * (key[-1] != "A") + "B" * (key[-1] == "A")) is None


async def test_a_key_without_places_reaches_every_location():
    found = await a_known_key()
    assert (found.location_ids, found.reaches(404)) == (None, True)


@pytest.mark.parametrize(
    ("name", "scopes", "places", "field"),
    [
        ("", [Scope.BONUSES_READ], None, "name"),
        ("A", [], None, "scopes"),
        ("A", [Scope.BONUSES_READ], [], "location_ids"),
    ],
)
async def test_a_key_needs_a_name_a_scope_and_a_place(name, scopes, places, field):
    with pytest.raises(Invalid) as wrong:
        await a_key(name, scopes, places)
    assert wrong.value.field == field


async def test_a_revoked_key_stays_in_the_list_and_twice_is_once():
    first, second = await a_known_key(), await a_known_key("Shop")
    for _ in range(2):
        await revoke_key(second.id, actor=COMMAND, now=NOW)
    assert [(key.id, key.revoked_at) for key in await api_keys()] == [(first.id, None), (second.id, NOW)]
    page = await journal_page(JournalFilters(subject_kind="key"))
    assert [line.action for line in page.lines] == ["key.revoked", "key.added", "key.added"]
    with pytest.raises(NotFound):
        await revoke_key(404, actor=COMMAND, now=NOW)


async def test_the_last_use_is_kept_to_the_minute():
    key = await a_known_key()
    for seconds in (0, 30, 59, 61):
        await note_key_use(key.id, NOW + timedelta(seconds=seconds))
        used = await fetch_value("SELECT last_used_at FROM api_key")
        assert used == NOW + timedelta(seconds=61 if seconds == 61 else 0)
