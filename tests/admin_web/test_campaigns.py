"""Messages to many as browsers with and without scripts meet them."""

import re

import pytest
from pydantic import SecretStr
from yarl import URL

from loyalty import db
from loyalty.campaigns.actions.feeding import feed_due
from loyalty.customers.actions.profile import set_consent
from loyalty.customers.rules import Topic
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.admin_web.test_mass import hidden_fields, some
from tests.admin_web.test_segments import HTMX, text
from tests.builders import a_customer, a_location, an_account

ACKNOWLEDGED = "agreed to get advertising from us"


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"telegram_bot_token": SecretStr("4242:token")})


async def readers(number: int, name: str = "Anna Belova") -> list[int]:
    people = [(await a_customer(name=name)).id for _ in range(number)]
    for person in people:
        await an_account(person)
        await set_consent(
            person, Topic.MARKETING, granted=True, source="telegram", text_version="1", actor=COMMAND, now=START
        )
    return people


async def written(panel, query: dict[str, str]) -> dict[str, str]:
    """A form as it is when everything is typed."""
    fields = hidden_fields(await text(panel, str(URL("/campaigns/new").with_query(query))))
    return fields | {"text-ru": "{first_name}, <b>come in</b>", "acknowledged": "1"}


async def send(panel, fields: dict[str, str], query: dict[str, str] | None = None, **more):
    return await panel.post(URL("/campaigns").with_query(query or {}), data=fields, allow_redirects=False, **more)


async def agreed(panel, fields: dict[str, str], query: dict[str, str] | None = None) -> str:
    """Answer the question that comes before anything is sent; returns the campaign's address."""
    asked = await send(panel, fields, query)
    assert asked.status == 200
    done = await send(panel, fields | hidden_fields(await asked.text()), query)
    assert done.status == 303
    return done.headers["Location"]


