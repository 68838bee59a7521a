"""Files of appointments: who comes, when, to whom; twice is once, and what was brought in is cancelled again."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bookings.actions.appointments import change_appointment
from loyalty.bookings.actions.team import add_service, add_team_member
from loyalty.bookings.rules import Changes, ServiceDraft, State, TeamMemberDraft
from loyalty.customers.queries import customer
from loyalty.office.importing import Kind, Mode, Options
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_programme, assert_books_agree
from tests.loyalty.office.test_imports import (
    LATER,
    by_phone,
    checked,
    counts,
    imported,
    lines,
    settings,
    table,
    taken_back,
)

pytestmark = pytest.mark.usefixtures("database")
KIND = {"kind": Kind.APPOINTMENTS}
MAKING = Options(Mode.LEAVE, make_missing=True)
HEAD = ("Номер", "Телефон", "Имя", "Точка", "Дата и время", "Длительность", "Мастер", "Услуги", "Статус", "Чаевые")
CAME = (
    "A1",
    "8 916 111-22-33",
    "Анна",
    "Tverskaya, 12",
    "01.03.2026 15:30",
    "90",
    "Лена",
    "Стрижка, Укладка",
    "пришла",
    "300",
)
AHEAD = ("A2", "+79162223344", "Борис", "", "20.03.2026 10:00", "", "", "", "", "")
FILE = table(HEAD, CAME, AHEAD)


@pytest.fixture(autouse=True)
async def place(database):
    await a_programme()
    return await a_location()


async def appointments() -> list[tuple[str, str, int, int]]:
    rows = await db.fetch(
        "SELECT external_id, state, tips, (SELECT count(*) FROM appointment_service s WHERE s.appointment_id = a.id)"
        " AS services FROM appointment a ORDER BY id"
    )
    return [tuple(row.values()) for row in rows]


async def test_appointments_come_with_their_people_team_and_services(database):
    import_id = await imported(FILE, MAKING, **KIND)
    assert (await settings(import_id)).mapping[:5] == ("external_id", "phone", "name", "location", "starts_at")
    assert await counts(import_id) == ("done", 2, 0, 0, 0)
    assert await appointments() == [("A1", "came", 300_00, 2), ("A2", "planned", 0, 0)]
    row = await db.fetch_row("SELECT starts_at, ends_at, source, created_via FROM appointment ORDER BY id LIMIT 1")
    assert row is not None
    assert row["starts_at"].isoformat() == "2026-03-01T12:30:00+00:00"
    assert row["ends_at"] - row["starts_at"] == timedelta(minutes=90)
    assert (row["source"], row["created_via"]) == ("phone", "import")
    anna = await customer(await by_phone("+79161112233"))
    assert (anna.name, anna.visits) == ("Анна", 1)
    assert await db.fetch_value("SELECT count(*) FROM team_member") == 1
    await assert_books_agree()


async def test_the_same_file_again_books_nobody_twice_with_numbers_or_without(database):
    for body in (FILE, table(HEAD, ("", *CAME[1:]), ("", *AHEAD[1:]))):
        first = await imported(body, MAKING, **KIND)
        before = await appointments()
        again = await checked(body, MAKING, **KIND)
        assert await lines(again, "expected") == {2: "same", 3: "same"}
        assert await appointments() == before
        assert await lines(first) == {2: "added", 3: "added"}
    await assert_books_agree()


async def test_what_is_there_is_changed_only_where_the_file_is_right_and_goes_back(database):
    await imported(FILE, MAKING, **KIND)
    other = table(HEAD, (*CAME[:8], "отменена", ""), AHEAD)
    assert await lines(await checked(other, MAKING, **KIND), "expected") == {2: "same: left_as_it_is", 3: "same"}
    import_id = await imported(other, Options(Mode.OVERWRITE, make_missing=True), **KIND)
    assert await lines(import_id) == {2: "changed", 3: "same"}
    assert (await appointments())[0] == ("A1", "cancelled", 0, 2)
    await taken_back(import_id)
    assert (await appointments())[0] == ("A1", "came", 300_00, 2)
    await assert_books_agree(now=LATER)


async def test_an_undo_cancels_what_came_and_leaves_what_somebody_has_changed(database):
    import_id = await imported(FILE, MAKING, **KIND)
    known = await db.fetch_value("SELECT id FROM appointment WHERE external_id = 'A2'")
    await change_appointment(known, Changes(frozenset({"tips"}), tips=100), actor=COMMAND, now=LATER)
    await taken_back(import_id)
    assert await lines(import_id) == {2: "undone", 3: "added: changed_since"}
    assert [one[:2] for one in await appointments()] == [("A1", "cancelled"), ("A2", "planned")]
    anna = await customer(await by_phone("+79161112233"))
    assert anna.visits == 0
    await assert_books_agree(now=LATER)


async def test_names_that_are_known_are_used_in_any_case(database):
    await add_team_member(TeamMemberDraft("ЛЕНА"), actor=COMMAND, now=NOW)
    for name in ("стрижка", "укладка"):
        await add_service(ServiceDraft(name), actor=COMMAND, now=NOW)
    assert await lines(await imported(FILE, Options(Mode.LEAVE), **KIND)) == {2: "added", 3: "added"}
    assert await db.fetch_value("SELECT count(*) FROM service") == 2


BAD = {
    "an unknown colleague": ({6: "Никто"}, "unknown_label"),
    "an unknown place": ({3: "Нигде"}, "unknown_choice"),
    "no phone": ({1: ""}, "required"),
    "no name of somebody new": ({2: ""}, "required"),
    "no time": ({4: "01.03.2026"}, "not_a_time"),
    "a day that is none": ({4: "31.02.2026 10:00"}, "not_a_date"),
    "who came tomorrow": ({4: "11.03.2026 10:00"}, "not_yet_begun"),
    "too far ahead": ({4: "11.03.2036 10:00", 8: ""}, "too_far_away"),
    "no length": ({5: "0"}, "not_a_number"),
    "an unknown state": ({8: "возможно"}, "unknown_choice"),
    "tips that are no sum": ({9: "много"}, "not_a_number"),
}


@pytest.mark.parametrize(("cells", "reason"), BAD.values(), ids=BAD)
async def test_a_wrong_cell_leaves_its_line_out(database, cells, reason):
    line = [*CAME[:6], "", "", *CAME[8:]]
    for place, cell in cells.items():
        line[place] = cell
    import_id = await checked(table(HEAD, line), Options(Mode.LEAVE), **KIND)
    assert await lines(import_id, "expected") == {2: f"refused: {reason}"}
    assert await db.fetch_value("SELECT count(*) FROM customer") == 0


async def test_lines_of_one_appointment_are_one_and_the_first_tells_a_name(database):
    body = table(
        HEAD,
        AHEAD,
        AHEAD,
        ("A2", "+79162223344", "Борис", "", "21.03.2026 10:00", "", "", "", "", ""),
        ("A3", "+79162223344", "", "", "22.03.2026 10:00", "", "", "", "", ""),
    )
    expected = {2: "added", 3: "same: line_says_so", 4: "refused: line_differs", 5: "added"}
    import_id = await checked(body, MAKING, **KIND)
    assert await lines(import_id, "expected") == expected
    assert await lines(await imported(body, MAKING, **KIND)) == expected


async def test_a_closed_place_takes_nobody_who_is_still_to_come(database, place):
    await db.execute("UPDATE location SET is_open = false")
    person = await a_customer(phone="+79161112233")
    import_id = await imported(table(HEAD, (*CAME[:6], "", "", "пришла", ""), AHEAD), MAKING, **KIND)
    assert await lines(import_id) == {2: "added", 3: "refused: location_is_closed"}
    assert (await customer(person.id)).visits == 1
    row = await db.fetch_row("SELECT state FROM appointment")
    assert row == {"state": State.CAME.value}
