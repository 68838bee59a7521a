"""Links by which people come: keeping them, and counting whom they brought."""

import pytest

from loyalty import db
from loyalty.customers.actions.entry_links import (
    add_entry_link,
    change_entry_link,
    delete_entry_link,
    keep_entry_link,
    open_entry_link,
    restore_entry_link,
)
from loyalty.customers.actions.profile import add_steps
from loyalty.customers.queries import customer
from loyalty.customers.queries.entry_links import (
    PAGE_ROWS,
    EntryCounts,
    entry_link,
    entry_link_of,
    entry_links,
    entry_sources,
)
from loyalty.customers.rules import REFERRAL_SIGNS, Via
from loyalty.errors import Invalid, NotFound
from loyalty.shop.actions import close_location
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer, a_location, a_sale, an_account

pytestmark = pytest.mark.usefixtures("database")


async def a_link(name: str = "Table tent", source: str = "tables", location_id: int | None = None) -> int:
    return await add_entry_link(name, source, location_id=location_id, actor=COMMAND, now=NOW)


async def came_by(link_id: int, **more: object) -> int:
    """Somebody who has registered by a link."""
    person = await a_customer(**more)  # type: ignore[arg-type]
    await keep_entry_link(person.id, link_id, actor=COMMAND, now=NOW)
    return person.id


async def test_a_link_has_a_code_that_reads_well_and_is_its_own():
    codes = {(await entry_link(await a_link()))[0].code for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code) == 8 and set(code) <= set(REFERRAL_SIGNS) for code in codes)


async def test_names_and_sources_are_cleaned_and_bounded():
    place, maker = await a_location(name="Tverskaya"), await a_cashier()
    link_id = await add_entry_link("  By\u200b the \n door ", " Flyer ", location_id=place, actor=maker, now=NOW)
    link, counts = await entry_link(link_id)
    assert (link.name, link.source, link.location_name, link.staff_name) == (
        "By the door",
        "Flyer",
        "Tverskaya",
        "Timur",
    )
    assert counts == EntryCounts(0, 0, 0)
    assert (counts.registered_bp, counts.bought_bp) == (None, None)
    for field, values in (
        ("name", ("", "x")),
        ("name", ("x" * 81, "x")),
        ("source", ("x", " ")),
        ("source", ("x", "y" * 41)),
    ):
        with pytest.raises(Invalid) as wrong:
            await add_entry_link(*values, location_id=None, actor=COMMAND, now=NOW)
        assert wrong.value.field == field
    with pytest.raises(NotFound):
        await add_entry_link("x", "y", location_id=999, actor=COMMAND, now=NOW)


async def test_changes_are_journaled_by_field_and_the_same_again_is_nothing():
    link_id, place = await a_link(), await a_location()
    for _ in range(2):
        await change_entry_link(link_id, "Window", "tables", location_id=place, actor=COMMAND, now=NOW)
    link, _counts = await entry_link(link_id)
    assert (link.name, link.location_id) == ("Window", place)
    lines = [line for line in (await journal_page(JournalFilters())).lines if line.action == "entry_link.changed"]
    assert [line.details for line in lines] == [{"fields": ["name", "location_id"]}]


async def test_a_deleted_link_is_not_shown_but_still_counts_until_it_is_back():
    link_id = await a_link()
    code = (await entry_link(link_id))[0].code
    await delete_entry_link(link_id, actor=COMMAND, now=NOW)
    assert await entry_links() == ([], None)
    assert await entry_sources() == []
    assert await open_entry_link(code, await an_account(), now=NOW) == link_id
    for act in (
        delete_entry_link(link_id, actor=COMMAND, now=NOW),
        change_entry_link(link_id, "x", "y", location_id=None, actor=COMMAND, now=NOW),
    ):
        with pytest.raises(NotFound):
            await act
    await restore_entry_link(link_id, actor=COMMAND, now=NOW)
    with pytest.raises(NotFound):
        await restore_entry_link(link_id, actor=COMMAND, now=NOW)
    [(link, counts)], _ = await entry_links()
    assert (link.id, link.deleted_at, counts.opened) == (link_id, None, 1)


async def test_opening_is_kept_once_for_an_account_and_an_unknown_code_is_nothing():
    link_id, other, account = await a_link(), await a_link(), await an_account()
    code = (await entry_link(link_id))[0].code
    for _ in range(2):
        assert await open_entry_link(code, account, now=NOW) == link_id
    await open_entry_link(code, await an_account(), now=NOW)
    assert await open_entry_link("AAAAAAAA", account, now=NOW) is None
    assert [counts.opened for _, counts in (await entry_links())[0]] == [0, 2]
    assert (await entry_links())[0][0][0].id == other


async def test_a_link_counts_who_registered_and_who_has_bought():
    link_id, other, place = await a_link(), await a_link(), await a_location()
    code = (await entry_link(link_id))[0].code
    for _ in range(4):
        await open_entry_link(code, await an_account(), now=NOW)
    buyer, *_ = [await came_by(link_id) for _ in range(3)]
    await came_by(other)
    for _ in range(2):
        await a_sale(buyer, place, 100_00)
    found = {link.id: counts for link, counts in (await entry_links())[0]}
    assert found == {link_id: EntryCounts(4, 3, 1), other: EntryCounts(0, 1, 0)}
    assert (found[link_id].registered_bp, found[link_id].bought_bp) == (7500, 3300)


async def test_the_list_goes_by_place_and_source_and_page_by_page():
    place = await a_location()
    here = await a_link("A", "tables", place)
    there = await a_link("B", "instagram")
    assert [link.id for link, _ in (await entry_links(location_id=place))[0]] == [here]
    assert [link.id for link, _ in (await entry_links(source="instagram"))[0]] == [there]
    assert (await entry_links(location_id=place, source="instagram"))[0] == []
    for _ in range(PAGE_ROWS):
        await a_link("C", "flyer")
    assert await entry_sources() == ["flyer", "instagram", "tables"]
    first, following = await entry_links()
    rest, end = await entry_links(before=following)
    assert (len(first), [link.id for link, _ in rest], end) == (PAGE_ROWS, [there, here], None)


async def test_the_link_and_its_place_are_kept_of_the_first_registration_alone():
    place, other = await a_location(), await a_location(name="Other")
    first, second = await a_link("A", "tables", place), await a_link("B", "tables", other)
    person = await came_by(first)
    await keep_entry_link(person, second, actor=COMMAND, now=NOW)
    link = await entry_link_of(person)
    assert link is not None
    assert (link.id, (await customer(person)).home_location_id) == (first, place)
    known = await a_customer()
    await add_steps(known.id, [("registered", NOW)], via=Via.TELEGRAM)
    await keep_entry_link(known.id, first, actor=COMMAND, now=NOW)
    assert await entry_link_of(known.id) is None
    assert (await customer(known.id)).home_location_id is None


async def test_a_home_that_is_known_stays_and_a_closed_place_is_nobodys():
    home, closed = await a_location(), await a_location(name="Closed")
    link_id = await a_link("A", "tables", closed)
    person = await a_customer()
    await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", person.id, home)
    await close_location(closed, actor=COMMAND, now=NOW)
    await keep_entry_link(person.id, link_id, actor=COMMAND, now=NOW)
    newcomer = await came_by(link_id)
    assert (await customer(person.id)).home_location_id == home
    assert (await customer(newcomer)).home_location_id is None
