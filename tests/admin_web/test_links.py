"""The short links under messages to many, as browsers, messengers and guessers open them."""

import pytest

from admin_web.keys import REDIS
from admin_web.throttle import FREE_LINKS, SAME_CLICK_SECONDS
from loyalty import db
from loyalty.campaigns.links import PATH, Click, click_key, click_links, code_of
from tests.builders import a_location, a_programme
from tests.loyalty.campaigns.frozen import a_campaign, a_recipient

URL = "https://menu.example/new?from=club#tea"
PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1"}


@pytest.fixture
async def sent(panel, settings):
    """(campaign, somebody who got it, the path of its first button's link in their message)."""
    await a_programme()
    await a_location()
    campaign_id = await a_campaign(buttons=(URL,))
    person = await a_recipient(campaign_id)
    link = click_links(click_key(settings.secret_key.get_secret_value()), "")(campaign_id, person, 0)
    return campaign_id, person, link


async def clicks() -> int:
    found: int = await db.fetch_value("SELECT coalesce(sum(clicks), 0)::int FROM campaign_click")
    return found


async def opened(panel, path: str, *, method: str = "GET", headers: dict[str, str] = PHONE):
    return await panel.request(method, path, headers=headers, allow_redirects=False)


async def test_a_person_is_counted_and_led_to_the_campaigns_address(panel, sent):
    _, person, path = sent
    answer = await opened(panel, path)
    assert (answer.status, answer.headers["Location"]) == (302, URL)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers
    row = await db.fetch_row("SELECT customer_id, button, clicks FROM campaign_click")
    assert row == {"customer_id": person, "button": 0, "clicks": 1}


async def test_the_same_click_once_more_is_no_second_one(panel, sent):
    path, redis = sent[2], panel.app[REDIS]
    for _ in range(3):
        assert (await opened(panel, path)).status == 302
    assert await clicks() == 1
    assert 0 < await redis.ttl(f"click:{path.rpartition('/')[2]}") <= SAME_CLICK_SECONDS
    await redis.delete(f"click:{path.rpartition('/')[2]}")
    await opened(panel, path)
    assert await clicks() == 2


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", PHONE),
        ("GET", {"User-Agent": "WhatsApp/2.23.20.0"}),
        ("GET", {"User-Agent": "TelegramBot (like TwitterBot)"}),
        ("GET", PHONE | {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", PHONE | {"Purpose": "prefetch"}),
    ],
)
async def test_who_only_looks_behind_it_is_led_on_and_not_counted(panel, sent, method, headers):
    answer = await opened(panel, sent[2], method=method, headers=headers)
    assert (answer.status, answer.headers["Location"], await clicks()) == (302, URL, 0)


async def test_what_we_did_not_make_leads_nowhere_in_the_readers_language(panel, sent, settings):
    campaign_id, person, path = sent
    other = click_key("another installation's secret, of some length")
    made_up = [
        f"{PATH}/{code_of(Click(campaign_id, person, 0), other)}",
        f"{path}A",
        f"{PATH}/https:%2F%2Fevil.example",
        click_links(click_key(settings.secret_key.get_secret_value()), "")(campaign_id, person, 5),
        click_links(click_key(settings.secret_key.get_secret_value()), "")(campaign_id + 1, person, 0),
    ]
    for one in made_up:
        answer = await opened(panel, one, headers=PHONE | {"Accept-Language": "en"})
        assert (answer.status, "Location" in answer.headers) == (404, False), one
        text = await answer.text()
        assert "This link leads nowhere" in text
        assert "/login" not in text
    assert await clicks() == 0


async def test_who_guesses_waits_and_who_opens_ours_does_not(panel, sent):
    path = sent[2]
    for _ in range(FREE_LINKS + 5):
        assert (await opened(panel, path)).status == 302
    for _ in range(FREE_LINKS):
        assert (await opened(panel, f"{PATH}/guess")).status == 404
    answer = await opened(panel, f"{PATH}/guess")
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
