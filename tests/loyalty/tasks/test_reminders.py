"""Reminders are given once, in the chat that their reader has linked."""

import asyncio
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.conversations.actions.reminding import remind_of_tasks, stop_reminding
from loyalty.conversations.content import Content
from loyalty.conversations.kinds.task_due import KIND
from loyalty.customers.actions.accounts import set_account_active
from loyalty.errors import Refused
from loyalty.ids import new_key
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.leaving import shut_account
from loyalty.office.queries.own_data import own_data
from loyalty.staff.actions import enable
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND, LANGUAGES, Role
from loyalty.tasks.actions import change_task, finish_task
from loyalty.tasks.actions.chats import link_chat, new_chat_code
from loyalty.tasks.actions.reminders import take_due_reminders
from loyalty.tasks.queries import TaskFilters, Viewer, staff_chat, staff_in_chat, task, tasks_page
from loyalty.tasks.rules import CODE_LIFETIME, Sight, TaskDraft
from tests.builders import NOW, a_colleague, a_customer, a_task, an_account, id_of

pytestmark = pytest.mark.usefixtures("database")
MINUTE = timedelta(minutes=1)
PANEL = "https://club.example.com"


async def linked(staff_id: int, account_id: int | None = None) -> int:
    """A chat in which somebody is reminded; its account."""
    account_id = account_id or await an_account()
    await link_chat(await new_chat_code(staff_id, now=NOW), account_id, now=NOW)
    return account_id


async def remind(now=NOW, limit=100):
    return await remind_of_tasks(panel=PANEL, now=now, limit=limit)


async def queued():
    rows = await db.fetch("SELECT account_id, content, status, priority, dedupe_key FROM message ORDER BY id")
    return [{**row, "content": Content.from_body(db.from_json(row["content"]))} for row in rows]


async def test_a_reminder_says_what_is_to_be_done_for_whom_and_by_when():
    marina, person = await a_colleague(language="ru"), await a_customer(name="Мария Соколова")
    account_id = await linked(id_of(marina))
    task_id = await a_task(
        "Позвонить", details="Не для чата", customer_id=person.id, assignee_id=id_of(marina),
        due_at=NOW + 60 * MINUTE, remind_at=NOW,
    )  # fmt: skip
    assert await remind(NOW - MINUTE) == 0
    assert await remind() == 1
    [message] = await queued()
    content = message["content"]
    assert content.text == (f"Задача: Позвонить\nСрок: 10 марта, 13:00\nКлиент: Мария\n{PANEL}/tasks/{task_id}")
    assert [(button.text, button.data) for row in content.buttons for button in row] == [
        ("Готово", f"task:done.{task_id}:0")
    ]
    assert (message["account_id"], message["status"], message["priority"]) == (account_id, "queued", 0)
    assert message["dedupe_key"] == f"task:{task_id}:{int(NOW.timestamp())}:{id_of(marina)}"
    assert (await task(task_id)).reminded_at == NOW
    assert await remind(NOW + MINUTE) == 0


async def test_what_is_not_known_leaves_no_line():
    marina = await a_colleague()
    await linked(id_of(marina))
    await a_task("Order beans", assignee_id=id_of(marina), remind_at=NOW)
    await remind_of_tasks(now=NOW, limit=10)
    [message] = await queued()
    assert message["content"].text == "Task: Order beans"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_it_with_the_same_variables(language):
    values = {name: f"<{name}>" for name in KIND.variables}
    assert all(value in KIND.text(language, values) for name, value in values.items() if name != "task")
    assert [data for _label, data in KIND.row(language, values)] == ["task:done.<task>:0"]


async def test_who_has_linked_no_chat_is_reminded_in_the_panel_alone():
    marina = await a_colleague()
    task_id = await a_task(assignee_id=id_of(marina), remind_at=NOW)
    assert await remind() == 1
    assert (await task(task_id)).reminded_at == NOW
    account_id = await linked(id_of(marina))
    await set_account_active(account_id, is_active=False, now=NOW)
    await a_task(assignee_id=id_of(marina), remind_at=NOW)
    assert await remind() == 1
    assert await queued() == []


