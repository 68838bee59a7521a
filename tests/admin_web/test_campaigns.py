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
    return fields | {"text-ru": "{first_name}, <b>come in</b>", "topic": "marketing"}


async def keep(panel, fields: dict[str, str], query: dict[str, str] | None = None, **more):
    return await panel.post(URL("/campaigns").with_query(query or {}), data=fields, allow_redirects=False, **more)


async def drafted(panel, fields: dict[str, str], query: dict[str, str] | None = None) -> str:
    """Keep a draft; returns the campaign's address."""
    done = await keep(panel, fields, query)
    assert done.status == 303, await done.text()
    return done.headers["Location"]


async def launch(panel, url: str, fields: dict[str, str], **more):
    return await panel.post(f"{url}/launch", data={"acknowledged": "1"} | fields, allow_redirects=False, **more)


async def agreed(panel, fields: dict[str, str], query: dict[str, str] | None = None) -> str:
    """Keep a draft and answer the question that comes before anything is sent; returns the campaign's address."""
    url = await drafted(panel, fields, query)
    asked = await launch(panel, url, {})
    assert asked.status == 200
    done = await launch(panel, url, hidden_fields(await asked.text()))
    assert (done.status, done.headers["Location"]) == (303, url)
    return url


async def test_from_the_bar_of_the_base_one_comes_to_the_page_that_writes(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    one, _two = await readers(2)
    ticked = await panel.get(f"/customers/actions/new?kind=message&id={one}&sort=sold", allow_redirects=False)
    assert ticked.headers["Location"] == f"/campaigns/new?sort=sold&ids={one}"
    every = await panel.get("/customers/actions/new?kind=message&scope=all&q=anna", allow_redirects=False)
    assert every.headers["Location"] == "/campaigns/new?q=anna&scope=all"
    assert "1 customer is written to" in await text(panel, ticked.headers["Location"])
    assert "2 customers are written to" in await text(panel, every.headers["Location"])
    assert 'value="message"' in await text(panel, "/customers")


async def test_it_is_asked_once_more_with_the_count_and_then_sent_to_those(panel, sign_in_as):
    me = await sign_in_as(Role.MARKETER)
    await readers(3)
    await some(2)
    fields = await written(panel, {"scope": "all"})
    url = await drafted(panel, fields)
    assert await drafted(panel, fields) == url
    words = await text(panel, url)
    for part in (ACKNOWLEDGED, "Send to 3 customers", "Draft", "Anna, &lt;b&gt;come in&lt;/b&gt;"):
        assert part in words
    asked = await (await launch(panel, url, {})).text()
    assert "3 customers will be written to" in asked
    assert await db.fetch_value("SELECT count(*) FROM recipient") == 0
    # Somebody came meanwhile: what was agreed to is another number, so it is asked anew.
    await readers(1)
    again = await (await launch(panel, url, hidden_fields(asked))).text()
    assert "4 customers will be written to" in again
    for _ in range(2):
        assert (await launch(panel, url, hidden_fields(again))).headers["Location"] == url
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
        ({"text-ru": "", "text-uk": "Заходьте"}, 'id="text-ru-error"'),
        ({"text-ru": "{name}"}, 'id="text-ru-error"'),
        ({"name": "я" * 81}, 'id="name-error"'),
        ({"text-ru": "{location}"}, 'id="fallback-location-ru-error"'),
        ({"kind-1": "link", "label-1-ru": "Меню", "url-1": "http://shop.example"}, 'id="url-1-error"'),
        ({"when": "at"}, 'id="starts_at-error"'),
        ({"when": "at", "starts_day": "2020-01-01", "starts_at": "10:00"}, 'id="starts_at-error"'),
        ({"when": "repeat", "every": "cron", "cron": "каждый день"}, 'id="cron-error"'),
        ({"when": "repeat", "every": "week", "repeat_at": "10:00"}, 'id="days-error"'),
        ({"bonus": "100"}, 'id="bonus_days-error"'),
    ):
        answer = await keep(panel, fields | changes, headers=HTMX)
        page = await answer.text()
        assert (answer.status, words in page) == (422, True), changes
        for value in changes.values():
            assert value in page
    url = await drafted(panel, fields)
    refused = await launch(panel, url, {"acknowledged": ""}, headers=HTMX)
    assert (refused.status, 'id="acknowledged-error"' in await refused.text()) == (422, True)


