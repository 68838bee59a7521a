from datetime import UTC, datetime

import pytest

from loyalty import db
from loyalty.customers.rules import normalise_phone
from loyalty.errors import Refused
from loyalty.staff.actions import sign_in
from regulars.seed import DEMO_LOGINS, seed
from regulars.seed.names import people
from tests.builders import a_customer, assert_books_agree

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("database")


async def test_the_demo_shop_agrees_with_itself_and_lets_its_people_in():
    said: list[str] = []
    await seed(120, now=NOW, report=said.append)
    await assert_books_agree(now=NOW)
    assert said == ["120 of 120 customers"]
    kinds = {row["kind"] for row in await db.fetch("SELECT DISTINCT kind FROM bonus_entry")}
    assert {"earn", "burn", "expire", "grant"} <= kinds
    for email, password, role in DEMO_LOGINS:
        assert (await sign_in(email, password, NOW)).role == role


async def test_a_base_with_customers_is_not_seeded():
    await a_customer()
    with pytest.raises(Refused):
        await seed(10, now=NOW, report=lambda _: None)


def test_made_up_people_have_phones_of_their_own_that_could_be_real():
    from random import Random

    made = people(Random(1), 2000)
    assert len({person.phone for person in made}) == 2000
    odd = [person.phone for person in made if normalise_phone(person.phone, "RU") != person.phone]
    assert odd == []
