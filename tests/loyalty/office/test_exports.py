"""Customers as a file: asked for, made, kept for its days, taken by whoever may, and withdrawn."""

import io
from datetime import date, timedelta
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from loyalty import db
from loyalty.bookings.actions.counting import pass_bookings
from loyalty.customers.actions.categories import add_category, give_category
from loyalty.customers.actions.profile import add_customer
from loyalty.customers.labels import CategoryDraft
from loyalty.customers.rules import Profile, Via
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.office.actions import export_work
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.export_work import make_due
from loyalty.office.actions.exports import (
    TICKED_AT_MOST,
    WAITING_AT_MOST,
    Wish,
    ask_export,
    expire_exports,
    take_by_link,
    take_export,
    withdraw,
)
from loyalty.office.exporting import ATTEMPTS, CELLS, ExportState, FileFormat, FileWords
from loyalty.office.queries.exports import downloads_of, export, exports, pieces_of
from loyalty.segments.queries.base import Look, base_page
from loyalty.segments.queries.columns import COLUMNS
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.actions import disable, update_staff
from loyalty.staff.queries import staff_member
from loyalty.staff.rules import COMMAND, Actor, ActorKind, Role
from tests.builders import NOW, a_customer, a_location, a_programme, a_sale

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)
WORDS = FileWords(
    title="Client base",
    headers={key: key.upper() for key in CELLS},
    values={"gender": {"f": "Female", "m": "Male"}, "language": {"ru": "Русский"}, "created_via": {"panel": "Panel"}},
    found_by="The whole client base",
)


async def a_colleague(role: Role = Role.MARKETER, email: str = "marina@example.com") -> int:
    staff_id: int = await db.fetch_value(
        "INSERT INTO staff_member (email, name, role, sessions_from, is_active, created_at)"
        " VALUES ($1, 'Marina', $2, $3, true, $3) RETURNING id",
        email,
        role.value,
        NOW,
    )
    return staff_id


@pytest.fixture
async def marina(database) -> int:
    await a_programme()
    return await a_colleague()


def a_wish(**changes) -> Wish:
    usual: dict[str, Any] = {
        "look": Look(),
        "chosen": None,
        "said": {},
        "format": FileFormat.XLSX,
        "columns": tuple(CELLS),
        "words": WORDS,
        "shows_phones": True,
        "language": "en",
        "email": "marina@example.com",
    }
    return Wish(**(usual | changes))


async def asked(staff_id: int, *, key: str = "1", now=NOW, **changes) -> int:
    return await ask_export(a_wish(**changes), key=key, actor=Actor(ActorKind.STAFF, staff_id), now=now)


async def made(staff_id: int, **changes) -> int:
    export_id = await asked(staff_id, **changes)
    assert await make_due(now=NOW) == 1
    return export_id


async def body_of(export_id: int) -> bytes:
    return b"".join([piece async for piece in pieces_of(export_id)])


async def lines_of(export_id: int) -> list[list]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(await body_of(export_id)))
    return book.get_sheet_by_index(0).to_python()


async def records_of(export_id: int) -> list[dict]:
    head, *rows = await lines_of(export_id)
    return [dict(zip([str(name).lower() for name in head], row, strict=True)) for row in rows]


async def journal() -> list[str]:
    return [row["action"] for row in await db.fetch("SELECT action FROM journal_entry ORDER BY id")]


def test_every_column_of_the_base_can_be_taken_out():
    assert set(CELLS) == set(COLUMNS)


