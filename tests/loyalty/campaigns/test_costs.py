"""What a campaign's messages cost: before they are sent, and counted afterwards at the prices of its beginning."""

from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.campaigns.actions.drafting import add_draft
from loyalty.campaigns.actions.granting import grant_due
from loyalty.campaigns.actions.reporting import report_campaign
from loyalty.campaigns.actions.starting import launch_campaign, start_due
from loyalty.campaigns.queries.campaigns import campaign
from loyalty.campaigns.queries.costs import message_prices
from loyalty.campaigns.queries.report import Report, count_report, kept_report
from loyalty.campaigns.rules.costs import Estimate, estimated, sms_parts
from loyalty.campaigns.rules.drafts import CampaignDraft, CampaignTopic, Timing, acknowledgement
from loyalty.campaigns.rules.repeating import by_cron
from loyalty.campaigns.rules.texts import ButtonKind, CampaignButton, Words
from loyalty.conversations.actions.prices import change_prices
from loyalty.conversations.actions.templates import add_template
from loyalty.conversations.prices import Price
from loyalty.conversations.queries.prices import prices
from loyalty.conversations.templating import TemplateDraft
from loyalty.ids import new_key
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import EVERYBODY, NOW, a_programme
from tests.loyalty.campaigns.frozen import a_campaign, a_recipient
from tests.loyalty.campaigns.test_campaigns import BOTH, a_reader

SOON = NOW + timedelta(hours=2)
DRAFT = CampaignDraft("Осень", Words({"ru": "Привет"}))
PRICES = {"telegram": 0, "whatsapp": 670_00, "sms": 450_00}


@pytest.fixture
async def _shop(database):
    await a_programme()


async def tell(**told: Price) -> None:
    known = await prices()
    await change_prices({**known, **told}, seen=known, actor=COMMAND, now=NOW)


async def took(campaign_id: int, channel: str, status: str, units: int | None) -> int:
    """Somebody who was written to there, and for how many messages that counts; returns the customer."""
    person = await a_recipient(campaign_id, status)
    sql = "UPDATE message SET channel = $2, units = $3 WHERE customer_id = $1"
    await db.execute(sql, person, channel, units)
    return person


# ------------------------------------------------------------------------------------------- before it is sent


def test_each_channel_costs_its_price_for_each_and_sms_for_each_part():
    found = estimated({"telegram": 100, "sms": 40, "email": 3}, PRICES, sms_parts=[2])
    assert found.by_channel == {"telegram": 0, "sms": 40 * 2 * 450, "email": None}
    assert (found.known, found.unpriced) == (360_00, ("email",))


def test_of_wordings_each_reads_as_many_and_the_sum_is_of_their_mean():
    # Of 30 people ten get one part, twenty two.
    assert estimated({"sms": 30}, PRICES, sms_parts=[1, 2, 2]).known == 50 * 450


def test_whatsapp_charges_templates_alone_and_those_at_most():
    assert estimated({"whatsapp": 10}, PRICES) == Estimate({"whatsapp": 0})
    assert estimated({"whatsapp": 10}, PRICES, has_template=True) == Estimate(
        {"whatsapp": 10 * 670}, frozenset({"whatsapp"})
    )


def test_where_no_price_is_known_nothing_is_and_nobody_costs_nothing():
    assert estimated({"sms": 5, "email": 1}, {}).known is None
    assert estimated({}, {}).known == 0


def test_an_sms_is_counted_with_its_links_and_the_one_that_ends_it():
    plain = Words({"ru": "а" * 70})
    link = CampaignButton(ButtonKind.LINK, {"ru": "Меню"}, "https://ladno.example/" + "m" * 60)
    assert sms_parts([plain], "ru", {}) == [1]
    assert sms_parts([plain, Words({"ru": "а" * 71})], "ru", {}) == [1, 2]
    # 70 letters, two ends of lines, "Меню: ", and the address: 82 or 20 places.
    assert sms_parts([replace(plain, buttons=(link,))], "ru", {}) == [3]
    assert sms_parts([replace(plain, buttons=(link,))], "ru", {}, link="https://x.example/ab") == [2]
    assert sms_parts([plain], "ru", {}, stop_url="https://x.example/stop/2a-0123456789abcdef") == [2]


# -------------------------------------------------------------------------------------------------- its prices


@pytest.mark.usefixtures("_shop")
async def test_a_campaign_keeps_the_prices_of_its_beginning():
    await tell(telegram=Price(10_00, 5_00), sms=Price(service=300_00))
    campaign_id = await launched(DRAFT)
    await tell(telegram=Price(99_00, 99_00))
    assert await kept(campaign_id) == {"telegram": 10_00}
    other = await launched(replace(DRAFT, topic=CampaignTopic.SERVICE))
    assert await kept(other) == {"telegram": 99_00, "sms": 300_00}


