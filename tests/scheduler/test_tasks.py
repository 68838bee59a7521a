"""The duty that reminds colleagues of their tasks."""

import pytest

from loyalty import db
from loyalty.tasks.actions.chats import link_chat, new_chat_code
from scheduler.jobs import task_jobs
from tests.builders import NOW, a_colleague, a_task, an_account, id_of

pytestmark = pytest.mark.usefixtures("database")


async def test_reminders_lead_to_the_panel_and_are_given_once_however_often_the_duty_comes():
    marina = id_of(await a_colleague())
    await link_chat(await new_chat_code(marina, now=NOW), await an_account(), now=NOW)
    task_id = await a_task(assignee_id=marina, remind_at=NOW)
    [job] = task_jobs("https://club.example.com")
    assert [await job.run(NOW) for _ in range(3)] == [1, 0, 0]
    [row] = await db.fetch("SELECT content->>'text' AS text FROM message")
    assert row["text"].endswith(f"https://club.example.com/tasks/{task_id}")
