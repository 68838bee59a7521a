"""Staff answer a customer in the panel, live; the customer's code is typed at the till. Usable by everybody."""

import io
import re
from datetime import datetime, timedelta

import pytest
import segno
from playwright.sync_api import Locator, Page, expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in
from tests.conftest import SECRET_KEY

# People of their own: other tests change the language and location of theirs.
SUPPORT = "chat-support@example.com"
CASHIER = "chat-cashier@example.com"
SMALL_PHONE = {"width": 360, "height": 640}
NAME = "Вера Лисицына-Оболенская"


@pytest.fixture(scope="module")
def chat(site) -> dict[str, int]:
    """A customer with two messengers, a card open in one of them, and somebody who has not registered."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty import db
        from loyalty.bonuses.actions.manual import adjust
        from loyalty.conversations.actions.canned import save_canned_reply
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role
        from tests import builders

        now = system_now() - timedelta(hours=1)
        location = await builders.a_location(name="Арбат, 4", burns=False)
        for email, name, role in ((SUPPORT, "Полина Белова", Role.SUPPORT), (CASHIER, "Тимур Белов", Role.CASHIER)):
            token = await invite(email, name, role, location, actor=COMMAND, now=now)
            await accept_invitation(token, PASSWORD, now=now)
        person = await builders.a_customer(name=NAME, phone="+79035557788")
        await adjust(person.id, 755_00, "Подарок", key="chat", actor=COMMAND, now=now)
        account = await builders.an_account(person.id, name="Вера", username="vera", now=now)
        await builders.an_account(person.id, name="Вера, рабочий", username="vera_work", now=now)
        await fill_chat(account, now)
        card = await builders.an_open_card(person.id, now=system_now())
        await db.execute("UPDATE shown_card SET closes_at = $1", system_now() + timedelta(hours=1))
        await db.execute("UPDATE messenger_account SET is_active = false WHERE id = $1", card)
        stranger = await builders.an_account(name="Гость", now=now)
        await builders.a_waiting_chat(stranger, kind="failed", now=now)
        late = await a_late_chat(now)
        await save_canned_reply(None, "Часы работы", "{first_name}, мы работаем с 8 до 22", actor=COMMAND, now=now)
        made.update(person=person.id, account=account, stranger=stranger, late=late)

    site.do(fill)
    return made


async def a_late_chat(now: datetime) -> int:
    """Somebody in WhatsApp who wrote two days ago, and a template to write to them by."""
    from loyalty import db
    from loyalty.customers.actions.accounts import know_account

    account = await know_account("whatsapp", "US.77", name="Анна Белова", username=None, language="ru", now=now)
    await db.execute(
        "INSERT INTO conversation (account_id, session, last_message_at, heard_at) VALUES ($1, '{}', $2, $2)",
        account.id,
        now - timedelta(days=2),
    )
    await db.execute(
        "INSERT INTO message_template (name, language, category, body, variables, status, updated_at)"
        " VALUES ('order_ready', 'ru', 'utility', 'Здравствуйте, {{1}}! Заказ {{2}} готов.', $1::jsonb, 'approved',"
        " $2)",
        db.to_json([{"name": "first_name", "fallback": "гость"}, {"name": "order", "fallback": ""}]),
        now,
    )
    return account.id


async def fill_chat(account: int, now: datetime) -> None:
    """A line of every look."""
    from loyalty.conversations.content import Button, Content
    from tests import builders

    picture = io.BytesIO()
    segno.make("picture").save(picture, kind="png", scale=6)
    for number in range(8):
        await builders.a_message(account, f"Старое слово {number}", now=now - timedelta(days=1))
    await builders.a_message(account, kind="start", now=now)
    await builders.a_message(account, kind="contact", now=now)
    content = Content("На карте: 755 бонусов", strong="755 бонусов", buttons=((Button("История", "h"),),))
    await builders.a_message(account, kind="reply", status="sent", content=content, now=now)
    await builders.a_message(account, "История", kind="button", now=now)
    await builders.a_message(account, kind="card", status="sent", now=now)
    await builders.a_message(account, "Спасибо", kind="receipt", status="failed", reason="blocked", now=now)
    await builders.a_message(account, "Ждём вас", kind="reply", status="unknown", now=now)
    await builders.a_picture(account, picture.getvalue(), mime="image/png", now=now)
    await builders.a_message(account, kind="failed", now=now)
    await builders.a_waiting_chat(account, "Где моя карта? " * 12, now=now)


def answer_box(page: Page) -> Locator:
    return page.locator("#reply")


def test_a_reply_appears_and_so_does_the_answer_to_it(open_page, site, chat):
    page = sign_in(open_page(), SUPPORT)
    page.goto("/conversations")
    page.get_by_role("link", name=NAME).click()
    expect(page).to_have_title(re.compile(NAME))
    expect(page.locator("#rows [aria-current]")).to_contain_text(NAME)
    answer_box(page).fill("Уже ищем")
    page.keyboard.press("Control+Enter")
    own = page.locator(".msg.out", has_text="Уже ищем")
    expect(own).to_have_count(1)
    expect(own).to_contain_text("queued")
    expect(own).to_be_in_viewport()
    expect(answer_box(page)).to_have_value("")
    expect(page.get_by_role("button", name="Mark as answered")).to_have_count(0)
    expect(page.get_by_text("the bot is silent")).to_be_visible()
    # What is being written stays while news arrive; a line that is there is changed, not put again.
    page.keyboard.type("И ещё")
    own.evaluate("line => line.dataset.kept = 'yes'")

    async def go_on() -> None:
        from loyalty import db
        from tests import builders

        await builders.a_waiting_chat(chat["account"], "Спасибо большое", now=system_now())
        await db.execute("UPDATE message SET status = 'sent' WHERE status = 'queued'")

    kept = page.locator(".msg").first
    kept.evaluate("line => line.dataset.kept = 'yes'")
    site.ring(f"conversations:{chat['account']}", after=go_on)
    expect(page.locator(".msg", has_text="Спасибо большое")).to_be_in_viewport()
    expect(own).to_contain_text("sent")
    expect(own).to_have_count(1)
    expect(kept).to_have_attribute("data-kept", "yes")
    expect(answer_box(page)).to_have_value("И ещё")
    expect(page.locator("#rows li").first).to_contain_text("Спасибо большое")
    page.get_by_role("button", name="Mark as answered").click()
    expect(page.get_by_role("button", name="Mark as answered")).to_have_count(0)
    expect(answer_box(page)).to_have_value("И ещё")


def test_a_note_a_ready_answer_and_a_file_and_then_it_is_closed(open_page, site, chat):
    page = sign_in(open_page(), SUPPORT)
    page.goto(f"/conversations/{chat['account']}?show=open")
    page.locator("[name=kind][value=note]").check()
    answer_box(page).fill("Постоянный гость")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator(".msg.note-l")).to_contain_text("Постоянный гость")
    # Ready answers by the slash.
    answer_box(page).press_sequentially("/час")
    expect(page.get_by_role("option", name="Часы работы")).to_be_visible()
    check_accessible(page)
    page.keyboard.press("Enter")
    expect(answer_box(page)).to_have_value("Вера, мы работаем с 8 до 22")
    page.set_input_files(".answer-file input", {"name": "цены.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    expect(page.locator("[data-file-name]")).to_have_text("цены.pdf")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".msg.out", has_text="цены.pdf")).to_contain_text("мы работаем с 8 до 22")
    page.select_option("#assignee", label="Nobody has it")
    expect(page.locator("#assignee")).to_have_value("nobody")
    expect(page.locator("#rows li", has_text=NAME).first.locator(".chats-m")).to_have_count(0)
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("The conversation is closed")
    expect(page.locator(".msg.out").last).to_contain_text("Здесь снова отвечает бот")
    expect(page.locator("#chat-head")).to_contain_text("Closed: the bot answers")
    page.locator(".toast button").click()
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_visible()


def test_keys_and_search_lead_to_a_message(open_page, chat):
    page = sign_in(open_page(), SUPPORT)
    page.goto("/conversations")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#chat")).to_be_visible()
    here = page.url
    assert re.search(r"/conversations/\d+$", here)
    page.locator("main").press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("старое слово 3")
    hit = page.get_by_role("link", name="Старое слово 3")
    expect(hit.locator("mark")).to_have_text("Старое слово 3")
    expect(page.locator("#chat")).to_be_visible()
    hit.click()
    line = page.locator(".msg:target")
    expect(line).to_contain_text("Старое слово 3")
    expect(line).to_be_in_viewport()


def test_whatsapp_after_a_day_is_written_to_by_a_template(open_page, chat):
    page = sign_in(open_page(), SUPPORT)
    page.goto(f"/conversations/{chat['late']}")
    expect(page.get_by_text("WhatsApp takes only approved templates")).to_be_visible()
    page.get_by_label("Template", exact=True).select_option(label="order_ready · ru")
    page.get_by_label("order", exact=True).fill("17")
    expect(page.get_by_role("group", name="Preview")).to_have_text("Здравствуйте, Анна! Заказ 17 готов.")
    check_accessible(page)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".msg.out").last).to_contain_text("Здравствуйте, Анна! Заказ 17 готов.")


def test_without_scripts_a_reply_is_sent_too(open_page, chat):
    page = sign_in(open_page(scripts=False), SUPPORT)
    page.goto(f"/conversations/{chat['stranger']}")
    answer_box(page).fill("Что случилось?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".msg.out")).to_contain_text("Что случилось?")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everybody_can_use_conversations(open_page, chat, viewport):
    page = sign_in(open_page(viewport=viewport, locale="uk"), SUPPORT)
    card = f"/customers/{chat['person']}"
    tabs = [f"{card}?tab={tab}" for tab in ("conversation", "messengers", "registration")]
    inbox = ("/conversations", "/conversations?q=ка", "/conversations?show=closed", "/settings/canned-replies")
    for path in (*inbox, f"/conversations/{chat['stranger']}", f"/conversations/{chat['account']}", *tabs):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)
    page.goto(f"{card}?tab=messengers")
    page.get_by_role("button", name="Відв’язати").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check_accessible(page)


def type_code(page: Page, chat: dict[str, int]) -> None:
    from loyalty.customers.rules import card_code, code_key, code_step

    page.goto("/cashier")
    page.fill("#padval", card_code(code_key(SECRET_KEY), chat["person"], code_step(system_now())))
    page.keyboard.press("Enter")
    page.wait_for_url("**/cashier/sale")


def test_a_code_typed_at_the_till_lets_bonuses_be_burnt(open_page, chat):
    page = sign_in(open_page(viewport=SMALL_PHONE), CASHIER)
    page.goto("/cashier")
    page.fill("#padval", "89035557788")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cashier/sale")
    page.fill("#padval", "500")
    link = page.get_by_role("link", name="Enter the code")
    expect(link).to_be_visible()
    check_accessible(page)
    check_no_sideways_scroll(page)
    box = link.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44
    link.click()
    type_code(page, chat)
    expect(page.get_by_text("Code accepted")).to_be_visible()
    page.fill("#padval", "500")
    expect(page.get_by_text("The most")).to_be_visible()
    check_accessible(page)
    check_no_sideways_scroll(page)
    take = page.get_by_role("button", name=re.compile("Take"))
    expect(take).to_be_in_viewport(ratio=1)
