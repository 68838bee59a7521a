"""What a campaign would cost, while it is written and before it is sent."""

import pytest
from pydantic import SecretStr

from loyalty.conversations.actions.prices import change_prices
from loyalty.conversations.prices import Price
from loyalty.conversations.queries.prices import prices
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.admin_web.test_campaigns import drafted, launch, readers, written
from tests.admin_web.test_segments import HTMX, text

ALL = {"scope": "all"}


@pytest.fixture
def settings(settings):
    ready = {"telegram_bot_token": SecretStr("4242:token"), "sms_url": SecretStr("https://gateway.example/send")}
    return settings.model_copy(update=ready)


async def tell(**told: Price) -> None:
    known = await prices()
    await change_prices({**known, **told}, seen=known, actor=COMMAND, now=START)


async def seen(panel, path: str) -> str:
    return (await text(panel, path)).replace("\xa0", " ")


async def test_before_it_is_sent_one_reads_what_it_would_cost(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    await readers(3)
    url = await drafted(panel, await written(panel, ALL), ALL)
    page = await seen(panel, url)
    assert "What a message costs there is not known: Telegram." in page
    assert "Messages cost" not in page
    assert 'href="/settings/message-prices">Tell it' in page
    await tell(telegram=Price(150_50))
    page = await seen(panel, url)
    assert "Messages cost about 4.52 ₽." in page
    assert "is not known" not in page
    # Once more where it is agreed to, and where it is written.
    asked = (await (await launch(panel, url, {})).text()).replace("\xa0", " ")
    assert "3 customers will be written to" in asked
    assert "Messages cost about 4.52 ₽." in asked
    assert "Messages cost about 4.52 ₽." in await seen(panel, f"{url}/edit")
    await tell(telegram=Price(0, 0))
    assert "Messages cost 0 ₽." in await seen(panel, url)


async def test_what_is_about_the_service_costs_what_service_does(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await readers(2)
    await tell(telegram=Price(99_00, 3_00))
    fields = await written(panel, ALL) | {"topic": "service"}
    answer = await panel.post("/campaigns/reach", data=fields | {"is_whole": "1"}, headers=HTMX)
    assert "Messages cost about 0.06 ₽." in (await answer.text()).replace("\xa0", " ")
    # Who may not set prices is not sent there.
    await tell(telegram=Price())
    answer = await panel.post("/campaigns/reach", data=fields, headers=HTMX)
    page = await answer.text()
    assert "is not known: Telegram." in page
    assert "/settings/message-prices" not in page


async def test_a_long_sms_costs_as_much_as_its_parts(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await readers(3)
    await tell(sms=Price(450_00, 450_00))
    fields = await written(panel, ALL) | {"topic": "service", "channel-1": "sms", "is_whole": "1"}
    for letters, cost in ((70, "13.50"), (71, "27")):
        answer = await panel.post("/campaigns/reach", data=fields | {"text-ru": "а" * letters}, headers=HTMX)
        assert f"Messages cost about {cost} ₽." in (await answer.text()).replace("\xa0", " ")
    # Before anything is written nobody knows how many parts it has.
    answer = await panel.post("/campaigns/reach", data=fields | {"text-ru": ""}, headers=HTMX)
    assert "Messages cost" not in await answer.text()
