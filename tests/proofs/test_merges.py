"""Cards become one while tills serve both of them: every sale is recorded once, and no bonus is lost or doubled."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.customers.queries import customer
from loyalty.errors import Refused
from loyalty.ids import new_key
from loyalty.office.actions.merging import merge_cards, undo_merge
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_programme, a_sale, an_account, assert_books_agree
from tests.proofs.conftest import sized

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("database")]
HOUR = timedelta(hours=1)
STANDING = "SELECT sum(sold)::bigint AS sold, sum(receipts)::int AS receipts FROM customer_facts"


async def bonuses_made() -> int:
    """What purchases and gifts made, less what was spent: what must lie on cards."""
    total: int = await db.fetch_value("SELECT coalesce(sum(amount), 0)::bigint FROM bonus_entry WHERE kind <> 'merge'")
    return total


async def told(act: Awaitable[object]) -> str | None:
    """The reason for which it was refused, if it was."""
    try:
        await act
    except Refused as refused:
        return refused.reason
    return None


@pytest.mark.parametrize("from_first", [True, False])
async def test_sales_on_both_cards_meet_the_merge_and_all_are_recorded(database, from_first):
    await a_programme()
    place = await a_location()
    for _ in range(sized(8, 80)):
        pair = [(await a_customer(bonuses=100_00)).id for _ in range(2)]
        await an_account(pair[0])
        goes, stays = pair if from_first else pair[::-1]
        before = await db.fetch_row(STANDING)
        sales = [a_sale(one, place, 100_00, burn=burn, now=NOW) for one in pair for burn in (0, 10_00, 0)]
        # Pressed twice.
        merges = [merge_cards(goes, stays, actor=COMMAND, now=NOW) for _ in range(2)]
        answers = await asyncio.gather(*sales[:2], merges[0], *sales[2:4], merges[1], *sales[4:])
        assert answers[2] == answers[5]
        after = await db.fetch_row(STANDING)
        assert before is not None
        assert after is not None
        assert (after["sold"] - before["sold"], after["receipts"] - before["receipts"]) == (600_00, 6)
        assert ((await customer(goes)).sold, (await customer(goes)).balance) == (0, 0)
    assert await db.fetch_value("SELECT sum(balance)::bigint FROM customer_facts") == await bonuses_made()
    await assert_books_agree(now=NOW + HOUR)


async def test_refunds_and_sales_meet_the_undo(database):
    await a_programme()
    place = await a_location()
    ends = set()
    for number in range(sized(12, 120)):
        goes, stays = [(await a_customer(bonuses=100_00)).id for _ in range(2)]
        sold = [(await a_sale(one, place, 100_00, now=NOW)).receipt_id for one in (goes, stays)]
        merge_id = await merge_cards(goes, stays, actor=COMMAND, now=NOW)
        acts = [
            told(undo_merge(merge_id, actor=COMMAND, now=NOW + HOUR)),
            told(a_sale(goes, place, 100_00, burn=10_00, now=NOW + HOUR)),
            told(refund_receipt(sold[0], None, key=new_key(), actor=COMMAND, now=NOW + HOUR)),
            told(a_sale(stays, place, 100_00, now=NOW + HOUR)),
        ]
        # Whoever is named first has a head start.
        turn = number % len(acts)
        undone, *others = await asyncio.gather(*acts[turn:], *acts[:turn])
        ends.add((undone, *others))
        assert (await customer(goes)).sold + (await customer(stays)).sold == 300_00
    assert len(ends) > 1
    assert await db.fetch_value("SELECT sum(balance)::bigint FROM customer_facts") == await bonuses_made()
    await assert_books_agree(now=NOW + HOUR)
