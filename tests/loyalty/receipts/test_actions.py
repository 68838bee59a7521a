import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.queries import account, entries, tier_history
from loyalty.bonuses.rules import Kind
from loyalty.customers.queries import customer, visited_locations
from loyalty.errors import Conflict, NotFound, Refused
from loyalty.receipts.actions.refunds import refund_receipt, undo_receipt
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.queries import lines_of, receipts_of
from loyalty.receipts.rules.refunds import LineRefund
from loyalty.receipts.rules.sales import FiscalKey, Line, ReceiptDraft, ReceiptSource
from loyalty.shop.rules import Effect, RuleSettings, Tier
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import (
    NOW,
    a_cashier,
    a_customer,
    a_location,
    a_programme,
    a_quote,
    a_sale,
    an_account,
    assert_books_agree,
)

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)


async def test_a_sale_burns_earns_and_counts():
    await a_programme()
    person, location = await a_customer(bonuses=755_00), await a_location()
    sale = await a_sale(person.id, location, 1840_00, burn=552_00)
    assert (sale.paid, sale.burnt, sale.earned, sale.balance) == (1288_00, 552_00, 64_00, 267_00)
    facts = await customer(person.id)
    assert (facts.sold, facts.paid, facts.receipts, facts.visits) == (1840_00, 1288_00, 1, 1)
    assert (facts.balance, facts.burnt, facts.earned, facts.last_visit_at) == (267_00, 552_00, 819_00, NOW)
    newest, _ = await entries(person.id)
    assert [(entry.kind, entry.amount, entry.balance_after) for entry in newest[:2]] == [
        (Kind.EARN, 64_00, 267_00),
        (Kind.BURN, -552_00, 203_00),
    ]
    assert await visited_locations(person.id) == [(location, 1)]
    await assert_books_agree()


async def test_a_quote_moves_nothing_and_says_what_the_sale_then_does():
    await a_programme()
    person, location = await a_customer(bonuses=755_00), await a_location()
    quote = await a_quote(person.id, location, total=1840_00, burn=552_00)
    assert (await customer(person.id)).balance == 755_00
    sale = await a_sale(person.id, location, 1840_00, burn=552_00)
    assert (quote.pay, quote.earn, quote.balance_after) == (sale.paid, sale.earned, sale.balance)
    assert quote.burn_limit == 552_00


async def test_the_same_key_and_body_gives_the_first_answer_and_moves_nothing():
    await a_programme()
    person, location = await a_customer(), await a_location()
    first = await a_sale(person.id, location, 500_00, key="till-1")
    await a_sale(person.id, location, 900_00)
    again = await a_sale(person.id, location, 500_00, key="till-1", now=NOW + DAY)
    assert again.repeated
    assert again.to_answer() == first.to_answer()
    assert (await customer(person.id)).receipts == 2


async def test_the_same_key_with_another_body_is_a_conflict():
    person, other, location = await a_customer(), await a_customer(), await a_location()
    await a_sale(person.id, location, 500_00, key="till-1")
    for customer_id, total in ((person.id, 501_00), (other.id, 500_00)):
        with pytest.raises(Conflict):
            await a_sale(customer_id, location, total, key="till-1")
    assert (await customer(other.id)).sold == 0


async def test_the_same_key_at_another_location_is_another_sale():
    person = await a_customer()
    for name in ("A", "B"):
        await a_sale(person.id, await a_location(name=name), 500_00, key="till-1")
    assert (await customer(person.id)).receipts == 2


async def test_a_burn_is_limited_again_when_it_is_recorded():
    await a_programme()
    person, location = await a_customer(bonuses=755_00), await a_location()
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, location, 1840_00, burn=553_00)
    assert (refused.value.reason, refused.value.details) == ("burn_over_limit", {"limit": 552_00})
    assert (await customer(person.id)).sold == 0


