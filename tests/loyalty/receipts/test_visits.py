"""What a sale does beside the books: who was deleted is back, and nobody sells to a card that is no more."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.customers.actions.archive import delete_customers
from loyalty.errors import NotFound
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_quote, a_sale, assert_books_agree

pytestmark = pytest.mark.usefixtures("database")


async def test_a_sale_brings_a_deleted_customer_back_and_says_so_once():
    person, place = (await a_customer()).id, await a_location()
    await delete_customers([person], actor=COMMAND, now=NOW)
    for key in ("first", "first", "second"):
        await a_sale(person, place, 500_00, key=key)
    row = await db.fetch_row(
        "SELECT deleted_at, is_hidden, visits FROM customer JOIN customer_facts ON customer_id = id WHERE id = $1",
        person,
    )
    assert row == {"deleted_at": None, "is_hidden": False, "visits": 1}
    lines = (await journal_page(JournalFilters(subject_kind="customer", subject_id=person))).lines
    assert [line.action for line in lines][:2] == ["customer.restored", "customer.deleted"]
    await assert_books_agree()


async def test_nothing_is_sold_to_a_card_that_is_nobodys_but_what_was_sold_can_come_back():
    person, place = (await a_customer()).id, await a_location()
    sale = await a_sale(person, place, 500_00, key="before")
    await db.execute("UPDATE customer SET erased_at = $2 WHERE id = $1", person, NOW)
    with pytest.raises(NotFound, match="customer"):
        await a_sale(person, place, 500_00)
    with pytest.raises(NotFound, match="customer"):
        await a_quote(person, place, total=500_00)
    # A till that sends it again has its first answer.
    assert (await a_sale(person, place, 500_00, key="before")).repeated
    await refund_receipt(sale.receipt_id, None, key="back", actor=COMMAND, now=NOW + timedelta(hours=1))
    assert await db.fetch_value("SELECT visits FROM customer_facts WHERE customer_id = $1", person) == 0
