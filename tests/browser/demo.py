"""How somebody uses the demo: a chat, a till, the panel, each in a browser of its own.

Its tests are one group, so that a run starts one demo. Each leaves as it was what the others ask of it: the questions
of the registration.
"""

import pytest
from playwright.sync_api import Locator, Page, expect

IN_THE_DEMO = pytest.mark.xdist_group("demo")
TILL = {"width": 360, "height": 640}
OWNER = ("olga@ladno.example", "coffee-for-olga")
SOMEONE_NEW = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": '{"language": "ru"}'}
QUESTIONS = ("Какой кофе вы пьёте", "Есть ли ещё дата", "Откуда вы о нас узнали?")
"""What the demo asks of whoever registers, in its order."""
CASHIER = ("timur@ladno.example", "coffee-for-timur")


def sign_in(page: Page, login: tuple[str, str]) -> None:
    page.fill("#email", login[0])
    page.fill("#password", login[1])
    page.click("button.pri")
    page.wait_for_url(lambda url: "/login" not in url)


def press(chat: Page | Locator, name: str) -> None:
    chat.get_by_role("button", name=name, exact=True).last.click()


def write(chat: Page, text: str) -> None:
    box = chat.get_by_role("textbox")
    box.fill(text)
    box.press("Enter")


def hears(chat: Page, text: str) -> None:
    # The bot may still be loading when the pages answer, on a busy machine for long.
    expect(chat.get_by_role("log").get_by_text(text).last).to_be_visible(timeout=60_000)
