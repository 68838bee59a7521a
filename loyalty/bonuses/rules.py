"""The arithmetic of the ledger: what can be spent, from which lots, what a refund takes back. Pure.

Amounts are hundredths of a bonus unless a name says otherwise; money is in minor units.
"""

from calendar import isleap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from loyalty.clock import add_months, business_date, end_of_day, start_of_day
from loyalty.errors import Refused
from loyalty.money import bonuses_of, floor_to_step, share_of
from loyalty.shop.rules import Programme, Tier


class Kind(StrEnum):
    """What a ledger entry is. Debt is a number, not a kind."""

    EARN = "earn"
    BURN = "burn"
    EXPIRE = "expire"
    REVERSE_EARN = "reverse_earn"
    RESTORE_BURN = "restore_burn"
    ADJUST = "adjust"
    GRANT = "grant"
    MERGE = "merge"


class HoldState(StrEnum):
    """Where bonuses set aside stand. `asked`: the customer is to say yes in the chat; the last four are final."""

    ASKED = "asked"
    HELD = "held"
    CONFIRMED = "confirmed"
    VOIDED = "voided"
    DECLINED = "declined"
    LAPSED = "lapsed"


class RequestState(StrEnum):
    """Where a credit that wants two people stands. `withdrawn`: by whoever asked; all but the first are final."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Source(StrEnum):
    """Where a lot came from."""

    RECEIPT = "receipt"
    MANUAL = "manual"
    WELCOME = "welcome"
    BIRTHDAY = "birthday"
    REFERRAL = "referral"
    GRACE = "grace"
    MERGE = "merge"
    OPENING = "opening"
    SURVEY = "survey"
    CAMPAIGN = "campaign"
    AUTOMATION = "automation"


@dataclass(frozen=True, slots=True)
class Lot:
    """Bonuses credited together, with what is left of them. `expires_at` None = never.

    held: what of the rest live holds have set aside; nobody else may take it.
    """

    id: int
    remaining: int
    activates_at: datetime
    expires_at: datetime | None
    held: int = 0

    @property
    def free(self) -> int:
        """What can be taken of it, if its time allows."""
        return self.remaining - self.held

    def is_active(self, now: datetime) -> bool:
        return self.activates_at <= now and (self.expires_at is None or now < self.expires_at)

    def is_pending(self, now: datetime) -> bool:
        return now < self.activates_at


@dataclass(frozen=True, slots=True)
class Taken:
    """How much an entry took of a lot; below zero, how much it gave back."""

    lot_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a live hold has set aside, in the order in which it is spent; its lots' time no longer matters."""

    id: int
    amount: int
    presence: str
    code_step: int | None
    parts: tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class LotDates:
    """When a new lot can be spent: from `activates_at` until before `expires_at` (None = for ever)."""

    activates_at: datetime
    expires_at: datetime | None


def available(lots: Iterable[Lot], now: datetime) -> int:
    """What can be spent at `now`, holds aside. Decided by time alone: a late sweep lets nothing expired be spent."""
    return sum(lot.free for lot in lots if lot.is_active(now))


def pending(lots: Iterable[Lot], now: datetime) -> int:
    """What is credited and becomes spendable later."""
    return sum(lot.remaining for lot in lots if lot.is_pending(now))


def spending_order(lots: Iterable[Lot], now: datetime) -> list[Lot]:
    """Active lots, soonest to expire first, never-expiring last; then by activation and id."""
    return in_order(lot for lot in lots if lot.free and lot.is_active(now))


def in_order(lots: Iterable[Lot]) -> list[Lot]:
    """Lots in the order in which they are spent, whatever their time."""
    return sorted(
        lots,
        key=lambda lot: (
            lot.expires_at is None,
            lot.expires_at or lot.activates_at,
            lot.activates_at,
            lot.id,
        ),
    )


def allocate(lots: Iterable[Lot], amount: int, now: datetime) -> list[Taken]:
    """Take `amount` from the active lots in spending order; less, when they hold less."""
    return take([(lot.id, lot.free) for lot in spending_order(lots, now)], amount)


