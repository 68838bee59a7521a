"""Colleagues in the chat: a code links it, a tap marks a task done; whoever is no customer is not made one by that."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from bot.channels.base import Event, EventKind
from bot.dialogs.engine import step_for
from bot.dialogs.staff_tasks import HIDDEN, TRIES
from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.actions.arrivals import store_updates
from loyalty.conversations.actions.reminding import remind_of_tasks, stop_reminding
from loyalty.conversations.actions.turns import Sender, take_turn
from loyalty.conversations.content import Content
from loyalty.conversations.queries import oldest_updates
from loyalty.conversations.queries.inbox import people_named
from loyalty.conversations.rules import Arrived
from loyalty.staff.rules import COMMAND, Role
from loyalty.tasks.actions import cancel_task, change_task, finish_task
from loyalty.tasks.actions.chats import new_chat_code
from loyalty.tasks.queries import staff_chat, task
from loyalty.tasks.rules import CODE_LIFETIME, TaskDraft, TaskState
from tests.bot.conftest import bot_message, register, tap
from tests.bot.dialogs.test_whatsapp import Chat as WhatsApp
from tests.builders import a_colleague, a_task, id_of

_numbers = count(8_100_000_000)
MINUTE = timedelta(minutes=1)


@dataclass
class Chat:
    """Somebody's chat with the bot in Telegram, one turn after the other."""

    name: str = "Марина"
    address: str = field(default_factory=lambda: str(next(_numbers)))
    answers: list[Content] = field(default_factory=list)
    ahead: timedelta = timedelta()

    async def does(self, kind: EventKind, **more: object) -> str:
        """One event and its turn; returns what was answered."""
        sender, source, now = Sender("telegram", self.address, self.name, None, "uk"), "telegram:1", system_now()
        now += self.ahead
        await store_updates(source, [Arrived(str(next(_numbers)), next(_numbers), self.address, b"{}")], now=now)
        [update] = await oldest_updates(source, self.address)
        event = Event(kind, sender, **more)  # type: ignore[arg-type]
        assert await take_turn(update, sender, step_for(event, now, lambda _: None), now=now)
        rows = await db.fetch("SELECT content FROM message WHERE dedupe_key LIKE $1 ORDER BY id", f"turn:{update.id}:%")
        self.answers = [Content.from_body(db.from_json(row["content"])) for row in rows]
        return "\n".join(answer.text for answer in self.answers)

    async def comes_by(self, code: str) -> str:
        return await self.does(EventKind.START, text=f"/start s_{code}")

    async def says(self, text: str) -> str:
        return await self.does(EventKind.TEXT, text=text)

    async def taps_done(self, task_id: int) -> str:
        return await self.does(EventKind.BUTTON, data=f"task:done.{task_id}:0")

    async def row(self) -> db.Row:
        """The account and its conversation."""
        found = await db.fetch_row(
            "SELECT a.id, a.customer_id, c.state, c.waiting_since, c.session FROM messenger_account a"
            " JOIN conversation c ON c.account_id = a.id WHERE a.address = $1",
            self.address,
        )
        assert found is not None
        return found


@pytest.fixture
def linked(shop) -> Callable[..., Any]:
    async def link(language: str | None = "en") -> tuple[int, Chat]:
        """A colleague and the chat that they have linked."""
        staff_id, chat = id_of(await a_colleague(language=language)), Chat()
        await chat.comes_by(await new_chat_code(staff_id, now=system_now()))
        return staff_id, chat

    return link


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Done, Marina: reminders"), ("uk", "Готово, Marina: нагадування"), (None, "Готово, Marina: напоминания")],
)
async def test_a_code_links_the_chat_in_the_language_of_the_panel(language, words):
    staff_id, chat = id_of(await a_colleague(language=language)), Chat()
    code = await new_chat_code(staff_id, now=system_now())
    assert words in await chat.comes_by(code.lower())
    found, row = await staff_chat(staff_id), await chat.row()
    assert found is not None
    assert found.account_id == row["id"]
    # Nobody was registered by it, nothing waits for staff, and the code stands nowhere.
    assert (row["customer_id"], row["state"], row["waiting_since"]) == (None, "bot", None)
    assert await db.fetch_value("SELECT count(*) FROM customer") == 0
    said = await db.fetch("SELECT content FROM message WHERE direction = 'in'")
    assert [db.from_json(one["content"]) for one in said] == [{"text": HIDDEN}]


async def test_what_a_colleague_writes_who_is_no_customer_is_neither_a_registration_nor_a_question(linked):
    _, chat = await linked()
    for text in ("ok", "/balance", "Баланс"):
        assert "This chat is for reminders" in await chat.says(text)
    await chat.does(EventKind.PHOTO, file_id="f", mime="image/jpeg")
    row = await chat.row()
    assert (row["state"], row["waiting_since"], db.from_json(row["session"])) == (
        "bot",
        None,
        db.from_json(row["session"]),
    )
    assert db.from_json(row["session"])["step"] == ""
    # Who wants to be a customer as well, says so.
    assert "Якою мовою" in await chat.does(EventKind.START, text="/start")
    assert "This chat is for reminders" not in await chat.says("Українська")


