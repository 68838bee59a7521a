"""Tasks are made once, change, end, begin again; who leaves leaves none behind."""

import asyncio
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.merging import merge_cards
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND, JOB
from loyalty.tasks.actions import add_task, cancel_task, change_task, finish_task, reopen_task
from loyalty.tasks.queries import task
from loyalty.tasks.rules import TaskDraft, TaskOrigin, TaskState
from tests.builders import NOW, a_colleague, a_customer, a_task

pytestmark = pytest.mark.usefixtures("database")
HOUR = timedelta(hours=1)


async def journal(**subject):
    found = await journal_page(JournalFilters(**subject))
    return [line for line in found.lines if line.action.startswith("task.")]


async def acts(task_id):
    return [line.action for line in await journal(subject_kind="task", subject_id=task_id)]


async def shut(staff_id):
    await db.execute("UPDATE staff_member SET is_active = false WHERE id = $1", staff_id)


async def test_a_task_is_as_it_was_told():
    maker, person = await a_colleague(), await a_customer()
    colleague = await a_colleague(name="Dasha")
    task_id = await a_task(
        " Call\u200b back ",
        details="About the cake",
        customer_id=person.id,
        assignee_id=colleague.staff_id,
        due_at=NOW + HOUR,
        remind_at=NOW,
        actor=maker,
        origin=TaskOrigin.INBOX,
    )
    made = await task(task_id)
    assert (made.title, made.details, made.customer_name) == ("Call back", "About the cake", person.name)
    assert (made.assignee_name, made.created_by_name, made.origin) == ("Dasha", "Marina", TaskOrigin.INBOX)
    assert (made.due_at, made.remind_at, made.reminded_at) == (NOW + HOUR, NOW, None)
    assert (made.state, made.closed_at) == (TaskState.OPEN, None)
    [line] = await journal(subject_kind="customer", subject_id=person.id)
    assert (line.action, line.staff_id) == ("task.added", maker.staff_id)
    assert line.details == {"task": task_id, "origin": "inbox", "assignee": colleague.staff_id}


async def test_the_same_key_makes_a_task_once():
    draft = TaskDraft("First")
    first = await add_task(draft, key="survey:1", origin=TaskOrigin.SURVEY, actor=JOB, now=NOW)
    again = await add_task(TaskDraft("Second"), key="survey:1", origin=TaskOrigin.SURVEY, actor=JOB, now=NOW + HOUR)
    assert again == first
    assert (await task(first)).title == "First"
    assert await acts(first) == ["task.added"]


async def test_two_who_come_with_one_key_at_once_make_one_task():
    person = await a_customer()
    made = await asyncio.gather(*(a_task(key="k", customer_id=person.id) for _ in range(6)))
    assert len(set(made)) == 1
    assert await db.fetch_value("SELECT count(*) FROM task") == 1
    assert len(await journal(subject_kind="customer", subject_id=person.id)) == 1


@pytest.mark.parametrize("key", ["", "x" * 81, "line\nbreak"])
async def test_what_cannot_be_a_key_is_refused(key):
    with pytest.raises(Invalid) as caught:
        await add_task(TaskDraft("x"), key=key, origin=TaskOrigin.HAND, actor=COMMAND, now=NOW)
    assert caught.value.field == "key"


async def test_a_task_for_a_merged_card_is_the_survivors():
    first, second = await a_customer(), await a_customer()
    await merge_cards(second.id, first.id, actor=COMMAND, now=NOW)
    task_id = await a_task(customer_id=second.id)
    assert (await task(task_id)).customer_id == first.id


async def test_there_are_no_tasks_for_nobody_and_for_the_erased():
    person = await a_customer()
    await erase_customer(person.id, actor=COMMAND, now=NOW)
    for customer_id in (person.id, 10**9):
        with pytest.raises(NotFound):
            await a_task(customer_id=customer_id)
    assert await db.fetch_value("SELECT count(*) FROM task") == 0


async def test_people_choose_an_assignee_who_works_here_and_what_machines_make_is_not_lost():
    gone = await a_colleague()
    await shut(gone.staff_id)
    for assignee in (gone.staff_id, 10**6):
        with pytest.raises(Invalid) as caught:
            await a_task(assignee_id=assignee)
        assert (caught.value.field, caught.value.reason) == ("assignee", "unknown_choice")
        made = await a_task(assignee_id=assignee, origin=TaskOrigin.AUTOMATION, actor=JOB)
        assert (await task(made)).assignee_id is None


async def test_a_change_is_kept_with_the_names_of_its_fields_and_the_same_again_is_nothing():
    person, colleague = await a_customer(), await a_colleague()
    task_id = await a_task(customer_id=person.id)
    draft = TaskDraft("Write back", "Soon", person.id, colleague.staff_id, NOW + HOUR, NOW)
    for _ in range(2):
        await change_task(task_id, draft, actor=colleague, now=NOW + HOUR)
    found = await task(task_id)
    assert (found.title, found.details, found.assignee_id) == ("Write back", "Soon", colleague.staff_id)
    assert (found.due_at, found.remind_at) == (NOW + HOUR, NOW)
    changed, _made = await journal(subject_kind="customer", subject_id=person.id)
    assert changed.details == {
        "task": task_id,
        "fields": ["assignee_id", "details", "due_at", "remind_at", "title"],
        "assignee": colleague.staff_id,
    }


