"""Invitations: who is rewarded for whom, when, and how it is taken back."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.once_only import grant_welcome
from loyalty.bonuses.actions.referrals import begin_referral, settle_referrals, undo_referrals
from loyalty.bonuses.queries import account, entries, invited, invited_by, invited_count
from loyalty.customers.actions.profile import referral_code_of
from loyalty.customers.rules import REFERRAL_SIGNS
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.shop.rules import DebtPolicy
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import NOW, a_customer, a_location, a_programme, a_sale, an_account, assert_books_agree

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)
BOTH = {"referral_bonus": 300_00, "referral_invitee_bonus": 100_00}


@pytest.fixture
async def referrer(database):
    await a_programme(**BOTH)
    return (await a_customer(name="Анна Кот")).id


async def come_by(referrer: int, *, phone: str | None = None) -> int:
    """A newcomer registers by the invitation."""
    newcomer = (await a_customer(phone=phone)).id
    await begin_referral(newcomer, await referral_code_of(referrer), is_new=True, now=NOW)
    return newcomer


async def state_of(invitee: int) -> tuple[str, str | None]:
    invitation = await invited_by(invitee)
    assert invitation is not None
    return invitation.state, invitation.reason


async def balances(*people: int) -> list[int]:
    """Gifts for invitations on each account, what was taken back taken off."""
    rows = await db.fetch(
        "SELECT customer_id, sum(amount)::bigint AS total FROM bonus_entry"
        " WHERE event IN ('referral', 'invited', 'referral_undone') GROUP BY 1"
    )
    totals = {row["customer_id"]: row["total"] for row in rows}
    return [totals.get(person, 0) for person in people]


async def settle(now: datetime = NOW) -> int:
    return await settle_referrals(actor=JOB, now=now)


async def test_a_code_is_made_once_and_has_no_signs_to_mix_up(referrer):
    codes = await asyncio.gather(*(referral_code_of(referrer) for _ in range(4)))
    assert len(set(codes)) == 1
    assert len(codes[0]) == 8
    assert set(codes[0]) <= set(REFERRAL_SIGNS)
    assert not set("01OIL") & set(REFERRAL_SIGNS)


async def test_both_are_paid_for_the_first_purchase_and_told(referrer):
    friend = await come_by(referrer)
    accounts = [await an_account(referrer), await an_account(friend)]
    assert await settle() == 0
    await a_sale(friend, await a_location(), 500_00)
    await settle()
    assert await settle() == 0
    assert await balances(referrer, friend) == [300_00, 100_00]
    assert await state_of(friend) == ("paid", None)
    assert [(one.customer_id, one.state) for one in await invited(referrer)] == [(friend, "paid")]
    assert await invited_count(referrer) == (1, 1)
    said = await db.fetch("SELECT account_id, content FROM message WHERE kind IN ('referral', 'invited') ORDER BY 1")
    texts = [db.from_json(row["content"])["text"].replace("\u00a0", " ").splitlines() for row in said]
    assert [row["account_id"] for row in said] == accounts
    assert texts[0] == [
        "По вашему приглашению пришёл друг: дарим 300 бонусов.",
        "Потратьте до 8 июн. 2026.",
        "Теперь на карте 300 бонусов.",
    ]
    assert texts[1][0] == "Вы пришли по приглашению друга: дарим 100 бонусов."
    await assert_books_agree()


async def test_gifts_wait_until_the_return_period_is_over(referrer):
    await a_programme(**BOTH, activation_delay_days=14)
    friend = await come_by(referrer)
    await a_sale(friend, await a_location(), 500_00)
    await settle()
    assert await state_of(friend) == ("due", None)
    over = datetime(2026, 3, 23, 21, 0, tzinfo=UTC)
    assert await settle(over - timedelta(seconds=1)) == 0
    assert await settle(over) == 1
    assert await balances(referrer, friend) == [300_00, 100_00]


async def test_a_purchase_refunded_in_time_pays_nothing_and_another_one_does(referrer):
    await a_programme(**BOTH, activation_delay_days=14)
    friend, location = await come_by(referrer), await a_location()
    first = await a_sale(friend, location, 500_00)
    await settle()
    await refund_receipt(first.receipt_id, None, key="r", actor=COMMAND, now=NOW + DAY)
    await settle(NOW + 20 * DAY)
    assert await state_of(friend) == ("waiting", None)
    await a_sale(friend, location, 500_00, now=NOW + 20 * DAY)
    await settle(NOW + 20 * DAY)
    await settle(NOW + 40 * DAY)
    assert await balances(referrer, friend) == [300_00, 100_00]


async def test_a_purchase_refunded_in_part_still_counts(referrer):
    friend = await come_by(referrer)
    sale = await a_sale(friend, await a_location(), 500_00)
    await refund_receipt(sale.receipt_id, 499_00, key="r", actor=COMMAND, now=NOW)
    await settle()
    assert await state_of(friend) == ("paid", None)
    assert await undo_referrals(actor=JOB, now=NOW) == 0


async def test_a_whole_refund_takes_the_gifts_back_for_good(referrer):
    friend, location = await come_by(referrer), await a_location()
    sale = await a_sale(friend, location, 500_00)
    await settle()
    await refund_receipt(sale.receipt_id, None, key="r", actor=COMMAND, now=NOW + DAY)
    assert await undo_referrals(actor=JOB, now=NOW + DAY) == 1
    assert await undo_referrals(actor=JOB, now=NOW + DAY) == 0
    assert await balances(referrer, friend) == [0, 0]
    assert await state_of(friend) == ("undone", None)
    await a_sale(friend, location, 500_00, now=NOW + 2 * DAY)
    await settle(NOW + 2 * DAY)
    assert await balances(referrer, friend) == [0, 0]
    newest = (await entries(referrer))[0][0]
    assert (newest.kind, newest.event, newest.amount) == ("reverse_earn", "referral_undone", -300_00)
    await assert_books_agree(now=NOW + 2 * DAY)


@pytest.mark.parametrize(("policy", "debt"), [(DebtPolicy.DEBT, 250_00), (DebtPolicy.CLAMP, 0)])
async def test_a_gift_that_was_spent_becomes_debt_unless_the_programme_forgives(referrer, policy, debt):
    await a_programme(**BOTH, debt_policy=policy)
    friend = await come_by(referrer)
    sale = await a_sale(friend, await a_location(), 500_00)
    await settle()
    await adjust(referrer, -250_00, "spent", key="s", actor=COMMAND, now=NOW)
    await refund_receipt(sale.receipt_id, None, key="r", actor=COMMAND, now=NOW + DAY)
    await undo_referrals(actor=JOB, now=NOW + DAY)
    standing = await account(referrer, now=NOW + DAY)
    assert (standing.balance, standing.debt) == (-debt, debt)
    await assert_books_agree(now=NOW + DAY)


async def test_a_gift_that_expired_is_not_taken_back_a_second_time(referrer):
    await a_programme(**BOTH, referral_lifetime_days=10)
    friend = await come_by(referrer)
    sale = await a_sale(friend, await a_location(), 500_00)
    await settle()
    await expire_due(actor=JOB, now=NOW + 20 * DAY)
    await refund_receipt(sale.receipt_id, None, key="r", actor=COMMAND, now=NOW + 20 * DAY)
    assert await undo_referrals(actor=JOB, now=NOW + 20 * DAY) == 1
    standing = await account(referrer, now=NOW + 20 * DAY)
    assert (standing.balance, standing.debt) == (0, 0)
    await assert_books_agree(now=NOW + 20 * DAY)


async def test_ones_own_invitation_and_a_code_of_nobody_leave_nothing(referrer):
    assert not await begin_referral(referrer, await referral_code_of(referrer), is_new=True, now=NOW)
    assert not await begin_referral(referrer, "22222222", is_new=True, now=NOW)
    assert await invited_by(referrer) is None


async def test_a_circle_of_any_length_is_refused(referrer):
    second = await come_by(referrer)
    third = await come_by(second)
    fourth = await come_by(third)
    await begin_referral(referrer, await referral_code_of(fourth), is_new=True, now=NOW)
    assert await state_of(referrer) == ("refused", "circle")


async def test_whoever_the_shop_knows_already_is_refused(referrer):
    known, buyer = (await a_customer()).id, (await a_customer()).id
    code = await referral_code_of(referrer)
    await a_sale(buyer, await a_location(), 500_00)
    for person in (known, buyer):
        await begin_referral(person, code, is_new=False, now=NOW)
    assert await state_of(known) == ("refused", "known_already")
    assert await state_of(buyer) == ("refused", "has_receipts")
    await settle()
    assert await balances(referrer, buyer) == [0, 0]
    assert await invited_count(referrer) == (0, 0)


async def test_whoever_was_here_before_is_refused_even_after_an_erasure(referrer):
    gone = await a_customer(phone="+79161112233")
    await grant_welcome(gone.id, actor=JOB, now=NOW)
    await db.execute("UPDATE customer SET phone = NULL, name = '' WHERE id = $1", gone.id)
    back = await come_by(referrer, phone="+79161112233")
    assert await state_of(back) == ("refused", "was_here_before")


async def test_a_person_comes_by_one_invitation(referrer):
    other = (await a_customer()).id
    friend = await come_by(referrer)
    assert not await begin_referral(friend, await referral_code_of(other), is_new=True, now=NOW)
    invitation = await invited_by(friend)
    assert invitation is not None
    assert invitation.customer_id == referrer


async def test_no_more_than_the_months_cap_is_paid_and_the_next_month_begins_anew(referrer):
    await a_programme(**BOTH, referral_cap_month=2)
    location = await a_location()
    friends = [await come_by(referrer) for _ in range(4)]
    end_of_march = datetime(2026, 3, 31, 20, 59, tzinfo=UTC)
    for friend in friends[:3]:
        await a_sale(friend, location, 500_00, now=end_of_march - timedelta(hours=1))
    await settle(end_of_march)
    assert [await state_of(friend) for friend in friends[:3]] == [
        ("paid", None),
        ("paid", None),
        ("refused", "cap_of_month"),
    ]
    april = end_of_march + timedelta(minutes=1)
    await a_sale(friends[3], location, 500_00, now=april)
    await settle(april)
    assert await state_of(friends[3]) == ("paid", None)
    assert await balances(referrer) == [900_00]


async def test_without_gifts_nobody_is_asked_to_invite(referrer):
    await a_programme()
    friend = await come_by(referrer)
    assert await invited_by(friend) is None


async def test_a_programme_that_rewards_only_one_of_them_pays_only_one(referrer):
    await a_programme(referral_invitee_bonus=100_00)
    friend = await come_by(referrer)
    await a_sale(friend, await a_location(), 500_00)
    await settle()
    assert await balances(referrer, friend) == [0, 100_00]
    await assert_books_agree()


async def test_engines_at_once_pay_and_take_back_each_invitation_once(referrer):
    location, friends = await a_location(), [await come_by(referrer) for _ in range(6)]
    sales = [await a_sale(friend, location, 500_00) for friend in friends]
    await asyncio.gather(*(settle() for _ in range(4)))
    assert await balances(referrer, *friends) == [1_800_00, *[100_00] * 6]
    for number, sale in enumerate(sales):
        await refund_receipt(sale.receipt_id, None, key=f"r{number}", actor=COMMAND, now=NOW)
    undone = await asyncio.gather(*(undo_referrals(actor=JOB, now=NOW) for _ in range(4)))
    assert sum(undone) == 6
    assert await balances(referrer, *friends) == [0] * 7
    await assert_books_agree()
