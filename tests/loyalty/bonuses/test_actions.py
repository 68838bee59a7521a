import asyncio
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.once_only import grant_welcome
from loyalty.bonuses.queries import account, entries
from loyalty.customers.actions.addresses import keep_addresses
from loyalty.errors import Invalid, LoyaltyError, NotFound, Refused
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import NOW, a_cashier, a_customer, a_location, a_programme, a_sale, assert_books_agree

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)


async def test_a_manual_credit_and_debit_keep_their_reason():
    person = await a_customer()
    assert await adjust(person.id, 300_00, "a cold coffee", key="1", actor=COMMAND, now=NOW) == 300_00
    assert await adjust(person.id, -120_00, "  a mistake\x00 ", key="2", actor=COMMAND, now=NOW) == 180_00
    newest, more = await entries(person.id)
    assert [(entry.amount, entry.comment) for entry in newest] == [(-120_00, "a mistake"), (300_00, "a cold coffee")]
    assert more is None
    await assert_books_agree()


async def test_the_same_manual_credit_sent_twice_happens_once():
    person = await a_customer()
    for _ in range(2):
        assert await adjust(person.id, 300_00, "sorry", key="1", actor=COMMAND, now=NOW) == 300_00


@pytest.mark.parametrize(
    ("amount", "comment", "error", "reason"),
    [
        (0, "x", Invalid, "must_be_positive"),
        (150, "x", Invalid, "not_a_step"),
        (10**13 + 100, "x", Invalid, "too_large"),
        (100_00, " \u202e ", Invalid, "required"),
        (100_00, "x" * 501, Invalid, "too_long"),
        (-100_00, "x", Refused, "not_enough_bonuses"),
    ],
)
async def test_a_manual_movement_that_cannot_be_is_refused(amount, comment, error, reason):
    person = await a_customer()
    with pytest.raises(error) as refused:
        await adjust(person.id, amount, comment, key="1", actor=COMMAND, now=NOW)
    assert refused.value.reason == reason
    assert (await entries(person.id))[0] == []


async def test_nobody_credits_their_own_account():
    person = await a_customer(phone="+79160000001")
    with pytest.raises(Refused):
        await adjust(person.id, 100_00, "me", key="1", actor=await a_cashier(phone="+79160000001"), now=NOW)
    with pytest.raises(NotFound):
        await adjust(person.id + 1, 100_00, "nobody", key="2", actor=COMMAND, now=NOW)


async def test_the_welcome_bonus_is_given_once_a_phone_even_to_somebody_erased_who_comes_back():
    await a_programme()
    one = await a_customer(phone="+79161112233")
    assert await grant_welcome(one.id, actor=JOB, now=NOW) == 200_00
    assert await grant_welcome(one.id, actor=JOB, now=NOW) == 0
    await db.execute("UPDATE customer SET phone = NULL, name = '' WHERE id = $1", one.id)
    await keep_addresses([one.id], now=NOW)
    back, other = await a_customer(phone="+79161112233"), await a_customer()
    assert await grant_welcome(back.id, actor=JOB, now=NOW + 900 * DAY) == 0
    assert await grant_welcome(other.id, actor=JOB, now=NOW + 900 * DAY) == 200_00
    assert (await account(one.id, now=NOW)).next_expiry is not None
    await assert_books_agree()


async def test_expiry_writes_each_entry_once_however_often_and_wherever_it_runs():
    await a_programme(lifetime_months=1, manual_lifetime_months=1)
    people = [await a_customer(bonuses=100_00) for _ in range(5)]
    later = NOW + 40 * DAY
    assert (await account(people[0].id, now=later)).available == 0  # before any sweep
    swept = await asyncio.gather(*(expire_due(actor=JOB, now=later) for _ in range(3)))
    assert sum(swept) == 5
    assert await expire_due(actor=JOB, now=later) == 0
    assert (await account(people[0].id, now=later)).expired == 100_00
    await assert_books_agree(now=later)


async def test_a_lot_is_spendable_to_the_end_of_its_last_local_day():
    await a_programme(lifetime_months=1, manual_lifetime_months=1)
    person = await a_customer(bonuses=100_00)
    last_second = NOW.replace(month=4, day=10, hour=20, minute=59, second=59)  # 23:59:59 in Moscow
    assert (await account(person.id, now=last_second)).available == 100_00
    assert (await account(person.id, now=last_second + timedelta(seconds=1))).available == 0


@pytest.mark.parametrize("table", ["bonus_entry", "bonus_allocation", "journal_entry"])
@pytest.mark.parametrize("sql", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_the_base_itself_refuses_to_change_history(database, table, sql):
    await a_customer(bonuses=100_00)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await database.execute(sql.format(table))


steps = st.lists(
    st.tuples(
        st.sampled_from(["sale", "burn", "credit", "debit", "refund", "part", "wait", "sweep"]),
        st.integers(1, 3000),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_the_books_agree_after_any_story(steps):
    """Whatever happens to an account, in whatever order, refused or not: every cache says what the ledger says."""
    await a_programme(lifetime_months=1, activation_delay_days=2, burn_share_bp=9_000)
    person, location, now, sales = await a_customer(), await a_location(), NOW, []
    for number, (what, size) in enumerate(steps):
        key = f"{person.id}-{number}"
        try:
            if what in {"sale", "burn"}:
                burn = size * 100 if what == "burn" else 0
                sale = await a_sale(person.id, location, size * 200, burn=burn, key=key, now=now)
                sales.append(sale.receipt_id)
            elif what in {"credit", "debit"}:
                amount = size * (100 if what == "credit" else -100)
                await adjust(person.id, amount, "story", key=key, actor=COMMAND, now=now)
            elif what in {"refund", "part"} and sales:
                amount = None if what == "refund" else size * 10
                await refund_receipt(sales[size % len(sales)], amount, key=key, actor=COMMAND, now=now)
            elif what == "wait":
                now += timedelta(hours=size % 600)
            elif what == "sweep":
                await expire_due(actor=JOB, now=now)
        except LoyaltyError:
            continue
        view = await account(person.id, now=now)
        assert 0 <= view.available <= max(0, view.balance + view.debt)
    await expire_due(actor=JOB, now=now)
    await assert_books_agree(now=now)


async def test_what_one_colleague_gives_by_hand_is_limited_by_day():
    await a_programme(manual_credit_day=300_00)
    people, timur, owner = [await a_customer() for _ in range(3)], await a_cashier(), await a_cashier()
    await adjust(people[0].id, 200_00, "cold coffee", key="1", actor=timur, now=NOW)
    with pytest.raises(Refused) as refused:
        await adjust(people[1].id, 150_00, "cold coffee", key="2", actor=timur, now=NOW)
    assert (refused.value.reason, refused.value.details) == (
        "manual_credits_of_day",
        {"left": 100_00, "limit": 300_00},
    )
    await adjust(people[1].id, 150_00, "cold coffee", key="3", actor=owner, now=NOW)
    await adjust(people[2].id, 150_00, "cold coffee", key="4", actor=timur, now=NOW + timedelta(days=1))
    assert await adjust(people[0].id, 200_00, "cold coffee", key="1", actor=timur, now=NOW) == 200_00
