import asyncio
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.conversations.actions.canned import delete_canned_reply, restore_canned_reply, save_canned_reply
from loyalty.conversations.actions.staff import (
    add_note,
    assign,
    close,
    hand_back,
    hand_back_silent,
    mark_answered,
    mark_read,
    reopen,
    send_template,
    write_to,
)
from loyalty.conversations.answering import FILE_BYTES, SILENCE, Upload, filled_in, upload_of, with_first_name
from loyalty.conversations.queries.inbox import canned_replies
from loyalty.customers.actions.accounts import know_account, set_account_active
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.rules import Actor, ActorKind
from tests.builders import NOW, a_cashier, a_customer, a_waiting_chat, an_account

PNG = b"\x89PNG\r\n\x1a\n rest"
TEMPLATE = "Здравствуйте, {{1}}. Заказ {{2}} готов, {{1}}."


async def a_colleague(role: str = "support") -> Actor:
    actor = await a_cashier()
    await db.execute("UPDATE staff_member SET role = $2 WHERE id = $1", actor.staff_id, role)
    return Actor(ActorKind.STAFF, actor.staff_id)


async def a_whatsapp_chat(*, heard_hours_ago: float | None = 1) -> int:
    account = await know_account("whatsapp", "US.17", name="Анна", username=None, language="ru", now=NOW)
    heard_at = NOW - timedelta(hours=heard_hours_ago) if heard_hours_ago is not None else None
    await db.execute(
        "INSERT INTO conversation (account_id, session, last_message_at, heard_at) VALUES ($1, '{}', $2, $3)",
        account.id,
        NOW,
        heard_at,
    )
    return account.id


async def a_template(*, status: str = "approved") -> int:
    variables = [{"name": "first_name", "fallback": "гость"}, {"name": "order", "fallback": ""}]
    template_id: int = await db.fetch_value(
        "INSERT INTO message_template (name, language, category, body, variables, status, updated_at)"
        " VALUES ('ready', 'ru', 'utility', $1, $2::jsonb, $3, $4) RETURNING id",
        TEMPLATE,
        db.to_json(variables),
        status,
        NOW,
    )
    return template_id


async def standing(account_id: int) -> dict:
    row = await db.fetch_row(
        "SELECT state, assignee_id, staffed_at, unread, waiting_since FROM conversation WHERE account_id = $1",
        account_id,
    )
    assert row is not None
    return row


async def said(account_id: int, kind: str) -> list[dict]:
    rows = await db.fetch(
        "SELECT content, status, direction FROM message WHERE account_id = $1 AND kind = $2 ORDER BY id",
        account_id,
        kind,
    )
    return [{**row, "content": db.from_json(row["content"])} for row in rows]


async def test_whoever_answers_first_has_the_conversation_and_the_bot_falls_silent(database):
    account_id = await an_account()
    await a_waiting_chat(account_id, "Ау", now=NOW)
    first, second = await a_colleague(), await a_colleague()
    await write_to(account_id, "Слушаю", key="1", actor=first, now=NOW)
    later = NOW + timedelta(minutes=5)
    await write_to(account_id, "И я", key="2", actor=second, now=later)
    assert await standing(account_id) == {
        "state": "open",
        "assignee_id": first.staff_id,
        "staffed_at": NOW,
        "unread": 0,
        "waiting_since": None,
    }


async def test_of_two_who_answer_at_once_one_has_it_and_both_are_heard(database):
    account_id = await an_account()
    colleagues = [await a_colleague() for _ in range(4)]
    await asyncio.gather(
        *(write_to(account_id, f"Я {one.staff_id}", key=str(one.staff_id), actor=one, now=NOW) for one in colleagues)
    )
    assert len(await said(account_id, "staff")) == 4
    assert (await standing(account_id))["assignee_id"] in {one.staff_id for one in colleagues}


async def test_of_many_who_take_a_conversation_at_once_one_gets_it(database):
    account_id = await an_account()
    colleagues = [await a_colleague() for _ in range(5)]
    outcomes = await asyncio.gather(
        *(assign([account_id], one.staff_id, seen=None, actor=one, now=NOW) for one in colleagues),
        return_exceptions=True,
    )
    taken = [one for one in outcomes if isinstance(one, Refused)]
    assert len(taken) == 4
    assert {one.reason for one in taken} == {"conversation_taken"}
    winner = colleagues[outcomes.index(None)]
    assert (await standing(account_id))["assignee_id"] == winner.staff_id


async def test_a_conversation_goes_only_to_those_who_may_answer(database):
    account_id = await an_account()
    me, cashier, gone = await a_colleague(), await a_cashier(), await a_colleague()
    await db.execute("UPDATE staff_member SET is_active = false WHERE id = $1", gone.staff_id)
    for other in (cashier, gone):
        with pytest.raises(Invalid):
            await assign([account_id], other.staff_id, seen=None, actor=me, now=NOW)
    with pytest.raises(NotFound):
        await assign([account_id + 1], me.staff_id, seen=None, actor=me, now=NOW)
    await assign([account_id], me.staff_id, seen=None, actor=me, now=NOW)
    await assign([account_id], None, seen=me.staff_id, actor=me, now=NOW)
    assert (await standing(account_id))["assignee_id"] is None


