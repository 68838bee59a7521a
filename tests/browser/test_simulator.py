"""The simulator's chat page in a real browser, with a small bot of aiogram behind it."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
)
from PIL import Image
from playwright.sync_api import Page, expect

from bot.simulator import Simulator
from tests.browser.conftest import DESKTOP, PHONE, Site, check_accessible, check_no_sideways_scroll
from tests.browser.live import Live, check_targets

TOKEN = "700000001:a-token-for-tests"
CONTACT = ReplyKeyboardMarkup(
    keyboard=[[KeyboardButton(text="Share my number", request_contact=True)], [KeyboardButton(text="Later")]],
    one_time_keyboard=True,
)
RATING = InlineKeyboardMarkup(
    inline_keyboard=[
        [InlineKeyboardButton(text=str(n), callback_data=f"rate:{n}") for n in range(6)],
        [
            InlineKeyboardButton(text="Alert", callback_data="alert"),
            InlineKeyboardButton(text="Mute", callback_data="no"),
        ],
    ]
)


class Town(Live):
    """A simulator and its bot."""

    def __init__(self) -> None:
        super().__init__()
        self.simulator = Simulator(token=TOKEN, bot_name="Coffee & <b>more</b>")

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        server = TelegramAPIServer.from_base(f"{self.url}/simulator/telegram")
        self.bot = Bot(TOKEN, session=AiohttpSession(api=server))
        told = dispatcher()
        polling = asyncio.create_task(told.start_polling(self.bot, handle_signals=False))
        yield
        await told.stop_polling()
        await polling


def dispatcher() -> Dispatcher:
    """A bot that greets, asks for the number, shows a card and takes a rating."""
    told = Dispatcher()

    @told.message(CommandStart(deep_link=True))
    async def invited(message: Message, command: Any) -> None:
        await message.answer(f"You come from {command.args}.")

    @told.message(CommandStart())
    async def greet(message: Message) -> None:
        text = '<b>Hello &lt;i&gt;</b> <tg-spoiler>psst</tg-spoiler> <a href="https://example.com">rules</a>'
        await message.answer(text, parse_mode="HTML", reply_markup=CONTACT)

    @told.message(F.contact)
    async def thank(message: Message) -> None:
        assert message.contact is not None
        await message.answer(f"Thank you, {message.contact.phone_number}.", reply_markup=RATING)

    @told.message(F.photo)
    async def show_again(message: Message) -> None:
        assert message.photo is not None
        await message.answer_photo(message.photo[-1].file_id, caption=f"Again: {message.caption}")

    @told.message()
    async def echo(message: Message) -> None:
        await message.answer(f"echo {message.text}")

    @told.callback_query(F.data == "alert")
    async def alert(query: CallbackQuery) -> None:
        await query.answer("Look here", show_alert=True)

    @told.callback_query(F.data.startswith("rate:"))
    async def rate(query: CallbackQuery) -> None:
        await query.answer("Rated")
        assert isinstance(query.message, Message)
        await query.message.edit_text(f"You gave {query.data}.")

    return told


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    town = Town()
    town.open()
    yield town
    town.close()


@pytest.fixture(scope="session")
def site() -> Site:
    """No panel is needed here; pages are opened by their full address."""
    return Site("http://127.0.0.1", "")


@pytest.fixture
def open_chat(open_page: Callable[..., Page], town: Town) -> Callable[..., Page]:
    """Open the chat of a new person: `open_chat(viewport=PHONE, dark=True)`."""

    def open_one(query: str = "", **options: Any) -> Page:
        async def arrive() -> int:
            return town.simulator.add_person(first_name="Ann", last_name="<i>Reed</i>", phone="+447400123456").id

        page = open_page(**options)
        whose = str(town.do(arrive()))
        page.context.add_cookies(
            [{"name": "simulator_person", "value": whose, "domain": "127.0.0.1", "path": "/simulator"}]
        )
        page.goto(f"{town.url}/simulator{query}")
        return page

    return open_one


def bubbles(page: Page, side: str = "in") -> Any:
    return page.locator(f".msg.{side} .text")


def test_a_newcomer_starts_shares_the_number_and_rates(open_chat: Callable[..., Page]):
    page = open_chat()
    expect(page.locator("h1")).to_have_text("Coffee & <b>more</b>")
    page.click("#gate-button")
    first = bubbles(page).first
    expect(first.locator("strong")).to_have_text("Hello <i>")
    expect(first.locator("a")).to_have_attribute("rel", "noopener noreferrer")
    page.get_by_role("button", name="Share my number").click()
    expect(page.locator("#ask")).to_contain_text("Ann <i>Reed</i>")
    page.click("#share")
    expect(bubbles(page).nth(1)).to_contain_text("Thank you, +447400123456.")
    expect(page.locator("#keyboard")).to_be_hidden()
    page.get_by_role("button", name="5", exact=True).click()
    expect(bubbles(page).nth(1)).to_contain_text("You gave rate:5.")
    expect(page.locator("#toast")).to_have_text("Rated")
    expect(page.locator(".msg")).to_have_count(4)
    expect(page.locator(".inline")).to_have_count(0)


def test_alerts_and_unanswered_taps_show(open_chat: Callable[..., Page]):
    page = open_chat()
    page.click("#gate-button")
    page.get_by_role("button", name="Share my number").click()
    page.click("#share")
    page.get_by_role("button", name="Mute").click()
    expect(page.locator('[aria-busy="true"]')).to_have_text("Mute")
    page.get_by_role("button", name="Alert").click()
    expect(page.locator("#alert-text")).to_have_text("Look here")
    page.locator("#alert [data-close]").click()
    expect(page.locator('[aria-busy="true"]')).to_have_text(["Mute"])


def test_typed_texts_are_shown_as_they_are_and_once(open_chat: Callable[..., Page]):
    page = open_chat("?start=friend")
    page.click("#gate-button")
    expect(bubbles(page)).to_contain_text("You come from friend.")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("<img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    expect(bubbles(page).nth(1)).to_contain_text("echo <img src=x onerror=alert(1)>")
    page.reload()
    expect(bubbles(page, "out")).to_have_count(2)
    expect(bubbles(page)).to_have_count(2)
    page.fill("#text", "x" * 4097)
    page.press("#text", "Enter")
    expect(page.locator("#toast")).to_contain_text("This one has 4097.")
    expect(bubbles(page, "out")).to_have_count(2)


def test_photos_go_both_ways(open_chat: Callable[..., Page]):
    page = open_chat("?start=x")
    page.click("#gate-button")
    drawn = io.BytesIO()
    Image.new("RGB", (300, 200), "green").save(drawn, "PNG")
    page.fill("#text", "my lunch")
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": drawn.getvalue()})
    expect(bubbles(page).nth(1)).to_contain_text("Again: my lunch")
    expect(page.locator("#text")).to_have_value("")
    page.wait_for_function(
        "[...document.querySelectorAll('.photo img')].filter(i => i.naturalWidth === 300).length === 2"
    )
    page.locator(".msg.in .photo").click()
    expect(page.locator("#picture-image")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#picture")).to_be_hidden()


def test_a_blocked_bot_is_unblocked_and_another_person_comes(open_chat: Callable[..., Page]):
    page = open_chat("?start=x")
    page.click("#gate-button")
    page.click("#menu-button")
    page.click("#block")
    expect(page.locator("#gate")).to_contain_text("You have blocked this bot.")
    page.click("#gate-button")
    expect(page.locator("#composer")).to_be_visible()
    before = page.get_attribute("body", "data-person")
    page.click("#menu-button")
    page.click("#new-person")
    expect(page.locator("#empty")).to_be_visible()
    assert page.get_attribute("body", "data-person") != before
    page.click("#menu-button")
    page.get_by_role("button", name="Українська").click()
    expect(page.locator("#gate-button")).to_have_text("Почати")


def test_faults_are_set_and_shown(open_chat: Callable[..., Page], town: Town):
    page = open_chat()
    page.click("#menu-button")
    page.click("#faults-button")
    page.fill("#retry_after", "9")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#hint")).to_contain_text("Faults are on")
    assert town.simulator.faults.retry_after == 9
    page.click("#menu-button")
    page.click("#faults-button")
    expect(page.locator("#retry_after")).to_have_value("9")
    page.click("#all-off")
    expect(page.locator("#hint")).to_be_hidden()
    assert town.simulator.faults.retry_after == 0


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_chat_is_accessible_and_fits(open_chat: Callable[..., Page], viewport: Any):
    page = open_chat(viewport=viewport)
    expect(page.locator("#empty")).to_be_visible()
    check_accessible(page)
    page.click("#gate-button")
    page.get_by_role("button", name="Share my number").click()
    page.click("#share")
    page.fill("#text", "long" * 60)
    page.press("#text", "Enter")
    expect(bubbles(page).nth(2)).to_be_visible()
    check_no_sideways_scroll(page)
    page.click("#menu-button")
    check_targets(page)
    check_accessible(page)
    page.click("#faults-button")
    check_accessible(page)
    check_no_sideways_scroll(page)
