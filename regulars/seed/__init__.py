"""A coffee chain that never was: three locations, its people, and customers with two years behind them.

The lives are lived through the shop's own rules in memory and written by COPY, so thousands take seconds; the
same number of customers gives the same shop each time.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from loyalty import db
from loyalty.errors import Refused
from loyalty.shop.actions import add_location, update_location, update_shop
from loyalty.shop.queries import locations, shop
from loyalty.shop.rules import Hours
from loyalty.staff.actions import accept_invitation, invite
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import COMMAND, Role
from regulars.seed.accounts import accounts_of, find_out, hide_numbers, lose_accounts, write_accounts
from regulars.seed.asked import publish_terms, write_answers
from regulars.seed.bookings import write_bookings
from regulars.seed.books import write_holds, write_ledger, write_receipts, write_referrals
from regulars.seed.chats import choose_waiting, write_chats
from regulars.seed.claims import send_receipts, write_claims
from regulars.seed.desk import OLGA, converse, write_to_all
from regulars.seed.entries import write_entries
from regulars.seed.gifts import in_order_of_living, refuse_those_who_bought
from regulars.seed.gifts import invite as invite_by_others
from regulars.seed.holds import set_aside_now
from regulars.seed.labels import write_labels
from regulars.seed.life import Life, Seeded
from regulars.seed.names import MadeUp, people
from regulars.seed.newcomers import NEWCOMERS, write_claimants, write_failed, write_strangers
from regulars.seed.places import leave, places_of
from regulars.seed.profiles import write_people
from regulars.seed.programme import Rules, write_programme
from regulars.seed.ready import write_ready_words
from regulars.seed.records import ZONE, Place
from regulars.seed.requests import write_requests
from regulars.seed.segments import write_segments
from regulars.seed.told import Chain, Line
from regulars.seed.types import write_types
from regulars.seed.waiting import keep_sales

DEMO_LOGINS = (
    ("olga@ladno.example", "coffee-for-olga", "owner"),
    ("marina@ladno.example", "coffee-for-marina", "marketer"),
    ("timur@ladno.example", "coffee-for-timur", "cashier"),
    ("dasha@ladno.example", "coffee-for-dasha", "support"),
)
"""(e-mail, password, role) of people who may sign in to the demo."""

STAFF = (
    ("olga@ladno.example", "Ольга Котова", Role.OWNER, None),
    ("marina@ladno.example", "Марина Лис", Role.MARKETER, None),
    ("timur@ladno.example", "Тимур Алиев", Role.CASHIER, 0),
    ("sofia@ladno.example", "Софія Гнатюк", Role.CASHIER, 1),
    ("max@ladno.example", "Max Weber", Role.CASHIER, 2),
    ("dasha@ladno.example", "Дарья Ким", Role.SUPPORT, None),
)
LOCATIONS = (
    ("Тверская, 12", "Москва, Тверская ул., 12", True, ("08:00", "20:50"), ("9999078900000001", "9999078900000002")),
    ("Покровка, 27", "Москва, ул. Покровка, 27", False, ("08:05", "21:00"), ("9999078900000003",)),
    ("Парк Горького", "Москва, Крымский Вал, 9", False, None, ()),
)
"""(name, address, whether a burn needs no proof of presence, hours of each day if told, fiscal drives).

Doors open and close a little inside the hours of the made-up sales: a few of them are odd.
"""

YEARS_BACK = timedelta(days=730)
CHUNK = 5_000
ENOUGH = 100
"""Customers in a base where even what happens to few has happened."""
FAVOURS_WITHIN = timedelta(days=180)
"""Tiers and discounts by hand are of so long ago at most."""
ANSWERERS = ("olga@ladno.example", "marina@ladno.example")
"""Who answers questions in the chats."""


async def seed(customers: int, *, now: datetime, report: Callable[[str], None]) -> None:
    """Fill an empty base with the demo shop and `customers` people. Raises Refused("not_empty") for any other."""
    if await db.fetch_value("SELECT EXISTS (SELECT FROM customer)"):
        raise Refused("not_empty")
    began = now - YEARS_BACK
    await _open_shop(began)
    rules = await write_programme(began, now)
    staff = {member.email: member.id for member in await staff_list()}
    places = [
        Place(location.id, staff[email], location.name, location.burns_without_code)
        for location in sorted(await locations(), key=lambda location: location.id)
        for email, _, _, index in STAFF
        if index is not None and LOCATIONS[index][0] == location.name
    ]
    chain = Chain(await shop(), {place.id: place.name for place in places}, [staff[email] for email in ANSWERERS])
    town = _Town(places, rules, await db.fetch_value("SELECT person_key FROM shop"), staff[ANSWERERS[1]], now)
    drives = {place.id: place.fiscal_drives[0] for place in await locations() if place.fiscal_drives}
    random = Random(1840)
    counters = _Counters()
    # In a small base nobody has come whose number stands on another card.
    lived = customers - NEWCOMERS if customers >= ENOUGH else customers
    for first in range(0, lived, CHUNK):
        count = min(CHUNK, lived - first)
        made = _live(random, town, list(people(random, count, first)), first)
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
    await keep_sales(places, now=now)
    await write_ready_words(staff[OLGA], now)
    await write_to_all(now)
    await write_strangers(now)
    await converse(staff, now)
    await write_failed(staff, now)
    if lived < customers:
        await write_claimants(staff[OLGA], now)


async def _open_shop(began: datetime) -> None:
    """The chain, its locations and people, as of two years ago, through the panel's own actions."""
    await update_shop(
        name="Ладно, кофе", currency="RUB", region="RU", language="ru", time_zone=ZONE, actor=COMMAND, now=began
    )
    opened = []
    for name, address, relaxed, daily, drives in LOCATIONS:
        told = {"hours": Hours((daily,) * 7) if daily else None, "fiscal_drives": drives}
        about: dict[str, Any] = {"name": name, "address": address, "time_zone": ZONE, **told}
        place = await add_location(**about, actor=COMMAND, now=began)
        if relaxed:
            await update_location(place.id, **about, burns_without_code=True, actor=COMMAND, now=began)
        opened.append(place.id)
    passwords = {email: password for email, password, _ in DEMO_LOGINS}
    for email, name, role, index in STAFF:
        token = await invite(email, name, role, opened[index] if index is not None else None, actor=COMMAND, now=began)
        if email in passwords:
            await accept_invitation(token, passwords[email], now=began)


