"""What came of a campaign, on its page: the funnel, both groups, the effect in plain words, and what nobody tells."""

import re
from datetime import timedelta

import pytest

from admin_web.charts.interval import interval
from admin_web.i18n import READER, Reader
from admin_web.pages.campaign_report import AT_ONCE, left, said
from loyalty import db
from loyalty.campaigns.actions.clicking import follow
from loyalty.campaigns.actions.reporting import report_campaign
from loyalty.campaigns.effect import Verdict
from loyalty.campaigns.links import Click
from loyalty.campaigns.queries.report import Report
from loyalty.campaigns.rules.costs import ChannelCount
from loyalty.clock import system_now
from loyalty.staff.rules import Role
from tests.builders import NOW, a_location, a_programme, a_sale
from tests.loyalty.campaigns.frozen import a_campaign, a_recipient

DAY = timedelta(days=1)


@pytest.fixture
def reader():
    token = READER.set(Reader(language="en", currency="RUB", exponent=2, now=NOW))
    yield
    READER.reset(token)


@pytest.mark.parametrize(
    ("verdict", "sums", "title", "told"),
    [
        (Verdict.EARNED, (8_412_345, 6_300_111, 10_524_579), "Earned about 84,000 ₽ ± 21,000 ₽", "+63,000 ₽"),
        (Verdict.LOST, (-8_412_345, -10_524_579, -6_300_111), "Lost about 84,000 ₽ ± 21,000 ₽", "−105,000 ₽"),
        (Verdict.UNCLEAR, (1_000_00, -2_000_00, 4_000_00), "Cannot tell yet", "from −2,000 ₽ to +4,000 ₽"),
        (Verdict.TOO_SMALL, (None, None, None), "Cannot tell yet", "The groups are too small"),
        (Verdict.EARLY, (None, None, None), "Cannot tell yet", "Purchases count up to 17 Mar 2026"),
        (Verdict.NO_CONTROL, (None, None, None), "What it earned is not known", "A control group tells"),
        (Verdict.NO_WINDOW, (None, None, None), "What it earned is not known", "without a window"),
    ],
)
def test_the_effect_is_said_in_plain_words_and_round_sums(reader, verdict, sums, title, told):
    difference, low, high = sums
    report = Report(NOW, verdict=verdict, difference=difference, low=low, high=high, until=NOW + 7 * DAY)
    found = said(report)
    plain = {"\xa0": " ", "\u202f": " "}
    assert "".join(plain.get(letter, letter) for letter in found.title) == title
    assert told in "".join(plain.get(letter, letter) for letter in found.text)


def test_small_sums_keep_whole_units_of_the_currency(reader):
    report = Report(NOW, verdict=Verdict.EARNED, difference=1_234, low=234, high=2_234)
    assert said(report).title.replace("\xa0", " ") == "Earned about 12 ₽ ± 10 ₽"


def telegram(cost: int | None) -> dict[str, ChannelCount]:
    """One message was sent, which cost so many minor units."""
    return {"telegram": ChannelCount(1, units=1, price=None if cost is None else cost * 100)}


@pytest.mark.parametrize(
    ("verdict", "sums", "cost", "told"),
    [
        (Verdict.EARNED, (8_412_345, 6_300_111, 10_524_579), 1_200_00,
            "Messages cost 1,200 ₽: about 83,000 ₽ ± 21,000 ₽ are left after that."),
        # Earned for certain, but perhaps less than it cost.
        (Verdict.EARNED, (8_412_345, 6_300_111, 10_524_579), 70_000_00,
            "Less the 70,000 ₽ that messages cost: from −7,000 ₽ to +35,000 ₽."),
        (Verdict.LOST, (-8_412_345, -10_524_579, -6_300_111), 1_200_00,
            "Less the 1,200 ₽ that messages cost: from −106,000 ₽ to −64,000 ₽."),
        (Verdict.EARNED, (8_412_345, 6_300_111, 10_524_579), 0, ""),
        (Verdict.EARNED, (8_412_345, 6_300_111, 10_524_579), None, ""),
        (Verdict.UNCLEAR, (1_000_00, -2_000_00, 4_000_00), 1_200_00, ""),
        (Verdict.EARLY, (None, None, None), 1_200_00, ""),
    ],
)  # fmt: skip
def test_of_a_known_effect_it_is_said_what_messages_left_of_it(reader, verdict, sums, cost, told):
    difference, low, high = sums
    report = Report(NOW, verdict=verdict, difference=difference, low=low, high=high, channels=telegram(cost))
    assert left(report).replace("\xa0", " ").replace("\u202f", " ") == told


