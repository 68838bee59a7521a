"""The owner's figures, held against a plain recount of every row in Python."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.manual import adjust
from loyalty.clock import add_months, business_date, start_of_day
from loyalty.conversations.queries.sent import FATE_OF
from loyalty.customers.actions.archive import delete_customers
from loyalty.errors import Invalid
from loyalty.ids import new_key
from loyalty.office.actions.dashboard import count_due, count_look, look_at
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.merging import merge_cards
from loyalty.office.dashboard import (
    FORGOTTEN,
    Look,
    Part,
    Preset,
    Step,
    own_period,
    window_of,
)
from loyalty.office.queries.dashboard import Kept, count, due_looks, kept
from loyalty.office.queries.dashboard.campaigns import best_campaigns
from loyalty.office.queries.dashboard.sales import Sales
from loyalty.office.rfm import AREAS, CLASSES, Area, Cuts, cuts_of, filter_of, group_of
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.segments.filters import checked
from loyalty.segments.queries.base import Look as BaseLook
from loyalty.segments.queries.base import base_totals
from loyalty.segments.rules.trees import tree_from, tree_text
from loyalty.staff.rules import COMMAND, JOB
from regulars.seed import seed
from tests.builders import NOW, a_customer, a_location, a_message, a_programme, a_sale, an_account
from tests.conftest import refresh

MOSCOW = "Europe/Moscow"
SIDES = ("now", "before")
PERIODS = (
    "1d",
    "7d",
    "30d",
    "90d",
    "12m",
    "2025-06-10..2025-06-10",
    "2025-05-05..2025-07-01",
    "2025-02-11..2025-11-20",
)


@pytest.fixture(scope="module")
async def demo(opened_database):
    """Two years of a chain, and some refunds, gifts and answers that it has anyway."""
    await refresh(opened_database)
    await seed(150, now=NOW, report=lambda _: None)
    await _answer_questions()
    return [row["id"] for row in await db.fetch("SELECT id FROM location ORDER BY id")]


async def _answer_questions() -> None:
    rows = await db.fetch("SELECT id, customer_id, location_id, at FROM receipt WHERE kind = 'sale' AND id % 5 = 0")
    for number, row in enumerate(rows):
        await db.execute(
            "WITH asked AS (INSERT INTO survey_invitation (key, customer_id, location_id, state, due_at, created_at)"
            " VALUES ($1, $2, $3, 'answered', $4, $4) RETURNING id) INSERT INTO survey_answer (invitation_id,"
            " customer_id, score, location_id, channel, answered_at) SELECT id, $2, $5, $3, 'telegram', $4 FROM asked",
            f"dashboard:{row['id']}",
            row["customer_id"],
            row["location_id"],
            row["at"] + timedelta(hours=2),
            number % 11,
        )


class Recount:
    """Everything, read row by row."""

    def __init__(self, period, locations, now=NOW):
        self.window, self.locations, self.now = window_of(period, now, MOSCOW), locations, now

    def here(self, location_id) -> bool:
        return self.locations is None or location_id in self.locations

    def side(self, day: date, at: datetime) -> str | None:
        window = self.window
        if window.first <= day <= window.last:
            return "now"
        if window.before_first <= day <= window.before_last and (window.until is None or at <= window.until):
            return "before"
        return None

    def place(self, day: date, at: datetime, zone: str, side: str) -> int:
        first = self.window.first if side == "now" else self.window.before_first
        if self.window.step is Step.HOUR:
            return at.astimezone(ZoneInfo(zone)).hour
        if self.window.step is Step.DAY:
            return (day - first).days
        return 12 * (day.year - first.year) + day.month - first.month

    async def sales(self):
        zones = {row["id"]: row["time_zone"] for row in await db.fetch("SELECT id, time_zone FROM location")}
        back: Counter[int] = Counter()
        for row in await db.fetch("SELECT original_id, paid FROM receipt WHERE original_id IS NOT NULL"):
            back[row["original_id"]] += row["paid"]
        living = [
            row
            for row in await db.fetch("SELECT * FROM receipt WHERE kind = 'sale' ORDER BY at, id")
            if row["refunded"] < row["total"]
        ]
        sums: dict[str, Counter[str]] = {side: Counter() for side in SIDES}
        people: dict[str, set[int]] = {side: set() for side in SIDES}
        trend: dict[str, dict[int, Counter[str]]] = {side: defaultdict(Counter) for side in SIDES}
        seen: dict[str, dict[int, set[int]]] = {side: defaultdict(set) for side in SIDES}
        for row in living:
            side = self.side(row["business_date"], row["at"])
            if side is None or not self.here(row["location_id"]):
                continue
            place = self.place(row["business_date"], row["at"], zones[row["location_id"]], side)
            sold = row["total"] - row["refunded"]
            sums[side].update(receipts=1, sold=sold, paid=row["paid"] - back[row["id"]])
            trend[side][place].update(receipts=1, sold=sold)
            people[side].add(row["customer_id"])
            seen[side][place].add(row["customer_id"])
        for side, ids in people.items():
            ends = self.window.last if side == "now" else self.window.before_last
            until = None if side == "now" else self.window.until
            by_then = Counter(
                row["customer_id"]
                for row in living
                if row["business_date"] <= ends and (until is None or row["at"] <= until)
            )
            sums[side].update(active=len(ids), repeat=sum(by_then[one] >= 2 for one in ids))
            joined = await self.joined(side)
            sums[side].update(fresh=sum(joined.values()))
            for place, count_ in joined.items():
                trend[side][place].update(fresh=count_)
            for place, found in seen[side].items():
                trend[side][place].update(active=len(found))
        return sums, trend

    async def joined(self, side) -> Counter[int]:
        reached = await reached_by(self.locations)
        found: Counter[int] = Counter()
        for row in await db.fetch("SELECT customer_id, created_at FROM customer_facts WHERE NOT is_hidden"):
            day = business_date(row["created_at"], MOSCOW)
            if self.side(day, row["created_at"]) == side and (reached is None or row["customer_id"] in reached):
                found[self.place(day, row["created_at"], MOSCOW, side)] += 1
        return found


async def reached_by(locations) -> set[int] | None:
    if locations is None:
        return None
    return {
        row["customer_id"]
        for row in await db.fetch(
            "SELECT id AS customer_id FROM customer WHERE home_location_id = ANY($1::int[]) UNION"
            " SELECT customer_id FROM customer_location WHERE visits > 0 AND location_id = ANY($1::int[])",
            list(locations),
        )
    }


async def figures(part, period="", locations=None, now=NOW):
    return await count(Look.of(part, period, locations), now=now, zone=MOSCOW)


def told(trend, name, places) -> list[int]:
    return [trend[place][name] for place in range(places)]


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("which", [None, (0,), (0, 2)])
async def test_sales_of_a_period_and_of_the_one_before_are_those_of_a_recount(demo, period, which):
    locations = None if which is None else [demo[index] for index in which]
    found, recount = await figures(Part.SALES, period, locations), Recount(period, locations)
    sums, trend = await recount.sales()
    assert asdict(found.now) == dict.fromkeys(asdict(found.now), 0) | dict(sums["now"])
    assert asdict(found.before) == dict.fromkeys(asdict(found.before), 0) | dict(sums["before"])
    places = recount.window.places
    for name, shown in asdict(found.trend).items():
        assert shown == told(trend["now"], name, places), name
    if recount.window.is_aligned:
        for name, shown in asdict(found.trend_before).items():
            assert shown == told(trend["before"], name, places), name


async def test_sales_of_always_are_those_of_the_facts(demo):
    found = (await figures(Part.SALES, own_period(date(2023, 1, 1), business_date(NOW, MOSCOW)))).now
    facts = await db.fetch_row(
        "SELECT sum(sold)::bigint AS sold, sum(paid)::bigint AS paid, sum(receipts)::bigint AS receipts,"
        " count(*) FILTER (WHERE receipts > 0) AS active, count(*) FILTER (WHERE receipts > 1) AS repeat,"
        " count(*) FILTER (WHERE NOT is_hidden) AS fresh FROM customer_facts"
    )
    assert asdict(found) == facts


@pytest.mark.parametrize("period", PERIODS)
async def test_bonuses_of_a_period_are_what_the_ledger_grew_by(demo, period):
    found, recount = await figures(Part.BONUSES, period), Recount(period, None)
    window = recount.window
    for side, moved in (("now", found.now), ("before", found.before)):
        entries = [
            row
            for row in await db.fetch("SELECT * FROM bonus_entry")
            if recount.side(row["business_date"], row["at"]) == side
        ]
        grew = moved.earned + moved.gifts + moved.given - moved.burnt - moved.expired - moved.taken
        assert grew == sum(row["amount"] for row in entries)
        assert moved.expired == -sum(row["amount"] for row in entries if row["kind"] == "expire")
        assert moved.burnt == -sum(row["amount"] for row in entries if row["kind"] in ("burn", "restore_burn"))
        assert moved.gifts == sum(row["amount"] for row in entries if row["kind"] == "grant")
    assert [sum(found.earned), sum(found.burnt), sum(found.expired)] == [
        found.now.earned, found.now.burnt, found.now.expired
    ]  # fmt: skip
    assert len(found.earned) == window.places


async def test_bonuses_of_locations_add_up_to_what_names_one(demo):
    parts = [await figures(Part.BONUSES, "12m", [place]) for place in demo]
    together = await figures(Part.BONUSES, "12m", demo)
    chain = await figures(Part.BONUSES, "12m")
    for name in ("earned", "burnt", "expired"):
        assert sum(getattr(one.now, name) for one in parts) == getattr(together.now, name)
    assert together.now.earned == chain.now.earned
    assert 0 < together.now.expired <= chain.now.expired


async def test_what_is_owed_is_what_is_left_in_lots_by_the_month_in_which_it_expires(demo):
    found = await figures(Part.OWED)
    lots = await db.fetch("SELECT * FROM bonus_lot WHERE remaining > 0")
    alive = [row for row in lots if row["expires_at"] is None or row["expires_at"] > NOW]
    assert found.outstanding == sum(row["remaining"] for row in alive) > 0
    assert found.pending == sum(row["remaining"] for row in alive if row["activates_at"] > NOW)
    assert found.never == sum(row["remaining"] for row in alive if row["expires_at"] is None)
    months: Counter[date] = Counter()
    for row in alive:
        if row["expires_at"] is not None:
            last = (row["expires_at"] - timedelta(microseconds=1)).astimezone(ZoneInfo(MOSCOW)).date()
            months[last.replace(day=1)] += row["remaining"]
    assert found.months == [
        (add_months(date(2026, 3, 1), n), months[add_months(date(2026, 3, 1), n)]) for n in range(12)
    ]
    assert found.outstanding == found.never + found.later + sum(amount for _, amount in found.months)
    week = [row for row in alive if row["expires_at"] and row["expires_at"] <= NOW + timedelta(days=7)]
    assert found.week == sum(row["remaining"] for row in week)
    assert found.debt == await db.fetch_value("SELECT sum(debt)::bigint FROM customer_facts")


async def test_what_locations_owe_was_given_there(demo):
    parts = [(await figures(Part.OWED, "", [place])).outstanding for place in demo]
    named = await db.fetch_value(
        "SELECT sum(l.remaining)::bigint FROM bonus_lot l JOIN bonus_entry e ON e.id = l.entry_id"
        " WHERE e.location_id IS NOT NULL AND (l.expires_at IS NULL OR l.expires_at > $1)",
        NOW,
    )
    assert sum(parts) == named
    assert (await figures(Part.OWED, "", demo)).debt is None


@pytest.mark.parametrize("which", [None, (1,)])
async def test_messages_are_counted_by_channel_and_by_what_became_of_them(demo, which):
    locations = None if which is None else [demo[index] for index in which]
    found = await figures(Part.MESSAGES, "90d", locations)
    window, reached = window_of("90d", NOW, MOSCOW), await reached_by(locations)
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for row in await db.fetch("SELECT * FROM message WHERE direction = 'out'"):
        day = business_date(row["created_at"], MOSCOW)
        if window.first <= day <= window.last and (reached is None or row["customer_id"] in reached):
            expected[row["channel"]][FATE_OF[row["status"]].value] += 1
    assert {one.name: one.fates for one in found.channels} == {name: dict(fates) for name, fates in expected.items()}
    assert sum(count for _, count in found.reasons) + found.other_reasons == sum(
        fates["failed"] for fates in expected.values()
    )
    assert [one.total for one in found.channels] == sorted((one.total for one in found.channels), reverse=True)


async def test_a_score_is_of_its_period_and_location(demo):
    for locations in (None, demo[:1]):
        found, recount = await figures(Part.ANSWERS, "90d", locations), Recount("90d", locations)
        expected: dict[str, Counter[int]] = {side: Counter() for side in SIDES}
        for row in await db.fetch("SELECT * FROM survey_answer"):
            side = recount.side(business_date(row["answered_at"], MOSCOW), row["answered_at"])
            if side is not None and recount.here(row["location_id"]):
                expected[side][row["score"]] += 1
        assert (found.now, found.before) == (dict(expected["now"]), dict(expected["before"]))
        assert found.tally.total == sum(found.now.values()) > 0


@pytest.mark.parametrize("which", [None, (0,), (0, 2)])
async def test_a_cell_has_as_many_people_as_its_filter_finds_in_the_base(demo, which):
    locations = None if which is None else [demo[index] for index in which]
    found = await figures(Part.RFM, "", locations)
    for recency in range(1, CLASSES + 1):
        for frequency in range(1, CLASSES + 1):
            cell, area = found.at(recency, frequency), Area((recency, recency), (frequency, frequency))
            tree = checked(tree_from(tree_text(filter_of(found.cuts, area, locations))))
            totals = await base_totals(BaseLook(tree=tree), now=NOW)
            assert (cell.customers, cell.sold) == (totals.count, totals.sold), (recency, frequency)
    for area in AREAS.values():
        totals = await base_totals(BaseLook(tree=filter_of(found.cuts, area, locations)), now=NOW)
        assert found.within(area).customers == totals.count
    assert found.customers == sum(found.within(area).customers for area in AREAS.values()) > 0


async def test_what_is_kept_is_read_as_it_was_counted(demo):
    for part in Part:
        look = Look.of(part, "30d", demo[:2])
        counted = await count_look(look, now=NOW, zone=MOSCOW)
        read = (await kept([look], now=NOW, zone=MOSCOW))[look]
        assert (read.figures, read.counted_at) == (counted.figures, NOW)


# ------------------------------------------------------------------------------------------- edges


@pytest.fixture
async def shop(database):
    await a_programme()
    return SimpleNamespace(here=await a_location(), anna=await a_customer(name="Анна Одна"), east=await east())


async def east() -> int:
    return await a_location(time_zone="Asia/Vladivostok")


async def test_a_day_is_the_locations_own(shop):
    late = datetime(2026, 3, 9, 20, 30, tzinfo=UTC)  # 23:30 on the 9th in Moscow, the 10th in Vladivostok
    await a_sale(shop.anna.id, shop.here, 100_00, now=late)
    await a_sale(shop.anna.id, shop.east, 300_00, now=late)
    today = await figures(Part.SALES, "1d")
    assert (today.now.sold, today.before.sold, today.now.active) == (300_00, 0, 1)
    assert today.trend.sold[6] == 300_00
    yesterday = await figures(Part.SALES, "2026-03-09..2026-03-09")
    assert (yesterday.now.sold, yesterday.trend.sold[23]) == (100_00, 100_00)


async def test_half_of_today_is_compared_with_half_of_yesterday(shop):
    for hours in (1, 23):
        await a_sale(shop.anna.id, shop.here, 100_00, now=NOW - timedelta(hours=hours))
        await a_sale(shop.anna.id, shop.here, 50_00, now=NOW - timedelta(hours=hours + 24))
    found = await figures(Part.SALES, "1d")
    # At noon: yesterday's sale of eleven counts, that of one in the afternoon does not yet.
    assert (found.now.sold, found.before.sold) == (100_00, 50_00)
    assert (found.now.repeat, found.before.repeat) == (1, 1)


async def test_a_refund_counts_on_the_day_of_its_sale(shop):
    month_ago = NOW - timedelta(days=35)
    sale = await a_sale(shop.anna.id, shop.here, 1_000_00, now=month_ago)
    whole = await a_sale(shop.anna.id, shop.here, 500_00, now=month_ago)
    await refund_receipt(sale.receipt_id, 400_00, key=new_key(), actor=COMMAND, now=NOW)
    await refund_receipt(whole.receipt_id, 500_00, key=new_key(), actor=COMMAND, now=NOW)
    found = await figures(Part.SALES, "30d")
    assert (found.now.sold, found.now.receipts, found.now.active) == (0, 0, 0)
    assert (found.before.sold, found.before.paid, found.before.receipts) == (600_00, 600_00, 1)
    assert (found.before.active, found.before.repeat) == (1, 0)
    moved = (await figures(Part.BONUSES, "30d")).now
    assert moved.earned < 0
    assert moved.burnt == 0


async def test_one_who_came_back_is_counted_once_and_as_repeat(shop):
    await a_sale(shop.anna.id, shop.here, 100_00, now=NOW - timedelta(days=3))
    assert (await figures(Part.SALES, "7d")).now.repeat == 0
    await a_sale(shop.anna.id, shop.east, 100_00, now=NOW - timedelta(days=2))
    await a_sale((await a_customer()).id, shop.here, 100_00, now=NOW - timedelta(days=2))
    week = (await figures(Part.SALES, "7d")).now
    assert (week.active, week.repeat, week.repeat_bp, week.average) == (2, 1, 5000, 100_00)
    # At one location she bought once, and came back to the chain all the same.
    assert (await figures(Part.SALES, "7d", [shop.east])).now.repeat == 1
    assert (await figures(Part.SALES, "2026-03-07..2026-03-07")).now.repeat == 0


async def test_who_was_deleted_erased_or_merged_leaves_the_purchases(shop):
    gone, erased, twin = [await a_customer(name=f"Кто-то {n}") for n in range(3)]
    for person in (shop.anna, gone, erased, twin):
        await a_sale(person.id, shop.here, 100_00, now=NOW - timedelta(days=1))
    before = (await figures(Part.SALES, "7d")).now
    assert (before.active, before.fresh, before.sold, before.repeat) == (4, 4, 400_00, 0)
    await delete_customers([gone.id], actor=COMMAND, now=NOW)
    await erase_customer(erased.id, actor=COMMAND, now=NOW)
    await merge_cards(twin.id, shop.anna.id, actor=COMMAND, now=NOW)
    after = (await figures(Part.SALES, "7d")).now
    assert (after.active, after.fresh, after.sold, after.repeat) == (3, 1, 400_00, 1)
    assert (await figures(Part.RFM)).customers == 1


async def test_merging_moves_no_bonuses_in_the_figures(shop):
    twin = await a_customer(bonuses=300_00)
    before, owed = await figures(Part.BONUSES, "7d"), await figures(Part.OWED)
    await merge_cards(twin.id, shop.anna.id, actor=COMMAND, now=NOW)
    assert await figures(Part.BONUSES, "7d") == before
    assert await figures(Part.OWED) == owed
    assert (before.now.given, owed.outstanding) == (300_00, 300_00)


async def test_what_expires_leaves_what_is_owed_by_time_alone(shop):
    sale = await a_sale(shop.anna.id, shop.here, 1_000_00, now=NOW)
    ends = await db.fetch_value("SELECT expires_at FROM bonus_lot")
    assert ends is not None, sale
    owed = await figures(Part.OWED, now=ends - timedelta(hours=1))
    assert owed.outstanding == owed.week == owed.months[0][1] > 0
    assert owed.months[0][0] == (ends - timedelta(hours=1)).astimezone(ZoneInfo(MOSCOW)).date().replace(day=1)
    assert (await figures(Part.OWED, now=ends)).outstanding == 0
    await expire_due(actor=JOB, now=ends, limit=10)
    later = ends + timedelta(minutes=5)
    day = business_date(later, MOSCOW)
    moved = await figures(Part.BONUSES, own_period(day - timedelta(days=1), day), [shop.here], now=later)
    assert moved.now.expired == owed.outstanding


async def test_an_empty_shop_has_figures(database):
    for part in Part:
        for locations in (None, [1]):
            found = await figures(part, "12m", locations)
            assert found is not None
    rfm = await figures(Part.RFM)
    assert (rfm.customers, rfm.cuts) == (0, Cuts((0, 1, 2, 3), (1, 2, 3, 4)))
    assert (await figures(Part.SALES, "7d")).now.repeat_bp is None


# ------------------------------------------------------------------------------------------- periods


def test_a_period_of_a_preset_ends_today_and_is_compared_with_as_many_days_before():
    week = window_of("7d", NOW, MOSCOW)
    assert (week.first, week.last) == (date(2026, 3, 4), date(2026, 3, 10))
    assert (week.before_first, week.before_last) == (date(2026, 2, 25), date(2026, 3, 3))
    assert week.until == NOW - timedelta(days=7)
    year = window_of("12m", NOW, MOSCOW)
    assert (year.first, year.before_first, year.before_last) == (date(2025, 4, 1), date(2024, 4, 1), date(2025, 3, 10))
    assert (year.places, year.is_aligned, year.step) == (12, True, Step.MONTH)


def test_the_days_of_a_period_follow_the_clock_of_the_shop():
    late = datetime(2026, 3, 9, 21, 30, tzinfo=UTC)
    assert window_of("1d", late, MOSCOW).first == date(2026, 3, 10)
    assert window_of("1d", late, "UTC").first == date(2026, 3, 9)
    # Berlin put its clocks forward that night: the same time by the clock was 23 hours ago.
    berlin = window_of("1d", datetime(2026, 3, 29, 10, 0, tzinfo=UTC), "Europe/Berlin")
    assert berlin.until == datetime(2026, 3, 28, 11, 0, tzinfo=UTC)


def test_a_period_of_ones_own_ends_today_at_the_latest():
    window = window_of(own_period(date(2026, 3, 1), date(2026, 12, 31)), NOW, MOSCOW)
    assert (window.last, window.before_first, window.step) == (date(2026, 3, 10), date(2026, 2, 19), Step.DAY)
    with pytest.raises(Invalid, match="period_ahead"):
        window_of(own_period(date(2026, 3, 11), date(2026, 12, 31)), NOW, MOSCOW)
    with pytest.raises(Invalid, match="dates_are_backwards"):
        own_period(date(2026, 3, 2), date(2026, 3, 1))
    with pytest.raises(Invalid, match="period_too_long"):
        own_period(date(2010, 3, 2), date(2026, 3, 1))


def test_a_key_tells_looks_apart_and_is_short():
    many = Look.of(Part.SALES, own_period(date(2026, 1, 1), date(2026, 3, 1)), range(1, 60))
    assert len(many.key) <= 60
    assert many.key != Look.of(Part.SALES, many.period, range(1, 61)).key
    assert Look.of(Part.OWED, "30d", [5, 2]).key == "owed::2.5"
    assert Look.from_body(many.to_body()) == many


# ------------------------------------------------------------------------------------------- cells


def test_fifths_are_cut_at_whole_numbers_and_nobody_is_in_two():
    cuts = cuts_of({0: 10, 5: 10, 9: 20, 40: 5, 400: 5}, {1: 30, 2: 10, 7: 10})
    assert cuts.days == (0, 5, 9, 10)
    assert cuts.visits == (1, 2, 3, 4) or cuts.visits[0] == 1
    for cut in (cuts.days, cuts.visits):
        assert list(cut) == sorted(set(cut))


def test_every_cell_belongs_to_one_group():
    cells = [(recency, frequency) for recency in range(1, 6) for frequency in range(1, 6)]
    assert all(sum(cell in area for area in AREAS.values()) == 1 for cell in cells)
    assert (group_of(5, 5), group_of(1, 1), group_of(5, 1)) == ("champions", "lost", "new")


# ------------------------------------------------------------------------------------------- keeping


async def test_figures_are_counted_by_one_process_at_a_time(shop, monkeypatch):
    look = Look.of(Part.SALES, "30d", None)
    began, go_on, counts = asyncio.Event(), asyncio.Event(), []

    async def slow(one, *, now, zone):
        counts.append(one)
        began.set()
        await go_on.wait()
        return await count(one, now=now, zone=zone)

    monkeypatch.setattr("loyalty.office.actions.dashboard.is_small", _no)
    monkeypatch.setattr("loyalty.office.actions.dashboard.count", slow)
    [asked] = (await look_at([look], now=NOW, zone=MOSCOW)).values()
    assert asked.figures is None
    first = asyncio.create_task(count_due(now=NOW))
    await began.wait()
    async with asyncio.timeout(5):
        assert await count_due(now=NOW) == 0
    go_on.set()
    assert await first == 1
    assert await count_due(now=NOW) == 0
    assert counts == [look]
    assert (await look_at([look], now=NOW, zone=MOSCOW))[look].figures is not None


async def _no() -> bool:
    return False


def sold(found: Kept) -> int:
    assert isinstance(found.figures, Sales)
    return found.figures.now.sold


async def test_a_large_base_is_counted_behind_the_page_and_ever_less_when_nobody_looks(shop, monkeypatch):
    monkeypatch.setattr("loyalty.office.actions.dashboard.is_small", _no)
    look = Look.of(Part.SALES, "30d", None)
    assert (await look_at([look], now=NOW, zone=MOSCOW))[look].figures is None
    assert await count_due(now=NOW) == 1
    await db.execute("UPDATE dashboard_look SET milliseconds = 3000")
    times = []
    for minutes in range(1, 24 * 60 + 30):
        now = NOW + timedelta(minutes=minutes)
        if await due_looks(now=now, zone=MOSCOW):
            await count_due(now=now)
            await db.execute("UPDATE dashboard_look SET milliseconds = 3000")
            times.append(minutes)
    # The day ends after 15 hours, and its figures with it.
    # A hundred times three seconds, and the moment that the first count began later.
    assert times[0] == 6
    assert 8 <= len(times) <= 14
    assert times[-1] <= FORGOTTEN.total_seconds() / 60


async def test_what_was_quick_is_counted_whenever_somebody_looks(shop):
    look = Look.of(Part.SALES, "30d", None)
    assert sold((await look_at([look], now=NOW, zone=MOSCOW))[look]) == 0
    await a_sale(shop.anna.id, shop.here, 100_00, now=NOW)
    await db.execute("UPDATE dashboard_look SET milliseconds = 10")
    again = await look_at([look], now=NOW + timedelta(seconds=5), zone=MOSCOW)
    assert sold(again[look]) == 100_00
    assert await due_looks(now=NOW + timedelta(hours=1), zone=MOSCOW) == []


async def test_figures_of_yesterday_are_not_shown_as_todays(shop, monkeypatch):
    monkeypatch.setattr("loyalty.office.actions.dashboard.is_small", _no)
    look = Look.of(Part.SALES, Preset.TODAY, None)
    await count_look(look, now=NOW, zone=MOSCOW)
    await db.execute("UPDATE dashboard_look SET milliseconds = 5000")
    tomorrow = start_of_day(date(2026, 3, 11), MOSCOW)
    assert (await look_at([look], now=tomorrow - timedelta(seconds=1), zone=MOSCOW))[look].figures is not None
    assert (await look_at([look], now=tomorrow, zone=MOSCOW))[look].figures is None
    assert await count_due(now=tomorrow) == 1


async def test_what_another_version_has_kept_is_counted_anew(shop):
    look = Look.of(Part.SALES, "30d", None)
    await count_look(look, now=NOW, zone=MOSCOW)
    for body in ('{"form": 0}', '{"form": 1, "asked_at": "x"}', '{"form": 1, "figures": {"odd": 1}}', "{}"):
        await db.execute("UPDATE dashboard_look SET figures = $1::jsonb", body)
        assert (await look_at([look], now=NOW, zone=MOSCOW))[look].figures is not None


async def test_looks_that_nobody_has_looked_at_for_a_month_are_forgotten(shop):
    await count_look(Look.of(Part.SALES, "30d", None), now=NOW, zone=MOSCOW)
    await count_due(now=NOW + timedelta(days=29))
    assert await db.fetch_value("SELECT count(*) FROM dashboard_look") == 1
    await count_due(now=NOW + timedelta(days=31))
    assert await db.fetch_value("SELECT count(*) FROM dashboard_look") == 0


async def test_a_message_to_nobody_is_counted_and_so_is_why_it_failed(shop):
    account = await an_account(shop.anna.id)
    for reason in ("blocked", "blocked", "window_closed"):
        await a_message(account, "x", status="failed", reason=reason, now=NOW)
    await a_message(account, "x", status="sent", now=NOW)
    found = await figures(Part.MESSAGES, "1d")
    [telegram] = found.channels
    assert found.reasons == [("blocked", 2), ("window_closed", 1)]
    assert (telegram.total, telegram.sent, telegram.of("delivered")) == (4, 1, None)


async def test_a_gift_by_hand_is_told_apart_from_what_was_earned(shop):
    await adjust(shop.anna.id, 50_00, "gift", key=new_key(), actor=COMMAND, now=NOW)
    await adjust(shop.anna.id, -20_00, "slip", key=new_key(), actor=COMMAND, now=NOW)
    moved = (await figures(Part.BONUSES, "1d")).now
    assert (moved.given, moved.taken, moved.earned, moved.burnt) == (50_00, 20_00, 0, 0)


# ------------------------------------------------------------------------------------------- campaigns


async def a_campaign(name: str, report: object, *, days_ago: int = 1, staff_id: int | None = None) -> None:
    began = NOW - timedelta(days=days_ago)
    await db.execute(
        "INSERT INTO campaign (key, name, topic, texts, channels, state, acknowledged_version, acknowledged_language,"
        " acknowledged_text, staff_id, created_at, resumed_at, started_at, counted_at, report, resumed_from, place,"
        " total, skipped, queued, sent, delivered, read, failed, unknown, cancelled)"
        " VALUES ($1, $1, 'marketing', '{}', '', 'finished', 1, 'ru', '', $2, $3, $3, $3, $3, $4::jsonb,"
        " 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
        name,
        staff_id,
        began,
        db.to_json(report),
    )


async def test_the_best_campaigns_of_a_period_are_those_that_brought_most(shop):
    await a_campaign("less", {"difference": -100_00, "low": -200_00, "high": -1, "people": 5, "verdict": "lost"})
    await a_campaign("most", {"difference": 500_00, "people": 300, "verdict": "earned", "cost": {"value": 70_00}})
    await a_campaign("old", {"difference": 900_00, "people": 300, "verdict": "earned"}, days_ago=40)
    for odd in ({}, {"difference": None}, {"difference": "much"}, [1]):
        await a_campaign(f"odd {odd}", odd)
    best, begun = await best_campaigns(window_of("30d", NOW, MOSCOW), zone=MOSCOW)
    assert [(one.name, one.difference, one.bonuses, one.low) for one in best] == [
        ("most", 500_00, 70_00, None),
        ("less", -100_00, None, -200_00),
    ]
    assert begun == 6
    assert await best_campaigns(window_of("30d", NOW, MOSCOW), zone=MOSCOW, staff_id=7) == ([], 0)
