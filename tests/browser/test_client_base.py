"""The client base in a browser: filters, columns, menus, views and segments, by mouse and keyboard, and by axe."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

OWNER = "base-owner@example.com"


@pytest.fixture(scope="module")
def shop(site) -> dict[str, int]:
    """Four people with the same family name; one has bought much, one little."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty.customers.actions.categories import add_category, give_category
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.labels import CategoryDraft
        from loyalty.customers.rules import Profile, Via
        from loyalty.receipts.actions.sales import record_receipt
        from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
        from loyalty.shop.actions import add_location
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now() - timedelta(minutes=1)
        token = await invite(OWNER, "Ольга Базина", Role.OWNER, None, actor=COMMAND, now=now)
        owner = await accept_invitation(token, PASSWORD, now=now)
        place = await add_location(
            name="Базовая", address="", time_zone="Europe/Moscow", hours=None, fiscal_drives=(), actor=COMMAND, now=now
        )
        for number, (name, total) in enumerate({"Анна": 90_000_00, "Борис": 500_00, "Вера": 0, "Глеб": 0}.items()):
            profile = Profile(f"{name} Базова", f"+7916000991{number}", None, None, None, "ru", None)
            person = await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)
            made[name] = person.id
            if total:
                draft = ReceiptDraft(ReceiptSource.TILL, place.id, f"base{number}", person.id, total, 0)
                await record_receipt(draft, actor=owner.actor, now=now)
        category = await add_category(CategoryDraft("Базовая категория", "teal"), actor=owner.actor, now=now)
        await give_category(category, [made["Вера"]], actor=owner.actor, now=now)

    site.do(fill)
    return made


def names(page) -> list[str]:
    return page.locator("#rows .who bdi").all_inner_texts()


def base(open_page, **options):
    page = sign_in(open_page(**options), OWNER)
    page.goto("/customers?q=Базова&sort=name&dir=asc")
    return page


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_in_the_list_its_drawers_and_the_rules(open_page, shop, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"), OWNER)
    for path in (
        "/customers?f=sold:between:100..,any(tier:any:0,birthday:soon:14)",
        "/customers?f=nothing:any:1",
        "/customers/filters?f=sold:between:100..,last_visit:in:last-30,any(category:any:1,birthday:month:2)",
        "/customers/columns",
        "/label-rules",
        "/label-rules/new?f=sold:between:100..",
        "/segments",
    ):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)


def test_a_filter_is_put_together_counted_shown_changed_and_cleared(open_page, shop):
    page = base(open_page)
    assert names(page) == ["Анна Базова", "Борис Базова", "Вера Базова", "Глеб Базова"]
    page.click("#base-acts a[href^='/customers/filters']")
    drawer = page.locator("dialog.drawer[open]")
    expect(drawer).to_be_visible()
    drawer.get_by_label("Add a condition").first.select_option("sold")
    drawer.get_by_label("from", exact=True).fill("100")
    expect(drawer.get_by_role("button", name="Show 2 customers")).to_be_visible()
    drawer.get_by_role("button", name="Add a group").click()
    drawer.get_by_label("How these conditions are joined").nth(1).select_option("none")
    drawer.get_by_label("Add a condition").first.select_option("sold")
    drawer.locator("input[name='low.0.1.0']").fill("1000")
    expect(drawer.get_by_role("button", name="Show 1 customer", exact=True)).to_be_visible()
    drawer.get_by_role("button", name="Show 1 customer", exact=True).click()
    expect(page.locator("#rows .who bdi")).to_have_text(["Борис Базова"])
    assert "q=" in page.url
    page.get_by_label("Remove filter: Group").click()
    expect(page.locator("#rows .who bdi")).to_have_count(2)
    page.go_back()
    expect(page.locator("#rows .who bdi")).to_have_count(1)
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#rows .who bdi")).to_have_count(4)


