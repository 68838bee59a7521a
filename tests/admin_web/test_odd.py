import re

import pytest

from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.ids import new_key
from loyalty.shop.rules import Hours
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Role
from tests.admin_web.conftest import START
from tests.builders import a_cashier, a_customer, a_location, a_programme, a_sale


async def text(panel, path: str) -> str:
    response = await panel.get(path)
    assert response.status == 200, (path, response.status)
    return await response.text()


def links(words: str, kind: str) -> list[str]:
    return [path.replace("&amp;", "&") for path in re.findall(rf'href="(/odd-operations/{kind}\?[^"]+)"', words)]


@pytest.fixture
async def busy(panel, sign_in_as, clock):
    """An owner looks at a day on which one cashier did something of every kind but taking back."""
    await a_programme()
    owner = await sign_in_as()
    place, cashier, person = await a_location(), await a_cashier(), await a_customer(name="Мария Соколова")
    await adjust(person.id, 500_00, "gift", key=new_key(), actor=owner.actor, now=START)
    sales = [await a_sale(person.id, place, 900_00, burn=100_00, actor=cashier, now=START) for _ in range(3)]
    closed = Hours((("09:00", "10:00"), *(None,) * 6))
    await db.execute("UPDATE location SET hours = $2::jsonb WHERE id = $1", place, db.to_json(closed.to_body()))
    return panel, person, [sale.receipt_id for sale in sales]


async def test_a_quiet_shop_has_nothing_odd(panel, sign_in_as):
    await sign_in_as()
    place = await a_location(name="Untold")
    words = await text(panel, "/odd-operations")
    assert words.count("Nothing in these days") == 5
    assert f'href="/settings/locations/{place}">Untold</a>' in words
    assert "What limits and proofs refused" not in words


@pytest.mark.parametrize("kind", ["repeated", "relaxed", "hours"])
async def test_a_group_leads_to_its_receipts_and_they_to_the_card(busy, kind):
    panel, person, sales = busy
    words = ""
    for days in (1, 7, 30):
        (path,) = links(await text(panel, f"/odd-operations?days={days}"), kind)
        words = await text(panel, path)
        assert f'href="/customers/{person.id}"' in words
        assert [int(number) for number in re.findall(r">№ (\d+)<", words)] == sales[::-1]
    receipt = re.findall(r'href="(/customers/\d+\?tab=receipts[^"]+)"', words)[-1].replace("&amp;", "&")
    card = await text(panel, receipt)
    assert f'<td class="num">{sales[0]}</td>' in card


async def test_a_credit_by_hand_leads_to_its_operation(busy):
    panel, _, _ = busy
    (path,) = links(await text(panel, "/odd-operations"), "manual")
    words = await text(panel, path)
    assert "+500" in words
    entry = re.findall(r'href="(/customers/\d+/bonuses/entries/\d+)"', words)[0]
    assert (await panel.get(entry)).status == 200


async def test_days_that_are_over_leave_the_page(busy, clock):
    panel, _, _ = busy
    clock.move(days=1)
    assert links(await text(panel, "/odd-operations?days=1"), "relaxed") == []
    assert len(links(await text(panel, "/odd-operations?days=7"), "relaxed")) == 1
    assert len(links(await text(panel, "/odd-operations?days=9999"), "relaxed")) == 1


async def test_a_cashier_who_takes_much_back_is_marked(panel, sign_in_as, hire):
    location = await a_location()
    person = await a_customer()
    cashier = await sign_in_as(Role.CASHIER, name="Timur", location_id=location)
    for _ in range(3):
        sale = await a_sale(person.id, location, 900_00, actor=cashier.actor, now=START)
        await panel.post(f"/cashier/receipts/{sale.receipt_id}/undo")
    await panel.post("/logout")
    await sign_in_as(Role.OWNER)
    words = await text(panel, "/odd-operations")
    assert "look here" in words
    assert "100%" in words
    (path,) = links(words, "undone")
    assert (await text(panel, path)).count("tab=receipts") == 3


async def test_what_was_refused_says_why(busy):
    panel, person, _ = busy
    about = {"subject_kind": "customer", "subject_id": person.id, "reason": "code_was_used", "location": 1}
    await write_journal(await a_cashier(), "sale.refused", now=START, **about)
    (path,) = links(await text(panel, "/odd-operations"), "refused")
    assert "Bonuses were used by this code already." in await text(panel, path)


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/relaxed?staff=x", "/repeated?staff=1", "/repeated?staff=1&customer=1&day=1", "/hours?staff=1",
     "/undone?staff=99999999999"],
)  # fmt: skip
async def test_an_address_nobody_made_leads_nowhere(panel, sign_in_as, path):
    await sign_in_as()
    assert (await panel.get(f"/odd-operations{path}")).status == 404


@pytest.mark.parametrize("role", [Role.MARKETER, Role.CASHIER, Role.ANALYST, Role.SUPPORT])
async def test_only_an_owner_looks(panel, sign_in_as, role):
    await sign_in_as(role)
    assert (await panel.get("/odd-operations")).status == 403
    assert (await panel.get("/odd-operations/relaxed?staff=1")).status == 403
