import re

import pytest

from loyalty import db
from loyalty.customers.queries import PAGE_ROWS, customer
from loyalty.staff.rules import Role
from tests.builders import a_customer, a_location, a_programme, a_sale, assert_books_agree


def names(html: str) -> list[str]:
    """Of the list, in its order."""
    return re.findall(r'<a class="who".*?<bdi>(.*?)</bdi>', html)


async def text(panel, path: str, **headers: str) -> str:
    response = await panel.get(path, headers=headers)
    assert response.status == 200, (path, response.status)
    return await response.text()


async def test_the_list_is_found_by_name_phone_last_digits_card_and_email(panel, sign_in_as):
    await sign_in_as()
    anna = await a_customer(name="Анна Їжак", phone="+79161234567")
    await a_customer(name="Борис Кот", phone="+79031112233")
    await db.execute("UPDATE customer SET email = 'Anna@Example.com' WHERE id = $1", anna.id)
    for query in ("анна", "ЇЖАК", "Ан", "8 916 123-45-67", "4567", "123 45", anna.card_number, "anna@ex"):
        found = await panel.get("/customers", params={"q": query})
        assert names(await found.text()) == ["Анна Їжак"], query
    for query in ("%", "_", "а%а", "\\"):
        found = await panel.get("/customers", params={"q": query})
        assert (found.status, names(await found.text())) == (200, []), query


async def test_a_page_holds_fifty_and_the_ways_on_lead_through_all_of_them_and_back(panel, sign_in_as):
    await sign_in_as()
    for number in range(PAGE_ROWS + 20):
        await a_customer(name=f"Гость {chr(1072 + number % 30)}{number:03d}")
    first = await text(panel, "/customers?sort=name&dir=asc")
    assert f"1–{PAGE_ROWS}" in first
    following = re.findall(r'href="(/customers\?[^"]*after=[^"]*)"', first)[0].replace("&amp;", "&")
    second = await text(panel, following)
    assert f"{PAGE_ROWS + 1}–{PAGE_ROWS + 20}" in second
    assert sorted(names(first) + names(second)) == names(first) + names(second)
    assert len(set(names(first) + names(second))) == PAGE_ROWS + 20
    back = re.findall(r'href="(/customers\?[^"]*before=[^"]*)"', second)[0].replace("&amp;", "&")
    again = await text(panel, back)
    assert names(again) == names(first)
    assert f"1–{PAGE_ROWS}" in again


@pytest.mark.parametrize("sort", ["name", "created", "last_visit", "sold", "visits", "balance", "nonsense"])
async def test_every_order_shows_everybody_once(panel, sign_in_as, sort):
    await sign_in_as()
    location = await a_location()
    people = [await a_customer(bonuses=number % 3 * 100_00) for number in range(6)]
    await a_sale(people[2].id, location, 500_00)
    for direction in ("asc", "desc"):
        html = await text(panel, f"/customers?sort={sort}&dir={direction}")
        assert len(names(html)) == 6


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwxLDFd", "bnVsbA", "WzEsMSwxXQ", "%00", "e30"])
async def test_a_place_nobody_made_is_no_fault_of_ours(panel, sign_in_as, cursor):
    await sign_in_as()
    await a_customer()
    response = await panel.get(f"/customers?sort=name&after={cursor}")
    assert response.status < 500


@pytest.mark.parametrize("query", ["", "Гость"])
async def test_a_large_result_is_shown_at_once_and_counted_after(panel, sign_in_as, monkeypatch, query):
    monkeypatch.setattr("loyalty.segments.queries.finding.SMALL", 3)
    monkeypatch.setattr("loyalty.segments.queries.finding.FEW", 3)
    await sign_in_as()
    for number in range(5):
        await a_customer(name=f"Гость {number}", bonuses=100_00)
    html = await text(panel, f"/customers?q={query}&sort=balance")
    assert len(names(html)) == 5
    later = re.findall(r'hx-get="(/customers/totals[^"]*)"', html)
    assert len(later) == 1
    counted = await text(panel, later[0].replace("&amp;", "&"))
    assert "<!doctype" not in counted
    assert '<b class="num">5</b>' in counted
    assert "500" in counted


async def test_htmx_gets_only_the_part_it_asks_for(panel, sign_in_as):
    await sign_in_as()
    await a_customer()
    part = await text(panel, "/customers", **{"HX-Request": "true", "HX-Target": "results"})
    assert part.lstrip().startswith('<div class="results"')
    whole = await text(
        panel, "/customers", **{"HX-Request": "true", "HX-Target": "results", "HX-History-Restore-Request": "true"}
    )
    assert "<!doctype html>" in whole


async def test_who_may_not_see_phones_cannot_find_by_them(panel, sign_in_as):
    await sign_in_as(Role.ANALYST)
    person = await a_customer(phone="+79161234567")
    page = await text(panel, f"/customers/{person.id}")
    assert "123-45-67" not in page
    assert "+79161234567" not in page
    for query in ("4567", "9161234567", "12345"):
        assert names(await text(panel, f"/customers?q={query}")) == [], query
    assert names(await text(panel, f"/customers?q={person.card_number}")) == [person.name]


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.CASHIER, "/customers", 403),
        (Role.CASHIER, "/customers/1", 403),
        (Role.ANALYST, "/customers/new", 403),
        (Role.ANALYST, "/customers/1/bonuses/credit", 403),
        (Role.SUPPORT, "/customers/1/bonuses/credit", 403),
        (Role.MARKETER, "/cashier", 403),
        (Role.OWNER, "/customers/999999", 404),
        (Role.OWNER, "/customers/x", 404),
        (Role.OWNER, "/customers/99999999999999999999", 404),
    ],
)
async def test_a_page_opens_only_to_whom_it_is_for(panel, sign_in_as, role, path, status):
    await sign_in_as(role)
    await a_customer()
    assert (await panel.get(path)).status == status