async def test_a_new_time_and_a_new_assignee_are_reminded_of_anew():
    one, other = await a_colleague(), await a_colleague()
    task_id = await a_task(assignee_id=one.staff_id, remind_at=NOW)
    reminded = "UPDATE task SET reminded_at = $2 WHERE id = $1"
    for draft, is_kept in (
        (TaskDraft("Other words", "", None, one.staff_id, None, NOW), True),
        (TaskDraft("Other words", "", None, one.staff_id, None, NOW + HOUR), False),
        (TaskDraft("Other words", "", None, other.staff_id, None, NOW + HOUR), False),
    ):
        await db.execute(reminded, task_id, NOW)
        await change_task(task_id, draft, actor=COMMAND, now=NOW)
        assert ((await task(task_id)).reminded_at == NOW) is is_kept


async def test_a_task_goes_to_another_customer_and_to_none():
    first, second = await a_customer(), await a_customer()
    task_id = await a_task(customer_id=first.id)
    await change_task(task_id, TaskDraft("Call back", customer_id=second.id), actor=COMMAND, now=NOW)
    assert (await task(task_id)).customer_id == second.id
    await change_task(task_id, TaskDraft("Call back"), actor=COMMAND, now=NOW)
    assert (await task(task_id)).customer_id is None


async def test_an_assignee_who_has_left_may_stay_named_until_somebody_else_is():
    colleague = await a_colleague()
    task_id = await a_task(assignee_id=colleague.staff_id)
    await shut(colleague.staff_id)
    await change_task(task_id, TaskDraft("Other", assignee_id=colleague.staff_id), actor=COMMAND, now=NOW)
    assert (await task(task_id)).title == "Other"
    await change_task(task_id, TaskDraft("Other"), actor=COMMAND, now=NOW)
    with pytest.raises(Invalid):
        await change_task(task_id, TaskDraft("Other", assignee_id=colleague.staff_id), actor=COMMAND, now=NOW)


async def test_done_is_done_once_and_opened_again():
    one, other = await a_colleague(), await a_colleague()
    task_id = await a_task(actor=one)
    assert await finish_task(task_id, actor=one, now=NOW + HOUR) is True
    assert await finish_task(task_id, actor=other, now=NOW + 2 * HOUR) is False
    done = await task(task_id)
    assert (done.state, done.closed_at, done.closed_by_name) == (TaskState.DONE, NOW + HOUR, "Marina")
    for _ in range(2):
        await reopen_task(task_id, actor=other, now=NOW + 3 * HOUR)
    opened = await task(task_id)
    assert (opened.state, opened.closed_at, opened.closed_by_name) == (TaskState.OPEN, None, None)
    assert await acts(task_id) == ["task.reopened", "task.done", "task.added"]


async def test_what_is_over_must_be_opened_before_it_becomes_something_else():
    task_id = await a_task()
    assert await cancel_task(task_id, actor=COMMAND, now=NOW) is True
    assert await cancel_task(task_id, actor=COMMAND, now=NOW) is False
    for act in (
        finish_task(task_id, actor=COMMAND, now=NOW),
        change_task(task_id, TaskDraft("y"), actor=COMMAND, now=NOW),
    ):
        with pytest.raises(Refused) as caught:
            await act
        assert caught.value.reason == "task_is_over"
    await reopen_task(task_id, actor=COMMAND, now=NOW)
    await finish_task(task_id, actor=COMMAND, now=NOW)
    with pytest.raises(Refused):
        await cancel_task(task_id, actor=COMMAND, now=NOW)


@pytest.mark.parametrize("act", [finish_task, cancel_task, reopen_task])
async def test_what_is_not_there_is_not_found(act):
    with pytest.raises(NotFound):
        await act(10**9, actor=COMMAND, now=NOW)
    with pytest.raises(NotFound):
        await change_task(10**9, TaskDraft("x"), actor=COMMAND, now=NOW)


async def test_a_task_that_changes_while_its_card_is_merged_or_its_person_erased_stays_whole():
    for end in (merge_cards, erase_customer):
        kept, gone = await a_customer(), await a_customer()
        task_id = await a_task(customer_id=gone.id)
        ways = {merge_cards: (gone.id, kept.id), erase_customer: (gone.id,)}
        draft = TaskDraft("Changed", customer_id=gone.id)
        came = await asyncio.gather(
            change_task(task_id, draft, actor=COMMAND, now=NOW),
            end(*ways[end], actor=COMMAND, now=NOW),
            a_task("New", customer_id=gone.id),
            return_exceptions=True,
        )
        # Whoever is erased first has no task that anybody may write on.
        assert all(isinstance(one, NotFound) for one in came if isinstance(one, BaseException))
        rows = await db.fetch("SELECT customer_id, title FROM task WHERE customer_id = ANY($1)", [kept.id, gone.id])
        if end is merge_cards:
            assert {row["customer_id"] for row in rows} == {kept.id}
        else:
            assert {row["title"] for row in rows} == {""}
