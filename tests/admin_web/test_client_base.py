"""The client base's table: its columns, orders, filters, views, and why somebody is in it."""

import re
from urllib.parse import quote

import pytest

from admin_web.base_columns import COLUMNS
from loyalty import db
from loyalty.segments.filters import FILTERS
from loyalty.segments.queries import columns
from loyalty.staff.rules import Role
from tests.admin_web.conftest import send_login
from tests.builders import a_customer, a_location, a_sale


async def text(panel, path: str, **headers: str) -> str:
    response = await panel.get(path, headers=headers)
    assert response.status == 200, (path, response.status)
    return await response.text()


def names(html: str) -> list[str]:
    return re.findall(r'class="who" href="/customers/\d+">.*?<bdi>(.*?)</bdi>', html)


def heads(html: str) -> list[str]:
    return re.findall(r'popovertarget="menu-(\w+)"', html)


async def test_every_column_has_words_and_every_order_shows_everybody(panel, sign_in_as):
    assert COLUMNS.keys() == columns.COLUMNS.keys()
    await sign_in_as()
    place = await a_location()
    for number in range(3):
        await a_sale((await a_customer(name=f"Гость {number}")).id, place, 500_00 * (number + 1))
    every, html = ".".join(COLUMNS), ""
    for key, column in columns.COLUMNS.items():
        for direction in ("asc", "desc"):
            html = await text(panel, f"/customers?cols={every}&sort={key}&dir={direction}")
            assert len(names(html)) == 3
            if column.order:
                assert f'aria-sort="{direction}ending"' in html
    assert set(heads(html)) == set(COLUMNS)


async def test_columns_are_chosen_ordered_pinned_hidden_and_remembered_for_one_person(panel, sign_in_as):
    owner = await sign_in_as()
    await a_customer()
    response = await panel.post(
        "/customers/columns",
        data=[("column", "balance"), ("column", "email"), ("column", "sold"), ("pin", "sold"), ("column", "no_such")],
        headers={"HX-Request": "true"},
    )
    assert (response.status, response.headers["HX-Redirect"]) == (204, "/customers")
    html = await text(panel, "/customers")
    assert heads(html) == ["name", "sold", "balance", "email"]
    assert html.count("data-pinned") == 2
    here = "/customers?q=%D0%90%D0%BD%D0%BD%D0%B0&cols=name.balance&sort=sold"
    hidden = await panel.post(
        "/customers/columns",
        data={"hide": "balance"},
        headers={"HX-Request": "true", "HX-Current-URL": f"http://x{here}"},
    )
    assert hidden.headers["HX-Redirect"] == "/customers?q=%D0%90%D0%BD%D0%BD%D0%B0&sort=sold"
    assert heads(await text(panel, "/customers")) == ["name", "sold", "email"]
    assert heads(await text(panel, "/customers?cols=visits.name.tips")) == ["name", "visits", "tips"]
    await sign_in_as(Role.ANALYST)
    assert "balance" in heads(await text(panel, "/customers"))
    await send_login(panel, owner.email)
    await panel.post("/customers/columns", data={"reset": "1"})
    assert "balance" in heads(await text(panel, "/customers"))


async def test_a_filter_lives_in_the_address_and_shows_as_chips_that_can_be_removed(panel, sign_in_as):
    await sign_in_as()
    place = await a_location()
    for name, total in (("Мало", 100_00), ("Много", 900_00)):
        await a_sale((await a_customer(name=name)).id, place, total)
    await a_customer(name="Никогда")
    html = await text(panel, "/customers?f=sold:between:50000..,last_visit:ever&sort=name")
    assert names(html) == ["Много"]
    chips = re.findall(r'class="chip"><span>(.*?)</span><b>(.*?)</b><a href="(.*?)"', html)
    assert [(name, asked.replace("\xa0", " ")) for name, asked, _ in chips] == [
        ("Spent", "from 500 ₽"), ("Last visit", "ever")
    ]  # fmt: skip
    fewer = chips[0][2].replace("&amp;", "&")
    assert names(await text(panel, fewer)) == ["Много", "Мало"] or names(await text(panel, fewer)) == ["Мало", "Много"]
    html = await text(panel, "/customers?f=none(sold:between:50000..)&sort=name&dir=asc")
    assert names(html) == ["Мало", "Никогда"]


