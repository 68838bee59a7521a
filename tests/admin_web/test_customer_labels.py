"""Categories, importance, deleting and the form with every field, as browsers with and without scripts meet them."""

import asyncio
import re
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.actions.categories import add_category, give_category
from loyalty.customers.labels import CategoryDraft
from loyalty.customers.queries import consents, customer, find_by_phone, notes
from loyalty.customers.queries.archive import PAGE_ROWS
from loyalty.customers.queries.categories import categories, category_chips, importance_classes, importance_of
from loyalty.segments.actions.segments import add_segment
from loyalty.segments.queries.segments import chips
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.segments.rules.trees import Condition, Group
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.admin_web.test_segments import HTMX, text
from tests.builders import a_customer

PHONE = "+79161234567"


async def a_category(name: str = "Office", color: str = "blue") -> int:
    return await add_category(CategoryDraft(name, color), actor=COMMAND, now=START)


def undo_in(words: str) -> str:
    return re.findall(r'data-undo-url="([^"]+)"', words)[0]


async def test_a_category_lives_through_its_page(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    assert "No categories yet" in await text(panel, "/categories")
    await panel.post("/categories", data={"name": "Офисы <1>", "color": "green"})
    made = (await categories())[0]
    words = await text(panel, "/categories")
    assert '<span class="cat cat-green"><bdi>Офисы &lt;1&gt;</bdi></span>' in words
    taken = await panel.post("/categories", data={"name": "офисы <1>", "color": "red"}, headers=HTMX)
    assert taken.status == 422
    part = await taken.text()
    assert part.lstrip().startswith('<section class="card" id="categories"')
    assert "Another one in use has this name." in part
    assert 'value="офисы &lt;1&gt;"' in part
    assert 'name="name" type="text" value="Офисы' in await text(panel, f"/categories?edit={made.id}")
    await panel.post(f"/categories/{made.id}", data={"name": "Offices", "color": "red"})
    wrong = await panel.post(f"/categories/{made.id}", data={"name": "", "color": "mauve"})
    assert wrong.status == 422
    archived = await panel.post(f"/categories/{made.id}/archive", headers=HTMX)
    assert f"/categories/{made.id}/restore" in archived.headers["HX-Trigger"]
    assert "Archived" in await archived.text()
    await panel.post(f"/categories/{made.id}/restore")
    assert [(one.name, one.color, one.archived_at) for one in await categories()] == [("Offices", "red", None)]


async def test_a_category_says_which_segments_ask_for_it(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    office, other = await a_category(), await a_category("Other", "red")
    asks = Group(parts=(Condition("category", "any", f"{office}.{other}"), Condition("category", "none", str(office))))
    made = await add_segment(SegmentDraft("Offices in town", conditions=asks), actor=COMMAND, now=START)
    words = await text(panel, "/categories")
    assert words.count(f'<a class="link" href="/segments/{made}"><bdi>Offices in town</bdi></a>') == 2


async def test_classes_of_importance_are_ordered_and_not_archived_with_people_in_them(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    first = (await importance_classes())[0]
    await panel.post("/importance", data={"name": "VIP"})
    again = await panel.post("/importance", data={"name": "vip"}, headers=HTMX)
    assert again.status == 422
    assert (await again.text()).lstrip().startswith('<section class="card" id="importance"')
    moved = await panel.post(f"/importance/{first.id}/up", headers=HTMX)
    assert re.findall(r"<b><bdi>([^<]+)</bdi></b>", await moved.text()) == ["VIP", "3", "1", "2"]
    await panel.post(f"/importance/{first.id}", data={"name": "Low"})
    person = await a_customer()
    await panel.post(f"/customers/{person.id}/importance", data={"importance": str(first.id)})
    refused = await panel.post(f"/importance/{first.id}/archive", headers=HTMX)
    assert refused.status == 409
    assert "Customers are in this class (1)" in refused.headers["HX-Trigger"]
    await panel.post(f"/customers/{person.id}/importance", data={"importance": "0"})
    await panel.post(f"/importance/{first.id}/archive")
    assert [one.name for one in await importance_classes() if one.archived_at is None] == ["2", "3", "VIP"]
    await panel.post(f"/importance/{first.id}/restore")
    assert len([one for one in await importance_classes() if one.archived_at is None]) == 4


async def test_the_card_gives_makes_and_takes_categories(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person, office = await a_customer(), await a_category()
    url = f"/customers/{person.id}/categories"
    offered = await text(panel, f"{url}?name=off", **HTMX)
    assert f'value="{office}"' in offered
    assert "Create “off”" in offered
    exact = await text(panel, f"{url}?name=OFFICE", **HTMX)
    assert "Create" not in exact
    given = await (await panel.post(url, data={"category": str(office), "name": "off"}, headers=HTMX)).text()
    assert "Take off Office" in given
    made = await (await panel.post(url, data={"name": "Tasters", "color": "pink", "create": "1"}, headers=HTMX)).text()
    assert '<span class="cat cat-pink"><bdi>Tasters</bdi>' in made
    again = await panel.post(url, data={"name": "tasters", "color": "pink", "create": "1"}, headers=HTMX)
    assert again.status == 422
    taken = await panel.post(f"{url}/{office}/take", headers=HTMX)
    assert f"{url}/{office}/give" in taken.headers["HX-Trigger"]
    assert "Take off Office" not in await taken.text()
    await panel.post(f"{url}/{office}/give")
    assert [one.name for one in await category_chips(person.id) if one.is_in] == ["Office", "Tasters"]


async def test_support_gives_categories_and_makes_none(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person, office = await a_customer(), await a_category()
    url = f"/customers/{person.id}/categories"
    assert "Create" not in await text(panel, f"{url}?name=new", **HTMX)
    refused = await panel.post(url, data={"name": "New", "color": "red", "create": "1"})
    assert refused.status == 403
    await panel.post(url, data={"category": str(office)})
    assert (await category_chips(person.id))[0].is_in
    assert (await panel.post("/categories", data={"name": "New", "color": "red"})).status == 403
    assert "Add a category" not in await text(panel, "/categories")


async def test_what_a_rule_gave_says_so_and_can_be_kept(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person, office = await a_customer(), await a_category()
    rule = await db.fetch_value(
        "INSERT INTO label_rule (name, target, value, conditions, position, is_active, created_at, size)"
        " VALUES ('Orders on Fridays', 'category', $1, $3::jsonb, 1, true, $2, 0) RETURNING id",
        office,
        START,
        db.to_json({"all": [{"field": "visits", "operator": "between", "value": "1.."}]}),
    )
    await db.execute(
        "INSERT INTO customer_category (category_id, customer_id, rule_id, added_at) VALUES ($1, $2, $3, $4)",
        office,
        person.id,
        rule,
        START,
    )
    assert "Given by the rule “Orders on Fridays”" in await text(panel, f"/customers/{person.id}")
    assert "Orders on Fridays" in await text(panel, "/categories")
    form = {"name": person.name, "phone": person.phone, "language": "ru", "labels": "1", "importance": "0"}
    await panel.post(f"/customers/{person.id}/edit", data=form)
    assert (await category_chips(person.id))[0].rule == "Orders on Fridays"
    url = f"/customers/{person.id}/categories/{office}"
    refused = await panel.post(f"{url}/take", headers=HTMX)
    assert refused.status == 409
    kept = await panel.post(f"{url}/give", headers={**HTMX, "HX-Target": "labels"})
    assert "Take off Office" in await kept.text()


async def test_importance_is_saved_at_once_and_undone(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person, top = await a_customer(), (await importance_classes())[-1]
    url = f"/customers/{person.id}/importance"
    saved = await panel.post(url, data={"importance": str(top.id)}, headers=HTMX)
    assert f"{url}/0" in saved.headers["HX-Trigger"]
    assert f'<option value="{top.id}" selected>' in await saved.text()
    await panel.post(f"{url}/0")
    assert (await importance_of(person.id)).id == 0
    for wrong in ("x", "9999", "123456"):
        assert (await panel.post(url, data={"importance": wrong})).status == 404


async def test_a_customer_is_deleted_by_the_word_and_brought_back(panel, sign_in_as):
    await sign_in_as(Role.MARKETER, name="Marina Fox")
    person = await a_customer(phone=PHONE)
    url = f"/customers/{person.id}"
    assert "Type the word “Delete”" in await text(panel, f"{url}/delete")
    wrong = await panel.post(f"{url}/delete", data={"word": "remove"})
    assert wrong.status == 422
    assert "Type the word as it is written above." in await wrong.text()
    done = await panel.post(f"{url}/delete", data={"word": " dELETE "}, allow_redirects=False)
    assert done.headers["Location"] == "/customers"
    assert (await customer(person.id)).deleted_at == START
    undo = undo_in(await text(panel, "/customers"))
    card = await text(panel, url)
    assert "by Marina Fox." in card
    assert "Can be brought back until" in card
    listed = await text(panel, "/customers/deleted")
    assert "Marina Fox" in listed
    assert '<td class="r num">30</td>' in listed
    await panel.post(undo)
    assert (await customer(person.id)).deleted_at is None
    assert "Nobody is deleted" in await text(panel, "/customers/deleted")
    assert "Can be brought back until" not in await text(panel, url)


async def test_the_word_is_of_the_readers_language(panel, sign_in_as):
    await sign_in_as()
    person = await a_customer()
    await panel.post("/account/language", data={"language": "ru", "next": "/"})
    await panel.post(f"/customers/{person.id}/delete", data={"word": "Delete"})
    assert (await customer(person.id)).deleted_at is None
    await panel.post(f"/customers/{person.id}/delete", data={"word": "удалить"})
    assert (await customer(person.id)).deleted_at is not None


async def test_after_thirty_days_nobody_is_brought_back_by_hand(panel, sign_in_as, clock):
    await sign_in_as()
    person = await a_customer()
    await delete_customers([person.id], actor=COMMAND, now=START)
    clock.move(days=30)
    await panel.post("/login", data={"email": "owner@example.com", "password": "a phrase to keep"})
    words = await text(panel, f"/customers/{person.id}")
    assert "The time to bring them back is over" in words
    assert f"/customers/{person.id}/restore" not in words
    assert "Nobody is deleted" in await text(panel, "/customers/deleted")
    assert (await panel.post(f"/customers/{person.id}/restore")).status == 409


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ANALYST])
async def test_only_owners_and_marketers_delete(panel, sign_in_as, role):
    await sign_in_as(role)
    person = await a_customer()
    assert f"/customers/{person.id}/delete" not in await text(panel, f"/customers/{person.id}")
    for path in (f"/customers/{person.id}/delete", "/customers/deleted"):
        assert (await panel.get(path)).status == 403
    for act in ("delete", "restore"):
        assert (await panel.post(f"/customers/{person.id}/{act}", data={"word": "delete"})).status == 403


async def test_the_journal_says_for_how_many_an_act_was(panel, sign_in_as):
    await sign_in_as()
    office, people = await a_category(), [(await a_customer()).id for _ in range(2)]
    await give_category(office, people, actor=COMMAND, now=START)
    await delete_customers(people, actor=COMMAND, now=START)
    words = await text(panel, "/journal")
    assert "Category given: 2 customers" in words
    assert f"Category № {office}" in words
    assert "Customer deleted: 2 customers" in words


async def test_the_list_of_deleted_people_comes_in_pages_newest_first(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    for number in range(PAGE_ROWS + 2):
        person = await a_customer(name=f"Person N{number}")
        at = START - timedelta(minutes=PAGE_ROWS + 2 - number)
        await delete_customers([person.id], actor=COMMAND, now=at)
    first = await text(panel, "/customers/deleted")
    assert first.count('class="who"') == PAGE_ROWS
    older = re.findall(r'href="(/customers/deleted\?before=[^"]+)"', first)[0].replace("&amp;", "&")
    second = await text(panel, older, **HTMX, **{"HX-Target": "results"})
    assert second.count('class="who"') == 2
    assert 'hx-get="/customers/deleted"' in second
    assert (await panel.get("/customers/deleted?before=nonsense~1")).status == 200


FULL = {
    "labels": "1",
    "name": "Анна Ким",
    "phone": "8 916 123-45-67",
    "email": "anna@example.com",
    "birthday": "1990-05-14",
    "gender": "f",
    "language": "ru",
    "discount": "7,5",
    "text": "Prefers oat milk",
    "agreed": "1",
    "key": "form-1",
}


async def test_somebody_is_added_with_every_field_once(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    office = await a_category()
    segment = await add_segment(SegmentDraft("Friends"), actor=COMMAND, now=START)
    top = (await importance_classes())[-1]
    form = FULL | {f"category_{office}": "1", f"segment_{segment}": "1", "importance": str(top.id)}
    places = [(await panel.post("/customers", data=form, allow_redirects=False)).headers["Location"] for _ in "12"]
    assert places[0] == places[1]
    made = int(places[0].rpartition("/")[2])
    assert await db.fetch_value("SELECT count(*) FROM customer") == 1
    person = await customer(made)
    assert (person.name, person.phone, person.discount_bp) == ("Анна Ким", PHONE, 750)
    assert [one.text for one in await notes(made)] == ["Prefers oat milk"]
    assert [(one.topic, one.granted, one.source, one.text_version) for one in await consents(made)] == [
        ("marketing", True, "panel", "1 ru")
    ]
    assert [one.is_in for one in await category_chips(made)] == [True]
    assert [one.is_in for one in await chips(made)] == [True]
    assert (await importance_of(made)).id == top.id


async def test_nothing_that_was_typed_is_lost_and_nothing_is_half_saved(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    office = await a_category()
    wrong = FULL | {f"category_{office}": "1", "discount": "101", "importance": "0"}
    answer = await panel.post("/customers", data=wrong, headers=HTMX)
    words = await answer.text()
    assert answer.status == 422
    assert "Must be between 0 and 100 percent." in words
    for kept in (
        'value="Анна Ким"',
        'value="101"',
        "Prefers oat milk",
        'value="form-1"',
        'name="agreed" value="1" checked',
    ):
        assert kept in words
    assert f'name="category_{office}" value="1" checked' in words
    too_long = await panel.post("/customers", data=FULL | {"text": "x" * 2001, "importance": "0"})
    assert too_long.status == 422
    assert await db.fetch_value("SELECT count(*) FROM customer") == 0


async def test_the_same_form_twice_at_once_adds_one(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    form = FULL | {"phone": "", "importance": "0"}
    await asyncio.gather(*(panel.post("/customers", data=form, allow_redirects=False) for _ in range(4)))
    assert await db.fetch_value("SELECT count(*) FROM customer") == 1


async def test_support_sets_no_discount_and_no_segments(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    words = await text(panel, "/customers/new")
    assert 'name="discount"' not in words
    await panel.post("/customers", data=FULL | {"importance": "0"})
    assert (await customer(await find_by_phone(PHONE) or 0)).discount_bp == 0


async def test_the_phone_of_a_deleted_customer_brings_them_back(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person = await a_customer(name="Анна Прежняя", phone=PHONE)
    await delete_customers([person.id], actor=COMMAND, now=START)
    done = await panel.post("/customers", data=FULL | {"importance": "0"}, allow_redirects=False)
    assert done.headers["Location"] == f"/customers/{person.id}"
    assert "This phone is of a deleted customer: their card is back." in await text(panel, f"/customers/{person.id}")
    back = await customer(person.id)
    assert (back.deleted_at, back.name, back.email, back.discount_bp) == (None, "Анна Прежняя", "anna@example.com", 750)
    assert not await db.fetch_value("SELECT is_hidden FROM customer_facts WHERE customer_id = $1", person.id)


async def test_who_may_be_the_same_is_shown_while_typing(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person = await a_customer(name="Мария Соколова", phone=PHONE)
    await panel.post(
        f"/customers/{person.id}/edit",
        data={"name": person.name, "phone": PHONE, "email": "masha@example.com", "language": "ru"},
    )
    for query, why in (
        ("phone=8(916)1234567", "same phone"),
        ("phone=9161234", "same phone"),
        ("email=MASHA@example.com", "same e-mail"),
        ("name=соколова+мария", "same name"),
        ("name=Sokolova+Maria", "same name"),
    ):
        words = await text(panel, f"/customers/similar?{query}", **HTMX)
        assert why in words, query
        assert words.count("<li>") == 1
        assert "+7 916 123-45-67" in words.replace("\xa0", " ")
    for query in (
        "name=Мария",
        "name=Соколов+Мария",
        "phone=916",
        "email=masha@",
        f"phone=89161234567&besides={person.id}",
        "",
    ):
        assert (await text(panel, f"/customers/similar?{query}", **HTMX)).strip() == "", query
    await delete_customers([person.id], actor=COMMAND, now=START)
    assert "deleted" in await text(panel, "/customers/similar?phone=89161234567", **HTMX)
    taken = await a_customer(name="Other", phone="+79160000001")
    form = {"name": "Мария Соколова", "phone": taken.phone, "language": "ru"}
    answer = await panel.post("/customers", data=form)
    words = await answer.text()
    assert "Another customer has this phone." in words
    assert f'href="/customers/{taken.id}"' in words


async def test_a_form_of_before_leaves_the_labels_as_they_are(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person, office = await a_customer(), await a_category()
    await give_category(office, [person.id], actor=COMMAND, now=START)
    await panel.post(f"/customers/{person.id}/edit", data={"name": "New name", "language": "ru"})
    assert (await category_chips(person.id))[0].is_in
    form = {"name": "New name", "language": "ru", "labels": "1", "importance": "0"}
    await panel.post(f"/customers/{person.id}/edit", data=form)
    assert not (await category_chips(person.id))[0].is_in