@dataclass(frozen=True, slots=True)
class _Town:
    """What is the same for everybody. manager_id: who gives tiers and discounts by hand."""

    places: list[Place]
    rules: Rules
    person_key: bytes
    manager_id: int
    now: datetime


def _live(random: Random, town: _Town, who: list[MadeUp], first: int) -> list[Seeded]:
    """The people of a chunk with their lives until now."""
    made = [_born(random, town, person, first + number) for number, person in enumerate(who, 1)]
    invite_by_others(random, made, town.rules.newest.since, town.now)
    for one in in_order_of_living(made):
        one.life.live(town.now)
    refuse_those_who_bought(made)
    find_out(made)
    for one in made:
        one.places = places_of(one)
    leave(made, town.now)
    return made


def _born(random: Random, town: _Town, person: MadeUp, customer_id: int) -> Seeded:
    """Somebody with everything but what happens to them."""
    now = town.now
    began = now - YEARS_BACK
    favourite = random.choice(town.places)
    own = random.sample(town.places, len(town.places))
    own.sort(key=lambda place: place != favourite)
    # More people join as the word spreads.
    joined = began + (now - timedelta(hours=1) - began) * random.random() ** 0.7
    joined = joined.replace(microsecond=0)
    birthday = None
    if random.random() < 0.8:
        birthday = (now - timedelta(days=random.randint(16 * 365, 65 * 365))).date()
    accounts, came_by_chat = accounts_of(random, person, customer_id, joined=joined, now=now, birthday=birthday)
    person_hash = hmac.new(town.person_key, person.phone.encode(), "sha256").hexdigest()
    life = Life(
        random,
        town.rules,
        own,
        joined,
        customer_id=customer_id,
        person_hash=person_hash,
        birthday=birthday,
        accounts=accounts,
    )
    _favour(random, life, town)
    return Seeded(customer_id, person, birthday, favourite, life, accounts, came_by_chat)


def _favour(random: Random, life: Life, town: _Town) -> None:
    """A few dozen people have a discount of their own, or the next tier by hand for a while."""
    lately = (town.now - max(life.joined, town.now - FAVOURS_WITHIN)) * random.random()
    since = (town.now - lately).replace(microsecond=0)
    if life.customer_id % 50 == 17:
        life.set_discount(random.choice((500, 700, 1000)), since)
    if life.customer_id % 60 == 31:
        life.plan_tier(since, random.randrange(30, 120), town.manager_id)


class _Counters:
    """Ids given out so far."""

    def __init__(self) -> None:
        self.receipt = self.entry = self.lot = self.account = self.message = self.hold = 0


async def _write(
    made: list[Seeded],
    counters: _Counters,
    random: Random,
    chain: Chain,
    *,
    waiting: dict[int, Line],
    now: datetime,
) -> None:
    """Number a chunk in the order of time and COPY it, parents before children, in one transaction."""
    _number(made, counters)
    async with db.transaction():
        await write_people(made, random, now)
        await write_accounts(made)
        await write_receipts(made)
        await write_ledger(made)
        await write_holds(made)
        await write_referrals(made)
        after = await write_chats(random, made, chain, waiting=waiting, first_id=counters.message + 1, now=now)
        counters.message = after - 1
        await write_claims(made)
        for table in ("customer", "receipt", "bonus_entry", "bonus_lot", "messenger_account", "message", "hold"):
            # Tables of ours, not words of a stranger.
            highest = f"(SELECT max(id) FROM {table})"  # noqa: S608
            await db.execute(f"SELECT setval('{table}_id_seq', {highest}) WHERE {highest} IS NOT NULL")


def _number(made: list[Seeded], counters: _Counters) -> None:
    for receipt in sorted((r for one in made for r in one.life.receipts), key=lambda receipt: receipt.at):
        counters.receipt += 1
        receipt.id = counters.receipt
    # The sort is stable: entries of one customer at one moment keep their order, and with it their balances.
    for entry in sorted((e for one in made for e in one.life.entries), key=lambda entry: entry.at):
        counters.entry += 1
        entry.id = counters.entry
        if entry.lot is not None:
            counters.lot += 1
            entry.lot.id = counters.lot
    for hold in sorted((h for one in made for h in one.life.holds), key=lambda hold: hold.at):
        counters.hold += 1
        hold.id = counters.hold
    accounts = (account for one in made for account in (*one.accounts, *one.places))
    for account in sorted(accounts, key=lambda account: account.moments[0][1]):
        counters.account += 1
        account.id = counters.account