@pytest.mark.parametrize(
    "wrong",
    [
        "sold", "sold:", ":between:1..", "sold:between:", "sold:between:x..", "sold:between:9..1", "sold:any:1",
        "nothing:any:1", "gender:any:x", "category:any:", "category:any:1;DROP", "last_visit:in:last-x",
        "last_visit:in:2026-13-01..", "last_visit:in:9999-01-01..", "last_visit:never:last-3", "any()", "any(",
        "any(sold:between:1..", "sold:between:1..)", "all(" * 9 + "sold:between:1.." + ")" * 9,
        ",".join(["sold:between:1.."] * 51), "birthday:soon:400", "birthday:month:13", "answer:any:1",
        "sold:between:%FF..", "sold:between:99999999999999999999..", "created:never", "was_invited:yes:1",
        "category:any:" + ".".join("1" * 300), "%00:any:1",
    ],
)  # fmt: skip
async def test_a_filter_that_nobody_can_ask_is_told_and_finds_nobody(panel, sign_in_as, wrong):
    await sign_in_as()
    await a_customer(name="Кто-то")
    response = await panel.get(f"/customers?f={quote(wrong)}")
    html = await response.text()
    assert (response.status, names(html)) == (422, [])
    assert "The filter of this address cannot be read" in html
    assert (await panel.get(f"/customers/totals?f={quote(wrong)}")).status == 422
    assert (await panel.get(f"/customers/filters?f={quote(wrong)}")).status == 200


async def test_the_form_adds_groups_and_conditions_counts_and_leads_to_the_list(panel, sign_in_as):
    await sign_in_as()
    place = await a_location()
    rich = await a_customer(name="Много")
    await a_sale(rich.id, place, 900_00)
    await a_customer(name="Никогда")
    form = {"join.0": "all", "field.0.0": "sold", "operator.0.0": "between", "low.0.0": "500", "high.0.0": ""}
    html = await text(panel, f"/customers/filters?{urlencoded(form | {'do': 'group:0'})}")
    assert 'name="join.0.1"' in html
    form |= {"join.0.1": "none", "add.0.1": "birthday"}
    html = await text(panel, f"/customers/filters?{urlencoded(form | {'do': 'add:0.1'})}")
    assert 'name="field.0.1.0" value="birthday"' in html
    assert 'value="500"' in html
    form |= {"field.0.1.0": "birthday", "operator.0.1.0": "soon", "days.0.1.0": "14"}
    assert "Show 1 customer" in await text(panel, f"/customers/filters/count?{urlencoded(form)}")
    response = await panel.get(f"/customers/filters?{urlencoded(form | {'do': 'show'})}", allow_redirects=False)
    assert response.status == 303
    assert response.headers["Location"].endswith("f=sold:between:50000..,none(birthday:soon:14)")
    assert names(await text(panel, response.headers["Location"])) == ["Много"]
    again = await text(panel, response.headers["Location"].replace("/customers?", "/customers/filters?"))
    assert 'name="low.0.0" value="500"' in again
    removed = await text(panel, f"/customers/filters?{urlencoded(form | {'do': 'remove:0.0'})}")
    assert 'value="sold"' not in re.sub(r"<option.*?</option>", "", removed)


async def test_what_is_not_whole_is_marked_and_not_shown(panel, sign_in_as):
    await sign_in_as()
    form = {"join.0": "all", "field.0.0": "sold", "low.0.0": "much", "do": "show"}
    response = await panel.get(f"/customers/filters?{urlencoded(form)}")
    html = await response.text()
    assert response.status == 422
    assert 'value="much"' in html
    assert 'role="alert" id="error-0.0"' in html


@pytest.mark.parametrize(
    "deed", ["remove:0", "remove:9", "remove:0.x", "remove:0.7.7", "add:0", "add:9.9", "group:0.0.0.0.0.0", "x", ":"]
)
async def test_deeds_on_parts_that_are_not_there_change_nothing(panel, sign_in_as, deed):
    await sign_in_as()
    form = {"join.0": "all", "field.0.0": "visits", "low.0.0": "1", "join.0.5.3": "any", "field.x": "sold", "do": deed}
    html = await text(panel, f"/customers/filters?{urlencoded(form)}")
    assert 'name="field.0.0" value="visits"' in html


@pytest.mark.parametrize("key", list(FILTERS))
async def test_every_filter_has_a_form(panel, sign_in_as, key):
    await sign_in_as()
    for operator in FILTERS[key].operators:
        form = {"join.0": "all", "field.0.0": key, "operator.0.0": operator}
        html = await text(panel, f"/customers/filters?{urlencoded(form)}")
        assert f'name="field.0.0" value="{key}"' in html