async def test_from_the_bar_of_the_base_one_comes_to_the_page_that_writes(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    one, _two = await readers(2)
    ticked = await panel.get(f"/customers/actions/new?kind=message&id={one}&sort=sold", allow_redirects=False)
    assert ticked.headers["Location"] == f"/campaigns/new?sort=sold&ids={one}"
    every = await panel.get("/customers/actions/new?kind=message&scope=all&q=anna", allow_redirects=False)
    assert every.headers["Location"] == "/campaigns/new?q=anna&scope=all"
    assert "1 customer is written to" in await text(panel, ticked.headers["Location"])
    words = await text(panel, every.headers["Location"])
    assert "2 customers are written to" in words
    assert ACKNOWLEDGED in words
    assert 'value="message"' in await text(panel, "/customers")


async def test_it_is_asked_once_more_with_the_count_and_then_sent_to_those(panel, sign_in_as):
    me = await sign_in_as(Role.MARKETER)
    await readers(3)
    await some(2)
    fields = await written(panel, {"scope": "all"})
    asked = await (await send(panel, fields)).text()
    assert "3 customers will be written to" in asked
    assert "{first_name}, &lt;b&gt;come in&lt;/b&gt;" in asked
    assert await db.fetch_value("SELECT count(*) FROM campaign") == 0
    # Somebody came meanwhile: what was agreed to is another number, so it is asked anew.
    await readers(1)
    again = await (await send(panel, fields | hidden_fields(asked))).text()
    assert "4 customers will be written to" in again
    url = (await send(panel, fields | hidden_fields(again))).headers["Location"]
    assert (await send(panel, fields | hidden_fields(again))).headers["Location"] == url
    row = await db.fetch_row("SELECT staff_id, total, skipped, acknowledged_text FROM campaign")
    assert row is not None
    assert (row["staff_id"], row["total"], row["skipped"]) == (me.id, 6, 2)
    assert ACKNOWLEDGED in row["acknowledged_text"]
    await feed_due(now=START)
    page = await text(panel, url)
    assert "There is no account to write to" in await text(panel, f"{url}?fate=skipped")
    assert "0 of 4" in page
    assert "Anna, &lt;b&gt;come in&lt;/b&gt;" not in page
    told = await db.fetch("SELECT content FROM message")
    assert [db.from_json(row["content"])["text"] for row in told] == ["Anna, <b>come in</b>"] * 4


async def test_what_is_missing_is_said_beside_its_field_and_what_was_typed_stays(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await readers(1)
    fields = await written(panel, {"scope": "all"})
    for changes, words in (
        ({"acknowledged": ""}, 'id="acknowledged-error"'),
        ({"text-ru": "", "text-uk": "Заходьте"}, 'id="text-ru-error"'),
        ({"text-ru": "{name}"}, 'id="text-ru-error"'),
        ({"name": "я" * 81}, 'id="name-error"'),
    ):
        answer = await send(panel, fields | changes, headers=HTMX)
        page = await answer.text()
        assert (answer.status, words in page) == (422, True), changes
        for value in changes.values():
            assert value in page


async def test_with_nobody_to_write_to_the_button_is_off_and_says_why(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    [person] = await some(1)
    page = await text(panel, f"/campaigns/new?ids={person}")
    assert "There is nobody to write to" in page
    assert re.search(r"<button class=\"btn pri\" disabled>.*?Send", page)
    answer = await send(panel, await written(panel, {"ids": str(person)}))
    assert answer.status == 422
    assert "None of these customers can be written to now." in await answer.text()


async def test_it_is_paused_goes_on_and_ends_and_those_are_told_who_come_too_late(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    await readers(2)
    url = await agreed(panel, await written(panel, {"scope": "all"}))
    await feed_due(now=START)
    for deed, words in (("pause", "Paused"), ("resume", "Being sent"), ("cancel", "Ended early")):
        done = await panel.post(f"{url}/{deed}", allow_redirects=False)
        assert (done.status, done.headers["Location"]) == (303, url)
        assert words in await text(panel, url)
    late = await panel.post(f"{url}/resume")
    assert "This campaign is over already." in await late.text()
    ended = await panel.get(f"{url}?part", headers=HTMX)
    assert ended.status == 286


async def test_the_preview_is_a_real_customers_and_says_when_there_is_nothing_yet(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    [person] = await readers(1, "Мария Соколова")
    fields = hidden_fields(await text(panel, f"/campaigns/new?ids={person}"))
    empty = await (await panel.post("/campaigns/preview", data=fields, headers=HTMX)).text()
    assert "What you write is shown here" in empty
    shown = await (
        await panel.post("/campaigns/preview", data=fields | {"text-ru": "Hello, {first_name}"}, headers=HTMX)
    ).text()
    assert "Hello, Мария" in shown
    wrong = await (await panel.post("/campaigns/preview", data=fields | {"text-ru": "{what}"}, headers=HTMX)).text()
    assert "{what}" in wrong
    reached = await (await panel.post("/campaigns/reach", data=fields, headers=HTMX)).text()
    assert "Send to 1 customer" in reached


async def test_whose_rights_end_with_locations_sees_their_own_campaigns_alone(panel, sign_in_as):
    place = await a_location()
    await sign_in_as(Role.OWNER)
    people = await readers(2)
    of_all = await agreed(panel, await written(panel, {"scope": "all"}))
    await sign_in_as(Role.MARKETER, location_ids=(place,))
    assert (await panel.get(of_all)).status == 404
    assert "Nobody was written to yet" in await text(panel, "/campaigns")
    assert "None of these" in await (await send(panel, await written(panel, {"scope": "all"}))).text()
    await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", people[0], place)
    mine = await agreed(panel, await written(panel, {"ids": ".".join(map(str, people))}))
    assert await db.fetch_value("SELECT total FROM campaign WHERE id = $1", int(mine.rpartition("/")[2])) == 1


async def test_the_list_and_a_campaign_tell_who_sent_what_to_whom(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    await readers(1)
    url = await agreed(panel, await written(panel, {"scope": "all", "q": "anna"}) | {"name": "Autumn"}, {"q": "anna"})
    listed = await text(panel, "/campaigns")
    for words in ("Autumn", "Search: anna", "Olga Kim", url):
        assert words in listed
    page = await text(panel, url)
    for words in ("Text version 1:", ACKNOWLEDGED, "/customers?q=anna", "{first_name}, &lt;b&gt;come in&lt;/b&gt;"):
        assert words in page
    assert (await panel.get("/campaigns/999")).status == 404
