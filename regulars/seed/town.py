"""Who lives in the made-up town: births, lives until now, and the numbers that everything gets in the end."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from regulars.seed.accounts import accounts_of, find_out, wants_offers
from regulars.seed.gifts import in_order_of_living, refuse_those_who_bought
from regulars.seed.gifts import invite as invite_by_others
from regulars.seed.letters import SentLetter, mail_of
from regulars.seed.life import Life, Seeded
from regulars.seed.names import MadeUp
from regulars.seed.places import leave, places_of
from regulars.seed.programme import Rules
from regulars.seed.records import Place

GROWTH = 0.7
FAVOURS_WITHIN = timedelta(days=180)
"""Tiers and discounts by hand are of so long ago at most."""


@dataclass(frozen=True, slots=True)
class Town:
    """What is the same for everybody. manager_id: who gives tiers and discounts by hand.

    growth: how early people join, from 1 (evenly since the first day) down to 0 (all of them today). letters: messages
    to many of the last months.
    """

    places: list[Place]
    rules: Rules
    person_key: bytes
    manager_id: int
    began: datetime
    now: datetime
    growth: float
    letters: tuple[SentLetter, ...] = ()


def live(random: Random, town: Town, who: list[MadeUp], first: int) -> list[Seeded]:
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


def _born(random: Random, town: Town, person: MadeUp, customer_id: int) -> Seeded:
    """Somebody with everything but what happens to them."""
    began, now = town.began, town.now
    favourite = random.choice(town.places)
    own = random.sample(town.places, len(town.places))
    own.sort(key=lambda place: place != favourite)
    # More people join as the word spreads.
    joined = began + (now - timedelta(hours=1) - began) * random.random() ** town.growth
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
        mail=mail_of(town.letters, customer_id, joined=joined, accounts=accounts, agrees=wants_offers(customer_id)),
    )
    _favour(random, life, town)
    return Seeded(customer_id, person, birthday, favourite, life, accounts, came_by_chat)


def _favour(random: Random, life: Life, town: Town) -> None:
    """A few dozen people have a discount of their own, or the next tier by hand for a while."""
    lately = (town.now - max(life.joined, town.now - FAVOURS_WITHIN)) * random.random()
    since = (town.now - lately).replace(microsecond=0)
    if life.customer_id % 50 == 17:
        life.set_discount(random.choice((500, 700, 1000)), since)
    if life.customer_id % 60 == 31:
        life.plan_tier(since, random.randrange(30, 120), town.manager_id)


class Counters:
    """Ids given out so far."""

    def __init__(self) -> None:
        self.receipt = self.entry = self.lot = self.account = self.message = self.hold = 0


def number(made: list[Seeded], counters: Counters) -> None:
    """Give a chunk its ids, in the order of time."""
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
