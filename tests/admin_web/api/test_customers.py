import asyncio
from datetime import datetime

import pytest

from loyalty.bonuses.actions.manual import adjust
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.rules import card_code, code_key, code_step
from loyalty.db import execute
from loyalty.ids import new_key
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.merging import merge_cards
from loyalty.staff.queries import JournalFilters, journal_page
from loyalty.staff.rules import COMMAND, ActorKind
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_location, a_sale, an_open_card
from tests.conftest import SECRET_KEY

ANNA = {"name": "Anna Petrova", "phone": "8 (916) 555-01-02"}


@pytest.fixture(autouse=True)
async def in_russia(database):
    await execute("UPDATE shop SET region = 'RU', currency = 'RUB', time_zone = 'Europe/Moscow'")


def code_of(customer_id, moment=START):
    return card_code(code_key(SECRET_KEY), customer_id, code_step(moment))


async def test_a_customer_is_added_once_and_found_again(api):
    place = await a_location()
    more = {"email": "anna@example.com", "gender": "f", "birthday": "1990-05-14", "language": "uk"}
    answer = await api("POST", "/customers", ANNA | more | {"home_location_id": place})
    made = await answer.json()
    assert (answer.status, answer.headers["Location"]) == (201, f"/api/v1/customers/{made['id']}")
    assert {name: made[name] for name in more} == more
    assert (made["phone"], made["phone_verified"], made["created_via"]) == ("+79165550102", False, "api")
    assert (made["last_visit_at"], made["home_location_id"]) == (None, place)
    again = await api.post("/customers", ANNA, status=409)
    assert (again["reason"], again["details"]) == ("phone_taken", {"customer_id": made["id"]})
    assert await api.get(f"/customers/{made['id']}") == made
    for query in ({"phone": "+7 916 555 01 02"}, {"card_number": made["card_number"]}):
        assert (await api.get("/customers", **query))["customers"] == [made]
    assert (await api.get("/customers", phone="+79165550199"))["customers"] == []
    line = (await journal_page(JournalFilters(subject_kind="customer"))).lines[0]
    assert (line.actor_kind, line.staff_name, line.action) == (ActorKind.API, "Till", "customer.added")


async def test_adding_the_phone_of_somebody_deleted_brings_them_back(api):
    made = await api.post("/customers", ANNA, status=201)
    await delete_customers([made["id"]], actor=COMMAND, now=START)
    gone = await api.get(f"/customers/{made['id']}")
    assert datetime.fromisoformat(gone["deleted_at"]) == START
    back = await api.post("/customers", ANNA | {"name": "Somebody", "email": "anna@example.com"}, status=200)
    assert (back["id"], back["name"], back["email"]) == (made["id"], made["name"], "anna@example.com")
    assert back["deleted_at"] is None
    await api.post("/customers", ANNA, status=409)


async def test_a_merged_card_is_answered_with_the_one_that_it_became(api):
    goes, stays = await a_customer(phone="+79165550102"), await a_customer(bonuses=50_00)
    await merge_cards(goes.id, stays.id, actor=COMMAND, now=START)
    asked = [await api.get(f"/customers/{goes.id}"), await api.get(f"/customers/{stays.id}")]
    for query in ({"phone": "+79165550102"}, {"card_number": goes.card_number}):
        asked += (await api.get("/customers", **query))["customers"]
    assert [one["id"] for one in asked] == [stays.id] * 4
    assert (await api.get(f"/customers/{goes.id}/balance"))["balance"] == 50_00
    copied = {one["id"]: one["merged_into_id"] for one in (await api.get("/customers"))["customers"]}
    assert copied == {goes.id: stays.id, stays.id: None}
    sale = {"external_id": "led", "location_id": await a_location(), "customer_id": goes.id, "total": 100_00}
    await api.post("/receipts", sale, status=201)
    assert (await api.get(f"/customers/{stays.id}"))["receipts"] == 1


async def test_an_erased_person_is_not_found_and_their_copy_is_told_so(api):
    made = await api.post("/customers", ANNA, status=201)
    await erase_customer(made["id"], actor=COMMAND, now=START)
    for path in ("", "/balance"):
        await api.get(f"/customers/{made['id']}{path}", status=404)
    [copied] = (await api.get("/customers"))["customers"]
    assert (copied["id"], copied["name"], copied["phone"]) == (made["id"], "", None)
    assert datetime.fromisoformat(copied["erased_at"]) == START


