"""Bonuses that come with a campaign: to whom, once, for how long, and what the books say of it."""

import asyncio
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bonuses.queries import account
from loyalty.campaigns.actions.granting import find_late, grant_due, grant_part
from loyalty.clock import end_of_day
from loyalty.customers.actions.archive import delete_customers
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.merging import merge_cards, undo_merge
from loyalty.office.queries.verify import verify
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import NOW, a_customer, a_location, a_programme, a_sale, assert_books_agree
from tests.loyalty.campaigns.frozen import a_campaign, a_recipient

SOON = NOW + timedelta(hours=1)
GIFT = 150_00


@pytest.fixture
async def campaign_id(database) -> int:
    await a_programme()
    await a_location()
    return await a_campaign(bonus=GIFT, bonus_days=5)


async def balance(customer_id: int) -> int:
    return (await account(customer_id, now=SOON)).balance


async def states(campaign_id: int) -> dict[int, str]:
    rows = await db.fetch("SELECT customer_id, state FROM recipient WHERE campaign_id = $1", campaign_id)
    return {row["customer_id"]: row["state"] for row in rows}


async def found_wrong() -> list[str]:
    """What the books complain of once the day is over in which something may still arrive."""
    return [one.check for one in (await verify(now=NOW + timedelta(days=2))).differences]


async def test_it_is_given_where_the_message_was_sent_or_nobody_knows_and_never_where_it_failed(campaign_id):
    sent, unknown, failed, drawn, left_out = [
        await a_recipient(campaign_id, one, has_bonus=True)
        for one in ("sent", "unknown", "failed", "control", "skipped")
    ]
    assert await grant_due(actor=JOB, now=SOON) == 2
    assert [await balance(one) for one in (sent, unknown, failed, drawn, left_out)] == [GIFT, GIFT, 0, 0, 0]
    assert (await states(campaign_id))[sent] == "done"
    assert await grant_due(actor=JOB, now=SOON) == 0
    await assert_books_agree(now=SOON)
    assert await found_wrong() == []


async def test_its_lot_is_spendable_at_once_and_lives_to_the_end_of_its_last_local_day(campaign_id):
    person = await a_recipient(campaign_id, has_bonus=True)
    await grant_due(actor=JOB, now=SOON)
    row = await db.fetch_row("SELECT activates_at, expires_at, source FROM bonus_lot WHERE customer_id = $1", person)
    assert row is not None
    last = end_of_day((SOON + timedelta(days=5)).date(), "Europe/Moscow")
    assert (row["activates_at"], row["expires_at"], row["source"]) == (SOON, last, "campaign")
    entry = await db.fetch_row("SELECT kind, event, operation_id FROM bonus_entry WHERE customer_id = $1", person)
    assert entry == {"kind": "grant", "event": "campaign", "operation_id": f"campaign:{campaign_id}:{person}"}


async def test_it_repays_debt_first(campaign_id):
    person = await a_recipient(campaign_id, has_bonus=True)
    await db.execute("UPDATE customer_facts SET debt = 40_00, balance = -40_00 WHERE customer_id = $1", person)
    await grant_due(actor=JOB, now=SOON)
    left = await db.fetch_value("SELECT remaining FROM bonus_lot WHERE customer_id = $1", person)
    assert (await balance(person), left) == (GIFT - 40_00, GIFT - 40_00)


async def test_a_message_that_turns_out_to_have_failed_takes_nothing_back(campaign_id):
    person = await a_recipient(campaign_id, has_bonus=True)
    await grant_due(actor=JOB, now=SOON)
    await db.execute("UPDATE message SET status = 'failed', reason = 'undeliverable' WHERE kind = 'bulk'")
    assert await find_late(now=SOON) == 0
    assert await grant_due(actor=JOB, now=SOON) == 0
    assert await balance(person) == GIFT
    assert await found_wrong() == []


async def test_what_is_sent_again_because_nobody_knew_brings_no_second_one(campaign_id):
    person = await a_recipient(campaign_id, "unknown", has_bonus=True)
    await grant_due(actor=JOB, now=SOON)
    await db.execute("UPDATE recipient SET state = 'queued' WHERE customer_id = $1", person)
    assert await found_wrong() == []
    await db.execute("UPDATE recipient SET state = 'due' WHERE customer_id = $1", person)
    assert await grant_due(actor=JOB, now=SOON) == 0
    assert await balance(person) == GIFT
    assert await found_wrong() == []


