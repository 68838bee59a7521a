"""The birthday gift: once a calendar year, for a date known in time."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial

import pytest

from loyalty import db
from loyalty.bonuses.actions.once_only import grant_birthdays
from loyalty.bonuses.queries import account, entries
from loyalty.bonuses.rules import birthdays_due
from loyalty.clock import birthday_in, business_date, start_of_day
from loyalty.customers.actions.profile import confirm_identity, correct_birthday, update_profile
from loyalty.customers.queries import customer
from loyalty.customers.rules import Profile, birthday_code
from loyalty.errors import Refused
from loyalty.shop.actions import update_shop
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import NOW, PROGRAMME, a_customer, a_programme, an_account, assert_books_agree

DAY = timedelta(days=1)
MAY_24 = date(1991, 5, 24)
ZONES = ("Europe/Moscow", "Europe/Kyiv", "America/Sao_Paulo", "Pacific/Auckland", "Pacific/Apia")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("before", [3, 3_000])
@pytest.mark.parametrize("birthday", [date(1992, 2, 29), date(1990, 2, 28), date(1990, 1, 1), date(1990, 12, 31)])
def test_each_birthday_of_ten_years_is_due_once_a_year_from_its_first_local_moment(zone, before, birthday):
    programme = replace(PROGRAMME, birthday_days_before=before)
    code, first_seen = birthday_code(birthday), dict[int, tuple[date, datetime]]()
    due_on = cache(partial(birthdays_due, programme))
    moment = datetime(2019, 12, 31, 12, tzinfo=UTC)
    while moment < datetime(2030, 1, 20, tzinfo=UTC):
        for due, day in due_on(business_date(moment, zone)):
            if due == code:
                assert day == birthday_in(birthday, day.year)
                first_seen.setdefault(day.year, (day, moment))
        moment += timedelta(hours=6)
    assert set(range(2021, 2030)) <= first_seen.keys()
    for year in range(2021, 2029):
        day, seen = first_seen[year]
        begins = start_of_day(day - timedelta(days=min(before, 180)), zone)
        assert timedelta() <= seen - begins < timedelta(hours=6), year


async def gifts(customer_id: int) -> list[tuple[str, int]]:
    found, _more = await entries(customer_id)
    return [(str(entry.at.date()), entry.amount) for entry in reversed(found) if entry.event == "birthday"]


async def live(since: datetime, until: datetime, *, every: timedelta = timedelta(hours=7)) -> None:
    while since <= until:
        await grant_birthdays(actor=JOB, now=since)
        since += every


@pytest.fixture
async def maria(database):
    """Known since NOW, the 10th of March, to have her birthday on the 24th of May."""
    await a_programme(birthday_bonus=500_00, birthday_days_before=3, birthday_lifetime_days=10)
    return (await a_customer(birthday=MAY_24)).id


async def test_the_gift_comes_some_days_before_lives_its_days_and_is_told(maria):
    messenger = await an_account(maria)
    begins = datetime(2026, 5, 20, 21, 0, tzinfo=UTC)
    assert await grant_birthdays(actor=JOB, now=begins - timedelta(seconds=1)) == 0
    assert await grant_birthdays(actor=JOB, now=begins) == 1
    assert await grant_birthdays(actor=JOB, now=begins) == 0
    standing = await account(maria, now=begins)
    assert standing.next_expiry == (datetime(2026, 5, 31, 21, 0, tzinfo=UTC), 500_00)
    body = await db.fetch_value("SELECT content FROM message WHERE account_id = $1 AND kind = 'birthday'", messenger)
    assert db.from_json(body)["text"].replace("\u00a0", " ") == (
        "К вашему дню рождения дарим 500 бонусов.\nПотратьте до 31 мая 2026.\nТеперь на карте 500 бонусов."
    )
    await assert_books_agree(now=begins)


async def test_the_gift_comes_once_a_year(maria):
    await live(NOW, NOW + 800 * DAY, every=DAY)
    assert [(day[:7], amount) for day, amount in await gifts(maria)] == [("2026-05", 500_00), ("2027-05", 500_00)]


@pytest.mark.parametrize("zone", ZONES)
async def test_somebody_born_on_a_leap_day_has_a_gift_every_year_in_every_zone(database, zone):
    await update_shop(
        name="Кофе", currency="RUB", region="RU", language="ru", time_zone=zone, actor=COMMAND, now=NOW
    )  # fmt: skip
    await a_programme(birthday_bonus=500_00)
    person = await a_customer(birthday=date(1992, 2, 29))
    for year in range(2026, 2036):
        await live(datetime(year, 2, 26, tzinfo=UTC), datetime(year, 3, 3, tzinfo=UTC))
    days = [business_date(datetime.fromisoformat(row["at"]), zone) for row in await granted(person.id)]
    assert days == [date(year, 2, 29 if year % 4 == 0 else 28) for year in range(2027, 2036)]


async def granted(customer_id: int) -> list[dict[str, str]]:
    rows = await db.fetch(
        "SELECT at FROM bonus_entry WHERE customer_id = $1 AND event = 'birthday' ORDER BY id", customer_id
    )
    return [{"at": row["at"].isoformat()} for row in rows]


async def test_a_late_engine_gives_it_up_to_a_week_after_the_day(maria):
    assert await grant_birthdays(actor=JOB, now=datetime(2026, 5, 31, 20, 59, tzinfo=UTC)) == 1
    assert await grant_birthdays(actor=JOB, now=datetime(2027, 5, 31, 21, 0, tzinfo=UTC)) == 0


async def test_a_date_named_less_than_two_weeks_before_waits_for_next_year(maria):
    late = datetime(2026, 5, 10, 21, 0, tzinfo=UTC)  # the 11th in Moscow
    other = (await a_customer()).id
    await correct_birthday(maria, date(1991, 5, 25), actor=COMMAND, now=late)
    await correct_birthday(other, MAY_24, actor=COMMAND, now=late)
    await live(late, datetime(2026, 6, 10, tzinfo=UTC))
    assert (len(await gifts(maria)), await gifts(other)) == (1, [])
    await live(datetime(2027, 5, 18, tzinfo=UTC), datetime(2027, 6, 10, tzinfo=UTC))
    assert (len(await gifts(maria)), len(await gifts(other))) == (2, 1)


async def test_another_date_in_the_same_year_brings_no_second_gift(maria):
    await live(datetime(2026, 5, 20, tzinfo=UTC), datetime(2026, 5, 30, tzinfo=UTC))
    await change_birthday(maria, date(1991, 9, 1))
    await live(datetime(2026, 8, 25, tzinfo=UTC), datetime(2026, 9, 10, tzinfo=UTC))
    assert len(await gifts(maria)) == 1


async def test_neither_a_new_phone_nor_a_new_card_for_the_old_one_brings_a_second_gift(maria):
    given = datetime(2026, 5, 24, 9, 0, tzinfo=UTC)
    phone = (await customer(maria)).phone
    assert await grant_birthdays(actor=JOB, now=given) == 1
    await db.execute("UPDATE customer SET phone = '+79169990000' WHERE id = $1", maria)
    await a_customer(phone=phone, birthday=MAY_24)
    assert await grant_birthdays(actor=JOB, now=given + DAY) == 0


async def change_birthday(customer_id: int, birthday: date, *, now: datetime = NOW) -> None:
    known = await customer(customer_id)
    profile = Profile(known.name, known.phone, None, None, birthday, known.language, None)
    await update_profile(customer_id, profile, actor=COMMAND, now=now)


async def known_since(customer_id: int) -> datetime | None:
    since: datetime | None = await db.fetch_value("SELECT birthday_set_at FROM customer WHERE id = $1", customer_id)
    return since


async def test_whoever_names_a_birthday_it_is_kept_since_when_it_is_known(maria):
    assert await known_since(maria) == NOW
    await change_birthday(maria, date(1991, 9, 1), now=NOW + DAY)
    assert await known_since(maria) == NOW + DAY
    await confirm_identity(maria, language="ru", birthday=date(1990, 1, 1), actor=COMMAND, now=NOW + 2 * DAY)
    assert await known_since(maria) == NOW + DAY
    other = (await a_customer()).id
    assert await known_since(other) is None
    await confirm_identity(other, language="ru", birthday=None, actor=COMMAND, now=NOW)
    assert await known_since(other) is None
    await confirm_identity(other, language="ru", birthday=MAY_24, actor=COMMAND, now=NOW + 2 * DAY)
    assert await known_since(other) == NOW + 2 * DAY


async def test_a_customer_names_a_birthday_and_corrects_it_once(database):
    person = (await a_customer()).id
    await correct_birthday(person, MAY_24, actor=COMMAND, now=NOW)
    await correct_birthday(person, date(1991, 5, 25), actor=COMMAND, now=NOW + DAY)
    await correct_birthday(person, date(1991, 5, 25), actor=COMMAND, now=NOW + 2 * DAY)
    with pytest.raises(Refused) as refused:
        await correct_birthday(person, date(1991, 5, 26), actor=COMMAND, now=NOW + 3 * DAY)
    assert refused.value.reason == "birthday_was_changed"
    assert (await customer(person)).birthday == date(1991, 5, 25)
    assert await known_since(person) == NOW + DAY
    assert await db.fetch_value("SELECT birthday_code FROM customer_facts WHERE customer_id = $1", person) == 525


async def test_engines_at_once_give_each_gift_once(database):
    await a_programme(birthday_bonus=500_00)
    people = [(await a_customer(birthday=MAY_24)).id for _ in range(8)]
    now = datetime(2026, 5, 24, 9, 0, tzinfo=UTC)
    assert sum(await asyncio.gather(*(grant_birthdays(actor=JOB, now=now) for _ in range(4)))) == len(people)
    assert [len(await gifts(person)) for person in people] == [1] * len(people)
    await assert_books_agree(now=now)