async def test_nobodys_tasks_and_those_that_are_over_are_not_reminded_of_until_somebody_has_them():
    marina = await a_colleague()
    await linked(id_of(marina))
    free, over = await a_task(remind_at=NOW), await a_task(assignee_id=id_of(marina), remind_at=NOW)
    await finish_task(over, actor=marina, now=NOW)
    assert await remind() == 0
    await change_task(free, TaskDraft("Call back", "", None, id_of(marina), None, NOW), actor=COMMAND, now=NOW)
    assert await remind(NOW + MINUTE) == 1
    assert len(await queued()) == 1


async def test_whoever_gets_a_task_after_its_reminder_is_reminded_too():
    marina, dasha = await a_colleague(), await a_colleague(name="Dasha")
    accounts = [await linked(id_of(one)) for one in (marina, dasha)]
    task_id = await a_task(assignee_id=id_of(marina), remind_at=NOW)
    await remind()
    await change_task(task_id, TaskDraft("Call back", "", None, id_of(dasha), None, NOW), actor=COMMAND, now=NOW)
    await remind(NOW + MINUTE)
    assert [message["account_id"] for message in await queued()] == accounts


async def test_two_workers_at_once_remind_of_each_task_once():
    marina = await a_colleague()
    await linked(id_of(marina))
    for _ in range(20):
        await a_task(assignee_id=id_of(marina), remind_at=NOW)
    done = await asyncio.gather(*(remind(limit=8) for _ in range(6)))
    while sum(done) < 20:
        done.append(await remind(limit=8))
    assert sum(done) == 20
    assert len(await queued()) == 20


