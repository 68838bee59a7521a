"""What came of a campaign: every figure is a count of rows; who bought for how much, in both groups; what is kept."""

from datetime import timedelta
from random import Random

import pytest

from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.campaigns.actions.clicking import follow
from loyalty.campaigns.actions.granting import grant_due
from loyalty.campaigns.actions.reporting import report_campaign, report_due
from loyalty.campaigns.effect import Verdict
from loyalty.campaigns.links import Click
from loyalty.campaigns.queries.report import REFUNDED_WITHIN, Report, count_report, kept_report
from loyalty.campaigns.rules.costs import ChannelCount
from loyalty.errors import NotFound
from loyalty.ids import new_key
from loyalty.office.actions.merging import merge_cards, undo_merge
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import NOW, a_customer, a_location, a_message, a_programme, a_sale, assert_books_agree
from tests.loyalty.campaigns.frozen import a_campaign, a_recipient, chat_of

DAY = timedelta(days=1)
SOON = NOW + timedelta(hours=1)
AFTER = NOW + 8 * DAY


@pytest.fixture
async def place(database) -> int:
    await a_programme()
    return await a_location()


async def refund(sale_id: int, total: int, *, now=SOON) -> None:
    await refund_receipt(sale_id, total, key=new_key(), actor=COMMAND, now=now)


async def test_everybody_is_counted_by_what_became_of_their_message(place):
    campaign_id = await a_campaign(state="running")
    for status in ("sent", "sent", "unknown", "failed", "queued", "waiting", "control"):
        await a_recipient(campaign_id, status)
    await a_recipient(campaign_id, "skipped", reason="no_consent")
    # Drawn to be written to, and then they left the base: they stay in their group.
    await a_recipient(campaign_id, "skipped", reason="is_not_in_base")
    report = await count_report(campaign_id, now=SOON)
    assert (report.people, report.control, report.skipped) == (7, 1, 1)
    assert (report.sent, report.unknown, report.failed, report.waiting, report.cancelled) == (2, 1, 1, 2, 1)
    # Telegram tells neither.
    assert (report.delivered, report.read) == (None, None)
    assert report.channels == {"telegram": ChannelCount(2, None, None, 1, 1, units=3)}
    assert report.cost.messages == 3


async def test_where_a_channel_tells_it_is_told_of_that_channel_alone(place):
    campaign_id = await a_campaign()
    for status in ("read", "delivered", "sent"):
        person = await a_recipient(campaign_id, status)
        for table, key in (("messenger_account", "customer_id"), ("message", "customer_id")):
            await db.execute(f"UPDATE {table} SET channel = 'whatsapp' WHERE {key} = $1", person)
    await a_recipient(campaign_id, "sent")
    report = await count_report(campaign_id, now=SOON)
    assert (report.sent, report.delivered, report.read) == (4, 2, 1)
    assert report.channels["whatsapp"] == ChannelCount(3, 2, 1, units=3)
    assert report.channels["telegram"] == ChannelCount(1, units=1)


async def test_who_writes_in_that_chat_after_it_and_within_the_window_has_replied(place):
    campaign_id = await a_campaign()
    told = [await a_recipient(campaign_id) for _ in range(4)]
    lost = await a_recipient(campaign_id, "failed")
    moments = (NOW + DAY, NOW + 2 * DAY, NOW + 7 * DAY, NOW - DAY, NOW + DAY)
    for person, at in zip([*told, lost], moments, strict=True):
        account_id = await chat_of(person)
        await a_message(account_id, "Спасибо", now=at)
        await a_message(account_id, "И ещё", now=at)
        await db.execute("UPDATE conversation SET heard_at = $2 WHERE account_id = $1", account_id, at)
    assert (await count_report(campaign_id, now=AFTER)).replied == 2


async def test_who_followed_a_link_is_counted_once_and_each_button_by_itself(place):
    campaign_id = await a_campaign(buttons=("https://one.example", "https://two.example"))
    one, other = await a_recipient(campaign_id), await a_recipient(campaign_id)
    for person, button in ((one, 0), (one, 0), (one, 1), (other, 1)):
        await follow(Click(campaign_id, person, button), counts=True, now=SOON)
    report = await count_report(campaign_id, now=SOON)
    assert (report.clicked, report.clicks) == (2, 4)
    assert report.buttons == {"0": (1, 2), "1": (2, 2)}


