"""Tasks: made beside a card, seen in the list, ticked off and taken back, by mouse, by keys and without scripts."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

OWNER, CASHIER = "tasks-owner@example.com", "tasks-cashier@example.com"


@pytest.fixture(scope="module")
def shop(site) -> dict[str, int]:
    """Somebody to whom things are promised, who makes tasks, and a cashier who has one."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role
        from loyalty.tasks.actions import add_task
        from loyalty.tasks.rules import TaskDraft, TaskOrigin

        now = system_now() - timedelta(minutes=1)
        for email, role in ((OWNER, Role.OWNER), (CASHIER, Role.CASHIER)):
            token = await invite(email, "Вера Дельная", role, None, actor=COMMAND, now=now)
            made[role.value] = (await accept_invitation(token, PASSWORD, now=now)).id
        profile = Profile("Ирма Задачина", "+79160019510", None, None, None, "ru", None)
        made["person"] = (await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)).id
        told = (
            TaskDraft("Отдать зонт", "У кассы", made["person"], made["cashier"], now - timedelta(hours=2)),
            TaskDraft("Заказать стаканы", assignee_id=made["owner"], due_at=now - timedelta(days=1)),
            TaskDraft("Поменять вывеску", assignee_id=made["owner"]),
        )
        for number, draft in enumerate(told):
            await add_task(draft, key=f"browser-{number}", origin=TaskOrigin.HAND, actor=COMMAND, now=now)

    site.do(fill)
    return made


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_tasks(open_page, shop, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"), OWNER)
    for path in ("/tasks", "/tasks?show=all", "/tasks/new", f"/customers/{shop['person']}", "/account"):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)
    page.goto("/tasks")
    page.locator(".page-h .btn.pri").click()
    expect(page.locator("#title")).to_be_focused()
    check_accessible(page)
    check_no_sideways_scroll(page)


def test_a_task_is_made_from_a_card_seen_in_the_list_ticked_off_and_taken_back(page, shop):
    sign_in(page, OWNER)
    page.goto(f"/customers/{shop['person']}")
    page.locator("#open-tasks").get_by_role("link", name="Add a task").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What is to be done").fill("Позвонить Ирме")
    expect(dialog.get_by_role("radio", name=re.compile("Ирма Задачина"))).to_be_checked()
    dialog.get_by_label("Reminder", exact=True).select_option("at_due")
    expect(dialog.get_by_label("Day of the reminder")).to_be_hidden()
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.locator("#remind-error")).to_have_text(re.compile("Say when the task is due"))
    dialog.get_by_label("By which day").fill(f"{system_now() + timedelta(days=3):%Y-%m-%d}")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#open-tasks .task", has_text="Позвонить Ирме")).to_be_visible()
    page.goto("/tasks")
    row = page.locator("#rows .task", has_text="Позвонить Ирме")
    expect(row).to_contain_text("Ирма Задачина")
    row.get_by_role("button").click()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row).to_be_visible()


def test_keys_move_tick_off_and_open(page, shop):
    sign_in(page, OWNER)
    page.goto("/tasks")
    late = page.locator("#rows .task", has_text="Заказать стаканы")
    page.keyboard.press("j")
    expect(late).to_have_attribute("data-current", "")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What is to be done").fill("Заказать стаканы и крышки")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(late).to_contain_text("и крышки")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(late).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(late).to_be_visible()


def test_a_cashier_ticks_off_what_is_theirs_on_a_phone(open_page, shop):
    page = sign_in(open_page(viewport=PHONE), CASHIER)
    page.goto("/tasks")
    expect(page.get_by_role("link", name="Add a task")).to_have_count(0)
    page.locator("#rows .who", has_text="Отдать зонт").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("У кассы")
    check_accessible(page)
    dialog.get_by_role("button", name="Mark as done").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#tabpanel")).to_contain_text("Nothing to do")
    page.get_by_role("tab", name="Done").click()
    expect(page.locator("#rows .task.over")).to_contain_text("Отдать зонт")


def test_without_scripts_a_customer_is_found_and_a_task_made(open_page, shop):
    page = sign_in(open_page(scripts=False), OWNER)
    page.goto("/tasks/new?back=/tasks%3Fshow%3Dall")
    page.get_by_label("What is to be done").fill("Без скриптов")
    page.get_by_label("Search customers").fill("Задачина")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_label("What is to be done")).to_have_value("Без скриптов")
    page.get_by_role("radio", name=re.compile("Ирма Задачина")).check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page).to_have_url(re.compile(r"/tasks\?show=all$"))
    row = page.locator("#rows .task", has_text="Без скриптов")
    expect(row).to_contain_text("Ирма Задачина")
    row.get_by_role("button").click()
    expect(row).to_have_count(0)