async def test_a_burn_needs_proof_of_presence_unless_the_location_relaxes_it():
    person, strict = await a_customer(bonuses=755_00), await a_location(burns=False)
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, strict, 1840_00, burn=100_00)
    assert refused.value.reason == "burn_needs_presence"
    assert (await a_quote(person.id, strict, total=1840_00, burn=0)).burn_limit == 0


async def test_nobody_serves_their_own_account():
    person, location = await a_customer(phone="+79160000001"), await a_location()
    cashier = await a_cashier(phone="+79160000001")
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, location, 500_00, actor=cashier)
    assert refused.value.reason == "own_account"


async def test_a_closed_location_and_an_unknown_customer_are_refused():
    person, location = await a_customer(), await a_location()
    with pytest.raises(NotFound):
        await a_sale(person.id + 1, location, 500_00)
    with pytest.raises(NotFound):
        await a_sale(person.id, location + 1, 500_00)
    await db.execute("UPDATE location SET is_open = false")
    with pytest.raises(Refused):
        await a_sale(person.id, location, 500_00)


async def test_the_tier_rises_at_the_threshold_and_counts_from_the_next_sale():
    await a_programme()
    person, location = await a_customer(), await a_location()
    assert (await a_sale(person.id, location, 9_999_99)).earned == 499_00
    assert (await customer(person.id)).tier_id == 0
    assert (await a_sale(person.id, location, 1)).earned == 0
    assert (await customer(person.id)).tier_id == 1
    assert (await a_sale(person.id, location, 1000_00)).earned == 70_00
    assert [(step.tier_id, step.reason) for step in await tier_history(person.id)] == [(1, "threshold")]


async def test_what_was_paid_before_the_window_does_not_raise_the_tier():
    await a_programme()
    person, location = await a_customer(), await a_location()
    await a_sale(person.id, location, 9_000_00)
    await a_sale(person.id, location, 5_000_00, now=NOW + 366 * DAY)
    assert (await customer(person.id)).tier_id == 0


async def test_visits_are_counted_once_a_local_day_and_location():
    person, here, there = await a_customer(), await a_location(), await a_location(name="B")
    late = NOW.replace(hour=20, minute=59)  # 23:59 in Moscow
    for location, at in ((here, late), (here, late + timedelta(minutes=2)), (there, late), (here, late)):
        await a_sale(person.id, location, 100_00, now=at)
    assert (await customer(person.id)).visits == 3
    assert await visited_locations(person.id) == [(here, 2), (there, 1)]
    await assert_books_agree()


async def test_earned_bonuses_wait_for_the_return_period():
    await a_programme(activation_delay_days=14)
    person, location = await a_customer(), await a_location()
    sale = await a_sale(person.id, location, 1000_00)
    assert sale.spendable_from == "2026-03-23T21:00:00+00:00"
    before, after = await account(person.id, now=NOW), await account(person.id, now=NOW + 14 * DAY)
    assert (before.balance, before.available, before.pending) == (50_00, 0, 50_00)
    assert (after.available, after.pending) == (50_00, 0)


async def test_a_whole_refund_gives_back_bonuses_with_their_old_expiry():
    await a_programme()
    person, location = await a_customer(bonuses=755_00), await a_location()
    before = await account(person.id, now=NOW)
    sale = await a_sale(person.id, location, 1840_00, burn=552_00)
    refund = await refund_receipt(sale.receipt_id, None, key="r1", actor=COMMAND, now=NOW + DAY)
    assert (refund.paid, refund.burnt, refund.earned, refund.balance) == (1288_00, 552_00, 64_00, 755_00)
    after = await account(person.id, now=NOW + DAY)
    assert [view.lot for view in after.lots] == [view.lot for view in before.lots]
    facts = await customer(person.id)
    assert (facts.sold, facts.paid, facts.receipts, facts.visits, facts.last_visit_at.year) == (0, 0, 0, 0, 1970)
    await assert_books_agree()


