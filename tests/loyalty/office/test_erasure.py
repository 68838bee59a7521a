"""Who somebody was is gone for good; what they bought and had stays as it was."""

from datetime import date, timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.once_only import grant_birthdays, grant_welcome
from loyalty.bonuses.actions.requests import ask_credit
from loyalty.conversations.actions.reminding import remind_of_tasks
from loyalty.customers.actions.accounts import unlink_account
from loyalty.customers.actions.notes import add_note
from loyalty.customers.actions.profile import add_customer, referral_code_of, update_profile
from loyalty.customers.queries import customer, find_by_card_number, find_by_phone
from loyalty.customers.rules import ERASED_NAME, Profile, Via
from loyalty.errors import NotFound, Refused
from loyalty.office.actions.erasure import erase_customer, forget_addresses
from loyalty.office.actions.export_work import make_due
from loyalty.office.actions.exports import Wish, ask_export
from loyalty.office.actions.imports import check, finish, keep_file, start
from loyalty.office.actions.merging import merge_cards, undo_merge
from loyalty.office.erased import DELETES, EMPTIES, KEEPS, TABLES
from loyalty.office.exporting import FileFormat, FileWords
from loyalty.office.importing import Kind, Options
from loyalty.receipts.actions.holds import place_hold
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.actions.visits import roll_years
from loyalty.receipts.actions.waiting import keep_waiting_sale
from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
from loyalty.segments.actions.segments import add_member, add_segment
from loyalty.segments.queries.audience import Audience
from loyalty.segments.queries.base import Look
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.rules import COMMAND, JOB, Actor, ActorKind
from loyalty.surveys.actions.answering import answer, comment
from loyalty.surveys.actions.asking import ask_due
from loyalty.surveys.actions.running import start_run
from loyalty.tasks.actions.chats import link_chat, new_chat_code
from tests.builders import (
    NOW,
    a_cashier,
    a_colleague,
    a_customer,
    a_location,
    a_message,
    a_picture,
    a_programme,
    a_sale,
    a_task,
    an_account,
    assert_books_agree,
    id_of,
)

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)
WORD = "Xyzzyqua"
PHONE, OLD_PHONE, ADDRESS = "+79165550199", "+79165550188", "987654321987"
TOLD = (WORD.lower(), PHONE[1:], OLD_PHONE[1:], ADDRESS)
"""What must be nowhere afterwards: in any text, JSON or file of the base."""

COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND data_type IN ('text', 'character varying', 'jsonb', 'bytea')
    AND is_generated = 'NEVER' AND table_name <> 'tortoise_migrations'