@pytest.mark.usefixtures("_shop")
async def test_each_time_of_a_series_takes_the_prices_of_its_day():
    await tell(telegram=Price(10_00))
    await a_reader()
    timing = Timing(repeat=by_cron("0 9 * * *"), zone="UTC")
    series = await launched(replace(DRAFT, timing=timing), begins=False)
    for price in (10_00, 20_00):
        await tell(telegram=Price(price))
        at = (await campaign(series)).draft.timing.starts_at
        assert at is not None
        assert await start_due(now=at) == 1
    times = await db.fetch("SELECT id FROM campaign WHERE series_id = $1 ORDER BY id", series)
    assert [await kept(one["id"]) for one in times] == [{"telegram": 10_00}, {"telegram": 20_00}]
    assert await db.fetch_value("SELECT prices FROM campaign WHERE id = $1", series) is None


@pytest.mark.usefixtures("_shop")
async def test_a_template_costs_what_its_category_does():
    await tell(whatsapp=Price(670_00, 120_00))
    template = await add_template(
        TemplateDraft("hello", "ru", "utility", "Здравствуйте, ждём вас"), actor=COMMAND, now=NOW
    )
    assert await message_prices("marketing", template) == {"whatsapp": 120_00}
    assert await message_prices("marketing", 0) == {"whatsapp": 670_00}


async def launched(draft: CampaignDraft, *, begins: bool = True) -> int:
    await a_reader()
    campaign_id = await add_draft(draft, EVERYBODY, key=new_key(), actor=COMMAND, now=NOW)
    await launch_campaign(campaign_id, acknowledgement("ru"), working=BOTH, actor=COMMAND, now=NOW)
    assert await start_due(now=NOW) == int(begins)
    return campaign_id


async def kept(campaign_id: int) -> dict[str, int]:
    found: dict[str, int] = db.from_json(await db.fetch_value("SELECT prices FROM campaign WHERE id = $1", campaign_id))
    return found


# -------------------------------------------------------------------------------------------------- afterwards


@pytest.mark.usefixtures("_shop")
async def test_what_went_out_or_may_have_is_charged_and_what_failed_is_not():
    campaign_id = await a_campaign()
    for channel, status, units in (
        ("sms", "sent", 2),
        ("sms", "unknown", 1),
        ("sms", "failed", 3),
        ("sms", "queued", None),
        ("whatsapp", "read", 1),
        ("whatsapp", "delivered", 0),
        # Sent before anybody counted: one.
        ("whatsapp", "sent", None),
        ("telegram", "sent", 1),
    ):
        await took(campaign_id, channel, status, units)
    await a_recipient(campaign_id, "control")
    await db.execute("UPDATE campaign SET prices = $2::jsonb WHERE id = $1", campaign_id, db.to_json(PRICES))
    report = await count_report(campaign_id, now=SOON)
    costs = {name: (one.units, one.cost) for name, one in report.channels.items()}
    assert costs == {"sms": (3, 13_50), "telegram": (1, 0), "whatsapp": (2, 13_40)}
    assert (report.charged, report.unpriced, report.spent) == (26_90, (), 26_90)
    # Kept and read again it is the same.
    assert Report.from_body(db.from_json(db.to_json(report.to_body())), report.at) == report


@pytest.mark.usefixtures("_shop")
async def test_a_price_that_was_not_known_is_told_as_such_and_never_as_nothing():
    campaign_id = await a_campaign()
    await took(campaign_id, "email", "sent", 1)
    report = await count_report(campaign_id, now=SOON)
    assert (report.charged, report.unpriced, report.spent) == (None, ("email",), None)
    await took(campaign_id, "sms", "sent", 1)
    # Nothing went out there: what it would have cost does not matter.
    await took(campaign_id, "whatsapp", "failed", 1)
    await db.execute("UPDATE campaign SET prices = '{\"sms\": 45000}' WHERE id = $1", campaign_id)
    report = await count_report(campaign_id, now=SOON)
    assert (report.charged, report.unpriced, report.spent) == (4_50, ("email",), 4_50)
    # A price of today is not one of its beginning.
    await tell(email=Price(1_00, 1_00))
    assert (await count_report(campaign_id, now=SOON)).unpriced == ("email",)


@pytest.mark.usefixtures("_shop")
async def test_bonuses_that_expired_cost_nothing():
    campaign_id = await a_campaign(bonus=50_00, bonus_days=5)
    await db.execute("UPDATE campaign SET prices = '{\"telegram\": 100}' WHERE id = $1", campaign_id)
    for _ in range(3):
        await a_recipient(campaign_id, has_bonus=True)
    await grant_due(actor=JOB, now=SOON)
    report = await count_report(campaign_id, now=SOON)
    assert (report.cost.value, report.charged, report.spent) == (150_00, 3, 150_03)
    await expire_due(actor=JOB, now=NOW + timedelta(days=8))
    report = await count_report(campaign_id, now=NOW + timedelta(days=8))
    assert (report.cost.value, report.cost.expired, report.spent) == (150_00, 150_00, 3)


@pytest.mark.usefixtures("_shop")
async def test_a_report_that_was_kept_before_anybody_asked_for_prices_is_still_read():
    campaign_id = await a_campaign()
    await a_recipient(campaign_id)
    await report_campaign(campaign_id, now=SOON)
    await db.execute(
        "UPDATE campaign SET report = report #- '{channels,telegram,units}' #- '{channels,telegram,price}'"
    )
    report = await kept_report(campaign_id)
    assert report is not None
    assert (report.sent, report.charged, report.unpriced, report.spent) == (1, None, ("telegram",), None)
