"""The way down through the tiers, and tiers by hand."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty import db
from loyalty.bonuses.actions.tiers import clear_tier, review_tiers, set_tier
from loyalty.bonuses.queries import tier_history
from loyalty.bonuses.rules import (
    Progress,
    TierOutlook,
    TierStep,
    daytime,
    progress_at,
    rules_since,
    tier_outlook,
    tier_step,
    unsupported_from,
)
from loyalty.customers.queries import customer
from loyalty.errors import Invalid, Refused
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.shop.rules import TierBasis
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import (
    NOW,
    PROGRAMME,
    a_cashier,
    a_customer,
    a_location,
    a_programme,
    a_sale,
    an_account,
    assert_books_agree,
)

DAY = timedelta(days=1)
YEAR = timedelta(days=365)
ZONE = "Europe/Moscow"
SILVER = PROGRAMME.tiers[1]


def paid(at: datetime, amount: int) -> Progress:
    return Progress(at, at + YEAR, amount)


# ------------------------------------------------------------------------------------------- arithmetic


def test_a_sale_counts_until_the_window_forgets_it_and_not_a_moment_longer():
    parts = [paid(NOW, 10_000_00)]
    assert progress_at(parts, NOW) == 10_000_00
    assert progress_at(parts, NOW + YEAR - timedelta(seconds=1)) == 10_000_00
    assert progress_at(parts, NOW + YEAR) == 0


def test_a_window_stops_reaching_a_threshold_when_the_sale_that_carried_it_is_forgotten():
    parts = [paid(NOW, 6_000_00), paid(NOW + 90 * DAY, 4_000_00), paid(NOW + 100 * DAY, 1_00)]
    assert unsupported_from(parts, 10_000_00, NOW + 100 * DAY) == NOW + YEAR
    assert unsupported_from(parts, 10_000_00, NOW + YEAR + 30 * DAY) == NOW + YEAR
    assert unsupported_from(parts, 10_001_01, NOW + 100 * DAY) is None


def test_of_several_falls_the_last_one_counts():
    parts = [paid(NOW, 10_000_00), paid(NOW + YEAR + 20 * DAY, 10_000_00)]
    assert unsupported_from(parts, 10_000_00, NOW + YEAR + 10 * DAY) == NOW + YEAR
    assert unsupported_from(parts, 10_000_00, NOW + YEAR + 21 * DAY) == NOW + 2 * YEAR + 20 * DAY


def test_a_refund_takes_away_from_when_it_was_made():
    parts = [paid(NOW, 10_000_00), Progress(NOW + 40 * DAY, NOW + YEAR, -1)]
    assert unsupported_from(parts, 10_000_00, NOW + 30 * DAY) == NOW + 40 * DAY
    assert unsupported_from(parts, 10_000_00, NOW + 50 * DAY) == NOW + 40 * DAY


def test_the_base_tier_cannot_be_lost():
    assert tier_outlook(PROGRAMME, PROGRAMME.tiers[0], [], NOW, ZONE, held_since=NOW) is None


def test_days_of_grace_are_local_days_and_are_told_of_in_the_morning():
    late = datetime(2026, 3, 10, 22, 30, tzinfo=UTC)  # half past one on the 11th in Moscow
    outlook = tier_outlook(PROGRAMME, SILVER, [paid(late - YEAR, 10_000_00)], late, ZONE, held_since=late - YEAR)
    assert outlook is not None
    assert outlook.falls_on == date(2026, 3, 11) + 30 * DAY
    assert outlook.warn_at == datetime(2026, 3, 27, 7, 0, tzinfo=UTC)


def test_days_of_grace_do_not_begin_before_the_tier_did():
    outlook = tier_outlook(PROGRAMME, SILVER, [], NOW, ZONE, held_since=NOW)
    assert outlook is not None
    assert outlook.falls_on == date(2026, 4, 9)


@pytest.mark.parametrize(
    ("hour", "expected"),
    [(9, (10, 0)), (10, (10, 30)), (19, (19, 30)), (20, (10, 0)), (23, (10, 0)), (0, (10, 0))],
)
@pytest.mark.parametrize("zone", ["Europe/Moscow", "America/Sao_Paulo", "Asia/Kathmandu"])
def test_people_are_written_to_by_day(hour, expected, zone):
    moment = datetime(2026, 3, 10, hour, 30, tzinfo=ZoneInfo(zone))
    told = daytime(moment, zone).astimezone(ZoneInfo(zone))
    assert (told.hour, told.minute) == expected
    assert timedelta() <= told - moment < DAY


OUTLOOK = TierOutlook(date(2026, 3, 31), datetime(2026, 3, 17, 7, 0, tzinfo=UTC))


def noon(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "warned", "can_be_told", "expected"),
    [
        (noon(10), None, True, (TierStep.WAIT, 31, 17)),
        (noon(17), None, True, (TierStep.WARN, 31, 31)),
        (noon(17) - timedelta(hours=6), None, True, (TierStep.WAIT, 31, 17)),
        (noon(20), date(2026, 3, 31), True, (TierStep.WAIT, 31, 31)),
        (noon(31), date(2026, 3, 31), True, (TierStep.WAIT, 31, 31)),
        (noon(1, 4), date(2026, 3, 31), True, (TierStep.FALL, 31, 31)),
        (noon(1, 4), None, False, (TierStep.FALL, 31, 31)),
        (noon(20), None, False, (TierStep.WAIT, 31, 31)),
    ],
)
def test_a_tier_waits_then_warns_then_falls(now, warned, can_be_told, expected):
    step, falls_on, again = tier_step(OUTLOOK, PROGRAMME, now, ZONE, warned=warned, can_be_told=can_be_told)
    looked = business_day(again - timedelta(microseconds=1)).day
    assert (step, falls_on.day, looked) == expected


def business_day(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(ZONE)).date()


def test_a_warning_that_came_late_puts_the_fall_off():
    step, falls_on, _again = tier_step(OUTLOOK, PROGRAMME, noon(2, 4), ZONE, warned=None, can_be_told=True)
    assert (step, falls_on) == (TierStep.WARN, date(2026, 4, 16))
    kept, until, _again = tier_step(OUTLOOK, PROGRAMME, noon(16, 4), ZONE, warned=falls_on, can_be_told=True)
    assert (kept, until) == (TierStep.WAIT, date(2026, 4, 16))
    assert tier_step(OUTLOOK, PROGRAMME, noon(17, 4), ZONE, warned=falls_on, can_be_told=True)[0] is TierStep.FALL


def test_grace_begins_anew_with_a_new_threshold_but_not_with_other_settings():
    raised = replace(PROGRAMME, tiers=(PROGRAMME.tiers[0], replace(SILVER, threshold=20_000_00)))
    versions = [(NOW, replace(raised, welcome_bonus=0)), (NOW - DAY, raised), (NOW - YEAR, PROGRAMME)]
    assert rules_since(versions, SILVER) == NOW - DAY
    assert rules_since(versions, PROGRAMME.tiers[0]) == NOW - YEAR


# ------------------------------------------------------------------------------------------- the sweep


@pytest.fixture
async def silver(database):
    """Somebody who reached Silver at NOW with one purchase, and can be written to."""
    await a_programme()
    person = await a_customer()
    person_account = await an_account(person.id)
    sale = await a_sale(person.id, await a_location(), 10_000_00)
    await look_at(person.id, NOW)
    return person.id, person_account, sale.receipt_id


async def look_at(customer_id: int, at: datetime) -> None:
    """As a receipt or refund leaves it: the tier is to be looked at."""
    await db.execute("UPDATE customer_facts SET tier_due_at = $2 WHERE customer_id = $1", customer_id, at)


async def live(until: datetime, *, since: datetime = NOW, every: timedelta = timedelta(hours=6)) -> datetime:
    """The sweep runs on and on."""
    now = since
    while now <= until:
        await review_tiers(actor=JOB, now=now)
        now += every
    return now


async def tier_of(customer_id: int) -> int:
    return (await customer(customer_id)).tier_id


async def warnings_to(account_id: int) -> list[str]:
    rows = await db.fetch(
        "SELECT content FROM message WHERE account_id = $1 AND kind = 'tier_falling' ORDER BY id", account_id
    )
    return [db.from_json(row["content"])["text"].replace("\u00a0", " ") for row in rows]


async def test_a_tier_falls_after_its_days_of_grace_with_one_warning_before(silver):
    person, messenger, _sale = silver
    await live(NOW + YEAR + 15 * DAY)
    assert await warnings_to(messenger) == []
    await live(NOW + YEAR + 17 * DAY, since=NOW + YEAR + 15 * DAY)
    [warning] = await warnings_to(messenger)
    assert warning == (
        "Ваш уровень Silver действует до 9 апр. 2027, потом станет Base.\n"
        "Чтобы сохранить его, купите до этого дня ещё на 10 000 ₽."
    )
    await live(datetime(2027, 4, 9, 20, 59, tzinfo=UTC), since=NOW + YEAR + 17 * DAY)
    assert await tier_of(person) == 1
    await live(datetime(2027, 4, 10, 3, 0, tzinfo=UTC), since=datetime(2027, 4, 9, 21, 0, tzinfo=UTC))
    assert await tier_of(person) == 0
    assert [(step.tier_id, step.reason) for step in await tier_history(person)] == [(0, "window"), (1, "threshold")]
    assert await db.fetch_value("SELECT tier_due_at IS NULL FROM customer_facts WHERE customer_id = $1", person)
    assert len(await warnings_to(messenger)) == 1
    await assert_books_agree()


async def test_a_warning_that_went_instead_of_a_failed_one_does_not_stand_in_the_way(silver):
    person, messenger, _sale = silver
    await live(NOW + YEAR + 17 * DAY, since=NOW + YEAR + 15 * DAY)
    other = await an_account(person)
    await db.execute(
        "INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, dedupe_key,"
        " instead_of_id, created_at, due_at, attempts)"
        " SELECT $1, customer_id, channel, direction, kind, content, status, priority, 'instead:' || id, id,"
        " created_at, due_at, 0 FROM message WHERE kind = 'tier_falling'",
        other,
    )
    await live(datetime(2027, 4, 10, 3, 0, tzinfo=UTC), since=NOW + YEAR + 17 * DAY)
    assert await tier_of(person) == 0
    assert len(await warnings_to(messenger)) == 1


async def test_buying_in_time_keeps_the_tier(silver):
    person, messenger, _sale = silver
    await live(NOW + YEAR + 20 * DAY, since=NOW + YEAR)
    await a_sale(person, await a_location(), 10_000_00, now=NOW + YEAR + 20 * DAY)
    await live(NOW + YEAR + 60 * DAY, since=NOW + YEAR + 20 * DAY)
    assert await tier_of(person) == 1
    assert len(await warnings_to(messenger)) == 1


async def test_a_tier_falls_to_what_the_window_still_supports(silver):
    person, _messenger, _sale = silver
    location = await a_location()
    await a_sale(person, location, 40_000_00, now=NOW + DAY)
    assert await tier_of(person) == 2
    await a_sale(person, location, 12_000_00, now=NOW + 200 * DAY)
    await look_at(person, NOW + YEAR)
    await live(NOW + YEAR + 33 * DAY, since=NOW + YEAR)
    assert await tier_of(person) == 1
    assert [step.tier_id for step in await tier_history(person)] == [1, 2, 1]


async def test_visits_carry_a_tier_where_the_programme_counts_them(database):
    base, silver, _gold = PROGRAMME.tiers
    await a_programme(tiers=(base, replace(silver, threshold=2)), tier_basis=TierBasis.VISITS)
    person, location = await a_customer(), await a_location()
    messenger = await an_account(person.id)
    first = await a_sale(person.id, location, 100_00)
    await a_sale(person.id, location, 100_00, now=NOW + DAY)
    await set_tier(person.id, 1, (NOW + DAY).date(), actor=COMMAND, now=NOW)
    await live(NOW + 2 * DAY)
    assert await tier_of(person.id) == 1
    await refund_receipt(first.receipt_id, None, key="r", actor=COMMAND, now=NOW + 2 * DAY)
    await look_at(person.id, NOW + 2 * DAY)
    await live(NOW + 40 * DAY, since=NOW + 2 * DAY)
    assert await tier_of(person.id) == 0
    assert ["нужно ещё 1 визит." in warning for warning in await warnings_to(messenger)] == [True]


async def test_who_cannot_be_told_falls_without_a_warning(database):
    await a_programme()
    person = await a_customer()
    await a_sale(person.id, await a_location(), 10_000_00)
    await look_at(person.id, NOW)
    await live(NOW + YEAR + 32 * DAY, since=NOW + YEAR)
    assert await tier_of(person.id) == 0


async def test_a_sweep_that_slept_warns_first_and_lets_fall_later(silver):
    person, messenger, _sale = silver
    woken = NOW + YEAR + 100 * DAY
    await review_tiers(actor=JOB, now=woken)
    assert await tier_of(person) == 1
    assert len(await warnings_to(messenger)) == 1
    await live(woken + 16 * DAY, since=woken)
    assert await tier_of(person) == 0
    assert len(await warnings_to(messenger)) == 1


async def test_a_tier_that_the_programme_no_longer_has_falls_to_what_the_window_supports(silver):
    person, _messenger, _sale = silver
    await a_programme(tiers=PROGRAMME.tiers[:1])
    await live(NOW + 8 * DAY)
    assert await tier_of(person) == 0


async def test_sweeps_at_once_let_each_tier_fall_once(database):
    await a_programme()
    location, people = await a_location(), [(await a_customer()).id for _ in range(8)]
    for person in people:
        await a_sale(person, location, 10_000_00)
        await look_at(person, NOW)
    fallen = await asyncio.gather(*(review_tiers(actor=JOB, now=NOW + YEAR + 60 * DAY) for _ in range(4)))
    assert sum(fallen) == len(people)
    assert [len(await tier_history(person)) for person in people] == [2] * len(people)


# ------------------------------------------------------------------------------------------- by hand


async def test_a_tier_by_hand_wins_over_the_window_until_its_day_ends(database):
    await a_programme()
    person, boss = await a_customer(), await a_cashier()
    messenger = await an_account(person.id)
    await set_tier(person.id, 2, date(2026, 3, 20), actor=boss, now=NOW)
    await live(datetime(2026, 3, 20, 20, 59, tzinfo=UTC))
    assert await tier_of(person.id) == 2
    await review_tiers(actor=JOB, now=datetime(2026, 3, 20, 21, 0, tzinfo=UTC))
    assert await tier_of(person.id) == 0
    steps = await tier_history(person.id)
    assert [(step.tier_id, step.reason, step.staff_name) for step in steps] == [
        (0, "hand_ended", None),
        (2, "by_hand", "Timur"),
    ]
    assert await warnings_to(messenger) == []
    journal = await db.fetch("SELECT action, details FROM journal_entry WHERE action LIKE 'tier.%'")
    assert [(row["action"], db.from_json(row["details"])) for row in journal] == [
        ("tier.set", {"tier": 2, "tier_before": 0, "until": "2026-03-20"})
    ]
    await assert_books_agree()


async def test_a_tier_by_hand_may_be_lower_and_ends_where_the_window_is(silver):
    person, _messenger, _sale = silver
    await set_tier(person, 0, date(2026, 3, 12), actor=COMMAND, now=NOW)
    assert await tier_of(person) == 0
    await live(NOW + 3 * DAY)
    assert await tier_of(person) == 1


async def test_a_tier_by_hand_is_taken_back_at_once(silver):
    person, _messenger, _sale = silver
    await set_tier(person, 2, date(2026, 3, 20), actor=COMMAND, now=NOW)
    for _ in range(2):
        await clear_tier(person, actor=COMMAND, now=NOW + DAY)
    assert await tier_of(person) == 1
    assert [step.reason for step in await tier_history(person)] == ["hand_ended", "by_hand", "threshold"]


@pytest.mark.parametrize(
    ("tier", "until", "field", "reason"),
    [
        (7, date(2026, 4, 1), "tier", "unknown_choice"),
        (1, date(2026, 3, 9), "until", "in_the_past"),
        (1, date(2040, 1, 1), "until", "too_large"),
    ],
)
async def test_a_tier_by_hand_that_cannot_be_is_refused(database, tier, until, field, reason):
    await a_programme()
    person = await a_customer()
    with pytest.raises(Invalid) as refused:
        await set_tier(person.id, tier, until, actor=COMMAND, now=NOW)
    assert (refused.value.field, refused.value.reason) == (field, reason)


async def test_nobody_raises_their_own_tier(database):
    await a_programme()
    person = await a_customer(phone="+79160000002")
    with pytest.raises(Refused):
        await set_tier(
            person.id, 2, date(2026, 4, 1), actor=await a_cashier(phone="+79160000002"), now=NOW
        )  # fmt: skip
