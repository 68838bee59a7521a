"""The cashier credits a receipt on a phone; the panel shows it; both can be used by everybody."""

import re
from datetime import timedelta
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

# People of their own: other tests change the language and location of theirs.
OWNER = "till-owner@example.com"
CASHIER = "till-cashier@example.com"
SMALL_PHONE = {"width": 360, "height": 640}
_numbers = count(1)


@pytest.fixture(scope="module")
def shop(site) -> dict[str, int]:
    """The cashier's location lets bonuses be burnt; sixty customers, the first with 755 bonuses."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty import db
        from loyalty.bonuses.actions.manual import adjust
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.receipts.actions.sales import record_receipt
        from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now() - timedelta(days=3)
        location = await db.fetch_value("UPDATE location SET burns_without_code = true WHERE id = 1 RETURNING id")
        for email, name, role in ((OWNER, "Олег Котов", Role.OWNER), (CASHIER, "Тимур Котов", Role.CASHIER)):
            token = await invite(email, name, role, location, actor=COMMAND, now=now)
            await accept_invitation(token, PASSWORD, now=now)
        for number in range(60):
            name = "Ольга Смирнова" if not number else f"Гость {chr(1072 + number % 30).upper()}{number}"
            profile = Profile(name, f"+7916123{8525 + number:04d}", None, "f", None, "ru", None)
            person = await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)
            made.setdefault("olga", person.id)
            if number % 7 == 0:
                await adjust(person.id, 755_00, "Подарок", key=f"b{number}", actor=COMMAND, now=now)
                draft = ReceiptDraft(ReceiptSource.TILL, location, f"b{number}", person.id, 350_00)
                await record_receipt(draft, actor=COMMAND, now=now)

    site.do(fill)
    return made


def press(page: Page, digits: str) -> None:
    for digit in digits:
        page.locator(f"[data-key='{digit}']").click()


def begin_sale(page: Page, phone: str = "89161238525") -> None:
    page.goto("/cashier")
    page.fill("#padval", phone)
    page.keyboard.press("Enter")
    page.wait_for_url("**/cashier/sale")


def check_thumbs(page: Page) -> None:
    """Everything that can be pressed is at least 44 px in both directions."""
    small = page.evaluate(
        "[...document.querySelectorAll('button, a, .burn label, input:not([type=hidden])')]"
        ".filter(e => e.offsetHeight && (e.offsetHeight < 44 || e.offsetWidth < 44))"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert small == []


@pytest.mark.usefixtures("shop")
def test_a_cashier_credits_a_receipt_on_a_small_phone_and_the_panel_shows_it(open_page, shop):
    page = sign_in(open_page(viewport=SMALL_PHONE, locale="ru"), CASHIER)
    expect(page).to_have_url(re.compile("/cashier$"))
    press(page, "8525")
    page.get_by_role("button", name="Найти клиента").click()
    page.get_by_role("button", name="Ольга С.").click()
    check_thumbs(page)
    press(page, "1840")
    page.locator(".burn label", has_text="Максимум").click()
    take = page.get_by_role("button", name=re.compile("Взять 1.288"))
    expect(take).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("+64")).to_be_visible()
    check_no_sideways_scroll(page)
    take.click()
    expect(page.get_by_role("status").first).to_contain_text(re.compile("1.288"))
    expect(page.get_by_role("status").first).to_contain_text("284")  # 755 + 17 - 552 + 64
    check_thumbs(page)

    panel = sign_in(open_page(locale="ru"), OWNER)
    panel.goto("/customers?q=8525")
    panel.get_by_role("link", name="Ольга Смирнова").click()
    panel.get_by_role("tab", name="Бонусы").click()
    expect(panel.get_by_role("tabpanel")).to_contain_text("−552")
    panel.get_by_role("tab", name="Чеки").click()
    expect(panel.get_by_role("tabpanel")).to_contain_text(re.compile("1.840"))


@pytest.mark.usefixtures("shop")
def test_a_keyboard_and_a_scanner_serve_as_well_as_fingers(open_page):
    page = sign_in(open_page(viewport=PHONE), CASHIER)
    page.goto("/cashier")
    page.locator(".pos-top b").click()  # the cursor is elsewhere
    page.keyboard.type("89161238532\n")  # a scanner types and ends with Enter
    page.wait_for_url("**/cashier/sale")
    page.keyboard.type("350,50")
    expect(page.get_by_role("button", name=re.compile("Take 350.50"))).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/cashier/receipts/*")
    page.get_by_role("button", name=re.compile("Take back")).click()
    expect(page.get_by_role("status").first).to_contain_text("Give back to the customer")


@pytest.mark.loses_answers
@pytest.mark.usefixtures("shop")
def test_without_an_answer_the_same_press_again_credits_once(open_page):
    page = sign_in(open_page(viewport=PHONE), CASHIER)
    begin_sale(page, "89161238539")
    press(page, "100")
    button = page.get_by_role("button", name=re.compile("Take 100"))
    expect(button).to_be_visible()

    def accept_and_lose(route):
        route.fetch()  # the server has recorded it; the answer never comes
        route.abort("connectionreset")

    page.route("**/cashier/sale", accept_and_lose, times=1)
    button.click()
    expect(page.get_by_text("The server does not answer.")).to_be_visible()
    button.click()
    page.wait_for_url("**/cashier/receipts/*again=1")
    expect(page.get_by_text("Already credited")).to_be_visible()


@pytest.mark.usefixtures("shop")
def test_the_base_is_searched_sorted_and_paged_by_keyboard_and_address(open_page):
    page = sign_in(open_page(), OWNER)
    page.goto("/customers")
    page.keyboard.press("/")
    page.keyboard.type("смирн")
    page.wait_for_url("**q=*")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.reload()
    expect(page.locator("#q")).to_have_value("смирн")
    page.goto("/customers")
    page.get_by_role("link", name="Customer", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Customer")
    first = page.locator(".who").first.inner_text()
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".foot")).to_contain_text("51–")
    page.get_by_role("link", name="Previous").click()
    expect(page.locator(".foot")).to_contain_text("1–50")
    assert page.locator(".who").first.inner_text() == first
    page.go_back()
    expect(page.locator(".foot")).to_contain_text("51–")
    page.goto("/customers?q=смирн")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ольга Смирнова")
    page.get_by_role("tab", name="Profile").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**tab=bonuses")
    expect(page.get_by_role("tabpanel")).to_contain_text("Operations")


@pytest.mark.usefixtures("shop")
def test_bonuses_are_credited_in_a_dialog_that_says_what_is_wrong(open_page, shop):
    page = sign_in(open_page(), OWNER)
    page.goto(f"/customers/{shop['olga']}?tab=bonuses")
    page.get_by_role("link", name="Credit", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("How many bonuses").fill("1,5")
    dialog.get_by_label("Reason").fill("Долго ждали")
    dialog.get_by_role("button", name="Credit", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Must be a multiple of 1.")
    dialog.get_by_label("How many bonuses").fill("50")
    dialog.get_by_role("button", name="Credit", exact=True).click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Долго ждали")
    expect(page.locator(".toast")).to_contain_text("The balance has changed")


@pytest.mark.usefixtures("shop")
def test_a_deleted_note_comes_back_with_undo(open_page, shop):
    page = sign_in(open_page(), OWNER)
    page.goto(f"/customers/{shop['olga']}?tab=notes")
    page.get_by_label("New note").fill("Любит овсяное молоко")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".feed")).to_contain_text("Любит овсяное молоко")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#notes")).not_to_contain_text("Любит овсяное молоко")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".feed")).to_contain_text("Любит овсяное молоко")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everybody_can_use_the_base_and_the_card(open_page, shop, viewport):
    page = sign_in(open_page(viewport=viewport, locale="uk"), OWNER)
    card = f"/customers/{shop['olga']}"
    paths = ["/customers", "/customers?q=zzz", "/customers/new", f"{card}/edit", f"{card}/bonuses/credit"]
    for path in [*paths, *(f"{card}?tab={tab}" for tab in ("profile", "bonuses", "receipts", "registration", "notes"))]:
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)


@pytest.mark.usefixtures("shop")
def test_everybody_can_use_the_till(open_page):
    page = sign_in(open_page(viewport=SMALL_PHONE, locale="ru"), CASHIER)
    page.goto("/cashier")

    def check() -> None:
        check_accessible(page)
        check_no_sideways_scroll(page)
        check_thumbs(page)

    check()
    page.fill("#padval", "8525")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Ольга С.")).to_be_visible()
    check()
    begin_sale(page)
    press(page, "500")
    expect(page.get_by_role("button", name=re.compile("Взять"))).to_be_visible()
    check()
    page.get_by_role("button", name=re.compile("Взять")).click()
    page.wait_for_url("**/cashier/receipts/*")
    check()
    page.goto("/cashier")
    page.fill("#padval", f"8903000{next(_numbers):04d}")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Имя нового клиента")).to_be_visible()
    check()
