import asyncio
from datetime import datetime, timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.queries import account, hold
from loyalty.bonuses.rules import HoldState
from loyalty.customers.rules import CardProof, code_step
from loyalty.errors import Conflict, NotFound, Refused
from loyalty.receipts.actions.holds import decide_hold, lapse_due, place_hold, void_hold
from loyalty.receipts.rules.sales import Line, ReceiptDraft, ReceiptSource
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import (
    NOW,
    a_customer,
    a_hold,
    a_location,
    a_programme,
    a_quote,
    a_sale,
    an_account,
    assert_books_agree,
)

pytestmark = pytest.mark.usefixtures("database")
MINUTE = timedelta(minutes=1)


async def available(customer_id: int, now=NOW) -> int:
    return (await account(customer_id, now=now)).available


async def expiry_of(customer_id: int) -> datetime:
    next_expiry = (await account(customer_id, now=NOW)).next_expiry
    assert next_expiry is not None
    return next_expiry[0]


async def test_what_is_set_aside_nobody_else_spends_and_the_sale_does():
    await a_programme()
    person, location = await a_customer(bonuses=755_00), await a_location()
    kept = await a_hold(person.id, location, 1840_00, 500_00)
    assert (kept.state, kept.amount, kept.expires_at) == (HoldState.HELD, 500_00, NOW + 15 * MINUTE)
    assert await available(person.id) == 255_00
    assert (await a_quote(person.id, location, total=1840_00)).burn_limit == 255_00
    sale = await a_sale(person.id, location, 1840_00, burn=500_00, hold_id=kept.id, now=NOW + MINUTE)
    assert (sale.burnt, sale.paid) == (500_00, 1340_00)
    done = await hold(kept.id)
    assert (done.state, done.receipt_id) == (HoldState.CONFIRMED, sale.receipt_id)
    assert await available(person.id, NOW + MINUTE) == 255_00 + sale.earned
    await assert_books_agree()


async def test_a_sale_may_spend_less_than_was_set_aside_and_the_rest_is_free_again():
    await a_programme()
    person, location = await a_customer(bonuses=755_00), await a_location()
    kept = await a_hold(person.id, location, 1840_00, 500_00)
    sale = await a_sale(person.id, location, 1000_00, burn=200_00, hold_id=kept.id)
    assert await available(person.id) == 555_00 + sale.earned
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, location, 1000_00, burn=100_00, hold_id=kept.id)
    assert refused.value.reason == "hold_is_over"


async def test_a_sale_never_spends_more_than_was_set_aside():
    await a_programme()
    person, location = await a_customer(bonuses=755_00), await a_location()
    kept = await a_hold(person.id, location, 1840_00, 100_00)
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, location, 1840_00, burn=200_00, hold_id=kept.id)
    assert refused.value.reason == "burn_over_limit"


async def test_what_was_set_aside_is_spent_even_past_the_midnight_that_ended_it():
    await a_programme(manual_lifetime_months=1)
    person, location = await a_customer(bonuses=500_00), await a_location()
    end = await expiry_of(person.id)
    kept = await a_hold(person.id, location, 1840_00, 300_00, now=end - 5 * MINUTE)
    assert await expire_due(actor=JOB, now=end + MINUTE) == 0
    sale = await a_sale(person.id, location, 1840_00, burn=300_00, hold_id=kept.id, now=end + 2 * MINUTE)
    assert sale.burnt == 300_00
    assert await expire_due(actor=JOB, now=end + 3 * MINUTE) == 1
    standing = await account(person.id, now=end + 3 * MINUTE)
    assert (standing.burnt, standing.expired) == (300_00, 200_00)
    await assert_books_agree(now=end + 3 * MINUTE)


