"""Files of customers: what their lines say, what becomes of them, and taking that back."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from loyalty import db
from loyalty.bonuses.queries import account
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.actions.profile import set_consent, update_profile
from loyalty.customers.queries import consents, customer, find_by_phone
from loyalty.customers.rules import Profile, Topic, card_number_for
from loyalty.errors import Invalid, Refused
from loyalty.ids import new_key
from loyalty.office.actions.import_work import forget_due, work
from loyalty.office.actions.imports import cancel, check, finish, keep_file, pause, resume, start, undo
from loyalty.office.actions.merging import merge_cards
from loyalty.office.importing import Kind, Mode, Options, settings_from
from loyalty.receipts.actions.refunds import refund_receipt
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
    return settings_from(
        db.from_json(await db.fetch_value("SELECT settings FROM file_import WHERE id = $1", import_id))
    )


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


async def by_phone(phone: str) -> int:
    found = await find_by_phone(phone)
    assert found is not None
    return found


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
    anna = await customer(await by_phone("+79161112233"))
    assert (anna.name, anna.email, anna.birthday, anna.gender) == (ANNA[0], ANNA[2], date(1990, 5, 14), "f")
    assert (anna.created_via, anna.phone_verified_at, anna.balance) == ("import", None, 120_00)
    names = await db.fetch("SELECT name FROM category c JOIN customer_category p ON p.category_id = c.id ORDER BY 1")
    assert [row["name"] for row in names] == ["VIP", "Офис"]
    [lot] = (await account(anna.id, now=NOW)).lots
    assert lot.source == "opening"
    assert str(lot.lot.expires_at) == "2026-12-31 21:00:00+00:00"
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


# ------------------------------------------------------------------------------------- who is there already


async def existing(**more) -> int:
    person = await a_customer(name="Анна Прежняя", phone="+79161112233")
    profile = Profile("Анна Прежняя", "+79161112233", None, None, None, "ru", None)
    if more:
        profile = Profile(**{**{name: getattr(profile, name) for name in profile.__slots__}, **more})
        await update_profile(person.id, profile, actor=await a_cashier(), now=NOW)
    return person.id


async def test_gaps_of_those_who_are_there_are_filled_and_what_is_known_stays(database):
    anna = await existing(gender="m")
    import_id = await imported(FILE, MAKING)
    assert await lines(import_id) == {2: "changed", 3: "added"}
    known = await customer(anna)
    assert (known.name, known.email, known.gender) == ("Анна Прежняя", "anna@example.com", "m")
    assert known.balance == 120_00


async def test_the_file_wins_where_that_was_chosen_and_empty_cells_take_nothing(database):
    anna = await existing(email="old@example.com", gender="f")
    body = table(("Имя", "Телефон", "Почта", "Пол"), ("Анна Новая", "89161112233", "", "м"))
    import_id = await imported(body, Options(Mode.OVERWRITE))
    known = await customer(anna)
    assert (known.name, known.email, known.gender) == ("Анна Новая", "old@example.com", "m")
    await taken_back(import_id)
    known = await customer(anna)
    assert (known.name, known.gender) == ("Анна Прежняя", "f")
    assert await db.fetch_value("SELECT count(*) FROM customer_facts WHERE is_hidden") == 0


async def test_those_who_are_there_are_left_as_they_are_where_that_was_chosen(database):
    anna = await existing()
    before = await customer(anna)
    import_id = await imported(FILE, Options(Mode.LEAVE, make_missing=True))
    assert await lines(import_id) == {2: "same: left_as_it_is", 3: "added"}
    assert await customer(anna) == before


async def test_a_field_that_somebody_has_changed_since_stays_when_the_file_is_taken_back(database):
    anna = await existing()
    import_id = await imported(FILE, MAKING)
    known = await customer(anna)
    profile = Profile(known.name, known.phone, "mine@example.com", known.gender, known.birthday, "ru", None)
    await update_profile(anna, profile, actor=await a_cashier(), now=NOW)
    await taken_back(import_id)
    known = await customer(anna)
    assert (known.email, known.gender, known.birthday) == ("mine@example.com", None, None)
    assert await lines(import_id) == {2: "changed: changed_since", 3: "undone"}


async def test_who_was_deleted_is_in_the_base_again_and_out_of_it_when_the_file_is_taken_back(database):
    anna = await existing()
    await delete_customers([anna], actor=await a_cashier(), now=NOW)
    import_id = await imported(table(HEAD[:2], ("Анна", "+79161112233")))
    assert await lines(import_id) == {2: "changed"}
    assert (await customer(anna)).deleted_at is None
    await taken_back(import_id)
    assert (await customer(anna)).deleted_at is not None


async def test_the_phone_of_a_merged_card_is_its_survivors(database):
    anna, other = await existing(), (await a_customer()).id
    await merge_cards(anna, other, actor=await a_cashier(), now=NOW)
    body = table(("Имя", "Телефон", "Почта", "Баланс"), ("Анна", "+79161112233", "a@example.com", "10"))
    await imported(body, Options(Mode.OVERWRITE))
    known = await customer(other)
    assert (known.email, known.balance) == ("a@example.com", 10_00)
    assert known.phone != "+79161112233"
    await assert_books_agree()


async def test_a_card_number_tells_who_it_is_and_a_new_one_is_kept(database):
    anna = await existing()
    card = (await customer(anna)).card_number
    body = table(
        ("Имя", "Телефон", "Карта"),
        ("Анна", "", card),
        ("Борис", "+79162223344", "12345674"),
        ("Вера", "+79161112233", "12345674"),
        ("Глеб", "+79162223355", "12345678"),
    )
    import_id = await checked(body)
    assert await lines(import_id, "expected") == {
        2: "same",
        3: "added",
        4: "refused: card_differs",
        5: "refused: not_a_card_number",
    }
    await start(import_id, actor=await a_cashier(), now=NOW)
    await finish(import_id, now=NOW)
    assert (await customer(await by_phone("+79162223344"))).card_number == "12345674"


async def test_a_card_that_is_drawn_passes_over_numbers_that_people_brought_along(database):
    following = await db.fetch_value("SELECT last_value + is_called::int FROM card_number_seq")
    body = table(("Имя", "Телефон", "Карта"), ("Анна", "+79161112233", card_number_for(following)))
    await imported(body)
    assert (await a_customer()).card_number == card_number_for(following + 1)


async def test_an_email_tells_who_it_is_unless_several_have_it(database):
    await existing(email="anna@example.com")
    body = table(("Имя", "Почта", "Пол"), ("Анна", "Anna@example.com", "ж"), ("Ольга", "olga@example.com", "ж"))
    assert await lines(await imported(body)) == {2: "changed", 3: "added"}
    assert await lines(await checked(body), "expected") == {2: "same", 3: "same"}
    other = await a_customer()
    profile = Profile("Сестра", other.phone, "anna@example.com", None, None, "ru", None)
    await update_profile(other.id, profile, actor=await a_cashier(), now=NOW)
    assert (await lines(await checked(body), "expected"))[2] == "refused: mail_of_several"


async def test_nobodys_no_to_advertising_becomes_a_yes(database):
    anna = await existing()
    await set_consent(
        anna, Topic.MARKETING, granted=False, source="panel", text_version="1 ru", actor=await a_cashier(), now=NOW
    )
    body = table(("Имя", "Телефон", "Согласие"), ("Анна", "+79161112233", "да"), ("Борис", "+79162223344", "да"))
    import_id = await imported(body, Options(Mode.OVERWRITE))
    assert await lines(import_id) == {2: "changed", 3: "added"}
    boris = await by_phone("+79162223344")
    assert [(one.granted, one.source) for one in await consents(anna)] == [(False, "panel")]
    assert [(one.granted, one.source, one.text_version) for one in await consents(boris)] == [
        (True, "import", "import")
    ]
    await taken_back(import_id)
    assert [one.granted for one in await consents(boris)] == [False]


# -------------------------------------------------------------------------------------- lines of one person


async def test_further_lines_of_a_person_add_lots_with_their_own_dates_and_say_nothing_else(database):
    head = ("Имя", "Телефон", "Баланс", "Начислено", "Сгорают")
    body = table(
        head,
        ("Анна", "+79161112233", "100", "01.02.2026", "31.12.2026"),
        ("Анна", "8 916 111 22 33", "50", "", "30.06.2026"),
        ("Анна", "89161112233", "", "", ""),
        ("Ольга", "89161112233", "20", "", ""),
    )
    import_id = await imported(body)
    assert await lines(import_id) == {
        2: "added",
        3: "changed",
        4: "same: line_says_so",
        5: "refused: line_differs",
    }
    anna = await by_phone("+79161112233")
    found = [(one.lot.remaining, str(one.lot.expires_at)[:10]) for one in (await account(anna, now=NOW)).lots]
    assert sorted(found) == [(50_00, "2026-06-30"), (100_00, "2026-12-31")]
    activates = {one.lot.remaining: one.lot.activates_at for one in (await account(anna, now=NOW)).lots}
    assert activates[100_00].isoformat() == "2026-01-31T21:00:00+00:00"
    await assert_books_agree()
    await taken_back(import_id)
    assert (await customer(anna)).balance == 0
    await assert_books_agree(now=LATER)


async def test_a_line_about_somebody_whose_first_line_is_left_out_is_left_out(database):
    body = table(("Имя", "Телефон", "Баланс"), ("", "+79161112233", "10"), ("", "+79161112233", "20"))
    import_id = await checked(body)
    assert await lines(import_id, "expected") == {2: "refused: required", 3: "refused: line_was_refused"}


async def test_an_opening_balance_repays_a_debt_first(database):
    await a_programme(bonus_step=100, activation_delay_days=0)
    anna, place = await existing(), await a_location()
    sale = await a_sale(anna, place, 10_000_00)
    earned = (await customer(anna)).balance
    await a_sale(anna, place, 2_000_00, burn=earned)
    await refund_receipt(sale.receipt_id, None, key="r", actor=await a_cashier(), now=NOW)
    owed = (await customer(anna)).debt
    assert owed > 0
    await imported(table(("Имя", "Телефон", "Баланс"), ("Анна", "+79161112233", "1"), ("", "+79161112233", "2000")))
    assert (await customer(anna)).debt == 0
    assert sum(one.lot.remaining for one in (await account(anna, now=NOW)).lots) == (await customer(anna)).balance
    await assert_books_agree()


# ------------------------------------------------------------------------------------------ what is refused

BAD = {
    "phone": ("12", "not_a_phone"),
    "email": ("anna@", "not_an_email"),
    "birthday": ("31.02.1990", "not_a_date"),
    "gender": ("?", "unknown_choice"),
    "home_location": ("Нигде", "unknown_choice"),
    "importance": ("Высшая", "unknown_choice"),
    "discount": ("101", "not_a_share"),
    "marketing": ("может быть", "not_yes_or_no"),
    "registered_on": ("01.01.2040", "not_in_the_past"),
    "opening": ("10,5", "not_a_step"),
    "opening_expires_on": ("01.01.2026", "is_over"),
    "categories": ("Нет такой", "unknown_label"),
    "segments": ("Нет такого", "unknown_label"),
    "card": ("1234", "not_a_card_number"),
    "language": ("эльфийский", "unknown_choice"),
    "name": ("123", "no_letters"),
}


@pytest.mark.parametrize(("key", "cell", "reason"), [(key, *pair) for key, pair in BAD.items()])
async def test_a_wrong_cell_leaves_its_line_out_and_is_named(database, key, cell, reason):
    values = {"name": "Анна", "phone": "+79161112233", "opening": "10"} | {key: cell}
    import_id = await sent(table(tuple(f"c{number}x" for number in range(len(values))), tuple(values.values())))
    await check(import_id, list(values), Options(), header=1, actor=await a_cashier(), now=NOW)
    await finish(import_id, now=NOW)
    row = await db.fetch_row("SELECT expected, reason, field FROM file_import_row WHERE number = 2")
    assert row == {"expected": "refused", "reason": reason, "field": key}
    with pytest.raises(Refused, match="nothing_to_import"):
        await start(import_id, actor=await a_cashier(), now=NOW)


async def test_a_mapping_without_anything_that_tells_who_it_is_is_refused(database):
    import_id = await sent(FILE)
    someone = await a_cashier()
    with pytest.raises(Invalid, match="needs_a_key"):
        await check(import_id, ["name"], Options(), actor=someone, now=NOW)
    with pytest.raises(Invalid, match="target_is_taken"):
        await check(import_id, ["phone", "phone"], Options(), actor=someone, now=NOW)
    with pytest.raises(Invalid, match="unknown_choice"):
        await check(import_id, ["phone", "salary"], Options(), actor=someone, now=NOW)


async def test_nobody_credits_themselves_by_a_file(database):
    me = await a_cashier(phone="+79161112233")
    await existing()
    import_id = await checked(table(("Имя", "Телефон", "Баланс"), ("Анна", "+79161112233", "10")), actor=me)
    assert await lines(import_id, "expected") == {2: "refused: own_account"}


# ----------------------------------------------------------------------------------------------- the undo


async def test_spent_bonuses_stay_and_so_does_whoever_has_a_past(database):
    import_id = await imported(FILE, MAKING)
    anna, place = await by_phone("+79161112233"), await a_location()
    await a_sale(anna, place, 1000_00, burn=50_00)
    await taken_back(import_id)
    assert await lines(import_id) == {2: "added: bonuses_used", 3: "undone"}
    assert (await customer(anna)).deleted_at is None
    assert await db.fetch_value("SELECT count(*) FROM customer_category") == 0
    await assert_books_agree(now=LATER)


async def test_a_file_is_taken_back_for_thirty_days_and_then_its_lines_are_forgotten(database):
    import_id = await imported(FILE, MAKING)
    late = NOW + timedelta(days=30)
    assert await forget_due(now=late - timedelta(seconds=1)) == 0
    assert await forget_due(now=late) == 1
    assert await db.fetch_value("SELECT count(*) FROM file_import_row WHERE cells <> '[]' OR before IS NOT NULL") == 0
    with pytest.raises(Refused, match="import_undo_is_over"):
        await undo(import_id, actor=await a_cashier(), now=late)


async def test_a_file_that_is_not_brought_in_after_its_dry_run_has_done_nothing(database):
    import_id = await checked(FILE, MAKING)
    assert await counts(import_id) == ("checked", 2, 0, 0, 0)
    await cancel(import_id, actor=await a_cashier(), now=NOW)
    assert await counts(import_id) == ("cancelled", 0, 0, 0, 0)
    with pytest.raises(Refused, match="nothing_to_undo"):
        await undo(import_id, actor=await a_cashier(), now=NOW)


async def test_an_import_is_paused_goes_on_and_is_ended(database, monkeypatch):
    monkeypatch.setattr("loyalty.office.actions.import_people.ROWS", 2)
    people = [(f"Анна {chr(1040 + number)}", f"+7916111{number:04}") for number in range(6)]
    import_id = await checked(table(("Имя", "Телефон"), *people))
    someone = await a_cashier()
    await start(import_id, actor=someone, now=NOW)
    assert await work(import_id, now=NOW) == 2
    await pause(import_id, actor=someone, now=NOW)
    assert await work(import_id, now=NOW) == 0
    await resume(import_id, actor=someone, now=NOW)
    assert await work(import_id, now=NOW) == 2
    await cancel(import_id, actor=someone, now=NOW)
    assert await counts(import_id) == ("cancelled", 4, 0, 0, 0)
    with pytest.raises(Refused, match="import_is_over"):
        await resume(import_id, actor=someone, now=NOW)
    await taken_back(import_id)
    assert await db.fetch_value("SELECT count(*) FROM customer_facts WHERE NOT is_hidden") == 0
