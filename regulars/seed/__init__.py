"""A coffee chain that never was: three locations, its people, and customers with two years behind them.

The lives are lived through the shop's own rules in memory and written by COPY, so thousands take seconds; the
same number of customers gives the same shop each time.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from random import Random

from loyalty import db
from loyalty.campaigns.rules.drafts import acknowledgement
from loyalty.errors import Refused
from loyalty.shop.queries import locations, shop
from regulars.seed.accounts import hide_numbers, lose_accounts
from regulars.seed.asked import publish_terms, write_answers
from regulars.seed.automated import write_automations
from regulars.seed.bookings import write_bookings
from regulars.seed.books import write_lives
from regulars.seed.chats import choose_waiting, write_chats
from regulars.seed.claims import send_receipts, write_claims
from regulars.seed.desk import OLGA, converse, write_to_all
from regulars.seed.doubles import DOUBLES, write_doubles
from regulars.seed.entries import write_entries
from regulars.seed.exports import write_exports
from regulars.seed.holds import set_aside_now
from regulars.seed.imports import write_imports
from regulars.seed.labels import write_labels, write_rules
from regulars.seed.letters import begin_letters, count_letters, write_recipients
from regulars.seed.life import Seeded
from regulars.seed.names import people
from regulars.seed.newcomers import NEWCOMERS, write_claimants, write_failed, write_strangers
from regulars.seed.opening import DEMO_LOGINS, ENOUGH, open_town
from regulars.seed.ready import write_ready_words
from regulars.seed.requests import write_requests
from regulars.seed.segments import write_segments
from regulars.seed.surveyed import switch_on, write_questions
from regulars.seed.tasks import write_tasks
from regulars.seed.told import Chain, Line
from regulars.seed.town import Counters, live, number
from regulars.seed.types import write_types
from regulars.seed.waiting import keep_sales

CHUNK = 5_000
ANSWERERS = ("olga@ladno.example", "marina@ladno.example")
"""Who answers questions in the chats."""

__all__ = ["DEMO_LOGINS", "seed"]


async def seed(customers: int, *, now: datetime, report: Callable[[str], None]) -> None:
    """Fill an empty base with the demo shop and `customers` people. Raises Refused("not_empty") for any other."""
    if await db.fetch_value("SELECT EXISTS (SELECT FROM customer)"):
        raise Refused("not_empty")
    town, staff = await open_town(now)
    letters = await begin_letters(customers, staff[ANSWERERS[1]], acknowledgement("ru").text, now=now)
    town = replace(town, letters=letters)
    began, places = town.began, town.places
    chain = Chain(await shop(), {place.id: place.name for place in places}, [staff[email] for email in ANSWERERS])
    drives = {place.id: place.fiscal_drives[0] for place in await locations() if place.fiscal_drives}
    random = Random(1840)
    counters = Counters()
    # In a small base nobody has come whose number stands on another card, and nobody has two.
    lived = customers - NEWCOMERS - DOUBLES if customers >= ENOUGH else customers
    for first in range(0, lived, CHUNK):
        count = min(CHUNK, lived - first)
        made = live(random, town, list(people(random, count, first)), first)
        # A handful of chats wait, and a till or two, however many customers there are.
        waiting = choose_waiting(random, made, now) if first == 0 else {}
        if first == 0:
            hide_numbers(made)
            lose_accounts(made)
            set_aside_now(made, now)
            send_receipts(made, drives, chain.staff, now)
        await _write(made, counters, random, chain, waiting=waiting, now=now)
        report(f"{customers if first + count == lived else first + count} of {customers} customers")
    await db.execute("SELECT setval('card_number_seq', $1)", lived)
    owner_id = staff[ANSWERERS[0]]
    await write_answers(owner_id, began)
    await write_entries(places, owner_id, began=began, now=now)
    await publish_terms(owner_id, now)
    await write_types(owner_id, now)
    # It came by COPY, and the jobs begin at once: until the base looks at it by itself, it plans for empty tables.
    await db.execute("ANALYZE")
    await write_bookings(places, began=began, now=now)
    await write_segments(staff[ANSWERERS[1]], now)
    await write_labels(staff[ANSWERERS[1]], now)
    await write_requests(staff[ANSWERERS[1]], owner_id, now)
    if lived < customers:
        await write_doubles(places, staff[OLGA], now)
    await keep_sales(places, now=now)
    await write_ready_words(staff[OLGA], now)
    await switch_on(staff[ANSWERERS[1]], now)
    await write_to_all(staff[ANSWERERS[1]], now)
    await count_letters(letters, now=now)
    await write_strangers(now)
    await converse(staff, now)
    await write_tasks(staff, now)
    await write_failed(staff, now)
    await write_automations(staff[ANSWERERS[1]], now)
    if lived < customers:
        await write_claimants(staff[OLGA], now)
    await write_rules(staff[ANSWERERS[1]], now)
    await write_imports(staff[ANSWERERS[1]], now)
    await write_exports(staff[ANSWERERS[1]], now)


async def _write(
    made: list[Seeded],
    counters: Counters,
    random: Random,
    chain: Chain,
    *,
    waiting: dict[int, Line],
    now: datetime,
) -> None:
    """Number a chunk in the order of time and COPY it, parents before children, in one transaction."""
    number(made, counters)
    async with db.transaction():
        await write_lives(made, random, now)
        after = await write_chats(random, made, chain, waiting=waiting, first_id=counters.message + 1, now=now)
        counters.message = after - 1
        await write_recipients(made)
        await write_claims(made)
        await write_questions(made, now)
        for table in ("customer", "receipt", "bonus_entry", "bonus_lot", "messenger_account", "message", "hold"):
            # Tables of ours, not words of a stranger.
            highest = f"(SELECT max(id) FROM {table})"  # noqa: S608
            await db.execute(f"SELECT setval('{table}_id_seq', {highest}) WHERE {highest} IS NOT NULL")
