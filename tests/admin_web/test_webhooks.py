"""The owner's page of webhooks: made, looked at, sent again, stopped."""

import re
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.staff.rules import COMMAND, Role
from loyalty.webhooks.actions.deliveries import lease_deliveries, settle
from loyalty.webhooks.actions.endpoints import add_endpoint, send_test
from loyalty.webhooks.queries import deliveries, endpoint, endpoints
from loyalty.webhooks.rules import Outcome, State, Topic, Trouble, endpoint_secret, signing_key
from tests.admin_web.conftest import START
from tests.builders import a_customer
from tests.conftest import SECRET_KEY

PATH = "/settings/webhooks"
FORM = {"name": "Warehouse", "url": "https://shop.example.com/hook", "topic-receipt": "1", "topic-refund": "1"}


async def a_listener() -> int:
    return await add_endpoint(
        "Warehouse", FORM["url"], list(Topic), allow_local=False, actor=COMMAND, now=START - timedelta(days=1)
    )


async def fail_all(outcome: Outcome, *, times: int = 1) -> None:
    """What is due is tried in vain."""
    now = START
    for _ in range(times):
        for delivery in await lease_deliveries(limit=32, now=now):
            await settle(delivery, outcome, now=now)
        now += timedelta(days=2)


async def test_a_webhook_is_added_and_its_secret_shown_once(panel, sign_in_as):
    await sign_in_as()
    assert "No webhooks yet" in await (await panel.get(PATH)).text()
    answer = await panel.post(f"{PATH}/new", data=FORM)
    assert answer.headers["Cache-Control"] == "no-store"
    shown = re.search(r'value="(whsec_\w{64})"', await answer.text())
    assert shown is not None
    [made] = await endpoints()
    assert (made.name, made.url, made.topics) == ("Warehouse", FORM["url"], frozenset({Topic.RECEIPT, Topic.REFUND}))
    assert shown[1] == endpoint_secret(signing_key(SECRET_KEY), made.id, made.salt)
    for path in (PATH, f"{PATH}/{made.id}"):
        text = await (await panel.get(path)).text()
        assert "shop.example.com" in text
        assert "whsec_" not in text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "http://shop.example.com"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"name": ""}, "name"),
        ({"topic-receipt": "", "topic-refund": ""}, "topics"),
    ],
)
async def test_a_wrong_field_is_refused_beside_it(panel, sign_in_as, wrong, field):
    await sign_in_as()
    answer = await panel.post(f"{PATH}/new", data=FORM | wrong, headers={"HX-Request": "true"})
    assert answer.status == 422
    assert f'id="{field}-error"' in await answer.text()
    assert await endpoints() == []


async def test_a_new_secret_is_another_one(panel, sign_in_as):
    await sign_in_as()
    number = await a_listener()
    before = await endpoint(number)
    text = await (await panel.post(f"{PATH}/{number}/secret")).text()
    assert (await endpoint(number)).salt != before.salt
    assert endpoint_secret(signing_key(SECRET_KEY), number, before.salt) not in text
    assert "whsec_" in text


async def test_a_test_stands_in_the_list_with_its_body(panel, sign_in_as):
    await sign_in_as()
    number = await a_listener()
    text = await (await panel.post(f"{PATH}/{number}/test")).text()
    assert "The test is on its way" in text
    assert 'hx-trigger="every 3s"' in text
    [told] = (await deliveries(number)).deliveries
    text = await (await panel.get(f"{PATH}/{number}/deliveries/{told.id}")).text()
    assert f"evt_{told.event.key}" in text
    assert "webhook.test" in text
    assert "Send again" not in text


async def test_what_failed_is_shown_with_its_reason_and_sent_again(panel, sign_in_as):
    await sign_in_as()
    number = await a_listener()
    await send_test(number, now=START)
    await fail_all(Outcome(503, Trouble.STATUS))
    text = await (await panel.get(f"{PATH}/{number}")).text()
    assert "Answered 503" in text
    assert "Failed, will be tried again" in text
    assert 'hx-trigger="every 3s"' not in text
    [told] = (await deliveries(number)).deliveries
    await panel.post(f"{PATH}/{number}/deliveries/{told.id}/again")
    [told] = (await deliveries(number)).deliveries
    assert (told.state, told.attempts) == (State.DUE, 0)


