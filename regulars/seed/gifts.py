"""Gifts of made-up people: for birthdays, and for those who brought somebody along."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from loyalty.bonuses.actions.once_only import Gift
from loyalty.bonuses.rules import LATE_DAYS, Source, is_known_in_time
from loyalty.clock import birthday_in, end_of_day, start_of_day
from loyalty.customers.rules import REFERRAL_LENGTH, REFERRAL_SIGNS
from loyalty.shop.rules import Programme
from regulars.seed.programme import Version
from regulars.seed.records import ZONE, Entry, Receipt

if TYPE_CHECKING:
    from regulars.seed.life import Life, Seeded

INVITED = 0.25
INVITED_LATELY = 0.6
KNEW_US = 0.1
"""Shares of newcomers: who came by an invitation, and of the last days, as the word is out; who followed one though
the shop knew them already."""
LATELY = timedelta(days=10)


@dataclass(slots=True)
class Invitation:
    """Who invited whom, and what became of it. `reason`: why nothing comes of it."""

    referrer: "Life"
    created_at: datetime
    reason: str | None
    receipt: Receipt | None = None
    entry: Entry | None = None
    invitee_entry: Entry | None = None

    @property
    def state(self) -> str:
        if self.reason is not None:
            return "refused"
        return "paid" if self.receipt is not None else "waiting"


def birthday_gifts(life: "Life", version: Version, now: datetime) -> Iterator[tuple[datetime, Gift]]:
    """(when, what) of the birthday gifts that a version of the programme brought, as its sweep gives them."""
    if life.birthday is None:
        return
    programme = version.programme
    for year in range(version.since.year, now.year + 2):
        day = birthday_in(life.birthday, year)
        begins = start_of_day(day - timedelta(days=programme.birthday_days_before), ZONE)
        at = max(begins, version.since) + timedelta(minutes=2)
        if at < end_of_day(day + timedelta(days=LATE_DAYS), ZONE) and is_known_in_time(life.joined, day, ZONE):
            key = f"birthday:{life.customer_id}:{year}"
            days = programme.birthday_lifetime_days
            yield at, Gift(programme.birthday_bonus, "birthday", key, Source.BIRTHDAY, days)


def invitee_gift(programme: Programme, invitee_id: int) -> Gift:
    """What somebody invited gets for the first purchase."""
    key, days = f"invited:{invitee_id}", programme.referral_lifetime_days
    return Gift(programme.referral_invitee_bonus, "invited", key, Source.REFERRAL, days)


def referrer_gift(programme: Programme, invitee_id: int) -> Gift:
    """What the one who invited them gets."""
    key, days = f"referral:{invitee_id}", programme.referral_lifetime_days
    return Gift(programme.referral_bonus, "referral", key, Source.REFERRAL, days)


def invite(random: Random, made: list["Seeded"], since: datetime, now: datetime) -> None:
    """Decide who came by whose invitation since the programme rewards it. Lives have not been lived yet.

    Who invites was not invited, so that all invited may live first. A few bring several.
    """
    invitees = [one for one in made if (at := _came_at(one)) and at > since and random.random() < _share(one, now)]
    chosen = {one.id for one in invitees}
    settled = [one for one in made if one.id not in chosen and one.life.is_reachable(since)]
    if not settled:
        return
    inviting = random.sample(settled, min(len(settled), 1 + len(invitees) * 3 // 5))
    for one in invitees:
        referrer = random.choice(inviting)
        created_at = _came_at(one)
        assert created_at is not None
        if referrer.referral_code is None:
            referrer.referral_code = "".join(random.choices(REFERRAL_SIGNS, k=REFERRAL_LENGTH))
        reason = None if one.came_by_chat else "known_already"
        one.life.invitation = Invitation(referrer.life, created_at, reason)


def in_order_of_living(made: list["Seeded"]) -> list["Seeded"]:
    """Those invited first: their purchases bring gifts to others."""
    return sorted(made, key=lambda one: one.life.invitation is None)


def refuse_those_who_bought(made: list["Seeded"]) -> None:
    """An invitation of somebody who was a customer before it says so."""
    for one in made:
        invitation = one.life.invitation
        if invitation is not None and invitation.reason is not None:
            had = any(receipt.at < invitation.created_at for receipt in one.life.receipts)
            invitation.reason = "has_receipts" if had else invitation.reason


def _came_at(one: "Seeded") -> datetime | None:
    return one.account.linked_at if one.account is not None else None


def _share(one: "Seeded", now: datetime) -> float:
    if not one.came_by_chat:
        return KNEW_US
    return INVITED_LATELY if now - one.life.joined < LATELY else INVITED
