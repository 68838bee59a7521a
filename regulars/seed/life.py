"""Two years of one made-up customer, lived through the shop's own rules: quotes, lots, expiry, tiers, refunds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from zoneinfo import ZoneInfo

from loyalty.bonuses.actions.once_only import Gift
from loyalty.bonuses.rules import Kind, Lot, Source, gift_lot_dates, manual_lot_dates
from loyalty.clock import business_date, end_of_day
from loyalty.customers.rules import CardProof, code_step
from loyalty.money import floor_to_step
from loyalty.receipts.rules.sales import Quote, ReceiptDraft, ReceiptSource, Till, quote
from regulars.seed import holds, letters, refunds
from regulars.seed.gifts import Invitation, birthday_gifts, invitee_gift, referrer_gift
from regulars.seed.goods import plain_sum, tray
from regulars.seed.letters import Mail
from regulars.seed.names import MadeUp
from regulars.seed.programme import PROMO_CODE, PROMO_LIMIT, Rules, Version
from regulars.seed.records import ZONE, Account, Entry, Place, Receipt, SeedClaim, SeedHold, SeedLine, SeedLot
from regulars.seed.standing import Standing

LATEST = timedelta(minutes=10)
"""Nothing is bought later than so long before now: what follows from a sale must have happened as well."""
WITH_LINES = 0.85
PAY_WITH_BONUSES = 0.3
BY_HOLD = 0.06
LEFT_IN_PEACE = 0.02
"""Shares: of sales that come with lines; that are paid with bonuses, and of these set aside before; of sales before
which bonuses were set aside in vain."""
LEAST_BURN = 50_00


class Life:
    """What happened to one customer between joining and now."""

    def __init__(
        self,
        random: Random,
        rules: Rules,
        places: list[Place],
        joined: datetime,
        *,
        customer_id: int,
        person_hash: str,
        birthday: date | None,
        accounts: Sequence[Account],
        mail: Sequence[Mail] = (),
    ) -> None:
        """places: the favourite first. person_hash: who this is, for what is given once. mail: letters to many."""
        self.random = random
        self.rules = rules
        self.places = places
        self.joined = joined
        self.customer_id = customer_id
        self.person_hash = person_hash
        self.birthday = birthday
        self.accounts = accounts
        self.mail = mail
        self.discount_bp, self.discount_since = 0, joined
        self.invitation: Invitation | None = None  # by which they came
        self.entries: list[Entry] = []
        self.lots: list[SeedLot] = []  # of which something was left at the last sweep
        self.receipts: list[Receipt] = []
        self.holds: list[SeedHold] = []
        self.once_only: list[tuple[str, str, Entry]] = []  # kind, period, the gift
        self.balance = self.debt = 0
        programme = rules.newest.programme
        self.standing = Standing(programme, self.is_reachable, programme.tiers[0])
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._planned = count()

    def is_reachable(self, at: datetime) -> bool:
        """Whether the customer could be written to, and could show the card."""
        return any(account.is_open(at) for account in self.accounts)

    def plan(self, at: datetime, act: Callable[[datetime], None]) -> None:
        """Let something happen at a moment of this life, if it comes before now."""
        heappush(self._agenda, (at, next(self._planned), act))

    def live(self, now: datetime) -> None:
        """Gifts, visits, expiries until now."""
        self._grant_welcome()
        for at, gift in birthday_gifts(self, self.rules.newest, now):
            self.plan(at, partial(self._congratulate, gift))
        letters.live_with(self)
        for at in self._visits(now):
            self._pass_time(at)
            if letters.stays_away(self, at):
                continue
            place = self.places[0] if self.random.random() < 0.85 else self.random.choice(self.places)
            self._buy(at, place)
            if self.random.random() < 0.012:
                self.plan(at + timedelta(minutes=9), partial(self._apologise, place.cashier_id))
        self._pass_time(now)

    def come(self, at: datetime) -> None:
        """Buy something at the usual place."""
        self._buy(at, self.places[0])

    def set_discount(self, discount_bp: int, since: datetime) -> None:
        """Give a personal discount."""
        self.discount_bp, self.discount_since = discount_bp, since

    def plan_tier(self, at: datetime, days: int, staff_id: int) -> None:
        """Let somebody give the next tier by hand for so many days."""
        until = end_of_day(business_date(at, ZONE) + timedelta(days=days), ZONE)

        def give(at: datetime) -> None:
            tier = self.standing.programme.next_tier(self.standing.tier) or self.standing.tier
            self.standing.set_by_hand(at, tier.id, until, staff_id)

        self.plan(at, give)

    def give(self, at: datetime, gift: Gift) -> Entry:
        """Post a gift, which repays debt first."""
        dates = gift_lot_dates(gift.lifetime_days, at, ZONE)
        lot = SeedLot(gift.amount, gift.amount, dates.activates_at, dates.expires_at, gift.source)
        entry = Entry(at, gift.amount, 0, Kind.GRANT, gift.event, None, None, lot=lot, operation_id=gift.operation_id)
        self.post(entry)
        return entry

    def give_once(self, at: datetime, gift: Gift, kind: str, period: str = "") -> Entry:
        """Post a gift that leaves a tombstone."""
        entry = self.give(at, gift)
        self.once_only.append((kind, period, entry))
        return entry

    def post(self, entry: Entry) -> None:
        """Write an entry: a credit's lot repays debt first, and what no lot covers of a debit becomes debt."""
        self.balance += entry.amount
        entry.balance_after = self.balance
        if entry.amount > 0 and entry.lot is not None and entry.kind is not Kind.RESTORE_BURN:
            repaid = min(self.debt, entry.amount)
            self.debt -= repaid
            if repaid:
                entry.taken.append((entry.lot, repaid))
        for lot, part in entry.taken:
            lot.remaining -= part
        if entry.amount < 0:
            self.debt += -entry.amount - sum(part for _, part in entry.taken)
        if entry.lot is not None:
            self.lots.append(entry.lot)
        self.entries.append(entry)

    def rule_lots(self) -> list[Lot]:
        """The lots as the rules see them, called by their places in `lots`."""
        return [
            Lot(index, lot.remaining, lot.activates_at, lot.expires_at)
            for index, lot in enumerate(self.lots)
            if lot.remaining
        ]

    def _pass_time(self, now: datetime) -> None:
        """Let everything planned happen until `now`, and what time does by itself in between."""
        while self._agenda and self._agenda[0][0] <= now:
            at, _, act = heappop(self._agenda)
            self._settle(at)
            act(at)
        self._settle(now)

    def _settle(self, now: datetime) -> None:
        self._expire(now)
        self.standing.pass_time(now)

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
        programme = self.rules.at(self.joined).programme
        key = f"welcome:{self.person_hash}"
        days = programme.welcome_lifetime_days
        self.give_once(self.joined, Gift(programme.welcome_bonus, "welcome", key, Source.WELCOME, days), "welcome")

    def _buy(self, at: datetime, place: Place) -> None:
        version = self.rules.at(at)
        draft = self._draft(at, place, version)
        pays, hesitates = self.random.random() < PAY_WITH_BONUSES, self.random.random() < LEFT_IN_PEACE
        # Lots are many and are counted again in each quote: whoever keeps the bonuses needs none of it.
        till = self._till(at, place, version, lots=self.rule_lots() if pays or hesitates else [])
        sale = quote(till, draft, now=at)
        hold = None
        if pays and (burn := self._burn(sale.burn_limit)):
            if draft.proof is not None and self.random.random() < BY_HOLD:
                hold = holds.set_aside(self, replace(draft, burn=burn), place, sale.total, at)
                till = replace(till, held=holds.as_held(self, hold) if hold else None)
            draft = replace(draft, burn=burn)
            sale = quote(till, draft, now=at)
        elif hesitates and draft.proof is not None and sale.burn_limit >= LEAST_BURN:
            holds.set_aside_in_vain(self, replace(draft, burn=sale.burn_limit), place, sale.total, at)
        receipt = self._record(at, place, draft, sale, tier_id=till.tier_id, hold=hold)
        refunds.plan_refund(self, receipt)

    def _draft(self, at: datetime, place: Place, version: Version) -> ReceiptDraft:
        """What lies on the counter, and what the customer shows and says."""
        is_new = version is self.rules.newest
        lines = tray(self.random) if is_new and self.random.random() < WITH_LINES else ()
        total = sum(line.total for line in lines) if lines else plain_sum(self.random)
        proof = None
        if not place.is_relaxed and self.is_reachable(at):
            proof = CardProof(self.customer_id, code_step(at))
        code = PROMO_CODE if is_new and self._knows_promo_code() else None
        return ReceiptDraft(
            ReceiptSource.TILL, place.id, "", self.customer_id, total, proof=proof, lines=lines, promo_code=code
        )

    def _knows_promo_code(self) -> bool:
        """One in eleven has heard of the code, and names it once."""
        if self.customer_id % 11 != 3 or self.rules.promo_uses >= PROMO_LIMIT:
            return False
        return all(receipt.promo_code is None for receipt in self.receipts)

    def _burn(self, most: int) -> int:
        """How much of what may be burnt the customer pays with: all or half, and nothing of a trifle."""
        if most < LEAST_BURN:
            return 0
        return floor_to_step(most // 2, 100) if self.random.random() < 0.3 else most

    def _record(
        self, at: datetime, place: Place, draft: ReceiptDraft, sale: Quote, *, tier_id: int, hold: SeedHold | None
    ) -> Receipt:
        """Write a sale down with all that follows from it; `tier_id` is the one whose rate it earned by."""
        presence = sale.presence.value if sale.presence and sale.burn else None
        receipt = Receipt(
            at,
            "sale",
            place.id,
            place.cashier_id,
            sale.total,
            sale.pay,
            sale.burn,
            sale.earn,
            [award.snapshot() for award in sale.awards],
            sale.balance_after,
            presence=presence,
            discount=sale.discount,
            tier_id=tier_id,
            programme_id=self.rules.at(at).id,
            draft=draft,
            promo_code=draft.promo_code,
            hold=hold,
        )
        if draft.lines:
            receipt.lines = [
                SeedLine(number, part.line, part.discount, part.burnt, part.earned)
                for number, part in enumerate(sale.lines, 1)
            ]
        if presence == "code":
            receipt.code_step = hold.code_step if hold else code_step(at)
        if hold:
            hold.receipt = receipt
        self.receipts.append(receipt)
        self.rules.promo_uses += draft.promo_code is not None
        self._post_sale(receipt, sale)
        self.standing.pay(at, sale.pay, sale.tier_after, receipt)
        self._thank_inviter(receipt)
        return receipt

    def _post_sale(self, receipt: Receipt, sale: Quote) -> None:
        at, staff_id, location_id = receipt.at, receipt.staff_id, receipt.location_id
        if sale.burn:
            taken = [(self.lots[part.lot_id], part.amount) for part in sale.taken]
            burn = Entry(at, -sale.burn, 0, Kind.BURN, "receipt", staff_id, location_id, receipt=receipt, taken=taken)
            receipt.entries[Kind.BURN] = burn
            self.post(burn)
        if sale.earn:
            lot = SeedLot(sale.earn, sale.earn, sale.dates.activates_at, sale.dates.expires_at, Source.RECEIPT)
            earn = Entry(at, sale.earn, 0, Kind.EARN, "receipt", staff_id, location_id, receipt=receipt, lot=lot)
            receipt.entries[Kind.EARN] = earn
            self.post(earn)

    def _thank_inviter(self, receipt: Receipt) -> None:
        """The first purchase of somebody invited brings gifts to both."""
        invitation = self.invitation
        if invitation is None or invitation.reason is not None or invitation.receipt is not None:
            return
        invitation.receipt = receipt
        programme = self.rules.newest.programme

        def reward(at: datetime) -> None:
            gift = invitee_gift(programme, self.customer_id)
            invitation.invitee_entry = self.give_once(at, gift, "referral")

        def thank(at: datetime) -> None:
            invitation.entry = invitation.referrer.give(at, referrer_gift(programme, self.customer_id))

        self.plan(receipt.at + timedelta(minutes=1), reward)
        invitation.referrer.plan(receipt.at + timedelta(minutes=1), thank)

    def _congratulate(self, gift: Gift, at: datetime) -> None:
        self.give_once(at, gift, "birthday", gift.operation_id.rpartition(":")[2])

    def _apologise(self, staff_id: int, at: datetime) -> None:
        words = self.random.choice(("Долго ждали заказ", "Остывший кофе", "Перепутали молоко", "Сломался терминал"))
        dates = manual_lot_dates(self.rules.at(at).programme, at, ZONE)
        lot = SeedLot(100_00, 100_00, dates.activates_at, dates.expires_at, Source.MANUAL)
        self.post(Entry(at, 100_00, 0, Kind.ADJUST, "manual", staff_id, None, comment=words, lot=lot))

    def _expire(self, now: datetime) -> None:
        """The sweep, a minute after each day's end."""
        self.lots = [lot for lot in self.lots if lot.remaining]
        due = [lot for lot in self.lots if lot.expires_at is not None and lot.expires_at <= now]
        for lot in sorted(due, key=lambda lot: lot.expires_at or now):
            assert lot.expires_at is not None
            at = lot.expires_at + timedelta(minutes=1)
            if at > now:
                continue
            lot.expired += lot.remaining
            taken = [(lot, lot.remaining)]
            self.post(Entry(at, -lot.remaining, 0, Kind.EXPIRE, "expiry", None, None, taken=taken))

    def _till(self, at: datetime, place: Place, version: Version, *, lots: list[Lot]) -> Till:
        return Till(
            programme=version.programme,
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
            account_channel=None,
            code_used=False,
            balance=self.balance,
            debt=self.debt,
            tier_id=self.standing.tier.id,
            lots=tuple(lots),
            window_paid=self.standing.total,
            burnt_today=0,
            visited=False,
            location_id=place.id,
            programme_id=version.id,
            discount_bp=self.discount_bp if at >= self.discount_since else 0,
            tier_until=self.standing.until,
            birthday=self.birthday,
            is_first=not self.receipts,
            promo_uses=(0, self.rules.promo_uses),
        )


@dataclass(slots=True)
class Seeded:
    """A made-up customer with everything that belongs to them. `places`: the phone and the e-mail of the card."""

    id: int
    person: MadeUp
    birthday: date | None
    home: Place
    life: Life
    accounts: tuple[Account, ...]
    came_by_chat: bool
    places: tuple[Account, ...] = ()
    referral_code: str | None = None
    claim: SeedClaim | None = None

    @property
    def account(self) -> Account | None:
        """The one that they came by, or joined with later."""
        return self.accounts[0] if self.accounts else None

    def account_at(self, at: datetime) -> Account | None:
        """Where they were written to at a moment: in the chat that they chose, or else in the other."""
        there = [account for account in self.accounts if account.is_open(at)]
        return next((account for account in there if account.is_default), there[0] if there else None)
