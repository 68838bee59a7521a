"""SMS and e-mail from the sale to the reader, in a real browser: the shop, its gateway and mail server, two inboxes."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.simulator import Gateway, MailAccount, Simulator
from loyalty.clock import system_now
from tests.browser.conftest import (
    DESKTOP,
    PHONE,
    Site,
    check_accessible,
    check_no_sideways_scroll,
    first_people,
    free_port,
    sign_in,
    wait_until_ready,
)
from tests.browser.live import Live, check_targets
from tests.conftest import ROOT, SECRET_KEY

# Their site is dear to start: once is enough.
pytestmark = pytest.mark.xdist_group("simulator_inboxes")
NUMBER = "+79165550707"
ADDRESS = "olga@mail.example"
GATEWAY_TOKEN = "right"


class Inboxes(Live):
    """A simulator whose gateway and mail server the shop uses."""

    def __init__(self) -> None:
        super().__init__()
        self.simulator = Simulator(
            token="1:x", bot_name="Coffee", sms=Gateway(GATEWAY_TOKEN), email=MailAccount(password="right")
        )

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        yield

    def settings(self, port: int) -> dict[str, str]:
        """What the shop has to know of both."""
        body = '{"to": "{to}", "text": "{text}", "sender": "{sender}", "id": "{id}", "callback": "{callback}"}'
        return {
            "SMS_URL": f"{self.url}/simulator/sms/send",
            "SMS_BODY": body,
            "SMS_SENDER": "LADNO",
            "SMS_AUTHORIZATION": f"Bearer {GATEWAY_TOKEN}",
            "SMS_ID_PATH": "id",
            "SMS_CALLBACK_SECRET": "0123456789abcdef0123",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.simulator.email.port),
            "SMTP_USER": "shop",
            "SMTP_PASSWORD": "right",
            "EMAIL_FROM": "hello@ladno.example",
            "REGULARS_PUBLIC_URL": f"http://127.0.0.1:{port}",
        }


@pytest.fixture(scope="module")
def inboxes() -> Iterator[Inboxes]:
    inboxes = Inboxes()
    inboxes.open()
    yield inboxes
    inboxes.close()


@pytest.fixture(scope="module")
def site(
    make_database: Callable[[str], str],
    redis_address: str,
    tmp_path_factory: pytest.TempPathFactory,
    worker_number: int,
    inboxes: Inboxes,
) -> Iterator[Site]:
    """The whole shop in one process, with its pages, its worker and the door for reports."""
    database_url, port = make_database(f"inboxes_{worker_number}"), free_port()
    log = tmp_path_factory.mktemp("inboxes") / "server.log"
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_address,
        "REGULARS_SECRET_KEY": SECRET_KEY,
        "REGULARS_PORT": str(port),
        **inboxes.settings(port),
    }
    site = Site(f"http://127.0.0.1:{port}", database_url, redis_address)
    site.do(first_people)
    site.do(write_of_sales_everywhere)
    command = [str(Path(sys.executable).with_name("regulars")), "run"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_until_ready(site.url, server, log)
        yield site
    finally:
        server.terminate()
        server.wait(30)


async def write_of_sales_everywhere() -> None:
    from loyalty.conversations.actions.types import MessageTypeDraft, set_message_type
    from loyalty.staff.rules import COMMAND

    draft = MessageTypeDraft(("telegram", "whatsapp", "sms", "email"))
    await set_message_type("receipt", draft, seen=None, actor=COMMAND, now=system_now())


def sell(site: Site, name: str, *, phone: str | None = None, email: str | None = None) -> None:
    """A sale of somebody who is in no messenger."""

    async def sold() -> None:
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.shop.queries import locations
        from loyalty.staff.rules import COMMAND
        from tests.builders import a_sale

        now = system_now()
        profile = Profile(name, phone, email, None, None, "ru", None)
        customer = await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)
        await a_sale(customer.id, (await locations())[0].id, 45_000, now=now)

    site.do(sold)


def check_fate(page: Page, channel: str, name: str, state: str) -> None:
    """What the panel says of the message to somebody; a report takes its moment, and the page is not live."""
    sign_in(page)
    for _ in range(40):
        page.goto(f"/messages?channel={channel}")
        if state in page.locator("#rows tr", has_text=name).locator(".chat-status").inner_text():
            return
        page.wait_for_timeout(250)
    raise AssertionError(page.locator("#rows").inner_text())


def test_the_news_of_a_sale_arrives_by_sms_and_is_known_to_have_arrived(open_page, site: Site, inboxes: Inboxes):
    inbox = open_page()
    inbox.goto(f"{inboxes.url}/simulator?in=sms")
    expect(inbox.get_by_text("No SMS has arrived yet")).to_be_visible()
    sell(site, "Мария Звонкова", phone=NUMBER)
    inbox.get_by_role("link", name=NUMBER).click(timeout=20_000)
    expect(inbox.get_by_role("log").get_by_text("Спасибо за покупку: 450 ₽")).to_be_visible()
    expect(inbox.locator(".parts")).to_have_text("Parts: 2")
    check_fate(open_page(), "sms", "Мария Звонкова", "delivered")


def test_who_has_an_email_alone_reads_of_the_sale_there(open_page, site: Site, inboxes: Inboxes):
    sell(site, "Ольга Почтова", email=ADDRESS)
    inbox = open_page()
    inbox.goto(f"{inboxes.url}/simulator?in=email")
    inbox.get_by_role("link", name=ADDRESS).click(timeout=20_000)
    letter = inbox.get_by_role("log")
    expect(letter.locator(".text")).to_contain_text("Спасибо за покупку: 450 ₽")
    expect(letter.locator(".from")).to_contain_text("hello@ladno.example")
    check_fate(open_page(), "email", "Ольга Почтова", "sent")


def test_a_phone_that_is_off_makes_the_next_message_fail(open_page, site: Site, inboxes: Inboxes):
    number = "+79165550808"
    inboxes.do(known(inboxes, number))
    inbox = open_page(viewport=PHONE)
    inbox.goto(f"{inboxes.url}/simulator?in=sms")
    inbox.get_by_role("link", name=number).click()
    inbox.get_by_role("button", name="Menu").click()
    inbox.get_by_role("button", name="Switch the phone off").click()
    expect(inbox.locator("#hint")).to_contain_text("The phone is off")
    sell(site, "Анна Тихонова", phone=number)
    expect(inbox.get_by_text("Did not arrive")).to_be_visible(timeout=20_000)
    check_fate(open_page(), "sms", "Анна Тихонова", "not sent")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("inbox", ["sms", "email"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(open_page, inboxes: Inboxes, viewport, inbox):
    whose = inboxes.do(filled(inboxes, inbox))
    page = open_page(viewport=viewport, locale="ru")
    for query in (f"in={inbox}", f"with={whose}"):
        page.goto(f"{inboxes.url}/simulator?{query}")
        expect(page.locator("#list li, .msg").first).to_be_attached()
        check_accessible(page)
        check_no_sideways_scroll(page)
        page.locator("#menu-button").click()
        check_targets(page)
        check_accessible(page)
        page.locator("#faults-button").click()
        check_accessible(page)


async def known(inboxes: Inboxes, number: str) -> None:
    """A phone that has got something before."""
    inboxes.simulator.sms.phone(number).receive(
        {"text": "Before", "parts": 1, "sender": "LADNO", "name": "0", "status": "delivered"}
    )


async def filled(inboxes: Inboxes, inbox: str) -> str:
    """Somebody whose messages have all that one can have."""
    if inbox == "sms":
        await known(inboxes, "+79165550909")
        return inboxes.simulator.sms.phone("+79165550909").id
    box = inboxes.simulator.email.box("somebody.with.a.long.name@a-rather-long-domain.mail.example")
    letter = {"sender": "hello@ladno.example", "subject": "Подарок", "text": "https://ladno.example/" + "a" * 90}
    files = [{"file": "x", "name": "Карта.pdf", "size": 5000}]
    told = {"message_id": "", "stop_url": "http://127.0.0.1:9/stop", "stopped": False, "copies": 2, "files": files}
    box.receive({**letter, **told})
    return box.id
