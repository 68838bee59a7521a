"""The fast seed: many people live the same lives, and the books agree of all of them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from admin_web.app import build_app
from admin_web.keys import CLOCK
from loyalty import db
from loyalty.bonuses.actions.once_only import grant_birthdays, person_hash
from loyalty.bonuses.actions.referrals import settle_referrals
from loyalty.bonuses.actions.tiers import review_tiers
from loyalty.customers.actions.profile import add_customer
from loyalty.customers.rules import Profile, Via, is_card_number, normalise_phone
from loyalty.errors import Refused
from loyalty.ids import new_key
from loyalty.office.queries.duplicates import duplicates
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.segments.actions.label_rules import apply_rules
from loyalty.segments.queries.label_rules import label_rules
from loyalty.segments.queries.segments import segments
from loyalty.segments.rules.labels import Target
from loyalty.staff.rules import COMMAND
from regulars.seed import DEMO_LOGINS
from regulars.seed.accounts import address_of
from regulars.seed.copies import WHOSE
from regulars.seed.doubles import DOUBLES, MERGED
from regulars.seed.fast import seed_fast
from tests.admin_web.conftest import START, clock, send_login
from tests.builders import assert_books_agree
from tests.conftest import refresh
from tests.regulars.test_migrations import SCHEMA, schema_of

__all__ = ["clock"]

CUSTOMERS, LIVES = 1_500, 400
STANDS = "SELECT (SELECT count(*) FROM customer) = $1 AND EXISTS (SELECT FROM conversation)"


async def fill(customers: int = CUSTOMERS, lives: int = LIVES) -> None:
    await seed_fast(customers, now=START, report=lambda _: None, lives=lives)


@pytest.fixture
async def town(opened_database: Any) -> None:
    """To be looked at."""
    if not await opened_database.fetchval(STANDS, CUSTOMERS):
        await refresh(opened_database)
        await fill()


@pytest.fixture
async def own_town(opened_database: Any, town: None) -> Any:
    yield
    await refresh(opened_database)


async def test_many_live_the_same_lives_and_the_books_agree(database):
    said: list[str] = []
    await seed_fast(CUSTOMERS, now=START, report=said.append, lives=LIVES)
    assert await db.fetch_value("SELECT count(*) FROM customer") == CUSTOMERS
    receipts = await db.fetch_value("SELECT count(*) FROM receipt")
    assert 8 < receipts / CUSTOMERS < 14
    assert f"{CUSTOMERS - DOUBLES} of {CUSTOMERS - DOUBLES} customers" in said
    await assert_books_agree(now=START)


async def test_indexes_and_keys_are_those_of_before(town, database_url):
    assert schema_of(database_url).splitlines() == SCHEMA.read_text().splitlines()


async def test_everybody_has_a_name_phone_card_and_chat_of_their_own(town):
    rows = await db.fetch("SELECT id, name, phone, card_number FROM customer WHERE id <= $1", CUSTOMERS - DOUBLES)
    phones = [row["phone"] for row in rows if row["phone"] != "+79990000377"]
    assert all(normalise_phone(phone, "RU") == phone for phone in phones)
    assert len(set(phones)) == len(phones)
    assert all(is_card_number(row["card_number"]) for row in rows)
    # Whose life somebody lives is LIVES before them.
    names = {row["id"]: row["name"] for row in rows}
    assert sum(names[one] == names[one + LIVES] for one in range(1, LIVES)) < LIVES / 20
    chats = await db.fetch("SELECT customer_id, address FROM messenger_account WHERE channel = 'telegram'")
    assert len(chats) > CUSTOMERS / 3
    assert all(row["address"] == address_of(row["customer_id"]) for row in chats)
    assert await db.fetch_value("SELECT count(DISTINCT body_hash) FROM receipt") > 0
    assert await db.fetch_value("SELECT count(*) FROM receipt WHERE (answer ->> 'receipt_id')::bigint <> id") == 0


async def test_people_come_as_people_do(town):
    counts = [row["receipts"] for row in await db.fetch("SELECT receipts FROM customer_facts ORDER BY 1")]
    assert counts.count(0) > CUSTOMERS / 50
    assert counts[len(counts) // 2] < sum(counts) / len(counts) < counts[-1] / 5
    lately = "SELECT count(*) FROM customer_facts WHERE last_visit_at > $1"
    assert await db.fetch_value(lately, START - timedelta(days=60)) > CUSTOMERS / 2
    # A copy does everything earlier than whoever lived it first, and nobody at the very same moment.
    last = "SELECT count(*) AS all, count(DISTINCT last_visit_at) AS apart FROM customer_facts WHERE visits > 0"
    row = await db.fetch_row(last)
    assert row is not None
    assert row["apart"] > row["all"] * 0.75
    assert await db.fetch_value("SELECT count(*) FROM receipt WHERE at > $1", START) == 0
    kinds = {row["kind"] for row in await db.fetch("SELECT DISTINCT kind FROM bonus_entry")}
    assert kinds == {"earn", "burn", "expire", "grant", "adjust", "restore_burn", "reverse_earn", "merge"}
    moved = "SELECT count(*) FROM receipt WHERE (at AT TIME ZONE 'Europe/Moscow')::date <> business_date"
    assert await db.fetch_value(moved) == 0


async def test_every_table_of_people_that_the_town_fills_is_copied(town):
    """One that were forgotten would have rows of those alone who lived first."""
    tables = await db.fetch(
        "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name = 'customer_id'"
    )
    for name in (row["name"] for row in tables):
        highest = await db.fetch_value(f"SELECT max(customer_id) FROM {name}")
        assert highest is None or name in WHOSE or highest > LIVES, name
    for name in WHOSE:
        assert await db.fetch_value(f"SELECT count(*) FROM {name}") > 0, name


async def test_what_the_owner_sees_first_is_there(town):
    assert all(one.size for one in await segments())
    rules = await label_rules()
    assert all(rule.size for rule in rules)
    assert await db.fetch_value("SELECT count(*) FROM merge WHERE undone_at IS NULL") == MERGED
    assert {"name", "phone"} <= {pair.by for pair in (await duplicates()).pairs}
    assert await db.fetch_value("SELECT count(*) FROM customer WHERE deleted_at IS NOT NULL") > 2
    assert await db.fetch_value("SELECT count(*) FROM location") >= 3


async def test_a_copied_life_goes_on(own_town):
    """Gifts are not given twice, purchases are refunded, new people and receipts get new numbers."""
    for customer_id in (LIVES + 7, 2 * LIVES + 8):
        person = await person_hash(customer_id)
        assert await db.fetch_value("SELECT count(*) FROM once_only_bonus WHERE person = $1", person) > 0
    gifts = (
        "SELECT count(*) FROM bonus_entry WHERE event = 'birthday'"
        " AND split_part(operation_id, ':', 2)::bigint <> customer_id"
    )
    assert await db.fetch_value(gifts) == 0
    await grant_birthdays(actor=COMMAND, now=START)
    await settle_referrals(actor=COMMAND, now=START)
    await review_tiers(actor=COMMAND, now=START)
    assert [await apply_rules(target, now=START) for target in (Target.CATEGORY, Target.DISCOUNT)] == [0, 0]
    sold = await db.fetch(
        "SELECT id FROM receipt WHERE kind = 'sale' AND refunded = 0 AND burnt > 0 AND customer_id > $1"
        " ORDER BY at DESC, id LIMIT 5",
        LIVES,
    )
    for row in sold:
        await refund_receipt(row["id"], None, key=new_key(), actor=COMMAND, now=START)
    profile = Profile("Мария Новая", "+79990000378", None, None, None, "ru", None)
    assert (await add_customer(profile, via=Via.PANEL, actor=COMMAND, now=START)).id > CUSTOMERS
    await assert_books_agree(now=START)


async def test_pages_of_the_panel_open(town, settings, clock):
    app = await build_app(settings)
    app[CLOCK] = clock.now
    async with TestClient(TestServer(app), headers={"Sec-Fetch-Site": "same-origin"}) as client:
        await send_login(client, *DEMO_LOGINS[0][:2])
        for path in (
            "/",
            "/customers",
            "/customers?q=мария",
            f"/customers/{LIVES + 7}",
            f"/customers/{LIVES + 7}?tab=timeline",
            "/customers/duplicates",
            "/segments",
        ):
            answer = await client.get(path)
            assert answer.status == 200, path


async def test_a_run_that_was_ended_leaves_an_empty_base_and_may_begin_again(database, database_url):
    def say(words: str) -> None:
        if words.startswith("Foreign key 3 "):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await seed_fast(300, now=START, report=say, lives=100)
    assert await db.fetch_value("SELECT count(*) FROM customer") == 0
    assert await db.fetch_value("SELECT count(*) FROM location") == 0
    assert schema_of(database_url).splitlines() == SCHEMA.read_text().splitlines()
    await fill(300, 100)
    await assert_books_agree(now=START)
    with pytest.raises(Refused, match="not_empty"):
        await fill(300, 100)


async def test_fewer_people_than_lives_are_no_copies(database):
    await fill(40, 100)
    assert await db.fetch_value("SELECT count(*) FROM customer") == 40
    await assert_books_agree(now=START)
