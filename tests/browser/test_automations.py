"""Somebody new is greeted: a ready-made automation is taken and switched on, and whoever registers then hears it."""

from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, check_accessible, check_no_sideways_scroll
from tests.browser.demo import IN_THE_DEMO, OWNER, QUESTIONS, hears, press, sign_in
from tests.browser.test_registration import register, someone

pytestmark = IN_THE_DEMO

NAME = "Лада Встречаева"
GREETING = "Лада, очень рады знакомству"


def test_whoever_registers_after_a_ready_made_greeting_is_switched_on_hears_it(open_at):
    panel = open_at("/login", DESKTOP, "en")
    sign_in(panel, OWNER)
    panel.goto("/settings/messaging")
    for field in ("quiet_from", "quiet_until"):
        panel.select_option(f"#{field}", "0")
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator("#toasts")).to_contain_text("Saved")
    panel.goto("/automations/new")
    check_accessible(panel)
    panel.get_by_role("button", name="Take it: Welcome").click()
    expect(panel.locator(".page-h")).to_contain_text("Welcome")
    panel.get_by_role("link", name="Edit").click()
    panel.get_by_role("button", name="Remove step 1").click()
    panel.fill("#\\31 -text-ru", GREETING.replace("Лада", "{first_name}"))
    check_accessible(panel)
    panel.locator("button.pri", has_text="Save").click()
    expect(panel.locator("main")).to_contain_text("очень рады знакомству")
    panel.get_by_role("button", name="Switch on").click()
    expect(panel.locator("#switch")).to_contain_text("In the last 90 days")
    panel.get_by_role("button", name="Yes, switch on").click()
    expect(panel.locator("#switch")).to_contain_text("What happened before does not count")
    chat = open_at("/simulator", PHONE, "ru")
    how = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": someone("telegram")}
    assert chat.evaluate("async (how) => (await fetch('/simulator/people', how)).ok", how)
    chat.goto("/simulator")
    register(chat, "telegram", NAME)
    for question in QUESTIONS:
        hears(chat, question)
        press(chat, "Пропустить")
    hears(chat, GREETING)
    panel.reload()
    expect(panel.locator("#rows")).to_contain_text(NAME)
    check_accessible(panel)
    panel.set_viewport_size(PHONE)
    check_no_sideways_scroll(panel)
