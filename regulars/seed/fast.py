"""A base of any size in minutes: a town of some thousand lives, and each of them lived by many people.

The town is the demo's own: quotes, lots, expiry, tiers and refunds by the shop's rules, in memory, some hundred lives
a second. That would take half an hour of a million, so the lives are copied by SQL: who lives them has a name, phone,
card, e-mail and chats of their own, and does everything some minutes before whoever lived it first. Whatever agrees in
the town agrees in its copies.

All of it is one transaction. A run that is ended or killed leaves the base as empty as it was.
"""

import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from random import Random
from typing import Any

from bot.dialogs.base import Session
from loyalty import db
from loyalty.customers.rules import REFERRAL_LENGTH, REFERRAL_SIGNS, card_number_for
from loyalty.errors import Refused
from loyalty.segments.actions.label_rules import apply_rules
from loyalty.segments.rules.labels import Target
from regulars.seed.accounts import address_of, scoped_name
from regulars.seed.asked import publish_terms, write_answers
from regulars.seed.bookings import write_bookings
from regulars.seed.books import write_lives
from regulars.seed.copies import Copies
from regulars.seed.doubles import DOUBLES, write_doubles
from regulars.seed.entries import write_entries
from regulars.seed.labels import write_labels, write_rules
from regulars.seed.life import Seeded
from regulars.seed.names import namesake, people, username_of
from regulars.seed.opening import ENOUGH, MANAGER, open_town
from regulars.seed.programme import PROMO_LIMIT
from regulars.seed.ready import write_ready_words
from regulars.seed.segments import write_segments
from regulars.seed.surveyed import write_models
from regulars.seed.town import Counters, Town, live, number
from regulars.seed.types import write_types

LIVES = 10_000
"""So many lives are lived; more people than that live them again."""
GROWTH = 0.38
"""Most people came lately: some ten receipts each in the end, while half of them have six or fewer."""
CHUNK = 2_500
STEPS, STEP_SECONDS = 120, 30
"""Each copy of the town is a step earlier, up to an hour; then from the beginning."""
PATIENCE_SECONDS = 3600
OWNER = "olga@ladno.example"
_SPREAD = 738_871_813  # coprime to the number of codes: everybody gets a code of their own