async def test_two_refunds_of_a_fifth_undo_two_fifths():
    await a_programme()
    person, location = await a_customer(bonuses=300_00), await a_location()
    sale = await a_sale(person.id, location, 1000_00, burn=300_00)
    for key in ("a", "b"):
        part = await refund_receipt(sale.receipt_id, 200_00, key=key, actor=COMMAND, now=NOW)
        assert (part.burnt, part.earned, part.paid) == (60_00, 7_00, 140_00)
    facts = await customer(person.id)
    assert (facts.sold, facts.receipts, facts.visits, facts.balance) == (600_00, 1, 1, 120_00 + 21_00)
    with pytest.raises(Refused):
        await refund_receipt(sale.receipt_id, 600_01, key="c", actor=COMMAND, now=NOW)
    await refund_receipt(sale.receipt_id, None, key="c", actor=COMMAND, now=NOW)
    assert (await customer(person.id)).balance == 300_00
    with pytest.raises(Refused) as refused:
        await refund_receipt(sale.receipt_id, None, key="d", actor=COMMAND, now=NOW)
    assert refused.value.reason == "already_refunded"
    await assert_books_agree()


async def test_a_refund_sent_twice_happens_once():
    person, location = await a_customer(), await a_location()
    sale = await a_sale(person.id, location, 1000_00)
    first = await refund_receipt(sale.receipt_id, 500_00, key="r", actor=COMMAND, now=NOW)
    again = await refund_receipt(sale.receipt_id, 500_00, key="r", actor=COMMAND, now=NOW)
    assert again.repeated
    assert again.to_answer() == first.to_answer()
    with pytest.raises(Conflict):
        await refund_receipt(sale.receipt_id, 400_00, key="r", actor=COMMAND, now=NOW)
    assert (await customer(person.id)).sold == 500_00


async def test_spent_earnings_become_debt_which_later_earnings_repay():
    await a_programme(burn_share_bp=10_000)
    person, location = await a_customer(), await a_location()
    big = await a_sale(person.id, location, 2000_00)
    await a_sale(person.id, location, 101_00, burn=100_00)
    await refund_receipt(big.receipt_id, None, key="r", actor=COMMAND, now=NOW)
    facts = await customer(person.id)
    assert (facts.balance, facts.debt) == (-100_00, 100_00)
    assert (await a_quote(person.id, location, total=500_00, burn=0)).burn_limit == 0
    await a_sale(person.id, location, 3000_00)
    facts = await customer(person.id)
    assert (facts.balance, facts.debt) == (50_00, 0)
    assert (await account(person.id, now=NOW)).available == 50_00
    await assert_books_agree()


async def test_bonuses_of_an_expired_lot_return_with_days_of_grace():
    await a_programme(lifetime_months=1, manual_lifetime_months=1)
    person, location = await a_customer(bonuses=300_00), await a_location()
    sale = await a_sale(person.id, location, 1000_00, burn=300_00)
    later = NOW + 60 * DAY
    await expire_due(actor=JOB, now=later)
    refund = await refund_receipt(sale.receipt_id, None, key="r", actor=COMMAND, now=later)
    assert (refund.burnt, refund.earned, refund.balance) == (300_00, 0, 300_00)  # 35 had expired unspent
    back = await account(person.id, now=later)
    assert (back.available, back.lots[0].source) == (300_00, "grace")
    assert (back.lots[0].lot.expires_at - later).days == 14  # type: ignore[operator]
    await assert_books_agree(now=later)


async def test_a_refunded_sale_gives_back_the_tier_it_brought():
    await a_programme()
    person, location = await a_customer(), await a_location()
    await a_sale(person.id, location, 9_000_00)
    big = await a_sale(person.id, location, 60_000_00, now=NOW + DAY)
    assert (await customer(person.id)).tier_id == 2
    await refund_receipt(big.receipt_id, None, key="r", actor=COMMAND, now=NOW + DAY)
    assert (await customer(person.id)).tier_id == 0
    assert [step.reason for step in await tier_history(person.id)] == ["refund", "threshold"]
    await assert_books_agree(now=NOW + DAY)