async def test_each_column_says_what_the_page_shows(marina):
    place = await a_location()
    profile = Profile("Anna Petrova", "+79165550100", "anna@example.com", "f", date(1990, 5, 14), "ru", place)
    anna = await add_customer(profile, via=Via.PANEL, actor=Actor(ActorKind.STAFF, marina), now=NOW - 9 * DAY)
    category = await add_category(CategoryDraft("Office", "blue"), actor=COMMAND, now=NOW)
    await give_category(category, [anna.id], actor=COMMAND, now=NOW)
    await a_sale(anna.id, place, 1234_50, now=NOW - 3 * DAY)
    await pass_bookings(now=NOW, limit=10)
    [row] = await records_of(await made(marina))
    facts = (await base_page(Look(), columns=COLUMNS, now=NOW)).rows[0]
    assert row["name"] == "Anna Petrova"
    assert row["phone"] == "+79165550100"
    assert row["email"] == "anna@example.com"
    assert row["card_number"] == anna.card_number
    assert row["messengers"] == "SMS, E-mail"
    assert row["tier"] == "Base"
    assert row["categories"] == "Office"
    assert row["segments"] == row["team_members"] == row["services"] == row["next_booking"] == row["frequency"] == ""
    assert row["sold"] == row["average_receipt"] == 1234.5
    assert row["receipts"] == row["visits"] == 1
    assert row["balance"] == facts["balance"] / 100 > 0
    assert row["earned"] == facts["earned"] / 100
    assert row["burnt"] == row["expired"] == row["debt"] == row["tips"] == row["discount"] == 0
    # Moscow is three hours ahead.
    local = facts["last_visit_at"] + timedelta(hours=3)
    assert row["first_visit"] == row["last_visit"] == local.replace(tzinfo=None, microsecond=0)
    assert row["created"] == (NOW - 9 * DAY + timedelta(hours=3)).replace(tzinfo=None)
    assert row["locations"] == row["home_location"] == "Tverskaya, 12"
    assert row["birthday"] == date(1990, 5, 14)
    assert (row["gender"], row["language"], row["created_via"], row["created_by"]) == (
        "Female",
        "Русский",
        "Panel",
        "Marina",
    )


async def test_the_file_has_whom_the_look_finds_in_its_order(marina):
    for name in ("Anna", "Berta", "Clara"):
        await a_customer(name=name, bonuses=len(name) * 100)
    await a_customer(name="Hidden")
    await db.execute(
        "UPDATE customer_facts SET is_hidden = true WHERE customer_id = (SELECT id FROM customer WHERE name = 'Hidden')"
    )
    await a_customer(name="Nobody")
    tree = tree_from("balance:between:1..")
    said = {"f": "balance:between:1..", "sort": "name", "dir": "desc"}
    export_id = await made(marina, look=Look(tree=tree), said=said, columns=("name", "balance"))
    assert await lines_of(export_id) == [["NAME", "BALANCE"], ["Clara", 5], ["Berta", 5], ["Anna", 4]]
    view = await export(export_id)
    assert (view.state, view.total, view.rows, view.size) == (ExportState.DONE, 3, 3, len(await body_of(export_id)))
    by_search = await made(marina, key="2", look=Look(), said={"q": "ber"}, columns=("name",))
    assert await lines_of(by_search) == [["NAME"], ["Berta"]]


async def test_only_those_who_are_ticked_and_only_once(marina):
    people = [(await a_customer(name=name)).id for name in ("Anna", "Berta", "Clara")]
    ticked = (people[0], people[2], people[2], 987654)
    export_id = await made(marina, chosen=ticked, said={"sort": "name", "dir": "asc"}, columns=("name",))
    assert await lines_of(export_id) == [["NAME"], ["Anna"], ["Clara"]]


async def test_who_has_rights_at_some_locations_takes_their_customers_alone(marina):
    mine, other = await a_location(), await a_location(name="Other")
    here, there, both = [await a_customer(name=name) for name in ("Here", "There", "Both")]
    for person, place in ((here, mine), (there, other), (both, mine), (both, other)):
        await a_sale(person.id, place, 100_00)
    look = Look(locations=(mine,))
    found = await made(marina, look=look, said={"sort": "name", "dir": "asc"}, columns=("name",))
    assert await lines_of(found) == [["NAME"], ["Both"], ["Here"]]
    ticked = await made(marina, key="2", look=look, chosen=(here.id, there.id), columns=("name",))
    assert await lines_of(ticked) == [["NAME"], ["Here"]]


