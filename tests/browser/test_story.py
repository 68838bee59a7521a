"""The whole story in the demo itself: a chat, a till, the panel, each in a browser of its own."""

import re
import subprocess

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, REGULARS, check_accessible, check_no_sideways_scroll
from tests.browser.demo import CASHIER, IN_THE_DEMO, OWNER, QUESTIONS, SOMEONE_NEW, TILL, hears, press, sign_in, write
from tests.conftest import ROOT

pytestmark = IN_THE_DEMO


def test_a_customer_registers_in_the_chat_a_cashier_credits_a_receipt_and_the_panel_shows_it(demo, open_at):
    chat = open_at("/simulator", PHONE, "ru")
    register(chat)
    check_accessible(chat)
    code = shown_code(chat)
    till = open_at("/cashier", TILL, "en")
    burn_by_code(till, code)
    hears(chat, "Спасибо за покупку: 1 840 ₽")
    hears(chat, "Теперь на карте 182 бонуса.")
    press(chat, "История")
    hears(chat, "Последние покупки и бонусы:")
    check_no_sideways_scroll(chat)

    panel = open_at("/login", {"width": 1440, "height": 900}, "en")
    card_number = find_in_panel(panel)
    # A scanner types what the QR holds, and Enter.
    till.goto("/cashier")
    till.locator("#padval").focus()
    till.keyboard.type(card_number + code)
    till.keyboard.press("Enter")
    expect(till.locator(".pos-c").first).to_contain_text("Мария С.")
    strict = open_at("/login", TILL, "en")
    burn_by_a_tap_in_the_chat(strict, chat, card_number)
    refund_by_number(strict)
    hears(chat, "Покупку отменили: 500 ₽")

    proved = subprocess.run([REGULARS, "verify"], env=demo[1], cwd=ROOT, capture_output=True, text=True, check=False)
    assert proved.returncode == 0, proved.stdout


def test_a_newcomer_comes_by_an_entry_link_and_the_panel_counts_them(demo, open_at):
    panel = open_at("/login", {"width": 1440, "height": 900}, "en")
    sign_in(panel, OWNER)
    code = made_link(panel)
    link_page = panel.url
    check_accessible(panel)
    chat = open_at("/simulator", PHONE, "ru")
    assert chat.evaluate("async (how) => (await fetch('/simulator/people', how)).ok", SOMEONE_NEW)
    chat.goto(f"/simulator?start={code}")
    press(chat, "Начать")
    hears(chat, "На каком языке вам удобнее?")
    panel.goto(link_page)
    expect(panel.locator(".kpi dd").first).to_contain_text("1")
    expect(panel.locator(".kpi dd").nth(1)).to_contain_text("0% of those who opened it")
    panel.set_viewport_size(PHONE)
    for path in (link_page, f"{link_page}/sheet", f"{link_page}/edit", "/settings/entry-links"):
        panel.goto(path)
        check_accessible(panel)
        check_no_sideways_scroll(panel)


def made_link(panel: Page) -> str:
    """Make a link by hand, leave it on its page; returns what it tells the bot."""
    panel.goto("/settings/entry-links")
    panel.get_by_role("link", name="Add a link").first.click()
    panel.fill("#name", "Table tents")
    panel.fill("#source", "tables")
    panel.select_option("#location", index=1)
    panel.get_by_role("button", name="Add the link").click()
    panel.wait_for_url(re.compile(r"/settings/entry-links/\d+$"))
    # The bot may still be loading, and has not said yet where it is.
    while not panel.locator("#link-telegram").count():
        panel.wait_for_timeout(500)
        panel.reload()
    address = panel.input_value("#link-telegram")
    with panel.expect_download() as download:
        panel.get_by_role("link", name="PNG").first.click()
    assert download.value.suggested_filename.endswith("-telegram.png")
    return address.partition("start=")[2]


def register(chat: Page) -> None:
    press(chat, "Начать")
    hears(chat, "На каком языке вам удобнее?")
    press(chat, "Русский")
    hears(chat, "Вы согласны?")
    press(chat, "Согласен")
    hears(chat, "Можно писать вам об акциях")
    press(chat, "Да")
    press(chat, "Поделиться номером")
    press(chat.get_by_role("dialog"), "Поделиться")
    hears(chat, "Как вас зовут?")
    write(chat, "Мария Сказочная")
    hears(chat, "Когда у вас день рождения?")
    write(chat, "24.08.1991")
    for question in QUESTIONS:
        hears(chat, question)
        press(chat, "Пропустить")
    hears(chat, "Подарок за знакомство уже на карте: 200 бонусов.")