async def test_a_message_that_turns_out_to_have_arrived_brings_it_after_all(campaign_id):
    person = await a_recipient(campaign_id, "failed", has_bonus=True)
    assert await find_late(now=SOON) == 0
    await db.execute("UPDATE message SET status = 'delivered', delivered_at = $1 WHERE kind = 'bulk'", SOON)
    assert await found_wrong() == ["bonus of recipient"]
    assert await find_late(now=SOON) == 1
    assert await find_late(now=SOON) == 0
    assert await grant_due(actor=JOB, now=SOON) == 1
    assert await find_late(now=SOON) == 0
    assert await balance(person) == GIFT
    assert await found_wrong() == []


async def test_a_merged_card_hands_it_to_its_owner_and_two_cards_of_one_person_bring_it_once(campaign_id):
    one, two = [await a_recipient(campaign_id, has_bonus=True) for _ in range(2)]
    owner = (await a_customer()).id
    await merge_cards(one, owner, actor=COMMAND, now=NOW)
    await merge_cards(two, owner, actor=COMMAND, now=NOW)
    assert await grant_due(actor=JOB, now=SOON) == 1
    assert (await balance(owner), set((await states(campaign_id)).values())) == (GIFT, {"done"})
    assert await found_wrong() == []


async def test_who_had_it_and_became_one_person_since_gets_no_second_one(campaign_id):
    first, second = await a_recipient(campaign_id, has_bonus=True), await a_recipient(campaign_id, "queued")
    await grant_due(actor=JOB, now=NOW)
    merge = await merge_cards(first, second, actor=COMMAND, now=NOW)
    await db.execute("UPDATE message SET status = 'sent', sent_at = $1 WHERE kind = 'bulk'", SOON)
    await db.execute("UPDATE recipient SET state = 'due' WHERE customer_id = $1", second)
    assert await grant_due(actor=JOB, now=SOON) == 0
    assert await balance(second) == GIFT
    await undo_merge(merge, actor=COMMAND, now=SOON)
    assert await balance(first) == GIFT
    # Two people again: the one who never got theirs does.
    assert await find_late(now=SOON) == 1
    assert await grant_due(actor=JOB, now=SOON) == 1
    assert await balance(second) == GIFT
    assert await found_wrong() == []


async def test_who_is_deleted_still_gets_it_and_who_is_erased_does_not(campaign_id):
    deleted, erased = [await a_recipient(campaign_id, has_bonus=True) for _ in range(2)]
    await delete_customers([deleted], actor=COMMAND, now=NOW)
    await erase_customer(erased, actor=COMMAND, now=NOW)
    assert await grant_due(actor=JOB, now=SOON) == 1
    assert (await balance(deleted), await balance(erased)) == (GIFT, 0)
    assert set((await states(campaign_id)).values()) == {"done"}
    assert await find_late(now=SOON) == 0
    assert await found_wrong() == []


async def test_two_that_give_at_once_give_once(campaign_id):
    people = [await a_recipient(campaign_id, has_bonus=True) for _ in range(8)]
    works = [grant_part(campaign_id, GIFT, 5, actor=JOB, now=SOON) for _ in range(4)]
    done = await asyncio.gather(*works)
    assert sum(given for _, given in done) == len(people)
    assert [await balance(one) for one in people] == [GIFT] * len(people)


async def test_the_books_see_a_bonus_that_is_missing_too_much_or_nobodys(campaign_id):
    person, drawn = await a_recipient(campaign_id, has_bonus=True), await a_recipient(campaign_id, "control")
    await db.execute("UPDATE recipient SET state = 'done' WHERE customer_id = $1", person)
    assert await found_wrong() == ["bonus of recipient"]
    await db.execute(
        "UPDATE recipient SET state = 'due' WHERE campaign_id = $1 AND customer_id = $2", campaign_id, person
    )
    await grant_due(actor=JOB, now=SOON)
    assert await found_wrong() == []
    await db.execute("UPDATE campaign SET bonus = bonus + 1")
    assert await found_wrong() == ["bonus of recipient"]
    await db.execute("UPDATE campaign SET bonus = bonus - 1")
    await db.execute("UPDATE recipient SET state = 'due', message_id = account_id WHERE customer_id = $1", drawn)
    await grant_due(actor=JOB, now=SOON)
    await db.execute("UPDATE recipient SET state = 'control', message_id = NULL WHERE customer_id = $1", drawn)
    assert await found_wrong() == ["bonus of recipient"]


async def test_a_sale_beside_it_counts_both(campaign_id):
    person = await a_recipient(campaign_id, has_bonus=True)
    place = await db.fetch_value("SELECT min(id) FROM location")
    await asyncio.gather(grant_due(actor=JOB, now=SOON), a_sale(person, place, 1000_00, now=SOON))
    await assert_books_agree(now=SOON)
    assert await balance(person) == GIFT + 50_00