async def test_why_somebody_is_there_names_each_condition_and_what_they_have(panel, sign_in_as):
    await sign_in_as()
    place = await a_location()
    person = await a_customer(name="Много")
    await a_sale(person.id, place, 900_00)
    html = await text(panel, f"/customers/{person.id}/why?f=any(sold:between:50000..,visits:between:5..)")
    lines = re.findall(r'<li class="(yes|no)">.*?</span> (.*?)<small>(.*?)</small>', html)
    assert [(how, what.replace("\xa0", " "), has.replace("\xa0", " ")) for how, what, has in lines] == [
        ("yes", "Spent: from 500 ₽", "has: 900 ₽"), ("no", "Visits: from 5", "has: 1")
    ]  # fmt: skip
    assert (await panel.get("/customers/987654/why?f=visits:between:1..")).status == 404


async def test_a_view_is_kept_shared_removed_and_taken_back(panel, sign_in_as):
    owner = await sign_in_as()
    form = {"name": "Щедрые", "query": "f=sold:between:50000..&sort=sold&after=xyz&evil=1", "is_shared": "1"}
    response = await panel.post("/customers/views", data=form, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == "/customers?f=sold:between:50000..&sort=sold"
    assert "Щедрые" in await text(panel, "/customers")
    refused = await panel.post("/customers/views", data=form | {"name": " "}, headers={"HX-Request": "true"})
    assert refused.status == 422
    await sign_in_as(Role.ANALYST)
    html = await text(panel, "/customers")
    assert "Щедрые" in html
    [view_id] = re.findall(r'name="view" value="(\d+)"', html) or [await db.fetch_value("SELECT id FROM saved_view")]
    assert (await panel.post(f"/customers/views/{view_id}/remove")).status == 404
    await send_login(panel, owner.email)
    response = await panel.post(f"/customers/views/{view_id}/remove", allow_redirects=False)
    assert response.status == 303
    html = await text(panel, "/customers")
    assert f"views/{view_id}/remove" not in html
    [undo] = re.findall(r'data-undo-url="(.*?)"', html)
    await panel.post(undo.replace("&amp;", "&"))
    row = await db.fetch_row("SELECT name, query, is_shared FROM saved_view")
    assert row == {"name": "Щедрые", "query": "f=sold:between:50000..&sort=sold", "is_shared": True}


def urlencoded(form: dict[str, str]) -> str:
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in form.items())


async def test_a_filter_is_saved_as_a_segment_and_replaces_the_conditions_of_one(panel, sign_in_as):
    await sign_in_as()
    place = await a_location()
    await a_sale((await a_customer(name="Много")).id, place, 900_00)
    await a_customer(name="Никогда")
    assert 'action="/segments/by-conditions"' in await text(panel, "/customers?f=sold:between:50000..")
    assert 'action="/segments/by-conditions"' not in await text(panel, "/customers")
    form = {"f": "sold:between:50000..", "name": "Щедрые", "is_exclusion": "1"}
    response = await panel.post("/segments/by-conditions", data=form, allow_redirects=False)
    assert response.status == 303
    here = response.headers["Location"]
    html = await text(panel, here)
    assert (names(html), "Spent: from 500" in html, "Exclusion" in html) == (["Много"], True, True)
    segment_id = here.rpartition("/")[2]
    assert names(await text(panel, f"/customers?f=segment:none:{segment_id}")) == ["Никогда"]
    again = await panel.post(
        "/segments/by-conditions", data={"f": "last_visit:never", "replaces": segment_id}, allow_redirects=False
    )
    assert (again.status, again.headers["Location"]) == (303, here)
    assert names(await text(panel, here)) == ["Никогда"]
    for wrong in ({"f": "", "name": "x"}, {"f": "sold:any:1", "name": "x"}, form, form | {"name": ""}):
        assert (await panel.post("/segments/by-conditions", data=wrong)).status == 422
    refused = await panel.post(
        "/segments/by-conditions", data={"f": f"segment:any:{segment_id}", "replaces": segment_id}
    )
    assert refused.status == 422
    await sign_in_as(Role.ANALYST)
    assert (await panel.post("/segments/by-conditions", data=form | {"name": "y"})).status == 403