async def test_everything_that_did_not_arrive_is_sent_again_at_once(panel, sign_in_as):
    await sign_in_as()
    number = await a_listener()
    for _ in range(3):
        await send_test(number, now=START)
    await fail_all(Outcome(trouble=Trouble.TIMEOUT), times=8)
    text = await (await panel.get(f"{PATH}/{number}")).text()
    assert "Given up" in text
    assert "Send what failed again: 3" in text
    await panel.post(f"{PATH}/{number}/again")
    assert {told.state for told in (await deliveries(number)).deliveries} == {State.DUE}
    assert "Send what failed again" not in await (await panel.get(f"{PATH}/{number}")).text()


async def test_the_list_is_filtered_by_state_and_paged(panel, sign_in_as):
    await sign_in_as()
    number = await a_listener()
    for _ in range(60):
        await send_test(number, now=START)
    text = await (await panel.get(f"{PATH}/{number}")).text()
    assert text.count('class="who"') == 50
    older = re.search(rf'href="({PATH}/{number}\?before=\d+)"', text)
    assert older is not None
    assert (await (await panel.get(older[1])).text()).count('class="who"') == 10
    assert "No messages like this" in await (await panel.get(f"{PATH}/{number}?state=done")).text()
    part = await panel.get(f"{PATH}/{number}?state=due", headers={"HX-Request": "true", "HX-Target": "results"})
    assert (await part.text()).lstrip().startswith('<div class="results"')


async def test_a_webhook_is_switched_off_on_and_removed(panel, sign_in_as):
    await sign_in_as()
    number = await a_listener()
    text = await (await panel.post(f"{PATH}/{number}/off")).text()
    assert not (await endpoint(number)).is_active
    assert f"{PATH}/{number}/on" in text
    assert (await panel.post(f"{PATH}/{number}/test")).status == 409
    await panel.post(f"{PATH}/{number}/on")
    assert (await endpoint(number)).is_active
    await a_customer()
    await lease_deliveries(limit=1, now=START)
    await panel.post(f"{PATH}/{number}/remove")
    assert await endpoints() == []
    assert await db.fetch_value("SELECT count(*) FROM webhook_delivery") == 0
    assert (await panel.get(f"{PATH}/{number}")).status == 404
    journal = await (await panel.get("/journal")).text()
    for act in ("Webhook added", "Webhook switched off", "Webhook switched on", "Webhook removed"):
        assert act in journal


async def test_one_that_stopped_says_so(panel, sign_in_as):
    await sign_in_as()
    number = await a_listener()
    await db.execute("UPDATE webhook_endpoint SET is_active = false, stopped_at = $1", START)
    assert "Stopped" in await (await panel.get(PATH)).text()
    assert "Switched off by itself" in await (await panel.get(f"{PATH}/{number}")).text()


async def test_a_delivery_of_another_endpoint_is_not_found(panel, sign_in_as):
    await sign_in_as()
    one, other = await a_listener(), await a_listener()
    told = await send_test(one, now=START)
    assert (await panel.get(f"{PATH}/{other}/deliveries/{told}")).status == 404
    assert (await panel.post(f"{PATH}/{other}/deliveries/{told}/again")).status == 404


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
async def test_webhooks_are_the_owners_business(panel, sign_in_as, role):
    await sign_in_as(role)
    number = await a_listener()
    assert (await panel.get(PATH)).status == 403
    assert (await panel.get(f"{PATH}/{number}")).status == 403
    for act in ("new", f"{number}/off", f"{number}/secret", f"{number}/remove", f"{number}/test", f"{number}/again"):
        assert (await panel.post(f"{PATH}/{act}", data=FORM)).status == 403
