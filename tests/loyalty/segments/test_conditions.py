"""Segments by conditions: who is in them, what they may ask for, how large they are from day to day."""

from datetime import timedelta

import pytest

from loyalty.errors import Invalid, Refused
from loyalty.segments.actions.segments import add_member, add_segment, archive_segment, change_segment
from loyalty.segments.actions.sizes import count_due, count_segment
from loyalty.segments.queries.base import Look, base_ids
from loyalty.segments.queries.segments import chips, met_by, segment, segments_asking_for, sizes_of
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_sale


async def a_segment(name: str, conditions: str | None = None, *, is_at_till: bool = False) -> int:
    tree = tree_from(conditions) if conditions is not None else None
    return await add_segment(SegmentDraft(name, is_at_till=is_at_till, conditions=tree), actor=COMMAND, now=NOW)


async def found(conditions: str) -> list[int]:
    return await base_ids(Look(tree=tree_from(conditions)), now=NOW)


async def test_who_meets_the_conditions_is_in_and_leaves_by_themselves(database):
    place = await a_location()
    rich, poor = await a_customer(), await a_customer()
    await a_sale(rich.id, place, 900_00)
    generous = await a_segment("Щедрые", "sold:between:50000..")
    assert await found(f"segment:any:{generous}") == [rich.id]
    assert await met_by(rich.id, now=NOW) == [(generous, "Щедрые")]
    assert await met_by(poor.id, now=NOW) == []
    await a_sale(poor.id, place, 800_00)
    assert await found(f"segment:any:{generous}") == [rich.id, poor.id]
    assert await found(f"segment:none:{generous}") == []


async def test_segments_ask_for_segments_by_hand_and_by_conditions(database):
    place = await a_location()
    people = [await a_customer() for _ in range(4)]
    for person in people[:3]:
        await a_sale(person.id, place, 900_00)
    by_hand = await a_segment("Рукой")
    await add_member(by_hand, people[0].id, actor=COMMAND, now=NOW)
    bought = await a_segment("Купили", "receipts:between:1..")
    both = await a_segment("Купили и не рукой", f"segment:any:{bought},segment:none:{by_hand}")
    assert await found(f"segment:any:{both}") == [people[1].id, people[2].id]
    assert await found(f"segment:all:{bought}.{by_hand}") == [people[0].id]
    assert await segments_asking_for(bought) == [(both, "Купили и не рукой")]


async def test_a_segment_cannot_ask_for_itself_even_through_others(database):
    first = await a_segment("Первый", "visits:between:1..")
    second = await a_segment("Второй", f"any(segment:any:{first},sold:between:1..)")
    for tree in (f"segment:any:{first}", f"none(segment:any:{second})"):
        with pytest.raises(Invalid, match="segment_in_itself"):
            await change_segment(first, SegmentDraft("Первый", conditions=tree_from(tree)), actor=COMMAND, now=NOW)
    assert (await segment(first)).conditions == tree_from("visits:between:1..")


@pytest.mark.parametrize("conditions", ["", "sold:between:x..", "nothing:any:1"])
async def test_conditions_that_cannot_be_asked_make_no_segment(database, conditions):
    with pytest.raises(Invalid):
        await a_segment("Пустой", conditions)


async def test_nobody_is_put_by_hand_where_conditions_decide(database):
    person = await a_customer()
    generous = await a_segment("Щедрые", "sold:between:50000..", is_at_till=True)
    assert not (await segment(generous)).is_at_till
    with pytest.raises(Refused, match="segment_has_conditions"):
        await add_member(generous, person.id, actor=COMMAND, now=NOW)
    assert await chips(person.id) == []
    with pytest.raises(Refused, match="segment_is_of_another_kind"):
        await change_segment(generous, SegmentDraft("Щедрые"), actor=COMMAND, now=NOW)


async def test_sizes_are_counted_a_few_times_a_day_and_kept_by_day(database):
    place = await a_location()
    generous, by_hand = await a_segment("Щедрые", "sold:between:50000.."), await a_segment("Рукой")
    archived = await a_segment("Старый", "visits:between:1..")
    await archive_segment(archived, actor=COMMAND, now=NOW)
    assert await count_due(now=NOW, limit=10) == 2
    assert await count_due(now=NOW + timedelta(hours=1), limit=10) == 0
    person = await a_customer()
    await a_sale(person.id, place, 900_00)
    await add_member(by_hand, person.id, actor=COMMAND, now=NOW)
    assert await count_due(now=NOW + timedelta(hours=7), limit=10) == 2
    assert await count_segment(generous, now=NOW + timedelta(days=1)) == 1
    assert [size for _, size in await sizes_of(generous)] == [1, 1]
    assert [size for _, size in await sizes_of(by_hand)] == [1]
    assert await sizes_of(archived) == []
    assert (await segment(generous)).size == 1
