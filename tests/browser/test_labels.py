"""Categories and importance on the card, deleting by the word, who may be the same, the timeline: used, and by axe."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

OWNER = "labels-owner@example.com"


@pytest.fixture(scope="module")
def shop(site) -> dict[str, int]:
    """Three people, one of them with a life, two categories, and somebody deleted."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty.customers.actions.archive import delete_customers
        from loyalty.customers.actions.categories import add_category, give_category
        from loyalty.customers.actions.notes import add_note
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.labels import CategoryDraft
        from loyalty.customers.rules import Profile, Via
        from loyalty.receipts.actions.sales import record_receipt
        from loyalty.receipts.rules.sales import ReceiptDraft, ReceiptSource
        from loyalty.shop.actions import add_location
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now() - timedelta(minutes=1)
        token = await invite(OWNER, "Олег Метка", Role.OWNER, None, actor=COMMAND, now=now)
        owner = await accept_invitation(token, PASSWORD, now=now)
        place = await add_location(
            name="Меточная", address="", time_zone="Europe/Moscow", hours=None, fiscal_drives=(), actor=COMMAND, now=now
        )
        people = []
        for number, name in enumerate(("Клара Меткова", "Денис Уходящий", "Зоя Ушедшая")):
            profile = Profile(name, f"+7916001771{number}", None, None, None, "ru", None)
            people.append((await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)).id)
        draft = ReceiptDraft(ReceiptSource.TILL, place.id, "labels", people[0], 900_00, 0)
        await record_receipt(draft, actor=owner.actor, now=now)
        await add_note(people[0], "Любит овсяное", actor=owner.actor, now=now)
        for name, color in (("Офис", "blue"), ("Жалоба", "red")):
            category = await add_category(CategoryDraft(name, color), actor=owner.actor, now=now)
            made.setdefault("category", category)
        await give_category(made["category"], [people[0]], actor=owner.actor, now=now)
        await delete_customers([people[2]], actor=owner.actor, now=now)
        made.update(person=people[0], leaving=people[1], left=people[2])

    site.do(fill)
    return made


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_labels_deleted_people_and_timelines(open_page, shop, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"), OWNER)
    card = f"/customers/{shop['person']}"
    pages = [
        "/categories",
        f"/categories?edit={shop['category']}",
        "/customers/deleted",
        "/customers/new?name=Меткова+Клара",
        card,
        f"{card}/edit",
        f"{card}/delete",
        f"{card}?tab=timeline",
        f"/customers/{shop['left']}",
    ]
    for path in pages:
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)
    page.goto(card)
    page.locator("[popovertarget=give-category]").click()
    expect(page.locator("#give-category input[type=search]")).to_be_focused()
    check_accessible(page)
    check_no_sideways_scroll(page)


def test_a_category_is_made_on_the_spot_and_taken_off_with_an_undo(page, shop):
    sign_in(page, OWNER)
    page.goto(f"/customers/{shop['person']}")
    chips = page.locator("#labels .chips .cat")
    expect(chips).to_have_count(1)
    page.locator("#labels").get_by_role("button", name="Add").click()
    page.get_by_label("Find or name a category").press_sequentially("Дегу")
    expect(page.get_by_role("button", name="Create “Дегу”")).to_be_visible()
    page.get_by_label("Find or name a category").press_sequentially("статор")
    page.get_by_label("Violet").check()
    page.get_by_role("button", name="Create “Дегустатор”").click()
    expect(chips).to_have_count(2)
    expect(page.locator("#labels .chips .cat-violet")).to_have_text("Дегустатор")
    page.get_by_role("button", name="Take off Дегустатор").click()
    expect(chips).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(chips).to_have_count(2)


def test_typing_finds_a_category_and_the_keyboard_gives_it(page, shop):
    sign_in(page, OWNER)
    page.goto(f"/customers/{shop['leaving']}")
    page.locator("#labels").get_by_role("button", name="Add").press("Enter")
    box = page.get_by_label("Find or name a category")
    expect(box).to_be_focused()
    box.press_sequentially("жал")
    expect(page.locator("#offered button[name=category]")).to_have_count(1)
    box.press("Enter")
    expect(page.locator("#labels .chips .cat-red")).to_contain_text("Жалоба")


def test_importance_is_saved_by_choosing_and_undone(page, shop):
    sign_in(page, OWNER)
    page.goto(f"/customers/{shop['person']}")
    page.select_option("#importance", label="3")
    expect(page.get_by_text("The importance is set.")).to_be_visible()
    page.reload()
    expect(page.locator("#importance option:checked")).to_have_text("3")
    page.select_option("#importance", label="2")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#importance option:checked")).to_have_text("3")


def test_somebody_is_deleted_by_the_word_and_brought_back(page, shop):
    sign_in(page, OWNER)
    page.goto(f"/customers/{shop['leaving']}")
    page.get_by_role("button", name="More about this customer").click()
    page.get_by_role("link", name="Delete").click()
    word = page.get_by_label("Type the word")
    word.fill("Delet")
    expect(page.locator("dialog [data-confirmed]")).to_be_disabled()
    word.fill("delete")
    page.locator("dialog [data-confirmed]").click()
    page.wait_for_url("**/customers")
    page.goto("/customers/deleted")
    for name in ("Денис У.", "Зоя У."):
        expect(page.locator("#rows tr").filter(has_text=name)).to_have_count(1)
    page.get_by_role("button", name=re.compile("Bring Денис У. back")).click()
    page.wait_for_url(f"**/customers/{shop['leaving']}")
    expect(page.get_by_text("The customer is in the base again.")).to_be_visible()
    expect(page.get_by_text("Can be brought back until")).to_have_count(0)


def test_who_may_be_the_same_shows_while_typing_and_nothing_typed_is_lost(page, shop):
    sign_in(page, OWNER)
    page.goto("/customers/new")
    page.get_by_label("Name", exact=True).press_sequentially("меткова клара")
    found = page.locator("#similar li")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("same name")
    page.locator("#phone").press_sequentially("8 916 001-77-12")
    expect(page.locator("#similar li").first).to_contain_text("Зоя Ушедшая")
    expect(page.locator("#similar")).to_contain_text("deleted")
    page.locator("#phone").fill("8 916 001-77-10")
    page.get_by_label("First note").fill("Заходила с собакой")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#phone-error")).to_contain_text("Another customer has this phone.")
    expect(page.get_by_label("First note")).to_have_value("Заходила с собакой")
    # The form is a new one, and still looks.
    page.locator("#phone").fill("")
    page.locator("#phone").press_sequentially("9160017711")
    expect(page.locator("#similar li").first).to_contain_text("Денис Уходящий")


def test_the_timeline_is_narrowed_down_in_the_address(page, shop):
    sign_in(page, OWNER)
    page.goto(f"/customers/{shop['person']}")
    page.get_by_role("tab", name="Timeline").click()
    lines = page.locator("#timeline .tl > li")
    expect(lines.first).to_be_visible()
    page.locator("#timeline").get_by_role("link", name="Money").click()
    page.wait_for_url("**show=money")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("Purchase of")
    page.locator("#timeline").get_by_role("link", name="Card").click()
    page.wait_for_url("**show=money,card")
    expect(lines).to_have_count(3)
    page.go_back()
    expect(lines).to_have_count(1)
    page.reload()
    expect(lines).to_have_count(1)
    page.locator("#timeline").get_by_role("link", name="All").click()
    expect(page.locator("#timeline .tl > li").nth(1)).to_be_visible()