def take(parts: Iterable[tuple[int, int]], amount: int) -> list[Taken]:
    """Take `amount` from (lot id, at most) one after the other; less, when they hold less."""
    taken = []
    for lot_id, most in parts:
        if amount <= 0:
            break
        part = min(most, amount)
        taken.append(Taken(lot_id, part))
        amount -= part
    return taken


EXPIRIES_SHOWN = 6
"""So many coming days of expiry are listed one by one."""


@dataclass(frozen=True, slots=True)
class Expiries:
    """What is lost when: (last local day, sum), soonest first; `later`: the sum of the days after those."""

    days: tuple[tuple[date, int], ...]
    later: int


def expiries(lots: Iterable[Lot], now: datetime, zone: str) -> Expiries:
    """The next days on which something expires, pending lots too."""
    sums: dict[date, int] = {}
    for lot in lots:
        if lot.remaining and lot.expires_at is not None and lot.expires_at > now:
            day = business_date(lot.expires_at - timedelta(microseconds=1), zone)
            sums[day] = sums.get(day, 0) + lot.remaining
    days = sorted(sums.items())
    return Expiries(tuple(days[:EXPIRIES_SHOWN]), sum(amount for _, amount in days[EXPIRIES_SHOWN:]))


def total_taken(taken: Iterable[Taken]) -> int:
    """The sum of an allocation."""
    return sum(part.amount for part in taken)


def earned_lot_dates(programme: Programme, now: datetime, zone: str) -> LotDates:
    """Dates of what a purchase earns: after the return period, until the end of the last local day.

    Months are counted from the local day on which the lot becomes spendable.
    """
    today = business_date(now, zone)
    activates_at = now
    if programme.activation_delay_days:
        today += timedelta(days=programme.activation_delay_days)
        activates_at = start_of_day(today, zone)
    if not programme.lifetime_months:
        return LotDates(activates_at, None)
    return LotDates(activates_at, end_of_day(add_months(today, programme.lifetime_months), zone))


def manual_lot_dates(programme: Programme, now: datetime, zone: str) -> LotDates:
    """Dates of what staff give by hand: spendable at once, until the end of the last local day of its months."""
    if not programme.manual_lifetime_months:
        return LotDates(now, None)
    last = add_months(business_date(now, zone), programme.manual_lifetime_months)
    return LotDates(now, end_of_day(last, zone))


def gift_lot_dates(lifetime_days: int, now: datetime, zone: str) -> LotDates:
    """Dates of a gift: spendable at once, until the end of the local day `lifetime_days` ahead; 0 = for ever."""
    if not lifetime_days:
        return LotDates(now, None)
    return LotDates(now, end_of_day(business_date(now, zone) + timedelta(days=lifetime_days), zone))


def burn_limit(
    programme: Programme, *, available_now: int, total: int, burnt_today: int = 0, base: int | None = None
) -> int:
    """The most that may be burnt on a receipt of `total` minor units, rounded down to the bonus step.

    The least of: what is available, the programme's share of the burnable `base` (the total by default), the
    total less the smallest cash payment, the cap of a receipt, what is left of the day's cap.
    """
    share = share_of(total if base is None else base, programme.burn_share_bp)
    by_money = max(0, min(share, total - programme.min_cash))
    limits = [max(0, available_now), bonuses_of(by_money, programme.bonus_value)]
    if programme.burn_cap_receipt:
        limits.append(programme.burn_cap_receipt)
    if programme.burn_cap_day:
        limits.append(max(0, programme.burn_cap_day - burnt_today))
    return floor_to_step(min(limits), programme.bonus_step)


def check_burn(burn: int, limit: int, step: int) -> None:
    """Raise Refused unless `burn` is a multiple of the step within the limit."""
    if burn < 0 or burn % step:
        raise Refused("burn_not_a_step", step=step)
    if burn > limit:
        raise Refused("burn_over_limit", limit=limit)