async def test_a_visit_stays_while_another_sale_of_the_day_does():
    person, location = await a_customer(), await a_location()
    first, second = [await a_sale(person.id, location, 100_00) for _ in range(2)]
    await refund_receipt(first.receipt_id, None, key="a", actor=COMMAND, now=NOW)
    assert (await customer(person.id)).visits == 1
    await refund_receipt(second.receipt_id, None, key="b", actor=COMMAND, now=NOW)
    assert (await customer(person.id)).visits == 0
    await assert_books_agree()


async def test_a_cashier_takes_back_only_their_own_sale_and_only_for_five_minutes():
    person, location, cashier = await a_customer(), await a_location(), await a_cashier()
    sale = await a_sale(person.id, location, 500_00, actor=cashier)
    late = NOW + timedelta(minutes=5, seconds=1)
    for actor, at, reason in ((await a_cashier(), NOW, "not_your_receipt"), (cashier, late, "undo_is_over")):
        with pytest.raises(Refused) as refused:
            await undo_receipt(sale.receipt_id, key="u", actor=actor, now=at)
        assert refused.value.reason == reason
    await undo_receipt(sale.receipt_id, key="u", actor=cashier, now=NOW + timedelta(minutes=5))
    assert [(row.kind, row.total) for row in (await receipts_of(person.id))[0]] == [
        ("refund", 500_00),
        ("sale", 500_00),
    ]


@pytest.mark.prove
async def test_the_same_receipt_two_hundred_times_at_once_is_one_entry_and_equal_answers():
    person, location = await a_customer(), await a_location()
    draft = ReceiptDraft(ReceiptSource.TILL, location, "till-1", person.id, 500_00)
    answers = await asyncio.gather(*(record_receipt(draft, actor=COMMAND, now=NOW) for _ in range(200)))
    assert len({str(answer.to_answer()) for answer in answers}) == 1
    assert sum(not answer.repeated for answer in answers) == 1
    assert len((await entries(person.id))[0]) == 1
    await assert_books_agree()


@pytest.mark.prove
async def test_two_tills_on_one_card_never_spend_the_same_bonus():
    await a_programme(burn_share_bp=10_000)
    person, location = await a_customer(bonuses=100_00), await a_location()
    sales = await asyncio.gather(
        *(a_sale(person.id, location, 500_00, burn=100_00) for _ in range(10)), return_exceptions=True
    )
    refused = [sale for sale in sales if isinstance(sale, Refused)]
    assert len(refused) == 9
    assert (await customer(person.id)).burnt == 100_00
    await assert_books_agree()


COFFEE, CAKE, CARD = Line(600_00, "Flat white", "A-1", "Coffee"), Line(300_00, "Napoleon", "B-7", "cakes"), 100_00
RECEIPT = (COFFEE, CAKE, Line(CARD, "Gift card", "G", "gift cards"))


async def test_lines_share_what_was_burnt_and_earned_and_excluded_ones_have_no_part():
    await a_programme(excluded_categories=("gift cards",))
    person, location = await a_customer(bonuses=755_00), await a_location()
    quote = await a_quote(person.id, location, total=1000_00, burn=270_00, lines=RECEIPT)
    assert quote.burn_limit == 270_00  # 30 % of 900
    sale = await a_sale(person.id, location, 1000_00, burn=270_00, lines=RECEIPT)
    assert (sale.paid, sale.earned) == (730_00, 31_00)  # 5 % of 630, rounded down
    lines = await lines_of(sale.receipt_id)
    assert [(line.category, line.total, line.burnt, line.earned) for line in lines] == [
        ("coffee", 600_00, 180_00, 20_67),
        ("cakes", 300_00, 90_00, 10_33),
        ("gift cards", 100_00, 0, 0),
    ]
    await assert_books_agree()


