import asyncio
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.conversations.actions.again import send_again
from loyalty.conversations.actions.delivery import settle_failed
from loyalty.conversations.content import Content
from loyalty.conversations.queries import sent
from loyalty.conversations.queries.sent import Fate, SentFilters, Tally, sent_messages, sent_tallies
from loyalty.customers.actions.accounts import know_account, link_account, set_account_active, set_topics
from loyalty.errors import NotFound, Refused
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer, a_message, an_account


async def a_whatsapp_account(customer_id: int | None = None, *, heard_hours_ago: float = 1) -> int:
    account = await know_account("whatsapp", "79161112233", name="Анна", username=None, language="ru", now=NOW)
    if customer_id is not None:
        await link_account(account.id, customer_id, actor=COMMAND, now=NOW)
    await db.execute(
        "INSERT INTO conversation (account_id, session, last_message_at, heard_at) VALUES ($1, '{}', $2, $3)",
        account.id,
        NOW,
        NOW - timedelta(hours=heard_hours_ago),
    )
    return account.id


async def a_lost_message(
    account_id: int, status: str = "failed", *, kind: str = "receipt", topic: str = "service"
) -> int:
    message_id = await a_message(account_id, "Чек на 350 ₽", kind=kind, status=status, reason="rejected")
    await db.execute("UPDATE message SET priority = 1, topic = $2 WHERE id = $1", message_id, topic)
    return message_id


async def ids(filters: SentFilters | None = None) -> list[int]:
    return [message.id for message in (await sent_messages(filters or SentFilters())).messages]


# ------------------------------------------------------------------------------------------- the list


async def test_only_what_we_sent_is_listed_the_newest_first(database):
    account = await an_account()
    await a_message(account, "Алло")
    first = await a_message(account, "Здравствуйте", kind="staff", status="sent", now=NOW)
    # Written down later, but told as of before: a job keeps the moment at which it began.
    earlier = await a_message(account, "Чек", kind="receipt", status="sent", now=NOW - timedelta(minutes=1))
    assert await ids() == [first, earlier]


async def test_type_messenger_state_and_period_narrow_the_list(database):
    telegram, whatsapp = await an_account(), await a_whatsapp_account()
    staff = await a_message(telegram, "Да", kind="staff", status="sent", now=NOW - timedelta(days=9))
    lost = await a_lost_message(telegram)
    read = await a_message(whatsapp, "Чек", kind="receipt", status="read", now=NOW)
    waiting = await a_message(whatsapp, "Чек", kind="receipt", status="delayed", now=NOW)
    assert await ids(SentFilters(kind="staff")) == [staff]
    assert await ids(SentFilters(channel="whatsapp")) == [waiting, read]
    assert await ids(SentFilters(fate=Fate.FAILED)) == [lost]
    assert await ids(SentFilters(fate=Fate.WAITING)) == [waiting]
    assert await ids(SentFilters(since=NOW)) == [waiting, read, lost]
    assert await ids(SentFilters(until=NOW)) == [staff]
    assert await ids(SentFilters(kind="receipt", channel="telegram", fate=Fate.SENT)) == []


async def test_pages_follow_each_other_without_a_gap_though_many_were_sent_at_one_moment(database, monkeypatch):
    monkeypatch.setattr(sent, "ROWS", 2)
    account = await an_account()
    told = [await a_message(account, str(number), kind="bulk", status="sent") for number in range(5)]
    first = await sent_messages(SentFilters())
    second = await sent_messages(SentFilters(), before_id=first.next_before)
    third = await sent_messages(SentFilters(), before_id=second.next_before)
    pages = [[one.id for one in page.messages] for page in (first, second, third)]
    assert pages == [told[:2:-1], told[2:0:-1], told[:1]]
    assert third.next_before is None


async def test_what_is_rare_among_many_is_looked_for_a_part_at_a_time(database, monkeypatch):
    monkeypatch.setattr(sent, "LOOKED", 3)
    account = await an_account()
    rare = await a_message(account, "С днём рождения", kind="birthday", status="sent")
    for _ in range(4):
        await a_message(account, "Чек", kind="receipt", status="sent")
    page = await sent_messages(SentFilters(kind="birthday"))
    assert (page.messages, page.is_cut) == ([], True)
    page = await sent_messages(SentFilters(kind="birthday"), before_id=page.next_before)
    assert ([one.id for one in page.messages], page.next_before) == ([rare], None)


