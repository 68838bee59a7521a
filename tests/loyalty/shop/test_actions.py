from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.db import fetch_value
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.shop.actions import (
    add_location,
    close_location,
    reopen_location,
    set_programme,
    update_location,
    update_shop,
)
from loyalty.shop.queries import has_customers, has_receipts, location, locations, programme_at, shop
from loyalty.shop.rules import Tier
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND
from tests.builders import a_customer, a_location, a_sale

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SETTINGS = {"name": "Ladno", "currency": "RUB", "region": "RU", "language": "ru", "time_zone": "Europe/Moscow"}

pytestmark = pytest.mark.usefixtures("database")


async def acts():
    return [line.action for line in (await journal_page(JournalFilters())).lines]


async def change(**changed):
    return await update_shop(**{**SETTINGS, **changed}, actor=COMMAND, now=NOW)


async def test_the_exponent_follows_the_currency():
    assert (await change(currency="JPY")).exponent == 0
    assert (await change(currency="KWD")).exponent == 3
    assert (await shop()).currency == "KWD"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 101),
        ("currency", "XXX"),
        ("region", "ZZ"),
        ("language", "de"),
        ("time_zone", "Moon/Sea"),
    ],
)
async def test_what_is_not_on_the_list_is_refused(field, value):
    with pytest.raises(Invalid) as refusal:
        await change(**{field: value})
    assert refusal.value.field == field
    assert (await shop()).name == ""


async def test_the_currency_is_fixed_by_the_first_receipt():
    assert not await has_receipts()
    assert not await has_customers()
    customer = await a_customer()
    assert await has_customers()
    await a_sale(customer.id, await a_location(), 100_00)
    assert await has_receipts()
    with pytest.raises(Refused, match="currency_is_fixed"):
        await change(currency="EUR")
    assert (await change(name="Other")).name == "Other"


async def test_saving_what_is_there_leaves_no_line():
    await change()
    await change()
    assert await acts() == ["shop.changed"]


async def test_a_location_is_added_changed_closed_and_opened():
    place = await add_location(name=" One ", address="Street 1", time_zone="Europe/Kyiv", actor=COMMAND, now=NOW)
    assert (place.name, place.is_open, place.burns_without_code) == ("One", True, False)
    await close_location(place.id, actor=COMMAND, now=NOW)
    await close_location(place.id, actor=COMMAND, now=NOW)
    assert await locations(only_open=True) == []
    await reopen_location(place.id, actor=COMMAND, now=NOW)
    assert [other.name for other in await locations(only_open=True)] == ["One"]
    assert await acts() == ["location.reopened", "location.closed", "location.added"]


async def test_burning_without_a_code_has_a_line_of_its_own():
    place = await add_location(name="One", time_zone="Europe/Kyiv", actor=COMMAND, now=NOW)

    async def switch(*, burns):
        return await update_location(
            place.id,
            name="Two",
            address="",
            time_zone="Europe/Kyiv",
            burns_without_code=burns,
            hours=None,
            fiscal_drives=(),
            actor=COMMAND,
            now=NOW,
        )

    changed = await switch(burns=True)
    assert changed == await location(place.id)
    assert changed.burns_without_code
    assert await acts() == ["location.changed", "location.burns_freely", "location.added"]
    await switch(burns=False)
    assert (await acts())[0] == "location.burns_with_code"


async def test_open_locations_come_first():
    for name in ("B", "A", "C"):
        await add_location(name=name, time_zone="UTC", actor=COMMAND, now=NOW)
    await close_location(2, actor=COMMAND, now=NOW)
    assert [place.name for place in await locations()] == ["B", "C", "A"]


@pytest.mark.parametrize("act", [close_location, reopen_location])
async def test_an_unknown_location_is_not_found(act):
    with pytest.raises(NotFound):
        await act(404, actor=COMMAND, now=NOW)


async def test_the_newest_version_whose_time_has_come_applies():
    today = await programme_at(NOW)
    tomorrow = replace(today, tiers=(Tier(id=0, name="Base", threshold=0, rate_bp=700),))
    await set_programme(tomorrow, effective_from=NOW + timedelta(days=1), actor=COMMAND, now=NOW)
    assert await programme_at(NOW) == today
    assert await programme_at(NOW + timedelta(days=1)) == tomorrow
    later = replace(tomorrow, welcome_bonus=0)
    await set_programme(later, effective_from=NOW + timedelta(days=1), actor=COMMAND, now=NOW)
    assert await programme_at(NOW + timedelta(days=2)) == later


async def test_the_past_keeps_its_rules():
    programme = await programme_at(NOW)
    with pytest.raises(Invalid, match="in_the_past"):
        await set_programme(programme, effective_from=NOW - timedelta(seconds=1), actor=COMMAND, now=NOW)
    with pytest.raises(Invalid, match="not_a_share"):
        await set_programme(replace(programme, burn_share_bp=10_001), effective_from=NOW, actor=COMMAND, now=NOW)
    assert await fetch_value("SELECT count(*) FROM programme") == 1


async def test_before_the_first_version_there_is_no_programme():
    with pytest.raises(NotFound):
        await programme_at(datetime(1999, 1, 1, tzinfo=UTC))
