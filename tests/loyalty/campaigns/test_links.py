"""Short links of ours: sealed, short, canonical, and what following one counts."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.campaigns.actions.clicking import follow
from loyalty.campaigns.links import (
    BUTTONS,
    CODE_LENGTH,
    Click,
    click_key,
    click_links,
    click_of,
    code_of,
    is_previewer,
)
from loyalty.errors import NotFound
from tests.builders import NOW, a_location, a_programme
from tests.loyalty.campaigns.frozen import a_campaign, a_recipient

KEY = click_key("a secret of some length")
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    "click",
    [Click(1, 1, 0), Click(127, 128, 1), Click(9999, 1_000_000, 3), Click(2**31 - 1, 2**42 - 1, BUTTONS - 1)],
)
def test_a_link_says_campaign_customer_and_button_in_few_letters(click):
    url = click_links(KEY, "https://club.example")(click.campaign_id, click.customer_id, click.button)
    code = url.removeprefix("https://club.example/r/")
    assert len(code) <= CODE_LENGTH
    assert click_of(code, KEY) == click


def test_a_link_cannot_be_made_up_nor_written_otherwise():
    code = code_of(Click(7, 77, 1), KEY)
    last = code[-1]
    other_end = [code[:-1] + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    forged = [one for one in other_end if one[-1] != last]
    forged += ["", "A", code[:-1], f"{code}A", f"{code}=", f"{code} ", f"A{code}", code.swapcase(), "ü" * 8, "%" * 8]
    forged += [code_of(Click(7, 77, 1), click_key("another secret"))]
    assert [click_of(one, KEY) for one in forged] == [None] * len(forged)


def test_programs_that_look_behind_links_are_known():
    assert is_previewer("WhatsApp/2.23.20.0 A")
    assert is_previewer("TelegramBot (like TwitterBot)")
    assert not is_previewer("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0")


@pytest.fixture
async def sent(database):
    """A campaign with two buttons, and somebody who got it."""
    await a_programme()
    await a_location()
    campaign_id = await a_campaign(buttons=("https://menu.example/new?a=1", "https://map.example"))
    return campaign_id, await a_recipient(campaign_id)


async def counted() -> list[tuple[int, int, int]]:
    rows = await db.fetch("SELECT customer_id, button, clicks, first_at FROM campaign_click ORDER BY 1, 2")
    assert all(row["first_at"] == NOW for row in rows)
    return [(row["customer_id"], row["button"], row["clicks"]) for row in rows]


async def test_following_leads_to_the_campaigns_own_address_and_counts(sent):
    campaign_id, person = sent
    assert await follow(Click(campaign_id, person, 0), counts=True, now=NOW) == "https://menu.example/new?a=1"
    assert await follow(Click(campaign_id, person, 0), counts=True, now=LATER) == "https://menu.example/new?a=1"
    assert await follow(Click(campaign_id, person, 1), counts=True, now=NOW) == "https://map.example"
    assert await follow(Click(campaign_id, person, 1), counts=False, now=LATER) == "https://map.example"
    assert await counted() == [(person, 0, 2), (person, 1, 1)]


async def test_what_is_no_button_leads_nowhere(sent):
    campaign_id, person = sent
    await db.execute(
        "UPDATE campaign SET buttons = buttons || $1::jsonb", '[{"kind": "reply"}, {"url": "javascript:x"}]'
    )
    for click in (Click(campaign_id, person, 2), Click(campaign_id, person, 3), Click(campaign_id, person, 9)):
        with pytest.raises(NotFound):
            await follow(click, counts=True, now=NOW)
    with pytest.raises(NotFound):
        await follow(Click(campaign_id + 1, person, 0), counts=True, now=NOW)
    assert await db.fetch_value("SELECT count(*) FROM campaign_click") == 0


async def test_only_who_was_written_to_is_counted(sent):
    campaign_id, person = sent
    drawn, left_out = (
        await a_recipient(campaign_id, "control"),
        await a_recipient(campaign_id, "skipped", reason="blocked"),
    )
    for one in (drawn, left_out, 10**6):
        assert await follow(Click(campaign_id, one, 1), counts=True, now=NOW) == "https://map.example"
    await db.execute("UPDATE customer SET erased_at = $2 WHERE id = $1", person, NOW)
    assert await follow(Click(campaign_id, person, 1), counts=True, now=NOW) == "https://map.example"
    assert await counted() == []