async def test_twenty_at_once_add_one_customer(api):
    answers = await asyncio.gather(*(api("POST", "/customers", ANNA) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 19
    assert len((await api.get("/customers"))["customers"]) == 1


async def test_a_card_is_known_by_its_digits_and_by_its_qr_code(api):
    person = await a_customer()
    await an_open_card(person.id, now=START)
    code = code_of(person.id)
    for shown in (code, person.card_number + code):
        assert [one["id"] for one in (await api.get("/customers", code=shown))["customers"]] == [person.id]


async def test_wrong_codes_are_counted_by_key(api, program):
    person = await a_customer()
    await an_open_card(person.id, now=START)
    right = code_of(person.id)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(10):
        assert (await api.get("/customers", code=wrong))["customers"] == []
    answer = await api("GET", "/customers", params={"code": right})
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 200
    other = await program()
    assert len((await other.get("/customers", code=right))["customers"]) == 1


async def test_only_the_fields_that_are_sent_change(api, clock):
    made = await api.post("/customers", ANNA | {"email": "anna@example.com"}, status=201)
    clock.move(minutes=1)
    path = f"/customers/{made['id']}"
    answer = await api("PATCH", path, {"name": "Анна"})
    changed = await answer.json()
    assert (answer.status, changed["name"], changed["email"], changed["phone"]) == (
        200, "Анна", "anna@example.com", "+79165550102",
    )  # fmt: skip
    assert changed["updated_at"] > made["updated_at"]
    emptied = await (await api("PATCH", path, {"email": None, "birthday": "1990-05-14"})).json()
    assert (emptied["email"], emptied["birthday"], emptied["name"]) == (None, "1990-05-14", "Анна")
    for body, reason in (({"name": None}, "not_a_text"), ({"name": ""}, "required"), ({"phone": "1"}, "not_a_phone")):
        refused = await api("PATCH", path, body)
        assert (refused.status, (await refused.json(content_type=None))["reason"]) == (422, reason)
    nothing = await (await api("PATCH", path, {})).json()
    assert nothing == emptied
    assert (await api("PATCH", "/customers/404", {"name": "A"})).status == 404


async def test_the_base_is_read_in_the_order_of_its_changes(api, clock):
    for number in range(5):
        await api.post("/customers", {"name": "Anna", "phone": f"+7916555010{number}"}, status=201)
        clock.move(seconds=1)
    first = await api.get("/customers", limit=2)
    await api("PATCH", f"/customers/{first['customers'][0]['id']}", {"name": "Olga"})
    seen = [one["id"] for one in first["customers"]]
    cursor = first["next_cursor"]
    while cursor:
        page = await api.get("/customers", limit=2, cursor=cursor)
        seen += [one["id"] for one in page["customers"]]
        cursor = page["next_cursor"]
    assert seen == [1, 2, 3, 4, 5, 1]
    since = await api.get("/customers", updated_since=clock.now().isoformat())
    assert [one["name"] for one in since["customers"]] == ["Olga"]


async def test_a_balance_says_what_can_be_spent_and_what_is_lost_next(api):
    person, place = await a_customer(), await a_location()
    await adjust(person.id, 50_00, "gift", key=new_key(), actor=COMMAND, now=START)
    await a_sale(person.id, place, 1000_00, now=START)
    balance = await api.get(f"/customers/{person.id}/balance")
    assert balance["balance"] == balance["available"] == sum(lot["remaining"] for lot in balance["lots"])
    assert (balance["pending"], balance["debt"], balance["tier"]["id"]) == (0, 0, 0)
    assert balance["next_expiry"]["amount"] > 0
    page = await api.get(f"/customers/{person.id}/entries")
    assert [entry["kind"] for entry in page["entries"]] == ["earn", "adjust"]
    assert page["entries"][0]["balance_after"] == balance["balance"]
    assert page["next_cursor"] is None
    for path in ("balance", "entries"):
        assert (await api.get(f"/customers/404/{path}", status=404))["reason"] == "customer"


async def test_entries_are_read_page_by_page(api):
    person = await a_customer()
    for _ in range(60):
        await adjust(person.id, 1_00, "gift", key=new_key(), actor=COMMAND, now=START)
    first = await api.get(f"/customers/{person.id}/entries")
    rest = await api.get(f"/customers/{person.id}/entries", cursor=first["next_cursor"])
    ids = [entry["id"] for entry in first["entries"] + rest["entries"]]
    assert (len(ids), ids, rest["next_cursor"]) == (60, sorted(ids, reverse=True), None)