async def test_what_was_paid_in_the_window_less_refunds_counts_for_whoever_was_drawn_delivered_or_not(place):
    campaign_id = await a_campaign()
    plain, failed, drawn = [await a_recipient(campaign_id, one) for one in ("sent", "failed", "control")]
    left_out = await a_recipient(campaign_id, "skipped", reason="blocked")
    await adjust(plain, 300_00, "Ждали", key=new_key(), actor=COMMAND, now=NOW - DAY)
    for person, at in ((plain, NOW - timedelta(seconds=1)), (plain, NOW + 7 * DAY), (left_out, SOON)):
        await a_sale(person, place, 7000_00, now=at)
    # Paid with bonuses in part: the money alone counts. The last moment of the window does, too.
    await a_sale(plain, place, 1000_00, burn=300_00, now=NOW)
    await a_sale(failed, place, 400_00, now=NOW + 7 * DAY - timedelta(seconds=1))
    part = await a_sale(drawn, place, 600_00, now=SOON)
    await refund(part.receipt_id, 200_00, now=NOW + 9 * DAY)
    whole = await a_sale(drawn, place, 500_00, now=SOON)
    await refund(whole.receipt_id, 500_00)
    report = await count_report(campaign_id, now=NOW + 10 * DAY)
    assert (report.revenue, report.bought) == (700_00 + 400_00, 2)
    assert (report.control_revenue, report.control_bought) == (400_00, 1)
    assert (report.revenue_each, report.control_each) == (550_00, 400_00)
    assert report.verdict is Verdict.TOO_SMALL


async def test_who_bought_and_took_all_of_it_back_did_not_buy(place):
    campaign_id = await a_campaign()
    person = await a_recipient(campaign_id)
    sale = await a_sale(person, place, 500_00, now=SOON)
    assert (await count_report(campaign_id, now=SOON)).bought == 1
    await refund(sale.receipt_id, 500_00)
    report = await count_report(campaign_id, now=SOON)
    assert (report.bought, report.revenue) == (0, 0)


async def test_a_merged_card_counts_once_with_what_its_owner_buys(place):
    campaign_id = await a_campaign()
    alone, both, drawn = [await a_recipient(campaign_id, one) for one in ("sent", "sent", "control")]
    outside, other = (await a_customer()).id, (await a_customer()).id
    await a_sale(alone, place, 100_00, now=SOON)
    merge = await merge_cards(alone, outside, actor=COMMAND, now=SOON)
    await a_sale(outside, place, 10_00, now=SOON)
    # Both cards of this one are of the audience; of the next, none is but the one that is gone.
    await a_sale(both, place, 1000_00, now=SOON)
    await merge_cards(both, drawn, actor=COMMAND, now=SOON)
    await a_sale(other, place, 5_00, now=SOON)
    report = await count_report(campaign_id, now=AFTER)
    assert (report.people, report.control) == (2, 1)
    assert (report.revenue, report.control_revenue) == (110_00, 1000_00)
    await undo_merge(merge, actor=COMMAND, now=SOON)
    assert (await count_report(campaign_id, now=AFTER)).revenue == 100_00


async def test_a_campaign_without_a_control_group_or_a_window_says_what_it_knows(place):
    campaign_id = await a_campaign()
    person = await a_recipient(campaign_id)
    await a_sale(person, place, 100_00, now=SOON)
    report = await count_report(campaign_id, now=AFTER)
    assert (report.verdict, report.revenue, report.control_revenue) == (Verdict.NO_CONTROL, 100_00, None)
    without = await a_campaign(window=0)
    await a_recipient(without, customer_id=person)
    report = await count_report(without, now=AFTER)
    assert (report.verdict, report.bought, report.revenue, report.until) == (Verdict.NO_WINDOW, None, None, None)


async def test_before_the_window_is_over_no_verdict_is_given(place):
    campaign_id = await a_campaign()
    for status in ("sent", "control"):
        await a_sale(await a_recipient(campaign_id, status), place, 100_00, now=SOON)
    report = await count_report(campaign_id, now=NOW + 7 * DAY - timedelta(seconds=1))
    assert (report.verdict, report.difference, report.revenue) == (Verdict.EARLY, None, 100_00)
    assert (await count_report(campaign_id, now=NOW + 7 * DAY)).verdict is Verdict.TOO_SMALL


async def test_bonuses_are_told_as_given_spent_expired_and_left(place):
    campaign_id = await a_campaign(bonus=100_00, bonus_days=3)
    spender, idle = [await a_recipient(campaign_id, has_bonus=True) for _ in range(2)]
    assert await grant_due(actor=JOB, now=NOW) == 2
    await a_sale(spender, place, 1000_00, burn=60_00, now=SOON)
    cost = (await count_report(campaign_id, now=SOON)).cost
    assert (cost.people, cost.given, cost.spent, cost.expired, cost.left) == (2, 200_00, 60_00, 0, 140_00)
    assert (cost.value, cost.messages) == (200_00, 2)
    await assert_books_agree(now=SOON)
    assert idle


