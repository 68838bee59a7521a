"""What the owner asks in the panel is asked in both messengers, and stands on the cards."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, check_accessible, check_no_sideways_scroll
from tests.browser.demo import IN_THE_DEMO, OWNER, QUESTIONS, hears, press, sign_in, write

pytestmark = IN_THE_DEMO

QUESTION = "Какой кофе вы любите?"


def test_a_question_of_the_owner_is_asked_in_both_messengers_and_stands_on_the_cards(open_at):
    panel = open_at("/login", DESKTOP, "en")
    sign_in(panel, OWNER)
    add_a_question(panel)
    try:
        answer_it(panel, open_at)
    finally:
        panel.goto("/settings/questions")
        switch(panel, QUESTION, asks=False)
        for asked in QUESTIONS:
            switch(panel, asked, asks=True)


def answer_it(panel: Page, open_at: Callable[..., Page]) -> None:
    """Two newcomers, each in a messenger of their own; looked at on their cards."""
    for messenger, name, answer in (("telegram", "Мария Чатова", "Раф"), ("whatsapp", "Мария Зелёная", "2")):
        chat = open_at("/simulator", PHONE, "ru")
        how = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": someone(messenger)}
        assert chat.evaluate("async (how) => (await fetch('/simulator/people', how)).ok", how)
        chat.goto("/simulator")
        register(chat, messenger, name)
        hears(chat, QUESTION)
        if messenger == "telegram":
            press(chat, answer)
        else:
            write(chat, answer)
        hears(chat, "Подарок за знакомство уже на карте")
        check_no_sideways_scroll(chat)
        panel.goto(f"/customers?q={name}")
        panel.get_by_role("link", name=name).first.click()
        expect(panel.get_by_role("tabpanel")).to_contain_text(QUESTION)
        expect(panel.get_by_role("tabpanel")).to_contain_text("Раф" if messenger == "telegram" else "Капучино")
    panel.get_by_role("tab", name="Registration").click()
    expect(panel.get_by_role("tabpanel")).to_contain_text(f"Answered: {QUESTION}")
    panel.get_by_role("link", name="text of 3 ru").last.click()
    expect(panel.get_by_role("dialog")).to_contain_text("Ладно, кофе")
    check_accessible(panel)


def someone(messenger: str) -> str:
    return f'{{"language": "ru", "kind": "{messenger}"}}'


def switch(panel: Page, question: str, *, asks: bool) -> None:
    """Ask a question of whoever registers, or ask it no more."""
    now, then = ("Ask", "Ask no more") if asks else ("Ask no more", "Ask")
    panel.get_by_role("button", name=f"{now}: {question}").click()
    expect(panel.get_by_role("button", name=f"{then}: {question}")).to_be_visible()


def add_a_question(panel: Page) -> None:
    panel.goto("/settings/questions")
    for asked in QUESTIONS:
        switch(panel, asked, asks=False)
    panel.get_by_role("button", name="Add a question").click()
    panel.get_by_role("link", name="Choice").click()
    panel.fill("#label_ru", QUESTION)
    for number, label in enumerate(("Фильтр", "Капучино", "Раф")):
        panel.fill(f"#choice_{number}_ru", label)
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("listitem").last).to_contain_text("Фильтр, Капучино, Раф")
    # By the keyboard: the button keeps the focus while the list changes under it.
    panel.get_by_role("button", name=f"Move {QUESTION} up").press("Enter")
    expect(panel.get_by_role("listitem").nth(4)).to_contain_text(QUESTION)
    expect(panel.get_by_role("button", name=f"Move {QUESTION} up")).to_be_focused()


def register(chat: Page, messenger: str, name: str) -> None:
    if messenger == "telegram":
        press(chat, "Начать")
    else:
        write(chat, "Привет")
    hears(chat, "На каком языке вам удобнее?")
    press(chat, "Русский")
    hears(chat, "Вы согласны?")
    press(chat, "Согласен")
    hears(chat, "Можно писать вам об акциях")
    press(chat, "Да")
    if messenger == "telegram":
        press(chat, "Поделиться номером")
        press(chat.get_by_role("dialog"), "Поделиться")
    hears(chat, "Как вас зовут?")
    write(chat, name)
    hears(chat, "Когда у вас день рождения?")
    press(chat, "Пропустить")


@pytest.mark.parametrize(("viewport", "locale"), [(DESKTOP, "en"), (PHONE, "ru"), (PHONE, "uk")])
def test_the_pages_of_the_registration_read_well(open_at, viewport, locale):
    panel = open_at("/login", viewport, locale)
    sign_in(panel, OWNER)
    for path in (
        "/settings/questions",
        "/settings/questions/new?kind=text",
        "/settings/questions/new?kind=choice",
        "/settings/consents",
        "/settings/consents/terms/new",
        "/settings/greeting",
        "/consents/terms/1/ru",
    ):
        panel.goto(path)
        check_accessible(panel)
        check_no_sideways_scroll(panel)