async def test_a_worker_that_dies_after_marking_has_reminded_nobody_and_nothing_is_lost():
    marina = await a_colleague()
    await linked(id_of(marina))
    task_id = await a_task(assignee_id=id_of(marina), remind_at=NOW)

    @db.use_case
    async def dies():
        await take_due_reminders(now=NOW, limit=10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await dies()
    assert (await task(task_id)).reminded_at is None
    assert await remind() == 1
    assert len(await queued()) == 1


async def test_what_an_erasure_has_emptied_is_neither_told_nor_kept():
    marina, person = await a_colleague(), await a_customer(name="Мария Соколова")
    await linked(id_of(marina))
    told = await a_task("Call Maria", customer_id=person.id, assignee_id=id_of(marina), remind_at=NOW)
    other = await a_task("Order beans", assignee_id=id_of(marina), remind_at=NOW)
    later = await a_task("Call Maria again", details="At home", customer_id=person.id, assignee_id=id_of(marina),
        remind_at=NOW + MINUTE)  # fmt: skip
    await remind()
    await erase_customer(person.id, actor=COMMAND, now=NOW)
    assert [(message["content"].text, message["status"]) for message in await queued()] == [
        ("", "cancelled"),
        (f"Task: Order beans\n{PANEL}/tasks/{other}", "queued"),
    ]
    for task_id in (told, later):
        found = await task(task_id)
        assert (found.title, found.details, found.is_open) == ("", "", True)
    await remind(NOW + MINUTE)
    assert len(await queued()) == 2


async def test_a_colleague_who_is_a_customer_too_reads_nothing_of_others_in_their_own_data():
    marina, herself = await a_colleague(), await a_customer(name="Марина")
    account_id = await linked(id_of(marina), await an_account(herself.id))
    await a_task("Call Maria", assignee_id=id_of(marina), remind_at=NOW)
    await remind()
    assert await db.fetch_value("SELECT customer_id FROM message WHERE account_id = $1", account_id) == herself.id
    document = await own_data(herself.id, now=NOW)
    assert "Call Maria" not in str(document)


# ------------------------------------------------------------------------------------------------ chats


async def test_a_code_links_a_chat_once():
    marina = await a_colleague()
    account_id = await an_account(name="Марина")
    code = await new_chat_code(id_of(marina), now=NOW)
    assert code not in str(await db.fetch("SELECT * FROM staff_chat"))
    person = await link_chat(code, account_id, now=NOW + CODE_LIFETIME - MINUTE)
    assert (person.id, person.name, person.language) == (id_of(marina), "Marina", "en")
    chat = await staff_chat(id_of(marina))
    assert chat is not None
    assert (chat.account_id, chat.account_name, chat.is_active, chat.code_expires_at) == (
        account_id, "Марина", True, None,
    )  # fmt: skip
    with pytest.raises(Refused) as caught:
        await link_chat(code, await an_account(), now=NOW)
    assert caught.value.reason == "link_code_is_wrong"
    [line] = (await journal_page(JournalFilters(subject_kind="staff", subject_id=id_of(marina)))).lines
    assert (line.action, line.staff_id, line.details) == (
        "staff.chat_linked", id_of(marina), {"account": account_id},
    )  # fmt: skip


async def test_a_code_ends_with_its_time_with_the_next_one_and_with_the_account():
    marina = await a_colleague()
    old = await new_chat_code(id_of(marina), now=NOW)
    new = await new_chat_code(id_of(marina), now=NOW)
    account_id = await an_account()
    for code, now in ((old, NOW), (new, NOW + CODE_LIFETIME), ("A" * 10, NOW)):
        with pytest.raises(Refused) as caught:
            await link_chat(code, account_id, now=now)
        assert caught.value.reason == "link_code_is_wrong"
    await db.execute("UPDATE staff_member SET is_active = false WHERE id = $1", id_of(marina))
    with pytest.raises(Refused):
        await link_chat(new, account_id, now=NOW)


async def test_of_two_chats_that_come_with_one_code_one_is_linked():
    marina = await a_colleague()
    accounts = [await an_account() for _ in range(4)]
    code = await new_chat_code(id_of(marina), now=NOW)
    came = await asyncio.gather(*(link_chat(code, one, now=NOW) for one in accounts), return_exceptions=True)
    assert sorted(type(one).__name__ for one in came) == ["LinkedStaff", "Refused", "Refused", "Refused"]


async def test_a_chat_is_one_colleagues():
    marina, dasha = await a_colleague(), await a_colleague(name="Dasha")
    account_id = await linked(id_of(marina))
    code = await new_chat_code(id_of(dasha), now=NOW)
    with pytest.raises(Refused) as caught:
        await link_chat(code, account_id, now=NOW)
    assert caught.value.reason == "account_of_colleague"
    # The code is not lost by that: it links another chat still.
    await link_chat(code, await an_account(), now=NOW)


async def test_letting_go_of_a_chat_sends_nothing_more_there():
    marina = await a_colleague()
    account_id = await linked(id_of(marina))
    await a_task(assignee_id=id_of(marina), remind_at=NOW)
    await remind()
    for _ in range(2):
        await stop_reminding(id_of(marina), actor=marina, now=NOW)
    assert await staff_in_chat(account_id) is None
    [message] = await queued()
    assert message["status"] == "cancelled"
    lines = (await journal_page(JournalFilters(subject_kind="staff", subject_id=id_of(marina)))).lines
    assert [line.action for line in lines] == ["staff.chat_unlinked", "staff.chat_linked"]


async def test_who_leaves_is_reminded_of_nothing_and_their_tasks_are_nobodys_until_they_are_back():
    owner, marina = await a_colleague(Role.OWNER), await a_colleague()
    account_id = await linked(id_of(marina))
    task_id = await a_task(assignee_id=id_of(marina), remind_at=NOW, key=new_key())
    await shut_account(id_of(marina), actor=owner, now=NOW)
    assert await staff_in_chat(account_id) is None
    assert await remind() == 0
    viewer = Viewer(id_of(owner), Sight.FREE)
    free, _more = await tasks_page(viewer, TaskFilters(is_free=True), now=NOW, zone="Europe/Moscow")
    assert [(one.id, one.is_free, one.assignee_name) for one in free] == [(task_id, True, "Marina")]
    await enable(id_of(marina), actor=owner, now=NOW)
    assert (await tasks_page(viewer, TaskFilters(is_free=True), now=NOW, zone="Europe/Moscow"))[0] == []
