"""Accounts that may be somebody's, and what may be written to each: on the card and in a list."""

import re

import pytest

from loyalty import db
from loyalty.customers.actions.accounts import know_account, link_account, set_account_active
from loyalty.customers.queries import accounts_of, consents, messenger_account
from loyalty.office.actions.links import ask_link
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_sale, an_account

pytestmark = pytest.mark.usefixtures("database")


async def text(panel, path: str) -> str:
    answer = await panel.get(path)
    assert answer.status == 200
    return str(await answer.text())


@pytest.fixture
async def asked():
    """(the customer, the newcomer, the newcomer's account, the request): a phone was named without a proof."""
    person = await a_customer(name="Ольга Ким", phone="+79169990001")
    newcomer = await a_customer(name="Маша")
    account = await know_account("whatsapp", "US.1", name="Маша <b>", username=None, language="ru", now=START)
    await link_account(account.id, newcomer.id, actor=COMMAND, now=START)
    request_id = await ask_link(account.id, person.id, actor=COMMAND, now=START)
    return person, newcomer, account.id, request_id


async def test_what_waits_is_counted_listed_and_shown_on_both_cards(panel, sign_in_as, asked):
    person, newcomer, _, _ = asked
    await sign_in_as(Role.SUPPORT)
    page = await text(panel, "/link-requests")
    assert 'class="cnt">1<' in page
    assert "Маша &lt;b&gt;" in page
    assert "Ольга Ким" in page
    assert "999" in page
    assert "named the phone of this card" in await text(panel, f"/customers/{person.id}?tab=messengers")
    assert "the phone of another card was named" in await text(panel, f"/customers/{newcomer.id}?tab=messengers")


async def test_accepted_from_the_card_the_account_stands_on_it(panel, sign_in_as, asked):
    person, newcomer, account_id, request_id = asked
    await sign_in_as(Role.SUPPORT)
    for status in (303, 409):
        done = await panel.post(
            f"/link-requests/{request_id}/accept", data={"card": str(person.id)}, allow_redirects=False
        )
        assert done.status == status
    assert [one.id for one in await accounts_of(person.id)] == [account_id]
    assert "WhatsApp" in await text(panel, f"/customers/{person.id}?tab=messengers")
    assert await accounts_of(newcomer.id) == []
    assert "Was the same person" in await text(panel, "/link-requests?decided=1")
    assert "Nothing waits" in await text(panel, "/link-requests")
    assert (await panel.post("/link-requests/999/accept")).status == 404


async def test_refused_it_stays_apart(panel, sign_in_as, asked):
    _, newcomer, account_id, request_id = asked
    await sign_in_as(Role.MARKETER)
    await panel.post(f"/link-requests/{request_id}/refuse")
    assert (await messenger_account(account_id)).customer_id == newcomer.id
    assert "Was somebody else" in await text(panel, "/link-requests?decided=1")


async def test_a_card_with_purchases_is_not_left_behind_and_the_page_says_why(panel, sign_in_as, asked):
    _, newcomer, _, request_id = asked
    await a_sale(newcomer.id, await a_location(), 100_00)
    await sign_in_as(Role.SUPPORT)
    refused = await panel.post(f"/link-requests/{request_id}/accept")
    assert refused.status == 409
    assert "the two cards must be merged first" in await refused.text()


async def test_who_may_not_edit_customers_decides_nothing(panel, sign_in_as, asked):
    person, _, _, request_id = asked
    own = await an_account(person.id)
    await sign_in_as(Role.ANALYST)
    assert (await panel.get("/link-requests")).status == 403
    acts = ("accept", "refuse")
    paths = [f"/link-requests/{request_id}/{act}" for act in acts]
    paths += [
        f"/customers/{person.id}/accounts/{own}/{act}" for act in ("unsubscribe", "subscribe", "topics/service/off")
    ]
    assert [(await panel.post(path)).status for path in paths] == [403] * 5
    card = await text(panel, f"/customers/{person.id}?tab=messengers")
    assert "Same person" not in card
    assert "Unsubscribe" not in card


async def test_topics_are_switched_on_the_card_and_a_yes_is_kept_as_a_consent(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person = await a_customer()
    account_id = await an_account(person.id)
    base = f"/customers/{person.id}/accounts/{account_id}"

    async def taken() -> tuple[bool, bool, bool]:
        known = await messenger_account(account_id)
        return known.takes_service, known.takes_marketing, known.takes_surveys

    await panel.post(f"{base}/topics/service/off")
    assert await taken() == (False, True, True)
    await panel.post(f"{base}/unsubscribe")
    assert await taken() == (False, False, False)
    assert await consents(person.id) == []
    card = await text(panel, f"/customers/{person.id}?tab=messengers")
    assert "Subscribe again" in card
    await panel.post(f"{base}/subscribe")
    await panel.post(f"{base}/topics/surveys/off")
    assert await taken() == (False, True, False)
    kept = {(one.topic, one.granted, one.source, one.text_version) for one in await consents(person.id)}
    assert kept == {("marketing", True, "panel", "by staff"), ("surveys", True, "panel", "by staff")}
    assert await db.fetch_value("SELECT count(*) FROM journal_entry WHERE action = 'account.topics'") == 4
    for wrong in ("topics/terms/on", "topics/service/maybe"):
        assert (await panel.post(f"{base}/{wrong}")).status == 404
    stranger = await an_account()
    assert (await panel.post(f"/customers/{person.id}/accounts/{stranger}/unsubscribe")).status == 404


async def test_an_account_that_hears_nothing_says_why_and_since_when(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person = await a_customer()
    account_id = await an_account(person.id)
    await set_account_active(account_id, is_active=False, reason="gone", now=START)
    card = await text(panel, f"/customers/{person.id}?tab=messengers")
    assert "No such account any more" in card
    assert re.search(r"from \S.* on<", card)
