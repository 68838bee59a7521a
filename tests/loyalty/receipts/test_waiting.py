"""Sales to people who are not registered yet, until somebody comes for them or nobody does."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from loyalty import db
from loyalty.conversations.actions.delivery import lease_messages
from loyalty.customers.actions.profile import add_customer
from loyalty.customers.rules import Profile, Via
from loyalty.errors import Conflict, Invalid, NotFound, Refused
from loyalty.office.queries.verify import verify
from loyalty.receipts.actions.waiting import (
    credit_waiting_due,
    credit_waiting_sales,
    keep_waiting_sale,
    lapse_waiting_due,
    withdraw_waiting_sale,
)
from loyalty.receipts.queries import receipt, shift
from loyalty.receipts.queries.waiting import came_in_vain, kept_in_shift, waiting_sale, waiting_sale_by_token
from loyalty.receipts.rules.waiting import WaitingState, id_of, is_token, new_token, short_number, waits_until
from loyalty.shop.rules import Effect, RuleSettings
from loyalty.staff.rules import COMMAND
from tests.builders import (
    NOW,
    a_cashier,
    a_customer,
    a_location,
    a_programme,
    a_sale,
    an_account,
    assert_books_agree,
)

PHONE = "+79031234567"
LATER = NOW + timedelta(hours=2)


@pytest.fixture
async def place(database):
    await a_programme(waiting_sale_days=30)
    return await a_location()


@pytest.fixture
async def timur(place):
    return await a_cashier()


async def kept(place, timur, *, key="k1", total=1840_00, phone=PHONE, now=NOW):
    return await keep_waiting_sale(place, key, total, phone=phone, actor=timur, now=now)


async def registered(phone=PHONE):
    profile = Profile("Мария Соколова", phone, None, None, None, "ru", None)
    return (await add_customer(profile, via=Via.TELEGRAM, actor=COMMAND, now=LATER, phone_verified=True)).id


# ------------------------------------------------------------------------------------------- rules


def test_a_token_is_told_from_other_words():
    assert is_token(new_token())
    assert not any(map(is_token, ("", "short", "x" * 17, "abc def 12345678", "абвгдежзиклмнопр")))


@pytest.mark.parametrize(
    ("number", "found"),
    [("0-12", 12), ("012", 12), ("12", None), ("0-", None), ("0-012", None), ("", None), ("0-1x", None)],
)
def test_a_short_number_is_never_one_of_a_receipt(number, found):
    assert id_of(number) == found
    assert id_of(short_number(12)) == 12


def test_a_sale_waits_until_the_end_of_the_local_day():
    assert waits_until(NOW, 30, "Europe/Moscow") == datetime(2026, 4, 9, 21, 0, tzinfo=UTC)


# ------------------------------------------------------------------------------------------- keeping


async def test_a_sale_is_kept_once_however_often_it_is_sent(place, timur):
    first = await kept(place, timur)
    again = await kept(place, timur, now=LATER)
    assert again == first
    assert (first.state, first.total, first.phone) == (WaitingState.WAITING, 1840_00, PHONE)
    assert await waiting_sale_by_token(first.token) == first
    for other in ({"total": 1841_00}, {"phone": None}):
        with pytest.raises(Conflict, match="key_was_used"):
            await kept(place, timur, **other)
    at_once = await asyncio.gather(*(kept(place, timur, key="k2") for _ in range(5)))
    assert len({one.id for one in at_once}) == 1
    assert await db.fetch_value("SELECT count(*) FROM journal_entry WHERE action = 'waiting_sale.kept'") == 2


async def test_what_no_till_can_mean_is_not_kept(place, timur):
    for wrong in ({"total": 0}, {"key": ""}):
        with pytest.raises(Invalid):
            await kept(place, timur, **wrong)
    with pytest.raises(NotFound):
        await kept(9999, timur)
    await a_customer(phone=PHONE)
    with pytest.raises(Refused, match="phone_is_registered"):
        await kept(place, timur)
    await db.execute("UPDATE location SET is_open = false")
    with pytest.raises(Refused, match="location_is_closed"):
        await kept(place, timur, phone=None)


async def test_nobody_keeps_a_sale_for_their_own_phone(place):
    timur = await a_cashier(phone=PHONE)
    with pytest.raises(Refused, match="own_account"):
        await kept(place, timur)


# ------------------------------------------------------------------------------------------- crediting


async def test_whoever_registers_with_the_phone_is_credited_as_if_by_the_cashier(place, timur):
    sale = await kept(place, timur)
    person = await registered()
    assert await credit_waiting_sales(person, now=LATER) == 1
    after = await waiting_sale(sale.id)
    assert (after.state, after.customer_id, after.earned) == (WaitingState.CREDITED, person, 92_00)
    assert after.receipt_id is not None
    sold = await receipt(after.receipt_id)
    assert (sold.source, sold.external_id, sold.location_id) == ("till", "k1", place)
    assert (sold.total, sold.staff_id, sold.at) == (1840_00, timur.staff_id, LATER)
    assert await credit_waiting_sales(person, now=LATER) == 0
    await assert_books_agree(now=LATER)


@pytest.mark.parametrize("wrong", ["total = 1841_00", "external_id = 'k9'", "location_id = $1"])
async def test_the_books_tell_a_credited_sale_from_a_receipt_of_something_else(place, timur, wrong):
    await kept(place, timur)
    await credit_waiting_sales(await registered(), now=LATER)
    elsewhere = await a_location(name="B")
    await db.execute(f"UPDATE waiting_sale SET {wrong} WHERE $1::int > 0", elsewhere)
    proof = await verify(now=LATER)
    assert [difference.check for difference in proof.differences] == ["receipt of waiting sale"]


async def test_the_link_credits_whoever_comes_by_it_and_the_phone_all_of_its_own(place, timur):
    by_link = await kept(place, timur, phone=None)
    for number in range(2):
        await kept(place, timur, key=f"p{number}")
    await kept(place, timur, key="other", phone="+79031234568")
    person = await registered()
    assert await credit_waiting_sales(person, tokens=[by_link.token], now=LATER) == 3
    assert await db.fetch_value("SELECT count(*) FROM waiting_sale WHERE state = 'waiting'") == 1
    await assert_books_agree(now=LATER)


async def test_two_people_who_come_by_one_link_at_once_get_it_once(place, timur):
    people = [(await a_customer()).id for _ in range(6)]
    for number in range(5):
        sale = await kept(place, timur, key=f"race{number}", phone=None)
        done = await asyncio.gather(*(credit_waiting_sales(one, tokens=[sale.token], now=LATER) for one in people))
        assert sum(done) == 1
    assert await db.fetch_value("SELECT count(*) FROM receipt") == 5
    await assert_books_agree(now=LATER)


async def test_a_double_tap_and_the_job_credit_once(place, timur):
    sale = await kept(place, timur)
    person = await registered()
    await asyncio.gather(
        *(credit_waiting_sales(person, tokens=[sale.token], now=LATER) for _ in range(4)),
        *(credit_waiting_due(now=LATER) for _ in range(2)),
    )
    assert await db.fetch_value("SELECT count(*) FROM receipt") == 1
    await assert_books_agree(now=LATER)


async def test_a_sale_is_credited_or_taken_back_and_never_both(place, timur):
    person = (await a_customer()).id
    for number in range(8):
        sale = await kept(place, timur, key=f"race{number}", phone=None)
        credited, withdrawn = await asyncio.gather(
            credit_waiting_sales(person, tokens=[sale.token], now=LATER),
            withdraw_waiting_sale(sale.id, actor=timur, now=LATER),
            return_exceptions=True,
        )
        assert (credited == 1) == isinstance(withdrawn, Refused)
    await assert_books_agree(now=LATER)


async def test_the_job_credits_whoever_was_added_by_any_door(place, timur):
    await kept(place, timur)
    await kept(place, timur, key="k2", phone="+79031234568")
    await registered()
    assert await credit_waiting_due(now=LATER) == 1
    assert await credit_waiting_due(now=LATER) == 0
    assert await db.fetch_value("SELECT count(*) FROM receipt") == 1


async def test_the_customer_is_told_what_the_sale_brought(place, timur):
    sale = await kept(place, timur, phone=None)
    person = (await a_customer()).id
    await an_account(person)
    await credit_waiting_sales(person, tokens=[sale.token], now=LATER)
    [message] = await lease_messages("telegram:4242", limit=10, now=LATER)
    assert message.kind == "receipt"
    assert "92" in message.content.text


# ------------------------------------------------------------------------------------------- not crediting


async def test_what_a_rule_refuses_is_refused_for_good_and_told(place, timur):
    sale = await kept(place, timur, phone=None)
    await db.execute("UPDATE staff_member SET phone = '+79165550000'")
    person = (await a_customer(phone="+79165550000")).id
    await an_account(person)
    assert await credit_waiting_sales(person, tokens=[sale.token], now=LATER) == 0
    after = await waiting_sale(sale.id)
    assert (after.state, after.reason) == (WaitingState.REFUSED, "own_account")
    [message] = await lease_messages("telegram:4242", limit=10, now=LATER)
    assert message.kind == "waiting_sale_refused"
    assert "Tverskaya, 12" in message.content.text
    assert await db.fetch_value("SELECT count(*) FROM receipt") == 0


@pytest.mark.parametrize(
    ("limit", "wait"),
    [({"receipts_day": 1}, timedelta(days=1)), ({"receipt_gap_minutes": 30}, timedelta(minutes=30))],
)
async def test_what_a_limit_of_the_day_refuses_waits_on_for_whoever_came(place, timur, limit, wait):
    await a_programme(**limit)
    first, second = await kept(place, timur), await kept(place, timur, key="k2", phone=None)
    person = await registered()
    await an_account(person)
    assert await credit_waiting_sales(person, tokens=[second.token], now=LATER) == 1
    assert (await waiting_sale(first.id)).state is WaitingState.CREDITED
    assert not await came_in_vain(person, [second.token])
    # Nobody else gets it, and nobody hears of it again and again.
    assert await credit_waiting_sales((await a_customer()).id, tokens=[second.token], now=LATER) == 0
    await credit_waiting_due(now=LATER + timedelta(minutes=1))
    assert await db.fetch_value("SELECT count(*) FROM journal_entry WHERE action = 'sale.refused'") == 0
    assert await db.fetch_value("SELECT count(*) FROM message WHERE kind <> 'receipt'") == 0
    after = await waiting_sale(second.id)
    assert after.state is WaitingState.WAITING
    await credit_waiting_due(now=LATER + wait)
    after = await waiting_sale(second.id)
    assert (after.state, after.customer_id) == (WaitingState.CREDITED, person)
    await assert_books_agree(now=LATER + wait)


async def test_the_earning_rules_go_by_the_hour_of_the_sale(place, timur):
    happy = RuleSettings(
        1, "weekday_hours", "Noon", Effect.MULTIPLY, 20_000,
        params={"weekdays": [NOW.isoweekday()], "from_time": 12 * 60, "until_time": 13 * 60},
    )  # fmt: skip
    await a_programme(rules=(happy,))
    sale = await kept(place, timur, total=1000_00)
    await credit_waiting_sales(await registered(), now=LATER)
    assert (await waiting_sale(sale.id)).earned == 100_00


async def test_a_cashier_cannot_register_for_a_sale_of_their_own(place):
    timur = await a_cashier(phone="+79165550000")
    sale = await kept(place, timur, phone=None)
    own = await registered("+79165550000")
    assert await credit_waiting_sales(own, tokens=[sale.token], now=LATER) == 0
    assert (await waiting_sale(sale.id)).reason == "own_account"


async def test_a_key_that_became_a_receipt_meanwhile_is_not_credited_again(place, timur):
    sale = await kept(place, timur)
    await a_sale((await a_customer()).id, place, 500_00, key="k1", now=NOW)
    assert await credit_waiting_sales(await registered(), now=LATER) == 0
    assert (await waiting_sale(sale.id)).reason == "key_was_used"


async def test_a_sale_taken_back_is_not_credited_and_taking_back_twice_is_once(place, timur):
    sale = await kept(place, timur)
    for _ in range(2):
        after = await withdraw_waiting_sale(sale.id, actor=timur, now=LATER)
        assert after.state is WaitingState.WITHDRAWN
    assert await credit_waiting_sales(await registered(), tokens=[sale.token], now=LATER) == 0
    with pytest.raises(NotFound):
        await withdraw_waiting_sale(9999, actor=timur, now=LATER)
    assert await db.fetch_value("SELECT count(*) FROM journal_entry WHERE action = 'waiting_sale.withdrawn'") == 1


async def test_after_its_days_a_sale_is_nobodys(place, timur):
    sale = await kept(place, timur)
    assert await lapse_waiting_due(now=sale.expires_at - timedelta(seconds=1)) == 0
    person = await registered()
    # Before the sweep and after it.
    assert await credit_waiting_sales(person, tokens=[sale.token], now=sale.expires_at) == 0
    assert await credit_waiting_due(now=sale.expires_at) == 0
    assert await lapse_waiting_due(now=sale.expires_at) == 1
    assert (await waiting_sale(sale.id)).state is WaitingState.LAPSED
    assert await credit_waiting_sales(person, tokens=[sale.token], now=NOW) == 0
    with pytest.raises(Refused, match="waiting_sale_is_over"):
        await withdraw_waiting_sale(sale.id, actor=timur, now=LATER)


async def test_the_shift_counts_a_kept_sale_on_its_own_day_and_nowhere_else(place, timur):
    await a_sale((await a_customer()).id, place, 500_00, actor=timur, now=NOW)
    await kept(place, timur)
    taken_back = await kept(place, timur, key="k2")
    await withdraw_waiting_sale(taken_back.id, actor=timur, now=NOW)
    await credit_waiting_sales(await registered(), now=LATER)
    today = await kept_in_shift(timur.staff_id, place, NOW - timedelta(hours=9), NOW + timedelta(hours=9))
    assert (today.sales, today.total, len(today.latest)) == (1, 1840_00, 2)
    sold = await shift(timur.staff_id, place, NOW.date())
    assert (sold.sales, sold.total, len(sold.latest)) == (1, 500_00, 1)
