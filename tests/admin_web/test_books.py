"""The last proof of the books, where owners see it."""

import pytest

from admin_web.pages import books
from loyalty import db
from loyalty.office.actions import prove
from loyalty.office.queries import verify
from loyalty.shop.actions import update_shop
from loyalty.staff.actions import invite
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_sale

BOOKS = "/settings/books"


async def test_before_the_first_proof_the_page_says_when_it_comes(panel, sign_in_as):
    await sign_in_as()
    assert "Every night at three" in await (await panel.get(BOOKS)).text()


async def test_a_good_proof_says_what_was_looked_at(panel, sign_in_as):
    await sign_in_as()
    await a_customer(bonuses=100_00)
    await prove(now=START)
    for path in (BOOKS, "/"):
        page = await (await panel.get(path)).text()
        assert "No differences" in page
        assert "less than a second" in page
        assert 'class="note bad"' not in page


async def test_a_difference_alarms_and_leads_to_its_customer(panel, sign_in_as):
    await sign_in_as()
    customer = await a_customer(bonuses=100_00)
    await db.execute("UPDATE customer_facts SET burnt = 5")
    await prove(now=START)
    for path in (BOOKS, "/"):
        page = await (await panel.get(path)).text()
        assert "1 difference" in page
        assert "burnt by customer" in page
        assert f'href="/customers/{customer.id}?tab=bonuses"' in page


async def test_a_proof_that_did_not_run_alarms_after_two_days(panel, sign_in_as, clock):
    await sign_in_as()
    await prove(now=START)
    clock.move(days=1)
    assert "older than two days" not in await (await panel.get(BOOKS)).text()
    clock.move(days=2)
    await sign_in_as(email="second@example.com")
    for path in (BOOKS, "/"):
        assert "older than two days" in await (await panel.get(path)).text()


async def test_books_that_do_not_agree_come_before_the_customers(panel, sign_in_as, clock):
    await sign_in_as()
    await update_shop(
        name="L", currency="RUB", region="RU", language="ru", time_zone="Europe/Moscow", actor=COMMAND, now=START
    )
    await invite("till@example.com", "Till", Role.CASHIER, actor=COMMAND, now=START)
    customer = await a_customer()
    await a_sale(customer.id, await a_location(), 100_00)
    await prove(now=START)
    assert (await panel.get("/", allow_redirects=False)).headers["Location"] == "/dashboard"
    clock.move(days=1)
    await db.execute("UPDATE customer_facts SET burnt = 5")
    await prove(now=clock.now())
    assert (await panel.get("/", allow_redirects=False)).headers["Location"] == BOOKS


@pytest.mark.parametrize("role", [Role.MARKETER, Role.ANALYST])
async def test_the_books_are_the_owner_s(panel, sign_in_as, role):
    await sign_in_as(role)
    assert (await panel.get(BOOKS)).status == 403


async def test_the_checks_are_named_in_the_reader_s_language_and_an_unknown_one_as_it_is(panel, sign_in_as):
    assert set(books.CHECKS) <= verify.CHECKS.keys()
    await sign_in_as()
    await a_customer(bonuses=100_00)
    await db.execute("UPDATE customer_facts SET burnt = 5")
    await prove(now=START)
    await db.execute(
        "UPDATE proof SET differences = differences || jsonb_set(differences->0, '{check}', '\"luck of customer\"')"
    )
    await panel.post("/account/language", data={"language": "ru", "next": "/"})
    page = await (await panel.get(BOOKS)).text()
    assert "потрачено клиентом" in page
    assert "luck of customer" in page
