"""The page of label rules, and what cards say of them."""

import re

import pytest

from loyalty import db
from loyalty.customers.actions.categories import add_category
from loyalty.customers.labels import CategoryDraft
from loyalty.segments.actions.label_rules import apply_due
from loyalty.staff.rules import COMMAND, Role
from tests.builders import NOW, a_customer, a_location, a_sale


async def text(panel, path: str) -> str:
    response = await panel.get(path)
    assert response.status == 200, (path, response.status)
    return await response.text()


async def test_a_rule_is_made_from_a_filter_applied_and_explained_on_the_card(panel, sign_in_as):
    await sign_in_as()
    assert "No rules yet" in await text(panel, "/label-rules")
    place = await a_location()
    person = await a_customer()
    await a_sale(person.id, place, 900_00)
    assert "/label-rules/new?f=sold:between:50000.." in await text(panel, "/customers?f=sold:between:50000..")
    form = {"f": "sold:between:50000..", "name": "Щедрым", "target": "discount", "discount": "7,5", "is_active": "1"}
    response = await panel.post("/label-rules/new", data=form, allow_redirects=False)
    assert response.status == 303
    await apply_due(now=await db.fetch_value("SELECT now()"))
    html = await text(panel, "/label-rules")
    assert "Щедрым" in html
    assert "Given to 1 customer" in html
    card = await text(panel, f"/customers/{person.id}")
    assert "7.5" in card
    [why] = re.findall(r'hx-get="(/customers/\d+/why\?[^"]*)"', card)
    assert "Spent: from 500" in (await text(panel, why.replace("&amp;", "&"))).replace("\xa0", " ")


async def test_a_rule_is_changed_switched_off_archived_and_brought_back(panel, sign_in_as):
    await sign_in_as()
    category = await add_category(CategoryDraft("VIP", "violet"), actor=COMMAND, now=NOW)
    form = {"f": "visits:between:1..", "name": "К", "target": "category", "category": str(category), "is_active": "1"}
    for name in ("К", "Л"):
        await panel.post("/label-rules/new", data=form | {"name": name})
    first, second = [row["id"] for row in await db.fetch("SELECT id FROM label_rule ORDER BY id")]
    changed = {"f": "visits:between:2..", "name": "К2", "category": str(category)}
    assert (await panel.post(f"/label-rules/{first}", data=changed, allow_redirects=False)).status == 303
    row = await db.fetch_row("SELECT name, is_active, conditions::text AS kept FROM label_rule WHERE id = $1", first)
    assert row is not None
    assert (row["name"], row["is_active"], "2.." in row["kept"]) == ("К2", False, True)
    await panel.post(f"/label-rules/{second}/up")
    assert await db.fetch_value("SELECT position FROM label_rule WHERE id = $1", second) == 1
    await panel.post(f"/label-rules/{second}/archive")
    assert "Л" not in re.findall(r"<b><bdi>(.*?)</bdi></b>", await text(panel, "/label-rules"))
    await panel.post(f"/label-rules/{second}/restore")
    assert "Л" in re.findall(r"<b><bdi>(.*?)</bdi></b>", await text(panel, "/label-rules"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"discount": ""}, {"discount": "x"}, {"discount": "0"}, {"discount": "101"}, {"f": ""},
        {"f": "sold:any:1"}, {"f": "discount:between:1.."}, {"target": "category"}, {"target": "importance"},
        {"discount": "1e9"}, {"discount": "1.2.3"},
    ],
)  # fmt: skip
async def test_a_rule_that_is_not_whole_is_not_made(panel, sign_in_as, wrong):
    await sign_in_as()
    form = {"f": "visits:between:1..", "name": "Д", "target": "discount", "discount": "5", "is_active": "1"} | wrong
    response = await panel.post("/label-rules/new", data=form)
    assert response.status == 422
    assert 'role="alert"' in await response.text()
    assert await db.fetch_value("SELECT count(*) FROM label_rule") == 0


async def test_who_may_not_manage_sees_rules_and_changes_none(panel, sign_in_as):
    await sign_in_as(Role.ANALYST)
    await text(panel, "/label-rules")
    assert (await panel.get("/label-rules/new")).status == 403
    assert (await panel.post("/label-rules/new", data={"name": "x"})).status == 403
