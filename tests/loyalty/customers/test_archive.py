"""Deleting hides from the base and can be taken back; whoever comes back by their phone is here again."""

import asyncio
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.customers.actions.archive import delete_customers, restore_customers
from loyalty.customers.actions.profile import add_customer, confirm_identity
from loyalty.customers.queries import customer
from loyalty.customers.queries.archive import deleted_customers, deletion_of
from loyalty.customers.rules import RESTORED_FOR, Profile, Via
from loyalty.errors import NotFound, Refused
from loyalty.office.queries.verify import verify
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer, a_location, a_programme, a_sale, assert_books_agree

pytestmark = pytest.mark.usefixtures("database")
PHONE = "+79161112233"


async def hidden() -> set[int]:
    return {row["customer_id"] for row in await db.fetch("SELECT customer_id FROM customer_facts WHERE is_hidden")}


async def test_several_are_deleted_and_restored_at_once():
    people, actor = [(await a_customer()).id for _ in range(3)], await a_cashier()
    assert await delete_customers([*people[:2], 10**12], actor=actor, now=NOW) == 2
    assert await delete_customers(people, actor=actor, now=NOW + timedelta(hours=1)) == 1
    assert await hidden() == set(people)
    deletion = await deletion_of(people[0])
    assert deletion is not None
    assert (deletion.deleted_at, deletion.staff_name, deletion.until) == (NOW, "Timur", NOW + RESTORED_FOR)
    await assert_books_agree()
    assert await restore_customers(people, actor=actor, now=NOW + timedelta(hours=2)) == 3
    assert await restore_customers(people, actor=actor, now=NOW) == 0
    assert await hidden() == set()
    assert await deletion_of(people[0]) is None
    lines = await db.fetch("SELECT action, subject_id, details FROM journal_entry WHERE action LIKE 'customer.%ed'")
    told = [(line["action"], line["subject_id"]) for line in lines if "added" not in line["action"]]
    assert told == [("customer.deleted", None), ("customer.deleted", people[2]), ("customer.restored", None)]
    await assert_books_agree()
    with pytest.raises(NotFound, match="customer"):
        await delete_customers([10**12], actor=actor, now=NOW)


async def test_thirty_days_later_nobody_is_restored_by_hand():
    early, late = [(await a_customer()).id for _ in range(2)]
    await delete_customers([early], actor=COMMAND, now=NOW)
    await delete_customers([late], actor=COMMAND, now=NOW + timedelta(days=1))
    with pytest.raises(Refused, match="restore_is_over"):
        await restore_customers([early, late], actor=COMMAND, now=NOW + RESTORED_FOR)
    assert await hidden() == {early, late}
    moment = NOW + RESTORED_FOR
    assert [one.id for one in (await deleted_customers(now=moment))[0]] == [late]
    assert await restore_customers([late], actor=COMMAND, now=moment) == 1


async def test_merged_and_erased_cards_are_neither_deleted_nor_restored():
    merged, erased, whole = [(await a_customer()).id for _ in range(3)]
    await db.execute("UPDATE customer SET merged_into_id = $2 WHERE id = $1", merged, whole)
    await db.execute("UPDATE customer SET erased_at = $2 WHERE id = $1", erased, NOW)
    await db.execute("UPDATE customer_facts SET is_hidden = true WHERE customer_id = ANY($1)", [merged, erased])
    assert await delete_customers([merged, erased], actor=COMMAND, now=NOW) == 0
    await db.execute("UPDATE customer SET deleted_at = $1 WHERE id = ANY($2)", NOW, [merged, erased])
    assert await restore_customers([merged, erased], actor=COMMAND, now=NOW) == 0
    assert (await deleted_customers(now=NOW))[0] == []


async def test_a_deleted_customer_keeps_their_bonuses_and_the_books_agree():
    await a_programme()
    person, place = await a_customer(bonuses=100_00), await a_location()
    await a_sale(person.id, place, 500_00)
    await delete_customers([person.id], actor=COMMAND, now=NOW)
    assert (await customer(person.id)).balance > 100_00
    await assert_books_agree()


async def test_is_hidden_that_is_not_what_the_card_says_is_a_difference():
    person = (await a_customer()).id
    await db.execute("UPDATE customer_facts SET is_hidden = true WHERE customer_id = $1", person)
    found = (await verify(now=NOW)).differences
    assert [(one.check, one.id, one.expected, one.found) for one in found] == [
        ("whether customer is hidden", person, 0, 1)
    ]


async def test_programs_that_keep_a_copy_of_the_base_see_that_the_cards_changed():
    people = [(await a_customer()).id for _ in range(2)]
    later = NOW + timedelta(hours=1)
    await delete_customers(people, actor=COMMAND, now=later)
    updated = await db.fetch("SELECT updated_at FROM customer WHERE id = ANY($1)", people)
    assert {row["updated_at"] for row in updated} == {later}


async def test_the_phone_of_somebody_deleted_brings_them_back_with_what_was_not_known():
    person = await a_customer(name="Мария Соколова", phone=PHONE)
    await delete_customers([person.id], actor=COMMAND, now=NOW)
    profile = Profile("Маша", PHONE, "masha@example.com", "f", None, "uk", None)
    back = await add_customer(profile, via=Via.CASHIER, actor=COMMAND, now=NOW + timedelta(days=90))
    assert (back.id, back.name, back.email, back.gender, back.language) == (
        person.id,
        "Мария Соколова",
        "masha@example.com",
        "f",
        "ru",
    )
    assert back.deleted_at is None
    assert await hidden() == set()
    with pytest.raises(Refused, match="phone_taken"):
        await add_customer(profile, via=Via.CASHIER, actor=COMMAND, now=NOW)


async def test_the_phone_of_an_erased_or_merged_card_brings_nobody_back():
    person, other = await a_customer(phone=PHONE), await a_customer()
    await db.execute("UPDATE customer SET erased_at = $2, deleted_at = $2 WHERE id = $1", person.id, NOW)
    profile = Profile("Маша", PHONE, None, None, None, "ru", None)
    with pytest.raises(Refused, match="phone_taken"):
        await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=NOW)
    await db.execute("UPDATE customer SET erased_at = NULL, merged_into_id = $2 WHERE id = $1", person.id, other.id)
    with pytest.raises(Refused, match="phone_taken") as refused:
        await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=NOW)
    assert refused.value.details == {"customer_id": other.id}


async def test_who_registers_again_in_the_chat_is_here_again():
    person = await a_customer(phone=PHONE)
    await delete_customers([person.id], actor=COMMAND, now=NOW)
    await confirm_identity(person.id, language="ru", birthday=None, actor=COMMAND, now=NOW)
    assert await hidden() == set()


async def test_two_who_add_a_deleted_phone_at_once_bring_one_back_and_refuse_one():
    person = await a_customer(phone=PHONE)
    await delete_customers([person.id], actor=COMMAND, now=NOW)
    profile = Profile("Маша", PHONE, None, None, None, "ru", None)
    answers = await asyncio.gather(
        *(add_customer(profile, via=Via.PANEL, actor=COMMAND, now=NOW) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in answers) == ["CustomerView", "Refused"]


async def test_deleting_and_restoring_at_once_leaves_card_and_facts_agreeing():
    people = [(await a_customer()).id for _ in range(20)]
    await asyncio.gather(
        *(
            act(ids, actor=COMMAND, now=NOW)
            for act in (delete_customers, restore_customers)
            for ids in (people, people[::-1])
        )
    )
    await assert_books_agree()