async def test_a_hold_lapses_and_what_expired_meanwhile_is_swept():
    await a_programme(manual_lifetime_months=1)
    person, location = await a_customer(bonuses=500_00), await a_location()
    end = await expiry_of(person.id)
    kept = await a_hold(person.id, location, 1840_00, 300_00, now=end - 5 * MINUTE)
    late = end + 10 * MINUTE
    with pytest.raises(Refused):
        await a_sale(person.id, location, 1840_00, burn=300_00, hold_id=kept.id, now=late)
    assert await lapse_due(now=late) == 1
    assert await lapse_due(now=late) == 0
    assert (await hold(kept.id)).state is HoldState.LAPSED
    assert await expire_due(actor=JOB, now=late) == 1
    assert (await account(person.id, now=late)).balance == 0
    await assert_books_agree(now=late)


async def test_a_hold_let_go_frees_its_bonuses_and_twice_is_once():
    person, location = await a_customer(bonuses=500_00), await a_location()
    kept = await a_hold(person.id, location, 1840_00, 300_00)
    for _ in range(2):
        assert (await void_hold(kept.id, actor=COMMAND, now=NOW)).state is HoldState.VOIDED
    assert await available(person.id) == 500_00
    sold = await a_hold(person.id, location, 1840_00, 300_00)
    await a_sale(person.id, location, 1840_00, burn=300_00, hold_id=sold.id)
    with pytest.raises(Refused):
        await void_hold(sold.id, actor=COMMAND, now=NOW)


async def test_the_same_key_gives_the_same_hold_and_another_body_is_a_conflict():
    person, location = await a_customer(bonuses=500_00), await a_location()
    first = await a_hold(person.id, location, 1840_00, 300_00, key="h-1")
    assert (await a_hold(person.id, location, 1840_00, 300_00, key="h-1")).id == first.id
    with pytest.raises(Conflict):
        await a_hold(person.id, location, 1840_00, 200_00, key="h-1")
    assert await available(person.id) == 200_00


async def test_a_hold_needs_the_card_and_uses_its_code_up():
    person, strict = await a_customer(bonuses=500_00), await a_location(burns=False)
    with pytest.raises(Refused) as refused:
        await a_hold(person.id, strict, 1000_00, 100_00)
    assert refused.value.reason == "burn_needs_presence"
    proof = CardProof(person.id, code_step(NOW))
    kept = await a_hold(person.id, strict, 1000_00, 100_00, proof=proof)
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, strict, 1000_00, burn=100_00, proof=proof)
    assert refused.value.reason == "code_was_used"
    await a_sale(person.id, strict, 1000_00, burn=100_00, hold_id=kept.id)
    with pytest.raises(Refused):
        await a_sale(person.id, strict, 1000_00, burn=100_00, proof=proof)
    await assert_books_agree()


async def test_a_hold_serves_its_own_customer_and_location_alone():
    person, other, location = await a_customer(bonuses=500_00), await a_customer(bonuses=500_00), await a_location()
    kept = await a_hold(person.id, location, 1000_00, 100_00)
    for customer_id, place in ((other.id, location), (person.id, await a_location(name="B"))):
        with pytest.raises(Refused) as refused:
            await a_sale(customer_id, place, 1000_00, burn=100_00, hold_id=kept.id)
        assert refused.value.reason == "hold_of_another"
    with pytest.raises(NotFound):
        await a_sale(person.id, location, 1000_00, burn=100_00, hold_id=kept.id + 1)


async def test_asked_in_the_chat_a_yes_sets_aside_what_a_sale_then_spends_without_a_code():
    person, strict = await a_customer(bonuses=500_00), await a_location(burns=False)
    await an_account(person.id)
    asked = await a_hold(person.id, strict, 1000_00, 200_00, ask=True)
    assert (asked.state, asked.expires_at) == (HoldState.ASKED, NOW + 2 * MINUTE)
    assert await available(person.id) == 500_00
    with pytest.raises(Refused):
        await a_sale(person.id, strict, 1000_00, burn=200_00, hold_id=asked.id)
    await decide_hold(asked.id, person.id, agreed=True, actor=COMMAND, now=NOW + MINUTE)
    agreed = await decide_hold(asked.id, person.id, agreed=True, actor=COMMAND, now=NOW + MINUTE)
    assert (agreed.state, agreed.presence) == (HoldState.HELD, "chat")
    assert await available(person.id) == 300_00
    sale = await a_sale(person.id, strict, 1000_00, burn=200_00, hold_id=asked.id, now=NOW + 2 * MINUTE)
    assert sale.burnt == 200_00
    assert await db.fetch_value("SELECT presence FROM receipt WHERE id = $1", sale.receipt_id) == "chat"
    text = await db.fetch_value("SELECT content->>'text' FROM message WHERE kind = 'hold_asked'")
    assert "200\N{NO-BREAK SPACE}бонусов" in text
    await assert_books_agree()


