"""Two cards are found, compared, made one and taken apart; a person is erased by the word."""

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_accessible, check_no_sideways_scroll, sign_in

OWNER = "merges-owner@example.com"


@pytest.fixture(scope="module")
def pair(site) -> dict[str, int]:
    """Two cards of one person, and somebody who wants to be forgotten."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from loyalty.bonuses.actions.manual import adjust
        from loyalty.bonuses.actions.once_only import grant_welcome
        from loyalty.customers.actions.profile import add_customer
        from loyalty.customers.rules import Profile, Via
        from loyalty.staff.actions import accept_invitation, invite
        from loyalty.staff.rules import COMMAND, Role

        now = system_now()
        token = await invite(OWNER, "Ольга Двойник", Role.OWNER, actor=COMMAND, now=now)
        await accept_invitation(token, PASSWORD, now=now)
        people = (("stays", "Зоя Двойная", "+79160008811"), ("goes", "Зоя Двойная-Старая", "+79160008812"))
        for key, name, phone in (*people, ("leaves", "Ян Забытый", "+79160008813")):
            profile = Profile(name, phone, None, None, None, "ru", None)
            made[key] = (await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=now)).id
            await adjust(made[key], 100_00, "gift", key=f"merge {key}", actor=COMMAND, now=now)
            await grant_welcome(made[key], actor=COMMAND, now=now)

    site.do(fill)
    return made


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_the_way_to_one_card(open_page, pair, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"), OWNER)
    card = f"/customers/{pair['stays']}"
    for path in ("/customers/duplicates", f"{card}/merge?q=двойная", f"{card}/merge/{pair['goes']}", f"{card}/erase"):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)


def test_found_compared_made_one_and_taken_apart(page, pair):
    sign_in(page, OWNER)
    page.goto(f"/customers/{pair['stays']}")
    page.locator("[popovertarget=card-more]").click()
    page.get_by_role("link", name="Merge with another card").click()
    page.fill("#q", "двойная-старая")
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("Welcome bonus: 200")).to_be_visible()
    page.get_by_role("link", name="Keep the other one").click()
    page.wait_for_url(f"**/customers/{pair['goes']}/merge/{pair['stays']}")
    page.get_by_role("link", name="Keep the other one").click()
    page.get_by_role("button", name="Merge").first.click()
    page.locator("#sure").get_by_role("button", name="Merge").click()
    expect(page.get_by_text("was merged into this one")).to_be_visible()
    expect(page.locator(".page-h .meta")).to_contain_text("400")
    page.goto(f"/customers/{pair['goes']}")
    page.wait_for_url(f"**/customers/{pair['stays']}")
    page.get_by_role("button", name="Take apart").click()
    page.wait_for_url(f"**/customers/{pair['goes']}")
    expect(page.locator(".page-h .meta")).to_contain_text("300")


def test_undo_stands_in_the_toast(page, pair):
    sign_in(page, OWNER)
    page.goto(f"/customers/{pair['stays']}/merge/{pair['goes']}")
    page.get_by_role("button", name="Merge").first.click()
    page.locator("#sure").get_by_role("button", name="Merge").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The cards are taken apart.")).to_be_visible()


def test_erased_by_the_word_alone(page, pair):
    sign_in(page, OWNER)
    page.goto(f"/customers/{pair['leaves']}")
    page.locator("[popovertarget=card-more]").click()
    page.get_by_role("link", name="Erase the person").click()
    button = page.locator("dialog [data-confirmed]")
    page.fill("dialog #word", "delete")
    expect(button).to_be_disabled()
    page.fill("dialog #word", "erase")
    button.click()
    expect(page.get_by_text("The person is erased.")).to_be_visible()
    page.goto(f"/customers/{pair['leaves']}")
    expect(page.get_by_role("heading", name="Erased customer")).to_be_visible()
