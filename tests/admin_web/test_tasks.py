"""Tasks in the panel: whose one sees, making and changing them, one tap that marks them done."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest

from loyalty import db
from loyalty.office.actions.erasure import erase_customer
from loyalty.staff.rules import COMMAND, Role
from loyalty.tasks.queries import task
from loyalty.tasks.rules import TaskOrigin, TaskState
from tests.admin_web.conftest import START
from tests.builders import a_colleague, a_customer, a_location, a_task, an_account, id_of

HTMX = {"HX-Request": "true"}
DAY = timedelta(days=1)


async def text(panel, path, **more):
    answer = await panel.get(path, **more)
    assert answer.status == 200, path
    return unescape(await answer.text())


async def post(panel, path, htmx=True, **data):
    return await panel.post(path, data=data, headers=HTMX if htmx else {}, allow_redirects=False)


def titles(page: str) -> list[str]:
    return re.findall(r'class="who" href="/tasks/\d+[^>]*><bdi>([^<]*)</bdi>', page)


def counted(page: str) -> str:
    """How much the navigation says there is to do."""
    found = re.search(r'href="/tasks"[^>]*><svg.*?</svg>[^<]*<span class="cnt">(\d+)<', page, re.DOTALL)
    assert found is not None
    return found[1]


async def newest() -> int:
    found: int = await db.fetch_value("SELECT max(id) FROM task")
    return found


async def test_lists_say_whose_a_task_is_and_when_it_is_due(panel, sign_in_as):
    me = await sign_in_as(Role.MARKETER)
    dasha = id_of(await a_colleague(name="Dasha"))
    for title, after in (("Late", -DAY), ("Later", 3 * DAY), ("Today", timedelta(hours=1)), ("Whenever", None)):
        await a_task(title, assignee_id=me.id, due_at=START + after if after else None)
    await a_task("Of Dasha", assignee_id=dasha)
    await a_task("Of nobody")
    mine = await text(panel, "/tasks")
    assert titles(mine) == ["Late", "Today", "Later", "Whenever"]
    assert re.findall(r"<h2>([^<]*)</h2>", mine.partition('id="rows"')[2]) == [
        "Overdue",
        "Today",
        "Later",
        "Without a date",
    ]
    assert titles(await text(panel, "/tasks?show=free")) == ["Of nobody"]
    assert len(titles(await text(panel, "/tasks?show=all"))) == 6
    assert titles(await text(panel, f"/tasks?show=all&assignee={dasha}")) == ["Of Dasha"]
    assert titles(await text(panel, "/tasks?show=all&due=today")) == ["Today"]
    assert titles(await text(panel, f"/tasks?show=all&due=overdue&assignee={dasha}")) == []
    assert len(titles(await text(panel, "/tasks?show=all&due=never"))) == 6
    # What is late, and what is due today, stands beside the entry of the navigation.
    assert counted(mine) == "2"
    await a_task("To be thought of", assignee_id=me.id, due_at=START + 5 * DAY, remind_at=START)
    assert counted(await text(panel, "/tasks")) == "3"


async def test_pages_follow_each_other_past_tasks_without_a_date(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    await db.execute(
        "INSERT INTO task (key, title, due_at, state, origin, created_at, updated_at) SELECT 'k' || n, 'Task ' || n,"
        " CASE WHEN n <= 60 THEN $1::timestamptz + n * interval '1 hour' END, 'open', 'hand', $1, $1"
        " FROM generate_series(1, 130) n",
        START,
    )
    seen: list[str] = []
    path: str | None = "/tasks?show=all"
    while path:
        page = await text(panel, path)
        seen += titles(page)
        following = re.search(r'href="(/tasks\?[^"]*after=[^"]*)">Next', page)
        path = following[1] if following else None
    assert seen == [f"Task {n}" for n in range(1, 131)]
    assert len(titles(await text(panel, "/tasks?show=all&after=nonsense"))) == 50


async def test_an_analyst_sees_what_nobody_has_and_a_cashier_what_is_theirs(panel, sign_in_as):
    await a_task("Of nobody")
    await a_task("Of Dasha", assignee_id=id_of(await a_colleague(name="Dasha")))
    analyst = await sign_in_as(Role.ANALYST)
    await a_task("Of the analyst", assignee_id=analyst.id)
    assert titles(await text(panel, "/tasks")) == ["Of the analyst"]
    assert titles(await text(panel, "/tasks?show=free")) == ["Of nobody"]
    assert titles(await text(panel, "/tasks?show=all")) == ["Of the analyst"]
    assert "/tasks/new" not in await text(panel, "/tasks")
    cashier = await sign_in_as(Role.CASHIER)
    person = await a_customer(name="Анна")
    of_cashier = await a_task("Of the cashier", assignee_id=cashier.id, customer_id=person.id)
    page = await text(panel, "/tasks?show=free")
    assert titles(page) == ["Of the cashier"]
    assert "Анна" in page
    assert f"/customers/{person.id}" not in page
    look = await text(panel, f"/tasks/{of_cashier}")
    assert "Mark as done" in look
    assert "Cancel the task" not in look


async def test_others_tasks_are_not_there_for_who_does_not_see_them(panel, sign_in_as):
    task_id = await a_task(assignee_id=id_of(await a_colleague(name="Dasha")))
    await sign_in_as(Role.CASHIER)
    assert (await panel.get(f"/tasks/{task_id}")).status == 404
    for deed in ("done", "reopen"):
        assert (await post(panel, f"/tasks/{task_id}/{deed}")).status == 404
    assert (await task(task_id)).is_open


async def test_rights_for_a_location_reach_its_customers_tasks_ones_own_and_those_one_has_made(panel, sign_in_as):
    here, there = await a_location(), await a_location(name="Pokrovka")
    near, far = await a_customer(name="Near"), await a_customer(name="Far")
    for person, place in ((near, here), (far, there)):
        await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", person.id, place)
    me = await sign_in_as(Role.MARKETER, location_ids=[here])
    await a_task("Near", customer_id=near.id)
    hidden = await a_task("Far", customer_id=far.id)
    await a_task("Free of the chain")
    mine = await a_task("Far and mine", customer_id=far.id, assignee_id=me.id)
    await a_task("Made by me", customer_id=far.id, actor=me.actor)
    assert sorted(titles(await text(panel, "/tasks?show=all"))) == ["Far and mine", "Made by me", "Near"]
    assert (await panel.get(f"/tasks/{hidden}")).status == 404
    # Whose card they cannot open stays whom the task is about.
    form = await text(panel, f"/tasks/{mine}")
    assert re.search(rf'name="customer" value="{far.id}" checked', form)
    kept = {"title": "Changed", "customer": str(far.id), "assignee": str(me.id), "remind": "none"}
    answer = await post(panel, f"/tasks/{mine}", **kept)
    assert answer.status == 204
    assert (await task(mine)).customer_id == far.id
    assert (await post(panel, "/tasks", title="x", customer=str(far.id), assignee="", remind="none")).status == 422


async def test_a_task_is_made_from_a_card_in_the_shops_time(panel, sign_in_as):
    me = await sign_in_as(Role.SUPPORT)
    await db.execute("UPDATE shop SET time_zone = 'Asia/Yekaterinburg'")
    person = await a_customer(name="Анна Кузнецова")
    form = await text(panel, f"/tasks/new?customer={person.id}", headers=HTMX)
    assert re.search(rf'name="customer" value="{person.id}" checked', form)
    assert 'name="where" value="dialog"' in form
    [key] = re.findall(r'name="key" value="([^"]+)"', form)
    for _ in range(2):
        answer = await post(
            panel, "/tasks", key=key, where="dialog", title=" Call\u200b back ", details="About the cake",
            customer=str(person.id), assignee=str(me.id), day="2026-11-24", time="10:30", remind="hour_before",
        )  # fmt: skip
        assert answer.status == 200
        assert (answer.headers["HX-Retarget"], await answer.text()) == ("#dialog", "")
        told = json.loads(answer.headers["HX-Trigger"])
        assert (told["toast"]["text"], told["tasks"]) == ("The task is made.", True)
    assert await db.fetch_value("SELECT count(*) FROM task") == 1
    made = await task(await newest())
    assert (made.title, made.origin, made.created_by_id) == ("Call back", TaskOrigin.HAND, me.id)
    assert made.due_at is not None
    assert made.due_at.isoformat() == "2026-11-24T05:30:00+00:00"
    assert made.remind_at == made.due_at - timedelta(hours=1)
    card = await text(panel, f"/customers/{person.id}")
    assert titles(card) == ["Call back"]
    timeline = await text(panel, f"/customers/{person.id}?tab=timeline")
    assert "Task made" in timeline
    assert "Call back" in timeline


async def test_a_day_alone_is_due_in_the_evening_and_a_reminder_may_have_a_time_of_its_own(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    form = {"title": "x", "assignee": "", "customer": "", "day": "2026-11-24", "remind": "own", "own_day": "2026-11-23"}
    answer = await post(panel, "/tasks", htmx=False, **form, own_time="08:15", origin="inbox", back="/customers")
    assert (answer.status, answer.headers["Location"]) == (303, "/customers")
    made = await task(await newest())
    assert (made.origin, made.assignee_id) == (TaskOrigin.INBOX, None)
    assert made.due_at is not None
    assert made.remind_at is not None
    zone = await db.fetch_value("SELECT time_zone FROM shop")
    page = await text(panel, f"/tasks/{made.id}")
    assert zone
    for value in ('value="2026-11-24"', 'value="18:00"', 'value="2026-11-23"', 'value="08:15"'):
        assert value in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": " "}, "title"),
        ({"details": "x" * 4001}, "details"),
        ({"customer": "99999"}, "customer"),
        ({"customer": "x"}, "customer"),
        ({"assignee": "99999"}, "assignee"),
        ({"day": "soon"}, "day"),
        ({"day": "9999-12-31"}, "day"),
        ({"day": "0001-01-01", "time": "00:00"}, "day"),
        ({"day": "2026-11-24", "time": "25:00"}, "time"),
        ({"day": "2026-11-24", "time": "noon"}, "time"),
        ({"time": "10:00"}, "day"),
        ({"remind": "at_due"}, "remind"),
        ({"remind": "never"}, "remind"),
        ({"remind": "own"}, "own_day"),
        ({"remind": "own", "own_day": "2040-01-01"}, "own_day"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(panel, sign_in_as, wrong, field):
    await sign_in_as(Role.OWNER)
    form = {"title": "Typed before", "details": "", "customer": "", "assignee": "", "remind": "none", "where": "dialog"}
    answer = await post(panel, "/tasks", **(form | wrong))
    page = unescape(await answer.text())
    assert answer.status == 422
    assert re.findall(r'id="([a-z_]*)-error"', page) == [field]
    assert 'name="where" value="dialog"' in page
    assert "title" in wrong or 'value="Typed before"' in page
    assert await db.fetch_value("SELECT count(*) FROM task") == 0


async def test_one_tap_marks_done_and_undo_opens_it_again(panel, sign_in_as):
    me = await sign_in_as(Role.OWNER)
    task_id = await a_task(assignee_id=me.id)
    answer = await post(panel, f"/tasks/{task_id}/done", back="/tasks?show=mine")
    told = json.loads(answer.headers["HX-Trigger"])
    assert (answer.status, told["tasks"]) == (204, True)
    assert told["toast"] == {"text": "The task is done.", "undo": f"/tasks/{task_id}/reopen"}
    assert titles(await text(panel, "/tasks")) == []
    assert titles(await text(panel, "/tasks?show=over")) == ["Call back"]
    again = json.loads((await post(panel, f"/tasks/{task_id}/done")).headers["HX-Trigger"])
    assert again["toast"] == {"text": "It was done already."}
    assert (await post(panel, f"/tasks/{task_id}/reopen")).status == 204
    assert titles(await text(panel, "/tasks")) == ["Call back"]


async def test_without_scripts_one_comes_back_to_where_one_was(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    task_id = await a_task()
    answer = await post(panel, f"/tasks/{task_id}/done", htmx=False, back="/tasks?show=free")
    assert (answer.status, answer.headers["Location"]) == (303, "/tasks?show=free")
    assert f'data-undo-url="/tasks/{task_id}/reopen"' in await text(panel, "/tasks?show=free")
    elsewhere = await post(panel, f"/tasks/{task_id}/reopen", htmx=False, back="//evil.example")
    assert elsewhere.headers["Location"] == "/"


async def test_a_task_is_changed_cancelled_and_found_among_what_is_over(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    task_id = await a_task(details="Before")
    values = {"title": "After", "details": "", "customer": "", "assignee": "", "remind": "none", "where": "dialog"}
    assert (await post(panel, f"/tasks/{task_id}", **values)).status == 200
    assert ((await task(task_id)).title, (await task(task_id)).details) == ("After", "")
    assert (await post(panel, f"/tasks/{task_id}/cancel", where="dialog")).headers["HX-Retarget"] == "#dialog"
    assert (await task(task_id)).state is TaskState.CANCELLED
    refused = await post(panel, f"/tasks/{task_id}", **values | {"title": "Too late"})
    assert refused.status == 422
    assert "This task is over" in await refused.text()
    look = await text(panel, f"/tasks/{task_id}", headers=HTMX)
    assert "Open again" in look
    assert 'name="title"' not in look


async def test_a_customer_is_found_for_a_task_with_scripts_and_without(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    anna, _other = await a_customer(name="Анна Кузнецова"), await a_customer(name="Пётр")
    found = await text(panel, "/tasks/found?q=Кузн", headers=HTMX)
    assert re.findall(r'name="customer" value="(\d+)"', found) == [str(anna.id)]
    kept = await text(panel, f"/tasks/found?q=Пётр&customer={anna.id}", headers=HTMX)
    assert f'value="{anna.id}" checked' in kept
    assert "Пётр" in kept
    page = await text(panel, "/tasks/new?find=1&q=Кузн&title=Typed")
    assert 'value="Typed"' in page
    assert "Анна Кузнецова" in page
    assert (await panel.get("/tasks/new?customer=999999")).status == 200


async def test_the_words_of_an_erased_customer_are_gone_and_the_task_can_be_closed(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    person = await a_customer()
    task_id = await a_task("Call Maria", customer_id=person.id)
    await erase_customer(person.id, actor=COMMAND, now=START)
    look = await text(panel, f"/tasks/{task_id}")
    assert "The words were erased with the customer" in look
    assert 'name="title"' not in look
    assert (await post(panel, f"/tasks/{task_id}/done")).status == 204


async def test_a_conversation_leads_to_a_task_for_its_customer(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person = await a_customer()
    account = await an_account(person.id)
    page = await text(panel, f"/conversations/{account}")
    assert f'hx-get="/tasks/new?customer={person.id}&origin=inbox"' in page
    assert '<div id="dialog"></div>' in page
