"""The timeline on a card: in words, narrowed down by chips, in pages."""

import re
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.customers.actions.archive import delete_customers, restore_customers
from loyalty.customers.actions.categories import add_category, give_category, take_category
from loyalty.customers.actions.discounts import set_discount
from loyalty.customers.actions.importance import set_importance
from loyalty.customers.actions.notes import add_note
from loyalty.customers.labels import CategoryDraft
from loyalty.office.queries.timeline import PAGE_ROWS
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.admin_web.test_segments import HTMX, text
from tests.builders import a_cashier, a_customer, a_location, a_sale
from tests.loyalty.office.test_timeline import MESSAGES, a_chat


async def a_life() -> int:
    person, place, actor = await a_customer(bonuses=50_00), await a_location(name="Покровка"), await a_cashier()
    await a_sale(person.id, place, 1_000_00, actor=actor, now=START - timedelta(days=3))
    office = await add_category(CategoryDraft("Office", "blue"), actor=COMMAND, now=START)
    await give_category(office, [person.id], actor=actor, now=START - timedelta(days=2))
    other = await add_category(CategoryDraft("Others", "red"), actor=COMMAND, now=START)
    await give_category(other, [person.id], actor=actor, now=START - timedelta(days=2))
    await take_category(other, [person.id], actor=actor, now=START - timedelta(days=1))
    await set_importance([person.id], 3, actor=actor, now=START - timedelta(days=1))
    await set_discount(person.id, 500, actor=actor, now=START - timedelta(hours=3))
    await delete_customers([person.id], actor=actor, now=START - timedelta(hours=2))
    await restore_customers([person.id], actor=actor, now=START - timedelta(hours=1))
    await add_note(person.id, "Likes <oat> milk", actor=actor, now=START - timedelta(minutes=5))
    await db.execute(MESSAGES, await a_chat(person.id), person.id, START - timedelta(minutes=4), 1)
    return person.id


def told(words: str) -> list[str]:
    """The sentences of the lines."""
    lines = re.findall(r'<div class="fill"><p>(.*?)</p>', words, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", line).replace("\xa0", " ").split()) for line in lines]


async def test_a_timeline_speaks_in_sentences(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person = await a_life()
    words = await text(panel, f"/customers/{person}?tab=timeline")
    assert told(words) == [
        "Wrote",
        "Note",
        "Deleted customer brought back",
        "Customer deleted",
        "Personal discount set: 5%",
        "Importance set 3",
        "Category taken off Others",
        "Category given Others",
        "Category given Office",
        "Purchase of 1,000 ₽ bonuses earned: +50",
        "Added to the base By hand in the panel",
        "By hand, bonuses: +50",
    ]
    assert "Likes &lt;oat&gt; milk" in words
    assert "Hello 1" in words
    assert "Покровка" in words


@pytest.mark.parametrize(
    ("show", "first", "count"),
    [("money", "Purchase of", 2), ("messages", "Wrote", 1), ("labels", "Personal discount", 5), ("card", "Note", 4)],
)
async def test_chips_narrow_it_down_and_are_taken_back(panel, sign_in_as, show, first, count):
    await sign_in_as(Role.MARKETER)
    person = await a_life()
    part = await text(panel, f"/customers/{person}?tab=timeline&show={show}", **HTMX, **{"HX-Target": "tabpanel"})
    assert part.lstrip().startswith('<section class="card" id="timeline"')
    assert len(told(part)) == count
    assert told(part)[0].startswith(first)
    pressed = re.findall(r'href="([^"]+)"[^>]+aria-current="true"', part)
    assert pressed == [f"/customers/{person}?tab=timeline"]
    both = await text(panel, f"/customers/{person}?tab=timeline&show={show},nonsense,visits")
    assert len(told(both)) == count
    assert "Nothing of this kind has happened" in await text(panel, f"/customers/{person}?tab=timeline&show=visits")


async def test_who_may_not_read_messages_sees_that_there_was_one(panel, sign_in_as):
    await sign_in_as(Role.ANALYST)
    person = await a_life()
    words = await text(panel, f"/customers/{person}?tab=timeline&show=messages")
    assert told(words) == ["Wrote"]
    assert "Hello 1" not in words
    assert "tab=conversation" not in words


async def test_older_pages_keep_the_chips(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person = await a_customer()
    await db.execute(MESSAGES, await a_chat(person.id), person.id, START, PAGE_ROWS + 3)
    first = await text(panel, f"/customers/{person.id}?tab=timeline&show=messages")
    assert len(told(first)) == PAGE_ROWS
    older = re.findall(r'href="([^"]+before=[^"]+)"', first)[0].replace("&amp;", "&")
    assert "show=messages" in older
    second = await text(panel, older)
    assert len(told(second)) == 3
    assert ">Newest<" in second
    for wrong in ("x", "2026-01-01~receipt~1", "2026-01-01T00:00:00+00:00~nothing~1"):
        path = f"/customers/{person.id}?tab=timeline&before={wrong.replace('+', '%2B')}"
        assert len(told(await text(panel, path))) == PAGE_ROWS