@dataclass(frozen=True, slots=True)
class Restore:
    """How burnt bonuses return: to lots that still live, and, for those that have expired, as a new lot."""

    to_lots: list[Taken]
    as_new_lot: int


def restore(burnt_lots: Sequence[tuple[Lot, int]], amount: int, now: datetime) -> Restore:
    """Give `amount` of a burn back to the lots it came from, with their old dates.

    burnt_lots: what the burn still holds of each lot, in the order it was spent. The last spent return first:
    they live longest. An expired lot cannot be refilled; its part comes as a new lot with days of grace.
    """
    back, new = [], 0
    for lot, held in reversed(burnt_lots):
        part = min(held, amount)
        if part <= 0:
            continue
        amount -= part
        if lot.expires_at is not None and lot.expires_at <= now:
            new += part
        else:
            back.append(Taken(lot.id, -part))
    return Restore(back, new)


def still_held(burnt_lots: Sequence[tuple[Lot, int]], restored: int) -> list[tuple[Lot, int]]:
    """What a burn still holds of each lot after `restored` went back, last spent first."""
    held = []
    for lot, amount in reversed(burnt_lots):
        back = min(amount, restored)
        restored -= back
        held.append((lot, amount - back))
    return held[::-1]


def shortfall(own: Lot | None, lots: Iterable[Lot], amount: int, restored: int, now: datetime) -> int:
    """What of `amount` no lot would cover if it were taken back now, after `restored` returned to active lots."""
    others = [lot for lot in lots if own is None or lot.id != own.id]
    covered = (own.free if own is not None else 0) + available(others, now) + restored
    return max(0, amount - covered)


@dataclass(frozen=True, slots=True)
class Reversal:
    """How earned bonuses are taken back: from lots, and the rest as debt."""

    taken: list[Taken]
    debt: int


def reverse(own: Lot | None, lots: Iterable[Lot], amount: int, now: datetime) -> Reversal:
    """Take `amount` back: from the receipt's own lot, pending or not, then from other active lots, then as debt."""
    taken = []
    if own is not None and own.free and amount > 0:
        part = min(own.free, amount)
        taken.append(Taken(own.id, part))
        amount -= part
    others = [lot for lot in lots if own is None or lot.id != own.id]
    rest = allocate(others, amount, now)
    return Reversal(taken + rest, amount - total_taken(rest))


# ------------------------------------------------------------------------------------------- tiers

LOOKED_AT_EVERY = timedelta(days=7)
"""A tier is looked at again after this time at the latest, because the programme's own rules may change."""
DAY_BEGINS, DAY_ENDS = 10, 20
"""Local hours between which people are written to about what they did not do just now."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What counts towards a tier, from `since` until before `until`: minor units paid, or visits.

    Below zero: what was given back.
    """

    since: datetime
    until: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class TierOutlook:
    """When a tier falls if nothing more is bought, counted with the days of grace, and when that is told.

    falls_on: the last local day with the tier.
    """

    falls_on: date
    warn_at: datetime


class TierStep(StrEnum):
    """What a look at a tier leads to."""

    WAIT = "wait"
    WARN = "warn"
    FALL = "fall"


def daytime(moment: datetime, zone: str) -> datetime:
    """`moment`, or the next morning when it lies in a local evening or night."""
    local = moment.astimezone(ZoneInfo(zone))
    if DAY_BEGINS <= local.hour < DAY_ENDS:
        return moment
    morning = local.date() + timedelta(days=int(local.hour >= DAY_ENDS))
    return datetime.combine(morning, time(DAY_BEGINS), ZoneInfo(zone)).astimezone(UTC)


def progress_at(parts: Iterable[Progress], moment: datetime) -> int:
    """What the window holds at a moment."""
    return sum(part.amount for part in parts if part.since <= moment < part.until)