def shown_code(chat: Page) -> str:
    press(chat, "Моя карта")
    caption = chat.get_by_role("log").get_by_text("Код для кассира").last
    expect(caption).to_be_visible()
    code = re.search(r"кассира:\s*(\d{3})\s(\d{3})", caption.inner_text())
    assert code is not None
    return code[1] + code[2]


def burn_by_code(till: Page, code: str) -> None:
    sign_in(till, CASHIER)
    till.goto("/cashier")
    for digit in code:
        till.get_by_role("button", name=digit, exact=True).click()
    till.click("button.go")
    expect(till.locator(".pos-c").first).to_contain_text("Мария С.")
    till.fill("#padval", "1840")
    expect(till.locator("#quote .good").last).to_contain_text("92")
    till.locator(".burn label").last.click()
    take = till.locator("#quote button.go")
    expect(take).to_contain_text("1,640")
    expect(till.locator("#quote")).to_contain_text("Code accepted")
    check_accessible(till)
    check_no_sideways_scroll(till)
    take.click()
    expect(till.locator(".pos-ok .v")).to_contain_text("1,640")


def burn_by_a_tap_in_the_chat(till: Page, chat: Page, card_number: str) -> None:
    """The card's number alone earns; paying with bonuses takes the customer's own yes, where nobody relaxed that."""
    sign_in(till, OWNER)
    till.goto("/cashier")
    till.locator("button[name=location]").filter(has_not_text="Тверская, 12").first.click()
    till.locator("#padval").fill(card_number)
    till.click("button.go")
    till.fill("#padval", "1000")
    till.locator(".burn label").last.click()
    ask = till.locator("#quote button.go")
    expect(ask).to_contain_text("Ask for 182 in the chat")
    check_accessible(till)
    ask.click()
    expect(till.get_by_role("heading", name="Waiting for the customer")).to_be_visible()
    check_accessible(till)
    hears(chat, "списать 182 бонуса за покупку на 1 000 ₽?")
    press(chat, "Подтвердить")
    hears(chat, "Подтверждено: 182 бонуса за эту покупку.")
    take = till.locator("button.go.pri")
    expect(take).to_contain_text("Take 818")
    check_accessible(till)
    check_no_sideways_scroll(till)
    take.click()
    expect(till.locator(".pos-ok .v")).to_contain_text("818")
    hears(chat, "Спасибо за покупку: 1 000 ₽")


def refund_by_number(till: Page) -> None:
    """The receipt just made, by the number on the screen: a half of it, and the shift that tells of both."""
    number = re.search(r"№ (\d+)", till.locator(".pos-ok").inner_text())
    assert number is not None
    till.goto("/cashier/refund")
    till.fill("#padval", number[1])
    till.click("button.go")
    till.get_by_label("A sum", exact=True).check()
    till.locator("input[name=amount]").fill("500")
    check_accessible(till)
    check_no_sideways_scroll(till)
    till.click("button.go.pri")
    expect(till.locator(".pos-ok .v")).to_contain_text("409")
    till.goto("/cashier/shift")
    expect(till.locator(".pos-shift")).to_contain_text("Refund of № " + number[1])
    check_accessible(till)
    check_no_sideways_scroll(till)


def find_in_panel(panel: Page) -> str:
    """Look at the customer's tabs; returns the number of their card."""
    sign_in(panel, OWNER)
    panel.goto("/customers?q=Сказочная")
    panel.get_by_role("link", name="Мария Сказочная").first.click()
    for tab, text in (
        ("Receipts", "1,840"),
        ("Bonuses", "Welcome bonus"),
        ("Conversation", "Спасибо за покупку"),
        ("Messengers", "Telegram"),
        ("Registration", "Telegram"),
    ):
        panel.get_by_role("tab", name=re.compile(tab)).click()
        expect(panel.get_by_role("tabpanel")).to_contain_text(text)
    number = re.search(r"(\d{4}) (\d{4})", panel.locator("main").inner_text().replace("\u00a0", " "))
    assert number is not None
    return number[1] + number[2]


