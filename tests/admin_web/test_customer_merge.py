"""Making one card of two in the panel, taking them apart, and erasing somebody."""

import json

import pytest

from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.once_only import grant_welcome
from loyalty.customers.actions.accounts import know_account, link_account
from loyalty.customers.queries import customer, find_by_phone
from loyalty.customers.rules import ERASED_NAME
from loyalty.office.actions.duplicates import look_for_duplicates_nightly
from loyalty.office.actions.links import ask_link
from loyalty.office.actions.merging import merge_cards
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_programme, a_sale, an_account, assert_books_agree

pytestmark = pytest.mark.usefixtures("database")


async def text(panel, path: str, status: int = 200) -> str:
    answer = await panel.get(path)
    assert answer.status == status
    return str(await answer.text())


async def post(panel, path: str, **data: str):
    return await panel.post(path, data=data, allow_redirects=False)


@pytest.fixture
async def two(database):
    """(who stays, who goes): two cards of one person."""
    await a_programme()
    place = await a_location()
    stays = await a_customer(name="Мария Соколова", phone="+79165550101", bonuses=50_00)
    goes = await a_customer(name="Маша <b>", phone="+79165550102", bonuses=30_00)
    await a_sale(goes.id, place, 1000_00)
    for one in (stays, goes):
        await grant_welcome(one.id, actor=COMMAND, now=START)
    return stays, goes


async def test_found_compared_merged_and_taken_apart(panel, sign_in_as, two):
    stays, goes = two
    await sign_in_as(Role.MARKETER)
    card = await text(panel, f"/customers/{stays.id}")
    assert f'href="/customers/{stays.id}/merge"' in card
    found = await text(panel, f"/customers/{stays.id}/merge?q=маша")
    assert f'href="/customers/{stays.id}/merge/{goes.id}"' in found
    preview = await text(panel, f"/customers/{stays.id}/merge/{goes.id}")
    assert "Маша &lt;b&gt;" in preview
    assert "Welcome bonus: 200" in preview
    assert f'href="/customers/{goes.id}/merge/{stays.id}"' in preview
    done = await post(panel, f"/customers/{stays.id}/merge/{goes.id}")
    assert (done.status, done.headers["Location"]) == (303, f"/customers/{stays.id}")
    card = await text(panel, f"/customers/{stays.id}")
    assert "The cards are one now." in card
    undo = f"/merges/{await db.fetch_value('SELECT id FROM merge')}/undo"
    assert f'data-undo-url="{undo}"' in card
    assert "was merged into this one" in card
    assert "Came from the card that was merged" in await text(panel, f"/customers/{stays.id}?tab=bonuses")
    assert (await customer(stays.id)).balance == 330_00
    apart = await post(panel, undo)
    assert apart.headers["Location"] == f"/customers/{goes.id}"
    assert "was merged into this one" not in await text(panel, f"/customers/{stays.id}")
    await assert_books_agree()


async def test_a_second_press_finds_it_done(panel, sign_in_as, two):
    stays, goes = two
    await sign_in_as(Role.OWNER)
    for _ in range(2):
        assert (await post(panel, f"/customers/{stays.id}/merge/{goes.id}")).status == 303
    assert await db.fetch_value("SELECT count(*) FROM merge") == 1


async def test_the_address_of_a_merged_card_leads_to_the_survivor(panel, sign_in_as, two):
    stays, goes = two
    await merge_cards(goes.id, stays.id, actor=COMMAND, now=START)
    await sign_in_as(Role.SUPPORT)
    for rest in ("", "?tab=bonuses", "/edit"):
        led = await panel.get(f"/customers/{goes.id}{rest}", allow_redirects=False)
        assert (led.status, led.headers["Location"]) == (303, f"/customers/{stays.id}{rest}")
    written = await post(panel, f"/customers/{goes.id}/notes", text="lost?")
    assert (written.status, written.headers["Location"]) == (303, f"/customers/{stays.id}")
    assert await db.fetch_value("SELECT count(*) FROM note") == 0
    asked = await panel.get(f"/customers/{goes.id}?tab=notes", headers={"HX-Request": "true"})
    assert asked.headers["HX-Redirect"] == f"/customers/{stays.id}?tab=notes"


async def test_what_keeps_them_one_is_said_in_words(panel, sign_in_as, two):
    stays, goes = two
    merge_id = await merge_cards(goes.id, stays.id, actor=COMMAND, now=START)
    await adjust(stays.id, -330_00, "spent", key="k", actor=COMMAND, now=START)
    await sign_in_as(Role.OWNER)
    refused = await panel.post(f"/merges/{merge_id}/undo")
    assert refused.status == 409
    assert "bonuses that came over are spent" in await refused.text()
    for path in (f"/customers/{stays.id}/merge/{stays.id}", "/merges/999/undo"):
        assert (await panel.post(path)).status in {404, 422}


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ANALYST, Role.CASHIER])
async def test_not_everybody_may(panel, sign_in_as, two, role):
    stays, goes = two
    await sign_in_as(role)
    for path in (f"/customers/{stays.id}/merge", f"/customers/{stays.id}/merge/{goes.id}", "/customers/duplicates"):
        assert (await panel.get(path)).status == 403
    assert (await panel.post(f"/customers/{stays.id}/merge/{goes.id}")).status == 403
    assert (await panel.get(f"/customers/{stays.id}/erase")).status == 403
    assert (await panel.post(f"/customers/{stays.id}/data")).status == 403