def unsupported_from(parts: Iterable[Progress], threshold: int, now: datetime) -> datetime | None:
    """Since when the window is under a threshold, or, while it reaches it, from when if nothing is added.

    None when it never reached it.
    """
    changes: dict[datetime, int] = {}
    for part in parts:
        changes[part.since] = changes.get(part.since, 0) + part.amount
        changes[part.until] = changes.get(part.until, 0) - part.amount
    total, fell, reaches = 0, None, False
    for moment in sorted(changes):
        if moment > now and not reaches:
            break
        total += changes[moment]
        if reaches and total < threshold:
            fell = moment
        reaches = total >= threshold
    return fell


def tier_outlook(
    programme: Programme, tier: Tier, parts: Sequence[Progress], now: datetime, zone: str, *, held_since: datetime
) -> TierOutlook | None:
    """What lies ahead of a tier; None for the base tier, which nobody loses.

    held_since: when the tier was reached, or got the rules it has now: the days of grace do not begin before.
    """
    if not tier.threshold:
        return None
    below = max(unsupported_from(parts, tier.threshold, now) or held_since, held_since)
    falls_on = business_date(below, zone) + timedelta(days=programme.tier_hold_days)
    warned_on = falls_on - timedelta(days=programme.tier_warning_days)
    return TierOutlook(falls_on, daytime(start_of_day(warned_on, zone), zone))


def tier_step(
    outlook: TierOutlook, programme: Programme, now: datetime, zone: str, *, warned: date | None, can_be_told: bool
) -> tuple[TierStep, date, datetime]:
    """(what to do, last day with the tier, when to look again).

    Whoever can be told keeps the tier until the warning is as old as the programme says, however late it came.
    warned: the last day that the newest warning named.
    """
    is_warned = warned is not None and warned >= outlook.falls_on
    falls_on = warned if warned is not None and is_warned else outlook.falls_on
    if programme.tier_warning_days and can_be_told and not is_warned:
        tell_at = daytime(max(now, outlook.warn_at), zone)
        if now < tell_at:
            return TierStep.WAIT, falls_on, tell_at
        in_time = business_date(now, zone) + timedelta(days=programme.tier_warning_days)
        falls_on = max(falls_on, in_time)
        return TierStep.WARN, falls_on, end_of_day(falls_on, zone)
    falls_at = end_of_day(falls_on, zone)
    return (TierStep.FALL if falls_at <= now else TierStep.WAIT), falls_on, falls_at


def rules_since(versions: Iterable[tuple[datetime, Programme]], tier: Tier) -> datetime:
    """Since when a tier has had the threshold, measure and window it has now.

    versions: (in force from, programme), newest first; one at least.
    """
    since, now_in_force = None, None
    for effective_from, programme in versions:
        kept = next((one.threshold for one in programme.tiers if one.id == tier.id), None)
        rules = (kept, programme.tier_basis, programme.tier_window_days)
        now_in_force = now_in_force or rules
        if rules != now_in_force:
            break
        since = effective_from
    assert since is not None, "there is always a programme"
    return since


# ------------------------------------------------------------------------------------------- birthdays

KNOWN_DAYS = 14
"""A birthday has to be known so long before it, or a gift could be had by naming today."""
LATE_DAYS = 7
"""So long after the day its gift is still given: the engine may have stood still."""
EARLY_DAYS = 180
"""Earlier before the day no gift is given, whatever the programme says: one year's would meet the other's."""


def birthdays_due(programme: Programme, today: date) -> list[tuple[int, date]]:
    """(birthday code, the day on which it is kept) of all who are to have their gift by the local day `today`."""
    before = min(programme.birthday_days_before, EARLY_DAYS)
    days = [today + timedelta(days=ahead) for ahead in range(-LATE_DAYS, before + 1)]
    due = [(day.month * 100 + day.day, day) for day in days]
    leaplings = [(229, day) for day in days if (day.month, day.day) == (2, 28) and not isleap(day.year)]
    return due + leaplings


def is_known_in_time(known_since: datetime, day: date, zone: str) -> bool:
    """Whether a birthday kept on `day` was known early enough for a gift."""
    return business_date(known_since, zone) <= day - timedelta(days=KNOWN_DAYS)