async def test_a_refund_by_line_gives_back_the_lines_share_and_the_rest_later():
    await a_programme(excluded_categories=("gift cards",))
    person, location = await a_customer(bonuses=755_00), await a_location()
    sale = await a_sale(person.id, location, 1000_00, burn=270_00, lines=RECEIPT)
    cake = await refund_receipt(sale.receipt_id, None, lines=[LineRefund(2)], key="r-1", actor=COMMAND, now=NOW + DAY)
    assert (cake.total, cake.paid, cake.burnt, cake.earned) == (300_00, 210_00, 90_00, 10_33)
    assert [(line.position, line.total) for line in await lines_of(cake.receipt_id)] == [(2, 300_00)]
    assert [line.refunded for line in await lines_of(sale.receipt_id)] == [0, 300_00, 0]
    with pytest.raises(Refused):
        await refund_receipt(sale.receipt_id, None, lines=[LineRefund(2)], key="r-2", actor=COMMAND, now=NOW + DAY)
    again = await refund_receipt(sale.receipt_id, None, lines=[LineRefund(2)], key="r-1", actor=COMMAND, now=NOW)
    assert again.repeated
    rest = await refund_receipt(sale.receipt_id, None, key="r-3", actor=COMMAND, now=NOW + DAY)
    assert (rest.total, rest.paid, rest.burnt, rest.earned) == (700_00, 520_00, 180_00, 20_67)
    assert (await account(person.id, now=NOW + DAY)).available == 755_00
    await assert_books_agree(now=NOW + DAY)


async def test_the_personal_discount_comes_off_before_anything_is_counted():
    await a_programme(excluded_categories=("gift cards",))
    person, location = await a_customer(bonuses=755_00), await a_location()
    await db.execute("UPDATE customer_facts SET discount_bp = 1000")
    quote = await a_quote(person.id, location, total=1000_00, lines=RECEIPT)
    assert (quote.total, quote.discount, quote.pay, quote.earn) == (910_00, 90_00, 910_00, 40_00)
    sale = await a_sale(person.id, location, 1000_00, lines=RECEIPT)
    assert (sale.total, sale.discount, sale.earned) == (910_00, 90_00, 40_00)
    assert (await customer(person.id)).sold == 910_00
    ours = await a_sale(person.id, location, 1000_00, lines=RECEIPT, discounts_applied=True)
    assert (ours.total, ours.discount) == (1000_00, 0)
    await assert_books_agree()


async def test_a_discount_that_leaves_nothing_to_pay_is_refused():
    person, location = await a_customer(), await a_location()
    await db.execute("UPDATE customer_facts SET discount_bp = 10000")
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, location, 500_00)
    assert refused.value.reason == "nothing_to_pay"


@pytest.mark.parametrize(
    ("policy", "earned", "forgiven", "kept_back", "debt"),
    [("debt", 50_00, 0, 0, 35_00), ("clamp", 15_00, 35_00, 0, 0), ("cash", 15_00, 35_00, 35_00, 0)],
)
async def test_earned_bonuses_that_were_spent_become_debt_or_are_forgiven_or_kept_back(
    policy, earned, forgiven, kept_back, debt
):
    await a_programme(debt_policy=policy)
    person, location = await a_customer(), await a_location()
    sale = await a_sale(person.id, location, 1000_00)
    await a_sale(person.id, location, 150_00, burn=40_00)  # earns 5, so that 15 are left
    refund = await refund_receipt(sale.receipt_id, None, key="r", actor=COMMAND, now=NOW)
    assert (refund.earned, refund.forgiven, refund.kept_back) == (earned, forgiven, kept_back)
    standing = await account(person.id, now=NOW)
    assert (standing.balance, standing.debt) == (-debt, debt)
    await assert_books_agree()


async def test_what_was_forgiven_is_not_asked_for_by_the_next_refund():
    await a_programme(debt_policy="clamp")
    person, location = await a_customer(), await a_location()
    sale = await a_sale(person.id, location, 1000_00)
    await a_sale(person.id, location, 200_00, burn=50_00)  # earns 7
    half = await refund_receipt(sale.receipt_id, 500_00, key="r-1", actor=COMMAND, now=NOW)
    assert (half.earned, half.forgiven) == (7_00, 18_00)
    await a_sale(person.id, location, 1000_00)
    rest = await refund_receipt(sale.receipt_id, None, key="r-2", actor=COMMAND, now=NOW)
    assert (rest.earned, rest.forgiven) == (25_00, 0)
    await assert_books_agree()