@pytest.mark.parametrize("leave", [close, hand_back])
async def test_the_bot_says_that_it_is_back_where_a_person_had_answered(database, leave):
    answered, looked_at = await an_account(), await an_account()
    me = await a_colleague()
    await write_to(answered, "Слушаю", key="1", actor=me, now=NOW)
    await reopen([looked_at], actor=me, now=NOW)
    for account_id in (answered, looked_at):
        for _ in range(2):
            await leave([account_id], actor=me, now=NOW)
    assert [line["content"]["text"] for line in await said(answered, "reply")] == [
        "Здесь снова отвечает бот. Чтобы позвать человека, просто напишите."
    ]
    assert await said(looked_at, "reply") == []
    after = await standing(answered)
    assert (after["state"], after["staffed_at"]) == ("closed" if leave is close else "bot", None)
    assert after["assignee_id"] == (me.staff_id if leave is close else None)


async def test_the_bot_does_not_say_so_where_nothing_can_be_sent(database):
    blocked, late = await an_account(), await a_whatsapp_chat(heard_hours_ago=23)
    me = await a_colleague()
    for account_id in (blocked, late):
        await write_to(account_id, "Слушаю", key=str(account_id), actor=me, now=NOW)
    await set_account_active(blocked, is_active=False, now=NOW)
    await close([blocked], actor=me, now=NOW)
    await close([late], actor=me, now=NOW + timedelta(hours=2))
    assert await said(blocked, "reply") == await said(late, "reply") == []


async def test_a_person_with_two_chats_is_done_with_in_both(database):
    person = await a_customer()
    one, other, untouched = [await an_account(person.id) for _ in range(3)]
    me = await a_colleague()
    await a_waiting_chat(one, "Ау", now=NOW)
    await a_waiting_chat(other, "Ау?", now=NOW)
    await mark_read([one, other, untouched])
    assert [(await standing(each))["unread"] for each in (one, other)] == [0, 0]
    await mark_answered([one, other, untouched], actor=me, now=NOW)
    await close([one, other, untouched], actor=me, now=NOW)
    states = [(await standing(each))["state"] for each in (one, other, untouched)]
    assert states == ["closed", "closed", "bot"]


async def test_a_note_is_never_sent_and_wakes_nobody(database):
    account_id = await an_account()
    me = await a_colleague()
    for _ in range(2):
        await add_note(account_id, "Постоянный гость", key="n", actor=me, now=NOW)
    (note,) = await said(account_id, "note")
    assert (note["direction"], note["status"]) == ("log", "received")
    after = await standing(account_id)
    assert (after["state"], after["staffed_at"]) == ("bot", None)


async def test_a_conversation_in_which_staff_fell_silent_goes_back_to_the_bot(database):
    silent, fresh, waiting = [await an_account() for _ in range(3)]
    me = await a_colleague()
    for account_id in (silent, fresh, waiting):
        await write_to(account_id, "Слушаю", key=f"a{account_id}", actor=me, now=NOW)
    later = NOW + SILENCE
    await write_to(fresh, "Ещё", key="b", actor=me, now=later - timedelta(minutes=1))
    await a_waiting_chat(waiting, "Ну как?", now=NOW + timedelta(hours=1))
    assert await hand_back_silent(now=later - timedelta(seconds=1), limit=10) == 0
    assert await hand_back_silent(now=later, limit=10) == 2
    assert await hand_back_silent(now=later, limit=10) == 0
    assert [(await standing(each))["state"] for each in (silent, fresh, waiting)] == ["bot", "open", "open"]
    assert (await standing(waiting))["waiting_since"] is not None
    assert [len(await said(each, "reply")) for each in (silent, fresh, waiting)] == [1, 0, 1]


async def test_a_file_is_sent_once_however_often_its_form_is(database):
    account_id = await an_account()
    me = await a_colleague()
    upload = upload_of("меню.png", PNG)
    for _ in range(2):
        await write_to(account_id, "", upload=upload, key="k", actor=me, now=NOW)
    (line,) = await said(account_id, "staff")
    assert set(line["content"]) == {"attachment"}
    kept = await db.fetch("SELECT id, name, mime, size FROM attachment")
    assert kept == [{"id": line["content"]["attachment"], "name": "меню.png", "mime": "image/png", "size": len(PNG)}]


async def test_words_under_a_file_are_as_short_as_the_messenger_wants_them(database):
    account_id = await an_account()
    upload, me = Upload("a.pdf", "application/pdf", b"%PDF"), await a_colleague()
    with pytest.raises(Invalid) as refused:
        await write_to(account_id, "я" * 1025, upload=upload, key="k", actor=me, now=NOW)
    assert refused.value.details == {"limit": 1024}
    assert await db.fetch("SELECT FROM attachment") == []


