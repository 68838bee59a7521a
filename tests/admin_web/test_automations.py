"""Automations in the panel: taking a ready-made one, writing one step by step, switching on and off, who was on it."""

import re

import pytest
from pydantic import SecretStr

from loyalty import db
from loyalty.campaigns.actions.beginning import begin_due
from loyalty.campaigns.actions.stepping import step_due
from loyalty.campaigns.rules.ready_made import READY_MADE
from loyalty.staff.rules import Role
from tests.admin_web.conftest import START
from tests.admin_web.test_segments import HTMX, text
from tests.builders import a_customer, a_location, a_programme, a_sale, an_account

PATH = "/automations"


def hidden_fields(page: str) -> dict[str, str]:
    """What a form sends on by itself, the fields of its steps, too."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"telegram_bot_token": SecretStr("4242:token")})


@pytest.fixture
async def marketer(sign_in_as):
    await a_programme()
    await sign_in_as(Role.MARKETER)


async def send(panel, url: str, data: dict[str, str] | None = None, **more):
    return await panel.post(url, data=data or {}, allow_redirects=False, **more)


async def taken(panel, name: str) -> str:
    """A ready-made one; returns its address."""
    key = hidden_fields(await text(panel, f"{PATH}/new"))["key"]
    done = await send(panel, f"{PATH}/ready/{name}", {"key": key})
    again = await send(panel, f"{PATH}/ready/{name}", {"key": key})
    assert (done.status, again.headers["Location"]) == (303, done.headers["Location"])
    return str(done.headers["Location"])


@pytest.mark.parametrize("name", READY_MADE)
async def test_each_ready_made_one_is_made_off_can_be_read_changed_and_switched_on(panel, marketer, name):
    url = await taken(panel, name)
    shown = await text(panel, url)
    assert "Switched off" in shown
    assert "What the last 90 days would have been" in shown
    form = await text(panel, f"{url}/edit")
    assert 'name="1-kind"' in form
    asked = await (await send(panel, f"{url}/on", {"acknowledged": "1"})).text()
    assert "Switch it on for whatever happens from now on?" in asked
    assert "In the last 90 days" in asked
    assert await db.fetch_value("SELECT is_on FROM automation") is False
    fields = {"acknowledged": "1", "agreed": "1", "step": "on"}
    assert (await send(panel, f"{url}/on", fields)).headers["Location"] == url
    assert await db.fetch_value("SELECT is_on FROM automation") is True
    assert "Switched on" in await text(panel, url)
    assert (await send(panel, f"{url}/off")).headers["Location"] == url
    assert await db.fetch_value("SELECT is_on FROM automation") is False


async def test_what_advertises_is_not_switched_on_without_a_word(panel, marketer):
    url = await taken(panel, "win_back")
    refused = await send(panel, f"{url}/on", {"agreed": "1"})
    assert refused.status == 422
    assert 'id="acknowledged-error"' in await refused.text()
    assert await db.fetch_value("SELECT is_on FROM automation") is False


async def test_one_is_written_step_by_step_without_scripts(panel, marketer):
    blank = f"{PATH}/blank"
    fields = hidden_fields(await text(panel, blank)) | {"name": "После покупки", "trigger": "receipt", "visit": "0"}
    for kind in ("bonus", "wait", "message"):
        page = await (await send(panel, blank, fields | {"do": f"add:{kind}"})).text()
        fields |= hidden_fields(page)
    assert (fields["count"], fields["2-kind"]) == ("3", "wait")
    fields |= {"1-amount": "50", "1-days": "30", "2-much": "2", "2-unit": "hours"}
    fields |= {"3-text-ru": "Держите {bonus}", "3-topic": "service"}
    fields |= hidden_fields(await (await send(panel, blank, fields | {"do": "down:1"})).text())
    assert [fields[f"{number}-kind"] for number in (1, 2, 3)] == ["wait", "bonus", "message"]
    # The values of a step go with it.
    fields |= {"1-much": "2", "1-unit": "hours", "2-amount": "50", "2-days": "30"}
    wrong = await send(panel, blank, fields | {"2-days": "0"}, headers=HTMX)
    assert (wrong.status, 'id="2-days-error"' in await wrong.text()) == (422, True)
    done = await send(panel, blank, fields)
    assert done.status == 303, await done.text()
    steps = db.from_json(await db.fetch_value("SELECT steps FROM automation"))
    assert [one["kind"] for one in steps] == ["wait", "bonus", "message"]
    assert (steps[0]["minutes"], steps[1]["amount"], steps[2]["texts"]) == (120, 50_00, {"ru": "Держите {bonus}"})


async def test_a_filter_is_taken_from_the_address_of_the_base(panel, marketer):
    url = await taken(panel, "welcome")
    fields = hidden_fields(await text(panel, f"{url}/edit"))
    fields |= {"name": "Привет", "trigger": "registered", "1-much": "5", "1-unit": "minutes"}
    fields |= {"2-text-ru": "Здравствуйте", "2-topic": "service"}
    address = "http://shop.example/customers?q=&f=visits%3Abetween%3A2..&sort=sold"
    assert (await send(panel, f"{url}/edit", fields | {"filter": address})).status == 303
    assert await db.fetch_value("SELECT conditions FROM automation") == "visits:between:2.."
    wrong = await send(panel, f"{url}/edit", fields | {"filter": "http://shop.example/customers"})
    assert 'id="filter-error"' in await wrong.text()


async def test_what_is_on_says_that_it_cannot_be_changed(panel, marketer):
    url = await taken(panel, "welcome")
    await send(panel, f"{url}/on", {"agreed": "1"})
    fields = hidden_fields(await text(panel, f"{url}/edit"))
    fields |= {"name": "Привет", "trigger": "registered", "1-much": "5", "1-unit": "minutes"}
    refused = await send(panel, f"{url}/edit", fields | {"2-text-ru": "Здравствуйте", "2-topic": "service"})
    assert (refused.status, "Switch it off first" in await refused.text()) == (422, True)


async def test_who_was_on_the_way_and_why_it_ended_stands_on_its_page(panel, marketer):
    place = await a_location()
    url = await taken(panel, "second_visit")
    await send(panel, f"{url}/on", {"acknowledged": "1", "agreed": "1"})
    person = (await a_customer(name="Anna Belova")).id
    await an_account(person)
    await db.execute("UPDATE automation SET since = since - INTERVAL '2 days'")
    for hours in (30, 1):
        at = START.replace(microsecond=0)
        await a_sale(person, place, 500_00, now=at - hours * (at - at.replace(hour=at.hour - 1)))
    await begin_due(now=START)
    assert "Anna Belova" in await text(panel, f"{url}?state=waiting")
    for _turn in range(2):
        await db.execute("UPDATE automation_run SET due_at = $1", START)
        await step_due(now=START)
    page = await text(panel, url)
    assert "To the end" in page
    assert "They have not agreed to advertising" in page
    dry = await text(panel, f"{url}/dry")
    assert "In the last 90 days it would have begun with 1 customer" in dry


async def test_one_is_put_away_and_brought_back_off(panel, marketer):
    url = await taken(panel, "welcome")
    await send(panel, f"{url}/on", {"agreed": "1"})
    await send(panel, f"{url}/archive")
    assert "No automations yet" in await text(panel, PATH)
    assert "Bring it back" in await text(panel, url)
    await send(panel, f"{url}/restore")
    assert "Switch on" in await text(panel, PATH)