"""


async def where_it_stands(*words: str) -> list[str]:
    """Columns of the base in which one of the words stands."""
    found = []
    for row in await db.fetch(COLUMNS):
        table, column = row["table_name"], row["column_name"]
        text = f"encode({column}, 'escape')" if row["data_type"] == "bytea" else f"{column}::text"
        asked = f'SELECT EXISTS (SELECT FROM "{table}" WHERE lower({text}) LIKE ANY($1::text[]))'
        if await db.fetch_value(asked, [f"%{word}%" for word in words]):
            found.append(f"{table}.{column}")
    return found


@pytest.fixture
async def place(database) -> int:
    await a_programme()
    return await a_location()


@pytest.fixture
async def life(place) -> int:
    """Somebody about whom there is something in every table that has anything about people."""
    cashier = await a_cashier()
    profile = Profile(f"{WORD} Petrova", OLD_PHONE, f"{WORD}@example.com", "f", date(1990, 5, 14), "ru", place)
    person = await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=NOW)
    await update_profile(
        person.id,
        Profile(profile.name, PHONE, profile.email, "f", profile.birthday, "ru", place),
        actor=COMMAND,
        now=NOW,
    )
    await grant_welcome(person.id, actor=COMMAND, now=NOW)
    await referral_code_of(person.id)
    chat = await an_account(person.id, name=WORD, username=WORD)
    await db.execute(
        "UPDATE messenger_account SET address = $2, alias = $3 WHERE id = $1", chat, ADDRESS, f"{ADDRESS}b"
    )
    await db.execute(
        "UPDATE conversation SET session = $2::jsonb WHERE account_id = $1", chat, db.to_json({"data": WORD})
    )
    left = await an_account(person.id, name=f"{WORD} left")
    await a_message(left, f"said {WORD} before leaving")
    await unlink_account(left, actor=COMMAND, now=NOW)
    await a_message(left, f"and {WORD} after")
    for account in (chat, left):
        await db.execute("UPDATE message SET external_id = $2 WHERE account_id = $1", account, f"wamid.{PHONE}")
    await a_message(chat, f"my name is {WORD}")
    await a_message(chat, f"hello {WORD}", status="queued")
    for channel in ("sms", "email"):
        place_id = await db.fetch_value("SELECT min(id) FROM messenger_account WHERE channel = $1", channel)
        chat_row = "INSERT INTO conversation (account_id, session, last_message_at) VALUES ($1, '{}', $2)"
        await db.execute(chat_row, place_id, NOW)
        await a_message(place_id, f"by {channel} to {WORD}", status="sent")
        await db.execute("UPDATE message SET customer_id = $2 WHERE account_id = $1", place_id, person.id)
    await a_picture(chat, WORD.encode(), mime="image/png")
    await db.execute("UPDATE media SET name = $1, file_id = $1", WORD)
    await db.execute(
        "INSERT INTO incoming_update (source, external_id, position, chat, body, state, received_at)"
        " VALUES ('whatsapp:1', $1, 1, $2, $3, 'done', $4)",
        f"wamid.{PHONE}",
        ADDRESS,
        WORD.encode(),
        NOW,
    )
    await add_note(person.id, f"{WORD} likes tea", actor=cashier, now=NOW)
    await a_reminder_of_them(person.id)
    await adjust(person.id, 50_00, f"for {WORD}", key="k", actor=COMMAND, now=NOW)
    await ask_credit(person.id, 10_00, f"more for {WORD}", key="r", actor=cashier, now=NOW)
    await add_member(await add_segment(SegmentDraft("Tea"), actor=COMMAND, now=NOW), person.id, actor=COMMAND, now=NOW)
    await keep_waiting_sale(place, "w", 100_00, phone="+79165550177", actor=cashier, now=NOW)
    await db.execute("UPDATE waiting_sale SET phone = $1", PHONE)
    await a_sale(person.id, place, 1000_00, burn=30_00)
    await db.execute(
        "UPDATE message SET content = content || $1::jsonb WHERE content <> '{}'", db.to_json({"strong": WORD})
    )
    await a_score_of_them(person.id, cashier)
    await a_file_of_them(cashier)
    return person.id


async def a_score_of_them(customer_id: int, actor: Actor) -> None:
    """Somebody asked them after looking for their name, and they wrote why they came."""
    found = Audience(ids=(customer_id,))
    await start_run(found, channels=("telegram", "whatsapp"), look={"q": WORD}, key="run", actor=actor, now=NOW)
    await ask_due(now=NOW)
    invitation = await db.fetch_value("SELECT id FROM survey_invitation WHERE state = 'asked'")
    await answer(invitation, customer_id, 9, channel="telegram", now=NOW)
    await comment(customer_id, f"{WORD} was here", channel="telegram", now=NOW)


async def a_reminder_of_them(customer_id: int) -> None:
    """A colleague was told in their own chat what is to be done for them."""
    colleague = id_of(await a_colleague())
    await link_chat(await new_chat_code(colleague, now=NOW), await an_account(), now=NOW)
    details = f"{WORD} waits"
    await a_task(f"Call {WORD}", details=details, customer_id=customer_id, assignee_id=colleague, remind_at=NOW)
    assert await remind_of_tasks(now=NOW, limit=10) == 1


async def a_file_of_them(actor: Actor) -> None:
    """Somebody found them by their name, and has a file in which they stand."""
    wish = Wish(
        look=Look(),
        chosen=None,
        said={"q": WORD},
        format=FileFormat.CSV,
        columns=("name", "phone"),
        words=FileWords("Base", {}, {}, ""),
        shows_phones=True,
        language="en",
        email="",
    )
    await ask_export(wish, key="file", actor=actor, now=NOW)
    assert await make_due(now=NOW) == 1


async def erased(customer_id: int, now=NOW + DAY, **more) -> None:
    await erase_customer(customer_id, actor=COMMAND, now=now, **more)


async def test_every_table_of_the_base_has_its_decision(database):
    tables = {row["table_name"] for row in await db.fetch(COLUMNS.replace("DISTINCT ", ""))}
    every = await db.fetch("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    assert tables <= set(TABLES)
    assert {row["table_name"] for row in every} - {"tortoise_migrations"} == set(TABLES)
    assert set(TABLES.values()) == {KEEPS, EMPTIES, DELETES}


async def test_nothing_of_who_they_were_is_left_anywhere(life):
    before = await where_it_stands(*TOLD)
    touched = {name.partition(".")[0] for name in before}
    assert {"file_export", "file_export_piece"} <= touched
    assert touched <= {table for table, decision in TABLES.items() if decision != KEEPS}
    assert len(before) > 15
    await erased(life)
    assert await where_it_stands(*TOLD) == []
    await assert_books_agree(now=NOW + DAY)


async def test_the_books_stay_as_they_were(life):
    shown = "SELECT to_jsonb(t) AS row FROM {} t WHERE customer_id = $1 ORDER BY id"
    tables = ("bonus_entry", "bonus_lot", "receipt", "tier_change", "registration_step")
    before = [await db.fetch(shown.format(table), life) for table in tables]
    facts = "SELECT sold, paid, receipts, visits, balance, debt, earned, burnt, expired FROM customer_facts"
    figures = await db.fetch_row(f"{facts} WHERE customer_id = $1", life)
    await erased(life)
    assert [await db.fetch(shown.format(table), life) for table in tables] == before
    assert await db.fetch_row(f"{facts} WHERE customer_id = $1", life) == figures
    # Time goes on for what is left.
    await expire_due(actor=JOB, now=NOW + 800 * DAY)
    await roll_years(now=NOW + 800 * DAY)
    assert (await customer(life)).balance == 0
    await assert_books_agree(now=NOW + 800 * DAY)


async def test_a_purchase_can_still_be_refunded_and_nobody_is_told(place):
    person = await a_customer(bonuses=100_00)
    await an_account(person.id)
    sale = await a_sale(person.id, place, 1000_00, burn=50_00)
    await erased(person.id)
    said = await db.fetch_value("SELECT count(*) FROM message")
    await refund_receipt(sale.receipt_id, None, key="back", actor=COMMAND, now=NOW + 2 * DAY)
    assert await db.fetch_value("SELECT count(*) FROM message") == said
    assert (await customer(person.id)).balance == 100_00
    await assert_books_agree(now=NOW + 2 * DAY)


async def test_twice_is_once_and_a_name_for_nobody(place):
    person = await a_customer()
    await erased(person.id)
    await erased(person.id, now=NOW + 2 * DAY)
    acts = "SELECT count(*) FROM journal_entry WHERE action = 'customer.erased' AND subject_id = $1"
    assert await db.fetch_value(acts, person.id) == 1
    assert (await customer(person.id)).name == ERASED_NAME
    assert await find_by_card_number(person.card_number) is None
    with pytest.raises(NotFound):
        await erased(10**9)
    with pytest.raises(NotFound):
        await a_sale(person.id, place, 100_00, now=NOW + 2 * DAY)


async def test_whoever_comes_back_is_new_and_gets_no_gift_twice(place):
    await a_programme(birthday_bonus=30_00, birthday_days_before=0)
    born = date(1990, 3, 10)
    person = await a_customer(phone=PHONE, birthday=born)
    await db.execute("UPDATE customer SET birthday_set_at = $1", NOW - 30 * DAY)
    await grant_welcome(person.id, actor=COMMAND, now=NOW)
    assert await grant_birthdays(actor=JOB, now=NOW) == 1
    await erased(person.id)
    assert await find_by_phone(PHONE) is None
    back = await a_customer(phone=PHONE, birthday=born)
    await db.execute("UPDATE customer SET birthday_set_at = $1", NOW - 30 * DAY)
    assert back.id != person.id
    assert await grant_welcome(back.id, actor=COMMAND, now=NOW + 2 * DAY) == 0
    assert await grant_birthdays(actor=JOB, now=NOW + 2 * DAY) == 0
    assert (await customer(back.id)).balance == 0


async def test_what_was_had_before_the_phone_was_known_is_remembered_by_it(place):
    person = await a_customer(phone="+79165550122")
    await db.execute("UPDATE customer SET phone = NULL WHERE id = $1", person.id)
    await grant_welcome(person.id, actor=COMMAND, now=NOW)
    await db.execute("UPDATE customer SET phone = $2 WHERE id = $1", person.id, PHONE)
    await erased(person.id)
    assert await grant_welcome((await a_customer(phone=PHONE)).id, actor=COMMAND, now=NOW + DAY) == 0


async def test_what_waits_is_not_sent_and_what_is_set_aside_is_let_go(place):
    person = await a_customer(bonuses=100_00)
    chat = await an_account(person.id)
    waiting = await a_message(chat, "soon", status="queued")
    draft = ReceiptDraft(ReceiptSource.TILL, place, "hold", person.id, 1000_00, 50_00)
    await place_hold(draft, ask=False, actor=COMMAND, now=NOW)
    await erased(person.id, now=NOW)
    assert await db.fetch_value("SELECT status FROM message WHERE id = $1", waiting) == "cancelled"
    assert await db.fetch_value("SELECT state FROM hold") == "voided"
    await assert_books_agree()


async def test_merged_cards_go_with_their_survivor(place):
    one, two = await a_customer(name=WORD, phone=PHONE), await a_customer(name=f"{WORD} B", phone=OLD_PHONE)
    await an_account(one.id, name=WORD)
    merge_id = await merge_cards(one.id, two.id, actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="card_was_merged"):
        await erased(one.id)
    await erased(two.id)
    assert await where_it_stands(*TOLD) == []
    with pytest.raises(Refused, match="card_was_erased"):
        await undo_merge(merge_id, actor=COMMAND, now=NOW + DAY)
    await assert_books_agree(now=NOW + DAY)


async def test_nobody_erases_themselves_at_the_till(place):
    person = await a_customer(phone=PHONE)
    with pytest.raises(Refused, match="own_account"):
        await erase_customer(person.id, actor=Actor(ActorKind.STAFF, None, PHONE), now=NOW)


async def test_one_more_word_is_said_before_the_chat_is_forgotten(place):
    person = await a_customer()
    chat = await an_account(person.id, name=WORD, username=WORD)
    await db.execute("UPDATE messenger_account SET address = $2 WHERE id = $1", chat, ADDRESS)
    await erased(person.id, farewell=chat)
    assert await where_it_stands(WORD.lower()) == []
    goodbye = await a_message(chat, "bye", status="queued")
    assert await forget_addresses(now=NOW + 2 * DAY) == 0
    await db.execute("UPDATE message SET status = 'sent' WHERE id = $1", goodbye)
    assert await forget_addresses(now=NOW + 2 * DAY) == 1
    assert await forget_addresses(now=NOW + 2 * DAY) == 0
    assert await where_it_stands(*TOLD) == []
    await assert_books_agree(now=NOW + DAY)


async def test_somebody_who_writes_again_at_once_keeps_their_chat(place):
    person = await a_customer()
    chat = await an_account(person.id)
    await erased(person.id, farewell=chat)
    await db.execute(
        "UPDATE conversation SET heard_at = $2 WHERE account_id = $1", chat, NOW + DAY + timedelta(seconds=9)
    )
    assert await forget_addresses(now=NOW + 2 * DAY) == 0


HEAD = "Имя;Телефон;Почта\n"


@pytest.mark.parametrize("far", ["sent", "read", "checked", "done"])
async def test_what_a_file_said_about_them_goes_with_them_however_far_it_is(place, far):
    person = await a_customer(name=WORD, phone=PHONE)
    body = f"{HEAD}{WORD};8 {PHONE[2:]};{WORD}@example.com\nБорис;+79165550111;b@example.com\n".encode()
    someone = await a_cashier()
    import_id = await keep_file(Kind.CUSTOMERS, "a.csv", body, key="k", actor=someone, now=NOW)
    if far != "sent":
        await finish(import_id, now=NOW)
    if far in {"checked", "done"}:
        await check(import_id, ["name", "phone", "email"], Options(), actor=someone, now=NOW)
        await finish(import_id, now=NOW)
    if far == "done":
        await start(import_id, actor=someone, now=NOW)
        await finish(import_id, now=NOW)
    await erased(person.id)
    assert await where_it_stands(*TOLD) == []
    if far == "sent":
        assert await db.fetch_value("SELECT failure FROM file_import") == "file_was_forgotten"
        return
    if far == "read":
        await check(import_id, ["name", "phone", "email"], Options(), actor=someone, now=NOW)
        await finish(import_id, now=NOW)
    if far != "done":
        await start(import_id, actor=someone, now=NOW)
        await finish(import_id, now=NOW)
    assert await find_by_phone("+79165550111") is not None
    assert await find_by_phone(PHONE) is None
    await assert_books_agree(now=NOW + DAY)