async def test_whatsapp_takes_free_words_for_a_day_and_no_webp(database):
    account_id = await a_whatsapp_chat(heard_hours_ago=23)
    me = await a_colleague()
    await write_to(account_id, "Успели", key="1", actor=me, now=NOW)
    webp = Upload("a.webp", "image/webp", b"RIFF")
    with pytest.raises(Invalid):
        await write_to(account_id, "", upload=webp, key="2", actor=me, now=NOW)
    with pytest.raises(Refused) as refused:
        await write_to(account_id, "Опоздали", key="3", actor=me, now=NOW + timedelta(hours=1))
    assert refused.value.reason == "window_closed"
    await db.execute("UPDATE conversation SET heard_at = NULL")
    with pytest.raises(Refused):
        await write_to(account_id, "Ничего не слышали", key="4", actor=me, now=NOW)


async def test_a_template_opens_a_closed_window_with_its_variables_filled_in(database):
    account_id = await a_whatsapp_chat(heard_hours_ago=48)
    me, template_id = await a_colleague(), await a_template()
    with pytest.raises(Invalid) as refused:
        await send_template(account_id, template_id, {"first_name": "Анна"}, key="k", actor=me, now=NOW)
    assert refused.value.field == "order"
    typed = {"order": " {{1}}\n 17 ", "first_name": ""}
    for _ in range(2):
        await send_template(account_id, template_id, typed, key="k", actor=me, now=NOW)
    (line,) = await said(account_id, "staff")
    assert line["content"] == {
        "text": "Здравствуйте, гость. Заказ {{1}} 17 готов, гость.",
        "template": template_id,
        "values": {"first_name": "гость", "order": "{{1}} 17"},
    }
    with pytest.raises(Refused):
        await send_template(await an_account(), template_id, typed, key="x", actor=me, now=NOW)
    await db.execute("UPDATE message_template SET status = 'paused'")
    with pytest.raises(NotFound):
        await send_template(account_id, template_id, typed, key="y", actor=me, now=NOW)


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("a.pdf", b"", "file_is_empty"),
        ("a.svg", b"<svg onload=alert(1)>", "not_a_file_we_send"),
        ("a.png", b"<html>", "not_a_file_we_send"),
        ("a.html", b"<html>", "not_a_file_we_send"),
        ("a", b"x", "not_a_file_we_send"),
        ("a.png", PNG + bytes(5 * 2**20), "file_too_large"),
        ("a.pdf", bytes(FILE_BYTES + 1), "file_too_large"),
    ],
)
def test_what_is_no_picture_nor_paper_is_not_sent(name, body, reason):
    with pytest.raises(Invalid) as refused:
        upload_of(name, body)
    assert refused.value.reason == reason


def test_a_file_is_what_it_begins_with_and_called_by_its_last_name():
    assert upload_of("report.pdf", PNG).mime == "image/png"
    assert upload_of(r"C:\secret\price.pdf", b"x").name == "price.pdf"
    assert upload_of("../../etc/a\n.pdf", b"x").name == "a.pdf"
    assert len(upload_of("я" * 300 + ".pdf", b"x").name) == 120


def test_ready_words_say_the_name_or_leave_it_out():
    assert with_first_name("Здравствуйте, {first_name}! Ждём", "Анна Павлова") == "Здравствуйте, Анна! Ждём"
    assert with_first_name("Здравствуйте, {first_name}! Ждём", "") == "Здравствуйте! Ждём"
    assert with_first_name("{first_name}", "{first_name}") == "{first_name}"


def test_a_value_of_a_template_is_never_looked_into():
    assert filled_in("{{1}} {{2}} {{3}}", ["{{2}}", "b"]) == "{{2}} b {{3}}"


async def test_ready_answers_are_kept_changed_deleted_and_brought_back(database):
    me = await a_colleague()
    first = await save_canned_reply(None, "  Часы работы ", "С 8 до 22", actor=me, now=NOW)
    with pytest.raises(Invalid) as refused:
        await save_canned_reply(None, "часы РАБОТЫ", "С 9", actor=me, now=NOW)
    assert (refused.value.field, refused.value.reason) == ("title", "title_taken")
    await save_canned_reply(first, "Часы", "С 9 до 21", actor=me, now=NOW)
    await delete_canned_reply(first, actor=me, now=NOW)
    assert await canned_replies() == []
    second = await save_canned_reply(None, "Часы", "Круглые сутки", actor=me, now=NOW)
    with pytest.raises(Refused):
        await restore_canned_reply(first, actor=me, now=NOW)
    await delete_canned_reply(second, actor=me, now=NOW)
    await restore_canned_reply(first, actor=me, now=NOW)
    assert [(one.title, one.text) for one in await canned_replies()] == [("Часы", "С 9 до 21")]
    with pytest.raises(NotFound):
        await delete_canned_reply(second, actor=me, now=NOW)