async def test_a_no_a_late_yes_and_a_strangers_yes_set_nothing_aside():
    person, other, location = await a_customer(bonuses=500_00), await a_customer(), await a_location()
    await an_account(person.id)
    asked = await a_hold(person.id, location, 1000_00, 200_00, ask=True)
    with pytest.raises(NotFound):
        await decide_hold(asked.id, other.id, agreed=True, actor=COMMAND, now=NOW)
    no = await decide_hold(asked.id, person.id, agreed=False, actor=COMMAND, now=NOW)
    assert no.state is HoldState.DECLINED
    late = await a_hold(person.id, location, 1000_00, 200_00, ask=True)
    for hold_id, at in ((asked.id, NOW), (late.id, NOW + 2 * MINUTE)):
        with pytest.raises(Refused) as refused:
            await decide_hold(hold_id, person.id, agreed=True, actor=COMMAND, now=at)
        assert refused.value.reason == "hold_is_over"
    assert await available(person.id) == 500_00


async def test_a_yes_to_bonuses_that_are_gone_meanwhile_is_refused():
    person, location = await a_customer(bonuses=500_00), await a_location()
    await an_account(person.id)
    asked = await a_hold(person.id, location, 1500_00, 400_00, ask=True)
    await a_sale(person.id, location, 1000_00, burn=300_00)
    with pytest.raises(Refused) as refused:
        await decide_hold(asked.id, person.id, agreed=True, actor=COMMAND, now=NOW)
    assert refused.value.reason == "burn_over_limit"


async def test_nobody_without_a_chat_can_be_asked():
    person, location = await a_customer(bonuses=500_00), await a_location()
    with pytest.raises(Refused) as refused:
        await a_hold(person.id, location, 1000_00, 200_00, ask=True)
    assert refused.value.reason == "no_chat_to_ask"


async def test_a_hold_is_limited_like_a_burn_on_the_lines_that_take_part():
    await a_programme(excluded_categories=("tobacco",))
    person, location = await a_customer(bonuses=500_00), await a_location()
    lines = (Line(400_00, category="coffee"), Line(600_00, category="Tobacco"))
    with pytest.raises(Refused) as refused:
        await a_hold(person.id, location, 1000_00, 200_00, lines=lines)
    assert refused.value.details == {"limit": 120_00}


@pytest.mark.prove
async def test_of_many_holds_at_once_no_more_is_set_aside_than_there_is():
    await a_programme()
    person, location = await a_customer(bonuses=500_00), await a_location()

    async def place(number: int) -> int:
        draft = ReceiptDraft(ReceiptSource.API, location, f"h-{number}", person.id, 1000_00, 100_00)
        try:
            await place_hold(draft, ask=False, actor=COMMAND, now=NOW)
        except Refused:
            return 0
        return 1

    assert sum(await asyncio.gather(*(place(number) for number in range(50)))) == 5
    assert await available(person.id) == 0


@pytest.mark.prove
async def test_a_hold_is_spent_or_let_go_or_lapses_never_two_of_them():
    await a_programme()
    person, location = await a_customer(bonuses=500_00), await a_location()
    for _ in range(10):
        kept = await a_hold(person.id, location, 1000_00, 10_00)
        late = kept.expires_at
        results = await asyncio.gather(
            a_sale(person.id, location, 1000_00, burn=10_00, hold_id=kept.id, now=late - MINUTE),
            void_hold(kept.id, actor=COMMAND, now=late - MINUTE),
            lapse_due(now=late),
            return_exceptions=True,
        )
        state = (await hold(kept.id)).state
        sold = not isinstance(results[0], Refused)
        assert (state is HoldState.CONFIRMED) is sold
    await assert_books_agree()