async def test_cards_that_look_like_one_persons_are_listed_with_the_reason(panel, sign_in_as, database):
    await a_customer(name="Анна Ким")
    for phone in ("+79165550103", "+79165550104"):
        same = await a_customer(name="Пётр Иванов", phone=phone)
        await db.execute("UPDATE customer SET birthday = '1990-05-14' WHERE id = $1", same.id)
    one, other = await a_customer(name="Li"), await a_customer(name="Lee")
    await db.execute("UPDATE customer SET email = 'LI@example.com' WHERE id = $1", one.id)
    await db.execute("UPDATE customer SET email = 'li@example.com' WHERE id = $1", other.id)
    await an_account((await a_customer(name="Ann")).id, username="anna_k")
    await an_account((await a_customer(name="Anny")).id, username="Anna_K")
    vouched = await an_account((await a_customer(name="Oleg")).id, username=None)
    await db.execute("UPDATE messenger_account SET phone = '+79165550103' WHERE id = $1", vouched)
    await sign_in_as(Role.OWNER)
    page = await text(panel, "/customers/duplicates")
    for reason in ("same name and birthday", "same e-mail", "same name in a messenger", "same phone in a messenger"):
        assert reason in page
    assert page.count(">Compare</a>") == 4
    assert "Анна Ким" not in page
    await db.execute("UPDATE customer_facts SET is_hidden = true")
    assert "No duplicates found" in await text(panel, "/customers/duplicates")


async def test_a_large_base_says_when_it_was_looked_through(panel, sign_in_as, two, monkeypatch):
    monkeypatch.setattr("loyalty.office.queries.duplicates.SMALL", 0)
    await db.execute("UPDATE customer SET name = 'Пётр Иванов', birthday = '1990-05-14'")
    await sign_in_as(Role.OWNER)
    assert "Not looked for yet" in await text(panel, "/customers/duplicates")
    await look_for_duplicates_nightly(now=START)
    page = await text(panel, "/customers/duplicates")
    assert "Looked through on" in page
    assert page.count(">Compare</a>") == 1


async def test_a_chat_with_a_card_of_its_own_leads_to_the_comparison(panel, sign_in_as, two):
    stays, goes = two
    account = await know_account("whatsapp", "US.1", name="Маша", username=None, language="ru", now=START)
    await link_account(account.id, goes.id, actor=COMMAND, now=START)
    request_id = await ask_link(account.id, stays.id, actor=COMMAND, now=START)
    await sign_in_as(Role.OWNER)
    led = await post(panel, f"/link-requests/{request_id}/accept")
    assert (led.status, led.headers["Location"]) == (303, f"/customers/{stays.id}/merge/{goes.id}")


# ------------------------------------------------------------------------------------------- erasing


async def test_erased_by_the_word_and_what_is_left_is_shown(panel, sign_in_as, two):
    stays, _ = two
    await sign_in_as(Role.OWNER)
    assert "Type the word" in await text(panel, f"/customers/{stays.id}/erase")
    wrong = await post(panel, f"/customers/{stays.id}/erase", word="Delete")
    assert wrong.status == 422
    assert (await customer(stays.id)).name == "Мария Соколова"
    done = await post(panel, f"/customers/{stays.id}/erase", word=" erase ")
    assert (done.status, done.headers["Location"]) == (303, "/customers")
    card = await text(panel, f"/customers/{stays.id}")
    assert "Erased customer" in card
    assert ERASED_NAME not in card
    assert await find_by_phone("+79165550101") is None
    for path in (f"/customers/{stays.id}/edit", f"/customers/{stays.id}/bonuses/credit"):
        assert (await panel.get(path)).status == 404
    assert (await panel.post(f"/customers/{stays.id}/notes", data={"text": "x"})).status == 404
    assert "Person erased for good" in await text(panel, "/journal")


async def test_the_name_of_an_erased_person_is_said_in_words_elsewhere(panel, sign_in_as, two):
    stays, _ = two
    await sign_in_as(Role.OWNER)
    await post(panel, f"/customers/{stays.id}/erase", word="Erase")
    await db.execute(
        "INSERT INTO credit_request (customer_id, amount, comment, key, staff_id, state, created_at)"
        " SELECT $1, 100, 'c', 'k', min(id), 'waiting', $2 FROM staff_member",
        stays.id,
        START,
    )
    page = await text(panel, "/credit-requests")
    assert "Erased customer" in page
    assert ERASED_NAME not in page


async def test_all_data_comes_as_a_file(panel, sign_in_as, two):
    stays, _ = two
    await sign_in_as(Role.OWNER)
    answer = await panel.post(f"/customers/{stays.id}/data")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="customer-{stays.id}.json"'
    assert json.loads(await answer.read())["cards"][0]["phone"] == "+79165550101"
    assert "Own data taken out as a file" in await text(panel, "/journal")