# What everybody said first in a chat. The rest of what is said there is the demo's.
GREETED = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, created_at, attempts)
SELECT id, customer_id, channel, 'in', 'start', '{"text": "/start"}', 'received', 0, created_at, 0
FROM messenger_account WHERE channel IN ('telegram', 'whatsapp')
"""
TALKED = """
INSERT INTO conversation (account_id, session, last_message_at, heard_at)
SELECT id, $1::jsonb, created_at, created_at FROM messenger_account WHERE channel IN ('telegram', 'whatsapp')
"""
SEQUENCES = """
SELECT d.refobjid::regclass::text AS name, a.attname AS key, d.objid::regclass::text AS sequence
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE s.relnamespace = current_schema()::regnamespace AND d.refclassid = 'pg_class'::regclass
"""


async def seed_fast(customers: int, *, now: datetime, report: Callable[[str], None], lives: int = LIVES) -> None:
    """Fill an empty base with `customers` people and some ten times as many receipts.

    Raises Refused("not_empty") for any other base. `lives`: how many of them are told apart by more than their names.
    """
    if await db.fetch_value("SELECT EXISTS (SELECT FROM customer)"):
        raise Refused("not_empty")
    lived = customers - DOUBLES if customers >= ENOUGH else customers
    async with db.transaction():
        # A table of some gigabytes is gone through for minutes.
        await db.execute(f"SET LOCAL statement_timeout = '{PATIENCE_SECONDS}s'")
        await db.execute("SET LOCAL work_mem = '128MB'")
        await db.execute("SET LOCAL maintenance_work_mem = '256MB'")
        town, staff = await open_town(now, growth=GROWTH)
        # A hundred people would name the code of one, and it is good for few.
        town.rules.promo_uses = PROMO_LIMIT
        models = await _live_all(town, min(lives, lived), report)
        await _label_models(town, staff)
        await _copy(models, town, lived, report)
        await _set_sequences(lived)
        report("Analysing …")
        await db.fetch_patiently(PATIENCE_SECONDS, "ANALYZE")
        report("Segments, rules, cards that two share …")
        await write_segments(staff[MANAGER], now)
        for target in (Target.CATEGORY, Target.DISCOUNT):
            await apply_rules(target, now=now)
        if lived < customers:
            await write_doubles(town.places, staff[OWNER], now)
    report("Vacuuming …")
    await db.fetch_patiently(PATIENCE_SECONDS, "VACUUM ANALYZE")


async def _live_all(town: Town, count: int, report: Callable[[str], None]) -> list[Seeded]:
    """Live `count` lives and write them, with the chats that they came by."""
    random, counters, models = Random(1840), Counters(), []
    for first in range(0, count, CHUNK):
        made = live(random, town, list(people(random, min(CHUNK, count - first), first)), first)
        for one in made:
            # A code that was drawn might be that of somebody else in millions.
            one.referral_code = one.referral_code and _referral_code(one.id)
        number(made, counters)
        await write_lives(made, random, town.now)
        models += made
        report(f"{len(models)} of {count} lives")
    await db.execute(GREETED)
    await db.execute(TALKED, db.to_json(asdict(Session(turn=7))))
    await _set_sequences(count)
    return models


async def _label_models(town: Town, staff: dict[str, int]) -> None:
    """What the shop asks, sells by the hour, and writes on cards: of the models, to be copied with them."""
    owner_id, manager_id = staff[OWNER], staff[MANAGER]
    await db.execute("ANALYZE")
    await write_answers(owner_id, town.began)
    await write_entries(town.places, owner_id, began=town.began, now=town.now)
    await publish_terms(owner_id, town.now)
    await write_types(owner_id, town.now)
    await write_ready_words(owner_id, town.now)
    await write_bookings(town.places, began=town.began, now=town.now)
    await write_models(town.now)
    await write_labels(manager_id, town.now)
    await write_rules(manager_id, town.now)


async def _copy(models: Sequence[Seeded], town: Town, count: int, report: Callable[[str], None]) -> None:
    """Let others live the same lives until there are `count` people."""
    if len(models) == count:
        return
    booked = {row["id"] for row in await db.fetch("SELECT DISTINCT customer_id AS id FROM appointment")}
    copies = await Copies.of_the_base()
    await copies.begin()
    for copy in range(1, -(-count // len(models))):
        whose = models[: count - copy * len(models)]
        await copies.add(copy, list(_namesakes(whose, copy, len(models), town.person_key, booked)))
        report(f"{copy * len(models) + len(whose)} of {count} customers")
    await copies.end(report)


def _namesakes(
    models: Sequence[Seeded], copy: int, apart: int, person_key: bytes, booked: set[int]
) -> Iterator[tuple[Any, ...]]:
    """Who lives these lives in a copy of the town, as rows of PEOPLE."""
    random = Random(copy)
    # An appointment begins at a full or half hour, whoever it is that has it.
    earlier = copy % STEPS * STEP_SECONDS
    for one in models:
        customer_id = copy * apart + one.id
        person = namesake(random, one.person, customer_id - 1)
        username = username_of(person, customer_id)
        yield (
            one.id,
            0.0 if one.id in booked else float(earlier),
            person.name,
            person.phone,
            person.phone.removeprefix("+"),
            f"{username}@mail.example",
            username,
            card_number_for(customer_id),
            _referral_code(customer_id),
            hmac.new(person_key, person.phone.encode(), "sha256").hexdigest(),
            address_of(customer_id),
            scoped_name(customer_id, person.phone),
        )


def _referral_code(customer_id: int) -> str:
    """The code of an invitation: different for each of the first 31 ** 8."""
    left, signs = customer_id * _SPREAD % len(REFERRAL_SIGNS) ** REFERRAL_LENGTH, ""
    for _ in range(REFERRAL_LENGTH):
        left, sign = divmod(left, len(REFERRAL_SIGNS))
        signs += REFERRAL_SIGNS[sign]
    return signs


async def _set_sequences(customers: int) -> None:
    """Whatever comes next is numbered after what is there."""
    for row in await db.fetch(SEQUENCES):
        # Tables of ours, not words of a stranger.
        highest = f"(SELECT max({row['key']}) FROM {row['name']})"  # noqa: S608
        await db.execute(f"SELECT setval($1::text::regclass, {highest}) WHERE {highest} IS NOT NULL", row["sequence"])
    await db.execute("SELECT setval('card_number_seq', $1)", customers)