async def test_what_is_kept_is_what_was_counted(place):
    campaign_id = await a_campaign(buttons=("https://one.example",), bonus=50_00, bonus_days=9)
    assert await kept_report(campaign_id) is None
    person = await a_recipient(campaign_id, has_bonus=True)
    await a_recipient(campaign_id, "control")
    await follow(Click(campaign_id, person, 0), counts=True, now=SOON)
    counted = await report_campaign(campaign_id, now=SOON)
    assert await kept_report(campaign_id) == counted
    # An older count comes too late.
    await a_recipient(campaign_id)
    await report_campaign(campaign_id, now=NOW)
    assert await kept_report(campaign_id) == counted
    assert Report.from_body({"people": 3, "invented_later": 1}, NOW) == Report(NOW, people=3)
    for missing in (kept_report(campaign_id + 1), count_report(campaign_id + 1, now=NOW)):
        with pytest.raises(NotFound):
            await missing


async def test_reports_are_counted_again_until_they_are_final(place):
    draft, campaign_id = await a_campaign(state="draft"), await a_campaign()
    await a_recipient(campaign_id)

    async def counted(now) -> bool:
        found = await report_due(now=now)
        assert found in (0, 1)
        return found == 1

    assert await counted(SOON)
    assert not await counted(SOON)
    assert not await counted(SOON + timedelta(minutes=9))
    assert await counted(SOON + timedelta(minutes=10))
    # The moment the window ends it is counted, however lately it was before.
    assert await counted(NOW + 7 * DAY - timedelta(minutes=1))
    assert await counted(NOW + 7 * DAY)
    assert not await counted(NOW + 7 * DAY + timedelta(minutes=30))
    assert await counted(NOW + 7 * DAY + REFUNDED_WITHIN)
    report = await kept_report(campaign_id)
    assert report is not None
    assert report.is_final
    assert not await counted(NOW + 99 * DAY)
    assert await kept_report(draft) is None


async def test_counters_equal_a_plain_recount_of_made_up_rows(place):
    random = Random(7)
    campaign_id = await a_campaign(buttons=("https://one.example", "https://two.example"))
    people = {}
    for _ in range(60):
        status = random.choice(
            ("sent", "sent", "delivered", "read", "failed", "unknown", "waiting", "control", "skipped")
        )
        reason = random.choice(("blocked", "is_not_in_base")) if status == "skipped" else None
        people[await a_recipient(campaign_id, status, reason=reason)] = (status, reason)
    clicks: dict[tuple[int, int], int] = {}
    paid = dict.fromkeys(people, 0)
    bought: set[int] = set()
    replied: set[int] = set()
    for person, (status, _) in people.items():
        if random.random() < 0.4:
            button = random.randrange(2)
            await follow(Click(campaign_id, person, button), counts=True, now=SOON)
            if status not in {"waiting", "control", "skipped"}:
                clicks[person, button] = clicks.get((person, button), 0) + 1
        for _ in range(random.randrange(3)):
            at, total = NOW + random.uniform(-3, 10) * DAY, random.randrange(1, 900) * 100
            sale = await a_sale(person, place, total, now=at)
            back = random.choice((0, 0, total, total // 200 * 100))
            if back:
                await refund(sale.receipt_id, back, now=at + timedelta(hours=1))
            if NOW <= at < NOW + 7 * DAY:
                paid[person] += total - back
                bought |= {person} if back < total else set()
        if random.random() < 0.3:
            at = NOW + random.uniform(0.1, 10) * DAY
            account_id = await chat_of(person)
            await a_message(account_id, "Да", now=at)
            await db.execute("UPDATE conversation SET heard_at = $2 WHERE account_id = $1", account_id, at)
            if at < NOW + 7 * DAY and status in {"sent", "delivered", "read", "unknown"}:
                replied.add(person)
    drawn = {person for person, (status, _) in people.items() if status == "control"}
    told = {person for person, (status, reason) in people.items() if person not in drawn and reason != "blocked"}
    report = await count_report(campaign_id, now=NOW + 30 * DAY)
    assert (report.people, report.control, report.skipped) == (len(told), len(drawn), len(people) - len(told | drawn))
    for name, statuses in {"sent": {"sent", "delivered", "read"}, "failed": {"failed"}, "unknown": {"unknown"}}.items():
        assert getattr(report, name) == sum(1 for status, _ in people.values() if status in statuses), name
    assert report.replied == len(replied)
    assert (report.clicked, report.clicks) == (len({person for person, _ in clicks}), sum(clicks.values()))
    assert (report.bought, report.control_bought) == (len(bought & told), len(bought & drawn))
    assert report.revenue == sum(paid[person] for person in told)
    assert report.control_revenue == sum(paid[person] for person in drawn)
