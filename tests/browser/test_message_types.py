"""What is sent: a type switched off and on, a text changed with its preview, hours and templates; by mouse and keys."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, check_accessible, check_no_sideways_scroll, sign_in

PATH = "/settings/message-types"


@pytest.fixture(scope="module")
def template(site) -> dict[str, int]:
    """A customer who was told of a purchase, and a template."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty.conversations.actions.templates import add_template
        from loyalty.conversations.content import Content
        from loyalty.conversations.templating import TemplateDraft, Variable
        from loyalty.staff.rules import COMMAND
        from tests.builders import NOW, a_customer, a_message, an_account

        customer = await a_customer(name="Майя Видная")
        values = {"total": "450 ₽", "location": "Тверская, 12", "balance": "320 бонусов"}
        content = Content(text="Спасибо", values=values)
        await a_message(await an_account(customer.id), kind="receipt", status="sent", content=content)
        draft = TemplateDraft("news", "ru", "utility", "Спасибо за {{1}}.", (Variable("total", "—"),), "receipt")
        made["id"] = await add_template(draft, actor=COMMAND, now=NOW)

    site.do(fill)
    return made


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(open_page, template, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"))
    templates = ("/settings/templates", f"/settings/templates/{template['id']}", "/settings/templates/new")
    for path in (
        PATH,
        f"{PATH}/receipt",
        f"{PATH}/staff",
        "/settings/messaging",
        "/settings/message-prices",
        *templates,
    ):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_type_is_switched_off_at_once_and_undone(open_page, template, viewport):
    page = sign_in(open_page(viewport=viewport))
    page.goto(PATH)
    row = page.locator("#type-birthday")
    row.get_by_role("switch", name="WhatsApp").click()
    row.get_by_role("switch", name="Telegram").click()
    expect(row.get_by_text("Off", exact=True)).to_be_visible()
    expect(row.get_by_role("switch", name="Telegram")).to_be_focused()
    page.get_by_role("button", name="Undo").last.click()
    expect(row.get_by_role("switch", name="Telegram")).to_be_checked()
    row.get_by_role("switch", name="WhatsApp").press("Enter")
    expect(row.get_by_role("switch", name="WhatsApp")).to_be_checked()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_text_is_changed_while_one_sees_what_becomes_of_it(open_page, template, viewport):
    page = sign_in(open_page(viewport=viewport))
    page.goto(f"{PATH}/receipt")
    page.fill("#q", "видная")
    shown = page.locator("#preview")
    expect(shown.get_by_text("Майя Видная")).to_be_visible()
    text = page.locator("#text-ru")
    text.fill(", спасибо за {total}!")
    text.press("Home")
    page.get_by_role("button", name="{first_name}").click()
    expect(text).to_have_value("{first_name}, спасибо за {total}!")
    expect(shown.get_by_text("Майя, спасибо за 450 ₽!").first).to_be_visible()
    expect(page.locator("#size-ru")).to_contain_text("1 SMS")
    page.locator("[name=on-sms]").check()
    expect(shown.locator("figure")).to_have_count(3)
    page.get_by_role("button", name="Move WhatsApp up").press("Enter")
    expect(page.locator(".t-order li").first).to_contain_text("WhatsApp")
    expect(page.get_by_role("button", name="Move WhatsApp down")).to_be_enabled()
    # Typed before the answer to the move is there.
    with page.expect_request("**/preview"):
        page.locator("[name=on-sms]").dispatch_event("change")
    text.fill("{nonsense}")
    expect(shown.get_by_text("There is no {nonsense} in this message.")).to_be_visible()
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#text-ru-error")).to_be_visible()
    text.fill("")
    page.locator("#subject-ru").fill("Спасибо")
    page.locator("#subject-ru").press("Enter")
    page.wait_for_url(f"**{PATH}")
    expect(page.locator("#type-receipt").get_by_text("Own words")).to_be_visible()
    page.goto(f"{PATH}/receipt")
    page.get_by_role("button", name="As it comes with the house").click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("#type-receipt").get_by_text("Own words")).to_have_count(0)


def test_hours_say_how_they_read_before_they_are_kept(page, template):
    sign_in(page)
    page.goto("/settings/messaging")
    page.select_option("#quiet_from", "9")
    expect(page.locator("#reads")).to_contain_text("There are no quiet hours")
    page.select_option("#quiet_from", "21")
    page.fill("#cap_messages", "2")
    expect(page.locator("#reads")).to_contain_text("at most 2 advertising messages in 7 days")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_have_text("Saved")


def test_a_template_is_written_noted_and_deleted(page, template):
    sign_in(page)
    page.goto("/settings/templates/new?kind=birthday")
    page.fill("#name", "a_gift")
    page.fill("#body", "Дарим {{1}} вам!")
    page.select_option("#variable-1", "amount")
    page.fill("#fallback-1", "подарок")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="I have sent it to WhatsApp").click()
    page.get_by_role("button", name="WhatsApp has approved it").click()
    expect(page.get_by_text("WhatsApp has this template")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.locator("#delete").get_by_role("button", name="Delete").click()
    expect(page.locator(".toast")).to_have_text("The template is deleted.")
