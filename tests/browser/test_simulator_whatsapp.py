"""The simulator's chat page in WhatsApp, in a real browser, with a small app behind it."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image
from playwright.sync_api import Page, expect

from bot.simulator import Business, Simulator
from tests.browser.conftest import DESKTOP, PHONE, Site, check_accessible, check_no_sideways_scroll
from tests.browser.live import Live, check_targets

PHONES = iter(f"+4474001{number:05d}" for number in range(99_999))
ROWS = [
    {"id": "card", "title": "My card"},
    {"id": "history", "title": "History", "description": "What you bought with us"},
]


class Street(Live):
    """A simulator and an app that answers whatever is written to it."""

    def __init__(self) -> None:
        super().__init__()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        hook = f"http://127.0.0.1:{self._port}/hook"
        business = Business(hook=hook, access_token="right", verify_token="v")
        self.simulator = Simulator(token="1:x", bot_name="Coffee", whatsapp=business)

    @property
    def port(self) -> int:
        return self._port

    def add_routes(self, root: web.Application) -> None:
        root.add_routes([web.get("/hook", self.answer), web.post("/hook", self.take)])

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        headers = {"Authorization": "Bearer right"}
        async with aiohttp.ClientSession(headers=headers) as self.http:
            yield

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(text=request.query["hub.challenge"])

    async def take(self, request: web.Request) -> web.Response:
        for entry in (await request.json())["entry"]:
            for change in entry["changes"]:
                for message in change["value"].get("messages", []):
                    # Not awaited: WhatsApp does not wait for answers either.
                    self.task = asyncio.create_task(self.reply(message))
        return web.Response()

    async def reply(self, message: dict[str, Any]) -> None:
        whom = {"to": message["from"]} if "from" in message else {"recipient": message["from_user_id"]}
        seen = {"status": "read", "message_id": message["id"]}
        for content in (seen, whom | said(message)) if message["type"] != "reaction" else (whom | said(message),):
            await self.send(content)

    async def send(self, content: dict[str, Any]) -> None:
        url = f"{self.url}/simulator/whatsapp/v25.0/1000000/messages"
        async with self.http.post(url, json={"messaging_product": "whatsapp", **content}) as answer:
            assert answer.status == 200, await answer.text()


def said(message: dict[str, Any]) -> dict[str, Any]:
    """What the app answers."""
    content = message[message["type"]]
    match message["type"], content:
        case "text", {"body": "ask"}:
            replies = [{"type": "reply", "reply": {"id": title, "title": title}} for title in ("Yes", "No")]
            return asked("button", {"buttons": replies})
        case "text", {"body": "menu"}:
            return asked("list", {"button": "Menu", "sections": [{"rows": ROWS}]})
        case "text", {"body": body}:
            return text(f"echo *{body}*")
        case "interactive", {"type": kind}:
            return text(f"You chose {content[kind]['title']}.")
        case "image", {"id": media}:
            return {"type": "image", "image": {"id": media, "caption": f"Again: {content.get('caption')}"}}
        case "document", {"id": media}:
            return {"type": "document", "document": {"id": media, "filename": f"copy of {content['filename']}"}}
        case "contacts", [card]:
            return text(f"Thank you, {card['phones'][0]['phone']}.")
        case "location", place:
            return text(f"You are at {place['latitude']}.")
        case _:
            return text(f"You feel {content.get('emoji', 'nothing')}.")


def text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


def asked(kind: str, action: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "Which?"}, "action": action}}


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    street = Street()
    street.open()
    yield street
    street.close()


@pytest.fixture(scope="session")
def site() -> Site:
    """No panel is needed here; pages are opened by their full address."""
    return Site("http://127.0.0.1", "")


@pytest.fixture
def open_chat(open_page: Callable[..., Page], street: Street) -> Callable[..., Page]:
    """Open the chat of a new person: `open_chat(viewport=PHONE, dark=True)`."""

    def open_one(query: str = "", **options: Any) -> Page:
        async def arrive() -> str:
            return street.simulator.whatsapp.add_person(name="Ann <i>Reed</i>", phone=next(PHONES)).id

        page = open_page(**options)
        whose = street.do(arrive())
        page.context.add_cookies(
            [{"name": "simulator_person", "value": whose, "domain": "127.0.0.1", "path": "/simulator"}]
        )
        page.goto(f"{street.url}/simulator{query}")
        return page

    return open_one


def bubbles(page: Page, side: str = "in") -> Any:
    return page.locator(f".msg.{side} .text")


def write(page: Page, words: str) -> None:
    page.fill("#text", words)
    page.press("#text", "Enter")


def test_a_text_is_taken_read_and_answered(open_chat: Callable[..., Page]):
    page = open_chat()
    write(page, "<b>hello</b>")
    expect(bubbles(page)).to_contain_text("echo <b>hello</b>")
    expect(bubbles(page).locator("strong")).to_have_text("<b>hello</b>")
    expect(page.locator(".msg.out .ticks.seen")).to_have_attribute("aria-label", "Read")


def test_a_link_has_written_the_first_message(open_chat: Callable[..., Page]):
    page = open_chat("?start=friend&in=whatsapp")
    expect(page.locator("#text")).to_have_value("/start friend")
    page.click(".send")
    expect(bubbles(page)).to_contain_text("echo /start friend")


def test_buttons_lists_and_reactions_answer(open_chat: Callable[..., Page]):
    page = open_chat()
    write(page, "ask")
    page.get_by_role("button", name="No", exact=True).click()
    expect(bubbles(page).nth(1)).to_contain_text("You chose No.")
    write(page, "menu")
    page.locator(".replies").get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="History").click()
    expect(page.locator("#list")).to_be_hidden()
    expect(page.locator(".msg.out").last).to_contain_text("What you bought with us")
    expect(bubbles(page).nth(3)).to_contain_text("You chose History.")
    page.locator(".react").nth(3).click()
    page.get_by_role("button", name="👍").click()
    expect(page.locator(".reaction")).to_have_text("👍")
    expect(bubbles(page).nth(4)).to_contain_text("You feel 👍.")


def test_pictures_files_places_and_contacts_go_both_ways(open_chat: Callable[..., Page]):
    page = open_chat()
    drawn = io.BytesIO()
    Image.new("RGB", (300, 200), "green").save(drawn, "PNG")
    page.fill("#text", "my lunch")
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": drawn.getvalue()})
    expect(bubbles(page)).to_contain_text("Again: my lunch")
    page.wait_for_function(
        "[...document.querySelectorAll('.photo img')].filter(i => i.naturalWidth === 300).length === 2"
    )
    page.set_input_files("#document-file", {"name": "bill.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    expect(page.locator(".msg.in a.contact")).to_contain_text("copy of bill.pdf")
    for kind, answer in (("location", "You are at 55.7539."), ("contact", "Thank you, +4474001")):
        page.click("#attach")
        page.click(f"[data-attach={kind}]")
        if kind == "contact":
            page.click("#share")
        expect(bubbles(page).last).to_contain_text(answer)


def test_a_day_later_the_window_is_closed_and_offers_can_be_stopped(open_chat: Callable[..., Page], street: Street):
    page = open_chat()
    write(page, "hello")
    expect(bubbles(page)).to_have_count(1)
    page.click("#menu-button")
    page.click("#day")
    expect(page.locator("#hint")).to_contain_text("only templates arrive")
    page.click("#menu-button")
    expect(page.locator("#day")).to_be_disabled()
    page.click("#offers")
    page.click("#menu-button")
    expect(page.locator("#offers")).to_have_text("Resume offers")
    assert not street.simulator.whatsapp.people()[-1].takes_offers
    write(page, "back")
    expect(page.locator("#hint")).to_be_hidden()


def test_one_human_may_be_in_both_and_another_hide_the_number(open_chat: Callable[..., Page]):
    page = open_chat()
    page.click("#menu-button")
    page.click("[data-twin=telegram]")
    # The page comes anew; a menu that was opened before it does is gone.
    expect(page.locator(".me")).to_contain_text("Telegram · +4474001")
    expect(page.locator("#gate-button")).to_have_text("Start")
    page.click("#menu-button")
    page.click("[data-twin=whatsapp]")
    expect(page.locator("html.in-whatsapp")).to_be_visible()
    page.click("#menu-button")
    page.click("[data-new=whatsapp_hidden]")
    expect(page.locator(".me")).to_contain_text("number hidden")
    expect(page.locator("#empty")).to_be_visible()
    expect(page.locator("[data-twin]")).to_have_count(0)


def test_faults_of_whatsapp_are_its_own(open_chat: Callable[..., Page], street: Street):
    page = open_chat()
    page.click("#menu-button")
    page.click("#faults-button")
    page.fill("#undeliverable", "2")
    page.check("#errors_at_once")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#hint")).to_contain_text("Faults are on")
    faults = street.simulator.whatsapp.faults
    assert (faults.undeliverable, faults.errors_at_once) == (2, True)
    assert not street.simulator.faults.any
    page.click("#menu-button")
    page.click("#faults-button")
    page.click("#all-off")
    expect(page.locator("#hint")).to_be_hidden()
    assert not faults.any


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_chat_is_accessible_and_fits(open_chat: Callable[..., Page], viewport: Any):
    page = open_chat(viewport=viewport)
    expect(page.locator("#empty")).to_be_visible()
    check_accessible(page)
    write(page, "long" * 60)
    write(page, "ask")
    write(page, "menu")
    expect(page.locator(".replies")).to_have_count(2)
    page.set_input_files("#document-file", {"name": "b" * 80, "mimeType": "application/pdf", "buffer": b"%PDF"})
    expect(page.locator(".msg.in a.contact")).to_be_visible()
    check_no_sideways_scroll(page)
    check_targets(page)
    check_accessible(page)
    page.locator(".replies").get_by_role("button", name="Menu").click()
    check_targets(page)
    check_accessible(page)
    page.keyboard.press("Escape")
    page.locator(".react").first.click()
    check_accessible(page)
    page.keyboard.press("Escape")
    page.click("#attach")
    check_targets(page)
    check_accessible(page)
    page.keyboard.press("Escape")
    page.click("#menu-button")
    check_targets(page)
    check_accessible(page)
    page.click("#faults-button")
    check_accessible(page)
    check_no_sideways_scroll(page)