async def test_what_was_lost_is_found_however_long_ago(database, monkeypatch):
    monkeypatch.setattr(sent, "LOOKED", 3)
    account = await an_account()
    lost = await a_lost_message(account)
    for _ in range(4):
        await a_message(account, "Чек", kind="receipt", status="sent")
    assert await ids(SentFilters(fate=Fate.FAILED)) == [lost]
    tallies = await sent_tallies(SentFilters())
    assert tallies[Fate.FAILED] == Tally(1, is_least=False, is_told=True)
    assert tallies[Fate.SENT] == Tally(3, is_least=True, is_told=True)


async def test_messages_are_counted_by_what_became_of_them_whichever_state_is_looked_at(database):
    account = await a_whatsapp_account()
    for status in ("sent", "read", "read", "queued", "delayed", "failed"):
        await a_message(account, "Чек", kind="receipt", status=status)
    tallies = await sent_tallies(SentFilters(fate=Fate.READ, channel="whatsapp"))
    assert {fate.value: tally.count for fate, tally in tallies.items()} == {
        "waiting": 2, "sent": 1, "delivered": 0, "read": 2, "failed": 1, "unknown": 0, "cancelled": 0,
    }  # fmt: skip


async def test_above_so_many_nobody_counts_on(database, monkeypatch):
    monkeypatch.setattr(sent, "COUNTED", 2)
    account = await an_account()
    for _ in range(3):
        await a_message(account, "Чек", kind="receipt", status="sent")
    assert (await sent_tallies(SentFilters()))[Fate.SENT] == Tally(2, is_least=True, is_told=True)


async def test_telegram_tells_of_no_reading_so_none_is_counted(database):
    account = await an_account()
    await a_message(account, "Чек", kind="receipt", status="sent")
    assert not (await sent_tallies(SentFilters()))[Fate.READ].is_told
    await a_message(await a_whatsapp_account(), "Чек", kind="receipt", status="sent")
    assert (await sent_tallies(SentFilters()))[Fate.READ] == Tally(0, is_least=False, is_told=True)
    assert not (await sent_tallies(SentFilters(channel="telegram")))[Fate.DELIVERED].is_told


async def test_a_line_names_its_customer_and_the_account_of_nobody(database):
    customer = (await a_customer(name="Мария Орлова")).id
    known, nobodys = await an_account(customer, name="masha"), await an_account(name="Гость")
    await a_message(known, "Строка\nдругая", status="sent")
    await a_message(nobodys, "\n Раз", status="sent")
    guest, maria = (await sent_messages(SentFilters())).messages
    assert (maria.customer_id, maria.name, maria.words) == (customer, "Мария Орлова", "Строка")
    assert (guest.customer_id, guest.name, guest.words) == (None, "Гость", "Раз")


async def test_the_message_that_went_through_another_account_says_instead_of_which(database):
    customer = (await a_customer()).id
    telegram = await an_account(customer)
    whatsapp = await a_whatsapp_account(customer)
    lost = await a_lost_message(telegram, "sending")
    assert await settle_failed(lost, "blocked", now=NOW)
    instead, before = (await sent_messages(SentFilters())).messages
    assert (instead.account_id, instead.instead_of, instead.is_again) == (whatsapp, "telegram", False)
    assert before.is_replaced


async def test_lists_and_counts_walk_along_their_indexes(database):
    account = await an_account()
    await db.execute(
        "INSERT INTO message (account_id, channel, direction, kind, content, status, priority, created_at, attempts)"
        " SELECT $1, 'telegram', 'out', 'receipt', '{}', CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'sent' END, 1,"
        " $2::timestamptz - n * interval '1 minute', 0 FROM generate_series(1, 20000) n",
        account,
        NOW,
    )
    await db.execute("ANALYZE message")
    week = (NOW - timedelta(days=7), NOW, 0, None, None, None, None, sent.LOOKED)
    for sql, place, params in (
        (sent.PAGE, sent.PLACE, (*week, 51)),
        (sent.PAGE, sent.LOST_PLACE, (*week, 51)),
        (sent.COUNTS, sent.LOST_PLACE, week),
    ):
        plan = "\n".join(row["QUERY PLAN"] for row in await db.fetch(f"EXPLAIN {sql.format(place=place)}", *params))
        assert ("message_lost" if place == sent.LOST_PLACE else "message_told") in plan, plan
        assert "Seq Scan on message m" not in plan


# ------------------------------------------------------------------------------------------- sending again


