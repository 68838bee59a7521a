"""Two cards of one person become one, and two again."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.once_only import grant_birthdays, grant_welcome
from loyalty.bonuses.actions.referrals import begin_referral, settle_referrals, undo_referrals
from loyalty.bonuses.actions.requests import approve_credit, ask_credit
from loyalty.bonuses.actions.tiers import review_tiers, set_tier
from loyalty.bonuses.queries import account, entries, open_lots
from loyalty.customers.actions.accounts import set_topics
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.actions.discounts import set_discount
from loyalty.customers.actions.notes import add_note
from loyalty.customers.actions.phones import change_phone
from loyalty.customers.actions.profile import referral_code_of, set_consent, update_profile
from loyalty.customers.queries import accounts_of, consents, customer, find_by_card_number, find_by_phone, notes
from loyalty.customers.rules import Profile, Topic
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.ids import new_key
from loyalty.office.actions.merging import UNDONE_WITHIN, merge_cards, undo_merge
from loyalty.office.queries.explain import explain
from loyalty.office.queries.merges import preview_of
from loyalty.receipts.actions.holds import place_hold
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.queries import movements, receipts_of
from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
from loyalty.segments.actions.segments import add_member, add_segment
from loyalty.segments.queries.segments import chips
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.rules import COMMAND, JOB
from loyalty.tasks.queries import task
from tests.builders import (
    NOW,
    a_cashier,
    a_customer,
    a_location,
    a_message,
    a_programme,
    a_sale,
    a_task,
    an_account,
    assert_books_agree,
)

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)


@pytest.fixture
async def place(database) -> int:
    await a_programme()
    return await a_location()


async def merged(from_id: int, to_id: int, now=NOW + DAY) -> int:
    return await merge_cards(from_id, to_id, actor=COMMAND, now=now)


async def undone(merge_id: int, now=NOW + 2 * DAY) -> int:
    return await undo_merge(merge_id, actor=COMMAND, now=now)


async def test_purchases_bonuses_and_their_dates_stand_on_one_card(place):
    one, two = await a_customer(bonuses=100_00), await a_customer(bonuses=50_00)
    await a_sale(one.id, place, 1000_00, burn=20_00)
    await a_sale(two.id, place, 500_00, now=NOW + timedelta(hours=1))
    before = {(lot.remaining, lot.activates_at, lot.expires_at) for lot in await open_lots(one.id, now=NOW)}
    await merged(one.id, two.id)
    person, nobody = await customer(two.id), await customer(one.id)
    assert (person.sold, person.paid, person.receipts, person.visits) == (1500_00, 1480_00, 2, 1)
    assert (person.balance, person.earned, person.burnt) == (204_00, 224_00, 20_00)
    assert (nobody.sold, nobody.receipts, nobody.balance, nobody.earned, nobody.burnt) == (0, 0, 0, 0, 0)
    assert before <= {(lot.remaining, lot.activates_at, lot.expires_at) for lot in await open_lots(two.id, now=NOW)}
    assert len((await receipts_of(two.id))[0]) == 2
    await assert_books_agree()


async def test_the_ledger_stays_and_is_read_with_the_survivors(place):
    one, two = await a_customer(bonuses=100_00), await a_customer(bonuses=50_00)
    kept = await db.fetch("SELECT * FROM bonus_entry ORDER BY id")
    await merged(one.id, two.id)
    assert (await db.fetch("SELECT * FROM bonus_entry ORDER BY id"))[: len(kept)] == kept
    shown = [(entry.customer_id, entry.kind, entry.amount) for entry in (await entries(two.id))[0]]
    assert shown == [
        (two.id, "merge", 100_00), (one.id, "merge", -100_00), (two.id, "adjust", 50_00), (one.id, "adjust", 100_00),
    ]  # fmt: skip
    assert len((await explain(two.id))[0]) == 4
    # To its person a merge is no movement.
    assert [line.amount for line in (await movements(two.id))[0]] == [50_00, 100_00]


async def test_twice_is_once_and_a_merged_card_is_merged_no_more(place):
    one, two, three = [await a_customer() for _ in range(3)]
    first = await merged(one.id, two.id)
    assert await merged(one.id, two.id) == first
    for pair in ((one.id, three.id), (three.id, one.id)):
        with pytest.raises(Refused, match="card_was_merged") as refused:
            await merged(*pair)
        assert refused.value.details["customer_id"] == two.id
    with pytest.raises(Invalid, match="same_card"):
        await merged(three.id, three.id)
    with pytest.raises(NotFound):
        await merged(three.id, 10**9)


async def test_the_merged_card_leads_to_the_survivor_also_over_another(place):
    one, two, three = [await a_customer() for _ in range(3)]
    code = await referral_code_of(one.id)
    await merged(one.id, two.id)
    await merged(two.id, three.id)
    assert await find_by_card_number(one.card_number) == await find_by_phone(one.phone or "") == three.id
    sale = await a_sale(one.id, place, 100_00, now=NOW + 2 * DAY)
    assert sale.balance == (await customer(three.id)).balance == 5_00
    invited = await a_customer()
    await a_programme(referral_bonus=10_00)
    assert await begin_referral(invited.id, code, is_new=True, now=NOW + 2 * DAY)
    assert await db.fetch_value("SELECT referrer_id FROM referral") == three.id
    await assert_books_agree()


async def test_the_same_sale_sent_again_after_the_merge_gives_the_first_answer(place):
    one, two = await a_customer(), await a_customer()
    draft = ReceiptDraft(ReceiptSource.TILL, place, "k1", one.id, 100_00)
    first = await record_receipt(draft, actor=COMMAND, now=NOW)
    later = ReceiptDraft(ReceiptSource.TILL, place, "k2", one.id, 100_00)
    await merged(one.id, two.id)
    assert (await record_receipt(draft, actor=COMMAND, now=NOW + 2 * DAY)).receipt_id == first.receipt_id
    led = await record_receipt(later, actor=COMMAND, now=NOW + 2 * DAY)
    assert (await record_receipt(later, actor=COMMAND, now=NOW + 2 * DAY)).receipt_id == led.receipt_id
    assert (await customer(two.id)).receipts == 2


async def test_gaps_are_filled_and_the_survivors_own_words_win(place):
    one = await a_customer(name="Maria", phone="+79165550101", birthday=date(1990, 5, 14))
    two = await a_customer(name="Мария С.", phone="+79165550102")
    three = await a_customer(name="M. S.")
    await db.execute("UPDATE customer SET phone = NULL WHERE id = $1", three.id)
    await db.execute(
        "UPDATE messenger_account SET customer_id = NULL WHERE channel = 'sms' AND customer_id = $1", three.id
    )
    await db.execute("UPDATE customer_facts SET sms = false WHERE customer_id = $1", three.id)
    await db.execute("UPDATE customer SET gender = 'f', email = 'm@example.com' WHERE id = $1", one.id)
    first = await merged(one.id, two.id)
    person = await customer(two.id)
    assert (person.name, person.phone, person.birthday, person.gender) == (
        "Мария С.", "+79165550102", date(1990, 5, 14), "f",
    )  # fmt: skip
    assert person.email == "m@example.com"
    second = await merged(two.id, three.id)
    assert (await customer(three.id)).phone == "+79165550102"
    assert await find_by_phone("+79165550101") == await find_by_phone("+79165550102") == three.id
    await undone(second)
    await undone(first)
    back = await customer(one.id)
    assert (back.phone, back.email, back.birthday) == ("+79165550101", "m@example.com", date(1990, 5, 14))
    assert ((await customer(two.id)).email, (await customer(three.id)).phone) == (None, None)


@pytest.mark.parametrize("by_hand", [True, False])
async def test_a_number_of_the_merged_card_can_stand_on_the_survivor(place, by_hand):
    one, two = await a_customer(phone="+79165550101"), await a_customer(phone="+79165550102")
    merge_id = await merged(one.id, two.id)
    if by_hand:
        profile = Profile(two.name, "+79165550101", None, None, None, "ru", None)
        await update_profile(two.id, profile, actor=COMMAND, now=NOW + DAY)
    else:
        await change_phone(two.id, "+79165550101", actor=COMMAND, now=NOW + DAY)
    assert (await customer(two.id)).phone == "+79165550101"
    assert await find_by_phone("+79165550101") == two.id
    await assert_books_agree()
    await undone(merge_id)
    assert ((await customer(one.id)).phone, (await customer(two.id)).phone) == (None, "+79165550101")
    await assert_books_agree()


async def test_tasks_go_and_come_back(place):
    one, two = await a_customer(), await a_customer()
    before = await a_task("Before", customer_id=one.id)
    merge_id = await merged(one.id, two.id)
    since = await a_task("Since", customer_id=one.id)
    assert {(await task(one_task)).customer_id for one_task in (before, since)} == {two.id}
    await undone(merge_id)
    assert ((await task(before)).customer_id, (await task(since)).customer_id) == (one.id, two.id)


async def test_chats_messages_notes_and_segments_go_and_come_back(place):
    cashier = await a_cashier()
    one, two = await a_customer(), await a_customer()
    mine, theirs = await an_account(one.id), await an_account(two.id)
    said = await a_message(mine, "hello")
    await db.execute("UPDATE message SET customer_id = $2 WHERE id = $1", said, one.id)
    await add_note(one.id, "likes tea", actor=cashier, now=NOW)
    segment = await add_segment(SegmentDraft("Tea"), actor=COMMAND, now=NOW)
    await add_member(segment, one.id, actor=COMMAND, now=NOW)
    merge_id = await merged(one.id, two.id)
    assert [(chat.id, chat.is_default) for chat in await accounts_of(two.id)] == [(theirs, True), (mine, False)]
    assert await db.fetch_value("SELECT customer_id FROM message WHERE id = $1", said) == two.id
    assert [note.text for note in await notes(two.id)] == ["likes tea"]
    assert [chip.is_in for chip in await chips(two.id)] == [True]
    assert [chip.is_in for chip in await chips(one.id)] == [False]
    await add_note(two.id, "since then", actor=cashier, now=NOW + DAY)
    await assert_books_agree()
    await undone(merge_id)
    assert [(chat.id, chat.is_default) for chat in await accounts_of(one.id)] == [(mine, True)]
    assert [note.text for note in await notes(one.id)] == ["likes tea"]
    assert [note.text for note in await notes(two.id)] == ["since then"]
    assert ([chip.is_in for chip in await chips(one.id)], [chip.is_in for chip in await chips(two.id)]) == (
        [True],
        [False],
    )
    assert await db.fetch_value("SELECT customer_id FROM message WHERE id = $1", said) == one.id
    await assert_books_agree()


@pytest.mark.parametrize("refuser", ["merged", "survivor"])
async def test_a_no_on_either_card_is_a_no(place, refuser):
    one, two = await a_customer(), await a_customer()
    accounts = [await an_account(one.id), await an_account(two.id)]
    for person in (one, two):
        granted = person is not (one if refuser == "merged" else two)
        await set_consent(
            person.id, Topic.MARKETING, granted=granted, source="panel", text_version="1 ru", actor=COMMAND, now=NOW
        )
    merge_id = await merged(one.id, two.id)
    assert [word.granted for word in await consents(two.id)] == [False]
    takes = "SELECT bool_or(takes_marketing) FROM messenger_account WHERE id = ANY($1::bigint[])"
    assert not await db.fetch_value(takes, accounts)
    await undone(merge_id)
    assert [word.granted for word in await consents(two.id)] == [refuser == "merged"]
    assert await db.fetch_value(takes, accounts)


async def test_what_only_the_other_card_was_asked_is_its_persons_word(place):
    one, two = await a_customer(), await a_customer()
    await an_account(one.id)
    await set_consent(
        one.id, Topic.SURVEYS, granted=True, source="telegram", text_version="2 uk", actor=COMMAND, now=NOW
    )
    await merged(one.id, two.id)
    [word] = await consents(two.id)
    assert (word.topic, word.granted, word.source, word.text_version, word.at) == (
        "surveys",
        True,
        "telegram",
        "2 uk",
        NOW,
    )


async def test_a_gift_that_a_person_gets_once_and_had_twice_is_taken_back_and_given_again(place):
    await a_programme(birthday_bonus=30_00, birthday_days_before=0)
    born = date(1990, 3, 10)
    one, two = await a_customer(birthday=born), await a_customer(birthday=born)
    await db.execute("UPDATE customer SET birthday_set_at = $1", NOW - 30 * DAY)
    for person in (one, two):
        assert await grant_welcome(person.id, actor=COMMAND, now=NOW) == 200_00
    assert await grant_birthdays(actor=JOB, now=NOW) == 2
    merge_id = await merged(one.id, two.id)
    standing = await account(two.id, now=NOW + DAY)
    assert (standing.balance, standing.earned) == (230_00, 230_00)
    await assert_books_agree()
    # Under whichever phone they come back, they had it.
    assert await grant_welcome(two.id, actor=COMMAND, now=NOW + DAY) == 0
    await undone(merge_id)
    for person in (one, two):
        assert (await customer(person.id)).balance == 230_00
    await assert_books_agree()


async def test_a_gift_that_expired_unspent_is_gone_already(place):
    one, two = await a_customer(), await a_customer()
    for person in (one, two):
        await grant_welcome(person.id, actor=COMMAND, now=NOW)
    await db.execute("UPDATE bonus_lot SET expires_at = $2 WHERE customer_id = $1", one.id, NOW + DAY)
    await expire_due(actor=JOB, now=NOW + DAY)
    assert (await preview_of(two.id, one.id, now=NOW + DAY)).gifts == ()
    await merged(one.id, two.id, now=NOW + DAY)
    assert (await customer(two.id)).balance == 200_00
    await assert_books_agree(now=NOW + DAY)


async def test_a_gift_that_was_spent_before_becomes_debt_by_the_programmes_rule_and_the_undo_knows(place):
    one, two = await a_customer(), await a_customer()
    for person in (one, two):
        await grant_welcome(person.id, actor=COMMAND, now=NOW)
        await a_sale(person.id, place, 10_000_00, burn=200_00, now=NOW)
    await db.execute("UPDATE bonus_lot SET activates_at = activates_at")
    before = [(await customer(one.id)).balance, (await customer(two.id)).balance]
    merge_id = await merged(one.id, two.id)
    await assert_books_agree()
    assert (await customer(two.id)).balance == sum(before) - 200_00
    await undone(merge_id)
    await assert_books_agree()
    assert sum([(await customer(one.id)).balance, (await customer(two.id)).balance]) == sum(before)


async def test_an_invitation_between_the_two_cards_was_none(place):
    await a_programme(referral_bonus=50_00, referral_invitee_bonus=20_00)
    one, two = await a_customer(), await a_customer()
    assert await begin_referral(one.id, await referral_code_of(two.id), is_new=True, now=NOW)
    await a_sale(one.id, place, 1000_00)
    for _ in range(2):
        await settle_referrals(actor=JOB, now=NOW + DAY)
    assert (await customer(two.id)).balance == 50_00
    merge_id = await merged(one.id, two.id)
    assert (await customer(two.id)).balance == 50_00
    assert await db.fetch_value("SELECT state FROM referral") == "undone"
    await assert_books_agree()
    await undone(merge_id)
    assert ((await customer(one.id)).balance, (await customer(two.id)).balance) == (70_00, 50_00)
    assert await db.fetch_value("SELECT state FROM referral") == "paid"
    await assert_books_agree()


async def test_invitations_go_with_the_card_and_their_gifts_can_still_be_undone(place):
    await a_programme(referral_bonus=50_00, referral_invitee_bonus=20_00)
    one, two, friend = [await a_customer() for _ in range(3)]
    assert await begin_referral(friend.id, await referral_code_of(one.id), is_new=True, now=NOW)
    sale = await a_sale(friend.id, place, 1000_00)
    for _ in range(2):
        await settle_referrals(actor=JOB, now=NOW + DAY)
    await merged(one.id, two.id)
    await assert_books_agree()
    await refund_receipt(sale.receipt_id, None, key="back", actor=COMMAND, now=NOW + 2 * DAY)
    assert await undo_referrals(actor=JOB, now=NOW + 2 * DAY) == 1
    assert ((await customer(two.id)).balance, (await customer(one.id)).balance) == (0, 0)
    await assert_books_agree()


async def test_the_better_tier_by_what_both_bought(place):
    one, two = await a_customer(), await a_customer()
    await a_sale(one.id, place, 6_000_00)
    await a_sale(two.id, place, 6_000_00)
    assert [(await customer(person.id)).tier_id for person in (one, two)] == [0, 0]
    merge_id = await merged(one.id, two.id)
    assert [(await customer(person.id)).tier_id for person in (one, two)] == [0, 1]
    await assert_books_agree()
    await undone(merge_id)
    assert [(await customer(person.id)).tier_id for person in (one, two)] == [0, 0]
    await assert_books_agree()


async def test_a_tier_by_hand_goes_before_and_comes_back(place):
    one, two = await a_customer(), await a_customer()
    await a_sale(two.id, place, 60_000_00)
    await set_tier(one.id, 1, date(2026, 12, 31), actor=COMMAND, now=NOW)
    merge_id = await merged(one.id, two.id)
    person = await customer(two.id)
    assert (person.tier_id, person.tier_until is not None) == (1, True)
    await undone(merge_id)
    back, own = await customer(one.id), await customer(two.id)
    assert (back.tier_id, back.tier_until is not None, own.tier_id, own.tier_until) == (1, True, 2, None)
    assert await review_tiers(actor=JOB, now=NOW + 3 * DAY) == 0
    await assert_books_agree()


async def test_labels_fill_gaps_and_come_back(place):
    one, two = await a_customer(), await a_customer()
    await set_discount(one.id, 5_00, actor=COMMAND, now=NOW)
    merge_id = await merged(one.id, two.id)
    assert [(await customer(person.id)).discount_bp for person in (one, two)] == [0, 5_00]
    await undone(merge_id)
    assert [(await customer(person.id)).discount_bp for person in (one, two)] == [5_00, 0]


async def test_debt_goes_with_the_card_and_what_was_repaid_stays_repaid(place):
    one, two = await a_customer(), await a_customer(bonuses=10_00)
    sale = await a_sale(one.id, place, 1000_00)
    await a_sale(one.id, place, 200_00, burn=50_00)
    await refund_receipt(sale.receipt_id, 1000_00, key="back", actor=COMMAND, now=NOW)
    owed = (await customer(one.id)).debt
    assert owed == 43_00
    merge_id = await merged(one.id, two.id)
    assert ((await customer(one.id)).debt, (await customer(two.id)).debt, (await customer(two.id)).balance) == (
        0,
        43_00,
        -33_00,
    )
    await assert_books_agree()
    await a_sale(two.id, place, 200_00, now=NOW + DAY)
    assert (await customer(two.id)).debt == 33_00
    await undone(merge_id)
    assert ((await customer(one.id)).debt, (await customer(two.id)).debt) == (33_00, 0)
    await assert_books_agree()


async def test_pending_bonuses_go_and_a_refund_takes_them_first(place):
    await a_programme(activation_delay_days=14)
    one, two = await a_customer(), await a_customer(bonuses=100_00)
    sale = await a_sale(one.id, place, 1000_00)
    await merged(one.id, two.id)
    standing = await account(two.id, now=NOW + DAY)
    assert (standing.available, standing.pending) == (100_00, 50_00)
    await refund_receipt(sale.receipt_id, None, key="back", actor=COMMAND, now=NOW + DAY)
    standing = await account(two.id, now=NOW + DAY)
    assert (standing.available, standing.pending, standing.debt) == (100_00, 0, 0)
    await assert_books_agree()


async def test_burnt_bonuses_of_a_merged_card_come_back_with_their_dates(place):
    one, two = await a_customer(bonuses=100_00), await a_customer()
    [lot] = await open_lots(one.id, now=NOW)
    sale = await a_sale(one.id, place, 1000_00, burn=100_00)
    await merged(one.id, two.id)
    await refund_receipt(sale.receipt_id, 500_00, key="half", actor=COMMAND, now=NOW + DAY)
    await refund_receipt(sale.receipt_id, None, key="rest", actor=COMMAND, now=NOW + DAY)
    back = [one for one in await open_lots(two.id, now=NOW + DAY) if one.expires_at == lot.expires_at]
    assert [one.remaining for one in back] == [50_00, 50_00]
    assert {one.activates_at for one in back} == {lot.activates_at}
    assert ((await customer(two.id)).balance, (await customer(one.id)).balance) == (100_00, 0)
    await assert_books_agree()


async def test_live_holds_keep_the_cards_apart(place):
    one, two = await a_customer(bonuses=100_00), await a_customer()
    draft = ReceiptDraft(ReceiptSource.TILL, place, "hold", one.id, 1000_00, 50_00)
    await place_hold(draft, ask=False, actor=COMMAND, now=NOW)
    for pair in ((one.id, two.id), (two.id, one.id)):
        with pytest.raises(Refused, match="cards_have_holds"):
            await merged(*pair, now=NOW)
    await merged(one.id, two.id, now=NOW + DAY)
    await assert_books_agree(now=NOW + DAY)


async def test_moved_bonuses_that_were_spent_cannot_go_back(place):
    one, two = await a_customer(bonuses=100_00), await a_customer()
    merge_id = await merged(one.id, two.id)
    await a_sale(two.id, place, 1000_00, burn=30_00, now=NOW + DAY)
    with pytest.raises(Refused, match="moved_bonuses_spent") as refused:
        await undone(merge_id)
    assert refused.value.details == {"amount": 30_00}
    assert (await customer(one.id)).balance == 0
    await assert_books_agree()


async def test_moved_bonuses_that_expired_meanwhile_have_expired(place):
    one, two = await a_customer(bonuses=100_00), await a_customer()
    await db.execute("UPDATE bonus_lot SET expires_at = $1", NOW + 5 * DAY)
    merge_id = await merged(one.id, two.id)
    await expire_due(actor=JOB, now=NOW + 6 * DAY)
    await undone(merge_id, now=NOW + 6 * DAY)
    assert ((await customer(one.id)).balance, (await customer(two.id)).expired) == (0, 100_00)
    await expire_due(actor=JOB, now=NOW + 7 * DAY)
    await assert_books_agree()


async def test_undone_once_within_thirty_days_and_in_the_order_of_the_merges(place):
    one, two, three = [await a_customer(bonuses=10_00) for _ in range(3)]
    first = await merged(one.id, two.id)
    second = await merged(two.id, three.id)
    with pytest.raises(Refused, match="survivor_was_merged"):
        await undone(first)
    with pytest.raises(Refused, match="merge_too_old"):
        await undone(second, now=NOW + 2 * DAY + UNDONE_WITHIN)
    assert await undone(second) == await undone(second) == two.id
    assert await find_by_card_number(one.card_number) == two.id
    assert await undone(first) == one.id
    assert [(await customer(person.id)).balance for person in (one, two, three)] == [10_00] * 3
    with pytest.raises(NotFound):
        await undone(10**6)
    await assert_books_agree()


async def test_what_was_bought_since_stays_with_the_survivor(place):
    one, two = await a_customer(), await a_customer()
    await a_sale(one.id, place, 100_00)
    merge_id = await merged(one.id, two.id)
    await a_sale(one.id, place, 300_00, now=NOW + DAY)
    await undone(merge_id)
    assert [(await customer(person.id)).sold for person in (one, two)] == [100_00, 300_00]
    await assert_books_agree()


async def test_a_refund_of_a_moved_receipt_keeps_them_one(place):
    one, two = await a_customer(), await a_customer(bonuses=500_00)
    sale = await a_sale(one.id, place, 100_00)
    merge_id = await merged(one.id, two.id)
    await refund_receipt(sale.receipt_id, 50_00, key="half", actor=COMMAND, now=NOW + DAY)
    with pytest.raises(Refused, match="moved_receipt_was_refunded"):
        await undone(merge_id)
    await assert_books_agree()


async def test_a_credit_that_waits_goes_with_the_card(place):
    asker, giver = await a_cashier(), await a_cashier()
    one, two = await a_customer(), await a_customer()
    request = await ask_credit(one.id, 10_00, "sorry", key="r", actor=asker, now=NOW)
    merge_id = await merged(one.id, two.id)
    await approve_credit(request.id, actor=giver, now=NOW + DAY)
    assert (await customer(two.id)).balance == 10_00
    await undone(merge_id)
    assert [(await customer(person.id)).balance for person in (one, two)] == [0, 10_00]
    await assert_books_agree()


async def test_nothing_is_written_on_a_card_that_is_only_a_way(place):
    one, two = await a_customer(), await a_customer()
    await merged(one.id, two.id)
    with pytest.raises(Refused, match="card_was_merged"):
        await adjust(one.id, 10_00, "gift", key="k", actor=COMMAND, now=NOW + DAY)
    with pytest.raises(Refused, match="card_was_merged"):
        await set_topics_of(one.id)


async def set_topics_of(customer_id: int) -> None:
    await set_discount(customer_id, 1_00, actor=COMMAND, now=NOW + DAY)


async def test_a_deleted_card_may_go_but_not_stay(place):
    one, two = await a_customer(bonuses=10_00), await a_customer()
    await delete_customers([one.id], actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="card_is_deleted"):
        await merged(two.id, one.id)
    merge_id = await merged(one.id, two.id)
    assert (await customer(two.id)).balance == 10_00
    await undone(merge_id)
    hidden = "SELECT is_hidden FROM customer_facts WHERE customer_id = $1"
    assert [await db.fetch_value(hidden, person.id) for person in (one, two)] == [True, False]


async def test_topics_switched_off_in_one_chat_stay_off_there(place):
    one, two = await a_customer(), await a_customer()
    chat = await an_account(one.id)
    await set_topics(chat, marketing=False, actor=COMMAND, now=NOW)
    await merged(one.id, two.id)
    assert not await db.fetch_value("SELECT takes_marketing FROM messenger_account WHERE id = $1", chat)


STEPS = 200
EXPECTED = {
    "already_refunded", "burn_over_limit", "card_was_merged", "merge_too_old", "moved_bonuses_spent",
    "moved_receipt_was_refunded", "survivor_was_merged",
}  # fmt: skip


class Story:
    """A dozen cards of people who buy, take back, become one and two again."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.people: list[int] = []
        self.sales: list[int] = []
        self.merges: list[int] = []
        self.place = 0
        self.now = NOW
        self.done: Counter[str] = Counter()
        self.refused: set[str] = set()

    async def begin(self) -> None:
        draw = self.draw
        await a_programme(activation_delay_days=draw.choice([0, 7]), tier_basis=draw.choice(["paid", "visits"]))
        self.place = await a_location()
        self.people = [(await a_customer(bonuses=draw.choice([0, 200_00]))).id for _ in range(12)]
        for person in self.people[:6]:
            await an_account(person)

    async def step(self) -> None:
        self.now += timedelta(hours=self.draw.randint(1, 40))
        act = self.draw.choices([self.buy, self.refund, self.merge, self.undo, self.sweep], [5, 2, 2, 3, 1])[0]
        try:
            await act()
        except Refused as refused:
            self.refused.add(refused.reason)
        else:
            self.done[act.__name__] += 1

    async def buy(self) -> None:
        total, burn = self.draw.randint(10, 900) * 100, self.draw.choice([0, 0, 10_00])
        sale = await a_sale(self.draw.choice(self.people), self.place, total, burn=burn, now=self.now)
        self.sales.append(sale.receipt_id)

    async def refund(self) -> None:
        if self.sales:
            amount = self.draw.choice([None, None, 5_00])
            sale = self.draw.choice(self.sales[-8:])
            await refund_receipt(sale, amount, key=new_key(), actor=COMMAND, now=self.now)

    async def merge(self) -> None:
        pair = self.draw.sample(self.people, 2)
        self.merges.append(await merge_cards(*pair, actor=COMMAND, now=self.now))

    async def undo(self) -> None:
        if self.merges:
            merge_id = self.merges[-1] if self.draw.random() < 0.7 else self.draw.choice(self.merges)
            await undo_merge(merge_id, actor=COMMAND, now=self.now)
            self.merges.remove(merge_id)

    async def sweep(self) -> None:
        await expire_due(actor=JOB, now=self.now)
        await review_tiers(actor=JOB, now=self.now)
        await grant_welcome(self.draw.choice(self.people), actor=JOB, now=self.now)


@pytest.mark.parametrize("seed", range(3))
async def test_the_books_agree_whatever_is_merged_and_taken_apart(database, seed):
    story = Story(seed)
    await story.begin()
    for number in range(1, STEPS + 1):
        await story.step()
        if number % 20 == 0:
            await expire_due(actor=JOB, now=story.now)
            await assert_books_agree(now=story.now)
    assert all(story.done[act] > 5 for act in ("buy", "refund", "merge", "undo")), story.done
    assert story.refused <= EXPECTED