async def test_phones_are_masked_for_who_may_not_see_them_and_cannot_be_searched_by(marina):
    await a_customer(name="Anna", phone="+79165550100")
    export_id = await made(marina, shows_phones=False, columns=("phone",))
    assert await lines_of(export_id) == [["PHONE"], ["+7\u00a0···\u00a0··-00"]]
    hidden = await made(marina, key="2", shows_phones=False, columns=("name",), said={"q": "9165550100"})
    assert await lines_of(hidden) == [["NAME"]]


async def test_many_pieces_make_the_same_file(marina, monkeypatch):
    for number in range(40):
        await a_customer(name=f"Customer {number:02}")
    monkeypatch.setattr(export_work, "PIECE_BYTES", 1000)
    monkeypatch.setattr(export_work, "ROWS_AT_ONCE", 7)
    export_id = await made(marina, said={"sort": "name", "dir": "asc"}, columns=("name",))
    assert await db.fetch_value("SELECT count(*) FROM file_export_piece") > 3
    names = [row[0] for row in await lines_of(export_id)]
    assert names == ["NAME", *(f"Customer {number:02}" for number in range(40))]


async def test_pressing_twice_asks_once_and_nobody_asks_for_ever(marina):
    await a_customer()
    assert await asked(marina) == await asked(marina)
    for number in range(WAITING_AT_MOST - 1):
        await asked(marina, key=f"more {number}")
    with pytest.raises(Refused, match="too_many_files"):
        await asked(marina, key="too many")
    assert await make_due(now=NOW) == 1
    assert await asked(marina, key="room again")


async def test_what_cannot_be_asked_for(marina):
    with pytest.raises(Refused, match="nobody_is_found"):
        await asked(marina)
    await a_customer()
    with pytest.raises(Invalid):
        await asked(marina, columns=())
    with pytest.raises(Invalid):
        await asked(marina, columns=("name", "password"))
    with pytest.raises(Refused, match="too_many_customers"):
        await asked(marina, chosen=tuple(range(TICKED_AT_MOST + 1)))
    with pytest.raises(Refused, match="nobody_is_found"):
        await asked(marina, chosen=(987654,))


async def test_who_took_it_and_when_is_kept(marina):
    await a_customer()
    export_id, person = await made(marina), await staff_member(marina)
    taken = await take_export(export_id, person, actor=person.actor, now=NOW + DAY)
    assert (taken.name, taken.format) == (f"Client base-{export_id}", FileFormat.XLSX)
    assert taken.size == len(await body_of(export_id))
    await take_by_link(export_id, actor=Actor(ActorKind.STAFF), now=NOW + 2 * DAY)
    [by_link, by_hand] = (await downloads_of([export_id]))[export_id]
    assert (by_link.by_link, by_link.staff_name, by_link.at) == (True, None, NOW + 2 * DAY)
    assert (by_hand.by_link, by_hand.staff_name) == (False, "Marina")
    assert (await export(export_id)).downloads == 2
    assert [one for one in await journal() if one.startswith("export")] == [
        "export.asked",
        "export.made",
        "export.taken",
        "export.taken",
    ]


async def test_a_file_is_for_its_asker_and_for_who_sees_all(marina):
    await a_customer()
    export_id = await made(marina)
    other = await staff_member(await a_colleague(Role.ANALYST, "ann@example.com"))
    owner = await staff_member(await a_colleague(Role.OWNER, "olga@example.com"))
    for deed in (take_export, withdraw):
        with pytest.raises(NotFound):
            await deed(export_id, other, actor=other.actor, now=NOW)
    assert (await take_export(export_id, owner, actor=owner.actor, now=NOW)).id == export_id
    assert [view.id for view in (await exports(staff_id=None))[0]] == [export_id]
    assert (await exports(staff_id=other.id))[0] == []


