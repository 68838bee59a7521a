"""Whom the programme asks, when and in what words; whom it leaves out and why; two workers at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.conversations.actions import delivery
from loyalty.conversations.actions.messaging import set_manners
from loyalty.conversations.content import Content
from loyalty.conversations.rules import Leased, Manners, Quiet
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.actions.profile import set_consent
from loyalty.customers.rules import Topic
from loyalty.errors import Conflict, Invalid
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.shop.actions import update_shop
from loyalty.staff.rules import COMMAND
from loyalty.surveys.actions.asking import ask_due, invite_due
from loyalty.surveys.actions.programme import set_programme
from loyalty.surveys.queries.programme import survey_programme
from loyalty.surveys.rules import ProgrammeDraft
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

SOURCE = "telegram:4242"
HOUR = timedelta(hours=1)
ON = ProgrammeDraft(is_on=True, delay_hours=2)
RIPE = NOW + 2 * HOUR


@pytest.fixture(autouse=True)
async def _shop(database):
    await a_programme()
    await update_shop(
        name="Ladno", currency="RUB", region="RU", language="ru", time_zone="Europe/Moscow", actor=COMMAND, now=NOW
    )


async def turn_on(draft: ProgrammeDraft = ON, *, now=NOW - HOUR, **more) -> None:
    seen = (await survey_programme()).updated_at
    await set_programme(draft, seen=seen, actor=await a_cashier(), now=now, **more)


async def a_buyer(name: str = "Мария Соколова") -> int:
    person = await a_customer(name=name)
    await an_account(person.id)
    return person.id


async def work(now=RIPE) -> int:
    await invite_due(now=now)
    return await ask_due(now=now)


async def invitations(customer_id: int | None = None) -> list[tuple[str, str | None]]:
    rows = await db.fetch(
        "SELECT state, reason FROM survey_invitation WHERE $1::bigint IS NULL OR customer_id = $1 ORDER BY id",
        customer_id,
    )
    return [(row["state"], row["reason"]) for row in rows]


async def questions() -> list[db.Row]:
    return await db.fetch("SELECT * FROM message WHERE kind = 'survey_asked' ORDER BY id")


async def leased_question() -> Leased:
    """The question in the outbox, in the hands of a worker; what was said of the purchase has gone."""
    await db.execute("UPDATE message SET status = 'sent' WHERE kind <> 'survey_asked'")
    [leased] = await delivery.lease_messages(SOURCE, limit=5, now=RIPE)
    return leased


async def test_a_buyer_is_asked_two_hours_later_by_name_with_a_scale_and_never_at_night():
    await turn_on()
    buyer = await a_buyer()
    cashier = await a_cashier()
    place = await a_location(name="Tverskaya, 12")
    receipt = await a_sale(buyer, place, 500_00, actor=cashier)
    await work(NOW + 2 * HOUR - timedelta(seconds=1))
    assert await invitations() == []
    await work()
    assert await invitations(buyer) == [("asked", None)]
    [message] = await questions()
    assert (message["topic"], message["priority"], message["status"]) == ("surveys", 2, "queued")
    row = await db.fetch_row("SELECT * FROM survey_invitation")
    assert row is not None
    assert (row["receipt_id"], row["location_id"], row["cashier_id"]) == (receipt.receipt_id, place, cashier.staff_id)
    content = Content.from_body(db.from_json(message["content"]))
    assert content.text.startswith("Мария, посоветуете ли вы нас друзьям?\nНедавно вы были здесь: Tverskaya, 12.")
    assert content.scale == f"nps:{row['id']}"
    await set_manners(Manners(Quiet(22, 9)), now=NOW)
    leased = await leased_question()
    assert leased.quiet_zone == "Europe/Moscow"
    await assert_books_agree(now=RIPE)


async def test_a_lost_answer_of_the_messenger_asks_nobody_twice():
    await turn_on()
    await a_sale(await a_buyer(), await a_location(), 500_00)
    await work()
    leased = await leased_question()
    await delivery.settle_and_begin([], [leased.id], SOURCE, now=RIPE)
    await delivery.settle_unknown(leased, "no_answer", now=RIPE)
    assert [one["status"] for one in await questions()] == ["unknown"]
    await delivery.queue_delayed(now=RIPE + timedelta(days=1))
    assert await delivery.lease_messages(SOURCE, limit=5, now=RIPE + timedelta(days=1)) == []


async def test_only_receipts_since_the_switch_count_and_old_ones_never_flood():
    buyer, place = await a_buyer(), await a_location()
    await a_sale(buyer, place, 500_00, now=NOW - timedelta(days=1))
    await turn_on()
    await work()
    assert await invitations() == []
    await turn_on(replace(ON, is_on=False), now=NOW)
    await a_sale(buyer, place, 500_00)
    await work()
    await turn_on(now=NOW + HOUR)
    await work(RIPE + HOUR)
    assert await invitations() == []
    await a_sale(buyer, place, 500_00, now=NOW + 2 * HOUR)
    # Nothing ran for three days.
    await work(NOW + 4 * HOUR + timedelta(days=3))
    assert await invitations() == []
    await a_sale(buyer, place, 500_00, now=NOW + timedelta(days=4))
    await work(NOW + timedelta(days=6))
    assert await invitations() == [("asked", None)]


async def test_what_the_programme_does_not_mean_leaves_no_row():
    here, there = await a_location(name="Here"), await a_location(name="There")
    await turn_on(replace(ON, minimum=300_00, location_ids=(here,)))
    await a_sale(await a_buyer(), here, 299_99)
    await a_sale(await a_buyer(), there, 900_00)
    refunded = await a_sale(await a_buyer(), here, 900_00)
    await refund_receipt(refunded.receipt_id, None, key="back", actor=COMMAND, now=NOW + HOUR)
    await work()
    assert await invitations() == []
    meant = await a_buyer()
    await a_sale(meant, here, 300_00, now=NOW + HOUR)
    await work(RIPE + HOUR)
    assert await invitations() == [("asked", None)]
    assert await db.fetch_value("SELECT customer_id FROM survey_invitation") == meant


async def test_a_person_is_asked_again_after_the_pause_and_not_before():
    await turn_on()
    buyer, place = await a_buyer(), await a_location()
    for day in (0, 1, 89, 91):
        moment = NOW + timedelta(days=day)
        await a_sale(buyer, place, 500_00, now=moment)
        await work(moment + 2 * HOUR)
    assert await invitations() == [("asked", None)] * 2
    assert len(await questions()) == 2


async def test_who_cannot_be_asked_is_kept_with_the_reason_once_in_a_while():
    await turn_on()
    place = await a_location()
    nobody = (await a_customer()).id
    blocked, refuses, mutes, hidden = [await a_buyer() for _ in range(4)]
    await db.execute("UPDATE messenger_account SET is_active = false WHERE customer_id = $1", blocked)
    await db.execute("UPDATE messenger_account SET takes_surveys = false WHERE customer_id = $1", mutes)
    await set_consent(
        refuses, Topic.SURVEYS, granted=False, source="telegram", text_version="1", actor=COMMAND, now=NOW
    )
    closed = await a_buyer()
    await db.execute(
        "UPDATE messenger_account SET channel = 'whatsapp' WHERE customer_id = $1 AND channel = 'telegram'", closed
    )
    for one in (nobody, blocked, refuses, mutes, hidden, closed):
        await a_sale(one, place, 500_00)
    await invite_due(now=RIPE)
    await delete_customers([hidden], actor=COMMAND, now=RIPE)
    await ask_due(now=RIPE)
    assert {one: (await invitations(one))[0][1] for one in (nobody, blocked, refuses, mutes, hidden, closed)} == {
        nobody: "no_account",
        blocked: "blocked",
        refuses: "no_consent",
        mutes: "not_taken",
        hidden: "is_not_in_base",
        closed: "window_closed",
    }
    assert await questions() == []
    # Somebody who comes every week is not kept each time; who is written to again is asked.
    await a_sale(nobody, place, 500_00, now=NOW + timedelta(days=7))
    await work(NOW + timedelta(days=8))
    assert len(await invitations(nobody)) == 1
    await an_account(nobody)
    await a_sale(nobody, place, 500_00, now=NOW + timedelta(days=31))
    await work(NOW + timedelta(days=32))
    assert await invitations(nobody) == [("skipped", "no_account"), ("asked", None)]


async def test_a_template_that_stands_in_opens_whatsapp_again():
    await turn_on()
    buyer = await a_buyer()
    await db.execute(
        "UPDATE messenger_account SET channel = 'whatsapp' WHERE customer_id = $1 AND channel = 'telegram'", buyer
    )
    await db.execute(
        "INSERT INTO message_template (name, language, category, body, variables, status, kind, updated_at)"
        " VALUES ('how', 'ru', 'utility', 'Как вам у нас? Ответьте числом от 0 до 10.', '[]', 'approved', $1, $2)",
        "survey_asked",
        NOW,
    )
    await a_sale(buyer, await a_location(), 500_00)
    await work()
    assert await invitations(buyer) == [("asked", None)]


async def test_a_purchase_refunded_before_its_turn_is_not_asked_about():
    await turn_on()
    buyer = await a_buyer()
    sale = await a_sale(buyer, await a_location(), 500_00)
    await invite_due(now=RIPE)
    await refund_receipt(sale.receipt_id, None, key="back", actor=COMMAND, now=RIPE)
    await ask_due(now=RIPE)
    assert await invitations() == [("skipped", "refunded")]


async def test_what_waited_for_three_days_is_not_asked_any_more():
    await turn_on()
    await a_sale(await a_buyer(), await a_location(), 500_00)
    await invite_due(now=RIPE)
    await ask_due(now=RIPE + timedelta(days=3, seconds=1))
    assert await invitations() == [("expired", None)]


async def test_two_workers_at_once_ask_once():
    await turn_on()
    place = await a_location()
    for _ in range(20):
        await a_sale(await a_buyer(), place, 500_00)
    await asyncio.gather(*(invite_due(now=RIPE) for _ in range(4)))
    await asyncio.gather(*(ask_due(now=RIPE) for _ in range(4)))
    assert await invitations() == [("asked", None)] * 20
    assert len(await questions()) == 20


async def test_who_waits_twice_is_asked_once_however_many_ask():
    people = [await a_buyer() for _ in range(12)]
    for number, person in enumerate(people * 2):
        await db.execute(
            "INSERT INTO survey_invitation (key, customer_id, state, due_at, created_at)"
            " VALUES ('k' || $1::int, $2, 'waiting', $3, $3)",
            number,
            person,
            RIPE,
        )
    await asyncio.gather(*(ask_due(now=RIPE, limit=1) for _ in range(6)))
    for person in people:
        assert sorted(await invitations(person)) == [("asked", None), ("skipped", "asked_lately")]


async def test_a_receipt_whose_commit_came_late_is_met_again():
    await turn_on()
    early, late, place = await a_buyer(), await a_buyer(), await a_location()
    number = await db.fetch_value("SELECT nextval(pg_get_serial_sequence('receipt', 'id'))")
    first = await a_sale(early, place, 500_00)
    await work()
    # It had the smaller number all the time, and the place was beyond it already.
    assert (await survey_programme()).looked_at > number
    await db.execute(
        "INSERT INTO receipt SELECT (jsonb_populate_record(r, jsonb_build_object('id', $2::bigint,"
        " 'external_id', 'late', 'customer_id', $3::bigint))).* FROM receipt r WHERE id = $1",
        first.receipt_id,
        number,
        late,
    )
    await work()
    assert await invitations(late) == [("asked", None)]


async def test_settings_are_checked_kept_and_journaled_and_the_question_is_its_types():
    await turn_on(questions={"ru": "Как вам у нас, {first_name}?", "en": ""})
    view = await survey_programme()
    assert view.draft == ON
    assert (await db.fetch_row("SELECT texts FROM message_type WHERE name = 'survey_asked'")) is not None
    with pytest.raises(Conflict):
        await set_programme(ON, seen=None, actor=COMMAND, now=NOW)
    with pytest.raises(Invalid) as odd:
        await turn_on(questions={"ru": "{odd}"})
    assert odd.value.field == "text-ru"
    with pytest.raises(Invalid) as nobody:
        await turn_on(replace(ON, assignee_id=999))
    assert nobody.value.field == "assignee_id"
    acts = await db.fetch("SELECT action, details FROM journal_entry WHERE action LIKE 'survey%'")
    assert [row["action"] for row in acts] == ["survey_programme.changed"]
    buyer = await a_buyer()
    await a_sale(buyer, await a_location(), 500_00)
    await work()
    [message] = await questions()
    assert db.from_json(message["content"])["text"] == "Как вам у нас, Мария?"
