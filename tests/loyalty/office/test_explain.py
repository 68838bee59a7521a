"""Every bonus of a movement is accounted for by its lots."""

from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.errors import NotFound
from loyalty.office.queries.explain import customer_named, explain, explain_entry
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.staff.rules import COMMAND, JOB
from regulars.explaining import told
from tests.builders import NOW, a_customer, a_location, a_programme, a_sale

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)


@pytest.fixture
async def life(database):
    """200 by hand; a sale burns 150 and earns; it is refunded; the rest expires."""
    await a_programme()
    place, customer = await a_location(), await a_customer(bonuses=200_00)
    sale = await a_sale(customer.id, place, 1000_00, burn=150_00, now=NOW + DAY)
    await refund_receipt(sale.receipt_id, 400_00, key="back", actor=COMMAND, now=NOW + 2 * DAY)
    await expire_due(actor=JOB, now=NOW + 800 * DAY)
    return customer.id


async def test_a_burn_names_the_lots_it_took_and_an_earning_what_became_of_it(life):
    stories = {story.entry.kind.value: story for story in (await explain(life))[0]}
    burn, earn = stories["burn"], stories["earn"]
    [(lot, amount)] = burn.parts
    assert (lot.source, lot.amount, amount, burn.made, burn.owed) == ("manual", 200_00, 150_00, (), 0)
    [made] = earn.made
    assert (made.amount, made.source, made.remaining, earn.parts) == (42_00, "receipt", 0, ())
    assert [use.kind for use in made.uses] == ["reverse_earn", "expire"]
    [(back_to, given)] = stories["restore_burn"].parts
    assert (back_to.id, given) == (lot.id, -60_00)


async def test_every_movement_is_the_sum_of_its_lots(life):
    for story in (await explain(life))[0]:
        made, parts = sum(lot.amount for lot in story.made), sum(amount for _, amount in story.parts)
        assert story.entry.amount == made - parts - story.owed, story.entry


async def test_what_no_lot_had_became_debt_and_was_repaid():
    await a_programme()
    place, customer = await a_location(), await a_customer()
    sale = await a_sale(customer.id, place, 1000_00)
    await a_sale(customer.id, place, 200_00, burn=50_00)
    await refund_receipt(sale.receipt_id, 1000_00, key="back", actor=COMMAND, now=NOW + DAY)
    await a_sale(customer.id, place, 1000_00, now=NOW + 2 * DAY)
    earned, taken_back, *_ = (await explain(customer.id))[0]
    assert taken_back.owed == 50_00 - 7_00
    assert earned.repaid == 43_00


async def test_one_movement_is_found_by_its_customer_only(life):
    story = (await explain(life))[0][-1]
    assert await explain_entry(life, story.entry.id) == story
    other = await a_customer()
    for customer_id, entry_id in ((other.id, story.entry.id), (life, 10**9)):
        with pytest.raises(NotFound):
            await explain_entry(customer_id, entry_id)


async def test_pages_are_read_with_two_statements(life, monkeypatch):
    asked = []
    fetch = db.fetch

    async def counted(sql, *params):
        asked.append(sql)
        return await fetch(sql, *params)

    monkeypatch.setattr(db, "fetch", counted)
    await explain(life)
    assert len(asked) == 2


async def test_a_customer_is_named_by_id_phone_or_card():
    customer = await a_customer(phone="+79165550101")
    for text in (str(customer.id), "8 (916) 555-01-01", customer.card_number):
        assert await customer_named(text, "RU") == customer.id
    for text in ("", "nobody", "+79165550102", "999999"):
        with pytest.raises(NotFound):
            await customer_named(text, "RU")


async def test_the_terminal_tells_it_in_lines(life):
    stories = (await explain(life))[0]
    burn = next(story for story in stories if story.entry.kind == "burn")
    lines = list(told(burn, "Europe/Moscow"))
    assert lines == [
        f"2026-03-11 12:00  #{burn.entry.id}  burn −150 (receipt, receipt 1), balance 50",
        "    took 150 of lot 1 (manual of 2026-03-10, 200, until 2027-03-10)",
    ]
    earn = next(story for story in stories if story.entry.kind == "earn")
    assert list(told(earn, "Europe/Moscow"))[1].startswith("    made lot 2 (receipt of 2026-03-11, 42, until ")
    owed = replace(burn, parts=())
    assert list(told(owed, "Europe/Moscow"))[-1] == "    150 became debt"
