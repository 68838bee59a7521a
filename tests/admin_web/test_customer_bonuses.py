"""Where a movement of bonuses came from and went, on the card."""

from datetime import timedelta
from html import unescape

from loyalty.bonuses.queries import entries
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.staff.rules import COMMAND, Role
from tests.builders import NOW, a_customer, a_location, a_programme, a_sale


async def test_each_movement_opens_with_the_lots_it_took(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    await a_programme()
    customer = await a_customer(bonuses=200_00)
    sale = await a_sale(customer.id, await a_location(), 1000_00, burn=150_00)
    await refund_receipt(sale.receipt_id, 400_00, key="back", actor=COMMAND, now=NOW + timedelta(days=1))
    card = await (await panel.get(f"/customers/{customer.id}?tab=bonuses")).text()
    pages = {}
    for entry in (await entries(customer.id))[0]:
        address = f"/customers/{customer.id}/bonuses/entries/{entry.id}"
        assert f'href="{address}"' in card
        pages[entry.kind.value] = unescape(await (await panel.get(address)).text())
    assert "Which bonuses it took" in pages["burn"]
    assert "110 of 200 left" in pages["burn"]
    assert "What became of these bonuses" in pages["earn"]
    assert "Accrual taken back" in pages["earn"]
    assert "Which bonuses it gave back" in pages["restore_burn"]


async def test_for_htmx_it_is_a_dialog(panel, sign_in_as):
    await sign_in_as()
    customer = await a_customer(bonuses=200_00)
    entry = (await entries(customer.id))[0][0]
    address = f"/customers/{customer.id}/bonuses/entries/{entry.id}"
    text = await (await panel.get(address, headers={"HX-Request": "true"})).text()
    assert text.strip().startswith("<dialog")


async def test_a_movement_of_somebody_else_is_not_found(panel, sign_in_as):
    await sign_in_as()
    customer, other = await a_customer(bonuses=200_00), await a_customer()
    entry = (await entries(customer.id))[0][0]
    assert (await panel.get(f"/customers/{other.id}/bonuses/entries/{entry.id}")).status == 404
