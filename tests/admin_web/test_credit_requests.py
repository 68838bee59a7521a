"""Credits that want two people, as colleagues ask for and answer them."""

from loyalty.customers.queries import customer
from loyalty.ids import new_key
from loyalty.staff.rules import Role
from tests.admin_web.conftest import send_login
from tests.builders import a_customer, a_programme


async def asked_for(panel, customer_id: int) -> str:
    """Ask for more than one person may give; returns the page that offers to ask."""
    data = {"amount": "500", "comment": "burnt cake", "key": new_key()}
    refused = await panel.post(f"/customers/{customer_id}/bonuses/credit", data=data)
    assert refused.status == 422
    done = await panel.post(f"/customers/{customer_id}/bonuses/credit", data=data | {"ask": "1"}, allow_redirects=False)
    assert done.status == 303
    return str(await refused.text())


async def test_a_large_credit_is_asked_for_and_given_by_a_colleague(panel, sign_in_as, hire):
    owner = await hire(Role.OWNER)
    await sign_in_as(Role.MARKETER, name="Marina Belova")
    await a_programme(manual_credit_alone=300_00)
    person = await a_customer()
    page = await asked_for(panel, person.id)
    assert "Ask a colleague to approve it." in page
    assert 'name="ask" value="1"' in page
    assert "wait for a second person" in await (await panel.get(f"/customers/{person.id}?tab=bonuses")).text()
    mine = await (await panel.get("/credit-requests")).text()
    assert "Withdraw" in mine
    assert "/approve" not in mine
    assert 'class="cnt"' not in mine, "nothing waits for whoever asked"
    assert (await panel.post("/credit-requests/1/approve")).status == 409

    await send_login(panel, owner.email)
    page = await (await panel.get("/credit-requests")).text()
    assert 'class="cnt">1<' in page
    assert "burnt cake" in page
    assert "Marina Belova" in page
    for _ in range(2):
        await panel.post("/credit-requests/1/approve")
    assert (await customer(person.id)).balance == 500_00
    assert "Nothing waits" in await (await panel.get("/credit-requests")).text()
    answered = await (await panel.get("/credit-requests?answered=1")).text()
    assert "Approved" in answered
    assert "Olga Kim" in answered


async def test_a_declined_credit_moves_nothing_and_stands_in_the_journal(panel, sign_in_as, hire):
    owner = await hire(Role.OWNER)
    await sign_in_as(Role.MARKETER)
    await a_programme(manual_credit_alone=300_00)
    person = await a_customer()
    await asked_for(panel, person.id)
    await send_login(panel, owner.email)
    await panel.post("/credit-requests/1/decline")
    assert (await customer(person.id)).balance == 0
    assert "Declined" in await (await panel.get("/credit-requests?answered=1")).text()
    assert "Credit by hand declined: 500" in await (await panel.get("/journal")).text()


async def test_requests_are_for_those_who_may_move_bonuses(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    assert (await panel.get("/credit-requests")).status == 403
    assert (await panel.post("/credit-requests/1/approve")).status == 403


async def test_what_a_limit_refused_is_told_in_the_journal(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    await a_programme(manual_credit_day=100_00)
    person = await a_customer()
    await panel.post(
        f"/customers/{person.id}/bonuses/credit", data={"amount": "500", "comment": "cake", "key": new_key()}
    )
    assert "By hand you can add 100 more today: the programme allows 100 a day." in (
        await (await panel.get("/journal")).text()
    )
