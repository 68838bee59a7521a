"""Everything that was sent: filtered without a reload, opened in its conversation, looked at by axe."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from loyalty.clock import system_now
from tests.browser.conftest import DESKTOP, PHONE, check_accessible, check_no_sideways_scroll, sign_in


@pytest.fixture(scope="module")
def told(site) -> dict[str, int]:
    """A customer who was told of a purchase, and one message that they did not get."""
    made: dict[str, int] = {}

    async def fill() -> None:
        from tests.builders import a_customer, a_message, an_account

        now = system_now() - timedelta(minutes=3)
        customer = await a_customer(name="Мария Отправкина")
        account = made["account"] = await an_account(customer.id, now=now)
        await a_message(account, "Спасибо за покупку: 450 ₽", kind="receipt", status="sent", now=now)
        made["lost"] = await a_message(
            account, "Подарок\nко дню рождения", kind="birthday", status="failed", reason="window_closed", now=now
        )

    site.do(fill)
    return made


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(open_page, told, viewport):
    page = sign_in(open_page(viewport=viewport, locale="ru"))
    for path in ("/messages", "/messages?days=own&state=failed&channel=telegram", "/messages?kind=bulk"):
        page.goto(path)
        check_accessible(page)
        check_no_sideways_scroll(page)


def test_a_state_is_chosen_in_the_strip_and_a_message_opened_where_it_stands(page, told):
    sign_in(page)
    page.goto("/messages")
    page.evaluate("window.stayed = true")
    page.select_option("[name=kind]", "birthday")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert page.evaluate("window.stayed")
    assert "kind=birthday" in page.url
    expect(page.get_by_label("From")).to_be_hidden()
    page.select_option("[name=days]", "own")
    expect(page.get_by_label("From")).to_be_visible()
    page.get_by_role("link", name="Not sent 1").click()
    expect(page.locator(".fates [aria-current]")).to_have_text("Not sent 1")
    page.get_by_role("link", name="Подарок", exact=True).click()
    expect(page.locator(f"#message-{told['lost']}")).to_be_visible()


def test_a_lost_message_is_sent_again_once(page, told):
    sign_in(page)
    page.goto("/messages?state=failed&kind=birthday")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".toast")).to_have_text("It is sent again")
    expect(page.get_by_text("another message went instead")).to_be_visible()
    expect(page.get_by_role("button", name="Send again")).to_have_count(0)
