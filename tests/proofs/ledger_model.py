"""The rules once more, in the simplest words: lists and loops, no SQL and nothing of the house.

Money is in minor units, bonuses in hundredths, and one bonus pays one unit of currency, so that both count alike.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Moscow")
TIERS = ((0, 10), (2_000_00, 15), (6_000_00, 20))
"""(paid within the window, percent of the money earned)"""
WINDOW, HOLD = timedelta(days=60), timedelta(minutes=15)
BURN_PERCENT, MIN_CASH, GRACE_DAYS = 50, 1_00, 14
EARNED_MONTHS, BY_HAND_MONTHS = 2, 1
COFFEE, CAKES, GIFT_CARDS = "coffee", "cakes", "gift cards"
"""What earns twice, what earns once, what has no part in bonuses."""
CODE, CODE_PERCENT, CODE_USES = "SPRING", 7, 2


@dataclass
class ModelLot:
    """Bonuses as a shopkeeper would pencil them: how many are left, from when, until when."""

    left: int
    begins: datetime
    ends: datetime
    number: int
    lapsed: int = 0

    def is_active(self, now: datetime) -> bool:
        return self.begins <= now < self.ends


Parts = list[tuple[ModelLot, int]]


@dataclass
class ModelLine:
    """Goods on a receipt. `total` is what they cost after the discount."""

    total: int
    category: str
    burnt: int = 0
    earned: int = 0
    refunded: int = 0

    @property
    def eligible(self) -> int:
        return 0 if self.category == GIFT_CARDS else self.total

    @property
    def base(self) -> int:
        return self.eligible - self.burnt


@dataclass
class ModelSale:
    id: int
    at: datetime
    lines: list[ModelLine]
    total: int
    paid: int
    burnt: Parts
    earned: int
    own: ModelLot | None
    has_lines: bool
    code: str | None
    refunded: int = 0
    restored: int = 0
    reversed: int = 0
    paid_back: int = 0

    @property
    def left(self) -> int:
        return self.total - self.refunded


@dataclass
class ModelHold:
    id: int
    ends: datetime
    parts: Parts
    is_live: bool = True


@dataclass
class ModelRefund:
    """What the till is told."""

    paid: int
    restored: int
    reversed: int
    forgiven: int
    kept_back: int


@dataclass
class Model:
    """A customer and the programme's terms, which differ from story to story."""

    now: datetime
    rounding: str = "down"
    stacking: str = "best"
    debt_policy: str = "debt"
    debt: int = 0
    discount: int = 0
    tier: int = 0
    raised: tuple[ModelSale, int] | None = None
    """The sale that made the last change of tier, and the tier before it."""
    lots: list[ModelLot] = field(default_factory=list)
    sales: list[ModelSale] = field(default_factory=list)
    holds: list[ModelHold] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return sum(lot.left for lot in self.lots) - self.debt

    def held(self, lot: ModelLot) -> int:
        live = [hold for hold in self.holds if hold.is_live and self.now < hold.ends]
        return sum(part for hold in live for one, part in hold.parts if one is lot)

    def active(self) -> list[ModelLot]:
        found = [lot for lot in self.lots if lot.is_active(self.now) and lot.left > self.held(lot)]
        return sorted(found, key=lambda lot: (lot.ends, lot.begins, lot.number))

    @property
    def available(self) -> int:
        return sum(lot.left - self.held(lot) for lot in self.active())

    def spend(self, amount: int) -> Parts:
        parts = []
        for lot in self.active():
            part = min(amount, lot.left - self.held(lot))
            if part:
                parts.append((lot, part))
                amount -= part
        return parts

    def credit(self, amount: int, begins: datetime, ends: datetime, *, repays: bool = True) -> ModelLot:
        repaid = min(self.debt, amount) if repays else 0
        self.debt -= repaid
        lot = ModelLot(amount - repaid, begins, ends, len(self.lots))
        self.lots.append(lot)
        return lot

    def credit_by_hand(self, amount: int) -> None:
        self.credit(amount, self.now, self.ends(self.today(), BY_HAND_MONTHS))

    def ends(self, first: date, months: int) -> datetime:
        return midnight(months_later(first, months) + timedelta(days=1))

    # --------------------------------------------------------------------------------------- a sale

    def priced(self, goods: list[tuple[int, str]], *, is_discounted: bool = False) -> list[ModelLine]:
        """The goods after the personal discount, which gift cards do not have; `is_discounted`: the till took it."""
        lines = [ModelLine(total, category) for total, category in goods]
        if not is_discounted:
            eligible = [line.eligible for line in lines]
            for line, off in zip(lines, shares(sum(eligible) * self.discount // 100, eligible), strict=True):
                line.total -= off
        return lines

    def limit(self, lines: list[ModelLine], spendable: int) -> int:
        share = sum(line.eligible for line in lines) * BURN_PERCENT // 100
        return max(0, min(spendable, share, sum(line.total for line in lines) - MIN_CASH))

    @property
    def code_uses(self) -> int:
        return sum(sale.code == CODE and sale.left > 0 for sale in self.sales)

    def sell(self, sale_id: int, lines: list[ModelLine], parts: Parts, *, has_lines: bool = False,
             code: str | None = None) -> ModelSale:  # fmt: skip
        burn, total = sum(part for _, part in parts), sum(line.total for line in lines)
        for lot, part in parts:
            lot.left -= part
        for line, part in zip(lines, shares(burn, [line.eligible for line in lines]), strict=True):
            line.burnt = part
        earned, own = self._earn(lines, code), None
        if earned:
            first = self.today() + timedelta(days=1)
            own = self.credit(earned, midnight(first), self.ends(first, EARNED_MONTHS))
        sale = ModelSale(sale_id, self.now, lines, total, total - burn, parts, earned, own, has_lines, code)
        reached = tier_for(self.progress + sale.paid)
        self.sales.append(sale)
        if reached > self.tier:
            self.raised, self.tier = (sale, self.tier), reached
        return sale

    @property
    def progress(self) -> int:
        """Money that counts: what sales within the window brought in, less what of it was given back."""
        return sum(sale.paid - sale.paid_back for sale in self.sales if sale.at > self.now - WINDOW)

    def _earn(self, lines: list[ModelLine], code: str | None) -> int:
        """The tier's percents of every line; on top of it coffee counts twice, and a code gives percents of its own."""
        percent = TIERS[self.tier][1]
        given = [Fraction(line.base * percent, 100) for line in lines]
        coffee = [Fraction(line.base * percent, 100) if line.category == COFFEE else Fraction() for line in lines]
        by_code = [Fraction(line.base * CODE_PERCENT, 100) if code else Fraction() for line in lines]
        extras = [coffee, by_code]
        if self.stacking == "best":
            extras = [max(extras, key=sum)]
        for extra in extras:
            given = [one + more for one, more in zip(given, extra, strict=True)]
        whole = sum(given, Fraction())
        earned = {"down": whole // 1, "nearest": (whole + Fraction(1, 2)) // 1, "up": -(-whole // 1)}[self.rounding]
        for line, part in zip(lines, shares(earned, given), strict=True):
            line.earned = part
        return earned

    # -------------------------------------------------------------------------------------- a refund

    def refund(self, sale: ModelSale, amount: int, named: dict[int, int] | None = None) -> ModelRefund:
        """Take back so much of a sale; `named`: so much of which lines (from 0)."""
        sale.refunded += amount
        for index, part in (named or {}).items():
            sale.lines[index].refunded += part
        burnt = sum(part for _, part in sale.burnt)
        restored = max(sale.restored, self._undone(sale, burnt, [line.burnt for line in sale.lines]))
        back = restored - sale.restored
        due = self._undone(sale, sale.earned, [line.earned for line in sale.lines])
        take = max(0, due - (sale.own.lapsed if sale.own else 0) - sale.reversed)
        paid_back = min(sale.paid, max(sale.paid_back, sale.refunded - restored)) if sale.left else sale.paid
        pay, sale.paid_back = paid_back - sale.paid_back, paid_back
        self._give_back(sale, restored)
        missing = self._take_back(sale, take)
        forgiven = missing if self.debt_policy != "debt" else 0
        self.debt += missing - forgiven
        if not sale.left:
            self._lower(sale)
        kept = min(pay, forgiven) if self.debt_policy == "cash" else 0
        return ModelRefund(pay, back, take - forgiven, forgiven, kept)

    def _undone(self, sale: ModelSale, whole: int, of_lines: list[int]) -> int:
        """Lines give back their own shares; money without a line its part of what they have left."""
        if not sale.left:
            return whole
        if not sale.has_lines:
            return whole * sale.refunded // sale.total
        lines = [line for line in sale.lines if line.total]
        parts = sum(part * line.refunded // line.total for line, part in zip(sale.lines, of_lines, strict=True)
                    if line in lines)  # fmt: skip
        by_line = sum(line.refunded for line in lines)
        rest = sale.total - by_line
        return parts + ((whole - parts) * (sale.refunded - by_line) // rest if rest else 0)

    def _give_back(self, sale: ModelSale, restored: int) -> None:
        """The last spent come back first; what has expired comes as a new lot with days of grace."""
        gone, back, grace = sale.restored, restored - sale.restored, 0
        for lot, part in reversed(sale.burnt):
            before = min(gone, part)
            gone -= before
            here = min(back, part - before)
            back -= here
            if lot.ends <= self.now:
                grace += here
            else:
                lot.left += here
        sale.restored = restored
        if grace:
            ends = midnight(self.today() + timedelta(days=GRACE_DAYS + 1))
            self.credit(grace, self.now, ends, repays=False)

    def _take_back(self, sale: ModelSale, take: int) -> int:
        """From the sale's own lot, then from the others; what is missing."""
        sale.reversed += take
        if sale.own is not None:
            part = min(take, sale.own.left - self.held(sale.own))
            sale.own.left -= part
            take -= part
        for lot, part in self.spend(take):
            lot.left -= part
            take -= part
        return take

    def _lower(self, sale: ModelSale) -> None:
        """The tier that a sale brought goes with it, unless other purchases have earned it meanwhile."""
        if self.raised is None or self.raised[0] is not sale:
            return
        tier = max(tier_for(self.progress), self.raised[1])
        if tier < self.tier:
            self.tier, self.raised = tier, None

    # ------------------------------------------------------------------------------------------ time

    def sweep(self) -> None:
        for hold in self.holds:
            hold.is_live = hold.is_live and self.now < hold.ends
        for lot in self.lots:
            if lot.ends <= self.now and not self.held(lot):
                lot.lapsed += lot.left
                lot.left = 0

    def turning_points(self) -> list[datetime]:
        """Coming moments at which something changes by time alone."""
        moments = {moment for lot in self.lots if lot.left for moment in (lot.begins, lot.ends)}
        moments |= {hold.ends for hold in self.holds if hold.is_live} | {sale.at + WINDOW for sale in self.sales}
        return sorted(moment for moment in moments if moment > self.now)

    def today(self) -> date:
        return self.now.astimezone(ZONE).date()


def tier_for(paid: int) -> int:
    return max(number for number, (threshold, _) in enumerate(TIERS) if paid >= threshold or not number)


def shares(amount: int, weights: list[int] | list[Fraction]) -> list[int]:
    """Whole parts that sum up to `amount`; what rounding leaves goes to the largest remainders, the first of equals."""
    whole = sum(weights, Fraction())
    if not whole:
        return [0 for _ in weights]
    exact = [amount * weight / whole for weight in weights]
    parts = [int(one) for one in exact]
    while sum(parts) < amount:
        rests = [one - part for one, part in zip(exact, parts, strict=True)]
        parts[rests.index(max(rests))] += 1
    return parts


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last one."""
    years, month = divmod(day.month - 1 + months, 12)
    for number in range(day.day, 0, -1):
        try:
            return date(day.year + years, month + 1, number)
        except ValueError:
            continue
    raise AssertionError