@pytest.mark.parametrize("status", ["failed", "unknown"])
async def test_what_was_lost_is_sent_again_as_a_message_of_its_own(database, status):
    actor, account = await a_cashier(), await an_account((await a_customer()).id)
    lost = await a_lost_message(account, status)
    assert await send_again(lost, actor=actor, now=NOW)
    again = await db.fetch_row("SELECT * FROM message WHERE instead_of_id = $1", lost)
    assert again is not None
    assert (again["status"], again["account_id"], again["kind"], again["priority"]) == ("queued", account, "receipt", 1)
    assert Content.from_body(db.from_json(again["content"])).text == "Чек на 350 ₽"
    assert await db.fetch_value("SELECT status FROM message WHERE id = $1", lost) == status
    noted = await db.fetch_row("SELECT subject_id, details FROM journal_entry WHERE action = 'message.sent_again'")
    assert noted is not None
    assert (noted["subject_id"], db.from_json(noted["details"])) == (account, {"message": again["id"]})
    assert [(one.is_again, one.is_replaced) for one in (await sent_messages(SentFilters())).messages] == [
        (True, False),
        (False, True),
    ]


async def test_sending_again_twice_at_once_is_once(database):
    actor, account = await a_cashier(), await an_account((await a_customer()).id)
    lost = await a_lost_message(account)
    done = await asyncio.gather(*(send_again(lost, actor=actor, now=NOW) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]
    assert await db.fetch_value("SELECT count(*) FROM journal_entry WHERE action = 'message.sent_again'") == 1


async def test_what_went_through_another_account_is_not_sent_again(database):
    customer = (await a_customer()).id
    telegram = await an_account(customer)
    await a_whatsapp_account(customer)
    lost = await a_lost_message(telegram, "sending")
    await settle_failed(lost, "rejected", now=NOW)
    assert not await send_again(lost, actor=await a_cashier(), now=NOW)
    assert await db.fetch_value("SELECT count(*) FROM message WHERE instead_of_id = $1", lost) == 1


async def test_what_arrived_or_waits_is_not_lost(database):
    actor, account = await a_cashier(), await an_account()
    for status in ("sent", "read", "queued", "sending"):
        message_id = await a_message(account, "Да", kind="staff", status=status)
        with pytest.raises(Refused, match="not_lost"):
            await send_again(message_id, actor=actor, now=NOW)
    heard = await a_message(account, "Алло")
    for number in (heard, 10**6):
        with pytest.raises(NotFound, match="message"):
            await send_again(number, actor=actor, now=NOW)


async def test_nothing_is_sent_again_to_whom_it_may_not_be_sent(database):
    actor, customer = await a_cashier(), (await a_customer()).id
    account = await an_account(customer)
    lost = await a_lost_message(account)
    advertising = await a_lost_message(account, "unknown", kind="bulk", topic="marketing")
    with pytest.raises(Refused, match="no_consent"):
        await send_again(advertising, actor=actor, now=NOW)
    await set_topics(account, service=False, actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="not_taken"):
        await send_again(lost, actor=actor, now=NOW)
    await set_account_active(account, is_active=False, now=NOW)
    with pytest.raises(Refused, match="account_blocked"):
        await send_again(lost, actor=actor, now=NOW)
    assert await db.fetch_value("SELECT count(*) FROM message WHERE status = 'queued'") == 0


async def test_an_account_that_is_the_customers_no_more_is_sent_nothing_of_theirs(database):
    actor = await a_cashier()
    account = await an_account((await a_customer()).id)
    lost = await a_lost_message(account)
    await db.execute("UPDATE messenger_account SET customer_id = NULL, is_default = false WHERE id = $1", account)
    with pytest.raises(Refused, match="unlinked"):
        await send_again(lost, actor=actor, now=NOW)


async def test_after_a_day_of_silence_only_a_template_is_sent_again(database):
    actor, account = await a_cashier(), await a_whatsapp_account((await a_customer()).id, heard_hours_ago=25)
    lost = await a_lost_message(account)
    with pytest.raises(Refused, match="window_closed"):
        await send_again(lost, actor=actor, now=NOW)
    await db.execute(
        "INSERT INTO message_template (name, language, category, body, variables, status, kind, updated_at)"
        " VALUES ('receipt', 'ru', 'utility', 'Чек', '[]', 'approved', 'receipt', $1)",
        NOW,
    )
    assert await send_again(lost, actor=actor, now=NOW)
