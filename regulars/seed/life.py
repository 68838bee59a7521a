"""Two years of one made-up customer, lived through the shop's own rules: quotes, lots, expiry, tiers, refunds."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from loyalty.bonuses.rules import Kind, Lot, Source, allocate, earned_lot_dates, gift_lot_dates
from loyalty.clock import business_date
from loyalty.customers.rules import CardProof, code_step
from loyalty.ids import fingerprint
from loyalty.money import floor_to_step
from loyalty.receipts.rules import Quote, ReceiptDraft, ReceiptSource, Recorded, Till, quote
from loyalty.shop.rules import Programme
from regulars.seed.names import MadeUp

ZONE = "Europe/Moscow"
LATEST = timedelta(minutes=10)
"""Nothing is bought later than so long before now: what follows from a sale must have happened as well."""


class Place(NamedTuple):
    """A location and who sells there. `is_relaxed`: a burn needs no proof that the customer is present."""

    id: int
    cashier_id: int
    name: str
    is_relaxed: bool


@dataclass(slots=True)
class Account:
    """Somebody's account in the messenger. `moments`: the steps of the registration there, each with its time.

    blocked_at: since then they hear nothing from us and show no card. `id` is numbered at the end.
    """

    address: str
    name: str
    username: str | None
    moments: tuple[tuple[str, datetime], ...]
    blocked_at: datetime | None
    id: int = 0

    @property
    def linked_at(self) -> datetime:
        """When the account became theirs: at the last step."""
        return self.moments[-1][1]

    def is_open(self, at: datetime) -> bool:
        """Whether its person could be written to, and could show the card, at that moment."""
        return self.linked_at <= at and (self.blocked_at is None or at < self.blocked_at)


@dataclass(slots=True)
class Entry:
    """A ledger entry to be written. `receipt` and `corrects` are numbered with it, at the end."""

    at: datetime
    amount: int
    balance_after: int
    kind: Kind
    event: str
    staff_id: int | None
    location_id: int | None
    receipt: "Receipt | None" = None
    corrects: "Entry | None" = None
    comment: str | None = None
    lot: "SeedLot | None" = None
    taken: "list[tuple[SeedLot, int]]" = field(default_factory=list)
    id: int = 0


@dataclass(slots=True)
class SeedLot:
    """A lot to be written."""

    amount: int
    remaining: int
    activates_at: datetime
    expires_at: datetime | None
    source: Source
    id: int = 0


@dataclass(slots=True)
class Receipt:
    """A sale or refund to be written."""

    at: datetime
    kind: str
    location_id: int
    staff_id: int
    total: int
    paid: int
    burnt: int
    earned: int
    awards: list[dict[str, Any]]
    balance: int
    presence: str | None = None
    tier: str = ""  # the name of the one that it brought
    refunded: int = 0
    original: "Receipt | None" = None
    id: int = 0

    def body_hash(self, customer_id: int) -> str:
        if self.original is not None:
            return fingerprint({"refund_of": self.original.id, "amount": None})
        key = f"seed-{self.id}"
        burn = self.burnt
        return ReceiptDraft(ReceiptSource.TILL, self.location_id, key, customer_id, self.total, burn).body_hash()

    def answer(self) -> dict[str, Any]:
        return Recorded(self.id, self.total, self.paid, self.burnt, self.earned, self.balance, None).to_answer()


class Life:
    """What happened to one customer between joining and now."""

    def __init__(
        self,
        random: Random,
        programme: Programme,
        places: list[Place],
        joined: datetime,
        *,
        customer_id: int,
        account: Account | None,
    ) -> None:
        """places: the favourite first."""
        self.random = random
        self.programme = programme
        self.places = places
        self.joined = joined
        self.customer_id = customer_id
        self.account = account
        self.entries: list[Entry] = []
        self.lots: list[SeedLot] = []  # of which something was left at the last sweep
        self.receipts: list[Receipt] = []
        self.tiers: list[tuple[datetime, int, int, Receipt]] = []  # when, tier, the one before, by which sale
        self.balance = 0
        self.tier_id = 0

    def live(self, now: datetime) -> None:
        """Gifts, visits, expiries until now."""
        self._grant_welcome()
        for at in self._visits(now):
            self._expire(at)
            place = self.places[0] if self.random.random() < 0.85 else self.random.choice(self.places)
            self._buy(at, place)
            if self.random.random() < 0.012:
                self._apologise(at + timedelta(minutes=9), place.cashier_id)
        self._expire(now)

    def _visits(self, now: datetime) -> Iterator[datetime]:
        """Moments of buying: regular people come every few days, most come seldom, some stop coming."""
        pace = min(90.0, max(2.0, self.random.lognormvariate(3.0, 0.8)))
        stops = self.joined + timedelta(days=self.random.expovariate(1 / 500))
        at = self.joined
        while at < min(now, stops):
            local = at.astimezone(ZoneInfo(ZONE))
            hour = self.random.choice((8, 8, 9, 9, 10, 11, 12, 13, 13, 14, 16, 17, 18, 19, 20))
            opened = local.replace(hour=hour, minute=self.random.randrange(60), second=self.random.randrange(60))
            moment = opened.astimezone(at.tzinfo)
            if self.joined < moment < now - LATEST:
                yield moment
            at += timedelta(days=max(1.0, self.random.expovariate(1 / pace)))

    def _grant_welcome(self) -> None:
        amount = self.programme.welcome_bonus
        dates = gift_lot_dates(self.programme.welcome_lifetime_days, self.joined, ZONE)
        lot = SeedLot(amount, amount, dates.activates_at, dates.expires_at, Source.WELCOME)
        self._post(Entry(self.joined, amount, 0, Kind.GRANT, "welcome", None, None, lot=lot))

    def _buy(self, at: datetime, place: Place) -> None:
        total = self._sum()
        till = self._till(at, place)
        proof = None
        if not place.is_relaxed and self.account is not None and self.account.is_open(at):
            proof = CardProof(self.customer_id, code_step(at))
        draft = ReceiptDraft(ReceiptSource.TILL, place.id, "", self.customer_id, total, proof=proof)
        burn = 0
        if self.random.random() < 0.3:
            most = quote(till, draft, now=at).burn_limit
            burn = most if most >= 50_00 else 0
        if burn and self.random.random() < 0.3:
            burn = floor_to_step(burn // 2, self.programme.bonus_step)
        sale = quote(till, replace(draft, burn=burn), now=at)
        receipt = self._record(at, place, sale)
        if self.random.random() < 0.006:
            self._undo(at + timedelta(minutes=3), receipt)

    def _record(self, at: datetime, place: Place, sale: Quote) -> Receipt:
        location_id, staff_id = place.id, place.cashier_id
        receipt = Receipt(
            at,
            "sale",
            location_id,
            staff_id,
            sale.total,
            sale.pay,
            sale.burn,
            sale.earn,
            [award.snapshot() for award in sale.awards],
            sale.balance_after,
            presence=sale.presence.value if sale.presence and sale.burn else None,
        )
        self.receipts.append(receipt)
        if sale.burn:
            taken = [(self._lot(part.lot_id), part.amount) for part in allocate(self._rule_lots(), sale.burn, at)]
            self._post(
                Entry(at, -sale.burn, 0, Kind.BURN, "receipt", staff_id, location_id, receipt=receipt, taken=taken)
            )
        if sale.earn:
            lot = SeedLot(sale.earn, sale.earn, sale.dates.activates_at, sale.dates.expires_at, Source.RECEIPT)
            self._post(Entry(at, sale.earn, 0, Kind.EARN, "receipt", staff_id, location_id, receipt=receipt, lot=lot))
        if sale.tier_after.id != self.tier_id:
            self.tiers.append((at, sale.tier_after.id, self.tier_id, receipt))
            self.tier_id = sale.tier_after.id
            receipt.tier = sale.tier_after.name
        return receipt

    def _undo(self, at: datetime, sale: Receipt) -> None:
        """The cashier took the sale back at once: all of it returns as it was."""
        if self.tiers and self.tiers[-1][3] is sale:
            return
        refund = Receipt(
            at,
            "refund",
            sale.location_id,
            sale.staff_id,
            sale.total,
            sale.paid,
            sale.burnt,
            sale.earned,
            [],
            self.balance + sale.burnt - sale.earned,
            original=sale,
        )
        self.receipts.append(refund)
        sale.refunded = sale.total
        for entry in [entry for entry in self.entries if entry.receipt is sale]:
            kind = Kind.RESTORE_BURN if entry.kind is Kind.BURN else Kind.REVERSE_EARN
            taken = [(lot, -part) for lot, part in entry.taken]
            if entry.lot is not None:
                taken.append((entry.lot, entry.amount))
            self._post(
                Entry(
                    at,
                    -entry.amount,
                    0,
                    kind,
                    "refund",
                    sale.staff_id,
                    sale.location_id,
                    receipt=refund,
                    corrects=entry,
                    taken=taken,
                )
            )

    def _apologise(self, at: datetime, staff_id: int) -> None:
        words = self.random.choice(("Долго ждали заказ", "Остывший кофе", "Перепутали молоко", "Сломался терминал"))
        dates = earned_lot_dates(self.programme, at, ZONE)
        lot = SeedLot(100_00, 100_00, dates.activates_at, dates.expires_at, Source.MANUAL)
        self._post(Entry(at, 100_00, 0, Kind.ADJUST, "manual", staff_id, None, comment=words, lot=lot))

    def _expire(self, now: datetime) -> None:
        """The sweep, a minute after each day's end."""
        self.lots = [lot for lot in self.lots if lot.remaining]
        due = [lot for lot in self.lots if lot.expires_at is not None and lot.expires_at <= now]
        for lot in sorted(due, key=lambda lot: lot.expires_at or now):
            assert lot.expires_at is not None
            at = lot.expires_at + timedelta(minutes=1)
            if at > now:
                continue
            taken = [(lot, lot.remaining)]
            self._post(Entry(at, -lot.remaining, 0, Kind.EXPIRE, "expiry", None, None, taken=taken))

    def _post(self, entry: Entry) -> None:
        self.balance += entry.amount
        entry.balance_after = self.balance
        for lot, part in entry.taken:
            lot.remaining -= part
        if entry.lot is not None:
            self.lots.append(entry.lot)
        self.entries.append(entry)

    def _sum(self) -> int:
        """A cup, a cup with a bun, a table for three: whole roubles, now and then with kopecks."""
        roubles = self.random.choice((190, 220, 240, 260, 290, 310, 350, 380, 420, 480, 540, 620, 760, 980, 1450, 1840))
        return roubles * 100 + (50 if self.random.random() < 0.1 else 0)

    def _till(self, at: datetime, place: Place) -> Till:
        window = at - timedelta(days=self.programme.tier_window_days)
        recent = (receipt for receipt in self.receipts if receipt.at > window)
        return Till(
            programme=self.programme,
            currency="RUB",
            exponent=2,
            location_name="",
            zone=ZONE,
            is_open=True,
            burns_without_code=place.is_relaxed,
            business_date=business_date(at, ZONE),
            customer_name="",
            customer_phone=None,
            language="ru",
            account_id=None,
            code_used=False,
            balance=self.balance,
            debt=0,
            tier_id=self.tier_id,
            lots=tuple(self._rule_lots()),
            window_paid=sum(receipt.paid if receipt.kind == "sale" else -receipt.paid for receipt in recent),
            burnt_today=0,
            visited=False,
        )

    def _rule_lots(self) -> list[Lot]:
        return [
            Lot(index, lot.remaining, lot.activates_at, lot.expires_at)
            for index, lot in enumerate(self.lots)
            if lot.remaining
        ]

    def _lot(self, index: int) -> SeedLot:
        return self.lots[index]


@dataclass(slots=True)
class Seeded:
    """A made-up customer with everything that belongs to them."""

    id: int
    person: MadeUp
    birthday: date | None
    home: Place
    life: Life
    account: Account | None
    came_by_chat: bool