async def test_a_customer_is_added_and_corrected_by_hand(panel, sign_in_as):
    await sign_in_as()
    form = {"name": " Їжак 🦔 <", "phone": "8 916 123 45 67", "language": "ru", "birthday": "1990-02-01"}
    refused = await panel.post("/customers", data=form)
    assert refused.status == 422
    assert "There are characters here that cannot be used." in await refused.text()
    added = await panel.post("/customers", data=form | {"name": " Їжак 🦔 "}, allow_redirects=False)
    path = added.headers["Location"]
    person = await customer(int(path.rpartition("/")[2]))
    assert (person.name, person.phone, str(person.birthday)) == ("Їжак 🦔", "+79161234567", "1990-02-01")
    taken = await panel.post("/customers", data=form | {"name": "Кто-то"})
    assert taken.status == 422
    assert "Another customer has this phone." in await taken.text()
    changed = await panel.post(f"{path}/edit", data=form | {"name": "Їжак", "phone": ""}, allow_redirects=False)
    assert changed.status == 303
    assert (await customer(person.id)).phone is None
    row = await db.fetch_row("SELECT details FROM journal_entry WHERE action = 'customer.changed'")
    assert row is not None
    assert "name" in row["details"]
    assert "Їжак" not in row["details"]


async def test_bonuses_are_credited_once_however_often_the_form_is_sent(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    person = await a_customer()
    form = {"amount": "150", "comment": "Остывший кофе", "key": "abc"}
    for _ in range(2):
        sent = await panel.post(f"/customers/{person.id}/bonuses/credit", data=form, allow_redirects=False)
        assert sent.status == 303
    assert (await customer(person.id)).balance == 150_00
    page = await text(panel, f"/customers/{person.id}?tab=bonuses")
    assert "Остывший кофе" in page
    assert "+150" in page
    too_much = await panel.post(
        f"/customers/{person.id}/bonuses/debit", data={"amount": "151", "comment": "x", "key": "d"}
    )
    assert too_much.status == 422
    assert "There are only 150 bonuses to use." in await too_much.text()
    await assert_books_agree()


@pytest.mark.parametrize("amount", ["0", "-5", "1e309", "1_000", "٣", "12,345", "", "\u202e5", "9" * 40])
async def test_an_amount_that_is_none_is_refused_beside_its_field(panel, sign_in_as, amount):
    await sign_in_as()
    person = await a_customer()
    response = await panel.post(
        f"/customers/{person.id}/bonuses/credit", data={"amount": amount, "comment": "x", "key": "k"}
    )
    assert response.status == 422
    assert 'id="amount-error"' in await response.text()
    assert (await customer(person.id)).balance == 0


async def test_each_tab_of_the_card_shows_what_it_is_for(panel, sign_in_as):
    await sign_in_as()
    await a_programme()
    person, location = await a_customer(bonuses=300_00), await a_location()
    await a_sale(person.id, location, 1000_00, burn=300_00)
    expected = {
        "profile": ["1\u00a0000", "Purchases by month", "<svg"],
        "bonuses": ["−300", "+35", "What expires when"],
        "receipts": ["Tverskaya, 12", "700"],
        "registration": ["Added to the base", "By hand in the panel"],
        "notes": ["New note"],
    }
    for tab, words in expected.items():
        page = await text(panel, f"/customers/{person.id}?tab={tab}")
        assert 'aria-selected="true"' in page
        for word in words:
            assert word.replace("\u00a0", ",") in page or word in page, (tab, word)


async def test_notes_are_written_changed_by_their_author_and_deleted_with_a_way_back(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person = await a_customer()
    base = f"/customers/{person.id}/notes"
    assert (await panel.post(base, data={"text": "  "})).status == 422
    await panel.post(base, data={"text": "Любит <b>овсяное</b> молоко\nи круассан"})
    page = await text(panel, f"/customers/{person.id}?tab=notes")
    assert "Любит &lt;b&gt;овсяное&lt;/b&gt; молоко\nи круассан" in page
    note = int(re.findall(rf"{base}/(\d+)/delete", page)[0])
    await panel.post(f"{base}/{note}", data={"text": "Любит молоко"})
    htmx = {"HX-Request": "true"}
    deleted = await panel.post(f"{base}/{note}/delete", headers=htmx)
    assert f"{base}/{note}/restore" in deleted.headers["HX-Trigger"]
    assert "Любит молоко" not in await text(panel, f"/customers/{person.id}?tab=notes")
    await panel.post(f"{base}/{note}/restore")
    assert "Любит молоко" in await text(panel, f"/customers/{person.id}?tab=notes")
    assert (await panel.post(f"/customers/{person.id + 1}/notes/{note}/delete")).status == 404
