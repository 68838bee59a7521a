from typing import Any

import pytest

from loyalty.bookings.actions.team import (
    add_service,
    add_team_member,
    archive,
    change_service,
    change_service_category,
    change_team_member,
    restore,
)
from loyalty.bookings.queries import service_category, services, team_member, team_members
from loyalty.bookings.rules import ServiceDraft, State, TeamMemberDraft
from loyalty.errors import Invalid, NotFound
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, assert_books_agree

ACT: dict[str, Any] = {"actor": COMMAND, "now": NOW}


async def journal(noun, id_):
    found = await journal_page(JournalFilters(subject_kind=noun, subject_id=id_))
    return [line.action for line in found.lines]


async def test_somebody_who_serves_is_added_once_changed_in_part_archived_and_brought_back(salon):
    draft = TeamMemberDraft(" Ira \n Son ", "Barista", salon.place, "t-1")
    added = await add_team_member(draft, **ACT)
    assert await add_team_member(TeamMemberDraft("Other", external_id="t-1"), **ACT) == (added[0], False)
    for _ in range(2):
        await change_team_member(added[0], position="Trainer", location_id=None, **ACT)
        await archive("team_member", added[0], **ACT)
    known = await team_member(added[0])
    assert (known.name, known.position, known.location_id, known.archived_at) == ("Ira Son", "Trainer", None, NOW)
    assert [one.name for one in await team_members()] == ["Lev", "Ira Son"]
    for _ in range(2):
        await restore("team_member", added[0], **ACT)
    assert await journal("team_member", added[0]) == [
        "team_member.restored",
        "team_member.archived",
        "team_member.changed",
        "team_member.added",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"name": " "}, "name"), ({"location_id": 99}, "location_id"), ({"external_id": ""}, "external_id")],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(salon, changes, field):
    with pytest.raises(Invalid) as refused:
        await change_team_member(salon.member, **changes, **ACT)
    assert refused.value.field == field
    assert (await team_member(salon.member)).name == "Lev"
    for noun in ("team_member", "service", "service_category"):
        with pytest.raises(NotFound, match=noun):
            await archive(noun, 99, **ACT)


async def test_a_service_of_another_category_takes_its_past_with_it(salon):
    await salon.book(state=State.CAME, service_ids=(salon.service, salon.other_service))
    await salon.book(days=-1, state=State.CAME, service_ids=(salon.service,))
    await salon.book(days=-2, service_ids=(salon.service,))
    assert await salon.pairs("service_category") == {salon.category: 2}
    await change_service(salon.service, category_id=None, **ACT)
    assert await salon.pairs("service_category") == {salon.category: 1}
    await assert_books_agree()
    await change_service(salon.other_service, category_id=None, **ACT)
    assert await salon.pairs("service_category") == {}
    await change_service(salon.service, category_id=salon.category, **ACT)
    assert await salon.pairs("service_category") == {salon.category: 2}
    assert await salon.pairs("service") == {salon.service: 2, salon.other_service: 1}
    await assert_books_agree()


async def test_archived_things_stand_last_and_count_no_more(salon):
    await archive("service", salon.service, **ACT)
    assert [one.id for one in await services()] == [salon.other_service, salon.service]
    assert (await service_category(salon.category)).services == 1
    await change_service_category(salon.category, name="Tea", **ACT)
    assert (await services())[0].category_name == "Tea"
    made, is_new = await add_service(ServiceDraft("Tea", salon.category, "s-9"), **ACT)
    assert is_new
    with pytest.raises(Invalid, match="external_id_taken"):
        await change_service(salon.service, external_id="s-9", **ACT)
    await change_service(made, external_id="s-9", **ACT)
