"""How was it? Asked after a purchase in both messengers, answered there, and shown in the panel."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, check_accessible, check_no_sideways_scroll
from tests.browser.demo import CASHIER, IN_THE_DEMO, OWNER, QUESTIONS, TILL, hears, press, sign_in, write
from tests.browser.test_registration import register, someone

pytestmark = IN_THE_DEMO

PEOPLE = (("telegram", "Нина Опросова"), ("whatsapp", "Вера Опросова"))


def test_buyers_are_asked_in_both_messengers_and_the_panel_shows_what_they_answered(open_at):
    panel = open_at("/login", DESKTOP, "en")
    sign_in(panel, OWNER)
    ask_at_once(panel)
    till = open_at("/cashier", TILL, "en")
    sign_in(till, CASHIER)
    chats = {}
    for messenger, name in PEOPLE:
        chat = chats[messenger] = open_at("/simulator", PHONE, "ru")
        how = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": someone(messenger)}
        assert chat.evaluate("async (how) => (await fetch('/simulator/people', how)).ok", how)
        chat.goto("/simulator")
        register(chat, messenger, name)
        for question in QUESTIONS:
            hears(chat, question)
            # Typed, because buttons of answered questions stay where nothing can be changed.
            (press if messenger == "telegram" else write)(chat, "Пропустить")
        hears(chat, "Подарок за знакомство уже на карте")
        buy(till, card_of(panel, name))
        hears(chat, "Спасибо за покупку")
        hears(chat, "посоветуете ли вы нас друзьям?")
    in_telegram(chats["telegram"])
    in_whatsapp(chats["whatsapp"])
    see(panel)


def ask_at_once(panel: Page) -> None:
    """The programme without a delay, and no quiet hours: it may be night wherever the tests run."""
    panel.goto("/settings/messaging")
    for field in ("quiet_from", "quiet_until"):
        panel.select_option(f"#{field}", "0")
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator("#toasts")).to_contain_text("Saved")
    panel.goto("/surveys/programme")
    expect(panel.get_by_role("checkbox", name="Ask after purchases")).to_be_checked()
    panel.fill("#delay_hours", "0")
    panel.fill("#text-ru-thanks_promoter", "Обнимаем!")
    panel.locator("#preview").get_by_role("radio", name="Русский").check()
    expect(panel.locator("#preview")).to_contain_text("Обнимаем!")
    check_accessible(panel)
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator(".page-h")).to_contain_text("The bot asks right after a purchase")


def card_of(panel: Page, name: str) -> str:
    panel.goto(f"/customers?q={name}")
    panel.get_by_role("link", name=name).first.click()
    return "".join(sign for sign in panel.locator(".meta .num").nth(1).inner_text() if sign.isdigit())


def buy(till: Page, card_number: str) -> None:
    till.goto("/cashier")
    till.locator("#padval").fill(card_number)
    till.click("button.go")
    till.fill("#padval", "500")
    till.locator("#quote button.go").click()
    expect(till.locator(".pos-ok")).to_be_visible()


def in_telegram(chat: Page) -> None:
    """Buttons from 0 to 10; a comment; another score."""
    press(chat, "9")
    hears(chat, "Обнимаем!")
    hears(chat, "За ответ начислили 30 бонусов.")
    write(chat, "Кофе огонь, люди тоже")
    hears(chat, "мы читаем каждое слово")
    press(chat, "10")
    hears(chat, "теперь ваша оценка 10")
    check_accessible(chat)
    check_no_sideways_scroll(chat)


def in_whatsapp(chat: Page) -> None:
    """A list of ten lines, of which the last one asks back; and a typed number."""
    press(chat, "Выбрать")
    press(chat, "1 или 0")
    hears(chat, "Какая из двух?")
    press(chat, "1")
    hears(chat, "Нам жаль")
    write(chat, "3")
    hears(chat, "теперь ваша оценка 3")
    write(chat, "Долго ждала")
    hears(chat, "Мы передали это коллегам")
    check_no_sideways_scroll(chat)


def see(panel: Page) -> None:
    """The score, the comments with their people, the card, the filter, the task."""
    panel.goto("/surveys")
    for text in ("Кофе огонь, люди тоже", "Долго ждала", "Нина Опросова"):
        expect(panel.locator("#figures")).to_contain_text(text)
    panel.get_by_role("link", name="All answers").click()
    panel.get_by_role("link", name="Detractors", exact=True).click()
    expect(panel.locator("#results")).to_contain_text("Долго ждала")
    expect(panel.locator("#results")).not_to_contain_text("Кофе огонь")
    panel.get_by_role("link", name="Вера Опросова").click()
    expect(panel.get_by_role("tabpanel")).to_contain_text("Долго ждала")
    check_accessible(panel)
    panel.goto("/customers?f=nps:between:3..3,nps_at:in:last-0")
    expect(panel.locator("#rows")).to_contain_text("Вера Опросова")
    panel.goto("/tasks")
    panel.get_by_role("tab", name="Everybody's").click()
    expect(panel.get_by_role("tabpanel")).to_contain_text("NPS 1")


@pytest.mark.parametrize(("viewport", "locale"), [(DESKTOP, "en"), (PHONE, "ru")])
def test_the_pages_of_surveys_read_well(open_at, viewport, locale):
    panel = open_at("/login", viewport, locale)
    sign_in(panel, OWNER)
    for path in (
        "/surveys?period=12m",
        "/surveys?period=36m&location=999",
        "/surveys/answers?comment=1",
        "/surveys/programme",
        "/surveys/runs",
        "/surveys/runs/new?everybody=1",
    ):
        panel.goto(path)
        check_accessible(panel)
        check_no_sideways_scroll(panel)


def test_a_segment_is_asked_from_the_panel(open_at):
    panel = open_at("/login", DESKTOP, "en")
    sign_in(panel, OWNER)
    panel.goto("/surveys")
    panel.get_by_role("link", name="Ask a segment").click()
    panel.get_by_role("link", name="The whole client base").click()
    expect(panel.locator("p[role=status]")).to_contain_text("asked")
    panel.locator("#run-form button.pri").click()
    expect(panel.locator("#run-form [role=alert]")).to_contain_text("will be asked")
    panel.locator("#run-form button.pri").click()
    expect(panel.locator("#progress")).to_contain_text("Under way")
    check_accessible(panel)
    panel.get_by_role("button", name="End it here").click()
    panel.get_by_role("dialog").get_by_role("button", name="End it", exact=True).click()
    expect(panel.locator("#progress")).to_contain_text("Ended early")
    panel.set_viewport_size(PHONE)
    check_no_sideways_scroll(panel)