async def test_a_receipt_keeps_which_rule_gave_what_and_under_which_programme():
    happy = RuleSettings(4, "location", "Opening", Effect.ADD, 1000, params={"locations": [1]})
    location = await a_location()
    await a_programme(rules=(replace(happy, params={"locations": [location]}),))
    person = await a_customer()
    sale = await a_sale(person.id, location, 1000_00)
    kept = await db.fetch_row("SELECT awards, programme_id, tier_id FROM receipt WHERE id = $1", sale.receipt_id)
    assert kept is not None
    awards = db.from_json(kept["awards"])
    assert [(award["rule"], award["base"], award["rate_bp"], award["bonuses"]) for award in awards] == [
        ("tier_percent", 1000_00, 500, 50_00),
        ("location", 1000_00, 1000, 100_00),
    ]
    assert (awards[1]["rule_id"], awards[1]["name"]) == (4, "Opening")
    assert kept["programme_id"] == await db.fetch_value("SELECT id FROM programme")


CODE = {"code": "SPRING", "from_day": None, "until_day": None, "customer_limit": 1, "total_limit": 2}
PROMO = RuleSettings(1, "promo_code", "Spring", Effect.FIXED, 100_00, params=CODE)


async def test_a_promo_code_is_used_once_a_customer_and_comes_back_with_a_whole_refund():
    await a_programme(rules=(PROMO,))
    person, location = await a_customer(), await a_location()
    sale = await a_sale(person.id, location, 1000_00, promo_code="spring")
    assert sale.earned == 150_00
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, location, 1000_00, promo_code="SPRING")
    assert refused.value.reason == "promo_code_was_used"
    await refund_receipt(sale.receipt_id, None, key="r", actor=COMMAND, now=NOW)
    assert (await a_sale(person.id, location, 1000_00, promo_code="SPRING")).earned == 150_00


@pytest.mark.prove
async def test_the_last_use_of_a_promo_code_goes_to_one_of_those_who_ask_at_once():
    await a_programme(rules=(PROMO,))
    location = await a_location()
    people = [await a_customer() for _ in range(12)]

    async def buy(customer_id: int) -> int:
        try:
            await a_sale(customer_id, location, 1000_00, promo_code="SPRING")
        except Refused:
            return 0
        return 1

    assert sum(await asyncio.gather(*(buy(person.id) for person in people))) == 2


async def test_a_first_purchase_taken_back_wholly_makes_the_next_one_first():
    first = RuleSettings(1, "first_purchase", "Hello", Effect.FIXED, 100_00)
    await a_programme(rules=(first,))
    person, location = await a_customer(), await a_location()
    sale = await a_sale(person.id, location, 1000_00)
    assert (sale.earned, (await a_sale(person.id, location, 1000_00)).earned) == (150_00, 50_00)
    other = await a_customer()
    undone = await a_sale(other.id, location, 1000_00)
    await refund_receipt(undone.receipt_id, None, key="r", actor=COMMAND, now=NOW)
    assert (await a_sale(other.id, location, 1000_00)).earned == 150_00


async def test_a_days_cap_counts_what_was_earned_that_local_day():
    await a_programme(earn_cap_day=60_00, earn_cap_month=100_00)
    person, location = await a_customer(), await a_location()
    earned = [
        (await a_sale(person.id, location, 1000_00, now=at)).earned for at in (NOW, NOW, NOW + DAY, NOW + 2 * DAY)
    ]
    assert earned == [50_00, 10_00, 40_00, 0]
    assert (await a_sale(person.id, location, 1000_00, now=NOW + 25 * DAY)).earned == 50_00  # April


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"receipts_day": 1}, "receipts_of_day"),
        ({"receipt_gap_minutes": 10}, "receipt_too_soon"),
    ],
)
async def test_too_many_receipts_of_one_customer_are_refused(limits, reason):
    await a_programme(**limits)
    person, location = await a_customer(), await a_location()
    await a_sale(person.id, location, 100_00)
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, location, 100_00, now=NOW + timedelta(minutes=5))
    assert refused.value.reason == reason
    assert (await a_sale(person.id, location, 100_00, now=NOW + DAY)).paid == 100_00


