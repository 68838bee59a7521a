import asyncio
from datetime import timedelta
from typing import Any

import pytest

from loyalty.errors import Invalid, NotFound, Refused
from loyalty.segments.actions.segments import (
    add_member,
    add_segment,
    archive_segment,
    change_segment,
    remove_member,
    restore_segment,
)
from loyalty.segments.queries.segments import PAGE_ROWS, chips, members, segment, segments
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer

pytestmark = pytest.mark.usefixtures("database")


async def a_segment(name="Friends", *, at_till=False):
    return await add_segment(SegmentDraft(name, "", at_till), actor=COMMAND, now=NOW)


async def put(segment_id, customer_id, **more):
    await add_member(segment_id, customer_id, **{"actor": COMMAND, "now": NOW, **more})


async def take(segment_id, customer_id, **more):
    await remove_member(segment_id, customer_id, **{"actor": COMMAND, "now": NOW, **more})


async def acts(**about):
    return [line.action for line in (await journal_page(JournalFilters(**about))).lines]


async def test_a_segment_is_made_changed_archived_and_restored():
    made = await a_segment("  Office \n orders ")
    assert (await segment(made)).name == "Office orders"
    for _ in range(2):
        await change_segment(made, SegmentDraft("Offices", "On Fridays", is_at_till=True), actor=COMMAND, now=NOW)
    for _ in range(2):
        await archive_segment(made, actor=COMMAND, now=NOW + timedelta(days=1))
    assert (await segment(made)).archived_at == NOW + timedelta(days=1)
    for _ in range(2):
        await restore_segment(made, actor=COMMAND, now=NOW)
    view = await segment(made)
    assert (view.name, view.description, view.is_at_till, view.archived_at) == ("Offices", "On Fridays", True, None)
    lines = (await journal_page(JournalFilters(subject_kind="segment", subject_id=made))).lines
    assert [line.action for line in lines] == [
        "segment.restored",
        "segment.archived",
        "segment.changed",
        "segment.added",
    ]
    assert lines[2].details == {"fields": ["description", "is_at_till", "name"]}


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (SegmentDraft(" "), "name"),
        (SegmentDraft("x" * 61), "name"),
        (SegmentDraft("a\u0007"), "name"),
        (SegmentDraft("x", "y" * 201), "description"),
    ],
)
async def test_texts_that_cannot_be_kept_are_refused(draft, field):
    with pytest.raises(Invalid) as refusal:
        await add_segment(draft, actor=COMMAND, now=NOW)
    assert refusal.value.field == field


async def test_a_name_is_unique_among_those_in_use_whatever_its_case():
    first = await a_segment("Друзья")
    with pytest.raises(Invalid, match="name_taken"):
        await a_segment("ДРУЗЬЯ")
    other = await a_segment("Other")
    with pytest.raises(Invalid, match="name_taken"):
        await change_segment(other, SegmentDraft("друзья"), actor=COMMAND, now=NOW)
    await archive_segment(first, actor=COMMAND, now=NOW)
    await change_segment(other, SegmentDraft("друзья"), actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="name_taken"):
        await restore_segment(first, actor=COMMAND, now=NOW)
    assert [(one.name, one.archived_at is None) for one in await segments()] == [("друзья", True), ("Друзья", False)]


async def test_two_people_who_make_the_same_segment_at_once_make_one():
    made = await asyncio.gather(*(a_segment("Friends") for _ in range(4)), return_exceptions=True)
    assert [one for one in made if isinstance(one, int)] == [one.id for one in await segments()]
    assert sum(isinstance(one, Invalid) for one in made) == 3


async def test_who_is_put_in_twice_is_in_once_and_so_is_taken_out():
    made, person, cashier = await a_segment(), await a_customer(), await a_cashier()
    await asyncio.gather(*(put(made, person.id, actor=cashier) for _ in range(4)))
    found, more = await members(made)
    assert [(one.customer_id, one.staff_name, one.added_at) for one in found] == [(person.id, "Timur", NOW)]
    assert more is None
    await take(made, person.id)
    await take(made, person.id)
    assert (await segment(made)).size == 0
    about: dict[str, Any] = {"subject_kind": "customer", "subject_id": person.id}
    assert (await acts(**about))[:2] == ["segment.member_removed", "segment.member_added"]
    assert (await journal_page(JournalFilters(**about))).lines[0].details == {"segment": made}


async def test_a_till_gives_only_what_it_may():
    hidden, offered, person = await a_segment("Hidden"), await a_segment("Offered", at_till=True), await a_customer()
    await put(hidden, person.id)
    for act in (put, take):
        with pytest.raises(NotFound):
            await act(hidden, person.id, at_till=True)
    await put(offered, person.id, at_till=True)
    assert [(chip.name, chip.is_in) for chip in await chips(person.id, at_till=True)] == [("Offered", True)]
    await take(offered, person.id, at_till=True)
    assert [(chip.name, chip.is_in) for chip in await chips(person.id)] == [("Hidden", True), ("Offered", False)]


async def test_an_archived_segment_keeps_its_people_and_takes_nobody():
    made, person, other = await a_segment(at_till=True), await a_customer(), await a_customer()
    await put(made, person.id)
    await archive_segment(made, actor=COMMAND, now=NOW)
    for act in (put, take):
        with pytest.raises(Refused, match="segment_is_archived"):
            await act(made, other.id)
    assert await chips(person.id) == await chips(person.id, at_till=True) == []
    assert (await segment(made)).size == 1


async def test_nobody_is_put_nowhere():
    made, person = await a_segment(), await a_customer()
    with pytest.raises(NotFound, match="segment"):
        await put(404, person.id)
    with pytest.raises(NotFound, match="customer"):
        await put(made, 404)
    with pytest.raises(NotFound):
        await segment(404)
    for act in (archive_segment, restore_segment):
        with pytest.raises(NotFound):
            await act(404, actor=COMMAND, now=NOW)


async def test_sizes_and_pages_of_members(database):
    small, large, empty = await a_segment("B"), await a_segment("A"), await a_segment("C")
    people = [(await a_customer()).id for _ in range(PAGE_ROWS + 3)]
    for person in people:
        await put(large, person)
    await put(small, people[0])
    assert [(one.id, one.size) for one in await segments()] == [(large, len(people)), (small, 1), (empty, 0)]
    first, place = await members(large)
    rest, end = await members(large, before_id=place)
    assert [one.customer_id for one in first + rest] == people[::-1]
    assert (len(first), end) == (PAGE_ROWS, None)
