"""When a profile was changed, for those who keep a copy of the base."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty.customers.actions.accounts import set_language
from loyalty.customers.actions.profile import change_profile, confirm_identity, update_profile
from loyalty.customers.queries import CustomerView, customer, customers_updated
from loyalty.customers.rules import Profile
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_sale, an_account

LATER = NOW + timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("database")


def profile_of(person):
    return Profile(
        person.name,
        person.phone,
        person.email,
        person.gender,
        person.birthday,
        person.language,
        person.home_location_id,
    )


async def test_every_change_of_a_profile_moves_its_moment_and_a_sale_does_not():
    person = await a_customer()
    assert person.updated_at == NOW
    await a_sale(person.id, await a_location(), 100_00, now=LATER)
    assert (await customer(person.id)).updated_at == NOW
    changed = await update_profile(person.id, replace(profile_of(person), name="Анна"), actor=COMMAND, now=LATER)
    assert changed.updated_at == LATER
    account = await an_account(person.id)
    await set_language(account, "uk", actor=COMMAND, now=LATER + timedelta(1))
    assert (await customer(person.id)).updated_at == LATER + timedelta(1)
    await confirm_identity(person.id, language="ru", birthday=None, actor=COMMAND, now=LATER + timedelta(2))
    assert (await customer(person.id)).updated_at == LATER + timedelta(2)


async def test_what_did_not_change_keeps_its_moment():
    person = await a_customer()
    again = await update_profile(person.id, profile_of(person), actor=COMMAND, now=LATER)
    assert again.updated_at == NOW


async def test_changes_are_read_in_their_order_page_by_page():
    people = [await a_customer() for _ in range(5)]
    await update_profile(people[1].id, replace(profile_of(people[1]), name="Анна"), actor=COMMAND, now=LATER)
    first, more = await customers_updated(NOW, limit=3)
    assert ([one.id for one in first], more) == ([people[0].id, people[2].id, people[3].id], True)
    rest, more = await customers_updated(first[-1].updated_at, first[-1].id, limit=3)
    assert ([one.id for one in rest], more) == ([people[4].id, people[1].id], False)
    assert [one.id for one in (await customers_updated(LATER))[0]] == [people[1].id]


async def test_two_programs_that_change_different_fields_at_once_both_count():
    person = await a_customer()

    async def change(field: str, value: str) -> None:
        def changed(known: CustomerView) -> Profile:
            return replace(profile_of(known), **{field: value})

        await change_profile(person.id, changed, actor=COMMAND, now=LATER)

    changes = (("name", "Анна"), ("email", "anna@example.com"), ("gender", "f"))
    await asyncio.gather(*(change(field, value) for field, value in changes))
    known = await customer(person.id)
    assert (known.name, known.email, known.gender) == ("Анна", "anna@example.com", "f")