async def test_burns_of_a_day_are_limited_and_earning_is_not():
    await a_programme(burns_day=1)
    person, location = await a_customer(bonuses=500_00), await a_location()
    await a_sale(person.id, location, 100_00, burn=10_00)
    with pytest.raises(Refused) as refused:
        await a_sale(person.id, location, 100_00, burn=10_00)
    assert refused.value.reason == "burns_of_day"
    assert (await a_sale(person.id, location, 100_00)).earned == 5_00


async def test_a_fiscal_receipt_is_credited_once_in_the_whole_system():
    person, other, location = await a_customer(), await a_customer(), await a_location()
    key = FiscalKey("9960440300049147", 12345, 3522207165)
    first = await a_sale(person.id, location, 500_00, key="till-1", fiscal=key)
    assert (await a_sale(person.id, location, 500_00, key="till-1", fiscal=key)).receipt_id == first.receipt_id
    for customer_id, place in ((other.id, location), (person.id, await a_location(name="B"))):
        with pytest.raises(Refused) as refused:
            await a_sale(customer_id, place, 500_00, fiscal=key)
        assert refused.value.reason == "fiscal_receipt_was_credited"
    assert (await customer(other.id)).sold == 0


async def test_visits_can_raise_the_tier():
    tiers = (Tier(0, "Base", 0, 500), Tier(1, "Friend", 3, 1000))
    await a_programme(tiers=tiers, tier_basis="visits")
    person, location = await a_customer(), await a_location()
    for at in (NOW, NOW, NOW + DAY, NOW + 2 * DAY):
        assert (await customer(person.id)).tier_id == 0
        await a_sale(person.id, location, 100_00, now=at)
    assert (await customer(person.id)).tier_id == 1


async def test_a_tier_set_by_hand_is_not_moved_by_a_receipt_until_its_end():
    await a_programme()
    person, location = await a_customer(), await a_location()
    await db.execute("UPDATE customer_facts SET tier_until = $1", NOW + DAY)
    await a_sale(person.id, location, 60_000_00)
    assert (await customer(person.id)).tier_id == 0
    await a_sale(person.id, location, 1_00, now=NOW + 2 * DAY)
    assert (await customer(person.id)).tier_id == 2


async def test_a_refund_of_what_was_bought_before_the_window_does_not_keep_the_next_sale_from_counting():
    place, customer = await a_location(), await a_customer()
    await a_programme(tier_window_days=30)
    sale = await a_sale(customer.id, place, 2000_00)
    later = NOW + timedelta(days=40)
    await refund_receipt(sale.receipt_id, 1000_00, key="back", actor=COMMAND, now=later)
    assert (await a_sale(customer.id, place, 100_00, now=later)).earned == 5_00


async def test_a_sale_is_two_statements_and_no_transaction_of_many(monkeypatch):
    await a_programme()
    person, location = await a_customer(bonuses=755_00), await a_location()
    await an_account(person.id)
    await a_sale(person.id, location, 1000_00, lines=RECEIPT)  # whatever is read once has been read
    sent: list[str] = []
    execute = vars(asyncpg.Connection)["_execute"]

    async def listening(connection, query, *more, **options):
        sent.append(query.split()[0])
        return await execute(connection, query, *more, **options)

    monkeypatch.setattr(asyncpg.Connection, "_execute", listening)
    monkeypatch.setattr(asyncpg.Connection, "execute", listening)  # BEGIN and COMMIT go this way
    await a_sale(person.id, location, 1000_00, burn=270_00, lines=RECEIPT)
    assert sent == ["SELECT", "WITH"]