async def test_a_chat_of_a_colleague_is_no_stranger_in_the_inbox(linked):
    await linked()
    assert await people_named("Марина") == []


@pytest.mark.usefixtures("shop")
async def test_a_code_that_does_not_work_is_answered_clearly_and_begins_no_registration():
    staff_id, chat = id_of(await a_colleague()), Chat()
    code = await new_chat_code(staff_id, now=system_now() - CODE_LIFETIME)
    for wrong in (code, "ABCDEFGHJK", "short", "я" * 10):
        assert "Цей код не підходить" in await chat.comes_by(wrong)
    assert (await chat.row())["customer_id"] is None
    used = await new_chat_code(staff_id, now=system_now())
    await chat.comes_by(used)
    assert "Цей код не підходить" in await Chat().comes_by(used)


@pytest.mark.usefixtures("shop")
async def test_tries_are_counted_and_a_right_code_waits_with_the_wrong_ones():
    staff_id, chat = id_of(await a_colleague()), Chat()
    for _ in range(TRIES):
        await chat.comes_by("ABCDEFGHJK")
    code = await new_chat_code(staff_id, now=system_now())
    assert "Забагато кодів" in await chat.comes_by(code)
    found = await staff_chat(staff_id)
    assert found is not None
    assert found.account_id is None
    chat.ahead = 16 * MINUTE
    code = await new_chat_code(staff_id, now=system_now() + chat.ahead)
    assert "Done, Marina" in await chat.comes_by(code)


async def test_a_chat_is_one_colleagues(linked):
    _, chat = await linked()
    other = id_of(await a_colleague(name="Dasha"))
    assert "вже отримує нагадування ваш колега" in await chat.comes_by(await new_chat_code(other, now=system_now()))


@pytest.mark.usefixtures("shop")
async def test_whatsapp_is_no_place_for_reminders():
    staff_id, chat = id_of(await a_colleague()), WhatsApp("79175550101")
    code = await new_chat_code(staff_id, now=system_now())
    await chat.does(EventKind.START, text=f"/start s_{code}")
    assert "только в Telegram" in chat.text
    found = await staff_chat(staff_id)
    assert found is not None
    assert found.account_id is None


async def test_one_tap_marks_a_task_done_and_the_next_says_whose_it_was(linked):
    staff_id, chat = await linked()
    task_id = await a_task(assignee_id=staff_id)
    assert await chat.taps_done(task_id) == "Marked as done."
    done = await task(task_id)
    assert (done.state, done.closed_by_name) == (TaskState.DONE, "Marina")
    assert await chat.taps_done(task_id) == "It was done already: Marina."
    second = await a_task(assignee_id=staff_id)
    await finish_task(second, actor=COMMAND, now=system_now())
    assert await chat.taps_done(second) == "It was done already."
    third = await a_task(assignee_id=staff_id)
    await cancel_task(third, actor=COMMAND, now=system_now())
    assert await chat.taps_done(third) == "This task was cancelled meanwhile."


async def test_a_task_that_somebody_else_has_by_now_is_not_theirs_to_close(shop):
    cashier, chat = id_of(await a_colleague(Role.CASHIER)), Chat()
    await chat.comes_by(await new_chat_code(cashier, now=system_now()))
    task_id = await a_task(assignee_id=cashier)
    other = id_of(await a_colleague())
    await change_task(task_id, TaskDraft("Call back", assignee_id=other), actor=COMMAND, now=system_now())
    assert "not yours any more" in await chat.taps_done(task_id)
    assert "not yours any more" in await chat.taps_done(10**9)
    assert (await task(task_id)).is_open


async def test_the_button_is_the_linked_chats_alone(linked):
    staff_id, chat = await linked()
    task_id = await a_task(assignee_id=staff_id)
    await Chat().taps_done(task_id)
    await chat.does(EventKind.BUTTON, data="task:done.1x:0")
    await stop_reminding(staff_id, actor=COMMAND, now=system_now())
    await chat.taps_done(task_id)
    assert (await task(task_id)).is_open


async def test_a_customer_who_works_here_is_reminded_in_the_chat_with_their_card(live_bot, newcomer):
    person = newcomer("Марина")
    await register(person)
    staff_id = id_of(await a_colleague(language="ru"))
    person.start(f"s_{await new_chat_code(staff_id, now=system_now())}")
    await person.wait_for(bot_message("Готово, Marina"))
    task_id = await a_task("Заказать зёрна", assignee_id=staff_id, remind_at=system_now())
    assert await remind_of_tasks(panel="https://club.example.com", now=system_now(), limit=10) == 1
    message = await person.wait_for(bot_message("Задача: Заказать зёрна"))
    assert f"https://club.example.com/tasks/{task_id}" in message["text"]
    await tap(person, message, "Готово")
    await person.wait_for(bot_message("Отмечено как выполненное"))
    assert (await task(task_id)).state is TaskState.DONE
    # The rest of the chat is as it was.
    person.send("/balance")
    await person.wait_for(bot_message("бонус"))