async def test_all_that_was_asked_for_is_kept_and_stands_there_to_be_changed(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await readers(1)
    asked = await written(panel, {"scope": "all"}) | {
        "name": "Осень", "topic": "service", "channel-1": "whatsapp", "channel-2": "telegram",
        "kind-1": "link", "label-1-ru": "Меню", "url-1": "https://shop.example/menu", "kind-2": "card",
        "label-2-ru": "Моя карта", "fallback-first_name-ru": "Друг", "when": "repeat", "every": "week", "day-1": "1",
        "day-5": "1", "repeat_at": "10:30", "zone": "Asia/Omsk", "control": "10", "window": "30", "bonus": "50,5",
        "bonus_days": "7",
    }  # fmt: skip
    url = await drafted(panel, asked)
    page = await text(panel, url)
    for words in ("Mon, Fri at 10:30", "Asia/Omsk", "10%", "50.50", "https://shop.example/menu", "News of the service"):
        assert words in page, words
    form = await text(panel, f"{url}/edit")
    for name in ("name", "url-1", "label-2-ru", "fallback-first_name-ru", "repeat_at", "bonus_days"):
        assert f'value="{asked[name]}"' in form, name
    for chosen in ('value="whatsapp" selected', 'value="Asia/Omsk" selected', 'name="day-5" value="1" checked'):
        assert chosen in form
    kept = await db.fetch_row("SELECT repeat, control_bp, window_days, bonus, preferred FROM campaign")
    assert kept is not None
    assert db.from_json(kept["repeat"]) == {"every": "week", "cron": "30 10 * * mon,fri"}
    assert (kept["control_bp"], kept["window_days"], kept["bonus"]) == (1000, 30, 5050)
    changed = hidden_fields(form) | {"text-ru": "Иначе", "topic": "marketing", "window": "7", "name": "Зима"}
    done = await panel.post(f"{url}/edit", data=changed, allow_redirects=False)
    assert done.headers["Location"] == url
    assert "Зима" in await text(panel, "/campaigns?shown=ahead")
    gone = await panel.post(f"{url}/delete", allow_redirects=False)
    assert gone.headers["Location"] == "/campaigns"
    assert (await panel.get(url)).status == 404


async def test_a_link_that_nobody_has_followed_yet_is_told_as_none(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await readers(1)
    plain = await written(panel, {"scope": "all"})
    link = {"kind-1": "link", "label-1-ru": "Меню", "url-1": "https://shop.example/menu"}
    assert "Followed a link" in await text(panel, await agreed(panel, plain | link))
    other = await written(panel, {"scope": "all"}) | {"kind-1": "reply", "label-1-ru": "Приду"}
    assert "Followed a link" not in await text(panel, await agreed(panel, other))


async def test_at_its_time_it_waits_and_a_copy_is_a_draft(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    await readers(1)
    at = {"when": "at", "starts_day": f"{START.date()}", "starts_at": "23:30", "zone": "Europe/Moscow"}
    url = await agreed(panel, await written(panel, {"scope": "all"}) | at)
    page = await text(panel, url)
    assert "Waits for its time" in page
    assert await db.fetch_value("SELECT count(*) FROM recipient") == 0
    copied = await panel.post(f"{url}/copy", data={"key": "1"}, allow_redirects=False)
    assert re.fullmatch(r"/campaigns/\d+/edit", copied.headers["Location"])
    assert "{first_name}, &lt;b&gt;come in&lt;/b&gt;" in await text(panel, copied.headers["Location"])
    ended = await panel.post(f"{url}/cancel", allow_redirects=False)
    assert ended.status == 303
    assert "Ended early" in await text(panel, url)


async def test_a_trial_comes_to_whoever_has_a_messenger_here(panel, sign_in_as):
    me = await sign_in_as(Role.MARKETER)
    [person] = await readers(1)
    url = await drafted(panel, await written(panel, {"scope": "all"}))
    assert re.search(r"/trial[^>]*disabled", await text(panel, url))
    await panel.post(f"{url}/trial", data={"key": "1"})
    assert await db.fetch_value("SELECT count(*) FROM message") == 0
    await db.execute("UPDATE staff_member SET phone = '+79165558801' WHERE id = $1", me.id)
    await db.execute("UPDATE customer SET phone = '+79165558801', phone_verified_at = $2 WHERE id = $1", person, START)
    for _ in range(2):
        await panel.post(
            f"{url}/trial", data={"key": "1", "customer": str(person), "language": "ru"}, allow_redirects=False
        )
    told = await db.fetch("SELECT content FROM message")
    assert [db.from_json(row["content"])["text"] for row in told] == ["Anna, <b>come in</b>"]
    assert "Sent to you: Telegram" in await text(panel, url)


async def test_what_nobody_knows_of_is_sent_again_when_somebody_says_so(panel, sign_in_as):
    await sign_in_as(Role.OWNER)
    await readers(2)
    url = await agreed(panel, await written(panel, {"scope": "all"}))
    await feed_due(now=START)
    await db.execute("UPDATE message SET status = 'unknown', reason = 'no_answer'")
    await feed_due(now=START)
    assert "Send it again to all of them" in await text(panel, f"{url}?fate=unknown")
    await panel.post(f"{url}/again", allow_redirects=False)
    assert await db.fetch_value("SELECT count(*) FROM message WHERE status = 'queued'") == 2
    assert "Sent again to 2 customers" in await text(panel, url)


async def test_with_nobody_to_write_to_the_button_is_off_and_says_why(panel, sign_in_as):
    await sign_in_as(Role.MARKETER)
    [person] = await some(1)
    assert "There is nobody to write to" in await text(panel, f"/campaigns/new?ids={person}")
    url = await drafted(panel, await written(panel, {"ids": str(person)}))
    assert re.search(r"<button class=\"btn pri\" disabled>.*?Send", await text(panel, url))
    answer = await launch(panel, url, {})
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
    assert "1 customer is written to" in reached


async def test_whose_rights_end_with_locations_sees_their_own_campaigns_alone(panel, sign_in_as):
    place = await a_location()
    await sign_in_as(Role.OWNER)
    people = await readers(2)
    of_all = await agreed(panel, await written(panel, {"scope": "all"}))
    await sign_in_as(Role.MARKETER, location_ids=(place,))
    assert (await panel.get(of_all)).status == 404
    assert "Nobody was written to yet" in await text(panel, "/campaigns")
    assert (await panel.post(f"/campaigns/preview?draft={of_all.rpartition('/')[2]}", headers=HTMX)).status == 404
    nobody = await drafted(panel, await written(panel, {"scope": "all"}))
    assert "None of these" in await (await launch(panel, nobody, {})).text()
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