async def test_a_right_that_was_lost_since_closes_the_file_and_its_link(marina):
    await a_customer()
    shown, hidden = await made(marina), await made(marina, key="2", columns=("name",))
    owner = Actor(ActorKind.STAFF, await a_colleague(Role.OWNER, "olga@example.com"))
    about: dict[str, Any] = {"name": "Marina", "location_id": None, "phone": None, "actor": owner, "now": NOW}
    await update_staff(marina, role=Role.ANALYST, location_ids=None, **about)
    person = await staff_member(marina)
    with pytest.raises(Refused, match="file_shows_phones"):
        await take_export(shown, person, actor=person.actor, now=NOW)
    with pytest.raises(Refused, match="file_shows_phones"):
        await take_by_link(shown, actor=COMMAND, now=NOW)
    # Nobody's phone stands in it.
    assert (await take_by_link(hidden, actor=COMMAND, now=NOW)).id == hidden
    await update_staff(marina, role=Role.ANALYST, location_ids=[await a_location()], **about)
    with pytest.raises(Refused, match="file_is_of_other_locations"):
        await take_by_link(hidden, actor=COMMAND, now=NOW)
    await update_staff(marina, role=Role.ANALYST, location_ids=None, **about)
    await disable(marina, actor=owner, now=NOW)
    with pytest.raises(Refused, match="file_is_not_yours"):
        await take_by_link(hidden, actor=COMMAND, now=NOW)


async def test_after_its_days_a_file_is_gone_and_its_line_stays(marina):
    await a_customer()
    export_id, person = await made(marina), await staff_member(marina)
    over = (await export(export_id)).expires_at
    assert over is not None
    assert await expire_exports(now=over - timedelta(seconds=1), limit=9) == 0
    # It cannot be taken even before somebody clears it away.
    with pytest.raises(Refused, match="file_has_expired"):
        await take_export(export_id, person, actor=person.actor, now=over)
    assert await expire_exports(now=over, limit=9) == 1
    assert await expire_exports(now=over, limit=9) == 0
    assert await body_of(export_id) == b""
    view = await export(export_id)
    assert (view.state, view.rows) == (ExportState.EXPIRED, 1)
    with pytest.raises(Refused, match="file_has_expired"):
        await take_by_link(export_id, actor=COMMAND, now=over)


async def test_a_withdrawn_file_is_gone_at_once(marina):
    await a_customer()
    export_id, person = await made(marina), await staff_member(marina)
    for _ in range(2):
        await withdraw(export_id, person, actor=person.actor, now=NOW)
    assert await body_of(export_id) == b""
    assert (await export(export_id)).failure == "withdrawn"
    with pytest.raises(Refused, match="file_is_gone"):
        await take_by_link(export_id, actor=COMMAND, now=NOW)
    assert (await journal()).count("export.withdrawn") == 1
    await expire_exports(now=NOW + 9 * DAY, limit=9)
    assert (await export(export_id)).state is ExportState.CANCELLED


async def test_a_file_that_is_withdrawn_while_it_is_made_is_never_kept(marina, monkeypatch):
    await a_customer()
    export_id, person = await asked(marina), await staff_member(marina)
    say = export_work._say

    async def and_withdraw(writer, what):
        if what is None:
            await withdraw(export_id, person, actor=person.actor, now=NOW)
        await say(writer, what)

    monkeypatch.setattr(export_work, "_say", and_withdraw)
    assert await make_due(now=NOW) == 0
    assert await db.fetch_value("SELECT count(*) FROM file_export_piece") == 0
    assert await db.fetch_value("SELECT count(*) FROM staff_letter") == 0
    assert (await export(export_id)).state is ExportState.CANCELLED