def test_a_marketer_finds_people_keeps_them_as_a_segment_writes_to_them_and_sees_what_came_of_it(demo, open_at):
    chat = open_at("/simulator", PHONE, "ru")
    assert chat.evaluate("async (how) => (await fetch('/simulator/people', how)).ok", SOMEONE_NEW)
    chat.goto("/simulator")
    register(chat)
    panel = open_at("/login", {"width": 1440, "height": 900}, "en")
    sign_in(panel, OWNER)
    never_quiet(panel)
    panel.goto("/customers?f=created:in:last-1,reachable:any:telegram")
    panel.get_by_role("button", name="Save as a segment").click()
    dialog = panel.locator("#save-segment")
    dialog.get_by_label("Name").fill("Came today")
    dialog.get_by_role("button", name="Save").click()
    panel.get_by_role("link", name="Write to them").click()
    expect(panel.locator("#segment option:checked")).to_have_text("Came today")
    write_campaign(panel)
    panel.get_by_role("button", name="Keep and look it through").click()
    panel.wait_for_url(re.compile(r"/campaigns/\d+$"))
    check_accessible(panel)
    send = panel.locator("#send-state button")
    send.click()
    expect(panel.locator("#acknowledged-error")).to_be_visible()
    panel.locator("[name=acknowledged]").check()
    send.click()
    check_accessible(panel)
    panel.get_by_role("button", name="Back", exact=True).click()
    send.click()
    panel.get_by_role("button", name=re.compile("Yes, send to")).click()
    expect(panel.locator("#progress")).to_contain_text("Sent out", timeout=30_000)
    # Whichever they drew.
    hears(chat, "на осенний кофе")
    link = chat.get_by_role("link", name="Меню").last
    led = panel.request.get(link.get_attribute("href") or "", max_redirects=0)
    assert (led.status, led.headers["location"]) == (302, "https://ladno.example/menu")
    press(chat, "Приду")
    panel.reload()
    report = panel.locator("#report")
    expect(report).to_contain_text("Everybody was written to, so nobody knows")
    expect(report.locator("li").filter(has_text="Followed")).to_contain_text("1")
    expect(report.locator("#wordings-said")).to_have_text("Cannot tell yet which is better")
    check_accessible(panel)
    panel.set_viewport_size(PHONE)
    check_no_sideways_scroll(panel)
    panel.goto("/campaigns/new")
    check_accessible(panel)
    check_no_sideways_scroll(panel)


def write_campaign(panel: Page) -> None:
    """Two wordings, a link and an answer; the preview shows each as one of them would get it."""
    panel.fill("#text-ru", "{first_name}, ждём вас на осенний кофе")
    for number, kind, label in ((1, "link", "Меню"), (2, "reply", "Приду")):
        panel.get_by_text(f"Button {number}", exact=True).click()
        panel.select_option(f"#kind-{number}", kind)
        panel.fill(f"#label-{number}-ru", label)
    panel.fill("#url-1", "https://ladno.example/menu")
    preview, more = panel.locator("#preview"), panel.get_by_role("button", name="Try another wording")
    expect(preview).to_contain_text("ждём вас на осенний кофе")
    expect(preview).to_contain_text("Приду")
    more.click()
    expect(panel.locator("#text-b-ru")).to_be_focused()
    panel.keyboard.type("Заходите на осенний кофе")
    preview.get_by_role("radio", name="Wording B").check()
    expect(preview).to_contain_text("Заходите на осенний кофе")
    more.click()
    expect(panel.locator("#text-c-ru")).to_be_focused()
    panel.keyboard.type("Лишнее")
    panel.get_by_role("button", name="Take wording C away").click()
    panel.get_by_role("button", name="Put it back").click()
    expect(panel.locator("#text-c-ru")).to_have_value("Лишнее")
    panel.get_by_role("button", name="Take wording C away").click()
    expect(panel.locator("#text-c-ru")).to_have_count(0)
    expect(panel.locator("#text-ru")).to_have_value("{first_name}, ждём вас на осенний кофе")
    check_accessible(panel)


def never_quiet(panel: Page) -> None:
    """So that a message to many leaves at whatever hour this runs."""
    panel.goto("/settings/messaging")
    panel.select_option("[name=quiet_from]", "0")
    panel.select_option("[name=quiet_until]", "0")
    panel.click("form button.pri")
    expect(panel.get_by_text("Saved")).to_be_visible()
