"""What will expire is told once for each day, by day."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.expiry import warn_of_expiry
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.once_only import grant_welcome
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import NOW, a_customer, a_location, a_programme, an_account

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)


async def a_gift(customer_id: int, amount: int, last_day: date, *, now: datetime = NOW) -> None:
    """Bonuses whose last day in Moscow is `last_day`."""
    await adjust(customer_id, amount, "gift", key=f"{customer_id}{last_day}{amount}", actor=COMMAND, now=now)
    ends = datetime(last_day.year, last_day.month, last_day.day, 21, 0, tzinfo=UTC)
    await db.execute(
        "UPDATE bonus_lot SET expires_at = $2 WHERE id = (SELECT max(id) FROM bonus_lot WHERE customer_id = $1)",
        customer_id,
        ends,
    )


async def told(customer_id: int) -> list[tuple[str, str]]:
    """(day, text) of each warning."""
    rows = await db.fetch(
        "SELECT created_at, content FROM message WHERE customer_id = $1 AND kind = 'expiring' ORDER BY id", customer_id
    )
    return [
        (row["created_at"].strftime("%d.%m %H"), db.from_json(row["content"])["text"].replace("\u00a0", " "))
        for row in rows
    ]


async def live(since: datetime, until: datetime) -> None:
    while since <= until:
        await warn_of_expiry(now=since)
        since += timedelta(hours=1)


@pytest.fixture
async def maria(database):
    await a_programme(expiry_warning_days=7)
    person = await a_customer()
    await an_account(person.id)
    return person.id


async def test_a_warning_comes_once_the_days_before_in_the_morning(maria):
    await a_gift(maria, 92_00, date(2026, 3, 24))
    await live(NOW, NOW + 20 * DAY)
    assert await told(maria) == [("17.03 07", "Скоро сгорят бонусы: 92 бонуса. Потратьте до 24 мар. 2026.")]


async def test_one_message_tells_of_all_the_days_ahead(maria):
    await a_gift(maria, 50_00, date(2026, 3, 16))
    await a_gift(maria, 21_00, date(2026, 3, 12))
    await a_gift(maria, 500_00, date(2026, 6, 1))
    await live(NOW, NOW + 20 * DAY)
    assert [text for _, text in await told(maria)] == [
        "Скоро сгорят бонусы: 21 бонус. Потратьте до 12 мар. 2026.\nС теми, что сгорают следом: 71 бонус."
    ]


async def test_each_day_on_which_something_expires_is_warned_of_in_time(maria):
    await a_gift(maria, 21_00, date(2026, 3, 20))
    await a_gift(maria, 50_00, date(2026, 3, 22))
    await live(NOW, NOW + 20 * DAY)
    assert [day for day, _ in await told(maria)] == ["13.03 07", "15.03 07"]
    assert (await told(maria))[1][1].splitlines() == [
        "Скоро сгорят бонусы: 21 бонус. Потратьте до 20 мар. 2026.",
        "С теми, что сгорают следом: 71 бонус.",
    ]


async def test_what_was_spent_is_not_warned_of_nor_told_again(maria):
    await a_gift(maria, 21_00, date(2026, 3, 14))
    await a_gift(maria, 50_00, date(2026, 3, 16))
    await live(NOW, NOW + DAY)
    await db.execute("UPDATE bonus_lot SET remaining = 0 WHERE amount = 5000")
    await live(NOW + DAY, NOW + 20 * DAY)
    assert len(await told(maria)) == 1


async def test_a_short_gift_that_comes_after_a_warning_is_warned_of_too(maria):
    await a_gift(maria, 50_00, date(2026, 3, 17))
    await live(NOW, NOW + DAY)
    await a_gift(maria, 21_00, date(2026, 3, 14), now=NOW + 2 * DAY)
    await live(NOW + 2 * DAY, NOW + 20 * DAY)
    assert [day for day, _ in await told(maria)] == ["10.03 09", "12.03 09"]


async def test_people_are_warned_by_day_where_their_home_location_is(maria):
    home = await a_location(time_zone="Asia/Vladivostok")
    await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", maria, home)
    await a_gift(maria, 92_00, date(2026, 3, 24))
    await live(NOW, NOW + 20 * DAY)
    assert [day for day, _ in await told(maria)] == ["17.03 00"]


@pytest.mark.parametrize("days", [0, 3])
async def test_the_programme_says_how_long_before_and_whether_at_all(maria, days):
    await a_programme(expiry_warning_days=days)
    await a_gift(maria, 92_00, date(2026, 3, 24))
    await live(NOW, NOW + 20 * DAY)
    assert [day for day, _ in await told(maria)] == (["21.03 07"] if days else [])


async def test_whoever_cannot_be_written_to_is_left_out(maria):
    await a_programme(welcome_lifetime_days=3)
    silent, blocked = (await a_customer()).id, (await a_customer()).id
    account = await an_account(blocked)
    await db.execute("UPDATE messenger_account SET is_active = false WHERE id = $1", account)
    for person in (silent, blocked):
        await grant_welcome(person, actor=JOB, now=NOW)
    assert await warn_of_expiry(now=NOW) == 0


async def test_engines_at_once_warn_each_person_once(maria):
    people = [maria]
    for _ in range(5):
        people.append((await a_customer()).id)
        await an_account(people[-1])
    for person in people:
        await a_gift(person, 92_00, date(2026, 3, 14))
    warned = await asyncio.gather(*(warn_of_expiry(now=NOW) for _ in range(4)))
    assert sum(warned) == 6
    assert [len(await told(person)) for person in people] == [1] * 6