async def test_a_file_that_nobody_wants_any_more_is_left_half_way(marina, monkeypatch):
    for _ in range(5):
        await a_customer()
    monkeypatch.setattr(export_work, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(export_work, "TOLD_EVERY_SECONDS", 0.0)
    export_id, person = await asked(marina), await staff_member(marina)
    say, said = export_work._say, []

    async def and_withdraw(writer, what):
        said.append(what)
        if len(said) == 3:
            await withdraw(export_id, person, actor=person.actor, now=NOW)
        await say(writer, what)

    monkeypatch.setattr(export_work, "_say", and_withdraw)
    assert await make_due(now=NOW) == 0
    assert len(said) == 3


async def test_the_asker_gets_a_letter_with_a_mark_for_the_link_and_no_word_about_anybody(marina):
    await a_customer(name="Anna", phone="+79165550100")
    export_id = await made(marina, said={"q": "Anna"})
    letter = await db.fetch_row("SELECT * FROM staff_letter")
    assert letter is not None
    assert (letter["staff_id"], letter["address"], letter["key"]) == (
        marina,
        "marina@example.com",
        f"export:{export_id}",
    )
    assert letter["subject"] == "Your file of customers is ready"
    assert "Who is in it: The whole client base\nCustomers: 1\nPhones are in it in full." in letter["text"]
    assert f"{{file:{export_id:x}-" in letter["text"]
    assert "17 Mar 2026, 12:00 (Europe/Moscow)" in letter["text"]
    assert "Anna" not in letter["text"]
    assert (await export(export_id)).letter == "queued"


async def test_without_a_mail_server_or_an_open_account_no_letter_is_written(marina):
    await a_customer()
    await made(marina, email="")
    assert (await export(await asked(marina, key="2"))).letter is None
    await db.execute("UPDATE staff_member SET is_active = false")
    await make_due(now=NOW)
    assert await db.fetch_value("SELECT count(*) FROM staff_letter") == 0


async def test_what_fails_again_and_again_is_given_up_and_told(marina, monkeypatch):
    await a_customer()
    export_id = await asked(marina)
    await db.execute('UPDATE file_export SET look = \'{"f": "nonsense"}\'')
    for _ in range(ATTEMPTS):
        # Each try is a transaction that is undone but for its counting.
        with pytest.raises(Invalid):
            await make_due(now=NOW)
    assert await make_due(now=NOW) == 0
    view = await export(export_id)
    assert (view.state, view.failure) == (ExportState.FAILED, "not_made")
    assert (await journal())[-1] == "export.failed"


async def test_a_writer_that_dies_leaves_the_file_to_the_next(marina, monkeypatch):
    await a_customer()
    export_id = await asked(marina)
    say = export_work._say

    async def and_kill(writer, what):
        if what is None:
            writer.kill()
            await writer.wait()
        await say(writer, what)

    with monkeypatch.context() as patched:
        patched.setattr(export_work, "_say", and_kill)
        with pytest.raises(export_work.NotWritten):
            await make_due(now=NOW)
    assert (await export(export_id)).state is ExportState.RUNNING
    assert await make_due(now=NOW) == 1
    assert len(await lines_of(export_id)) == 2


async def test_one_that_somebody_makes_is_left_to_them(marina):
    await a_customer()
    export_id = await asked(marina)
    async with db.alone(export_work.LOCK_SPACE, export_id) as is_ours:
        assert is_ours
        assert await make_due(now=NOW) == 0
    assert await make_due(now=NOW) == 1


async def test_an_erasure_withdraws_every_file_that_may_hold_the_person(marina):
    anna, berta = await a_customer(name="Anna"), await a_customer(name="Berta")
    found = await made(marina, said={"q": "Anna"})
    hers = await made(marina, key="2", chosen=(anna.id, berta.id))
    other = await made(marina, key="3", chosen=(berta.id,))
    waiting = await asked(marina, key="4")
    await erase_customer(anna.id, actor=COMMAND, now=NOW)
    for export_id in (found, hers, waiting):
        view = await export(export_id)
        assert (view.state, view.failure) == (ExportState.CANCELLED, "somebody_was_erased")
        assert await body_of(export_id) == b""
    assert (await export(other)).state is ExportState.DONE
    assert (await export(found)).look == {}
    assert await make_due(now=NOW) == 0