@pytest.mark.parametrize("ends", [(-500, 700), (1, 2), (0, 0), (10**9, 10**9 + 1), (-9, -8)])
def test_an_interval_is_drawn_inside_of_its_place_with_zero(ends):
    low, high = ends
    drawn = interval(ends, (low + high) // 2, ("low", "high"), tint="good", label="A < b")
    assert 'aria-label="A &lt; b"' in drawn
    places = [float(found) for found in re.findall(r' c?x[12]?="([^"]+)"', drawn)]
    assert len(places) == 10
    assert all(0 <= one <= 400 for one in places)


@pytest.fixture
async def sent(database):
    """A campaign whose window is over, with a control group, in which somebody followed a link and bought."""
    await a_programme()
    place = await a_location()
    at = system_now() - 10 * DAY
    campaign_id = await a_campaign(at=at, bonus=50_00, bonus_days=9, buttons=("https://menu.example",))
    people = [await a_recipient(campaign_id, one, at=at) for one in ("sent", "unknown", "control")]
    await follow(Click(campaign_id, people[0], 0), counts=True, now=at + DAY)
    await a_sale(people[0], place, 700_00, now=at + DAY)
    return campaign_id


async def test_the_page_says_what_came_of_it(panel, sign_in_as, sent):
    await sign_in_as(Role.MARKETER)
    answer = await panel.get(f"/campaigns/{sent}")
    assert answer.status == 200
    text = (await answer.text()).replace("\xa0", " ")
    for part in ("What came of it", "Cannot tell yet", "The groups are too small", "Control group", "350 ₽", "As of"):
        assert part in text, part
    # Telegram tells neither of arriving nor of reading.
    assert text.count('<span aria-label="not known">—</span>') == 2
    assert "1 person, 1 click" in text


async def test_the_page_says_what_messages_cost_or_that_nobody_knows(panel, sign_in_as, sent):
    await sign_in_as(Role.MARKETER)
    text = (await (await panel.get(f"/campaigns/{sent}")).text()).replace("\xa0", " ")
    assert "What a message cost there was not known when it began: Telegram." in text
    await db.execute("UPDATE campaign SET prices = '{\"telegram\": 4550}' WHERE id = $1", sent)
    text = (await (await panel.get(f"/campaigns/{sent}")).text()).replace("\xa0", " ")
    # One was sent, of one nobody knows: two at 45.5 kopecks.
    assert re.search(r"<dt>Telegram</dt><dd [^>]*><span [^>]*>2 × 0.4550 ₽</span> 0.91 ₽</dd>", text)
    assert re.search(r"<dt>Cost in all</dt><dd class=\"num\"><b>0.91 ₽</b></dd>", text)
    assert "was not known when it began" not in text


async def test_of_many_people_the_page_shows_what_was_counted_last(panel, sign_in_as, sent):
    await db.execute("UPDATE campaign SET total = $1", AT_ONCE + 1)
    await sign_in_as(Role.MARKETER)
    assert "It is being counted" in await (await panel.get(f"/campaigns/{sent}")).text()
    await report_campaign(sent, now=system_now())
    await db.execute("DELETE FROM campaign_click")
    text = await (await panel.get(f"/campaigns/{sent}")).text()
    assert "1 person, 1 click" in text
    assert "As of" in text


async def test_a_final_report_is_not_counted_again(panel, sign_in_as, sent):
    await report_campaign(sent, now=system_now() + 30 * DAY)
    await db.execute("DELETE FROM campaign_click")
    await sign_in_as(Role.MARKETER)
    text = await (await panel.get(f"/campaigns/{sent}")).text()
    assert "Final" in text
    assert "1 person, 1 click" in text