def test_the_header_sorts_and_its_menu_filters_hides_and_opens_columns(open_page, shop):
    page = base(open_page, viewport=DESKTOP)
    page.get_by_role("columnheader", name="Spent").get_by_role("link").first.click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Spent")
    assert names(page)[0] == "Анна Базова"
    page.get_by_label("Column “Spent”: menu").click()
    page.get_by_role("link", name="Sort ascending").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Spent")
    page.get_by_label("Column “Visits”: menu").click()
    page.get_by_role("link", name="Filter…").click()
    expect(page.locator("dialog.drawer[open] .fcond")).to_contain_text("Visits")
    page.keyboard.press("Escape")
    page.get_by_label("Column “Level”: menu").click()
    page.get_by_role("button", name="Hide column").click()
    expect(page.get_by_label("Column “Level”: menu")).to_have_count(0)
    page.click("#base-acts a[href^='/customers/columns']")
    drawer = page.locator("dialog.drawer[open]")
    drawer.locator("input[name=column][value=tips]").check()
    drawer.locator("input[name=column][value=email]").check()
    drawer.locator("input[name=pin][value=email]").check()
    before = drawer.locator("li").all_inner_texts()
    drawer.get_by_label("Move “Last visit” up").press("Enter")
    after = drawer.locator("li").all_inner_texts()
    assert [before.index(text) for text in after] != list(range(len(before)))
    drawer.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Column “Tips”: menu")).to_have_count(1)
    assert page.locator("th[data-pinned]").inner_text().strip().startswith("E-mail")
    page.click("#base-acts a[href^='/customers/columns']")
    page.get_by_role("button", name="As it comes").click()
    expect(page.get_by_label("Column “Level”: menu")).to_have_count(1)


def test_why_somebody_is_there_is_told_from_their_row(open_page, shop):
    page = base(open_page, viewport=DESKTOP)
    page.goto("/customers?q=Базова&f=any(sold:between:5000000..,visits:between:9..)")
    page.get_by_label("Why is Анна Базова here?").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.locator("li.yes")).to_contain_text("Spent")
    expect(dialog.locator("li.no")).to_contain_text("Visits")


def test_a_view_is_saved_opened_and_removed_with_undo(open_page, shop):
    page = base(open_page, viewport=DESKTOP)
    page.goto("/customers?q=Базова&f=sold:between:100..&sort=sold")
    page.click("[popovertarget=views]")
    page.get_by_role("button", name="Save this view…").click()
    page.fill("#view-name", "Купившие Базовы")
    page.locator("#save-view").get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("The view is saved.")
    page.goto("/customers")
    page.click("[popovertarget=views]")
    page.get_by_role("link", name="Купившие Базовы").click()
    expect(page.locator("#rows .who bdi")).to_have_text(["Анна Базова", "Борис Базова"])
    page.click("[popovertarget=views]")
    page.get_by_label("Remove the view “Купившие Базовы”").click()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state("networkidle")
    page.click("[popovertarget=views]")
    expect(page.get_by_role("link", name="Купившие Базовы")).to_be_visible()


def test_a_filter_becomes_a_segment(open_page, shop):
    page = base(open_page, viewport=DESKTOP)
    page.goto("/customers?f=sold:between:5000000..")
    page.get_by_role("button", name="Save as a segment").click()
    dialog = page.locator("#save-segment")
    dialog.get_by_label("Name").fill("Щедрые")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Щедрые")).to_be_visible()
    expect(page.locator("#rows .who bdi")).to_contain_text(["Анна Базова"])


def test_on_a_phone_the_list_is_sorted_and_filtered_too(open_page, shop):
    page = base(open_page, viewport=PHONE)
    page.select_option("#phone-sort", "sold")
    # She is the first by name, too: the address says that the answer is there.
    page.wait_for_url("**sort=sold**")
    expect(page.locator("#rows .who bdi").first).to_have_text("Анна Базова")
    page.get_by_label("Turn the order round").click()
    expect(page.locator("#rows .who bdi").first).to_have_text("Вера Базова")
    page.click("#base-acts a[href^='/customers/filters']")
    drawer = page.locator("dialog.drawer[open]")
    drawer.get_by_label("Add a condition").select_option("category")
    drawer.locator(".fpills label", has_text="Базовая категория").click()
    drawer.get_by_role("button", name="Show 1 customer", exact=True).click()
    expect(page.locator("#rows .who bdi")).to_have_text(["Вера Базова"])
    check_no_sideways_scroll(page)
