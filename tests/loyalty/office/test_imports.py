"""Files of customers: what their lines say, what becomes of them, and taking that back."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from loyalty import db
from loyalty.bonuses.queries import account
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.actions.categories import add_category, give_category
from loyalty.customers.actions.profile import set_consent, update_profile
from loyalty.customers.labels import CategoryDraft
from loyalty.customers.queries import consents, customer, find_by_phone
from loyalty.customers.rules import Profile, Topic
from loyalty.errors import Invalid, Refused
from loyalty.ids import new_key
from loyalty.office.actions.imports import cancel, check, finish, keep_file, pause, resume, start, undo
from loyalty.office.actions.merging import merge_cards
from loyalty.office.importing import Kind, Mode, Options, settings_from
from loyalty.staff.rules import Actor
from tests.builders import NOW, a_cashier, a_customer, a_location, a_programme, a_sale, assert_books_agree

pytestmark = pytest.mark.usefixtures("database")
LATER = NOW + timedelta(minutes=5)
MAKING = Options(make_missing=True)


@pytest.fixture(autouse=True)
async def programme(database):
    return await a_programme(bonus_step=100)


def table(*lines: Sequence[str]) -> bytes:
    return "\n".join(";".join(line) for line in lines).encode()


async def sent(body: bytes, *, kind: Kind = Kind.CUSTOMERS, actor: Actor | None = None, now=NOW) -> int:
    import_id = await keep_file(kind, "base.csv", body, key=new_key(), actor=actor or await a_cashier(), now=now)
    await finish(import_id, now=now)
    return import_id


async def settings(import_id: int):
    return settings_from(db.from_json(await db.fetch_value("SELECT settings FROM file_import WHERE id = $1", import_id)))


async def checked(body: bytes, options: Options | None = None, *, now=NOW, **more) -> int:
    import_id = await sent(body, now=now, **more)
    known = await settings(import_id)
    await check(import_id, known.mapping, options or known.options, actor=await a_cashier(), now=now)
    await finish(import_id, now=now)
    return import_id


async def imported(body: bytes, options: Options | None = None, *, now=NOW, **more) -> int:
    import_id = await checked(body, options, now=now, **more)
    await start(import_id, actor=await a_cashier(), now=now)
    await finish(import_id, now=now)
    return import_id


async def taken_back(import_id: int, *, now=LATER) -> None:
    await undo(import_id, actor=await a_cashier(), now=now)
    await finish(import_id, now=now)


async def lines(import_id: int, column: str = "state") -> dict[int, str]:
    """By line what became of it, or why not."""
    rows = await db.fetch(
        f"SELECT number, {column} AS state, reason FROM file_import_row WHERE import_id = $1 AND number > 1 ORDER BY 1",
        import_id,
    )
    return {row["number"]: f"{row['state']}: {row['reason']}" if row["reason"] else row["state"] for row in rows}


async def counts(import_id: int) -> tuple[str, int, int, int, int]:
    row = await db.fetch_row("SELECT state, added, changed, same, refused FROM file_import WHERE id = $1", import_id)
    return tuple((row or {}).values())


HEAD = ("Имя", "Телефон", "Почта", "Дата рождения", "Пол", "Категория", "Баланс", "Сгорают")
ANNA = ("Анна Белова", "8 916 111-22-33", "anna@example.com", "14.05.1990", "ж", "VIP, Офис", "120", "31.12.2026")
BORIS = ("Борис", "+7 916 222 33 44", "", "", "м", "", "", "")
FILE = table(HEAD, ANNA, BORIS)


async def test_people_are_added_with_all_that_a_line_says(database):
    import_id = await imported(FILE, MAKING)
    assert await counts(import_id) == ("done", 2, 0, 0, 0)
    anna = await customer(await find_by_phone("+79161112233"))
    assert (anna.name, anna.email, anna.birthday, anna.gender) == (ANNA[0], ANNA[2], date(1990, 5, 14), "f")
    assert (anna.created_via, anna.phone_verified_at, anna.balance) == ("import", None, 120_00)
    names = await db.fetch("SELECT name FROM category c JOIN customer_category p ON p.category_id = c.id ORDER BY 1")
    assert [row["name"] for row in names] == ["VIP", "Офис"]
    [lot] = (await account(anna.id, now=NOW)).lots
    assert lot.source == "opening"
    assert lot.lot.expires_at.isoformat() == "2026-12-31T21:00:00+00:00"
    await assert_books_agree()


async def test_the_same_file_again_changes_nobody(database):
    await imported(FILE, MAKING)
    before = await db.fetch("SELECT * FROM customer_facts ORDER BY customer_id")
    again = await checked(FILE, MAKING, now=LATER)
    assert await lines(again, "expected") == {2: "same: has_opening_balance", 3: "same"}
    with pytest.raises(Refused, match="nothing_to_import"):
        await start(again, actor=await a_cashier(), now=LATER)
    assert await db.fetch("SELECT * FROM customer_facts ORDER BY customer_id") == before


async def test_an_import_taken_back_leaves_nobody_and_no_bonuses(database):
    import_id = await imported(FILE, MAKING)
    await taken_back(import_id)
    assert await counts(import_id) == ("undone", 2, 0, 0, 0)
    assert await lines(import_id) == {2: "undone", 3: "undone"}
    assert await db.fetch_value("SELECT count(*) FROM customer_facts WHERE NOT is_hidden OR balance <> 0") == 0
    assert await db.fetch_value("SELECT count(*) FROM customer_category") == 0
    await assert_books_agree(now=LATER)
    # Brought in once more they are back, with their bonuses.
    again = await imported(FILE, MAKING, now=LATER)
    assert await counts(again) == ("done", 0, 2, 0, 0)
    assert await db.fetch_value("SELECT sum(balance) FROM customer_facts WHERE NOT is_hidden") == 120_00
    await assert_books_agree(now=LATER)
